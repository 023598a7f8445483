//! JSON: the whole report as one document, schema `ebbline.timeline/1`.
//!
//! Buckets are never folded. Fields may be added to the schema; none changes its name, type or
//! unit.

use std::io;

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use super::changes::{MAX_LISTED, Telling};
use super::escape::JsonFormatter;
use super::incidents;
use crate::report::{Report, SourceReport};
use crate::tally::Counts;
use crate::time::Timestamp;
use crate::timeline::calendar::rfc3339;
use crate::timeline::not_logged::{Absence, What};
use crate::timeline::{Bucket, Change, Class, Timeline};

/// Writes the document and a line feed.
pub fn render(report: &Report, out: &mut dyn io::Write) -> io::Result<()> {
    let timeline = &report.timeline;
    let time = |at: Option<Timestamp>| at.map(|at| rfc3339(at, timeline.zone));
    write_line(
        &Document {
            schema: "ebbline.timeline/1",
            by: timeline.grain.name(),
            timezone: timeline.zone.name(),
            since: time(report.span.since),
            until: time(report.span.until),
            sources: sources(report),
            classes: timeline.classes.iter().map(|class| class.name.as_str()).collect(),
            first: time(timeline.first),
            last: time(timeline.last),
            buckets: BucketList(timeline),
            undated: Total::new(&timeline.undated, timeline),
            totals: Total::new(&timeline.totals, timeline),
            suppressed: timeline.not_logged.dropped,
            not_logged: timeline
                .not_logged
                .absences
                .iter()
                .map(|absence| Missing::new(absence, timeline))
                .collect(),
            more_not_logged: timeline.not_logged.more,
            more_changes: timeline.more_changes,
            incidents: incidents::json::list(report),
        },
        out,
    )
}

/// Writes one value as one line.
pub(in crate::render) fn write_line(
    value: &impl Serialize,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    let mut serializer = serde_json::Serializer::with_formatter(&mut *out, JsonFormatter);
    value.serialize(&mut serializer)?;
    out.write_all(b"\n")
}

#[derive(Serialize)]
struct Document<'a, I: Serialize> {
    schema: &'static str,
    by: &'static str,
    timezone: &'static str,
    since: Option<String>,
    until: Option<String>,
    sources: Vec<Source<'a>>,
    classes: Vec<&'a str>,
    /// The time of the earliest entry that was counted, of any source.
    first: Option<String>,
    last: Option<String>,
    buckets: BucketList<'a>,
    /// What carries no time, and so is in no bucket.
    undated: Total<'a>,
    /// The sum over buckets and undated.
    totals: Total<'a>,
    /// What daemons say that they dropped, in buckets and without a time.
    suppressed: u64,
    not_logged: Vec<Missing<'a>>,
    /// How many more there are than are listed.
    more_not_logged: u64,
    /// How many changes are not kept at all.
    more_changes: u64,
    /// Null: not looked for. An empty list would say that there were none.
    incidents: Option<Vec<I>>,
}

/// The sources of a report as JSON has them.
pub(in crate::render) fn sources(report: &Report) -> Vec<Source<'_>> {
    report.sources.iter().map(|source| Source::new(source, &report.timeline)).collect()
}

#[derive(Serialize)]
pub(in crate::render) struct Source<'a> {
    /// With replacement characters where it is not UTF-8.
    path: String,
    kind: &'static str,
    entries: u64,
    undated: u64,
    bytes: u64,
    first: Option<String>,
    last: Option<String>,
    damage: Vec<Damage<'a>>,
    /// How many pieces of damage are not listed.
    more_damage: u64,
    skipped: u64,
}

#[derive(Serialize)]
struct Damage<'a> {
    offset: u64,
    problem: &'a str,
}

impl<'a> Source<'a> {
    fn new(source: &'a SourceReport, timeline: &Timeline) -> Self {
        let summary = &source.summary;
        let time = |at: Option<Timestamp>| at.map(|at| rfc3339(at, timeline.zone));
        let damage = source.damage.iter();
        Self {
            path: summary.path.to_string_lossy().into_owned(),
            kind: summary.kind.name(),
            entries: summary.entries,
            undated: summary.undated,
            bytes: summary.bytes,
            first: time(summary.first),
            last: time(summary.last),
            damage: damage
                .map(|damage| Damage { offset: damage.offset_bytes, problem: &damage.problem })
                .collect(),
            more_damage: source.more_damage,
            skipped: summary.skipped,
        }
    }
}

/// Something that was not logged.
#[derive(Serialize)]
struct Missing<'a> {
    kind: &'static str,
    from: Option<String>,
    to: Option<String>,
    /// Null: not known.
    entries: Option<u64>,
    /// The unit or process that had sent the entries.
    sender: Option<&'a str>,
    host: Option<&'a str>,
    /// How far the clock jumped, in seconds; null: it did not.
    clock_jump_s: Option<f64>,
}

/// What is missing as JSON has it, in `not_logged`.
pub fn absences(timeline: &Timeline) -> impl Iterator<Item = impl Serialize> {
    timeline.not_logged.absences.iter().map(|absence| Missing::new(absence, timeline))
}

impl<'a> Missing<'a> {
    fn new(absence: &'a Absence, timeline: &Timeline) -> Self {
        let time = |at: Option<Timestamp>| at.map(|at| rfc3339(at, timeline.zone));
        Self {
            kind: absence.what.name(),
            from: time(absence.from),
            to: time(absence.to),
            entries: absence.entries,
            sender: absence.sender.as_deref(),
            host: absence.host.as_deref(),
            clock_jump_s: match absence.what {
                What::ClockJump(by_us) => Some(by_us as f64 / 1e6),
                _ => None,
            },
        }
    }
}

/// Entries and events by class.
#[derive(Serialize)]
struct Total<'a> {
    entries: u64,
    counts: ClassCounts<'a>,
}

impl<'a> Total<'a> {
    fn new(counts: &'a Counts, timeline: &'a Timeline) -> Self {
        Self { entries: counts.entries, counts: ClassCounts(counts, &timeline.classes) }
    }
}

/// Events by class, each under the name of its class.
struct ClassCounts<'a>(&'a Counts, &'a [Class]);

impl Serialize for ClassCounts<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.1.len()))?;
        for class in self.1 {
            map.serialize_entry(&class.name, &self.0.of(class.index))?;
        }
        map.end()
    }
}

/// The buckets, each made when it is written: there may be a million of them.
struct BucketList<'a>(&'a Timeline);

impl Serialize for BucketList<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(bucket_records(self.0))
    }
}

/// The bucket at `position` as JSON has it.
pub(super) fn bucket_record(timeline: &Timeline, position: usize) -> Option<impl Serialize> {
    let bucket = timeline.buckets.get(position)?;
    Some(BucketRecord::new(timeline, &Telling::new(timeline), position, bucket))
}

/// The buckets of a timeline as JSON has them.
pub(super) fn bucket_records(timeline: &Timeline) -> impl Iterator<Item = impl Serialize> {
    let buckets = timeline.buckets.iter().enumerate();
    let changes = Telling::new(timeline);
    buckets.map(move |(position, bucket)| BucketRecord::new(timeline, &changes, position, bucket))
}

#[derive(Serialize)]
struct BucketRecord<'a> {
    start: String,
    end: String,
    entries: u64,
    counts: ClassCounts<'a>,
    coverage: &'static str,
    suppressed: u64,
    notes: Vec<&'a str>,
    changes: Vec<ChangeRecord<'a>>,
    /// How many more there are than are listed.
    more_changes: usize,
}

/// Something that changed.
#[derive(Serialize)]
struct ChangeRecord<'a> {
    at: String,
    kind: &'static str,
    what: &'a str,
    host: Option<&'a str>,
}

impl<'a> ChangeRecord<'a> {
    fn new(change: &'a Change, timeline: &Timeline) -> Self {
        let (at, kind) = (rfc3339(change.at, timeline.zone), change.kind.name());
        Self { at, kind, what: &change.what, host: change.host.as_deref() }
    }
}

impl<'a> BucketRecord<'a> {
    fn new(
        timeline: &'a Timeline,
        changes: &Telling<'a>,
        position: usize,
        bucket: &'a Bucket,
    ) -> Self {
        let (changes, _) = changes.of(&(position..position + 1));
        let listed = changes.iter().take(MAX_LISTED);
        Self {
            start: rfc3339(bucket.start, timeline.zone),
            end: rfc3339(bucket.end, timeline.zone),
            entries: bucket.counts.entries,
            counts: ClassCounts(&bucket.counts, &timeline.classes),
            coverage: bucket.coverage.name(),
            suppressed: bucket.suppressed,
            notes: timeline.notes_of(position).map(|note| note.text.as_str()).collect(),
            changes: listed.map(|change| ChangeRecord::new(change, timeline)).collect(),
            more_changes: changes.len().saturating_sub(MAX_LISTED),
        }
    }
}
