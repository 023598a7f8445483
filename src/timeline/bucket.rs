//! Buckets: the minutes of a tally added up by a zone's calendar, with what is known about
//! whether everything of a bucket was read.

use chrono_tz::Tz;

use super::calendar::{self, By, Grain};
use super::{Note, PlacedNote, TimelineError};
use crate::tally::{Counts, Tally};
use crate::time::{Span, Timestamp};

/// A timeline has no more buckets than this: two years of minutes, or a century of hours.
pub const MAX_BUCKETS: usize = 1_100_000;

/// What was logged in one minute, hour or day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bucket {
    /// The first instant inside.
    pub start: Timestamp,
    /// The first instant after.
    pub end: Timestamp,
    /// Entries, and events by class. Zero entries mean that nothing is known about the time, not
    /// that nothing failed: see [`Self::coverage`].
    pub counts: Counts,
    /// How much of the bucket was read.
    pub coverage: Coverage,
    /// How many entries journald says that it dropped; it says so shortly after.
    pub suppressed: u64,
}

/// How much of a bucket the counts speak for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coverage {
    /// All of it: there are entries, and the reading began at its start or before and ended at
    /// its end or later. That a log is silent for a while does not show here.
    Full,
    /// Some of it: there are entries, and the bucket begins before the reading did, or ends after
    /// it. The reading begins with the first entry of all, or at `--since` where that lies in
    /// the same bucket; it ends with the last entry of all, or at `--until` where that lies in
    /// the same bucket or is its end. Or there is a gap in it: see [`super::not_logged`].
    Partial,
    /// No entry at all: nothing is known about this time.
    None,
}

impl Coverage {
    /// The name in JSON and CSV.
    pub fn name(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Partial => "partial",
            Self::None => "none",
        }
    }
}

/// From when to when was asked, and from when to when there are entries.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reach {
    span: Span,
    pub(super) first: Option<Timestamp>,
    pub(super) last: Option<Timestamp>,
    /// The instants that buckets must cover, end exclusive; `None`: there is nothing to cover.
    covered: Option<(Timestamp, Timestamp)>,
}

impl Reach {
    pub(super) fn new(
        tally: &Tally,
        first: Option<Timestamp>,
        last: Option<Timestamp>,
        span: Span,
    ) -> Self {
        let (first_minute, last_minute) = tally.minutes.ends().unzip();
        // Where the sources know better than the minutes they may only narrow them.
        let first = first_minute
            .map(|minute| first.filter(|at| at.minute() == minute).unwrap_or(minute.start()));
        let last = last_minute
            .map(|minute| last.filter(|at| at.minute() == minute).unwrap_or(before(minute.end())));
        let (first_dropped, last_dropped) = dropped_ends(tally);
        let from = earliest(span.since, earliest(first, first_dropped));
        let to = latest(span.until, latest(last, last_dropped).map(after));
        Self { span, first, last, covered: from.zip(to) }
    }

    fn coverage(&self, start: Timestamp, end: Timestamp, counts: &Counts) -> Coverage {
        let (Some(first), Some(last)) = (self.first, self.last) else { return Coverage::None };
        if counts.entries == 0 {
            return Coverage::None;
        }
        let read_from = self.span.since.filter(|since| *since >= start).unwrap_or(first);
        let read_to = self.span.until.filter(|until| *until <= end).unwrap_or(after(last));
        if start < read_from || read_to < end { Coverage::Partial } else { Coverage::Full }
    }
}

/// The buckets of `tally` from one end of `reach` to the other, and their length.
pub(super) fn build(
    tally: &Tally,
    reach: Reach,
    by: By,
    zone: Tz,
) -> Result<(Grain, Vec<Bucket>), TimelineError> {
    let Some((from, to)) = reach.covered else { return Ok((by.grain_of_nothing(), Vec::new())) };
    let grain = by.grain(from, to);
    let mut buckets = Vec::new();
    let mut minutes = tally.minutes.iter().peekable();
    for (start, end) in calendar::buckets(grain, zone, from, to) {
        if buckets.len() == MAX_BUCKETS {
            return Err(TimelineError::TooManyBuckets {
                grain,
                from: calendar::rfc3339(from, zone),
                until: calendar::rfc3339(to, zone),
                limit: MAX_BUCKETS,
            });
        }
        let mut counts = Counts::default();
        // A zone's borders are borders of minutes, except for offsets with seconds (Liberia until
        // 1972), where a minute belongs to the bucket that it begins in.
        while let Some((_, more)) = minutes.next_if(|(minute, _)| minute.start() < end) {
            counts.merge(more);
        }
        let coverage = reach.coverage(start, end, &counts);
        buckets.push(Bucket { start, end, counts, coverage, suppressed: 0 });
    }
    Ok((grain, buckets))
}

/// Finds the buckets that each note touches.
pub(super) fn place_notes(mut notes: Vec<Note>, buckets: &[Bucket]) -> Vec<PlacedNote> {
    notes.sort_by_key(|note| (note.start, note.end));
    notes
        .into_iter()
        .map(|note| {
            let first = buckets.partition_point(|bucket| bucket.end <= note.start);
            let after = buckets.partition_point(|bucket| bucket.start < note.end);
            PlacedNote { note, buckets: first..after.max(first) }
        })
        .collect()
}

/// The times of the first and the last statement about entries that were dropped: where a filter
/// leaves no entry, they still belong in a bucket.
fn dropped_ends(tally: &Tally) -> (Option<Timestamp>, Option<Timestamp>) {
    let remarks = &tally.remarks;
    let more = remarks.more_dropped.keys().filter_map(|place| Some(place.minute?.start()));
    let times = || remarks.dropped.iter().filter_map(|dropped| dropped.at).chain(more.clone());
    (times().min(), times().max())
}

fn earliest(a: Option<Timestamp>, b: Option<Timestamp>) -> Option<Timestamp> {
    a.into_iter().chain(b).min()
}

fn latest(a: Option<Timestamp>, b: Option<Timestamp>) -> Option<Timestamp> {
    a.into_iter().chain(b).max()
}

/// The instant a microsecond later.
fn after(at: Timestamp) -> Timestamp {
    Timestamp::from_micros(at.micros() + 1).unwrap_or(Timestamp::END)
}

/// The instant a microsecond earlier.
fn before(at: Timestamp) -> Timestamp {
    Timestamp::from_micros(at.micros() - 1).unwrap_or(Timestamp::MIN)
}
