//! The sink that collects: it reads each snapshot that it is told of, and keeps a point of it.
//!
//! Memory is bounded: so many points and so many series, and no more. What goes beyond is counted
//! and said.

use std::collections::{BTreeMap, HashMap};
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU64, Ordering};

use super::format::{self, Columns};
use super::point::{Point, Series, SeriesKey};
use super::snapshot::Snapshot;
use crate::entry::Entry;
use crate::rules::{Classifier, POOL_SNAPSHOT, POOL_TIMEOUT, Reader, RuleIndex};
use crate::source::{Damage, DamageList, Event, Merge, Remark, Repeats, Sink};
use crate::tally::Tally;
use crate::time::{Minute, Timestamp};

/// More pools than this are no pools: a name that changes with each line is no name.
const MAX_SERIES: usize = 10_000;
/// Processes whose tables' headings are remembered.
const MAX_HEADINGS: usize = 256;
/// A longer name is cut.
const MAX_NAME_BYTES: usize = 128;
/// The name of a pool that has none.
const NO_NAME: &[u8] = b"default";

/// What decides which pools are kept.
pub type PoolFilter = globset::GlobSet;

/// How many more points may be kept, by all threads together.
#[derive(Debug)]
pub struct Budget {
    left: AtomicU64,
}

impl Budget {
    /// Room for so many points, each of which takes 40 bytes.
    pub fn of_points(points: u64) -> Self {
        Self { left: AtomicU64::new(points) }
    }

    /// Takes one; false where none is left.
    fn take(&self) -> bool {
        let taken = self
            .left
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
        taken.is_ok()
    }
}

/// What a sink reads with. All sinks share it.
pub struct Readers<'a> {
    /// Rules of snapshots and of pool timeouts, and of whatever else the sources were asked for.
    pub asked: &'a Classifier,
    /// Rules of snapshots alone, for timeouts that tell the pool's state too.
    pub snapshots: &'a Classifier,
    /// Which pools are kept; `None`: all.
    pub wanted: Option<&'a PoolFilter>,
    /// How many points.
    pub budget: &'a Budget,
}

/// A sink for one source, or a part of it.
pub struct SeriesSink<'a> {
    readers: &'a Readers<'a>,
    /// What was read.
    pub collected: Collected,
    /// What could not be read.
    pub damage: DamageList,
    events: u64,
    headings: HashMap<Vec<u8>, Columns>,
    key: Vec<u8>,
}

/// What was read, of one source or of several.
#[derive(Default)]
pub struct Collected {
    places: HashMap<Box<[u8]>, usize>,
    series: Vec<(SeriesKey, Vec<Point>)>,
    /// Entries and pool timeouts, minute by minute.
    pub tally: Tally,
    /// The first and the last pool timeout of each minute that has one.
    pub timeouts: BTreeMap<Minute, (Timestamp, Timestamp)>,
    /// Messages that look like a snapshot and cannot be read as one.
    pub unparsed: u64,
    /// Snapshots without a time.
    pub undated: u64,
    /// Snapshots that were beyond the limits.
    pub left_out: u64,
}

impl<'a> SeriesSink<'a> {
    /// A sink that was told nothing yet.
    pub fn new(readers: &'a Readers<'a>) -> Self {
        Self {
            readers,
            collected: Collected::default(),
            damage: DamageList::default(),
            events: 0,
            headings: HashMap::new(),
            key: Vec::new(),
        }
    }

    fn read(&mut self, classifier: &Classifier, rule: RuleIndex, entry: &Entry<'_>, number: u64) {
        let matched = classifier.rules().rule(rule);
        let is_table = matched.reader == Reader::ShowPools;
        let mut columns = if is_table { self.heading(entry) } else { None };
        let snapshots = format::read(classifier, rule, entry.message, &mut columns);
        let has_heading = columns.is_some();
        if has_heading {
            self.remember(entry, columns);
        }
        if snapshots.is_empty() && !has_heading {
            self.collected.unparsed += 1;
        }
        let format = &matched.id;
        for snapshot in &snapshots {
            self.keep(entry, format, snapshot, number);
        }
    }

    fn keep(&mut self, entry: &Entry<'_>, format: &str, snapshot: &Snapshot<'_>, number: u64) {
        let pool = snapshot.pool.as_deref().unwrap_or(NO_NAME);
        let pool = pool.get(..MAX_NAME_BYTES).unwrap_or(pool);
        if let Some(wanted) = self.readers.wanted
            && !wanted.is_match(String::from_utf8_lossy(pool).as_ref())
        {
            return;
        }
        let Some(at) = entry.at else {
            self.collected.undated += 1;
            return;
        };
        let Some(point) = Point::new(at, &snapshot.values, number) else {
            self.collected.unparsed += 1;
            return;
        };
        let named = Named {
            pool,
            host: entry.host,
            unit: entry.unit,
            identifier: entry.identifier.filter(|_| entry.unit.is_none()),
            format,
        };
        named.write(&mut self.key);
        match self.collected.place(&self.key, || named.key()) {
            Some(points) if self.readers.budget.take() => points.push(point),
            _ => self.collected.left_out += 1,
        }
    }

    /// The heading that the process of the entry printed last.
    fn heading(&mut self, entry: &Entry<'_>) -> Option<Columns> {
        if self.headings.is_empty() {
            return None;
        }
        self.headings.get(&process(entry)).cloned()
    }

    fn remember(&mut self, entry: &Entry<'_>, columns: Option<Columns>) {
        let Some(columns) = columns else { return };
        let process = process(entry);
        if self.headings.len() < MAX_HEADINGS || self.headings.contains_key(&process) {
            self.headings.insert(process, columns);
        }
    }
}

/// Who logged the entry, as far as it says.
fn process(entry: &Entry<'_>) -> Vec<u8> {
    let parts = [entry.host, entry.unit.or(entry.identifier), entry.pid];
    parts.map(Option::unwrap_or_default).join(&0)
}

/// A series' key, borrowed.
struct Named<'m> {
    pool: &'m [u8],
    host: Option<&'m [u8]>,
    unit: Option<&'m [u8]>,
    identifier: Option<&'m [u8]>,
    format: &'m str,
}

impl Named<'_> {
    /// Writes what tells it from others; no part holds the byte in between, but to be hostile.
    fn write(&self, to: &mut Vec<u8>) {
        to.clear();
        let parts = [Some(self.pool), self.host, self.unit, self.identifier];
        for part in parts.into_iter().chain([Some(self.format.as_bytes())]) {
            to.push(u8::from(part.is_some()));
            to.extend_from_slice(part.unwrap_or_default());
            to.push(0);
        }
    }

    fn key(&self) -> SeriesKey {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        SeriesKey {
            pool: text(self.pool),
            host: self.host.map(text),
            unit: self.unit.map(text),
            identifier: self.identifier.map(text),
            format: self.format.to_owned(),
        }
    }
}

impl Collected {
    /// The points of a series; `None` where there are too many series.
    fn place(&mut self, key: &[u8], named: impl FnOnce() -> SeriesKey) -> Option<&mut Vec<Point>> {
        let place = match self.places.get(key) {
            Some(place) => *place,
            None if self.series.len() >= MAX_SERIES => return None,
            None => {
                self.series.push((named(), Vec::new()));
                self.places.insert(key.into(), self.series.len() - 1);
                self.series.len() - 1
            }
        };
        self.series.get_mut(place).map(|(_, points)| points)
    }

    /// Leaves out what another source gave already.
    pub fn leave_out(&mut self, repeats: &Repeats, rules: &crate::rules::RuleSet) -> u64 {
        for (_, points) in &mut self.series {
            points.retain(|point| !repeats.contains(point.event(), Some(point.at())));
        }
        for (first, last) in &repeats.copied {
            self.timeouts.retain(|minute, _| !(first..=last).contains(&minute));
        }
        self.tally.take_repeats(repeats, rules)
    }

    /// Adds what another source gave.
    pub fn merge(&mut self, other: Self) {
        self.merge_after(other, 0);
    }

    fn merge_after(&mut self, other: Self, events_before: u64) {
        let mut series: Vec<_> = other.series.into_iter().map(Some).collect();
        for (key, place) in other.places {
            let Some((named, points)) = series.get_mut(place).and_then(Option::take) else {
                continue;
            };
            let count = points.len() as u64;
            match self.place(&key, || named) {
                Some(own) if own.is_empty() && events_before == 0 => *own = points,
                Some(own) => {
                    own.extend(points.into_iter().map(|point| point.after_events(events_before)));
                }
                None => self.left_out += count,
            }
        }
        self.tally.merge(other.tally);
        for (minute, (first, last)) in other.timeouts {
            self.note_timeouts(minute, first, last);
        }
        self.unparsed += other.unparsed;
        self.undated += other.undated;
        self.left_out += other.left_out;
    }

    fn note_timeouts(&mut self, minute: Minute, first: Timestamp, last: Timestamp) {
        let known = self.timeouts.entry(minute).or_insert((first, last));
        *known = (known.0.min(first), known.1.max(last));
    }

    /// The series in the order of their keys.
    pub fn into_series(self) -> Vec<Series> {
        let known = self.series.into_iter().filter(|(_, points)| !points.is_empty());
        let mut series: Vec<Series> = known.map(|(key, points)| Series::new(key, points)).collect();
        series.sort_by(|a, b| a.key.cmp(&b.key));
        series
    }
}

impl Merge for SeriesSink<'_> {
    fn merge(&mut self, mut later: Self, _lines_before: u64) {
        let remarks = std::mem::take(&mut later.collected.tally.remarks);
        self.collected.tally.remarks.append(remarks);
        self.collected.merge_after(later.collected, self.events);
        self.events += later.events;
        self.damage.merge(later.damage);
    }
}

impl Sink for SeriesSink<'_> {
    fn entries(&mut self, minute: Option<Minute>, count: u64) {
        match minute {
            Some(minute) => self.collected.tally.at(Some(minute.start())).entries += count,
            None => self.collected.tally.undated.entries += count,
        }
    }

    fn event(&mut self, event: &Event<'_>) -> ControlFlow<()> {
        let number = self.events;
        self.events += 1;
        let readers = self.readers;
        let rule = readers.asked.rules().rule(event.rule);
        match rule.class.as_str() {
            POOL_TIMEOUT => {}
            POOL_SNAPSHOT => {
                self.read(readers.asked, event.rule, event.entry, number);
                return ControlFlow::Continue(());
            }
            // Other failures have a number, and say nothing of pools.
            _ => return ControlFlow::Continue(()),
        }
        if !rule.echo {
            let class = readers.asked.class_of(event.rule);
            self.collected.tally.at(event.entry.at).add_events(class, event.times.into());
            if let Some(at) = event.entry.at {
                self.collected.note_timeouts(at.minute(), at, at);
            }
        }
        if let Some(rule) = readers.snapshots.classify(event.entry.message, event.entry) {
            self.read(readers.snapshots, rule, event.entry, number);
        }
        ControlFlow::Continue(())
    }

    fn damage(&mut self, damage: Damage) {
        self.damage.push(damage);
    }

    fn remark(&mut self, _remark: Remark) {}
}
