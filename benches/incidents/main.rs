//! `make bench`: how well and how fast incidents are found in simulated services.
//!
//! The scores are those of `tests/incidents.rs`, for several seeds. The time of three years of
//! minutes is compared with that of copying them, measured in the same run, because a machine's
//! own speed says nothing about the program.
#![allow(clippy::print_stdout)]

// The tests' own simulator and scores.
#[path = "../../tests/support/journals.rs"]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod journals;
#[path = "../../tests/support/score.rs"]
mod score;
#[path = "../../tests/support/simulator.rs"]
mod simulator;

use std::hint::black_box;
use std::time::{Duration, Instant};

use ebbline::timeline::incident::{MinuteCount, find};
use journals::Random;
use score::Score;
use simulator::{simulate, simulate_further};

const SEEDS: [u64; 4] = [1, 1001, 5001, 20_261_123];
const THREE_YEARS: usize = 3 * 365 * 1440;
const ROUNDS: usize = 7;

fn main() {
    // `cargo test --all-targets` starts this, too, but does not ask for measurements.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    println!("incidents found in 500 simulated services each:\n");
    println!(
        "| services | incidents | found | false in 1,000 h | edges within 60 s | sharp edges exact |"
    );
    println!("|---|---:|---:|---:|---:|---:|");
    for seed in SEEDS {
        println!("| from seed {seed} | {} |", Score::of(simulate, seed).row());
    }
    for seed in SEEDS {
        println!(
            "| of other kinds, from seed {seed} | {} |",
            Score::of(simulate_further, seed).row()
        );
    }
    println!("\nthree years of minutes:\n");
    println!("| events | median | × copying the minutes |");
    println!("|---:|---:|---:|");
    for per_minute in [0.0, 0.01, 0.1, 0.63] {
        let minutes = years(per_minute);
        let events: u64 = minutes.iter().map(|minute| minute.events).sum();
        let found = median(|| drop(black_box(find(black_box(&minutes)))));
        let copied = median(|| drop(black_box(black_box(&minutes).clone())));
        let ratio = found.as_secs_f64() / copied.as_secs_f64();
        println!("| {events} | {:.0} ms | {ratio:.1} |", found.as_secs_f64() * 1000.0);
    }
}

/// Three years with a day and a night, and some two hundred incidents of ten times the usual.
fn years(per_minute: f64) -> Vec<MinuteCount> {
    let mut random = Random(7);
    let minute = |position: usize| {
        let angle = position as f64 / 1440.0 * std::f64::consts::TAU;
        let by_day = 1.0 - 0.8 * angle.cos();
        let is_bad = position % 7919 < 100;
        let rate = per_minute * by_day * if is_bad { 10.0 } else { 0.9 };
        let events = random.poisson(rate);
        let entries = 1 + events + random.poisson(30.0 * by_day);
        MinuteCount { entries, events, first_ms: 0, last_ms: 59_999 }
    };
    (0..THREE_YEARS).map(minute).collect()
}

fn median(mut work: impl FnMut()) -> Duration {
    let mut times: Vec<Duration> = (0..ROUNDS)
        .map(|_| {
            let start = Instant::now();
            work();
            start.elapsed()
        })
        .collect();
    times.sort_unstable();
    times.get(ROUNDS / 2).copied().unwrap_or_default()
}
