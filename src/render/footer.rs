//! What stands below the table on a terminal: how much was read, from when to when, what was not
//! logged, from where, and what could not be read.

use std::io;

use super::cells::{entries, moment};
use super::{escape, gaps};
use crate::report::{Report, SourceReport};
use crate::source::SourceKind;
use crate::time::Timestamp;

/// So many sources are listed, and so many pieces of damage; a line says how many more there are.
const MAX_LISTED: usize = 8;

/// Writes lines with a keyword in front of each group.
pub(super) fn write(report: &Report, out: &mut dyn io::Write) -> io::Result<()> {
    let timeline = &report.timeline;
    let time = |at: Option<Timestamp>| at.map(|at| moment(at, timeline.zone)).into_iter().collect();
    let groups: [(&str, Vec<String>); 10] = [
        ("Entries", vec![timeline.totals.entries.to_string()]),
        ("First", time(timeline.first)),
        ("Last", time(timeline.last)),
        ("Since", time(report.span.since)),
        ("Until", time(report.span.until)),
        ("Time zone", vec![timeline.zone.name().to_owned()]),
        ("Notes", notes_outside(report)),
        ("Gaps", gaps::lines(timeline)),
        ("Sources", sources(report)),
        ("Damage", damage(report)),
    ];
    groups.iter().try_for_each(|(keyword, lines)| group(keyword, lines, out))
}

/// Writes what was not logged, if anything is known to be missing.
pub(super) fn write_gaps(report: &Report, out: &mut dyn io::Write) -> io::Result<()> {
    group("Gaps", &gaps::lines(&report.timeline), out)
}

pub(super) fn group(keyword: &str, lines: &[String], out: &mut dyn io::Write) -> io::Result<()> {
    for (number, line) in lines.iter().enumerate() {
        let keyword = if number == 0 { keyword } else { "" };
        writeln!(out, "{keyword:<9}  {line}")?;
    }
    Ok(())
}

fn notes_outside(report: &Report) -> Vec<String> {
    match report.timeline.notes_outside() {
        0 => Vec::new(),
        1 => vec!["1 more is about another time".to_owned()],
        count => vec![format!("{count} more are about other times")],
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
    // What has no entries does not say that it has 0 of them.
    let read = match summary.kind {
        SourceKind::Packages => String::new(),
        _ => entries(summary.entries),
    };
    let kind = summary.kind.name();
    let width = digits + " entries".len();
    format!("{kind:<7}  {read:>width$}  {path}{}", skipped_text(summary.skipped))
}

fn skipped_text(skipped: u64) -> String {
    if skipped == 0 { String::new() } else { format!(", {skipped} skipped") }
}

fn damage(report: &Report) -> Vec<String> {
    // What is no log at all is listed among the sources; it is not a damaged one.
    let is_log = |source: &&SourceReport| source.summary.kind != SourceKind::Binary;
    let logs = || report.sources.iter().filter(is_log);
    let pieces = logs()
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
    let total: u64 = logs().map(pieces).sum();
    let unlisted = total.saturating_sub(lines.len() as u64);
    if unlisted > 0 {
        lines.push(format!("and {unlisted} more"));
    }
    lines
}
