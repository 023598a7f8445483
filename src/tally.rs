//! The tally: per minute, how many entries and how many events of each class; where it is asked
//! for, also which event of a class was the first of the minute and which the last.
//!
//! Tallies add up, so files, threads and hosts are counted apart and merged in any order. A
//! minute is the finest calendar that any zone needs: days and hours are made from minutes.

mod evidence;
mod hourly;

use std::ops::ControlFlow;

use smallvec::SmallVec;

use crate::rules::{ClassIndex, POOL_SNAPSHOT, RuleSet};
use crate::source::not_logged::Remarks;
use crate::source::{
    ChangeLog, Damage, DamageList, Event, FoundChange, KnownEvent, Merge, Remark, Repeats, Sink,
};
use crate::time::{Minute, Timestamp};

use evidence::{Book, Keeper};
pub use evidence::{EdgeTimes, Edges, Evidence, MAX_MESSAGE_BYTES};
pub use hourly::{HourlyMap, OfMinute};

/// Counts of one minute, or of the entries without a time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    /// Entries of any kind.
    pub entries: u64,
    /// Events by class; as long as the highest class seen needs. The three that the catalogue
    /// begins with are the usual ones and take no allocation.
    events: SmallVec<[u64; 3]>,
}

impl Counts {
    /// How many events of a class.
    pub fn of(&self, class: ClassIndex) -> u64 {
        self.events.get(class.get()).copied().unwrap_or(0)
    }

    /// How many events of all classes.
    pub fn events(&self) -> u64 {
        self.events.iter().sum()
    }

    /// Adds `count` events of a class.
    pub fn add_events(&mut self, class: ClassIndex, count: u64) {
        if self.events.len() <= class.get() {
            self.events.resize(class.get() + 1, 0);
        }
        self.events[class.get()] += count;
    }

    fn remove_events(&mut self, class: ClassIndex, times: u64) {
        if let Some(count) = self.events.get_mut(class.get()) {
            *count = count.saturating_sub(times);
        }
    }

    /// Adds another tally's counts of the same time.
    pub fn merge(&mut self, other: &Self) {
        self.entries += other.entries;
        if self.events.len() < other.events.len() {
            self.events.resize(other.events.len(), 0);
        }
        for (own, more) in self.events.iter_mut().zip(&other.events) {
            *own += more;
        }
    }
}

/// Minute by minute, what was logged.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// The minutes in which something was logged.
    pub minutes: HourlyMap<Minute, Counts>,
    /// What carries no time.
    pub undated: Counts,
    /// What the sources told about what was not logged.
    pub remarks: Remarks,
    /// What the sources told about changes.
    pub changes: ChangeLog,
    /// Which events were the first and the last; nothing where no evidence is kept.
    evidence: Book,
}

impl Tally {
    /// Adds another tally to this one.
    pub fn merge(&mut self, other: Self) {
        self.minutes.merge(other.minutes, |known, more| known.merge(&more));
        self.undated.merge(&other.undated);
        self.remarks.merge(other.remarks);
        self.changes.merge(other.changes);
        self.evidence.merge(other.evidence);
    }

    /// The first event of a class in a minute, and the last. `None` where there is none, or where
    /// no evidence is kept.
    pub fn edges(&self, minute: Minute, class: ClassIndex) -> Option<Edges> {
        self.evidence.edges(minute, class)
    }

    /// When the first event of each class in each minute was, and the last, in the order of time;
    /// nothing where no evidence is kept.
    pub fn edge_times(&self) -> impl Iterator<Item = EdgeTimes> {
        self.evidence.times()
    }

    /// Removes what a source repeats of what another one gave, and says how many entries.
    pub fn take_repeats(&mut self, repeats: &Repeats, rules: &RuleSet) -> u64 {
        let counts = |event: &KnownEvent| !rules.rule(event.rule).echo;
        let mut taken = 0;
        for event in repeats.held.iter().chain(&repeats.shared) {
            let minute = self.in_minute(Some(event.minute));
            let times = minute.entries.min(event.times.into());
            taken += times;
            minute.entries -= times;
            if counts(event) {
                minute.remove_events(rules.class_of(event.rule), times);
            }
        }
        for &(first, last) in &repeats.copied {
            taken += self.take_minutes(first, last).entries;
        }
        for event in &repeats.own {
            let minute = self.in_minute(Some(event.minute));
            let times = u64::from(event.times);
            taken = taken.saturating_sub(times);
            minute.entries += times;
            if counts(event) {
                minute.add_events(rules.class_of(event.rule), times);
            }
        }
        self.minutes.retain(|_, counts| counts.entries > 0);
        let Self { minutes, evidence, .. } = self;
        evidence.take_repeats(repeats, |minute, class| {
            minutes.get(minute).is_some_and(|counts| counts.of(class) > 0)
        });
        taken
    }

    /// Removes the minutes from `first` to `last`, both included, and gives back their sum.
    fn take_minutes(&mut self, first: Minute, last: Minute) -> Counts {
        let mut taken = Counts::default();
        self.minutes.retain(|minute, counts| {
            let inside = (first..=last).contains(&minute);
            if inside {
                taken.merge(counts);
            }
            !inside
        });
        taken
    }

    /// The sum over all minutes and what carries no time.
    pub fn total(&self) -> Counts {
        let mut total = self.undated.clone();
        for counts in self.minutes.values() {
            total.merge(counts);
        }
        total
    }

    /// The counts of the minute that `at` falls in, or of what carries no time.
    pub fn at(&mut self, at: Option<Timestamp>) -> &mut Counts {
        self.in_minute(at.map(Timestamp::minute))
    }

    fn in_minute(&mut self, minute: Option<Minute>) -> &mut Counts {
        match minute {
            Some(minute) => self.minutes.get_or_insert_with(minute, Counts::default),
            None => &mut self.undated,
        }
    }
}

/// A sink that counts.
pub struct TallySink<'a> {
    rules: &'a RuleSet,
    /// What was counted so far.
    pub tally: Tally,
    /// What could not be read.
    pub damage: DamageList,
    keeper: Option<Keeper>,
}

impl<'a> TallySink<'a> {
    /// A sink that has counted nothing yet.
    pub fn new(rules: &'a RuleSet) -> Self {
        Self { rules, tally: Tally::default(), damage: DamageList::default(), keeper: None }
    }

    /// A sink that also keeps the first event of each minute and class, and the last, of the source
    /// at this position in the order of the sources; with their messages, if asked.
    pub fn with_evidence(rules: &'a RuleSet, source: usize, has_messages: bool) -> Self {
        Self { keeper: Some(Keeper::new(source, has_messages)), ..Self::new(rules) }
    }
}

impl Merge for TallySink<'_> {
    fn merge(&mut self, mut later: Self, lines_before: u64) {
        self.tally.remarks.append(std::mem::take(&mut later.tally.remarks));
        self.tally.changes.append(std::mem::take(&mut later.tally.changes));
        if let (Some(keeper), Some(later_keeper)) = (&mut self.keeper, &later.keeper) {
            let more = std::mem::take(&mut later.tally.evidence);
            keeper.merge(&mut self.tally.evidence, later_keeper, more, lines_before);
        }
        self.tally.merge(later.tally);
        self.damage.merge(later.damage);
    }
}

impl Sink for TallySink<'_> {
    fn entries(&mut self, minute: Option<Minute>, count: u64) {
        self.tally.in_minute(minute).entries += count;
    }

    fn event(&mut self, event: &Event<'_>) -> ControlFlow<()> {
        // The same failure is reported by another line, which counts; a snapshot of a pool is none.
        let rule = self.rules.rule(event.rule);
        let is_echo = rule.echo || rule.class == POOL_SNAPSHOT;
        let class = self.rules.class_of(event.rule);
        if !is_echo {
            self.tally.at(event.entry.at).add_events(class, u64::from(event.times));
        }
        match &mut self.keeper {
            None => {}
            Some(keeper) if is_echo => keeper.pass(),
            Some(keeper) => keeper.take(event, class, &mut self.tally.evidence),
        }
        ControlFlow::Continue(())
    }

    fn damage(&mut self, damage: Damage) {
        self.damage.push(damage);
    }

    fn remark(&mut self, remark: Remark) {
        self.tally.remarks.push(remark);
    }

    fn change(&mut self, change: FoundChange) {
        self.tally.changes.push(change);
    }
}
