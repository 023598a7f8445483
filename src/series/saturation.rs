//! Saturation: the windows in which a pool had no connection to give.

use super::point::{Point, Series};
use super::snapshot::Gauge;
use crate::time::Timestamp;

/// A window in which every snapshot shows the pool saturated, but for pauses of one or two.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Saturation {
    /// The position of the series.
    pub series: usize,
    /// The first snapshot that shows it.
    pub start: Timestamp,
    /// The last one.
    pub end: Timestamp,
    /// How many snapshots show it.
    pub snapshots: usize,
    /// The most callers that waited at once; `None`: no snapshot says.
    pub peak_waiting: Option<u64>,
}

/// The windows of all series, in the order of time.
pub fn saturations(series: &[Series]) -> Vec<Saturation> {
    let mut found: Vec<Saturation> =
        series.iter().enumerate().flat_map(|(position, series)| of_one(position, series)).collect();
    found.sort_by_key(|window| (window.start, window.series));
    found
}

fn of_one(position: usize, series: &Series) -> Vec<Saturation> {
    let longest_pause_us = series.gap_us();
    let mut windows: Vec<Saturation> = Vec::new();
    for point in series.points().iter().filter(|point| point.is_saturated()) {
        match windows.last_mut() {
            Some(open) if point.at().micros() - open.end.micros() <= longest_pause_us => {
                open.end = point.at();
                open.snapshots += 1;
                open.peak_waiting = open.peak_waiting.max(point.get(Gauge::Waiting));
            }
            _ => windows.push(Saturation::of(position, point)),
        }
    }
    windows
}

impl Saturation {
    fn of(series: usize, point: &Point) -> Self {
        Self {
            series,
            start: point.at(),
            end: point.at(),
            snapshots: 1,
            peak_waiting: point.get(Gauge::Waiting),
        }
    }
}
