//! A service that is simulated minute by minute: traffic, failures as they always are, incidents
//! of which the truth is known, and holes in the log.

use std::ops::Range;

use ebbline::timeline::incident::MinuteCount;

use crate::journals::Random;

const MINUTE_MS: u64 = 60_000;
const HOUR_MS: u64 = 60 * MINUTE_MS;
const MINUTES_PER_DAY: usize = 1440;

/// How the service is when nothing is wrong.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Background {
    /// The same traffic at all times, and a share of it fails.
    Constant,
    /// Ten times as much traffic by day as at night.
    Diurnal,
    /// Nothing ever fails.
    Spotless,
    /// Three of a hundred requests fail.
    Faulty,
    /// A single bad client fails for up to a minute now and then.
    Spiky,
}

/// How an incident runs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Shape {
    Steady,
    Ramping,
    /// On and off, with pauses of a few minutes.
    Flapping,
    /// With traffic that falls away.
    Deserted,
    /// With a log that explodes.
    Noisy,
}

/// What is true of an incident.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Truth {
    pub(crate) shape: Shape,
    /// How many times the baseline.
    pub(crate) multiple: f64,
    /// Its first event, in milliseconds since the beginning.
    pub(crate) first_ms: u64,
    /// Its last event.
    pub(crate) last_ms: u64,
    pub(crate) events: u64,
}

impl Truth {
    /// Whether it is one by definition: it has twenty events, and takes about two minutes.
    pub(crate) fn is_to_be_found(&self) -> bool {
        self.events >= 20 && self.last_ms - self.first_ms >= 100_000
    }
}

/// What was logged, and what is true.
pub(crate) struct Run {
    pub(crate) background: Background,
    pub(crate) minutes: Vec<MinuteCount>,
    pub(crate) truths: Vec<Truth>,
}

/// The service, and what is to happen to it.
struct Service {
    random: Random,
    background: Background,
    /// Entries a minute, by day.
    traffic: f64,
    /// What of them fails when nothing is wrong.
    share: f64,
    plans: Vec<(Plan, Truth)>,
    hole: Option<Range<usize>>,
}

#[derive(Clone, Copy)]
struct Plan {
    start_ms: u64,
    end_ms: u64,
    on_ms: u64,
    off_ms: u64,
}

/// A run of two to ten days.
pub(crate) fn simulate(seed: u64) -> Run {
    let mut random = Random(seed);
    let background = [
        Background::Constant,
        Background::Diurnal,
        Background::Spotless,
        Background::Faulty,
        Background::Spiky,
    ][random.below(5) as usize];
    let minutes = (2 + random.below(9) as usize) * MINUTES_PER_DAY;
    let traffic = [3.0, 20.0, 100.0, 1000.0][random.below(4) as usize];
    let share = match background {
        Background::Spotless => 0.0,
        Background::Faulty => 0.03,
        _ => [0.0002, 0.001, 0.005][random.below(3) as usize],
    };
    let plans = plans(&mut random, minutes as u64 * MINUTE_MS);
    let hole = (random.below(3) == 0).then(|| {
        let start = random.below(minutes as u64 - 400) as usize;
        start..start + 5 + random.below(300) as usize
    });
    let mut service = Service { random, background, traffic, share, plans, hole };
    let minutes = (0..minutes).map(|minute| service.minute(minute)).collect();
    let mut truths: Vec<Truth> = service.plans.into_iter().map(|(_, truth)| truth).collect();
    truths.retain(|truth| truth.events > 0);
    Run { background, minutes, truths }
}

/// None to two incidents, an hour apart or half a day.
fn plans(random: &mut Random, end_ms: u64) -> Vec<(Plan, Truth)> {
    let shapes = [Shape::Steady, Shape::Ramping, Shape::Flapping, Shape::Deserted, Shape::Noisy];
    let mut plans = Vec::new();
    let mut from_ms = random.below(600) * MINUTE_MS + 2 * HOUR_MS;
    for _ in 0..random.below(3) {
        // From two minutes to twenty hours, and from 5 to 1,000 times as many events: small
        // numbers are as likely as large ones.
        let length_ms = (2.0 * MINUTE_MS as f64 * 600_f64.powf(random.share())) as u64;
        let multiple = 5.0 * 200_f64.powf(random.share());
        let start_ms = from_ms + random.below(MINUTE_MS);
        let plan = Plan {
            start_ms,
            end_ms: start_ms + length_ms,
            on_ms: MINUTE_MS * (1 + random.below(6)),
            off_ms: MINUTE_MS * (1 + random.below(8)),
        };
        if plan.end_ms + HOUR_MS > end_ms {
            break;
        }
        let shape = shapes[random.below(5) as usize];
        plans.push((plan, Truth { shape, multiple, first_ms: 0, last_ms: 0, events: 0 }));
        from_ms = plan.end_ms + HOUR_MS * [1, 14][random.below(2) as usize];
    }
    plans
}

impl Service {
    fn minute(&mut self, minute: usize) -> MinuteCount {
        let is_lost = self.hole.as_ref().is_some_and(|hole| hole.contains(&minute));
        let usual_traffic = self.traffic * self.by_day(minute);
        let usual = usual_traffic * self.share;
        let mut times: Vec<u64> = Vec::new();
        for _ in 0..self.random.poisson(usual) {
            times.push(self.random.below(MINUTE_MS));
        }
        if self.background == Background::Spiky && self.random.below(600) == 0 {
            self.spike(&mut times);
        }
        let (mut traffic, mut noise) = (usual_traffic, 0.0);
        let from_ms = minute as u64 * MINUTE_MS;
        for (plan, truth) in &mut self.plans {
            if plan.end_ms <= from_ms || plan.start_ms >= from_ms + MINUTE_MS {
                continue;
            }
            let rate = plan.rate(truth, usual, from_ms);
            match truth.shape {
                Shape::Deserted => traffic *= 0.15,
                Shape::Noisy => noise += usual_traffic * 8.0 + rate * 20.0,
                Shape::Steady | Shape::Ramping | Shape::Flapping => {}
            }
            for _ in 0..self.random.poisson(rate) {
                let at_ms = from_ms + self.random.below(MINUTE_MS);
                if !is_lost && plan.is_on(truth.shape, at_ms) {
                    times.push(at_ms - from_ms);
                    truth.add(at_ms);
                }
            }
        }
        if is_lost {
            return MinuteCount::default();
        }
        MinuteCount {
            entries: self.random.poisson(traffic + noise) + times.len() as u64,
            events: times.len() as u64,
            first_ms: times.iter().min().map_or(0, |&at_ms| at_ms as u16),
            last_ms: times.iter().max().map_or(0, |&at_ms| at_ms as u16),
        }
    }

    fn by_day(&self, minute: usize) -> f64 {
        if self.background != Background::Diurnal {
            return 1.0;
        }
        let angle = minute as f64 / MINUTES_PER_DAY as f64 * std::f64::consts::TAU;
        0.55 - 0.45 * angle.cos()
    }

    fn spike(&mut self, times: &mut Vec<u64>) {
        let length_ms = 5_000 + self.random.below(50_000);
        let start_ms = self.random.below(MINUTE_MS - length_ms);
        for _ in 0..5 + self.random.below(60) {
            times.push(start_ms + self.random.below(length_ms));
        }
    }
}

impl Plan {
    /// Events a minute beyond the usual ones.
    fn rate(&self, truth: &Truth, usual: f64, from_ms: u64) -> f64 {
        // Where nothing ever fails, some multiple of very little.
        let unit = if usual > 0.0 { usual } else { 0.02 };
        let rate = unit * (truth.multiple - 1.0);
        if truth.shape != Shape::Ramping {
            return rate;
        }
        let length_ms = (self.end_ms - self.start_ms) as f64;
        let progress = from_ms.saturating_sub(self.start_ms) as f64 / length_ms;
        rate * 2.0 * progress.clamp(0.02, 1.0)
    }

    fn is_on(&self, shape: Shape, at_ms: u64) -> bool {
        let since_ms = at_ms.saturating_sub(self.start_ms);
        let is_pause =
            shape == Shape::Flapping && since_ms % (self.on_ms + self.off_ms) >= self.on_ms;
        (self.start_ms..self.end_ms).contains(&at_ms) && !is_pause
    }
}

impl Truth {
    fn add(&mut self, at_ms: u64) {
        self.first_ms = if self.events == 0 { at_ms } else { self.first_ms.min(at_ms) };
        self.last_ms = self.last_ms.max(at_ms);
        self.events += 1;
    }
}

impl Random {
    /// Between 0 and 1.
    fn share(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// How often something happens that happens `mean` times on the average.
    fn poisson(&mut self, mean: f64) -> u64 {
        if mean > 50.0 {
            // Near enough to a normal distribution, which twelve uniform numbers make.
            let sum: f64 = (0..12).map(|_| self.share()).sum::<f64>() - 6.0;
            return (mean + sum * mean.sqrt()).round().max(0.0) as u64;
        }
        let limit = (-mean).exp();
        let (mut product, mut count) = (self.share(), 0);
        while product > limit {
            product *= self.share();
            count += 1;
        }
        count
    }
}
