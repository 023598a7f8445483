//! Nearby changes: of all that changed, what a reader of an incident should look at first.
//!
//! What was different before it began may have caused it, what was different as it ended may
//! have cured it. Neither is proved by that.

use std::collections::HashSet;

use crate::time::Timestamp;
use crate::timeline::change::{Change, ChangeKind, usual};

/// So long before the first failure a change may have caused it.
const BEFORE_START_US: i64 = 3_600_000_000;
/// So long before it a change may have been that is likely to have lasted until then.
const LASTING_BEFORE_START_US: i64 = 6 * 3_600_000_000;
/// So long before the last failure a change may have cured it,
const BEFORE_END_US: i64 = 600_000_000;
/// or so long after: a service that is restarted fails no more from the moment at which it stops,
/// and its manager says so a little later.
const AFTER_END_US: i64 = 60_000_000;
/// Of more changes than this, the most telling ones are kept.
const MAX_NEARBY: usize = 8;

/// All changes, ready to be asked about a time.
pub(super) struct Nearby<'a> {
    /// In the order of time.
    changes: &'a [Change],
    /// What happens on most days explains no day in particular.
    usual: HashSet<(ChangeKind, &'a str)>,
}

impl<'a> Nearby<'a> {
    /// `changes` are in the order of time.
    pub(super) fn new(changes: &'a [Change]) -> Self {
        Self { changes, usual: usual(changes) }
    }

    /// The changes of the hour before `start`, and those of the hours before that are likely to
    /// have lasted until then; nearest first.
    pub(super) fn before_start(&self, start: Timestamp) -> Vec<Change> {
        let hour_before = start.micros() - BEFORE_START_US;
        let mut found = self.lasting(hour_before, start.micros());
        found.extend(self.between(hour_before, start.micros()));
        let mut chosen = self.most_telling(found, start);
        chosen.reverse();
        chosen
    }

    /// What changed some hours before `start`, until before `recent`, and may have been so still: a
    /// unit that failed or stopped and did not start again, a host that refused connections. What
    /// happens on most days is left out.
    fn lasting(&self, recent: i64, start: i64) -> Vec<&'a Change> {
        let mut started: HashSet<&str> = HashSet::new();
        let mut lasting = Vec::new();
        for change in self.between(start - LASTING_BEFORE_START_US, start).iter().rev() {
            let is_new = || !started.contains(change.subject()) && !self.is_usual(change);
            match change.kind {
                ChangeKind::UnitStarted | ChangeKind::UnitRestarted | ChangeKind::UnitAppeared => {
                    started.insert(change.subject());
                }
                ChangeKind::UnitFailed | ChangeKind::UnitStopped | ChangeKind::Unreachable
                    if change.at.micros() < recent && is_new() =>
                {
                    lasting.push(change);
                }
                _ => {}
            }
        }
        lasting
    }

    /// The changes of the ten minutes before `end` and the minute after it, nearest to it first.
    pub(super) fn around_end(&self, end: Timestamp) -> Vec<Change> {
        let (from, to) = (end.micros() - BEFORE_END_US, end.micros() + AFTER_END_US);
        let found = self.between(from, to).iter().collect();
        let mut chosen = self.most_telling(found, end);
        chosen.sort_by_key(|change| change.at.micros().abs_diff(end.micros()));
        chosen
    }

    /// Whether the like of it happens on most days.
    fn is_usual(&self, change: &Change) -> bool {
        self.usual.contains(&(change.kind, change.subject()))
    }

    /// The changes from `from` to `to`, both included.
    fn between(&self, from: i64, to: i64) -> &'a [Change] {
        let first = self.changes.partition_point(|change| change.at.micros() < from);
        let end = self.changes.partition_point(|change| change.at.micros() <= to).max(first);
        self.changes.get(first..end).unwrap_or_default()
    }

    /// The most telling ones, in the order of time. Of those that tell alike the nearest to
    /// `to_be_explained`.
    fn most_telling(&self, mut found: Vec<&Change>, to_be_explained: Timestamp) -> Vec<Change> {
        let distance = |change: &Change| change.at.micros().abs_diff(to_be_explained.micros());
        // That a host still refuses connections is told again and again: the first time says it all.
        found.sort_by_key(|change| change.at);
        let mut unreachable = HashSet::new();
        found.retain(|change| {
            change.kind != ChangeKind::Unreachable || unreachable.insert(change.subject())
        });
        found.sort_by_key(|change| (self.is_usual(change), change.kind, distance(change)));
        found.truncate(MAX_NEARBY);
        found.sort_by_key(|change| change.at);
        found.into_iter().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: i64 = 60_000_000;

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_micros(minute * MINUTE).unwrap()
    }

    fn change(minute: i64, kind: ChangeKind) -> Change {
        Change { at: at(minute), kind, what: minute.to_string(), host: None }
    }

    fn minutes(changes: &[Change]) -> Vec<i64> {
        changes.iter().map(|change| change.at.micros() / MINUTE).collect()
    }

    #[test]
    fn the_hour_before_the_start_is_told_nearest_first() {
        let changes = [39, 40, 90, 100, 101].map(|minute| change(minute, ChangeKind::Boot));
        assert_eq!(minutes(&Nearby::new(&changes).before_start(at(100))), [100, 90, 40]);
        assert_eq!(Nearby::new(&[]).before_start(at(100)), []);
    }

    #[test]
    fn what_lasted_until_the_start_is_told_however_much_earlier_it_began() {
        let of =
            |minute, kind, what: &str| Change { what: what.to_owned(), ..change(minute, kind) };
        let changes = [
            of(39, ChangeKind::Unreachable, "replica:5433, 7 times"),
            of(140, ChangeKind::Unreachable, "cache:6379, 7 times"),
            of(150, ChangeKind::UnitFailed, "a.service"),
            of(160, ChangeKind::UnitStopped, "b.service"),
            of(170, ChangeKind::UnitStarted, "c.service"),
            of(180, ChangeKind::UnitRestarted, "a.service"),
        ];
        assert_eq!(minutes(&Nearby::new(&changes).before_start(at(400))), [160, 140]);
    }

    #[test]
    fn what_ends_an_incident_may_be_logged_just_after_it() {
        let changes = [89, 90, 99, 101, 102].map(|minute| change(minute, ChangeKind::UnitStarted));
        assert_eq!(minutes(&Nearby::new(&changes).around_end(at(100))), [99, 101, 90]);
    }

    #[test]
    fn of_very_many_the_most_telling_ones_are_kept() {
        let mut changes: Vec<Change> =
            (50..90).map(|minute| change(minute, ChangeKind::UnitStarted)).collect();
        changes[3].kind = ChangeKind::Deployment;
        let chosen = Nearby::new(&changes).before_start(at(100));
        assert_eq!(minutes(&chosen), [89, 88, 87, 86, 85, 84, 83, 53]);
    }

    #[test]
    fn what_happens_every_day_gives_way_to_what_does_not() {
        let job = |day: i64| Change {
            what: "job".to_owned(),
            ..change(day * 1440, ChangeKind::UnitFailed)
        };
        let mut changes: Vec<Change> = (0..5).map(job).collect();
        changes.extend((1..=8).map(|minute| change(4 * 1440 + minute, ChangeKind::UnitStarted)));
        let chosen = Nearby::new(&changes).before_start(at(4 * 1440 + 30));
        assert_eq!(chosen.len(), MAX_NEARBY);
        assert!(chosen.iter().all(|change| change.kind == ChangeKind::UnitStarted), "{chosen:?}");
    }
}
