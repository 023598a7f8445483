//! What was not logged: from the facts that sources told, over all files, what is missing and
//! when.
//!
//! `sequence` finds numbers that no entry has, `clock` boots and jumps of the clock,
//! `service` times without journald, `dropped` adds up what daemons say that they dropped.

mod clock;

mod dropped;

mod sequence;

mod service;

use crate::source::not_logged::Remarks;
use crate::time::Timestamp;
use crate::timeline::bucket::{Bucket, Coverage};

/// A time of which something is missing, and what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Absence {
    /// What is missing, and why.
    pub what: What,
    /// The last entry before, or the time of the statement. `None`: it carries no time.
    pub from: Option<Timestamp>,
    /// The first entry after; not before `from`.
    pub to: Option<Timestamp>,
    /// How many entries are missing, where it is known.
    pub entries: Option<u64>,
    /// The unit, or the process, that had sent the missing entries, where it is known.
    pub sender: Option<String>,
    /// The machine that it happened on, where it is known.
    pub host: Option<String>,
}

/// What is missing, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum What {
    /// Entries that a rate limit held back.
    Suppressed,
    /// Entries that journald could not read in time.
    Missed,
    /// Entries with numbers that are in no file that was read.
    SequenceGap,
    /// The machine was booted: it was down, or the entries before are lost.
    Boot,
    /// The clock was set so many microseconds forward, or the machine slept; negative: it was set
    /// back, and the same times come twice.
    ClockJump(i64),
    /// journald was not running.
    Stopped,
    /// Bytes that could not be read.
    Damage,
}

impl What {
    /// The name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Suppressed => "suppressed",
            Self::Missed => "missed",
            Self::SequenceGap => "sequence_gap",
            Self::Boot => "boot",
            Self::ClockJump(_) => "clock_jump",
            Self::Stopped => "stopped",
            Self::Damage => "damage",
        }
    }

    /// Whether daemons say how many entries they dropped.
    pub fn is_dropped(self) -> bool {
        matches!(self, Self::Suppressed | Self::Missed)
    }

    /// Whether the log does not speak for the time between.
    pub(super) fn hides_time(self) -> bool {
        !self.is_dropped() && !matches!(self, Self::ClockJump(..=0))
    }
}

impl Absence {
    /// An absence between two times, the earlier of which becomes `from`.
    fn between(what: What, one: Timestamp, other: Timestamp) -> Self {
        let (from, to) = (Some(one.min(other)), Some(one.max(other)));
        Self { what, from, to, entries: None, sender: None, host: None }
    }

    /// How long it lasted, in microseconds.
    pub fn duration_us(&self) -> u64 {
        let (Some(from), Some(to)) = (self.from, self.to) else { return 0 };
        to.micros().abs_diff(from.micros())
    }
}

/// What is missing from a timeline.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NotLogged {
    /// In the order of time. Of very many of a kind those that weigh most.
    pub absences: Vec<Absence>,
    /// How many more there are.
    pub more: u64,
    /// How many entries daemons say that they dropped, in all.
    pub dropped: u64,
    /// Whether the last bucket holds a part of what is missing.
    pub(super) hides_last: bool,
}

/// So many absences of a kind are kept, each.
const MAX_KEPT: usize = 1000;

impl NotLogged {
    /// Finds what `remarks` say, counts what was dropped in the buckets that it was dropped in,
    /// and marks those that miss a part of their time.
    ///
    /// What lies outside of all buckets was not asked about; where there is no bucket, no entry
    /// passed the filter, and all gaps are told.
    pub(super) fn new(remarks: &Remarks, buckets: &mut [Bucket]) -> Self {
        let dropped::AllDropped { absences: mut all, more: more_dropped } = dropped::find(remarks);
        all.extend(sequence::gaps(&remarks.courses));
        all.extend(clock::boots(&remarks.courses));
        all.extend(clock::jumps(&remarks.courses));
        all.extend(service::pauses(&remarks.courses));
        let damage = remarks.courses.iter().flat_map(|course| &course.damage);
        all.extend(damage.filter_map(|&(from, to)| {
            Some(Absence::between(What::Damage, from.or(to)?, to.or(from)?))
        }));
        let mut hidden = Hidden::new(buckets);
        all.retain(|absence| hidden.take(absence, buckets));
        let hides_last = hidden.mark(buckets);
        for (minute, entries) in &more_dropped {
            if let Some(minute) = minute {
                add_dropped(buckets, minute.start(), *entries);
            }
        }
        let sum_of_more =
            more_dropped.iter().map(|(_, entries)| *entries).fold(0, u64::saturating_add);
        let dropped = all.iter().filter(|absence| absence.what.is_dropped());
        let dropped = dropped.filter_map(|absence| absence.entries);
        let dropped = dropped.fold(sum_of_more, u64::saturating_add);
        let found = all.len();
        let absences = heaviest(all);
        let more = (found - absences.len() + more_dropped.len()) as u64;
        Self { absences, more, dropped, hides_last }
    }
}

/// What the files of journals show of their machines: boots, clocks that were set, times without
/// journald.
pub(super) fn of_journals(remarks: &Remarks) -> Vec<Absence> {
    let courses = &remarks.courses;
    let mut all = clock::boots(courses);
    all.extend(clock::jumps(courses));
    all.extend(service::pauses(courses));
    all
}

/// Which buckets miss a part of their time.
struct Hidden {
    /// How many more absences begin than end at each bucket.
    steps: Vec<i64>,
}

impl Hidden {
    fn new(buckets: &[Bucket]) -> Self {
        Self { steps: vec![0; buckets.len() + 1] }
    }

    /// Adds an absence. False: it touches no bucket.
    fn take(&mut self, absence: &Absence, buckets: &mut [Bucket]) -> bool {
        let Some((from, to)) = absence.from.zip(absence.to) else { return true };
        if absence.what.is_dropped() {
            return add_dropped(buckets, from, absence.entries.unwrap_or(0));
        }
        if buckets.is_empty() {
            // No entry passed the filter: the gaps are all that is known.
            return true;
        }
        let first = buckets.partition_point(|bucket| bucket.end <= from);
        // An entry at a bucket's start follows on what is missing before the bucket.
        let end = buckets
            .partition_point(|bucket| bucket.start < to)
            .max(first + usize::from(from == to));
        let end = end.min(buckets.len());
        let touches = first < end && buckets[first].start <= to;
        if touches && absence.what.hides_time() {
            self.steps[first] += 1;
            self.steps[end] -= 1;
        }
        touches
    }

    /// Marks the buckets. Returns whether the last of them misses something.
    fn mark(self, buckets: &mut [Bucket]) -> bool {
        let mut open = 0;
        for (bucket, step) in buckets.iter_mut().zip(self.steps) {
            open += step;
            if open > 0 && bucket.coverage == Coverage::Full {
                bucket.coverage = Coverage::Partial;
            }
        }
        open > 0
    }
}

/// Adds entries that were dropped to the bucket of their time. False: there is none.
fn add_dropped(buckets: &mut [Bucket], at: Timestamp, entries: u64) -> bool {
    let place = buckets.partition_point(|bucket| bucket.end <= at);
    let Some(bucket) = buckets.get_mut(place).filter(|bucket| bucket.start <= at) else {
        return false;
    };
    bucket.suppressed = bucket.suppressed.saturating_add(entries);
    true
}

/// In the order of time; of very many of a kind those with the most entries and the longest.
fn heaviest(mut all: Vec<Absence>) -> Vec<Absence> {
    let kind = |absence: &Absence| absence.what.name();
    let weight = |absence: &Absence| (absence.entries.unwrap_or(0), absence.duration_us());
    if all.len() > MAX_KEPT {
        all.sort_by(|a, b| kind(a).cmp(kind(b)).then_with(|| weight(b).cmp(&weight(a))));
        let mut run = ("", 0);
        all.retain(|absence| {
            let count = if run.0 == kind(absence) { run.1 + 1 } else { 1 };
            run = (kind(absence), count);
            count <= MAX_KEPT
        });
    }
    all.sort_by_key(|absence| (absence.from, absence.to, absence.what));
    all
}
