//! What changed: units that started or failed, reboots, deployments, packages, commits.
//!
//! A post-mortem asks what was different just before. Sources tell what they meet, each in its own
//! words; here it becomes changes: `units` makes a restart of a stop and a start, and what two
//! sources say is one change.

mod others;

mod packages;

mod units;

use std::collections::{HashMap, HashSet};

use crate::source::change::{ChangeLog, FoundChange, Happened};
use crate::source::not_logged::Remarks;
use crate::time::Timestamp;
use crate::timeline::not_logged::{self, Absence, What};

/// Something that was different from then on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// When.
    pub at: Timestamp,
    /// What sort of change.
    pub kind: ChangeKind,
    /// What changed, in a few words without a line feed: a unit's name, a package with both
    /// versions, a commit's id and subject. It may hold any other character.
    pub what: String,
    /// The machine, where it is known.
    pub host: Option<String>,
}

/// What sort of change. The order is that in which they tell: what explains an incident more often
/// stands first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ChangeKind {
    /// Somebody deployed something, by a rule of the user's.
    Deployment,
    /// The kernel killed a process for want of memory.
    OomKill,
    /// A unit failed.
    UnitFailed,
    /// A process crashed.
    Crash,
    /// A host refused connections after it had not for an hour.
    Unreachable,
    /// The machine was booted.
    Boot,
    /// A unit was seen for the first time.
    UnitAppeared,
    /// A unit stopped and started.
    UnitRestarted,
    /// A unit stopped.
    UnitStopped,
    /// A unit started.
    UnitStarted,
    /// A unit read its configuration again.
    UnitReloaded,
    /// A package was installed, upgraded or removed.
    Package,
    /// A tag was put on a commit.
    Tag,
    /// Something was committed.
    Commit,
    /// A person noted it.
    Note,
    /// journald itself started, stopped or dropped entries, or the clock was set.
    Journal,
}

impl ChangeKind {
    /// Whether somebody asked for changes of this kind, by an option, a file or a rule; else the
    /// log tells them by itself.
    pub fn is_asked_for(self) -> bool {
        matches!(self, Self::Deployment | Self::Package | Self::Tag | Self::Commit | Self::Note)
    }

    /// The name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Deployment => "deployment",
            Self::OomKill => "oom_kill",
            Self::UnitFailed => "unit_failed",
            Self::Crash => "crash",
            Self::Unreachable => "unreachable",
            Self::Boot => "boot",
            Self::UnitAppeared => "unit_appeared",
            Self::UnitRestarted => "unit_restarted",
            Self::UnitStopped => "unit_stopped",
            Self::UnitStarted => "unit_started",
            Self::UnitReloaded => "unit_reloaded",
            Self::Package => "package",
            Self::Tag => "tag",
            Self::Commit => "commit",
            Self::Note => "note",
            Self::Journal => "journal",
        }
    }
}

impl Change {
    /// What changed in a few words, as a line of a post-mortem has it; a service is named without
    /// its suffix, as `journalctl -u` takes it.
    pub fn text(&self) -> String {
        let subject = self.subject();
        let what = &match subject.strip_suffix(".service") {
            Some(name) => self.what.replacen(subject, name, 1),
            None => self.what.clone(),
        };
        match self.kind {
            ChangeKind::Deployment => format!("deployed {what}"),
            ChangeKind::OomKill => format!("out of memory, killed {what}"),
            ChangeKind::UnitFailed => format!("failed {what}"),
            ChangeKind::Crash => format!("crashed {what}"),
            ChangeKind::Unreachable => format!("connection refused by {what}"),
            ChangeKind::Boot if what.is_empty() => "booted".to_owned(),
            ChangeKind::Boot => format!("booted {what}"),
            ChangeKind::UnitAppeared => format!("first seen {what}"),
            ChangeKind::UnitRestarted => format!("restarted {what}"),
            ChangeKind::UnitStopped => format!("stopped {what}"),
            ChangeKind::UnitStarted => format!("started {what}"),
            ChangeKind::UnitReloaded => format!("reloaded {what}"),
            ChangeKind::Tag => format!("tag {what}"),
            ChangeKind::Commit => format!("commit {what}"),
            ChangeKind::Package | ChangeKind::Note | ChangeKind::Journal => what.clone(),
        }
    }

    /// What changed without how: two changes of the same subject are alike.
    pub fn subject(&self) -> &str {
        let end = self.what.find([' ', ',']).unwrap_or(self.what.len());
        self.what.get(..end).unwrap_or(&self.what)
    }
}

/// The kinds and subjects of changes that happen on most days: on four at the least, and on half
/// of the days between the first and the last change.
pub fn usual(changes: &[Change]) -> HashSet<(ChangeKind, &str)> {
    const MIN_DAYS: usize = 4;
    let day = |change: &Change| change.at.micros() / 86_400_000_000;
    let days = changes.iter().map(day);
    let span = days.clone().max().zip(days.min()).map_or(0, |(last, first)| last - first + 1);
    let mut of_days: Vec<(ChangeKind, &str, i64)> =
        changes.iter().map(|change| (change.kind, change.subject(), day(change))).collect();
    of_days.sort_unstable();
    of_days.dedup();
    let alike = of_days.chunk_by(|one, other| (one.0, one.1) == (other.0, other.1));
    let usual = alike.filter(|days| days.len() >= MIN_DAYS && days.len() as i64 * 2 >= span);
    usual.filter_map(|days| days.first().map(|(kind, subject, _)| (*kind, *subject))).collect()
}

/// What the log tells of conditions that last: of a service that refuses connections a change
/// each half an hour, after the one that [`of_log`] has.
pub fn lasting(log: &ChangeLog) -> Vec<Change> {
    others::lasting(log.found())
}

/// What the log itself tells about changes, in the order of time, each once, however many sources
/// tell it.
pub fn of_log(log: &ChangeLog, remarks: &Remarks) -> Vec<Change> {
    let absences = not_logged::of_journals(remarks);
    let boots = boots(log.found(), &absences);
    let (mut changes, appearances) = units::changes(log.found());
    changes.retain(|change| !is_of_boot(change, &boots));
    let appeared = appeared(appearances, remarks);
    // What is seen for the first time was started shortly before.
    let first_seen: HashMap<&str, Timestamp> =
        appeared.iter().map(|change| (change.what.as_str(), change.at)).collect();
    changes.retain(|change| {
        let seen = first_seen.get(change.what.as_str());
        let is_first = seen.is_some_and(|at| seconds_between(change.at, *at).abs() <= START_S);
        change.kind != ChangeKind::UnitStarted || !is_first
    });
    changes.extend(appeared);
    changes.extend(boots);
    changes.sort_by_key(|change| change.at);
    changes.extend(others::of_processes(log.found(), &changes));
    changes.extend(others::deployments(log.found()));
    changes.extend(others::refusals(log.found()));
    changes.extend(packages::of_runs(log.found()));
    changes.extend(absences.iter().filter_map(others::of_absence));
    changes.sort_by(|a, b| (a.at, a.kind, &a.what).cmp(&(b.at, b.kind, &b.what)));
    changes
}

/// A unit that is new must have been missing for so long, in seconds: a day.
const COVERED_S: f64 = 86_400.0;
/// A unit's first entry comes so soon after its start.
const START_S: f64 = 60.0;
/// Units start and stop with the machine: so many seconds after a boot, and before it.
const BOOTING_S: f64 = 300.0;
const SHUTDOWN_S: f64 = 120.0;
/// Two sources say the same within so many seconds.
const SAME_S: f64 = 5.0;

/// Seconds from one instant to a later one; negative: it is earlier.
fn seconds_between(from: Timestamp, to: Timestamp) -> f64 {
    (to.micros() - from.micros()) as f64 / 1e6
}

/// How often something happened, and how long that took.
fn times(times: u64, from: Timestamp, to: Timestamp) -> String {
    if times <= 1 {
        return String::new();
    }
    format!(" {times} times in {}", length((seconds_between(from, to) / 60.0).ceil().max(1.0)))
}

/// So many minutes in words, two digits of them.
fn length(minutes: f64) -> String {
    match minutes {
        ..=120.0 => format!("{minutes} min"),
        ..=2880.0 => format!("{} h", (minutes / 60.0).round()),
        _ => format!("{} d", (minutes / 1440.0).round()),
    }
}

/// The host's own name: daemons write the short name or the full one, as they are configured.
fn short_host(host: &str) -> &str {
    host.split('.').next().unwrap_or(host)
}

/// Whether two names may be of one machine.
fn is_same_host(one: Option<&str>, other: Option<&str>) -> bool {
    match one.zip(other) {
        Some((one, other)) => short_host(one) == short_host(other),
        None => true,
    }
}

/// The boots that journals and texts show.
fn boots(found: &[FoundChange], absences: &[Absence]) -> Vec<Change> {
    let of_journals = absences.iter().filter(|absence| absence.what == What::Boot);
    let of_journals = of_journals.filter_map(|boot| Some((boot.to?, boot.host.clone())));
    let of_texts = found.iter().filter(|change| change.happened == Happened::Booted);
    let of_texts = of_texts.map(|change| (change.at, change.host.clone()));
    let mut all: Vec<_> = of_journals.chain(of_texts).collect();
    all.sort();
    let mut boots: Vec<Change> = Vec::new();
    for (at, host) in all {
        let known = boots.iter_mut().rev().take(8).find(|known| {
            seconds_between(known.at, at) <= BOOTING_S
                && is_same_host(known.host.as_deref(), host.as_deref())
        });
        let what = host.clone().unwrap_or_default();
        match known {
            Some(known) if known.host.is_none() => (known.what, known.host) = (what, host),
            Some(_) => {}
            None => boots.push(Change { at, kind: ChangeKind::Boot, what, host }),
        }
    }
    boots
}

/// Whether the unit came or went with the machine.
fn is_of_boot(change: &Change, boots: &[Change]) -> bool {
    use ChangeKind::{UnitRestarted, UnitStarted, UnitStopped};
    if !matches!(change.kind, UnitStarted | UnitStopped | UnitRestarted) {
        return false;
    }
    let place = boots.partition_point(|boot| seconds_between(boot.at, change.at) > BOOTING_S);
    let near = boots.iter().skip(place);
    let mut near = near.take_while(|boot| seconds_between(change.at, boot.at) <= SHUTDOWN_S);
    near.any(|boot| is_same_host(boot.host.as_deref(), change.host.as_deref()))
}

/// The units that were seen for the first time after the log had gone on without them.
fn appeared(appearances: Vec<units::Appearance>, remarks: &Remarks) -> Vec<Change> {
    let starts = log_starts(remarks);
    let is_new = |new: &units::Appearance| {
        let of_host = |(own, _): &&(Option<String>, Timestamp)| {
            is_same_host(own.as_deref(), new.host.as_deref())
        };
        let start = starts.iter().filter(of_host).map(|(_, start)| *start).min();
        start.is_some_and(|start| seconds_between(start, new.at) >= COVERED_S)
    };
    let new = appearances.into_iter().filter(is_new);
    let kind = ChangeKind::UnitAppeared;
    new.map(|new| Change { at: new.at, kind, what: new.unit, host: new.host }).collect()
}

/// Where the log of each machine begins.
fn log_starts(remarks: &Remarks) -> Vec<(Option<String>, Timestamp)> {
    let parts = remarks.courses.iter().flat_map(|course| &course.boots);
    let mut starts: Vec<_> = parts.map(|part| (part.host.clone(), part.first.at)).collect();
    starts.sort();
    starts.dedup_by(|later, earlier| later.0 == earlier.0);
    starts
}
