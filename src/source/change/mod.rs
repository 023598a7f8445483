//! What sources tell about changes: units that start, stop and fail, processes that the kernel
//! kills, boots that a text shows.
//!
//! These are facts as they were read, in the words of those who logged them. What they mean
//! together (a stop and a start are a restart) is decided in `timeline`.

pub(super) mod manager;

pub(super) mod words;

use std::collections::HashMap;

pub use crate::source::text::packages::Handling;
use crate::time::Timestamp;

/// Something that a source says has changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundChange {
    /// When, the first time.
    pub at: Timestamp,
    /// When, the last time.
    pub last_at: Timestamp,
    /// How often it was said from then to then.
    pub times: u64,
    /// What happened.
    pub happened: Happened,
    /// To what: the name of a unit or of a process, or its description where the log has no name.
    /// Bounded in length; it may hold any character.
    pub subject: String,
    /// What else was said: the result of a unit that failed, the unit of a process.
    pub detail: Option<String>,
    /// The machine, where it is known.
    pub host: Option<String>,
}

/// What happened to a unit, a process or a machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Happened {
    /// A unit was started and runs.
    Started,
    /// A unit that is no longer than its work has done its work.
    Finished,
    /// A unit ended by itself and without failure.
    Ended,
    /// A unit was stopped.
    Stopped,
    /// A unit is to be started again by itself.
    RestartScheduled,
    /// A unit read its configuration again.
    Reloaded,
    /// A unit failed.
    Failed,
    /// A unit could not be started.
    NotStarted,
    /// A process of a unit was killed for want of memory, as the service manager has it.
    UnitOutOfMemory,
    /// A process was killed for want of memory, as the kernel has it.
    OutOfMemory,
    /// A process crashed.
    Crashed,
    /// Something was deployed, by a rule of the user's.
    Deployed,
    /// A host refused a connection; the subject is `host:port`.
    Refused,
    /// The first entry of a unit in a file.
    Seen,
    /// A package came, went or changed its version. The detail has the versions: `15.6 → 15.7`, or
    /// the one that is known.
    Package(Handling),
    /// The kernel began to run.
    Booted,
}

impl FoundChange {
    /// Something that happened once.
    pub fn once(at: Timestamp, happened: Happened, subject: String) -> Self {
        Self { at, last_at: at, times: 1, happened, subject, detail: None, host: None }
    }
}

/// The changes that sources told, of one source or of many.
///
/// A unit may flap for years and a log may be forged: what happens to a subject again within a
/// minute is added to what is known of it, and so is all that comes after [`Self::MAX_OF_SUBJECT`]
/// changes of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ChangeLog {
    found: Vec<FoundChange>,
    subjects: HashMap<(Option<String>, String), SubjectLog>,
    more: u64,
}

/// What a log holds of one subject.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct SubjectLog {
    changes: usize,
    /// The place of the last change of each kind.
    latest: HashMap<Happened, usize>,
}

impl ChangeLog {
    /// So many changes of one subject are kept one by one.
    pub const MAX_OF_SUBJECT: usize = 1000;
    /// So many changes are kept of one source.
    pub const MAX_OF_SOURCE: usize = 20_000;
    /// So many changes are kept of all sources together.
    pub const MAX: usize = 200_000;

    /// The changes, in the order in which they were told.
    pub fn found(&self) -> &[FoundChange] {
        &self.found
    }

    /// How many changes were told that are not kept.
    pub fn more(&self) -> u64 {
        self.more
    }

    /// Adds what a source told.
    pub fn push(&mut self, change: FoundChange) {
        let key = (change.host.clone(), change.subject.clone());
        let known = self.subjects.get(&key);
        let latest = known.and_then(|known| known.latest.get(&change.happened)).copied();
        let is_full = known.is_some_and(|known| known.changes >= Self::MAX_OF_SUBJECT);
        if let Some(latest) = latest.and_then(|place| self.found.get_mut(place))
            && (is_full || latest.last_at.minute() == change.at.minute())
        {
            latest.at = latest.at.min(change.at);
            latest.last_at = latest.last_at.max(change.last_at);
            latest.times = latest.times.saturating_add(change.times);
            return;
        }
        if is_full || self.found.len() >= Self::MAX_OF_SOURCE {
            self.more = self.more.saturating_add(change.times);
            return;
        }
        let subject = self.subjects.entry(key).or_default();
        subject.changes += 1;
        subject.latest.insert(change.happened, self.found.len());
        self.found.push(change);
    }

    /// Adds what the reader of a later part of the same source was told.
    pub fn append(&mut self, later: Self) {
        later.found.into_iter().for_each(|change| self.push(change));
        self.more = self.more.saturating_add(later.more);
    }

    /// Adds what other sources told.
    pub fn merge(&mut self, other: Self) {
        let room = Self::MAX.saturating_sub(self.found.len());
        let left_out = other.found.len().saturating_sub(room) as u64;
        self.found.extend(other.found.into_iter().take(room));
        self.more = self.more.saturating_add(other.more).saturating_add(left_out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(second: i64, happened: Happened, unit: &str) -> FoundChange {
        let at = Timestamp::from_micros(second * 1_000_000).unwrap();
        FoundChange::once(at, happened, unit.to_owned())
    }

    #[test]
    fn a_unit_that_flaps_takes_no_memory() {
        let mut log = ChangeLog::default();
        for second in 0..300_000 {
            log.push(change(second, Happened::Failed, "api.service"));
        }
        assert_eq!(log.found().len(), ChangeLog::MAX_OF_SUBJECT);
        let times: u64 = log.found().iter().map(|found| found.times).sum();
        assert_eq!((times, log.more()), (300_000, 0));
        let last = log.found().iter().map(|found| found.last_at).max().unwrap();
        assert_eq!(last.micros(), 299_999_000_000);
        // Others are told all the same.
        log.push(change(300_000, Happened::Failed, "db.service"));
        assert_eq!(log.found().last().unwrap().subject, "db.service");
    }

    #[test]
    fn a_log_full_of_names_takes_no_more_than_its_share() {
        let mut log = ChangeLog::default();
        for number in 0..30_000 {
            log.push(change(number, Happened::Started, &format!("forged-{number}.service")));
        }
        assert_eq!(log.found().len(), ChangeLog::MAX_OF_SOURCE);
        assert_eq!(log.more(), 10_000);
    }
}
