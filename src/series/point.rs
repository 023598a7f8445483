//! Points and series: what was said about one pool, in the order of time.

use super::snapshot::{Gauge, Values};
use crate::time::Timestamp;

/// A pool's state at one instant, in 40 bytes: an outage is many points.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Point {
    at: Timestamp,
    /// By [`Gauge`]; `UNKNOWN`: not said.
    values: [u32; Gauge::ALL.len()],
    /// The number of the event among those of its source, as far as 32 bits reach.
    event: u32,
}

const UNKNOWN: u32 = u32::MAX;

impl Point {
    /// A point; `None` where a value is larger than any pool. `event` is the number of the entry
    /// among the events of its source.
    pub(super) fn new(at: Timestamp, said: &Values, event: u64) -> Option<Self> {
        let mut values = [UNKNOWN; Gauge::ALL.len()];
        for (place, gauge) in values.iter_mut().zip(Gauge::ALL) {
            if let Some(value) = said.get(gauge) {
                *place = u32::try_from(value).ok().filter(|value| *value != UNKNOWN)?;
            }
        }
        Some(Self { at, values, event: u32::try_from(event).unwrap_or(u32::MAX) })
    }

    /// When it was logged.
    pub fn at(&self) -> Timestamp {
        self.at
    }

    /// One of the values; `None`: the line did not say.
    pub fn get(&self, gauge: Gauge) -> Option<u64> {
        let value = self.values.get(gauge as usize).copied()?;
        (value != UNKNOWN).then_some(value.into())
    }

    /// Whether no connection was to be had: none is idle and somebody waits, or as many are in use
    /// as there may be. A `max` of 0 is no limit.
    pub fn is_saturated(&self) -> bool {
        let waits = self.get(Gauge::Waiting).is_some_and(|waiting| waiting > 0);
        let none_idle = self.get(Gauge::Idle).is_none_or(|idle| idle == 0);
        let at_max = self
            .get(Gauge::InUse)
            .zip(self.get(Gauge::Max))
            .is_some_and(|(in_use, max)| max > 0 && in_use >= max);
        (waits && none_idle) || at_max
    }

    pub(super) fn event(&self) -> u64 {
        self.event.into()
    }

    /// As the reader of a later part of a source counts its events.
    pub(super) fn after_events(self, before: u64) -> Self {
        let event = u32::try_from(u64::from(self.event) + before).unwrap_or(u32::MAX);
        Self { event, ..self }
    }

    /// Both points as one, where they are of one instant and nothing in them contradicts.
    fn joined(&self, other: &Self) -> Option<Self> {
        let mut joined = *self;
        for (own, more) in joined.values.iter_mut().zip(other.values) {
            match (*own, more) {
                (_, UNKNOWN) => {}
                (UNKNOWN, more) => *own = more,
                (own, more) if own == more => {}
                _ => return None,
            }
        }
        (self.at == other.at).then_some(joined)
    }
}

/// What makes points those of one series.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SeriesKey {
    /// The pool's name; `default` where the line names none.
    pub pool: String,
    /// The host that logged it.
    pub host: Option<String>,
    /// The systemd unit that logged it.
    pub unit: Option<String>,
    /// The syslog identifier, where the unit is not known.
    pub identifier: Option<String>,
    /// The id of the rule that read it.
    pub format: String,
}

/// The points of one pool, in the order of time; of equal ones at one instant there is one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Series {
    /// Whose points these are.
    pub key: SeriesKey,
    points: Vec<Point>,
}

impl Series {
    /// Puts the points in order. What was said in several lines of one instant becomes one point.
    pub(super) fn new(key: SeriesKey, mut points: Vec<Point>) -> Self {
        points.sort_by_key(Point::at);
        points.dedup_by(|later, kept| match kept.joined(later) {
            Some(joined) => {
                *kept = joined;
                true
            }
            None => false,
        });
        Self { key, points }
    }

    /// The points.
    pub fn points(&self) -> &[Point] {
        &self.points
    }

    /// The first and the last instant; `None`: there is no point.
    pub fn span(&self) -> Option<(Timestamp, Timestamp)> {
        Some((self.points.first()?.at, self.points.last()?.at))
    }

    /// How far apart the points usually are, in microseconds: the median; `None` where there are
    /// less than two.
    pub fn usual_interval_us(&self) -> Option<i64> {
        let pairs = self.points.iter().zip(self.points.iter().skip(1));
        let mut apart: Vec<i64> = pairs.map(|(a, b)| b.at.micros() - a.at.micros()).collect();
        let middle = apart.len().checked_sub(1)? / 2;
        let (_, median, _) = apart.select_nth_unstable(middle);
        Some(*median)
    }

    /// Points farther apart than this have a gap between them, in microseconds: three times the
    /// usual.
    pub fn gap_us(&self) -> i64 {
        const TIMES: i64 = 3;
        self.usual_interval_us().map_or(i64::MAX, |usual| usual.max(1).saturating_mul(TIMES))
    }

    /// How many callers gave up between the point before and this one: what the counter rose by,
    /// or all that it says where the process was started in between.
    pub fn new_timeouts(&self, position: usize) -> Option<u64> {
        let now = self.points.get(position)?.get(Gauge::Timeouts)?;
        let earlier = self.points.get(..position)?.iter().rev();
        let before = earlier.take(COUNTER_REACH).find_map(|point| point.get(Gauge::Timeouts))?;
        Some(if now >= before { now - before } else { now })
    }
}

/// Other formats may stand between two lines that say the counter; no further is looked.
const COUNTER_REACH: usize = 8;
