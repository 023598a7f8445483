//! Changes that are not of units: processes that were killed, deployments, services that refuse
//! connections, what journald's files show.

use std::collections::BTreeMap;

use super::{Change, ChangeKind, SAME_S, is_same_host, length, seconds_between, short_host, times};
use crate::source::change::{FoundChange, Happened};
use crate::time::Timestamp;
use crate::timeline::not_logged::{Absence, What};

/// A service that has not refused a connection for so many seconds is taken to have been well.
const WELL_S: f64 = 3600.0;
/// What goes on is told again after so many seconds.
const RETOLD_S: f64 = 1800.0;

/// What was deployed, each once.
pub(super) fn deployments(found: &[FoundChange]) -> Vec<Change> {
    let runs = runs(found, Happened::Deployed, SAME_S);
    let kind = ChangeKind::Deployment;
    let change = |run: FoundChange| Change { at: run.at, kind, what: run.subject, host: run.host };
    runs.into_iter().map(change).collect()
}

/// The services that refused connections, from the first time on.
pub(super) fn refusals(found: &[FoundChange]) -> Vec<Change> {
    let kind = ChangeKind::Unreachable;
    let change = |run: FoundChange| {
        let what = run.subject + &times(run.times, run.at, run.last_at);
        Change { at: run.at, kind, what, host: run.host }
    };
    runs(found, Happened::Refused, WELL_S).into_iter().map(change).collect()
}

/// The services that go on refusing connections: of each the refusals half an hour and more after
/// the one before that was told.
///
/// Who asks what was wrong shortly before an incident must not miss what has been wrong for hours.
pub(super) fn lasting(found: &[FoundChange]) -> Vec<Change> {
    let mut told = Vec::new();
    for of_subject in by_subject(found, Happened::Refused) {
        let mut begin: Option<&FoundChange> = None;
        let mut last_at: Option<Timestamp> = None;
        let mut told_at: Option<Timestamp> = None;
        for change in of_subject {
            let was_well = last_at.is_none_or(|last| seconds_between(last, change.at) > WELL_S);
            last_at = last_at.max(Some(change.last_at));
            let (Some(first), Some(before), false) = (begin, told_at, was_well) else {
                (begin, told_at) = (Some(change), Some(change.at));
                continue;
            };
            if seconds_between(before, change.at) >= RETOLD_S {
                let minutes = (seconds_between(first.at, change.at) / 60.0).round();
                let what = format!("{}, for {}", change.subject, length(minutes));
                let (at, host) = (change.at, change.host.clone());
                told.push(Change { at, kind: ChangeKind::Unreachable, what, host });
                told_at = Some(change.at);
            }
        }
    }
    told.sort_by_key(|change| change.at);
    told
}

/// What happened of one kind, for each subject in the order of time.
///
/// A source tells what happens again within a minute as one: two of a minute are of two sources
/// that say the same.
fn by_subject(
    found: &[FoundChange],
    happened: Happened,
) -> impl Iterator<Item = Vec<&FoundChange>> {
    let mut subjects: BTreeMap<(Option<&str>, &str), Vec<&FoundChange>> = BTreeMap::new();
    for change in found.iter().filter(|change| change.happened == happened) {
        let host = change.host.as_deref().map(short_host);
        subjects.entry((host, &change.subject)).or_default().push(change);
    }
    subjects.into_values().map(|mut of_subject| {
        of_subject.sort_by_key(|change| change.at);
        of_subject.dedup_by_key(|change| change.at.minute());
        of_subject
    })
}

/// What happened of one kind, with the times joined that are no more than so many seconds apart.
fn runs(found: &[FoundChange], happened: Happened, pause_s: f64) -> Vec<FoundChange> {
    let mut runs: Vec<FoundChange> = Vec::new();
    for of_subject in by_subject(found, happened) {
        let start = runs.len();
        for change in of_subject {
            match runs.get_mut(start..).and_then(<[_]>::last_mut) {
                Some(run) if seconds_between(run.last_at, change.at) <= pause_s => {
                    run.last_at = run.last_at.max(change.last_at);
                    run.times = run.times.saturating_add(change.times);
                }
                _ => runs.push(change.clone()),
            }
        }
    }
    runs
}

/// Processes that were killed or crashed, but for those whose units failed of it; `units` are in
/// the order of time.
pub(super) fn of_processes(found: &[FoundChange], units: &[Change]) -> Vec<Change> {
    let mut changes: Vec<Change> = Vec::new();
    let mut processes: Vec<&FoundChange> = found
        .iter()
        .filter(|change| matches!(change.happened, Happened::OutOfMemory | Happened::Crashed))
        .collect();
    processes.sort_by_key(|change| change.at);
    for process in processes {
        let kind = match process.happened {
            Happened::Crashed => ChangeKind::Crash,
            _ => ChangeKind::OomKill,
        };
        let mut what = process.subject.clone();
        if let Some(unit) = &process.detail {
            what.push_str(&format!(" ({unit})"));
        }
        let near = |at: Timestamp| seconds_between(process.at, at).abs() <= SAME_S;
        let first = units.partition_point(|unit| seconds_between(unit.at, process.at) > SAME_S);
        let is_told = units.iter().skip(first).take_while(|unit| near(unit.at)).any(|unit| {
            let is_crash = kind == ChangeKind::Crash && unit.kind == ChangeKind::UnitFailed;
            let own = process.detail.as_deref().is_some_and(|own| unit.what.starts_with(own));
            is_crash && own
        });
        let is_known = changes.iter().rev().take(8).any(|known| {
            known.kind == kind
                && known.what == what
                && near(known.at)
                && is_same_host(known.host.as_deref(), process.host.as_deref())
        });
        if !is_told && !is_known {
            changes.push(Change { at: process.at, kind, what, host: process.host.clone() });
        }
    }
    changes
}

/// What journald's own files show: a clock that was set, a time in which journald did not run.
pub(super) fn of_absence(absence: &Absence) -> Option<Change> {
    let what = match absence.what {
        What::ClockJump(by_us) => {
            let way = if by_us < 0 { "back" } else { "forward" };
            format!("clock set {way} by {} s", (by_us as f64 / 1e6).abs().round())
        }
        What::Stopped => {
            let seconds = absence.duration_us() as f64 / 1e6;
            format!("journald did not run for {} s", seconds.round())
        }
        _ => return None,
    };
    let host = absence.host.clone();
    Some(Change { at: absence.to?, kind: ChangeKind::Journal, what, host })
}
