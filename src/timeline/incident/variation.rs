//! How what is usual varies: from week to week, and more than chance would have it.
//!
//! A program gets better or worse over months, and a share that was learned from all of them fits
//! none. So each day has a level, the median over the days around it, which no incident of some
//! days moves. And failures may come in crowds, because one cause makes many; then a count says
//! less than a Poisson distribution has it. How much less is told by how neighbouring hours differ
//! (quasi-likelihood, Wedderburn 1974); by the median, too, because hours of an incident differ.

use super::baseline::{Baseline, total};
use super::stretches::Stretches;
use super::traffic::HOUR;

/// Days before and after that tell a day's level.
const DAYS_AROUND: usize = 7;
/// Fewer days than that tell none.
const LEAST_DAYS: usize = 5;
/// So many events of a day would not move its level far.
const INERTIA: f64 = 5.0;
/// What is compared has so many events, if all is usual.
const EVENTS_TO_COMPARE: f64 = 10.0;
/// Fewer comparisons than that tell nothing.
const LEAST_COMPARISONS: usize = 20;
/// The median of the square of a number that is normally distributed.
const MEDIAN_SQUARE: f64 = 0.455;
/// The standard deviation of the median of so many squares is this divided by the root of their
/// number, relative to the median.
const DEVIATION: f64 = 2.3;

/// How many times the usual each day has.
pub(super) fn levels(stretches: &Stretches, baseline: &Baseline) -> Vec<f64> {
    let days: Vec<Option<f64>> = stretches
        .days()
        .map(|day| {
            let day = total(day);
            let expected = f64::from(baseline.expected(&day));
            (day.known_minutes > 0.0)
                .then(|| (f64::from(day.events) + INERTIA) / (expected + INERTIA))
        })
        .collect();
    let level = |day: usize| {
        let around = day.saturating_sub(DAYS_AROUND)..days.len().min(day + DAYS_AROUND + 1);
        let around = days.get(around).unwrap_or_default();
        let mut known: Vec<f64> = around.iter().flatten().copied().collect();
        if known.len() < LEAST_DAYS { 1.0 } else { median(&mut known) }
    };
    let levels: Vec<f64> = (0..days.len()).map(level).collect();
    let middle = median(&mut levels.clone());
    levels.into_iter().map(|level| level / middle).collect()
}

/// How many times the variance of a Poisson distribution there is; at least one.
pub(super) fn dispersion(stretches: &Stretches, baseline: &Baseline) -> f64 {
    let mut parts: Vec<(f64, f64)> = Vec::new();
    let mut open = (0.0, 0.0);
    for portion in stretches.portions().map(total) {
        open.0 += f64::from(portion.events);
        open.1 += f64::from(baseline.expected(&portion));
        if open.1 >= EVENTS_TO_COMPARE {
            parts.push(std::mem::take(&mut open));
        }
    }
    // Whatever the rate of two neighbours, the square of this is 1 on the average.
    let difference = |pair: &[(f64, f64)]| match pair {
        [(events, expected), (next_events, next_expected)] => {
            let difference = events * next_expected - next_events * expected;
            let variance = expected * next_expected * (events + next_events).max(1.0);
            difference * difference / variance
        }
        _ => 0.0,
    };
    let mut squares: Vec<f64> = parts.windows(2).map(difference).collect();
    if stretches.portion < HOUR || squares.len() < LEAST_COMPARISONS {
        return 1.0;
    }
    // As little as it may be: chance alone is no reason to doubt.
    let doubt = 1.0 + DEVIATION / (squares.len() as f64).sqrt();
    (median(&mut squares) / MEDIAN_SQUARE / doubt).max(1.0)
}

fn median(values: &mut [f64]) -> f64 {
    let middle = values.len() / 2;
    if values.is_empty() {
        return 1.0;
    }
    *values.select_nth_unstable_by(middle, f64::total_cmp).1
}
