//! Findings for a terminal: a paragraph for each thing asked, then what the logs cover.

use std::io;

use chrono_tz::Tz;
use unicode_width::UnicodeWidthStr;

use super::finding::Findings;
use super::sentences;
use crate::render::escape;

/// Keywords stand in a column of this width.
const KEYWORD_COLUMNS: usize = 9;
/// Narrower columns than this are not wrapped to.
const MIN_COLUMNS: usize = 20;

/// Writes all findings, wrapped to `width` columns.
pub fn render(
    findings: &Findings,
    zone: Tz,
    width: u16,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    for finding in &findings.findings {
        writeln!(out, "{}", escape::terminal(&sentences::heading(&finding.asked)))?;
        let said = sentences::of_finding(finding, &findings.retention, zone);
        said.iter().try_for_each(|(keyword, text)| write(keyword, text, "  ", width, out))?;
        writeln!(out)?;
    }
    let mut last = "";
    for (keyword, text) in sentences::of_retention(findings) {
        write(if keyword == last { "" } else { keyword }, &text, "", width, out)?;
        last = keyword;
    }
    Ok(())
}

/// Writes a text behind its keyword, on as many lines as it needs.
fn write(
    keyword: &str,
    text: &str,
    indent: &str,
    width: u16,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    let margin = indent.len() + KEYWORD_COLUMNS;
    let columns = usize::from(width).saturating_sub(margin).max(MIN_COLUMNS);
    for (number, line) in wrap(&escape::terminal(text), columns).iter().enumerate() {
        let keyword = if number == 0 { keyword } else { "" };
        writeln!(out, "{indent}{keyword:<KEYWORD_COLUMNS$}{line}")?;
    }
    Ok(())
}

/// The text in lines of at most so many columns, broken between words; a longer word has a line of
/// its own.
fn wrap(text: &str, columns: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.width() + 1 + word.width() <= columns => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_between_words_and_words_stay_whole() {
        assert_eq!(wrap("a bc def", 4), ["a bc", "def"]);
        assert_eq!(wrap("abcdef g", 3), ["abcdef", "g"]);
        assert_eq!(wrap("接接 b", 5), ["接接", "b"]);
    }
}
