//! How many events a minute has when nothing is wrong.
//!
//! Events follow traffic, so the expectation of a minute is `constant + share × exposure`, where
//! the exposure is the minute's entries. Both numbers are learned from the minutes that are held
//! to be normal, by expectation maximisation for a sum of two Poisson sources (the multiplicative
//! update of Richardson 1972 and Lucy 1974). An incident may make the log itself explode; entries
//! beyond a multiple of what the hour of the day usually has are no traffic, and do not count.

use super::MinuteCount;

const MINUTES_PER_HOUR: usize = 60;
const HOURS_PER_DAY: usize = 24;
/// Entries up to this multiple of what is usual at the hour are traffic.
const MAX_BUSYNESS: f64 = 4.0;
/// Minutes are told apart by their exposure in steps of a quarter.
const STEPS_PER_OCTAVE: f64 = 3.0;
/// The least that is expected of a minute: about one event in two days. Where none was ever seen,
/// nobody knows that there is never one.
const LEAST_PER_MINUTE: f64 = 1.0 / 2880.0;
const ROUNDS: usize = 30;
/// Incidents may take up to half of the time, or none of it.
const GUESSES: [f64; 3] = [0.5, 0.85, 1.0];

/// What is expected of each minute.
pub(super) struct Baseline {
    exposure: Vec<f64>,
    constant: f64,
    share: f64,
}

impl Baseline {
    /// A first guess for each of [`GUESSES`]: from the hours that have the fewest events for their
    /// traffic, that share of all.
    pub(super) fn guesses(minutes: &[MinuteCount]) -> Vec<Self> {
        let exposure = exposure(minutes);
        let mut hours: Vec<(f64, usize)> = minutes
            .chunks(MINUTES_PER_HOUR)
            .zip(exposure.chunks(MINUTES_PER_HOUR))
            .enumerate()
            .filter_map(|(hour, (minutes, exposure))| {
                let events: u64 = minutes.iter().map(|minute| minute.events).sum();
                let entries: f64 = exposure.iter().sum();
                (entries > 0.0).then(|| (events as f64 / entries, hour))
            })
            .collect();
        hours.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        let mut guesses = Vec::new();
        let mut exposure = Some(exposure);
        for (position, share) in GUESSES.into_iter().enumerate() {
            let is_last = position + 1 == GUESSES.len();
            let exposure = if is_last { exposure.take() } else { exposure.clone() };
            let mut guess =
                Self { exposure: exposure.unwrap_or_default(), constant: 0.0, share: 0.0 };
            let mut is_normal = vec![false; minutes.len().div_ceil(MINUTES_PER_HOUR)];
            let count = (hours.len() as f64 * share).ceil() as usize;
            for &(_, hour) in hours.iter().take(count) {
                if let Some(is_normal) = is_normal.get_mut(hour) {
                    *is_normal = true;
                }
            }
            guess.learn(minutes, |minute| is_normal.get(minute / MINUTES_PER_HOUR) == Some(&true));
            guesses.push(guess);
        }
        guesses
    }

    /// The logarithm of how likely the events are if nothing is wrong, but for what is the same
    /// for every baseline.
    pub(super) fn likelihood(&self, minutes: &[MinuteCount]) -> f64 {
        minutes
            .iter()
            .enumerate()
            .filter(|(_, minute)| minute.entries > 0)
            .map(|(position, minute)| {
                let expected = self.expected(position);
                minute.events as f64 * expected.ln() - expected
            })
            .sum()
    }

    /// Learns from the minutes that are normal.
    pub(super) fn learn(&mut self, minutes: &[MinuteCount], is_normal: impl Fn(usize) -> bool) {
        let mut steps: Vec<Step> = Vec::new();
        for (position, (minute, &exposure)) in minutes.iter().zip(&self.exposure).enumerate() {
            if minute.entries == 0 || !is_normal(position) {
                continue;
            }
            let step = (exposure.max(1.0).log2() * STEPS_PER_OCTAVE) as usize;
            if steps.len() <= step {
                steps.resize(step + 1, Step::default());
            }
            if let Some(step) = steps.get_mut(step) {
                step.minutes += 1.0;
                step.exposure += exposure;
                step.events += minute.events as f64;
            }
        }
        let all = steps.iter().fold(Step::default(), |all, step| all.plus(*step));
        if all.minutes == 0.0 || all.events == 0.0 {
            (self.constant, self.share) = (0.0, 0.0);
            return;
        }
        // Half from each source, to begin with.
        let (mut constant, mut share) =
            (all.events / all.minutes / 2.0, all.events / all.exposure / 2.0);
        for _ in 0..ROUNDS {
            let (mut of_constant, mut of_share) = (0.0, 0.0);
            for step in steps.iter().filter(|step| step.minutes > 0.0) {
                let expected = constant * step.minutes + share * step.exposure;
                of_constant += step.events * constant * step.minutes / expected;
                of_share += step.events * share * step.exposure / expected;
            }
            (constant, share) = (of_constant / all.minutes, of_share / all.exposure);
        }
        (self.constant, self.share) = (constant, share);
    }

    /// Events that the minute would have if nothing were wrong; 0 where nothing is known of it.
    #[inline]
    pub(super) fn expected(&self, minute: usize) -> f64 {
        match self.exposure.get(minute) {
            Some(&exposure) if exposure > 0.0 => {
                (self.constant + self.share * exposure).max(LEAST_PER_MINUTE)
            }
            _ => 0.0,
        }
    }
}

/// Minutes of like exposure, added up.
#[derive(Debug, Clone, Copy, Default)]
struct Step {
    minutes: f64,
    exposure: f64,
    events: f64,
}

impl Step {
    fn plus(self, other: Self) -> Self {
        Self {
            minutes: self.minutes + other.minutes,
            exposure: self.exposure + other.exposure,
            events: self.events + other.events,
        }
    }
}

/// Each minute's entries, as far as they can be traffic.
fn exposure(minutes: &[MinuteCount]) -> Vec<f64> {
    let usual = usual_by_hour(minutes);
    minutes
        .iter()
        .enumerate()
        .map(|(position, minute)| {
            let hour = position / MINUTES_PER_HOUR % HOURS_PER_DAY;
            let most = MAX_BUSYNESS * usual.get(hour).copied().unwrap_or(0.0).max(1.0);
            (minute.entries as f64).min(most)
        })
        .collect()
}

/// Entries per minute that are usual at each hour of the day, counted from the first minute: the
/// median over the days, or of neighbouring hours where there are few days.
fn usual_by_hour(minutes: &[MinuteCount]) -> Vec<f64> {
    let hours: Vec<Option<f64>> = minutes
        .chunks(MINUTES_PER_HOUR)
        .map(|hour| {
            let mut known: Vec<u64> =
                hour.iter().map(|minute| minute.entries).filter(|&entries| entries > 0).collect();
            known.sort_unstable();
            known.get(known.len() / 2).map(|&median| median as f64)
        })
        .collect();
    let mut all: Vec<f64> = hours.iter().flatten().copied().collect();
    let high = quantile(&mut all, 0.9);
    (0..HOURS_PER_DAY)
        .map(|hour| {
            let mut days: Vec<f64> =
                hours.iter().skip(hour).step_by(HOURS_PER_DAY).flatten().copied().collect();
            if days.len() < 3 { high } else { quantile(&mut days, 0.5) }
        })
        .collect()
}

fn quantile(values: &mut [f64], share: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let position = (values.len() as f64 * share) as usize;
    values.get(position.min(values.len().saturating_sub(1))).copied().unwrap_or(0.0)
}
