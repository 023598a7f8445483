//! The course of a pool: what its snapshots say for each pixel of the time axis.
//!
//! A snapshot holds until the next one. Where the next one comes late, nothing is known of the
//! time between.

use std::ops::Range;

use super::figure::{PoolPoint, PoolPoints};
use super::frame::Frame;
use crate::time::Timestamp;

/// A snapshot holds no longer than so many times what usually lies between two.
const MAX_PAUSES: i64 = 3;
/// So many distances of snapshots tell what is usual.
const MAX_SAMPLES: usize = 10_000;

/// What is lowest and highest within a pixel.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Extremes {
    pub(super) max: Option<(u64, u64)>,
    pub(super) size: Option<(u64, u64)>,
    pub(super) in_use: Option<(u64, u64)>,
    pub(super) waiting: Option<(u64, u64)>,
}

/// The highest values of all.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Peaks {
    pub(super) max: Option<u64>,
    pub(super) size: Option<u64>,
    pub(super) in_use: Option<u64>,
    pub(super) waiting: Option<u64>,
}

/// A pool's snapshots as a figure shows them.
#[derive(Debug)]
pub(super) struct Course {
    /// One for each pixel of the time axis.
    columns: Vec<Extremes>,
    pub(super) peaks: Peaks,
}

/// How full a pool was: the more, the greater. First of all counts for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Fullness {
    /// For how long callers waited, or all connections were in use.
    full_us: i64,
    peak_waiting: Option<u64>,
    peak_in_use: Option<u64>,
}

impl Fullness {
    pub(super) fn of(points: &dyn PoolPoints, frame: &Frame) -> Self {
        let mut all = Self { full_us: 0, peak_waiting: None, peak_in_use: None };
        for (point, _, holds_us) in shown(points, frame) {
            all.full_us += if point.is_full() { holds_us } else { 0 };
            all.peak_waiting = all.peak_waiting.max(point.waiting);
            all.peak_in_use = all.peak_in_use.max(point.in_use);
        }
        all
    }
}

impl Course {
    pub(super) fn new(points: &dyn PoolPoints, frame: &Frame) -> Self {
        let columns = vec![Extremes::default(); frame.width().max(0) as usize];
        let mut course = Self { columns, peaks: Peaks::default() };
        for (point, pixels, _) in shown(points, frame) {
            course.add(&point, pixels, frame.left);
        }
        course
    }

    fn add(&mut self, point: &PoolPoint, pixels: Range<i32>, left: i32) {
        let range = (pixels.start - left).max(0) as usize..(pixels.end - left).max(0) as usize;
        for column in self.columns.get_mut(range).unwrap_or_default() {
            widen(&mut column.max, point.max);
            widen(&mut column.size, point.size);
            widen(&mut column.in_use, point.in_use);
            widen(&mut column.waiting, point.waiting);
        }
        let peaks = &mut self.peaks;
        for (peak, value) in [
            (&mut peaks.max, point.max),
            (&mut peaks.size, point.size),
            (&mut peaks.in_use, point.in_use),
            (&mut peaks.waiting, point.waiting),
        ] {
            *peak = (*peak).max(value);
        }
    }

    /// The runs of pixels with the same values, from left to right; pixels of which nothing is
    /// known are in none.
    pub(super) fn runs(
        &self,
        of: fn(&Extremes) -> Option<(u64, u64)>,
    ) -> Vec<(Range<i32>, (u64, u64))> {
        let mut runs: Vec<(Range<i32>, (u64, u64))> = Vec::new();
        for (x, column) in (0..).zip(&self.columns) {
            let Some(values) = of(column) else { continue };
            match runs.last_mut() {
                Some((pixels, same)) if *same == values && pixels.end == x => pixels.end = x + 1,
                _ => runs.push((x..x + 1, values)),
            }
        }
        runs
    }
}

impl PoolPoint {
    /// Whether a caller who comes now has to wait.
    fn is_full(&self) -> bool {
        let all_in_use = self.max.zip(self.in_use).is_some_and(|(max, used)| used >= max);
        all_in_use || self.waiting.is_some_and(|waiting| waiting > 0)
    }
}

/// The snapshots that a figure shows, with their pixels and for how long each holds, in
/// microseconds.
fn shown<'p>(
    points: &'p dyn PoolPoints,
    frame: &'p Frame,
) -> impl Iterator<Item = (PoolPoint, Range<i32>, i64)> + 'p {
    let usual = usual_distance(points);
    let longest = usual.saturating_mul(MAX_PAUSES);
    (0..points.count()).filter_map(move |position| {
        let point = points.get(position)?;
        let distance = points.get(position + 1).map(|next| next.at.micros() - point.at.micros());
        let holds_us = distance.filter(|distance| *distance <= longest).unwrap_or(usual).max(0);
        let end = Timestamp::from_micros(point.at.micros().saturating_add(holds_us));
        let end = end.unwrap_or(point.at);
        let is_shown = frame.holds_some(point.at, end);
        is_shown.then(|| (point, frame.pixels(point.at, end), holds_us))
    })
}

fn widen(range: &mut Option<(u64, u64)>, value: Option<u64>) {
    if let Some(value) = value {
        *range =
            Some(range.map_or((value, value), |(low, high)| (low.min(value), high.max(value))));
    }
}

/// What usually lies between two snapshots, in microseconds: the median.
fn usual_distance(points: &dyn PoolPoints) -> i64 {
    let every = (points.count() / MAX_SAMPLES).max(1);
    let distance = |position: usize| {
        let (one, next) = (points.get(position)?, points.get(position + 1)?);
        Some(next.at.micros() - one.at.micros())
    };
    let positions = (0..points.count()).step_by(every);
    let mut distances: Vec<i64> = positions.filter_map(distance).filter(|us| *us > 0).collect();
    if distances.is_empty() {
        return 0;
    }
    let middle = distances.len() / 2;
    *distances.select_nth_unstable(middle).1
}
