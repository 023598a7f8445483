//! The lead: how long before the first failure of an incident a pool was already full, and how
//! fast it had filled.

use super::point::{Point, Series};
use super::saturation::Saturation;
use super::snapshot::Gauge;
use crate::time::Timestamp;

/// A pool that was full when callers began to give up.
#[derive(Debug, Clone, PartialEq)]
pub struct Lead {
    /// The position of the series.
    pub series: usize,
    /// The first failure of the incident.
    pub first_timeout: Timestamp,
    /// Since when the pool was full.
    pub full_since: Timestamp,
    /// How the pool had filled, where the log goes back to a calm level.
    pub filling: Option<Filling>,
}

/// The way from a calm level to full.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Filling {
    /// The last snapshot with no more connections in use than usual, and no fewer open.
    pub calm_until: Timestamp,
    /// Connections in use then.
    pub calm_in_use: u64,
    /// Connections in use when the pool was full.
    pub full_in_use: u64,
    /// Connections open at the calm level.
    pub calm_size: Option<u64>,
    /// Connections open when the pool was full; fewer: the pool had lost some.
    pub full_size: Option<u64>,
}

impl Lead {
    /// From full to the first failure, in microseconds.
    pub fn lead_us(&self) -> i64 {
        self.first_timeout.micros() - self.full_since.micros()
    }

    /// How many more connections were in use each minute while the pool filled; `None` where it
    /// is not known.
    pub fn connections_per_minute(&self) -> Option<f64> {
        let filling = self.filling?;
        let micros = self.full_since.micros() - filling.calm_until.micros();
        let more = filling.full_in_use.checked_sub(filling.calm_in_use)?;
        (micros > 0).then(|| more as f64 / (micros as f64 / 60e6))
    }
}

/// The pools that were full when each of the incidents began, by the first failure of each.
pub fn leads(
    series: &[Series],
    saturations: &[Saturation],
    first_timeouts: &[Timestamp],
) -> Vec<Lead> {
    let mut found = Vec::new();
    for &first_timeout in first_timeouts {
        let before = saturations.iter().filter(|window| window.start <= first_timeout);
        for window in before {
            let Some(own) = series.get(window.series) else { continue };
            let reach_us = own.gap_us().min(LONGEST_REACH_US);
            // It was still full then, as far as its snapshots reach.
            if window.end.micros().saturating_add(reach_us) >= first_timeout.micros() {
                found.push(Lead {
                    series: window.series,
                    first_timeout,
                    full_since: window.start,
                    filling: filling(own, window.start),
                });
            }
        }
    }
    found
}

/// A snapshot says nothing of what is longer after it.
const LONGEST_REACH_US: i64 = 10 * 60_000_000;

/// The usual level is the median of this much time before the pool was full.
const CALM_US: i64 = 24 * 3_600_000_000;

fn filling(series: &Series, full_since: Timestamp) -> Option<Filling> {
    let points = series.points();
    let full = points.partition_point(|point| point.at() < full_since);
    let from = points
        .partition_point(|point| point.at().micros() < full_since.micros().saturating_sub(CALM_US));
    let before = points.get(from..full)?;
    let usual_in_use = usual(before, Gauge::InUse)?;
    let usual_size = usual(before, Gauge::Size);
    let is_calm = |point: &&Point| {
        let has_size =
            point.get(Gauge::Size).zip(usual_size).is_none_or(|(size, usual)| size >= usual);
        has_size && point.get(Gauge::InUse).is_some_and(|in_use| in_use <= usual_in_use)
    };
    let calm = before.iter().rev().find(is_calm)?;
    let full = points.get(full)?;
    Some(Filling {
        calm_until: calm.at(),
        calm_in_use: calm.get(Gauge::InUse)?,
        full_in_use: full.get(Gauge::InUse)?,
        calm_size: calm.get(Gauge::Size),
        full_size: full.get(Gauge::Size),
    })
}

/// The median of a value while the pool was not saturated.
fn usual(points: &[Point], gauge: Gauge) -> Option<u64> {
    let calm = points.iter().filter(|point| !point.is_saturated());
    let mut levels: Vec<u64> = calm.filter_map(|point| point.get(gauge)).collect();
    let middle = levels.len().checked_sub(1)? / 2;
    let (_, median, _) = levels.select_nth_unstable(middle);
    Some(*median)
}
