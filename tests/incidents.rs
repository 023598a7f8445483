//! Incidents found in simulated services, of which the truth is known.
//!
//! `EBBLINE_SEED=N` simulates others; `EBBLINE_SHOW=1` prints what was missed, wrong or imprecise.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout)]

#[path = "support/journals.rs"]
mod journals;
#[path = "support/simulator.rs"]
mod simulator;

use ebbline::timeline::incident::{MinuteCount, Window, find};
use simulator::{Run, Shape, Truth, simulate, simulate_further};

const RUNS: u64 = 500;
/// An edge that is this near to the truth is right.
const NEAR_MS: u64 = 60_000;

/// What was found of all runs.
#[derive(Debug, Default)]
struct Score {
    incidents: u32,
    found: u32,
    false_incidents: u32,
    hours: f64,
    edges: u32,
    near_edges: u32,
    sharp_edges: u32,
    exact_edges: u32,
}

#[test]
fn incidents_are_found_with_their_edges_and_little_else_is() {
    let score = Score::of(simulate);
    println!("{score:?}");
    assert!(score.incidents > 500, "{score:?}");
    assert!(share(score.found, score.incidents) >= 0.98, "{score:?}");
    assert!(f64::from(score.false_incidents) <= score.hours / 1000.0, "{score:?}");
    assert!(share(score.near_edges, score.edges) >= 0.95, "{score:?}");
    assert!(share(score.exact_edges, score.sharp_edges) >= 0.95, "{score:?}");
}

#[test]
fn incidents_are_found_in_services_of_other_kinds_too() {
    let score = Score::of(simulate_further);
    println!("{score:?}");
    assert!(score.incidents > 200, "{score:?}");
    assert!(share(score.found, score.incidents) >= 0.9, "{score:?}");
    assert!(f64::from(score.false_incidents) <= score.hours / 1000.0, "{score:?}");
}

#[test]
fn a_busy_hour_with_the_same_share_of_errors_is_no_incident() {
    let mut minutes = vec![minute(100, 1); 3 * 1440];
    minutes[2000..2060].fill(minute(400, 4));
    assert_eq!(find(&minutes), []);
    minutes[2000..2060].fill(minute(100, 12));
    let windows = find(&minutes);
    assert_eq!(windows.len(), 1, "{windows:?}");
    assert_eq!(windows[0].minutes, 2000..=2059);
}

#[test]
fn what_is_over_within_a_minute_is_a_spike() {
    let mut minutes = vec![minute(100, 0); 1440];
    minutes[700] = MinuteCount { events: 50, first_ms: 1_000, last_ms: 40_000, entries: 150 };
    let windows = find(&minutes);
    assert_eq!(windows.iter().map(|window| window.is_spike).collect::<Vec<_>>(), [true]);
}

#[test]
fn nothing_is_found_where_nothing_is_known() {
    assert_eq!(find(&[]), []);
    assert_eq!(find(&[MinuteCount::default(); 600]), []);
    assert_eq!(find(&[minute(1, 0); 600]), []);
}

#[test]
fn three_years_of_minutes_with_a_million_events_are_read() {
    let mut minutes = vec![minute(60, 0); 3 * 366 * 1440];
    let failing = minutes.iter_mut().step_by(2).take(700_000);
    failing.for_each(|failing| *failing = minute(60, 1));
    minutes[900_000..900_300].fill(minute(60, 1000));
    let windows = find(&minutes);
    let long: Vec<_> = windows.iter().filter(|window| window.peak_per_minute == 1000).collect();
    assert_eq!(long.len(), 1, "{windows:?}");
    assert_eq!(long[0].minutes, 900_000..=900_299);
}

fn minute(entries: u64, events: u64) -> MinuteCount {
    MinuteCount { entries, events, first_ms: 0, last_ms: 59_999 }
}

impl Score {
    /// The score of as many services, each of which may have several classes.
    fn of(simulate: fn(u64) -> Vec<Run>) -> Self {
        let first = setting("EBBLINE_SEED").unwrap_or(1);
        let mut score = Self::default();
        for seed in first..first + RUNS {
            simulate(seed * 7919).iter().for_each(|run| score.add(run, seed));
        }
        score
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

fn share(part: u32, whole: u32) -> f64 {
    f64::from(part) / f64::from(whole)
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
