//! What sources tell about entries that they do not hold: what a daemon says that it dropped, and
//! how a journal's numbers, boots and clock run, from which follows what is missing.
//!
//! These are facts as they were read. What they mean together, over all files, is decided in
//! `timeline`.

use std::collections::BTreeMap;

use super::filter::{Filter, Pattern, is_unit_name};
use crate::time::{Minute, Timestamp};

/// Something that a source tells about what was not logged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Remark {
    /// A daemon's own statement about entries that it dropped or missed.
    Dropped(Dropped),
    /// How a journal file runs, from its beginning to where it was read to. Told at the end of each
    /// reading: of a file that grows, the last one holds.
    Course(Box<Course>),
}

/// Why entries are not in the log, as the daemon has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DropKind {
    /// A rate limit held them back.
    Suppressed,
    /// They were gone before they could be read.
    Missed,
}

/// All that the sources told, of one or of many.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Remarks {
    /// The first statements of each source.
    pub dropped: Vec<Dropped>,
    /// How many entries the others speak of.
    pub more_dropped: BTreeMap<DroppedIn, u64>,
    /// How each journal file runs.
    pub courses: Vec<Course>,
}

/// What statements are added up by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct DroppedIn {
    /// When the daemon said so; `None`: at no known time.
    pub minute: Option<Minute>,
    /// Why the entries were dropped.
    pub kind: DropKind,
    /// Whether a journal says so.
    pub is_from_journal: bool,
}

impl Remarks {
    /// A source may be full of statements: those beyond this many are added up by the minute.
    const MAX_DROPPED: usize = 10_000;

    /// Adds what a source told.
    pub fn push(&mut self, remark: Remark) {
        match remark {
            Remark::Course(course) => self.courses.push(*course),
            Remark::Dropped(dropped) if self.dropped.len() < Self::MAX_DROPPED => {
                self.dropped.push(dropped);
            }
            Remark::Dropped(dropped) => {
                let Dropped { kind, is_from_journal, .. } = dropped;
                let minute = dropped.at.map(Timestamp::minute);
                let place = DroppedIn { minute, kind, is_from_journal };
                let sum = self.more_dropped.entry(place).or_default();
                *sum = sum.saturating_add(dropped.entries);
            }
        }
    }

    /// Adds what the reader of a later part of the same source was told.
    pub fn append(&mut self, later: Self) {
        later.dropped.into_iter().for_each(|dropped| self.push(Remark::Dropped(dropped)));
        self.merge(Self { dropped: Vec::new(), ..later });
    }

    /// Adds what other sources told.
    pub fn merge(&mut self, other: Self) {
        self.dropped.extend(other.dropped);
        self.courses.extend(other.courses);
        for (when, entries) in other.more_dropped {
            let sum = self.more_dropped.entry(when).or_default();
            *sum = sum.saturating_add(entries);
        }
    }
}

/// A daemon's statement that entries were dropped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dropped {
    /// When the daemon said so. The entries were dropped shortly before.
    pub at: Option<Timestamp>,
    /// Why.
    pub kind: DropKind,
    /// How many entries.
    pub entries: u64,
    /// The unit or process that had sent them, as the statement names it.
    pub sender: Option<String>,
    /// The machine whose daemon says so, where it is known.
    pub host: Option<String>,
    /// Whether a journal says so; a text may say it again.
    pub is_from_journal: bool,
}

impl Dropped {
    /// Whether the statement is about entries that `filter` may pass. One that names no unit
    /// concerns every unit, and no statement says which identifiers and priorities it is about.
    pub fn concerns(&self, filter: &Filter) -> bool {
        let Some(unit) = self.sender.as_ref().filter(|sender| is_unit_name(sender)) else {
            return true;
        };
        let is_asked = |asked: &Pattern| asked.accepts(unit.as_bytes());
        filter.units.is_empty() || filter.units.iter().any(is_asked)
    }
}

/// How one journal file runs, whatever was asked of its entries.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Course {
    /// The sequence that its entries are numbered in.
    pub seqnum_id: [u8; 16],
    /// The numbers of its entries, in the order in which they were read.
    pub numbers: Vec<Numbers>,
    /// The last number that the header claims, and its time, where the file ends before it.
    pub claimed_end: Option<(u64, Timestamp)>,
    /// The boots that it has entries of.
    pub boots: Vec<BootPart>,
    /// Where the clock jumped.
    pub jumps: Vec<ClockJump>,
    /// How many more jumps there were than are kept.
    pub more_jumps: u64,
    /// When journald started and stopped.
    pub service: Vec<ServiceEvent>,
    /// The times within which something could not be read.
    pub damage: Vec<(Option<Timestamp>, Option<Timestamp>)>,
}

/// Entries numbered one after another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Numbers {
    /// The number of the first entry.
    pub first: u64,
    /// The number of the last entry.
    pub last: u64,
    /// How many entries there are: fewer than the numbers have room for where too many pieces
    /// had to be joined.
    pub entries: u64,
    /// When the first entry was logged.
    pub first_at: Timestamp,
    /// When the last entry was logged.
    pub last_at: Timestamp,
}

impl Numbers {
    /// How many numbers there are from the first to the last.
    pub fn span(&self) -> u64 {
        self.last.saturating_sub(self.first).saturating_add(1)
    }

    /// Whether some of its numbers have no entry.
    pub fn is_sparse(&self) -> bool {
        self.entries > 0 && self.entries < self.span()
    }

    /// How many entries so many of its numbers have, where they are spread evenly.
    pub fn share(&self, numbers: u64) -> u64 {
        let entries = u128::from(self.entries) * u128::from(numbers);
        let share = entries.div_ceil(u128::from(self.span().max(1)));
        u64::try_from(share).unwrap_or(u64::MAX).min(numbers)
    }
}

/// An instant on both clocks of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// Of the clock that people read.
    pub at: Timestamp,
    /// Microseconds since the boot, of the clock that nobody sets.
    pub monotonic_us: u64,
}

/// What one file has of one boot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BootPart {
    /// The boot.
    pub boot: [u8; 16],
    /// The machine that was booted.
    pub machine: [u8; 16],
    /// Its name, where the entries say it.
    pub host: Option<String>,
    /// The boot's first entry in the file.
    pub first: Moment,
    /// The boot's last entry in the file.
    pub last: Moment,
}

/// Two entries of one boot between which the clock was set, or the machine slept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClockJump {
    /// The boot.
    pub boot: [u8; 16],
    /// The last entry before.
    pub before: Moment,
    /// The first entry after.
    pub after: Moment,
}

impl ClockJump {
    /// The jump from one entry to a later one of the same boot; `None` where the clock went on as
    /// clocks do.
    ///
    /// A clock may run faster or slower by a thousandth while it is being corrected.
    pub fn between(boot: [u8; 16], before: Moment, after: Moment) -> Option<Self> {
        let jump = Self { boot, before, after };
        let elapsed_us = after.monotonic_us.checked_sub(before.monotonic_us)?;
        let tolerated_us = Self::TOLERATED_US + elapsed_us / 1000;
        // Entries with one monotonic time for all come from a program that does not know it.
        (elapsed_us > 0 && jump.by_us().unsigned_abs() > tolerated_us).then_some(jump)
    }

    /// Jumps up to this many microseconds are how clocks are kept right.
    pub const TOLERATED_US: u64 = 2_000_000;

    /// How far the clock jumped, in microseconds; negative: it was set back.
    pub fn by_us(&self) -> i64 {
        let elapsed =
            |moment: &Moment| moment.at.micros().wrapping_sub_unsigned(moment.monotonic_us);
        elapsed(&self.after).wrapping_sub(elapsed(&self.before))
    }
}

/// journald's own start or end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceEvent {
    /// The boot.
    pub boot: [u8; 16],
    /// The namespace that this journald is for; `None`: the machine's own.
    pub namespace: Option<String>,
    /// Whether it started; else it stopped.
    pub is_start: bool,
    /// When.
    pub at: Timestamp,
    /// The entry before it in the same file and boot.
    pub previous: Option<Timestamp>,
}
