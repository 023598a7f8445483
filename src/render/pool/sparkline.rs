//! A sparkline: a series on one line of the terminal, each column the most of its time.

use crate::series::{Gauge, Point, Series};
use crate::time::Timestamp;

/// One column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Column {
    /// No snapshot: nothing is known.
    Gap,
    /// So many eighths of the top, from 1, and whether the pool was saturated.
    Level(u8, bool),
}

/// The levels, from the lowest.
const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
const PLAIN: [char; 8] = ['.', ':', '-', '=', '+', '*', '%', '#'];

impl Column {
    /// How it is drawn.
    pub fn symbol(self, unicode: bool) -> char {
        let levels = if unicode { BLOCKS } else { PLAIN };
        match self {
            Self::Gap => ' ',
            Self::Level(level, _) => {
                levels.get(usize::from(level.saturating_sub(1))).copied().unwrap_or(levels[7])
            }
        }
    }
}

/// What of a pool a sparkline shows: the connections in use where they are known, or how long
/// callers waited, or how many of them.
pub fn shown_gauge(series: &Series) -> Option<Gauge> {
    let known = |gauge: &Gauge| series.points().iter().any(|point| point.get(*gauge).is_some());
    [Gauge::InUse, Gauge::Waiting, Gauge::WaitUs, Gauge::Size, Gauge::Idle].into_iter().find(known)
}

/// The columns from one instant to another, both included, at most `width` of them. The top is
/// the pool's limit where it is known, else the most that there was.
pub fn columns(
    series: &Series,
    gauge: Gauge,
    (from, to): (Timestamp, Timestamp),
    width: usize,
) -> Vec<Column> {
    let most = |gauge| series.points().iter().filter_map(|point| point.get(gauge)).max();
    let limit = if gauge == Gauge::InUse { most(Gauge::Max) } else { None };
    let top = limit.max(most(gauge)).unwrap_or(0).max(1);
    let span_us = (to.micros() - from.micros()).max(1);
    let mut columns = vec![Column::Gap; width];
    for point in series.points() {
        let share = i128::from(point.at().micros() - from.micros()) * width as i128;
        let position = (share / i128::from(span_us)).clamp(0, width as i128 - 1) as usize;
        let Some(value) = point.get(gauge) else { continue };
        let level = 1 + (u128::from(value.min(top)) * 7).div_ceil(u128::from(top)) as u8;
        if let Some(column) = columns.get_mut(position) {
            *column = higher(*column, level, point);
        }
    }
    bridged(series, columns, span_us)
}

fn higher(column: Column, level: u8, point: &Point) -> Column {
    match column {
        Column::Gap => Column::Level(level, point.is_saturated()),
        Column::Level(known, was) => Column::Level(known.max(level), was || point.is_saturated()),
    }
}

/// Where columns are narrower than the points are apart, the ones between hold no point and yet
/// are no gap: they show what was before.
fn bridged(series: &Series, mut columns: Vec<Column>, span_us: i64) -> Vec<Column> {
    let column_us = (span_us / columns.len().max(1) as i64).max(1);
    let bridge = usize::try_from(series.gap_us() / column_us).unwrap_or(usize::MAX);
    let mut last: Option<(usize, Column)> = None;
    for position in 0..columns.len() {
        let Some(&column) = columns.get(position) else { break };
        if column == Column::Gap {
            continue;
        }
        if let Some((at, before)) = last
            && position - at - 1 <= bridge
            && let Some(between) = columns.get_mut(at + 1..position)
        {
            between.fill(before);
        }
        last = Some((position, column));
    }
    columns
}
