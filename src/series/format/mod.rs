//! Readers of snapshot lines: a message, and the rule that it matches, give the pools in it.
//!
//! The rule is the gate and names the format; what reads the values is the rule's
//! [`Reader`]. Every reader is a function of the message alone but for one: rows of a table may
//! stand in entries of their own, behind one with the heading.

mod keys;
mod metric;
mod own_line;
mod pairs;
mod show_pools;

use std::borrow::Cow;

use super::snapshot::{Gauge, Snapshot};
use crate::rules::{Classifier, Reader, RuleIndex};

pub use show_pools::Columns;

/// All pools in a message that the rule matches; none where it says nothing after all.
///
/// `columns` is the heading that the same process printed last, for rows of a table; a heading in
/// the message replaces it.
pub fn read<'m>(
    classifier: &Classifier,
    rule: RuleIndex,
    message: &'m [u8],
    columns: &mut Option<Columns>,
) -> Vec<Snapshot<'m>> {
    let mut snapshots = match classifier.rules().rule(rule).reader {
        Reader::Groups => groups(classifier, rule, message).into_iter().collect(),
        Reader::Pairs => with_name(pairs(message, 1), || name(classifier, rule, message)),
        Reader::UsualPairs => with_name(pairs(message, 2), || name(classifier, rule, message)),
        Reader::Ebbline => own_line::read(message)
            .unwrap_or_else(|| with_name(pairs(message, 2), || name(classifier, rule, message))),
        Reader::ShowPools => show_pools::read(message, columns),
        Reader::Metric => metric::read(message),
    };
    snapshots.retain(|snapshot| !snapshot.values.is_empty());
    snapshots
}

fn pairs(message: &[u8], least_keys: usize) -> Vec<Snapshot<'_>> {
    let tells_use = |snapshot: &Snapshot<'_>| {
        let values = &snapshot.values;
        least_keys == 1 || values.idle.or(values.in_use).or(values.waiting).is_some()
    };
    let found = pairs::read(message).into_iter().filter(|found| found.keys >= least_keys);
    found.map(|found| found.snapshot).filter(tells_use).collect()
}

/// Gives the name to a pool that has none.
fn with_name<'m>(
    mut snapshots: Vec<Snapshot<'m>>,
    name: impl FnOnce() -> Option<&'m [u8]>,
) -> Vec<Snapshot<'m>> {
    if let [only] = snapshots.as_mut_slice()
        && only.pool.is_none()
    {
        only.pool = name().map(Cow::Borrowed);
    }
    snapshots
}

/// What the rule's group `pool` matched.
fn name<'m>(classifier: &Classifier, rule: RuleIndex, message: &'m [u8]) -> Option<&'m [u8]> {
    let mut name = None;
    classifier.for_each_capture(rule, message, |group, value| {
        if plain(group) == "pool" {
            name = Some(value);
        }
    });
    name
}

/// The values of the rule's named groups. A value that is no number makes the whole unreadable.
fn groups<'m>(classifier: &Classifier, rule: RuleIndex, message: &'m [u8]) -> Option<Snapshot<'m>> {
    let mut snapshot = Snapshot::default();
    let mut is_readable = true;
    classifier.for_each_capture(rule, message, |group, value| {
        let group = plain(group);
        if group == "pool" {
            snapshot.pool = Some(Cow::Borrowed(value));
        } else if let Some(gauge) = Gauge::named(group) {
            let count = std::str::from_utf8(value).ok().and_then(|text| text.trim().parse().ok());
            is_readable &= count.is_some();
            *snapshot.values.of_mut(gauge) = count;
        }
    });
    snapshot.values = snapshot.values.completed();
    is_readable.then_some(snapshot)
}

/// A group's name without the digits that tell it from another one of the same expression.
fn plain(group: &str) -> &str {
    group.trim_end_matches(|character: char| character.is_ascii_digit())
}
