//! Incidents for a terminal: the summary, a table, a block for each incident, and from what it
//! all was read.

use std::io::{self, Write};

use unicode_width::UnicodeWidthStr;

use super::Show;
use super::blocks::{Block, blocks};
use super::summary::summary;
use super::words::{Times, all_failures, failures};
use crate::render::duration::lasted;
use crate::render::{escape, footer, table::Style};
use crate::report::Report;
use crate::timeline::incident::{Incident, Incidents};

const HEADINGS: [&str; 5] = ["From", "To", "Lasted", "Severity", "Failures"];
const GAP: &str = "  ";
/// The table has no more rows; a line below it says how many were left out. The same for spikes.
const MAX_ROWS: usize = 1000;
const MAX_SPIKES: usize = 5;

/// Writes the summary, the table, the blocks, and what was read. With `show`, every incident has
/// its evidence, and the command that shows it.
pub fn render(
    report: &Report,
    show: Option<Show<'_>>,
    style: Style,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    let nothing = Incidents::default();
    let found = report.incidents.as_ref().unwrap_or(&nothing);
    let mut text = Vec::new();
    for line in wrap(&dashes(&summary(report, found), style), usize::from(style.width)) {
        writeln!(text, "{line}")?;
    }
    if !found.incidents.is_empty() {
        writeln!(text)?;
        rows(report, found, style, &mut text)?;
    }
    for block in blocks(report, found, show) {
        writeln!(text)?;
        write_block(&block, style, &mut text)?;
    }
    writeln!(text)?;
    spikes(report, found, style, &mut text)?;
    footer::write(report, &mut text)?;
    out.write_all(&text)
}

fn rows(
    report: &Report,
    found: &Incidents,
    style: Style,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    let times = Times::new(&report.timeline);
    let shown = found.incidents.get(..MAX_ROWS).unwrap_or(&found.incidents);
    let cells = |incident: &Incident| {
        let (start, end) = (incident.first.at, incident.last.at);
        let to =
            if incident.ongoing { "ongoing".to_owned() } else { times.second_after(start, end) };
        let name = incident.severity.name().to_owned();
        [times.second(start), to, lasted(incident.duration_us()), name]
    };
    let rows: Vec<[String; 4]> = shown.iter().map(cells).collect();
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.width());
        cells.max().unwrap_or(0).max(HEADINGS[column].len())
    };
    let widths: [usize; 4] = std::array::from_fn(width);
    let lead = |cells: [&str; 4]| {
        let padded = cells.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}{GAP}"));
        padded.collect::<String>()
    };
    let [from, to, length, severity, last] = HEADINGS;
    writeln!(out, "{}{last}", lead([from, to, length, severity]))?;
    let rule = if style.unicode { "─" } else { "-" };
    writeln!(out, "{}", rule.repeat(usize::from(style.width)))?;
    for (row, incident) in rows.iter().zip(shown) {
        let mut front = lead([&row[0], &row[1], &row[2], &row[3]]);
        for part in &incident.classes {
            writeln!(out, "{front}{}", escape::terminal(&failures(part)))?;
            front = " ".repeat(front.width());
        }
    }
    let left_out = found.incidents.len() - shown.len();
    if left_out > 0 {
        writeln!(out, "{left_out} more: limit the time, or -o json for all.")?;
    }
    Ok(())
}

fn write_block(block: &Block, style: Style, out: &mut dyn io::Write) -> io::Result<()> {
    const INDENT: &str = "  ";
    const LABEL_WIDTH: usize = "failures".len();
    writeln!(out, "{}", dashes(&block.title, style))?;
    let margin = INDENT.len() + LABEL_WIDTH + GAP.len();
    let room = usize::from(style.width).saturating_sub(margin);
    for line in &block.lines {
        let safe = escape::terminal(&line.text);
        // A command that is broken into lines cannot be copied.
        let parts = if line.is_command {
            vec![safe.into_owned()]
        } else {
            wrap(&dashes(&safe, style), room)
        };
        for (number, part) in parts.iter().enumerate() {
            let label = if number == 0 { line.label } else { "" };
            writeln!(out, "{}", format!("{INDENT}{label:<LABEL_WIDTH$}{GAP}{part}").trim_end())?;
        }
    }
    Ok(())
}

fn spikes(
    report: &Report,
    found: &Incidents,
    style: Style,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    let times = Times::new(&report.timeline);
    let line = |spike: &Incident| {
        let (at, lasted) = (times.second(spike.first.at), lasted(spike.duration_us()));
        format!("{at} ({lasted}), {}", escape::terminal(&all_failures(spike)))
    };
    let shown = found.spikes.get(..MAX_SPIKES).unwrap_or(&found.spikes);
    let mut lines: Vec<String> = shown.iter().map(line).collect();
    if found.spikes.len() > shown.len() {
        lines.push(format!("and {} more", found.spikes.len() - shown.len()));
    }
    footer::group("Spikes", &lines.iter().map(|line| dashes(line, style)).collect::<Vec<_>>(), out)
}

/// Our own dashes, in the characters that the terminal has.
fn dashes(text: &str, style: Style) -> String {
    if style.unicode { text.to_owned() } else { text.replace('–', "-") }
}

/// `text` in lines of this width, broken at blanks; a word that is longer has a line of its own.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let Some(line) = lines.last_mut() else { break };
        if line.is_empty() {
            line.push_str(word);
        } else if line.width() + 1 + word.width() <= width {
            line.push(' ');
            line.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    lines
}
