//! How many events there are when nothing is wrong.
//!
//! Events follow traffic, so the expectation of a minute is `constant + share × exposure`. Both
//! numbers are learned from what is held to be normal, by expectation maximisation for a sum of
//! two Poisson sources (the multiplicative update of Richardson 1972 and Lucy 1974).

use super::stretches::{Stretch, Stretches};

/// The baseline is known well enough when it changes by less.
const MAX_DIFFERENCE: f64 = 0.02;
/// What is always expected of a minute: about one event in two days. Where none was ever seen,
/// nobody knows that there is never one.
const LEAST_PER_MINUTE: f64 = 1.0 / 2880.0;
const ROUNDS: usize = 200;
/// Incidents may take much of the time, or none of it,
const GUESSES: [f64; 3] = [0.35, 0.85, 1.0];
/// and of a short log nearly all: who reads a week or less may be in the midst of one.
const GUESS_OF_SHORT_LOG: f64 = 0.1;
const SHORT_LOG_PORTIONS: usize = 7 * 24;

/// What is expected when nothing is wrong.
#[derive(Debug, Clone, Copy)]
pub(super) struct Baseline {
    /// Events a minute, whatever the traffic.
    pub(super) constant: f64,
    /// Events an entry.
    pub(super) share: f64,
    /// How many times the variance of a Poisson distribution there is.
    pub(super) dispersion: f64,
}

impl Baseline {
    /// Learns from what is normal.
    pub(super) fn learn(normal: &Sums, dispersion: f64) -> Self {
        let events = normal.events();
        let (minutes, exposure) = (normal.minutes.max(1.0), normal.exposure.max(0.0));
        // Half from each source, to begin with.
        let mut constant = events / minutes / 2.0;
        let mut share = if exposure > 0.0 { events / exposure / 2.0 } else { 0.0 };
        for _ in 0..ROUNDS {
            let (mut of_constant, mut of_share) = (0.0, 0.0);
            for step in normal.steps.iter().filter(|step| step.events > 0.0) {
                let mean_exposure = step.exposure / step.events;
                let expected = (constant + share * mean_exposure).max(f64::MIN_POSITIVE);
                of_constant += step.events * constant / expected;
                of_share += step.events * share * mean_exposure / expected;
            }
            constant = of_constant / minutes;
            share = if exposure > 0.0 { of_share / exposure } else { 0.0 };
        }
        Self { constant: constant + LEAST_PER_MINUTE, share, dispersion }
    }

    /// Whether it is the same well enough, with much traffic and with little.
    pub(super) fn is_like(&self, other: &Self, all: &Sums) -> bool {
        let mean = all.exposure / all.minutes.max(1.0);
        [0.1, 1.0, 2.0].into_iter().all(|times| {
            let [a, b] = [self, other].map(|it| it.constant + it.share * mean * times);
            (a - b).abs() <= a.max(b) * MAX_DIFFERENCE
        })
    }

    /// Events that a stretch would have if nothing were wrong; 0 where nothing is known of it.
    #[inline]
    pub(super) fn expected(&self, stretch: &Stretch) -> f32 {
        self.constant as f32 * stretch.weight + self.share as f32 * stretch.exposure
    }

    /// The logarithm of how likely all events are if nothing is wrong, but for what is the same
    /// for every baseline.
    pub(super) fn likelihood(&self, all: &Sums) -> f64 {
        let of_events = all.steps.iter().filter(|step| step.events > 0.0).map(|step| {
            step.events * (self.constant + self.share * step.exposure / step.events).ln()
        });
        let of_time = self.constant * all.minutes + self.share * all.exposure;
        (of_events.sum::<f64>() - of_time) / self.dispersion
    }
}

/// What a baseline is learned from: the sums over stretches. Of those without events no more
/// matters than how long they are and how much traffic they had.
#[derive(Debug, Clone, Default)]
pub(super) struct Sums {
    pub(super) minutes: f64,
    exposure: f64,
    /// Minutes with events, by the logarithm of their exposure.
    steps: Vec<Step>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Step {
    events: f64,
    /// The exposure of each event's minute, added up.
    exposure: f64,
}

impl Sums {
    /// An idea of what is normal: most of it.
    pub(super) fn guess(stretches: &Stretches) -> Self {
        Self::guesses(stretches).into_iter().rev().nth(1).unwrap_or_default()
    }

    /// A first idea of what is normal for each of [`GUESSES`]: the portions that have the fewest
    /// events for their length and traffic, that share of all. The last is the sum of all.
    pub(super) fn guesses(stretches: &Stretches) -> Vec<Self> {
        let totals: Vec<Stretch> = stretches.portions().map(total).collect();
        let all = total(&totals);
        let mut portions: Vec<(f32, &[Stretch])> = totals
            .iter()
            .zip(stretches.portions())
            .filter(|(total, _)| total.weight > 0.0)
            .map(|(total, portion)| {
                let traffic = total.exposure / all.exposure.max(f32::MIN_POSITIVE);
                (total.events / (total.weight / all.weight + traffic), portion)
            })
            .collect();
        // The sort is stable, so that equal ones stay in the order of time.
        portions.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut sum = Self::default();
        let mut from = 0;
        let of_share = |share: f64| {
            let until = (portions.len() as f64 * share).ceil() as usize;
            let added = portions.get(from..until).unwrap_or_default();
            added
                .iter()
                .flat_map(|(_, portion)| *portion)
                .for_each(|stretch| sum.add(stretch, 1.0));
            from = until;
            sum.clone()
        };
        let is_short = portions.len() <= SHORT_LOG_PORTIONS;
        is_short.then_some(GUESS_OF_SHORT_LOG).into_iter().chain(GUESSES).map(of_share).collect()
    }

    /// What is left without some of the stretches.
    pub(super) fn without<'a>(&self, stretches: impl Iterator<Item = &'a Stretch>) -> Self {
        let mut left = self.clone();
        stretches.for_each(|stretch| left.add(stretch, -1.0));
        left
    }

    /// What part of the traffic failed that is in these sums and not in `normal`; 0 where there is
    /// none.
    pub(super) fn failing_share_beside(&self, normal: &Self) -> f64 {
        let exposure = self.exposure - normal.exposure;
        if exposure > 0.0 { (self.events() - normal.events()) / exposure } else { 0.0 }
    }

    /// What part of all traffic failed.
    pub(super) fn failing_share(&self) -> f64 {
        self.failing_share_beside(&Self::default())
    }

    fn events(&self) -> f64 {
        self.steps.iter().map(|step| step.events).sum()
    }

    fn add(&mut self, stretch: &Stretch, times: f64) {
        self.minutes += times * f64::from(stretch.weight);
        self.exposure += times * f64::from(stretch.exposure);
        if stretch.events > 0.0 {
            let step = step_of(stretch.exposure);
            if self.steps.len() <= step {
                self.steps.resize(step + 1, Step::default());
            }
            if let Some(step) = self.steps.get_mut(step) {
                step.events += times * f64::from(stretch.events);
                step.exposure += times * f64::from(stretch.events * stretch.exposure);
            }
        }
    }
}

/// Exposures are told apart by their logarithm, in steps of a quarter of an octave: by the highest
/// bits of the number.
fn step_of(exposure: f32) -> usize {
    const SHIFT: u32 = f32::MANTISSA_DIGITS - 3;
    let least = 1.0_f32.to_bits() >> SHIFT;
    (((exposure + 1.0).to_bits() >> SHIFT) - least) as usize
}

/// What stretches have together.
pub(super) fn total(stretches: &[Stretch]) -> Stretch {
    stretches.iter().fold(Stretch::default(), |sum, stretch| Stretch {
        start: 0,
        known_minutes: sum.known_minutes + stretch.known_minutes,
        weight: sum.weight + stretch.weight,
        exposure: sum.exposure + stretch.exposure,
        events: sum.events + stretch.events,
    })
}
