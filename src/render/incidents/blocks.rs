//! Blocks: what is known of one incident beyond its row in the table, line by line.

use std::collections::HashSet;

use super::Show;
use super::words::{Times, failures, rate, severity};
use crate::render::cells::entries;
use crate::render::duration::lasted;
use crate::render::escape;
use crate::report::Report;
use crate::tally::Evidence;
use crate::time::Timestamp;
use crate::timeline::incident::{Caveat, ClassPart, Doubt, Incident, Incidents};
use crate::timeline::not_logged::What;
use crate::timeline::{Change, ChangeKind};

/// What is known of one incident.
pub(super) struct Block {
    /// When it was and how bad.
    pub(super) title: String,
    pub(super) lines: Vec<Line>,
}

/// A line about an incident. What logs say stands in it as it is.
pub(super) struct Line {
    /// What the line is about.
    pub(super) label: &'static str,
    pub(super) text: String,
    /// Whether the text is a command, to be copied as a whole.
    pub(super) is_command: bool,
}

/// So many characters of a message are shown.
const MAX_MESSAGE: usize = 160;

/// A block for each incident of which there is more to say than its row does: with `show`, all.
pub(super) fn blocks(report: &Report, found: &Incidents, show: Option<Show<'_>>) -> Vec<Block> {
    let times = Times::new(&report.timeline);
    let hosts = report.timeline.changes.iter().filter_map(|change| change.host.as_deref());
    let has_hosts = hosts.collect::<HashSet<_>>().len() > 1;
    let block = |incident: &Incident| {
        let mut writer = Writer { times, incident, has_hosts, lines: Vec::new() };
        if let Some(show) = show {
            writer.counts();
            writer.evidence("first", &incident.first, show);
            writer.evidence("last", &incident.last, show);
        }
        writer.changes();
        writer.notes(report);
        writer.caveats();
        (!writer.lines.is_empty()).then(|| Block { title: writer.title(), lines: writer.lines })
    };
    found.incidents.iter().filter_map(block).collect()
}

struct Writer<'a> {
    times: Times,
    incident: &'a Incident,
    /// Whether changes are of several machines.
    has_hosts: bool,
    lines: Vec<Line>,
}

impl Writer<'_> {
    fn title(&self) -> String {
        let incident = self.incident;
        let span = self.times.span(incident.first.at, incident.last.at);
        let (zone, lasted) = (self.times.zone(incident.last.at), lasted(incident.duration_us()));
        format!("{span} {zone}, {lasted}, {}", severity(incident))
    }

    fn add(&mut self, label: &'static str, text: String) {
        self.lines.push(Line { label, text, is_command: false });
    }

    fn counts(&mut self) {
        let incident = self.incident;
        for (number, part) in incident.classes.iter().enumerate() {
            let mut text = self.part(part);
            if number == 0 {
                text.push_str(&format!("; usual: {}", rate(incident.baseline_per_minute)));
            }
            self.add(if number == 0 { "failures" } else { "" }, text);
        }
        let (bad, all) = (incident.bad_minutes, incident.minutes);
        let mut text = format!("failures in {bad} of {all} minutes");
        if let Some(share) = incident.failing_share {
            let percent = share * 100.0;
            text.push_str(&format!(", at worst {percent:.0} % of what was logged in half an hour"));
        }
        self.add("", text);
    }

    fn part(&self, part: &ClassPart) -> String {
        let (times, whole) = (self.times, self.incident);
        let span = times.span(part.first.at, part.last.at);
        let is_whole = span == times.span(whole.first.at, whole.last.at);
        let when = if is_whole { String::new() } else { format!(", {span}") };
        format!("{}, up to {} a minute{when}", failures(part), part.peak_per_minute)
    }

    fn evidence(&mut self, label: &'static str, evidence: &Evidence, show: Show<'_>) {
        let mut text = self.times.exact(evidence.at);
        if let Some(message) = &evidence.message {
            text.push_str(&format!("  {}", first_line(message)));
        }
        self.add(label, text);
        self.lines.push(Line { label: "", text: show(evidence), is_command: true });
    }

    fn changes(&mut self) {
        let (start, end) = (self.incident.first.at, self.incident.last.at);
        for (number, change) in self.incident.preceded_by.iter().enumerate() {
            let before = lasted(start.micros().abs_diff(change.at.micros()));
            let text = format!("{} ({before} before)", self.change(change, start));
            self.add(if number == 0 { "before" } else { "" }, text);
        }
        for (number, change) in self.incident.changes_before_end.iter().enumerate() {
            let apart = lasted(end.micros().abs_diff(change.at.micros()));
            let side = if change.at <= end { "before" } else { "after" };
            let text = format!("{} ({apart} {side} its end)", self.change(change, end));
            self.add(if number == 0 { "end" } else { "" }, text);
        }
    }

    /// What changed, beside the edge that a reader thinks of.
    fn change(&self, of: &Change, edge: Timestamp) -> String {
        let at = self.times.second_after(edge, of.at);
        let host = of.host.as_ref().filter(|_| self.has_hosts && of.kind != ChangeKind::Boot);
        let host = host.map_or_else(String::new, |host| format!(" on {host}"));
        format!("{at}  {}{host}", escape::one_line(&of.text()))
    }

    fn notes(&mut self, report: &Report) {
        let (start, end) = (self.incident.first.at, self.incident.last.at);
        let touches = report.timeline.notes.iter().map(|placed| &placed.note);
        for note in touches.filter(|note| note.start <= end && start < note.end) {
            self.add("note", escape::one_line(&note.text));
        }
    }

    fn caveats(&mut self) {
        for caveat in &self.incident.caveats {
            self.add("caveat", self.caveat(caveat));
        }
    }

    fn caveat(&self, caveat: &Caveat) -> String {
        let from = self.times.second(caveat.from);
        let to = self.times.second_after(caveat.from, caveat.to);
        let gap = || format!("the log has a gap from {from} to {to}{}", why(caveat.why));
        match caveat.doubt {
            Doubt::LogBegins => {
                format!("what was read begins at {from}, so the true start may be earlier")
            }
            Doubt::GapBefore => format!("{}, so the true start may be earlier", gap()),
            Doubt::GapInside => format!("{}, so there may have been more failures", gap()),
            Doubt::GapAfter => format!("{}, so the true end may be later", gap()),
            Doubt::Dropped => {
                let dropped = entries(caveat.entries.unwrap_or(0));
                format!("{dropped} dropped meanwhile, so there may have been more failures")
            }
        }
    }
}

/// Why nothing was logged.
fn why(what: Option<What>) -> &'static str {
    match what {
        Some(What::Boot) => " (the machine was booted)",
        Some(What::Stopped) => " (journald did not run)",
        Some(What::SequenceGap) => " (its entries are in no file that was read)",
        Some(What::ClockJump(_)) => " (the clock jumped)",
        Some(What::Damage) => " (damaged bytes)",
        Some(What::Suppressed | What::Missed) | None => "",
    }
}

/// The first line of a message, no longer than a reader needs to know it again.
fn first_line(message: &str) -> String {
    let mut lines = message.lines();
    let line = lines.next().unwrap_or_default();
    let mut shown: String = line.chars().take(MAX_MESSAGE).collect();
    if shown.len() < line.len() || lines.next().is_some() {
        shown.push_str(" …");
    }
    shown
}
