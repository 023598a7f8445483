//! From what is said about a unit to what changed: a stop and a start are a restart, a failure
//! and the start that systemd makes of it are one change, a job that a timer runs is none.

use std::collections::BTreeMap;

use super::{Change, ChangeKind, seconds_between, short_host, times};
use crate::source::change::{FoundChange, Happened};
use crate::time::Timestamp;

/// What goes down and comes up again within so many seconds was restarted.
const RESTART_S: f64 = 60.0;
/// systemd says the same thing in several entries, and two logs say it about the same time.
const SAME_S: f64 = 2.0;
/// What a stop or a failure leads to is said within so many seconds.
const FOLLOWS_S: f64 = 5.0;
/// What ends by itself so soon was a job.
const JOB_S: f64 = 3600.0;
/// A unit that fails again and again with shorter pauses flaps.
const FLAPPING_S: f64 = 600.0;

/// A change of a unit before it has its words.
#[derive(Debug, Clone)]
struct Draft {
    kind: ChangeKind,
    at: Timestamp,
    last_at: Timestamp,
    times: u64,
    detail: Option<String>,
    /// Whether a unit that failed was started again.
    is_restarted: bool,
}

/// When a unit was first seen.
pub(super) struct Appearance {
    pub(super) unit: String,
    pub(super) host: Option<String>,
    pub(super) at: Timestamp,
}

/// The changes of all units, and when each unit was first seen that is no job.
pub(super) fn changes(found: &[FoundChange]) -> (Vec<Change>, Vec<Appearance>) {
    let mut units: BTreeMap<(Option<&str>, &str), Vec<&FoundChange>> = BTreeMap::new();
    for change in found {
        if is_of_unit(change.happened) {
            let host = change.host.as_deref().map(short_host);
            units.entry((host, &change.subject)).or_default().push(change);
        }
    }
    let mut changes = Vec::new();
    let mut appearances = Vec::new();
    for ((_, unit), mut said) in units {
        // What is said at the same instant stays in the order in which it was said.
        said.sort_by_key(|change| change.at);
        let host = said.first().and_then(|change| change.host.clone());
        let mut story = Story::default();
        said.iter().enumerate().for_each(|(place, _)| story.hear(&said, place));
        if let Some(at) = story.seen.filter(|_| !story.is_job) {
            appearances.push(Appearance { unit: unit.to_owned(), host: host.clone(), at });
        }
        let told = joined(story.drafts).into_iter().map(|draft| draft.tell(unit, host.clone()));
        changes.extend(told);
    }
    (changes, appearances)
}

fn is_of_unit(happened: Happened) -> bool {
    use Happened::{Booted, Crashed, Deployed, OutOfMemory, Refused};
    !matches!(happened, OutOfMemory | Crashed | Booted | Deployed | Refused)
}

/// What was heard of one unit so far.
#[derive(Default)]
struct Story {
    drafts: Vec<Draft>,
    started: Option<Timestamp>,
    seen: Option<Timestamp>,
    is_job: bool,
}

impl Story {
    /// Takes what is said at `place`.
    fn hear(&mut self, said: &[&FoundChange], place: usize) {
        let Some(now) = said.get(place) else { return };
        let before = said.get(..place).unwrap_or_default();
        let repeats = |other: &&&FoundChange| {
            other.happened == now.happened && seconds_between(other.last_at, now.at) <= SAME_S
        };
        if before.iter().rev().take(8).any(|other| repeats(&other)) {
            return;
        }
        let is_said = |what: Happened, seconds: f64| {
            let later = said.iter().skip(place + 1);
            let mut near = later.take_while(|later| seconds_between(now.at, later.at) <= seconds);
            near.any(|later| later.happened == what)
        };
        match now.happened {
            Happened::Seen => self.seen = self.seen.or(Some(now.at)),
            Happened::Finished => self.is_job = true,
            Happened::Started => {
                let was_said = |what: Happened| {
                    let near = before.iter().rev();
                    let mut near =
                        near.take_while(|other| seconds_between(other.at, now.at) <= SAME_S);
                    near.any(|other| other.happened == what)
                };
                let is_job = was_said(Happened::Ended)
                    && !was_said(Happened::Stopped)
                    && !was_said(Happened::RestartScheduled);
                if is_job || ends_by_itself(said, place) {
                    self.is_job = true;
                } else {
                    self.start(now);
                }
                self.started = Some(now.at);
            }
            Happened::Ended => {
                let ran_long =
                    self.started.is_some_and(|start| seconds_between(start, now.at) > JOB_S);
                let is_told = is_said(Happened::Stopped, FOLLOWS_S)
                    || is_said(Happened::Finished, SAME_S)
                    || is_said(Happened::Started, SAME_S);
                if ran_long && !is_told {
                    self.push(ChangeKind::UnitStopped, now);
                }
            }
            Happened::Stopped | Happened::RestartScheduled => {
                if !self.is_down(now.at, RESTART_S) {
                    self.push(ChangeKind::UnitStopped, now);
                }
            }
            Happened::Failed => self.push(ChangeKind::UnitFailed, now),
            Happened::NotStarted => {
                if !self.is_down(now.at, FOLLOWS_S) {
                    self.push(ChangeKind::UnitFailed, now);
                    if let Some(draft) = self.drafts.last_mut() {
                        draft.detail = Some("not started".to_owned());
                    }
                }
            }
            Happened::Reloaded => self.push(ChangeKind::UnitReloaded, now),
            Happened::UnitOutOfMemory => {
                if !is_said(Happened::Failed, FOLLOWS_S) {
                    self.push(ChangeKind::OomKill, now);
                }
            }
            // These are not of units.
            Happened::OutOfMemory | Happened::Crashed | Happened::Booted => {}
            Happened::Deployed | Happened::Refused | Happened::Package(_) => {}
        }
    }

    fn push(&mut self, kind: ChangeKind, now: &FoundChange) {
        self.drafts.push(Draft {
            kind,
            at: now.at,
            last_at: now.last_at,
            times: now.times,
            detail: now.detail.clone(),
            is_restarted: false,
        });
    }

    /// Whether the unit stopped or failed within so many seconds before `at`, or since.
    fn is_down(&self, at: Timestamp, seconds: f64) -> bool {
        self.drafts.last().is_some_and(|draft| {
            matches!(draft.kind, ChangeKind::UnitStopped | ChangeKind::UnitFailed)
                && !draft.is_restarted
                && seconds_between(draft.last_at, at) <= seconds
        })
    }

    fn start(&mut self, now: &FoundChange) {
        if !self.is_down(now.at, RESTART_S) {
            return self.push(ChangeKind::UnitStarted, now);
        }
        if let Some(down) = self.drafts.last_mut() {
            down.is_restarted = true;
            if down.kind == ChangeKind::UnitStopped {
                down.kind = ChangeKind::UnitRestarted;
            }
        }
    }
}

/// Whether what starts at `place` ends by itself soon after: a job that a timer runs.
fn ends_by_itself(said: &[&FoundChange], place: usize) -> bool {
    let Some(start) = said.get(place) else { return false };
    let is_event =
        |change: &&FoundChange| !matches!(change.happened, Happened::Seen | Happened::Reloaded);
    let mut later = said.iter().skip(place + 1).copied().filter(is_event);
    let Some(end) = later.next() else { return false };
    let is_soon = seconds_between(start.last_at, end.at) <= JOB_S;
    let is_stopped = later.next().is_some_and(|next| {
        matches!(next.happened, Happened::Stopped | Happened::RestartScheduled)
            && seconds_between(end.at, next.at) <= FOLLOWS_S
    });
    end.happened == Happened::Ended && is_soon && !is_stopped
}

/// Makes one change of those that repeat each other after short pauses.
fn joined(drafts: Vec<Draft>) -> Vec<Draft> {
    let mut joined: Vec<Draft> = Vec::new();
    for draft in drafts {
        match joined.last_mut() {
            Some(last)
                if last.kind == draft.kind
                    && last.detail == draft.detail
                    && seconds_between(last.last_at, draft.at) <= FLAPPING_S =>
            {
                last.last_at = draft.last_at;
                last.times = last.times.saturating_add(draft.times);
                last.is_restarted = draft.is_restarted;
            }
            _ => joined.push(draft),
        }
    }
    joined
}

impl Draft {
    fn tell(self, unit: &str, host: Option<String>) -> Change {
        let mut what = unit.to_owned();
        if let Some(detail) = &self.detail {
            what.push_str(&format!(" ({detail})"));
        }
        what.push_str(&times(self.times, self.at, self.last_at));
        if self.is_restarted && self.kind == ChangeKind::UnitFailed {
            what.push_str(", restarted");
        }
        Change { at: self.at, kind: self.kind, what, host }
    }
}
