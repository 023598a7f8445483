//! A service that is simulated minute by minute: traffic, failures of several classes as they
//! always are, incidents of which the truth is known, and holes in the log.

use std::ops::Range;

use ebbline::timeline::incident::MinuteCount;

use crate::journals::Random;

const MINUTE_MS: u64 = 60_000;
const HOUR_MS: u64 = 60 * MINUTE_MS;
const MINUTES_PER_DAY: usize = 1440;

/// How the service is when nothing is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
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
    /// As [`Self::Diurnal`], and nothing at all at weekends.
    Weekly,
    /// In six weeks the share that fails becomes three times what it was.
    Drifting,
    /// Failures come in crowds: their number varies more than chance would have it.
    Bursty,
    /// A job fails every hour, for less than a minute.
    Hourly,
    /// An entry in ten minutes.
    Sparse,
    /// The log has nothing but failures.
    OnlyFailures,
}

impl Background {
    /// What every service may be like.
    const LISTED: [Self; 5] =
        [Self::Constant, Self::Diurnal, Self::Spotless, Self::Faulty, Self::Spiky];
    const FURTHER: [Self; 6] = [
        Self::Weekly,
        Self::Drifting,
        Self::Bursty,
        Self::Hourly,
        Self::Sparse,
        Self::OnlyFailures,
    ];
}

/// How an incident runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Shape {
    Steady,
    Ramping,
    /// On and off, with pauses of a few minutes.
    Flapping,
    /// With traffic that falls away.
    Deserted,
    /// With a log that explodes.
    Noisy,
    /// Up and down again, evenly.
    Sawtooth,
}

impl Shape {
    const LISTED: [Self; 5] =
        [Self::Steady, Self::Ramping, Self::Flapping, Self::Deserted, Self::Noisy];
}

/// What is true of an incident.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Truth {
    pub(crate) shape: Shape,
    /// How many times the baseline.
    pub(crate) multiple: f64,
    /// Events a minute that are usual where it begins.
    pub(crate) usual: f64,
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

    /// How many events a minute it has.
    pub(crate) fn per_minute(&self) -> f64 {
        self.events as f64 * MINUTE_MS as f64 / (self.last_ms - self.first_ms).max(1) as f64
    }
}

/// What was logged of one class, and what is true.
pub(crate) struct Run {
    pub(crate) background: Background,
    pub(crate) minutes: Vec<MinuteCount>,
    pub(crate) truths: Vec<Truth>,
}

/// The service, and what is to happen to it.
struct Service {
    random: Random,
    background: Background,
    minutes: usize,
    /// Entries a minute, by day.
    traffic: f64,
    classes: Vec<Class>,
    hole: Option<Range<usize>>,
}

/// One class of failures.
struct Class {
    /// What of the traffic fails when nothing is wrong.
    share: f64,
    plans: Vec<(Plan, Truth)>,
    counts: Vec<MinuteCount>,
}

#[derive(Clone, Copy)]
struct Plan {
    start_ms: u64,
    end_ms: u64,
    on_ms: u64,
    off_ms: u64,
}

/// A service of two to ten days and one to three classes.
pub(crate) fn simulate(seed: u64) -> Vec<Run> {
    let mut random = Random(seed);
    let background = Background::LISTED[random.below(5) as usize];
    let minutes = (2 + random.below(9) as usize) * MINUTES_PER_DAY;
    let traffic = [3.0, 20.0, 100.0, 1000.0][random.below(4) as usize];
    let hole = (random.below(3) == 0).then(|| {
        let start = random.below(minutes as u64 - 400) as usize;
        start..start + 5 + random.below(300) as usize
    });
    let end_ms = minutes as u64 * MINUTE_MS;
    let mut classes = Vec::new();
    for _ in 0..[1, 1, 2, 3][random.below(4) as usize] {
        let share = match background {
            Background::Spotless => 0.0,
            Background::Faulty => 0.03,
            _ => [0.0002, 0.001, 0.005][random.below(3) as usize],
        };
        let plans = plans(&mut random, end_ms);
        classes.push(Class { share, plans, counts: Vec::new() });
    }
    Service { random, background, minutes, traffic, classes, hole }.run()
}

/// A service with a background that is not among the usual ones; or a short log, of which an
/// incident may take more than half; or an incident that is there from the beginning, or to the
/// end.
pub(crate) fn simulate_further(seed: u64) -> Vec<Run> {
    let mut random = Random(seed);
    let is_short = random.below(3) == 0;
    let background = if is_short {
        [Background::Constant, Background::Faulty][random.below(2) as usize]
    } else {
        Background::FURTHER[random.below(6) as usize]
    };
    let minutes = match background {
        _ if is_short => 30 + random.below(400) as usize,
        Background::Drifting => (28 + random.below(29) as usize) * MINUTES_PER_DAY,
        _ => (7 + random.below(15) as usize) * MINUTES_PER_DAY,
    };
    let (traffic, share) = match background {
        Background::Sparse => (0.1, 0.05),
        Background::OnlyFailures => ([0.003, 0.03, 0.3][random.below(3) as usize], 1.0),
        Background::Bursty => ([20.0, 100.0][random.below(2) as usize], 0.03),
        Background::Faulty => ([20.0, 100.0][random.below(2) as usize], 0.03),
        _ => ([20.0, 100.0][random.below(2) as usize], 0.005),
    };
    let plans = further_plan(&mut random, minutes as u64 * MINUTE_MS, is_short);
    let classes = vec![Class { share, plans: plans.into_iter().collect(), counts: Vec::new() }];
    Service { random, background, minutes, traffic, classes, hole: None }.run()
}

/// None to two incidents, an hour apart or half a day.
fn plans(random: &mut Random, end_ms: u64) -> Vec<(Plan, Truth)> {
    let mut plans = Vec::new();
    let mut from_ms = random.below(600) * MINUTE_MS + 2 * HOUR_MS;
    for _ in 0..random.below(3) {
        // From two minutes to twenty hours, and from 5 to 1,000 times as many events: small
        // numbers are as likely as large ones.
        let length_ms = (2.0 * MINUTE_MS as f64 * 600_f64.powf(random.share())) as u64;
        let start_ms = from_ms + random.below(MINUTE_MS);
        if start_ms + length_ms + HOUR_MS > end_ms {
            break;
        }
        plans.push(plan(random, start_ms..start_ms + length_ms, &Shape::LISTED));
        from_ms = start_ms + length_ms + HOUR_MS * [1, 14][random.below(2) as usize];
    }
    plans
}

/// One incident, or none: somewhere, at the beginning or at the end.
fn further_plan(random: &mut Random, end_ms: u64, is_short: bool) -> Option<(Plan, Truth)> {
    let length_ms = if is_short {
        // From a tenth of the log to two thirds.
        (end_ms as f64 * (0.1 + 0.57 * random.share())) as u64
    } else {
        (2.0 * MINUTE_MS as f64 * 600_f64.powf(random.share())) as u64
    };
    let start_ms = match random.below(4) {
        0 => 0,
        1 => end_ms - length_ms,
        _ => random.below(end_ms - length_ms),
    };
    let shapes = [Shape::Steady, Shape::Flapping, Shape::Sawtooth, Shape::Noisy];
    (random.below(4) > 0).then(|| plan(random, start_ms..start_ms + length_ms, &shapes))
}

fn plan(random: &mut Random, time_ms: Range<u64>, shapes: &[Shape]) -> (Plan, Truth) {
    let multiple = 5.0 * 200_f64.powf(random.share());
    let plan = Plan {
        start_ms: time_ms.start,
        end_ms: time_ms.end,
        on_ms: MINUTE_MS * (1 + random.below(6)),
        off_ms: MINUTE_MS * (1 + random.below(8)),
    };
    let shape = shapes[random.below(shapes.len() as u64) as usize];
    (plan, Truth { shape, multiple, usual: 0.0, first_ms: 0, last_ms: 0, events: 0 })
}

impl Service {
    fn run(mut self) -> Vec<Run> {
        (0..self.minutes).for_each(|minute| self.minute(minute));
        let background = self.background;
        let run = |class: Class| {
            let mut truths: Vec<Truth> = class.plans.into_iter().map(|(_, truth)| truth).collect();
            truths.retain(|truth| truth.events > 0);
            Run { background, minutes: class.counts, truths }
        };
        self.classes.into_iter().map(run).collect()
    }

    fn minute(&mut self, minute: usize) {
        let is_lost = self.hole.as_ref().is_some_and(|hole| hole.contains(&minute));
        let usual_traffic = self.traffic * self.by_day(minute);
        let traffic = if self.is_deserted(minute) { 0.15 } else { 1.0 } * usual_traffic;
        let mut noise = 0.0;
        let mut all_events = 0;
        let mut all_times = Vec::new();
        for class in &mut self.classes {
            let share = class.share * self.background.drift(minute);
            let usual = usual_traffic * share;
            let mut times = self.background.usual_times(&mut self.random, traffic * share, minute);
            for (plan, truth) in &mut class.plans {
                let Some(rate) = plan.rate(truth, usual, minute) else { continue };
                if truth.shape == Shape::Noisy {
                    noise += usual_traffic * 8.0 + rate * 20.0;
                }
                let from_ms = minute as u64 * MINUTE_MS;
                for _ in 0..self.random.poisson(rate) {
                    let at_ms = from_ms + self.random.below(MINUTE_MS);
                    if !is_lost && plan.is_on(truth.shape, at_ms) {
                        times.push(at_ms - from_ms);
                        truth.add(at_ms, usual);
                    }
                }
            }
            all_events += times.len() as u64;
            all_times.push(times);
        }
        let others = match self.background {
            Background::OnlyFailures => 0,
            _ => self.random.poisson(traffic + noise),
        };
        for (class, times) in self.classes.iter_mut().zip(all_times) {
            class.counts.push(if is_lost {
                MinuteCount::default()
            } else {
                MinuteCount {
                    entries: others + all_events,
                    events: times.len() as u64,
                    first_ms: times.iter().min().map_or(0, |&at_ms| at_ms as u16),
                    last_ms: times.iter().max().map_or(0, |&at_ms| at_ms as u16),
                }
            });
        }
    }

    /// Whether an incident of any class keeps people away.
    fn is_deserted(&self, minute: usize) -> bool {
        let mut plans = self.classes.iter().flat_map(|class| &class.plans);
        plans.any(|(plan, truth)| truth.shape == Shape::Deserted && plan.touches(minute))
    }

    /// How much of the traffic there is.
    fn by_day(&self, minute: usize) -> f64 {
        let is_weekend = minute / MINUTES_PER_DAY % 7 >= 5;
        match self.background {
            Background::Weekly if is_weekend => 0.0,
            Background::Diurnal | Background::Weekly => {
                let angle = minute as f64 / MINUTES_PER_DAY as f64 * std::f64::consts::TAU;
                0.55 - 0.45 * angle.cos()
            }
            _ => 1.0,
        }
    }
}

impl Background {
    /// How many times the share that failed in the beginning.
    fn drift(self, minute: usize) -> f64 {
        let weeks = minute as f64 / (7 * MINUTES_PER_DAY) as f64;
        if self == Self::Drifting { 3_f64.powf(weeks / 6.0) } else { 1.0 }
    }

    /// When failures happen in a minute in which nothing is wrong.
    fn usual_times(self, random: &mut Random, usual: f64, minute: usize) -> Vec<u64> {
        // An exponential distribution: its variance is the square of its mean.
        let crowding = if self == Self::Bursty { -random.share().max(1e-9).ln() } else { 1.0 };
        let count = random.poisson(usual * crowding);
        let mut times: Vec<u64> = (0..count).map(|_| random.below(MINUTE_MS)).collect();
        let has_spike = match self {
            Self::Spiky => random.below(600) == 0,
            Self::Hourly => minute.is_multiple_of(60),
            _ => false,
        };
        if has_spike {
            let length_ms = 5_000 + random.below(50_000);
            let start_ms = random.below(MINUTE_MS - length_ms);
            let count = 5 + random.below(60);
            times.extend((0..count).map(|_| start_ms + random.below(length_ms)));
        }
        times
    }
}

impl Plan {
    /// Events a minute beyond the usual ones; nothing where it does not touch the minute.
    fn rate(&self, truth: &Truth, usual: f64, minute: usize) -> Option<f64> {
        if !self.touches(minute) {
            return None;
        }
        let from_ms = minute as u64 * MINUTE_MS;
        // Where nothing ever fails, some multiple of very little.
        let unit = if usual > 0.0 { usual } else { 0.02 };
        let length_ms = (self.end_ms - self.start_ms) as f64;
        let progress = from_ms.saturating_sub(self.start_ms) as f64 / length_ms;
        let height = match truth.shape {
            Shape::Ramping => 2.0 * progress.clamp(0.02, 1.0),
            Shape::Sawtooth => 2.0 * (1.0 - (2.0 * progress - 1.0).abs()).clamp(0.02, 1.0),
            _ => 1.0,
        };
        Some(unit * (truth.multiple - 1.0) * height)
    }

    fn touches(&self, minute: usize) -> bool {
        let from_ms = minute as u64 * MINUTE_MS;
        self.end_ms > from_ms && self.start_ms < from_ms + MINUTE_MS
    }

    fn is_on(&self, shape: Shape, at_ms: u64) -> bool {
        let since_ms = at_ms.saturating_sub(self.start_ms);
        let is_pause =
            shape == Shape::Flapping && since_ms % (self.on_ms + self.off_ms) >= self.on_ms;
        (self.start_ms..self.end_ms).contains(&at_ms) && !is_pause
    }
}

impl Truth {
    fn add(&mut self, at_ms: u64, usual: f64) {
        if self.events == 0 {
            (self.first_ms, self.usual) = (at_ms, usual);
        }
        self.first_ms = self.first_ms.min(at_ms);
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
    pub(crate) fn poisson(&mut self, mean: f64) -> u64 {
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
