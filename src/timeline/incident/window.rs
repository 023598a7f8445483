//! Windows: runs of bad minutes, joined over short pauses.

use std::ops::RangeInclusive;

use super::automaton;
use super::baseline::Baseline;
use super::spikes::{self, events};
use super::{LEAST_DURATION_MS, MAX_PAUSE_MINUTES, MinuteCount, evidence};

/// How often the baseline is learned again without what was found bad.
const ROUNDS: usize = 4;
/// What is found must be so much likelier bad than normal, in nats.
const LEAST_EVIDENCE: f64 = 14.0;

/// A window in which a class ran above its baseline.
#[derive(Debug, Clone, PartialEq)]
pub struct Window {
    /// The minutes, by position; the first and the last have events.
    pub minutes: RangeInclusive<usize>,
    /// From the first event to the last, in milliseconds.
    pub duration_ms: u64,
    /// Whether it was over within a minute, as far as that can be told.
    pub is_spike: bool,
    /// Minutes that are bad themselves; the others are pauses.
    pub bad_minutes: usize,
    /// Events.
    pub events: u64,
    /// Events that would be usual; 0 for a spike by itself, whose minutes are left out of what is
    /// learned.
    pub expected: f64,
    /// The most events in a minute.
    pub peak_per_minute: u64,
    /// How much likelier the window is bad than normal, in nats.
    pub evidence: f64,
}

/// The windows of one class, in the order of time, and the spikes among them.
pub fn find(minutes: &[MinuteCount]) -> Vec<Window> {
    let lone_spikes = spikes::lone_spikes(minutes);
    // Of their minutes nothing is known but that.
    let mut calm = minutes.to_vec();
    for spike in &lone_spikes {
        calm.get_mut(spike.clone()).unwrap_or_default().fill(MinuteCount::default());
    }
    let Some((baseline, mut states)) = explain(&calm) else { return Vec::new() };
    end_in_lulls(&calm, &mut states, &baseline);
    let runs = join(runs(&calm, &states), &calm);
    let trimmed = runs.into_iter().filter_map(|run| trim(run, minutes, &baseline));
    let all = trimmed.chain(lone_spikes);
    let mut windows: Vec<Window> =
        all.map(|run| describe(run, minutes, &states, &baseline)).collect();
    windows.retain(|window| window.evidence >= LEAST_EVIDENCE);
    windows.sort_by_key(|window| *window.minutes.start());
    windows
}

/// Makes long stretches normal of which a bad state of a low multiple is hardly likelier than the
/// normal one: to pass through it is cheaper than to end and to begin again.
fn end_in_lulls(minutes: &[MinuteCount], states: &mut [u8], baseline: &Baseline) {
    const LEAST_GAIN: f64 = 4.0;
    let mut from = 0;
    for stretch in states.chunk_by_mut(|a, b| a == b) {
        let until = from + stretch.len();
        let inside = minutes.get(from..until).unwrap_or_default();
        let known = inside.iter().filter(|minute| minute.entries > 0).count();
        if let Some(&state) = stretch.first()
            && state > 0
            && known > MAX_PAUSE_MINUTES
        {
            let events = inside.iter().map(|minute| minute.events).sum();
            let expected = (from..until).map(|minute| baseline.expected(minute)).sum();
            if automaton::gain(state, events, expected) < LEAST_GAIN {
                stretch.fill(0);
            }
        }
        from = until;
    }
}

/// The likeliest baseline and course of states, of those in which the normal state is the usual
/// one.
fn explain(minutes: &[MinuteCount]) -> Option<(Baseline, Vec<u8>)> {
    let known = minutes.iter().filter(|minute| minute.entries > 0).count();
    let mut best: Option<(f64, Baseline, Vec<u8>)> = None;
    for mut baseline in Baseline::guesses(minutes) {
        let mut course = automaton::course(minutes, &baseline);
        for _ in 1..ROUNDS {
            baseline.learn(minutes, |minute| course.states.get(minute) == Some(&0));
            let next = automaton::course(minutes, &baseline);
            let is_settled = next.states == course.states;
            course = next;
            if is_settled {
                break;
            }
        }
        let is_bad = |(minute, &state): (&MinuteCount, &u8)| minute.entries > 0 && state > 0;
        let bad = minutes.iter().zip(&course.states).filter(|&pair| is_bad(pair)).count();
        let likelihood =
            if 5 * bad > 3 * known { f64::MIN } else { course.gain + baseline.likelihood(minutes) };
        if best.as_ref().is_none_or(|best| likelihood > best.0) {
            best = Some((likelihood, baseline, course.states));
        }
    }
    best.map(|(_, baseline, states)| (baseline, states))
}

/// Leaves out what is at the edges of a run but too thin to be of the same window: a stray event
/// hours before it, which a bad state of a low multiple reaches for.
fn trim(
    run: RangeInclusive<usize>,
    minutes: &[MinuteCount],
    baseline: &Baseline,
) -> Option<RangeInclusive<usize>> {
    let events: u64 =
        run.clone().filter_map(|at| minutes.get(at)).map(|minute| minute.events).sum();
    let expected: f64 = run.clone().map(|at| baseline.expected(at)).sum();
    let ratio = events as f64 / expected.max(f64::MIN_POSITIVE);
    let gain = |at: usize| {
        let events = minutes.get(at).map_or(0, |minute| minute.events) as f64;
        events * ratio.ln() - baseline.expected(at) * (ratio - 1.0)
    };
    // The part with the highest sum (Bentley 1984).
    let (mut sum, mut from) = (0.0_f64, *run.start());
    let mut best = (0.0, None);
    for at in run {
        if sum <= 0.0 {
            (sum, from) = (0.0, at);
        }
        sum += gain(at);
        if sum > best.0 {
            best = (sum, Some(from..=at));
        }
    }
    best.1
}

/// Runs of bad minutes, from the first to the last that has events.
fn runs(minutes: &[MinuteCount], states: &[u8]) -> Vec<RangeInclusive<usize>> {
    let mut runs: Vec<RangeInclusive<usize>> = Vec::new();
    let mut open: Option<RangeInclusive<usize>> = None;
    for (position, (minute, &state)) in minutes.iter().zip(states).enumerate() {
        if state == 0 {
            runs.extend(open.take());
        } else if minute.events > 0 {
            let start = open.as_ref().map_or(position, |run| *run.start());
            open = Some(start..=position);
        }
    }
    runs.extend(open);
    runs
}

/// Joins runs between which there is no more than a pause.
fn join(runs: Vec<RangeInclusive<usize>>, minutes: &[MinuteCount]) -> Vec<RangeInclusive<usize>> {
    let mut joined: Vec<RangeInclusive<usize>> = Vec::new();
    for run in runs {
        match joined.last_mut() {
            Some(last) if is_pause(last, &run, minutes) => *last = *last.start()..=*run.end(),
            _ => joined.push(run),
        }
    }
    joined
}

/// Whether the time between two runs is a pause of one incident: it is short, or no longer than
/// pauses must be where events are as few as in the hours around it.
fn is_pause(
    before: &RangeInclusive<usize>,
    after: &RangeInclusive<usize>,
    minutes: &[MinuteCount],
) -> bool {
    const HOUR: usize = 60;
    /// So many events would have been expected, if the incident had gone on.
    const MOST_MISSED: f64 = 9.0;
    let between = before.end() + 1..*after.start();
    let inside = minutes.get(between.clone()).unwrap_or_default();
    let known = inside.iter().filter(|minute| minute.entries > 0).count();
    let earlier = events(minutes, between.start.saturating_sub(HOUR)..between.start);
    let later = events(minutes, between.end..between.end + HOUR);
    let missed = earlier.min(later) as f64 * known as f64 / HOUR as f64;
    known <= MAX_PAUSE_MINUTES || known < HOUR && missed < MOST_MISSED
}

fn describe(
    run: RangeInclusive<usize>,
    minutes: &[MinuteCount],
    states: &[u8],
    baseline: &Baseline,
) -> Window {
    let inside = minutes.get(run.clone()).unwrap_or_default();
    let events: u64 = inside.iter().map(|minute| minute.events).sum();
    let expected: f64 = run.clone().map(|minute| baseline.expected(minute)).sum();
    let bad_minutes =
        states.get(run.clone()).unwrap_or_default().iter().filter(|&&state| state > 0).count();
    let duration_ms = spikes::duration_ms(inside);
    let is_spike = duration_ms < LEAST_DURATION_MS || spikes::is_one_spike(inside, expected);
    Window {
        duration_ms,
        is_spike,
        bad_minutes,
        events,
        expected,
        peak_per_minute: inside.iter().map(|minute| minute.events).max().unwrap_or(0),
        evidence: evidence(events as f64, expected),
        minutes: run,
    }
}
