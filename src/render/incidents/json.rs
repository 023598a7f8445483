//! JSON: the incidents as a document of their own, schema `ebbline.incidents/1`, and as a list for
//! the timeline's document.

use std::io;

use chrono_tz::Tz;
use serde::Serialize;

use super::Show;
use crate::entry::OwnedOrigin;
use crate::render::json::{Source, sources, write_line};
use crate::report::Report;
use crate::tally::Evidence;
use crate::time::Timestamp;
use crate::timeline::Change;
use crate::timeline::calendar::rfc3339;
use crate::timeline::incident::{Caveat, ClassPart, Incident, Incidents};

/// Writes the document and a line feed. With `show`, the edges' messages are in it, and the
/// commands that show them.
pub fn render(report: &Report, show: Option<Show<'_>>, out: &mut dyn io::Write) -> io::Result<()> {
    let timeline = &report.timeline;
    let zone = timeline.zone;
    let time = |at: Option<Timestamp>| at.map(|at| rfc3339(at, zone));
    let nothing = Incidents::default();
    let found = report.incidents.as_ref().unwrap_or(&nothing);
    let failures = found.failures;
    write_line(
        &Document {
            schema: "ebbline.incidents/1",
            timezone: zone.name(),
            since: time(report.span.since),
            until: time(report.span.until),
            sources: sources(report),
            classes: timeline.classes.iter().map(|class| class.name.as_str()).collect(),
            entries: timeline.totals.entries,
            first: time(timeline.first),
            last: time(timeline.last),
            first_failure: time(failures.map(|(first, _)| first)),
            last_failure: time(failures.map(|(_, last)| last)),
            incidents: records(&found.incidents, report, show),
            spikes: records(&found.spikes, report, show),
        },
        out,
    )
}

/// The incidents of a timeline; `None`: they were not looked for.
pub(in crate::render) fn list(report: &Report) -> Option<Vec<impl Serialize>> {
    Some(records(&report.incidents.as_ref()?.incidents, report, None))
}

#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    timezone: &'static str,
    since: Option<String>,
    until: Option<String>,
    sources: Vec<Source<'a>>,
    classes: Vec<&'a str>,
    entries: u64,
    /// The time of the first entry that was counted, of any kind; null: there was none.
    first: Option<String>,
    last: Option<String>,
    /// The time of the first failure, in an incident or not.
    first_failure: Option<String>,
    last_failure: Option<String>,
    incidents: Vec<Record<'a>>,
    spikes: Vec<Record<'a>>,
}

#[derive(Serialize)]
struct Record<'a> {
    class: &'a str,
    start: String,
    end: String,
    /// Rounded.
    duration_s: u64,
    /// Of the leading class, as are the next two.
    events: u64,
    peak_per_minute: u64,
    baseline_per_minute: f64,
    severity: &'static str,
    ongoing: bool,
    minutes: u64,
    /// Minutes that had a failure.
    bad_minutes: u64,
    /// Null: the log holds nothing but failures.
    failing_share: Option<f64>,
    first_evidence: OriginRecord<'a>,
    last_evidence: OriginRecord<'a>,
    /// The command that shows the entry, and the entry's message, where they were asked for.
    #[serde(flatten)]
    explained: Option<Explained<'a>>,
    classes: Vec<PartRecord<'a>>,
    preceded_by: Vec<ChangeRecord<'a>>,
    changes_before_end: Vec<ChangeRecord<'a>>,
    notes: Vec<&'a str>,
    caveats: Vec<CaveatRecord>,
}

#[derive(Serialize)]
struct Explained<'a> {
    first_message: Option<&'a str>,
    first_shown_by: String,
    last_message: Option<&'a str>,
    last_shown_by: String,
}

#[derive(Serialize)]
#[serde(untagged)]
enum OriginRecord<'a> {
    Cursor { cursor: String },
    Line { path: std::borrow::Cow<'a, str>, line: u64 },
}

#[derive(Serialize)]
struct PartRecord<'a> {
    class: &'a str,
    events: u64,
    peak_per_minute: u64,
    first: String,
    last: String,
    first_evidence: OriginRecord<'a>,
    last_evidence: OriginRecord<'a>,
}

#[derive(Serialize)]
struct ChangeRecord<'a> {
    at: String,
    kind: &'static str,
    what: &'a str,
    host: Option<&'a str>,
}

#[derive(Serialize)]
struct CaveatRecord {
    kind: &'static str,
    from: String,
    to: String,
    entries: Option<u64>,
    /// As in `not_logged` of a timeline; null: the log does not say why.
    why: Option<&'static str>,
}

fn records<'a>(
    incidents: &'a [Incident],
    report: &'a Report,
    show: Option<Show<'_>>,
) -> Vec<Record<'a>> {
    incidents.iter().map(|incident| record(incident, report, show)).collect()
}

fn record<'a>(incident: &'a Incident, report: &'a Report, show: Option<Show<'_>>) -> Record<'a> {
    let zone = report.timeline.zone;
    let (first, last) = (&incident.first, &incident.last);
    let notes = report.timeline.notes.iter().map(|placed| &placed.note);
    let notes = notes.filter(|note| note.start <= last.at && first.at < note.end);
    let changes = |changes: &'a [Change]| {
        changes.iter().map(|change| change_record(change, zone)).collect::<Vec<_>>()
    };
    Record {
        class: &incident.class.name,
        start: rfc3339(first.at, zone),
        end: rfc3339(last.at, zone),
        duration_s: incident.duration_us().saturating_add(500_000) / 1_000_000,
        events: incident.events(),
        peak_per_minute: incident.peak_per_minute(),
        baseline_per_minute: incident.baseline_per_minute,
        severity: incident.severity.name(),
        ongoing: incident.ongoing,
        minutes: incident.minutes,
        bad_minutes: incident.bad_minutes,
        failing_share: incident.failing_share,
        first_evidence: origin(first),
        last_evidence: origin(last),
        explained: show.map(|show| Explained {
            first_message: first.message.as_deref(),
            first_shown_by: show(first),
            last_message: last.message.as_deref(),
            last_shown_by: show(last),
        }),
        classes: incident.classes.iter().map(|part| part_record(part, zone)).collect(),
        preceded_by: changes(&incident.preceded_by),
        changes_before_end: changes(&incident.changes_before_end),
        notes: notes.map(|note| note.text.as_str()).collect(),
        caveats: incident.caveats.iter().map(|caveat| caveat_record(caveat, zone)).collect(),
    }
}

fn part_record(part: &ClassPart, zone: Tz) -> PartRecord<'_> {
    PartRecord {
        class: &part.class.name,
        events: part.events,
        peak_per_minute: part.peak_per_minute,
        first: rfc3339(part.first.at, zone),
        last: rfc3339(part.last.at, zone),
        first_evidence: origin(&part.first),
        last_evidence: origin(&part.last),
    }
}

fn change_record(change: &Change, zone: Tz) -> ChangeRecord<'_> {
    ChangeRecord {
        at: rfc3339(change.at, zone),
        kind: change.kind.name(),
        what: &change.what,
        host: change.host.as_deref(),
    }
}

fn caveat_record(caveat: &Caveat, zone: Tz) -> CaveatRecord {
    CaveatRecord {
        kind: caveat.doubt.name(),
        from: rfc3339(caveat.from, zone),
        to: rfc3339(caveat.to, zone),
        entries: caveat.entries,
        why: caveat.why.map(|what| what.name()),
    }
}

fn origin(evidence: &Evidence) -> OriginRecord<'_> {
    match &evidence.origin {
        OwnedOrigin::Cursor(cursor) => OriginRecord::Cursor { cursor: cursor.to_string() },
        OwnedOrigin::CursorText(cursor) => OriginRecord::Cursor { cursor: cursor.clone() },
        OwnedOrigin::Line { path, line } => {
            OriginRecord::Line { path: path.to_string_lossy(), line: *line }
        }
    }
}
