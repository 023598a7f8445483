//! Escaping: text from logs, notes and file names is hostile, and every format has its own way to
//! be fooled.
//!
//! A terminal obeys control characters, and shows text in another order than it stands in where
//! bidirectional controls say so (<https://trojansource.codes>); Markdown has markup and HTML; a
//! spreadsheet takes some cells for formulas
//! (<https://owasp.org/www-community/attacks/CSV_Injection>).

use std::borrow::Cow;
use std::fmt::Write;
use std::io;
use std::path::Path;

use serde::Serialize;
use serde_json::ser::Formatter;

/// `text` with nothing in it that a terminal obeys or hides: control characters are spelt as
/// `\n`, `\x1b`, `\u{202e}`. Everything else, backslashes too, stays as it is.
pub fn terminal(text: &str) -> Cow<'_, str> {
    if !text.contains(is_hazardous) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        match character {
            '\n' => safe.push_str("\\n"),
            '\r' => safe.push_str("\\r"),
            '\t' => safe.push_str("\\t"),
            hazard if is_hazardous(hazard) && u32::from(hazard) < 0x100 => {
                push_formatted(&mut safe, format_args!("\\x{:02x}", u32::from(hazard)));
            }
            hazard if is_hazardous(hazard) => {
                push_formatted(&mut safe, format_args!("\\u{{{:x}}}", u32::from(hazard)));
            }
            other => safe.push(other),
        }
    }
    Cow::Owned(safe)
}

/// The same for bytes of any kind: what is not UTF-8 is spelt as `\xff`.
pub fn terminal_bytes(bytes: &[u8]) -> String {
    let mut safe = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        safe.push_str(&terminal(chunk.valid()));
        for byte in chunk.invalid() {
            push_formatted(&mut safe, format_args!("\\x{byte:02x}"));
        }
    }
    safe
}

/// The same for a path, which may be anything but NUL.
pub fn terminal_path(path: &Path) -> String {
    terminal_bytes(path.as_os_str().as_encoded_bytes())
}

/// `text` for a cell of a Markdown table: one line that shows what stands there, without markup,
/// HTML or a border of the table.
///
/// Characters that are markup only in pairs stay as they are where they are alone, so that most
/// texts are pasted as they were written.
pub fn markdown(text: &str) -> String {
    let text = terminal(text);
    let is_paired = |mark: char| text.matches(mark).nth(1).is_some();
    let (stars, underscores, tildes) = (is_paired('*'), is_paired('_'), is_paired('~'));
    let mut safe = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        match character {
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '&' => safe.push_str("&amp;"),
            '\\' | '|' | '`' | '[' | ']' => safe.extend(['\\', character]),
            '*' if stars => safe.push_str("\\*"),
            '_' if underscores => safe.push_str("\\_"),
            '~' if tildes => safe.push_str("\\~"),
            other => safe.push(other),
        }
    }
    safe
}

/// `text` as one field of a CSV record (RFC 4180): quoted where it must be, with an apostrophe in
/// front of what a spreadsheet would take for a formula.
pub fn csv(text: &str) -> String {
    let text = terminal(text);
    // Spreadsheets drop blanks before they look for a formula.
    let is_formula = text.trim_start().starts_with(['=', '+', '-', '@']);
    let guard = if is_formula { "'" } else { "" };
    if text.contains(['"', ',']) || text.trim() != text {
        return format!("\"{guard}{}\"", text.replace('"', "\"\""));
    }
    format!("{guard}{text}")
}

/// `text` on one line: each run of blanks and line breaks becomes one space.
pub fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Compact JSON whose strings are safe on a terminal: what [`terminal`] would spell out is written
/// as `\u001b`, which means the same to every JSON parser.
#[derive(Debug, Clone, Copy, Default)]
pub struct JsonFormatter;

/// A JSON value on one line that a terminal can show.
pub fn json(value: &serde_json::Value) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    let mut serializer = serde_json::Serializer::with_formatter(&mut line, JsonFormatter);
    value.serialize(&mut serializer)?;
    Ok(line)
}

impl Formatter for JsonFormatter {
    fn write_string_fragment<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let mut rest = fragment;
        while let Some(at) = rest.find(is_hazardous) {
            let (safe, from_hazard) = rest.split_at(at);
            writer.write_all(safe.as_bytes())?;
            let mut characters = from_hazard.chars();
            for unit in characters.next().into_iter().flat_map(utf16) {
                write!(writer, "\\u{unit:04x}")?;
            }
            rest = characters.as_str();
        }
        writer.write_all(rest.as_bytes())
    }
}

/// The UTF-16 units of a character, as JSON's escapes count them.
fn utf16(character: char) -> Vec<u16> {
    character.encode_utf16(&mut [0; 2]).to_vec()
}

/// Whether a terminal obeys the character or does not show it: control characters (C0, DEL, C1),
/// line and paragraph separators, bidirectional controls, and what has no width. Joiners stay:
/// scripts and emoji need them.
fn is_hazardous(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{061c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}')
}

fn push_formatted(text: &mut String, formatted: std::fmt::Arguments<'_>) {
    // Writing to a string cannot fail.
    let _ = text.write_fmt(formatted);
}

#[cfg(test)]
mod tests {

    use super::*;

    #[test]
    fn a_terminal_gets_no_control_character() {
        assert_eq!(terminal("plain, höflich, 日本"), "plain, höflich, 日本");
        assert_eq!(terminal("\x1b[2J\u{9b}31m\x07"), "\\x1b[2J\\x9b31m\\x07");
        assert_eq!(terminal("a\tb\r\nc\0\x7f"), "a\\tb\\r\\nc\\x00\\x7f");
        assert_eq!(terminal("user\u{202e}nimda\u{2066}"), "user\\u{202e}nimda\\u{2066}");
        assert_eq!(terminal_bytes(b"caf\xe9 \xf0\x9f\x98\x80"), "caf\\xe9 \u{1f600}");
    }

    #[test]
    fn markdown_shows_what_stands_there() {
        assert_eq!(
            markdown("a|b `c` <img src=x> & \\"),
            "a\\|b \\`c\\` &lt;img src=x&gt; &amp; \\\\"
        );
        assert_eq!(markdown("[link](http://e.org)"), "\\[link\\](http://e.org)");
        assert_eq!(markdown("~~gone~~ *now* _then_"), "\\~\\~gone\\~\\~ \\*now\\* \\_then\\_");
        assert_eq!(markdown("full outage (~13h)"), "full outage (~13h)");
        assert_eq!(markdown("two\nlines"), "two\\\\nlines");
    }

    #[test]
    fn csv_fields_are_quoted_and_are_no_formulas() {
        assert_eq!(csv("plain"), "plain");
        assert_eq!(csv("say \"hi\", twice"), "\"say \"\"hi\"\", twice\"");
        assert_eq!(csv("=HYPERLINK(1)"), "'=HYPERLINK(1)");
        assert_eq!(csv(" @SUM(1,2)"), "\"' @SUM(1,2)\"");
        assert_eq!(csv("-3 degrees"), "'-3 degrees");
        assert_eq!(csv("a\nb"), "a\\nb");
    }

    #[test]
    fn json_escapes_what_a_terminal_obeys_and_means_the_same() {
        let text = "\u{9b}2J \u{202e}x\u{e0041} \x1b\"";
        let mut bytes = Vec::new();
        let mut serializer = serde_json::Serializer::with_formatter(&mut bytes, JsonFormatter);
        text.serialize(&mut serializer).unwrap();
        let written = String::from_utf8(bytes).unwrap();
        assert_eq!(written, r#""\u009b2J \u202ex\udb40\udc41 \u001b\"""#);
        assert_eq!(serde_json::from_str::<String>(&written).unwrap(), text);
    }
}
