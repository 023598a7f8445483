//! What daemons say that they dropped, each statement once.

use std::collections::{HashMap, HashSet};

use super::{Absence, What};
use crate::source::not_logged::{DropKind, Dropped, Remarks};
use crate::time::{Minute, Timestamp};

/// Who dropped how many entries in which second.
type Identity<'a> = (i64, DropKind, u64, Option<&'a str>);

/// A syslog daemon may take the time at which it got a statement, across a second's border.
const SECONDS_OFF: [i64; 3] = [0, -1, 1];

/// What was dropped, with and without its statements.
pub(super) struct AllDropped {
    /// A statement each.
    pub(super) absences: Vec<Absence>,
    /// The sums of further statements.
    pub(super) more: Vec<(Option<Minute>, u64)>,
}

/// The statements of journals, and those of texts that no journal makes. Two texts may have one
/// statement; a daemon says the same of a sender at most once a second.
pub(super) fn find(remarks: &Remarks) -> AllDropped {
    let (journals, texts): (Vec<&Dropped>, Vec<&Dropped>) =
        remarks.dropped.iter().partition(|dropped| dropped.is_from_journal);
    let mut held: HashMap<Identity<'_>, u64> = HashMap::new();
    for dropped in &journals {
        *held.entry(identity(dropped, 0)).or_default() += 1;
    }
    let mut sums: HashMap<(Option<Minute>, DropKind), u64> = HashMap::new();
    let more = remarks.more_dropped.iter();
    for (place, entries) in more.clone().filter(|(place, _)| place.is_from_journal) {
        sums.insert((place.minute, place.kind), *entries);
    }
    let mut own = Vec::new();
    let mut seen = HashSet::new();
    for dropped in texts {
        let host = dropped.host.as_deref();
        if host.is_some() && !seen.insert((identity(dropped, 0), host)) {
            continue;
        }
        let known = SECONDS_OFF.into_iter().map(|off| identity(dropped, off));
        let is_left = |identity: &Identity<'_>| held.get(identity).is_some_and(|left| *left > 0);
        let minute = dropped.at.map(Timestamp::minute);
        if let Some(left) = known.into_iter().find(is_left).and_then(|place| held.get_mut(&place)) {
            *left -= 1;
        } else if let Some(sum) = sums.get_mut(&(minute, dropped.kind))
            && *sum >= dropped.entries
        {
            *sum -= dropped.entries;
        } else {
            own.push(dropped);
        }
    }
    // What is left of the journals' statements are those that the texts' sums may repeat.
    for ((second, kind, entries, _), times) in held {
        let at = second.checked_mul(1_000_000).and_then(Timestamp::from_micros);
        let sum = sums.entry((at.map(Timestamp::minute), kind)).or_default();
        *sum = sum.saturating_add(entries.saturating_mul(times));
    }
    let more = more.map(|(place, entries)| {
        let said = sums.get(&(place.minute, place.kind)).copied().unwrap_or(0);
        let repeated = if place.is_from_journal { 0 } else { said };
        (place.minute, entries.saturating_sub(repeated))
    });
    let more = more.filter(|(_, entries)| *entries > 0).collect();
    AllDropped { absences: journals.into_iter().chain(own).map(absence).collect(), more }
}

fn identity(dropped: &Dropped, seconds_off: i64) -> Identity<'_> {
    let second = dropped.at.map_or(i64::MIN / 2, |at| at.micros().div_euclid(1_000_000));
    (second + seconds_off, dropped.kind, dropped.entries, dropped.sender.as_deref())
}

fn absence(dropped: &Dropped) -> Absence {
    let what = match dropped.kind {
        DropKind::Suppressed => What::Suppressed,
        DropKind::Missed => What::Missed,
    };
    Absence {
        what,
        from: dropped.at,
        to: dropped.at,
        entries: Some(dropped.entries),
        sender: dropped.sender.clone(),
        host: dropped.host.clone(),
    }
}
