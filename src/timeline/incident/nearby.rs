//! Nearby changes: of all that changed, what a reader of an incident should look at first.
//!
//! What was different before it began may have caused it, what was different as it ended may
//! have cured it. Neither is proved by that.

use crate::time::Timestamp;
use crate::timeline::Change;

/// So long before the first failure a change may have caused it.
const BEFORE_START_US: i64 = 3_600_000_000;
/// So long before the last failure a change may have cured it,
const BEFORE_END_US: i64 = 600_000_000;
/// or so long after: a service that is restarted fails no more from the moment at which it stops,
/// and its manager says so a little later.
const AFTER_END_US: i64 = 60_000_000;
/// Of more changes than this, the most telling ones are kept.
const MAX_NEARBY: usize = 8;

/// The changes of the hour before `start`, nearest first. `changes` are in the order of time.
pub(super) fn before_start(changes: &[Change], start: Timestamp) -> Vec<Change> {
    let mut chosen = within(changes, start.micros() - BEFORE_START_US, start.micros(), start);
    chosen.reverse();
    chosen
}

/// The changes of the ten minutes before `end` and the minute after it, nearest to it first.
pub(super) fn around_end(changes: &[Change], end: Timestamp) -> Vec<Change> {
    let (from, to) = (end.micros() - BEFORE_END_US, end.micros() + AFTER_END_US);
    let mut chosen = within(changes, from, to, end);
    chosen.sort_by_key(|change| change.at.micros().abs_diff(end.micros()));
    chosen
}

/// The most telling changes from `from` to `to`, both included, in the order of time. Of those
/// that tell alike the nearest to `to_be_explained`.
fn within(changes: &[Change], from: i64, to: i64, to_be_explained: Timestamp) -> Vec<Change> {
    let first = changes.partition_point(|change| change.at.micros() < from);
    let end = changes.partition_point(|change| change.at.micros() <= to).max(first);
    let mut chosen: Vec<&Change> = changes.get(first..end).unwrap_or_default().iter().collect();
    let distance = |change: &Change| change.at.micros().abs_diff(to_be_explained.micros());
    chosen.sort_by_key(|change| (change.kind, distance(change)));
    chosen.truncate(MAX_NEARBY);
    chosen.sort_by_key(|change| change.at);
    chosen.into_iter().cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::timeline::ChangeKind;

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
        assert_eq!(minutes(&before_start(&changes, at(100))), [100, 90, 40]);
        assert_eq!(before_start(&[], at(100)), []);
    }

    #[test]
    fn what_ends_an_incident_may_be_logged_just_after_it() {
        let changes = [89, 90, 99, 101, 102].map(|minute| change(minute, ChangeKind::UnitStarted));
        assert_eq!(minutes(&around_end(&changes, at(100))), [99, 101, 90]);
    }

    #[test]
    fn of_very_many_the_most_telling_ones_are_kept() {
        let mut changes: Vec<Change> =
            (50..90).map(|minute| change(minute, ChangeKind::UnitStarted)).collect();
        changes[3].kind = ChangeKind::Deployment;
        let chosen = before_start(&changes, at(100));
        assert_eq!(minutes(&chosen), [89, 88, 87, 86, 85, 84, 83, 53]);
    }
}
