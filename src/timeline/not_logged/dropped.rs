//! What daemons say that they dropped, each statement once.

use std::collections::HashMap;

use super::{Absence, What};
use crate::source::not_logged::{DropKind, Dropped, Remarks};

/// Who dropped how many entries in which second.
type Identity<'a> = (i64, DropKind, u64, Option<&'a str>);

/// A syslog daemon may take the time at which it got a statement, across a second's border.
const SECONDS_OFF: [i64; 3] = [0, -1, 1];

/// The statements of journals, and those of texts that no journal makes.
pub(super) fn absences(remarks: &Remarks) -> Vec<Absence> {
    let (journals, texts): (Vec<&Dropped>, Vec<&Dropped>) =
        remarks.dropped.iter().partition(|dropped| dropped.is_from_journal);
    let mut held: HashMap<Identity<'_>, usize> = HashMap::new();
    for dropped in &journals {
        *held.entry(identity(dropped, 0)).or_default() += 1;
    }
    let mut own = Vec::new();
    for dropped in texts {
        let known = SECONDS_OFF.into_iter().map(|off| identity(dropped, off));
        let is_left = |identity: &Identity<'_>| held.get(identity).is_some_and(|left| *left > 0);
        match known.into_iter().find(is_left).and_then(|identity| held.get_mut(&identity)) {
            Some(left) => *left -= 1,
            None => own.push(dropped),
        }
    }
    journals.into_iter().chain(own).map(absence).collect()
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
        host: None,
    }
}
