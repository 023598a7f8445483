//! How well incidents were found in simulated services.

use ebbline::timeline::incident::{Window, find};

use crate::simulator::{Run, Shape, Truth};

const RUNS: u64 = 500;
/// An edge that is this near to the truth is right.
const NEAR_MS: u64 = 60_000;

/// What was found of all runs.
#[derive(Debug, Default)]
pub(crate) struct Score {
    pub(crate) incidents: u32,
    found: u32,
    false_incidents: u32,
    hours: f64,
    edges: u32,
    near_edges: u32,
    sharp_edges: u32,
    exact_edges: u32,
}

impl Score {
    /// The score of as many services, each of which may have several classes.
    pub(crate) fn of(simulate: fn(u64) -> Vec<Run>, first: u64) -> Self {
        let mut score = Self::default();
        for seed in first..first + RUNS {
            simulate(seed * 7919).iter().for_each(|run| score.add(run, seed));
        }
        score
    }

    /// What share of the incidents was found.
    pub(crate) fn recall(&self) -> f64 {
        f64::from(self.found) / f64::from(self.incidents)
    }

    /// What was found and is none, in a thousand hours.
    pub(crate) fn false_in_1000_hours(&self) -> f64 {
        f64::from(self.false_incidents) / self.hours * 1000.0
    }

    /// What share of the edges is right.
    pub(crate) fn edges_near(&self) -> f64 {
        f64::from(self.near_edges) / f64::from(self.edges)
    }

    /// What share of the sharp edges is at the very event.
    pub(crate) fn edges_exact(&self) -> f64 {
        f64::from(self.exact_edges) / f64::from(self.sharp_edges)
    }

    /// The score as cells of a Markdown table.
    #[allow(dead_code)]
    pub(crate) fn row(&self) -> String {
        let [recall, near, exact] =
            [self.recall(), self.edges_near(), self.edges_exact()].map(|share| share * 100.0);
        let wrong = self.false_in_1000_hours();
        format!("{} | {recall:.1} % | {wrong:.2} | {near:.1} % | {exact:.1} %", self.incidents)
    }

    fn add(&mut self, run: &Run, seed: u64) {
        self.hours += run.minutes.len() as f64 / 60.0;
        let mut windows = find(&run.minutes);
        windows.retain(|window| !window.is_spike);
        let spans: Vec<(u64, u64)> = windows.iter().map(|window| span(window, run)).collect();
        let overlaps = |truth: &Truth, &(start, end): &(u64, u64)| {
            start <= truth.last_ms && end >= truth.first_ms
        };
        for truth in run.truths.iter().filter(|truth| truth.is_to_be_found()) {
            self.incidents += 1;
            match spans.iter().find(|span| overlaps(truth, span)) {
                Some(span) => {
                    self.found += 1;
                    self.edges(truth, *span, run, seed);
                }
                None => {
                    let (background, minutes) = (run.background, run.minutes.len());
                    show(|| {
                        format!("missed: run {seed} {background:?} {truth:?} of {minutes} min")
                    });
                }
            }
        }
        for (window, span) in windows.iter().zip(&spans) {
            if !run.truths.iter().any(|truth| overlaps(truth, span)) {
                self.false_incidents += 1;
                show(|| format!("wrong: run {seed} {:?} {window:?}", run.background));
            }
        }
    }

    fn edges(&mut self, truth: &Truth, (start, end): (u64, u64), run: &Run, seed: u64) {
        if truth.multiple < 10.0 {
            return;
        }
        let starts_at_once = !matches!(truth.shape, Shape::Ramping | Shape::Sawtooth);
        let ends_at_once = truth.shape != Shape::Sawtooth;
        let at_start = starts_at_once.then_some(("start", start, truth.first_ms));
        let at_end = ends_at_once.then_some(("end", end, truth.last_ms));
        for (which, found_ms, true_ms) in at_start.into_iter().chain(at_end) {
            let off_ms = found_ms.abs_diff(true_ms);
            self.edges += 1;
            self.near_edges += u32::from(off_ms <= NEAR_MS);
            if off_ms > NEAR_MS {
                let background = run.background;
                show(|| {
                    let early_ms = true_ms as i64 - found_ms as i64;
                    format!("{which} early by {early_ms} ms: run {seed} {background:?} {truth:?}")
                });
            }
            if is_sharp(truth) {
                self.sharp_edges += 1;
                self.exact_edges += u32::from(off_ms == 0);
            }
        }
    }
}

/// Whether there is no doubt which event is the first one: there are two a minute at least, and
/// usually one in twenty minutes at most.
fn is_sharp(truth: &Truth) -> bool {
    const LEAST_PER_MINUTE: f64 = 2.0;
    const MOST_USUAL: f64 = 0.05;
    truth.per_minute() >= LEAST_PER_MINUTE && truth.usual <= MOST_USUAL
}

/// From the first event to the last, in milliseconds since the run began.
fn span(window: &Window, run: &Run) -> (u64, u64) {
    let first = *window.minutes.start();
    let start = first as u64 * 60_000 + u64::from(run.minutes[first].first_ms);
    (start, start + window.duration_ms)
}

fn show(what: impl Fn() -> String) {
    if setting("EBBLINE_SHOW").is_some() {
        println!("{}", what());
    }
}

fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}
