//! Composition: of the windows of all classes, incidents with edges, severity and surroundings.

use super::caveat::{Caveat, Coverage, minute};
use super::group::{ClassWindow, Group, groups};
use super::nearby::Nearby;
use super::severity::{Load, Severity, severity};
use super::{MAX_PAUSE_MINUTES, Minutes, find};
use crate::rules::ClassIndex;
use crate::tally::{Evidence, Tally};
use crate::time::{Minute, Timestamp};
use crate::timeline::not_logged::Absence;
use crate::timeline::{Change, Class};

/// What is over within this time is a spike, however many classes it had.
const LEAST_DURATION_US: i64 = 120_000_000;

/// What incidents are composed of.
#[derive(Debug, Clone, Copy)]
pub struct Material<'a> {
    /// What was counted, with its evidence.
    pub tally: &'a Tally,
    /// The classes to look for, in the order of output.
    pub classes: &'a [Class],
    /// What is known to be missing, in the order of time.
    pub absences: &'a [Absence],
    /// What changed, in the order of time.
    pub changes: &'a [Change],
}

/// All incidents of a log, and what was not enough for one.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Incidents {
    /// The incidents, in the order of time; they do not overlap.
    pub incidents: Vec<Incident>,
    /// What was over within a minute, in the order of time.
    pub spikes: Vec<Incident>,
    /// When the first failure was logged, and the last, in incidents or not.
    pub failures: Option<(Timestamp, Timestamp)>,
}

/// A time in which requests failed more than usual.
#[derive(Debug, Clone, PartialEq)]
pub struct Incident {
    /// The leading class: of those that ran above what is usual the one with the most events; of
    /// equals, the first in the order of output.
    pub class: Class,
    /// The first failure.
    pub first: Evidence,
    /// The last failure.
    pub last: Evidence,
    /// All classes that had failures in it, the leading one first, then those with most events.
    pub classes: Vec<ClassPart>,
    /// Events of the leading class that are usual in a minute.
    pub baseline_per_minute: f64,
    /// Minutes from the first failure to the last, begun ones included.
    pub minutes: u64,
    /// Minutes that had a failure.
    pub bad_minutes: u64,
    /// Whether most requests failed.
    pub severity: Severity,
    /// Failures among all that was logged in the worst half hour, from 0 to 1; `None`: the log
    /// holds nothing but failures.
    pub failing_share: Option<f64>,
    /// Whether the log ended before the incident did.
    pub ongoing: bool,
    /// What the log does not know about it.
    pub caveats: Vec<Caveat>,
    /// What changed in the hour before, or earlier and may have been so still; nearest first.
    pub preceded_by: Vec<Change>,
    /// What changed just before its end, nearest to it first.
    pub changes_before_end: Vec<Change>,
}

/// One class of an incident.
#[derive(Debug, Clone, PartialEq)]
pub struct ClassPart {
    /// The class.
    pub class: Class,
    /// Events from the incident's first minute to its last.
    pub events: u64,
    /// The most of them in one minute.
    pub peak_per_minute: u64,
    /// The first of them.
    pub first: Evidence,
    /// The last of them.
    pub last: Evidence,
}

impl Incident {
    /// From the first failure to the last, in microseconds.
    pub fn duration_us(&self) -> u64 {
        self.last.at.micros().abs_diff(self.first.at.micros())
    }

    /// The events of the leading class.
    pub fn events(&self) -> u64 {
        self.classes.first().map_or(0, |leading| leading.events)
    }

    /// The most events of the leading class in one minute.
    pub fn peak_per_minute(&self) -> u64 {
        self.classes.first().map_or(0, |leading| leading.peak_per_minute)
    }
}

/// Finds the incidents. The tally must have been counted with evidence; without, none is found.
pub fn compose(material: Material<'_>) -> Incidents {
    let groups = groups(windows(material));
    let nearby = Nearby::new(material.changes);
    let composer = Composer { material, nearby, tells_others: tells_others(material, &groups) };
    let mut found = Incidents { failures: failures(material), ..Incidents::default() };
    for group in &groups {
        let Some(incident) = composer.describe(group) else { continue };
        if group.is_spike() && (incident.duration_us() as i64) < LEAST_DURATION_US {
            found.spikes.push(incident);
        } else {
            found.incidents.push(incident);
        }
    }
    found
}

/// The windows of each class that occurs, and of all of them together.
fn windows(material: Material<'_>) -> Vec<ClassWindow> {
    let mut windows = Vec::new();
    let mut all: Option<Minutes> = None;
    let mut add = |class: Option<usize>, minutes: &Minutes| {
        windows.extend(find(&minutes.counts).into_iter().map(|window| ClassWindow {
            class,
            first: minutes.minute(*window.minutes.start()).index(),
            last: minutes.minute(*window.minutes.end()).index(),
            window,
        }));
    };
    let total = material.tally.total();
    let occurring: Vec<(usize, ClassIndex)> = (material.classes.iter().map(|class| class.index))
        .enumerate()
        .filter(|(_, class)| total.of(*class) > 0)
        .collect();
    let classes: Vec<ClassIndex> = occurring.iter().map(|(_, class)| *class).collect();
    let each = Minutes::of_each(material.tally, &classes);
    for ((class, _), minutes) in occurring.iter().zip(each) {
        add(Some(*class), &minutes);
        match &mut all {
            Some(all) => all.add(&minutes),
            None => all = Some(minutes),
        }
    }
    if let Some(all) = all.filter(|_| occurring.len() > 1) {
        add(None, &all);
    }
    windows
}

/// When the first failure of the classes was logged, and the last.
fn failures(material: Material<'_>) -> Option<(Timestamp, Timestamp)> {
    let edges = |minute: Minute| {
        let classes = material.classes.iter();
        classes.filter_map(move |class| material.tally.edges(minute, class.index))
    };
    let mut known = material.tally.minutes.iter();
    let has_events = |counts: &crate::tally::Counts| {
        material.classes.iter().any(|class| counts.of(class.index) > 0)
    };
    let first = known.find(|(_, counts)| has_events(counts))?.0;
    let last = material.tally.minutes.iter().rev().find(|(_, counts)| has_events(counts))?.0;
    let start = edges(first).map(|edges| edges.first.at).min()?;
    let end = edges(last).map(|edges| edges.last.at).max()?;
    Some((start, end))
}

/// Whether the log tells of more than failures: outside of all groups, or of it all where there
/// is nothing else.
fn tells_others(material: Material<'_>, groups: &[Group]) -> bool {
    let mut groups = groups.iter().peekable();
    let (mut outside, mut inside) = ((0, 0), (0, 0));
    for (minute, counts) in material.tally.minutes.iter() {
        while groups.next_if(|group| group.last < minute.index()).is_some() {}
        let is_inside = groups.peek().is_some_and(|group| group.first <= minute.index());
        let (failures, others) = if is_inside { &mut inside } else { &mut outside };
        let events = counts.events();
        *failures += events;
        *others += counts.entries.saturating_sub(events);
    }
    if outside == (0, 0) { inside.1 > 0 } else { outside.1 > outside.0 }
}

struct Composer<'a> {
    material: Material<'a>,
    nearby: Nearby<'a>,
    tells_others: bool,
}

impl Composer<'_> {
    fn describe(&self, group: &Group) -> Option<Incident> {
        let (first, last) = (minute(group.first), minute(group.last));
        let classes = self.parts(group, first, last);
        let leading = classes.first()?.class.clone();
        let baseline_per_minute = self.baseline(group, &leading);
        let loads = self.loads(first, last);
        let (severity, failing_share) = severity(&loads, baseline_per_minute, self.tells_others);
        let bad = |load: &&Load| load.failures > 0;
        let start = classes.iter().map(|part| &part.first).min_by_key(|first| first.at)?.clone();
        let end = classes.iter().rev().map(|part| &part.last).max_by_key(|last| last.at)?.clone();
        let tally = self.material.tally;
        let coverage = Coverage { minutes: &tally.minutes, absences: self.material.absences };
        Some(Incident {
            preceded_by: self.nearby.before_start(start.at),
            changes_before_end: self.nearby.around_end(end.at),
            class: leading,
            first: start,
            last: end,
            baseline_per_minute,
            minutes: group.last.abs_diff(group.first) + 1,
            bad_minutes: loads.iter().filter(bad).count() as u64,
            severity,
            failing_share,
            ongoing: self.is_ongoing(&loads),
            caveats: coverage.caveats(first, last),
            classes,
        })
    }

    /// What each class had from `first` to `last`.
    fn parts(&self, group: &Group, first: Minute, last: Minute) -> Vec<ClassPart> {
        let part = |class: &Class| {
            let known = self.material.tally.minutes.range(first..=last);
            let counts = known.map(|(minute, counts)| (minute, counts.of(class.index)));
            let bad: Vec<(Minute, u64)> = counts.filter(|(_, events)| *events > 0).collect();
            let edges = |at: Option<&(Minute, u64)>| self.material.tally.edges(at?.0, class.index);
            Some(ClassPart {
                class: class.clone(),
                events: bad.iter().map(|(_, events)| events).sum(),
                peak_per_minute: bad.iter().map(|(_, events)| *events).max()?,
                first: edges(bad.first())?.first,
                last: edges(bad.last())?.last,
            })
        };
        let parts = self.material.classes.iter().enumerate();
        let mut parts: Vec<(bool, ClassPart)> = parts
            .filter_map(|(class, wanted)| {
                let has_window = group.windows.iter().any(|window| window.class == Some(class));
                Some((has_window, part(wanted)?))
            })
            .collect();
        // The sort is stable: of equals, the first in the order of output stays the first.
        parts.sort_by_key(|(has_window, part)| std::cmp::Reverse((*has_window, part.events)));
        parts.into_iter().map(|(_, part)| part).collect()
    }

    /// How many events of the leading class are usual in a minute of its windows.
    fn baseline(&self, group: &Group, leading: &Class) -> f64 {
        let is_own = |window: &&ClassWindow| {
            let class = window.class.and_then(|class| self.material.classes.get(class));
            class.is_some_and(|class| class == leading)
        };
        let own = || group.windows.iter().filter(is_own);
        let expected: f64 = own().map(|window| window.window.expected).sum();
        let minutes: usize = own().map(|window| window.window.minutes.clone().count()).sum();
        expected / (minutes as f64).max(1.0)
    }

    /// What was logged in each minute from `first` to `last` of which something is known.
    fn loads(&self, first: Minute, last: Minute) -> Vec<Load> {
        let of = |counts: &crate::tally::Counts| {
            let classes = self.material.classes.iter();
            classes.map(|class| counts.of(class.index)).max().unwrap_or(0)
        };
        let known = self.material.tally.minutes.range(first..=last);
        known
            .map(|(minute, counts)| Load {
                minute: minute.index(),
                failures: of(counts),
                others: counts.entries.saturating_sub(counts.events()),
            })
            .collect()
    }

    /// Whether the log ended before the incident did: its last failure was followed by no more
    /// quiet than there had been within it, or by a minute.
    fn is_ongoing(&self, loads: &[Load]) -> bool {
        let mut bad = loads.iter().filter(|load| load.failures > 0).map(|load| load.minute);
        let Some(mut last_bad) = bad.next() else { return false };
        let mut longest_pause = 1;
        for minute in bad {
            longest_pause = longest_pause.max(minute - last_bad - 1);
            last_bad = minute;
        }
        let Some((_, last_known)) = self.material.tally.minutes.ends() else { return false };
        last_known.index() - last_bad <= longest_pause.min(MAX_PAUSE_MINUTES as i64)
    }
}
