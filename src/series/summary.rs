//! A series cut into buckets of the calendar: of each value the least, the most and the last.

use chrono_tz::Tz;

use super::point::Series;
use super::snapshot::Gauge;
use crate::time::Timestamp;
use crate::timeline::{By, Grain, calendar};

/// What a series says of one bucket. A bucket without a snapshot has none of these: nothing is
/// known about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeriesBucket {
    /// The first instant inside.
    pub start: Timestamp,
    /// The first instant after.
    pub end: Timestamp,
    /// Snapshots in it.
    pub snapshots: u64,
    /// By [`Gauge::ALL`].
    pub gauges: [Option<GaugeSummary>; Gauge::ALL.len()],
    /// Callers that gave up in it, by the counter; `None`: not known.
    pub new_timeouts: Option<u64>,
}

/// One value in a bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GaugeSummary {
    /// The least.
    pub min: u64,
    /// The most.
    pub max: u64,
    /// The last.
    pub last: u64,
}

impl GaugeSummary {
    fn add(known: Option<Self>, value: u64) -> Self {
        match known {
            None => Self { min: value, max: value, last: value },
            Some(known) => {
                Self { min: known.min.min(value), max: known.max.max(value), last: value }
            }
        }
    }
}

impl SeriesBucket {
    /// One of the values.
    pub fn get(&self, gauge: Gauge) -> Option<GaugeSummary> {
        self.gauges.get(gauge as usize).copied().flatten()
    }
}

/// The buckets of a series that have a snapshot, in the order of time, and their length.
pub fn summarize(series: &Series, by: By, zone: Tz) -> (Grain, Vec<SeriesBucket>) {
    let (first, last) = series.span().unwrap_or((Timestamp::MIN, Timestamp::MIN));
    let grain = by.grain(first, last);
    let mut buckets: Vec<SeriesBucket> = Vec::new();
    for (position, point) in series.points().iter().enumerate() {
        if buckets.last().is_none_or(|bucket| point.at() >= bucket.end) {
            let Some(after) = Timestamp::from_micros(point.at().micros() + 1) else { break };
            let bounds = calendar::buckets(grain, zone, point.at(), after).next();
            let Some((start, end)) = bounds else { break };
            buckets.push(SeriesBucket {
                start,
                end,
                snapshots: 0,
                gauges: [None; Gauge::ALL.len()],
                new_timeouts: None,
            });
        }
        let Some(bucket) = buckets.last_mut() else { break };
        bucket.snapshots += 1;
        for (place, gauge) in bucket.gauges.iter_mut().zip(Gauge::ALL) {
            if let Some(value) = point.get(gauge) {
                *place = Some(GaugeSummary::add(*place, value));
            }
        }
        if let Some(more) = series.new_timeouts(position) {
            *bucket.new_timeouts.get_or_insert(0) += more;
        }
    }
    (grain, buckets)
}
