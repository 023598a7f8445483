//! Changes that are not of units: processes that were killed, deployments, services that refuse
//! connections, what journald's files show.

use std::collections::BTreeMap;

use super::{Change, ChangeKind, SAME_S, is_same_host, seconds_between, short_host, times};
use crate::source::change::{FoundChange, Happened};
use crate::time::Timestamp;
use crate::timeline::not_logged::{Absence, What};

/// A service that has not refused a connection for so many seconds is taken to have been well.
const WELL_S: f64 = 3600.0;

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

/// What happened of one kind, with the times joined that are no more than so many seconds apart.
fn runs(found: &[FoundChange], happened: Happened, pause_s: f64) -> Vec<FoundChange> {
    let mut subjects: BTreeMap<(Option<&str>, &str), Vec<&FoundChange>> = BTreeMap::new();
    for change in found.iter().filter(|change| change.happened == happened) {
        let host = change.host.as_deref().map(short_host);
        subjects.entry((host, &change.subject)).or_default().push(change);
    }
    let mut runs: Vec<FoundChange> = Vec::new();
    for mut of_subject in subjects.into_values() {
        of_subject.sort_by_key(|change| change.at);
        // A source tells what happens again within a minute as one: two of a minute are of two
        // sources that say the same.
        of_subject.dedup_by_key(|change| change.at.minute());
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
