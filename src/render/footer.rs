//! What stands below the table on a terminal: how much was read, from when to when, from where,
//! and what could not be read.

use std::io;

use super::cells::{entries, moment};
use super::escape;
use crate::report::{Report, SourceReport};

/// So many sources are listed, and so many pieces of damage; a line says how many more there are.
const MAX_LISTED: usize = 8;

/// Writes lines with a keyword in front of each group.
pub(super) fn write(report: &Report, out: &mut dyn io::Write) -> io::Result<()> {
    let groups = [
        ("Entries", counted(report)),
        ("Asked for", asked_for(report)),
        ("Time zone", vec![report.timeline.zone.name().to_owned()]),
        ("Notes", notes_outside(report)),
        ("Sources", sources(report)),
        ("Damage", damage(report)),
    ];
    for (keyword, lines) in groups {
        for (number, line) in lines.iter().enumerate() {
            let keyword = if number == 0 { keyword } else { "" };
            writeln!(out, "{keyword:<9}  {line}")?;
        }
    }
    Ok(())
}

fn counted(report: &Report) -> Vec<String> {
    let timeline = &report.timeline;
    let mut lines = vec![entries(timeline.totals.entries)];
    if let (Some(first), Some(last)) = (timeline.first, timeline.last) {
        lines.push(format!("first {}", moment(first, timeline.zone)));
        lines.push(format!("last  {}", moment(last, timeline.zone)));
    }
    if timeline.undated.entries > 0 {
        lines.push(format!("{} without a time, in no bucket", entries(timeline.undated.entries)));
    }
    lines
}

fn asked_for(report: &Report) -> Vec<String> {
    let time = |at| moment(at, report.timeline.zone);
    let since = report.span.since.map(|since| format!("from {}", time(since)));
    let until = report.span.until.map(|until| format!("until {}", time(until)));
    let limits: Vec<String> = since.into_iter().chain(until).collect();
    if limits.is_empty() { Vec::new() } else { vec![limits.join(" ")] }
}

fn notes_outside(report: &Report) -> Vec<String> {
    match report.timeline.notes_outside() {
        0 => Vec::new(),
        1 => vec!["1 is about another time".to_owned()],
        count => vec![format!("{count} are about other times")],
    }
}

fn sources(report: &Report) -> Vec<String> {
    let (listed, others) = report.sources.split_at(report.sources.len().min(MAX_LISTED));
    let digits = |source: &SourceReport| source.summary.entries.to_string().len();
    let digits = listed.iter().map(digits).max().unwrap_or(0);
    let mut lines: Vec<String> = listed.iter().map(|source| source_line(source, digits)).collect();
    if !others.is_empty() {
        let sum = |value: fn(&SourceReport) -> u64| others.iter().map(value).sum::<u64>();
        let (read, skipped) =
            (sum(|other| other.summary.entries), sum(|other| other.summary.skipped));
        let more = format!("and {} more with {}", others.len(), entries(read));
        lines.push(more + &skipped_text(skipped));
    }
    lines
}

fn source_line(source: &SourceReport, digits: usize) -> String {
    let summary = &source.summary;
    let path = escape::terminal_path(&summary.path);
    let (kind, entries) = (summary.kind.name(), summary.entries);
    format!("{kind:<7}  {entries:>digits$}  {path}{}", skipped_text(summary.skipped))
}

fn skipped_text(skipped: u64) -> String {
    if skipped == 0 { String::new() } else { format!(", {skipped} skipped") }
}

fn damage(report: &Report) -> Vec<String> {
    let pieces = report
        .sources
        .iter()
        .flat_map(|source| source.damage.iter().map(move |damage| (&source.summary.path, damage)));
    let mut lines: Vec<String> = pieces
        .take(MAX_LISTED)
        .map(|(path, damage)| {
            let path = escape::terminal_path(path);
            let problem = escape::terminal(&damage.problem);
            format!("{path} at byte {}: {problem}", damage.offset_bytes)
        })
        .collect();
    let pieces = |source: &SourceReport| source.damage.len() as u64 + source.more_damage;
    let total: u64 = report.sources.iter().map(pieces).sum();
    let unlisted = total.saturating_sub(lines.len() as u64);
    if unlisted > 0 {
        lines.push(format!("and {unlisted} more"));
    }
    lines
}
