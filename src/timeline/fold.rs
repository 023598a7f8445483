//! Folding: of many buckets the few rows that people read.
//!
//! A row stands for one bucket or for a run of them:
//!
//! - **Quiet** buckets that follow one another are one row, with the lowest and the highest count
//!   of each class. A count is quiet up to the grain's [`quiet_floor`], or up to twice the class's
//!   lower quartile over the buckets with entries where that is more: a service with a steady
//!   trickle of failures has quiet days too, and an outage that fills more than half of the log
//!   does not become what is usual. A row's counts of a class are either all up to the floor, or
//!   all from half the quartile to twice the quartile.
//! - Buckets **without any entry** that follow one another are one row, which says so. They never
//!   join a quiet run: nothing seen is not nothing failed.
//! - A bucket in which **entries were dropped** is never folded: its counts are too low.
//! - A bucket that has **a note of its own** is never folded. A note about several buckets cuts
//!   runs at both of its ends, so that what it speaks of has rows of its own; its text stands on
//!   the first of them.

use std::ops::{Range, RangeInclusive};

use super::{Bucket, Class, Coverage, Grain, Timeline};
use crate::rules::ClassIndex;

/// The lower quartile says what is usual where at least this many buckets have entries: that of a
/// few days of an outage is the outage.
pub const MIN_BASELINE_BUCKETS: usize = 7;

/// Whether quiet runs become one row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Folding {
    /// Runs of quiet buckets, and runs without data, are one row each.
    #[default]
    QuietRuns,
    /// Every bucket has a row.
    None,
}

/// One row of a table for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The buckets that the row stands for, as positions in [`Timeline::buckets`]; at least one.
    pub buckets: Range<usize>,
    /// What was counted in them.
    pub counts: RowCounts,
    /// The notes that stand on this row, as positions in [`Timeline::notes`].
    pub notes: Vec<usize>,
}

/// The counts of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RowCounts {
    /// No bucket of the row has an entry.
    NoData,
    /// The counts of each class, in the order in which the classes were given.
    Seen(Vec<CountRange>),
}

/// The lowest and the highest count of a class in the buckets of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CountRange {
    /// The lowest count.
    pub min: u64,
    /// The highest count.
    pub max: u64,
    /// Whether the highest count is above what counts as quiet.
    pub loud: bool,
}

/// Up to this many events of each class a bucket is quiet.
pub fn quiet_floor(grain: Grain) -> u64 {
    match grain {
        Grain::Day => 10,
        Grain::Hour => 3,
        Grain::Minute => 1,
    }
}

/// The rows of a timeline, in the order of time; every bucket is in exactly one.
///
/// `classes` are those that the table shows: only they decide what is quiet.
pub fn rows(timeline: &Timeline, classes: &[&Class], folding: Folding) -> Vec<Row> {
    let limits: Vec<Limit> = classes.iter().map(|class| limit(timeline, class.index)).collect();
    let cuts = Cuts::new(timeline);
    let mut rows: Vec<Row> = Vec::new();
    for (position, bucket) in timeline.buckets.iter().enumerate() {
        let counts = bucket_counts(bucket, &limits);
        let joins = folding == Folding::QuietRuns && !cuts.before(position);
        if joins
            && let Some(row) = rows.last_mut()
            && join(&mut row.counts, &counts, &limits)
        {
            row.buckets.end = position + 1;
        } else {
            rows.push(Row { buckets: position..position + 1, counts, notes: Vec::new() });
        }
    }
    for (number, placed) in timeline.notes.iter().enumerate() {
        if placed.buckets.is_empty() {
            continue;
        }
        let row = rows.partition_point(|row| row.buckets.end <= placed.buckets.start);
        if let Some(row) = rows.get_mut(row) {
            row.notes.push(number);
        }
    }
    rows
}

/// Which counts of a class are quiet.
struct Limit {
    class: ClassIndex,
    /// Counts up to this one are as good as none.
    floor: u64,
    /// The counts about the lower quartile, if that says anything.
    usual: Option<RangeInclusive<u64>>,
}

impl Limit {
    fn is_loud(&self, count: u64) -> bool {
        count > self.floor && self.usual.as_ref().is_none_or(|usual| count > *usual.end())
    }

    /// Whether a row may have counts from `min` to `max`.
    fn folds(&self, min: u64, max: u64) -> bool {
        let usual = self.usual.as_ref();
        max <= self.floor || usual.is_some_and(|usual| usual.contains(&min) && usual.contains(&max))
    }
}

fn limit(timeline: &Timeline, class: ClassIndex) -> Limit {
    let seen = timeline.buckets.iter().filter(|bucket| bucket.coverage != Coverage::None);
    let mut counts: Vec<u64> = seen.map(|bucket| bucket.counts.of(class)).collect();
    let floor = quiet_floor(timeline.grain);
    if counts.len() < MIN_BASELINE_BUCKETS {
        return Limit { class, floor, usual: None };
    }
    counts.sort_unstable();
    let quartile = counts.get((counts.len() - 1) / 4).copied().unwrap_or(0);
    Limit { class, floor, usual: Some(quartile.div_ceil(2)..=quartile.saturating_mul(2)) }
}

fn bucket_counts(bucket: &Bucket, limits: &[Limit]) -> RowCounts {
    if bucket.coverage == Coverage::None {
        return RowCounts::NoData;
    }
    let range = |limit: &Limit| {
        let count = bucket.counts.of(limit.class);
        CountRange { min: count, max: count, loud: limit.is_loud(count) }
    };
    RowCounts::Seen(limits.iter().map(range).collect())
}

/// Adds a bucket's counts to those of the row before it, if they may share a row.
fn join(row: &mut RowCounts, more: &RowCounts, limits: &[Limit]) -> bool {
    match (row, more) {
        (RowCounts::NoData, RowCounts::NoData) => true,
        (RowCounts::Seen(row), RowCounts::Seen(more)) => {
            let both = |(row, more): (&CountRange, &CountRange)| {
                let (min, max) = (row.min.min(more.min), row.max.max(more.max));
                CountRange { min, max, loud: row.loud || more.loud }
            };
            let joined: Vec<CountRange> = row.iter().zip(more).map(both).collect();
            let folds =
                joined.iter().zip(limits).all(|(both, limit)| limit.folds(both.min, both.max));
            if folds {
                *row = joined;
            }
            folds
        }
        _ => false,
    }
}

/// The positions at which notes, and entries that were dropped, forbid that a row goes on.
struct Cuts {
    before: Vec<bool>,
}

impl Cuts {
    fn new(timeline: &Timeline) -> Self {
        let mut before = vec![false; timeline.buckets.len() + 1];
        for placed in timeline.notes.iter().filter(|placed| !placed.buckets.is_empty()) {
            for border in [placed.buckets.start, placed.buckets.end] {
                if let Some(cut) = before.get_mut(border) {
                    *cut = true;
                }
            }
        }
        for (position, bucket) in timeline.buckets.iter().enumerate() {
            if bucket.suppressed > 0 {
                before[position..=position + 1].fill(true);
            }
        }
        Self { before }
    }

    fn before(&self, position: usize) -> bool {
        self.before.get(position).copied().unwrap_or(true)
    }
}
