//! The timeline: minute tallies, cut into the days, hours or minutes of a zone's calendar.
//!
//! [`calendar`] knows where days begin, [`bucket`] adds minutes up, [`not_logged`] finds what is
//! missing, [`notes`] reads what people wrote beside them, and [`fold`] makes of many buckets the
//! few rows that people read.

pub mod calendar;

pub mod bucket;

pub mod incident;

pub mod not_logged;

pub mod notes;

pub mod change;

pub mod fold;

pub mod label;

use std::ops::Range;

use chrono_tz::Tz;

use crate::rules::{ClassIndex, DEPLOYMENT, POOL_SNAPSHOT, RuleSet};
use crate::tally::{Counts, Tally};
use crate::time::{Span, Timestamp};

pub use bucket::{Bucket, Coverage};
pub use calendar::{By, Grain};
pub use change::{Change, ChangeKind};
pub use not_logged::NotLogged;
pub use notes::{Note, NotesError};

/// What happened when: every bucket from the first entry to the last, or of the span asked for.
#[derive(Debug, Clone)]
pub struct Timeline {
    /// The length of the buckets.
    pub grain: Grain,
    /// The zone whose calendar the buckets follow.
    pub zone: Tz,
    /// The classes that were counted, in the order of output.
    pub classes: Vec<Class>,
    /// The buckets in the order of time, each beginning where the one before it ends.
    pub buckets: Vec<Bucket>,
    /// The notes in the order of their beginnings, with the buckets that they touch.
    pub notes: Vec<PlacedNote>,
    /// What changed, in the order of time, from the hour before the span on.
    pub changes: Vec<Change>,
    /// How many changes the sources told that were too many to be kept.
    pub more_changes: u64,
    /// What went on from before, told again each half an hour, in the order of time.
    pub lasting: Vec<Change>,
    /// Where the span begins that was asked for.
    pub since: Option<Timestamp>,
    /// The sum over all buckets and [`Self::undated`].
    pub totals: Counts,
    /// What carries no time, and so is in no bucket.
    pub undated: Counts,
    /// What is missing in the time of the buckets.
    pub not_logged: NotLogged,
    /// The time of the earliest entry that was counted.
    pub first: Option<Timestamp>,
    /// The time of the latest entry that was counted.
    pub last: Option<Timestamp>,
}

/// A class of failures that the timeline counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Class {
    /// The name in rules and JSON, e.g. `pool_timeout`.
    pub name: String,
    /// Where tallies count it.
    pub index: ClassIndex,
}

/// A note, and the buckets that it touches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlacedNote {
    /// The note.
    pub note: Note,
    /// Positions in [`Timeline::buckets`]; empty where the note lies outside of the timeline.
    pub buckets: Range<usize>,
}

/// What a timeline is to show.
#[derive(Debug, Clone)]
pub struct Question {
    /// The length of the buckets.
    pub by: By,
    /// The zone whose calendar they follow.
    pub zone: Tz,
    /// The span asked for; the tally holds nothing from outside of it.
    pub span: Span,
    /// The classes to count.
    pub classes: Vec<Class>,
    /// What people noted.
    pub notes: Vec<Note>,
    /// What is known to have changed beside what the log tells.
    pub changes: Vec<Change>,
}

/// Why there is no timeline.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TimelineError {
    /// The span has too many buckets to be kept in memory or to be read by anyone.
    #[error(
        "from {from} until {until} there are more than {limit} {}s\n\
         Choose a coarser --by, or limit the span with --since and --until.",
        grain.name()
    )]
    TooManyBuckets {
        /// The length of the buckets.
        grain: Grain,
        /// The beginning, as RFC 3339.
        from: String,
        /// The end, as RFC 3339.
        until: String,
        /// How many there may be.
        limit: usize,
    },
    /// `--class` names a class that no rule has.
    #[error("no rule has the class `{name}`\nThe classes are: {known}.")]
    UnknownClass {
        /// The name as given.
        name: String,
        /// The names that exist.
        known: String,
    },
}

impl Class {
    /// All classes of failures of a rule set.
    pub fn all(rules: &RuleSet) -> Vec<Self> {
        let failures = rules.classes().iter().filter(|name| *name != DEPLOYMENT);
        failures.filter_map(|name| Self::named(rules, name)).collect()
    }

    /// The classes with these names, in this order and each once; an error for a name that the
    /// rule set does not have.
    pub fn select(rules: &RuleSet, names: &[String]) -> Result<Vec<Self>, TimelineError> {
        let mut classes = Vec::with_capacity(names.len());
        for name in names {
            let class = Self::named(rules, name).ok_or_else(|| TimelineError::UnknownClass {
                name: name.clone(),
                known: rules
                    .classes()
                    .iter()
                    .filter(|name| *name != POOL_SNAPSHOT)
                    .map(String::as_str)
                    .collect::<Vec<_>>()
                    .join(", "),
            })?;
            if !classes.contains(&class) {
                classes.push(class);
            }
        }
        Ok(classes)
    }

    fn named(rules: &RuleSet, name: &str) -> Option<Self> {
        // A snapshot of a pool is read beside failures, and is none.
        if name == POOL_SNAPSHOT {
            return None;
        }
        rules.class_index(name).map(|index| Self { name: name.to_owned(), index })
    }
}

impl Timeline {
    /// The timeline of what `tally` counted.
    ///
    /// `first` and `last` are the times of the earliest and the latest entry in it, as the
    /// sources' summaries say; where they are not known, the borders of the tally's minutes serve.
    pub fn new(
        tally: &Tally,
        first: Option<Timestamp>,
        last: Option<Timestamp>,
        question: Question,
    ) -> Result<Self, TimelineError> {
        let reach = bucket::Reach::new(tally, first, last, question.span);
        let (grain, mut buckets) = bucket::build(tally, reach, question.by, question.zone)?;
        let not_logged = NotLogged::new(&tally.remarks, &mut buckets);
        let notes = bucket::place_notes(question.notes, &buckets);
        let mut changes = change::of_log(&tally.changes, &tally.remarks);
        changes.extend(question.changes);
        changes.sort_by_key(|change| (change.at, change.kind));
        Ok(Self {
            grain,
            zone: question.zone,
            classes: question.classes,
            buckets,
            notes,
            changes,
            more_changes: tally.changes.more(),
            lasting: change::lasting(&tally.changes),
            since: question.span.since,
            totals: tally.total(),
            undated: tally.undated.clone(),
            not_logged,
            first: reach.first,
            last: reach.last,
        })
    }

    /// Notes that the reading went on until `at`, whenever the last entry was logged: what ended
    /// before was read whole.
    pub fn read_until(&mut self, at: Timestamp) {
        for bucket in self.buckets.iter_mut().rev().take(1) {
            let began = self.first.is_some_and(|first| first <= bucket.start);
            let is_cut = bucket.coverage == Coverage::Partial && !self.not_logged.hides_last;
            if is_cut && began && bucket.end <= at {
                bucket.coverage = Coverage::Full;
            }
        }
    }

    /// The notes that touch the bucket at `position`, in the order of their beginnings.
    pub fn notes_of(&self, position: usize) -> impl Iterator<Item = &Note> {
        self.notes
            .iter()
            .filter(move |placed| placed.buckets.contains(&position))
            .map(|placed| &placed.note)
    }

    /// The changes from `start` until before `end` that lie in the span, in the order of time.
    pub fn changes_between(&self, start: Timestamp, end: Timestamp) -> &[Change] {
        let start = self.since.map_or(start, |since| since.max(start));
        let first = self.changes.partition_point(|change| change.at < start);
        let after = self.changes.partition_point(|change| change.at < end);
        self.changes.get(first..after).unwrap_or_default()
    }

    /// The notes that touch no bucket.
    pub fn notes_outside(&self) -> usize {
        self.notes.iter().filter(|placed| placed.buckets.is_empty()).count()
    }
}
