//! Windows: runs of bad minutes, joined over short pauses.

use std::ops::{Range, RangeInclusive};

use super::automaton::{self, Course};
use super::baseline::{Baseline, Sums};
use super::spikes::{self, events};
use super::stretches::{Stretch, Stretches};
use super::traffic::{HOUR, Traffic};
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
    /// Events that would be usual.
    pub expected: f64,
    /// The most events in a minute.
    pub peak_per_minute: u64,
    /// How much likelier the window is bad than normal, in nats.
    pub evidence: f64,
}

/// The windows of one class, in the order of time, and the spikes among them.
pub fn find(minutes: &[MinuteCount]) -> Vec<Window> {
    let traffic = Traffic::of(minutes);
    let lone_spikes = spikes::lone_spikes(minutes);
    let stretches = Stretches::of(minutes, &traffic, &lone_spikes);
    let Some((baseline, mut bad)) = explain(&stretches) else { return Vec::new() };
    end_in_lulls(&stretches.all, &mut bad, &baseline);
    let runs = join(runs(&stretches.all, &bad), &stretches.all, minutes);
    let found = Found { minutes, traffic, stretches, baseline, bad, lone_spikes };
    let trimmed = runs.into_iter().filter_map(|run| found.trim(run));
    let all = trimmed.chain(found.lone_spikes.iter().cloned());
    let mut windows: Vec<Window> = all.map(|run| found.describe(run)).collect();
    windows.retain(|window| window.evidence >= LEAST_EVIDENCE);
    windows.sort_by_key(|window| *window.minutes.start());
    windows
}

/// What windows are made of.
struct Found<'a> {
    minutes: &'a [MinuteCount],
    traffic: Traffic,
    stretches: Stretches,
    baseline: Baseline,
    /// Bad stretches, and their states.
    bad: Vec<(u32, u8)>,
    lone_spikes: Vec<RangeInclusive<usize>>,
}

/// Makes long stretches normal of which a bad state of a low multiple is hardly likelier than the
/// normal one: to pass through it is cheaper than to end and to begin again.
fn end_in_lulls(stretches: &[Stretch], bad: &mut Vec<(u32, u8)>, baseline: &Baseline) {
    const LEAST_GAIN: f32 = 4.0;
    let is_kept = |alike: &&[(u32, u8)]| {
        let Some(&(_, state)) = alike.first() else { return false };
        let inside = || alike.iter().filter_map(|&(at, _)| stretches.get(at as usize));
        let known: f32 = inside().map(|stretch| stretch.known_minutes).sum();
        let events = inside().map(|stretch| stretch.events).sum();
        let expected = inside().map(|stretch| baseline.expected(stretch)).sum();
        known <= MAX_PAUSE_MINUTES as f32 || automaton::gain(state, events, expected) >= LEAST_GAIN
    };
    *bad = bad
        .chunk_by(|a, b| a.0 + 1 == b.0 && a.1 == b.1)
        .filter(is_kept)
        .flatten()
        .copied()
        .collect();
}

/// The likeliest baseline and its bad stretches, of those in which the normal state is the usual
/// one.
fn explain(stretches: &Stretches) -> Option<(Baseline, Vec<(u32, u8)>)> {
    let mut best: Option<(f64, Baseline, Course)> = None;
    let guesses = Sums::guesses(stretches);
    let all = guesses.last().cloned()?;
    let mut seen: Vec<Baseline> = Vec::new();
    for guess in guesses {
        let mut baseline = Baseline::learn(&guess);
        let mut latest = None;
        for _ in 0..ROUNDS {
            if seen.iter().any(|seen| seen.is_like(&baseline, &all)) {
                break;
            }
            seen.push(baseline);
            let course = automaton::course(&stretches.all, &baseline);
            let is_bad = course.bad.iter().filter_map(|&(at, _)| stretches.all.get(at as usize));
            let normal = all.without(is_bad);
            latest = Some((baseline, course, normal.minutes));
            baseline = Baseline::learn(&normal);
        }
        let Some((baseline, course, normal)) = latest else { continue };
        let is_usual = 5.0 * normal >= 2.0 * all.minutes;
        let likelihood = if is_usual { course.gain + baseline.likelihood(&all) } else { f64::MIN };
        if best.as_ref().is_none_or(|best| likelihood > best.0) {
            best = Some((likelihood, baseline, course));
        }
    }
    best.map(|(_, baseline, course)| (baseline, course.bad))
}

/// Runs of bad stretches, from the first to the last that has events.
fn runs(stretches: &[Stretch], bad: &[(u32, u8)]) -> Vec<Range<usize>> {
    let has_events = |&(at, _): &(u32, u8)| {
        stretches.get(at as usize).is_some_and(|stretch| stretch.events > 0.0)
    };
    let run = |run: &[(u32, u8)]| {
        let first = run.iter().find(|bad| has_events(bad))?;
        let last = run.iter().rfind(|bad| has_events(bad))?;
        Some(first.0 as usize..last.0 as usize + 1)
    };
    bad.chunk_by(|a, b| a.0 + 1 == b.0).filter_map(run).collect()
}

/// Joins runs between which there is no more than a pause.
fn join(
    runs: Vec<Range<usize>>,
    stretches: &[Stretch],
    minutes: &[MinuteCount],
) -> Vec<Range<usize>> {
    let mut joined: Vec<Range<usize>> = Vec::new();
    for run in runs {
        match joined.last_mut() {
            Some(last) if is_pause(last.end..run.start, stretches, minutes) => last.end = run.end,
            _ => joined.push(run),
        }
    }
    joined
}

/// Whether the time between two runs is a pause of one incident: it is short, or no longer than
/// pauses must be where events are as few as in the hours around it.
fn is_pause(between: Range<usize>, stretches: &[Stretch], minutes: &[MinuteCount]) -> bool {
    /// So many events would have been expected, if the incident had gone on.
    const MOST_MISSED: f32 = 9.0;
    const MINUTES_PER_HOUR: f32 = HOUR as f32;
    let inside = stretches.get(between.clone()).unwrap_or_default();
    let known: f32 = inside.iter().map(|stretch| stretch.known_minutes).sum();
    let start_of = |at: usize| stretches.get(at).map_or(minutes.len(), |at| at.start as usize);
    let (start, end) = (start_of(between.start), start_of(between.end));
    let earlier = events(minutes, start.saturating_sub(HOUR)..start);
    let later = events(minutes, end..end + HOUR);
    let missed = earlier.min(later) as f32 * known / MINUTES_PER_HOUR;
    known <= MAX_PAUSE_MINUTES as f32 || known < MINUTES_PER_HOUR && missed < MOST_MISSED
}

impl Found<'_> {
    /// Leaves out what is at the edges of a run but too thin to be of the same window: a stray
    /// event hours before it, which a bad state of a low multiple reaches for.
    fn trim(&self, run: Range<usize>) -> Option<RangeInclusive<usize>> {
        let inside = self.stretches.all.get(run)?;
        let events: f32 = inside.iter().map(|stretch| stretch.events).sum();
        let expected: f32 = inside.iter().map(|stretch| self.baseline.expected(stretch)).sum();
        let ratio = events / expected.max(f32::MIN_POSITIVE);
        // The part with the highest sum (Bentley 1984).
        let (mut sum, mut from) = (0.0_f32, 0);
        let mut best = (0.0, None);
        for stretch in inside {
            if sum <= 0.0 {
                (sum, from) = (0.0, stretch.start as usize);
            }
            sum += stretch.events * ratio.ln() - self.baseline.expected(stretch) * (ratio - 1.0);
            if sum > best.0 {
                best = (sum, Some(from..=stretch.start as usize));
            }
        }
        best.1
    }

    fn describe(&self, run: RangeInclusive<usize>) -> Window {
        let inside = self.minutes.get(run.clone()).unwrap_or_default();
        let events: u64 = inside.iter().map(|minute| minute.events).sum();
        let expected = self.expected(&run);
        let duration_ms = spikes::duration_ms(inside);
        Window {
            duration_ms,
            is_spike: duration_ms < LEAST_DURATION_MS || spikes::is_one_spike(inside, expected),
            bad_minutes: self.bad_minutes(&run),
            events,
            expected,
            peak_per_minute: inside.iter().map(|minute| minute.events).max().unwrap_or(0),
            evidence: evidence(events as f64, expected),
            minutes: run,
        }
    }

    /// What would be usual in these minutes.
    fn expected(&self, run: &RangeInclusive<usize>) -> f64 {
        let known = self.stretches.all.get(self.stretches.within(run)).unwrap_or_default();
        let of_known: f64 =
            known.iter().map(|stretch| f64::from(self.baseline.expected(stretch))).sum();
        let spikes = self.lone_spikes.iter().cloned().flatten().filter(|at| run.contains(at));
        let of_spikes: f64 = spikes
            .filter_map(|at| Some((at, self.minutes.get(at)?)))
            .map(|(at, minute)| {
                self.baseline.constant + self.baseline.share * self.traffic.exposure(at, minute)
            })
            .sum();
        of_known + of_spikes
    }

    fn bad_minutes(&self, run: &RangeInclusive<usize>) -> usize {
        let within = self.stretches.within(run);
        let from = self.bad.partition_point(|&(at, _)| (at as usize) < within.start);
        let until = self.bad.partition_point(|&(at, _)| (at as usize) < within.end);
        let bad = self.bad.get(from..until).unwrap_or_default();
        bad.iter()
            .filter_map(|&(at, _)| self.stretches.all.get(at as usize))
            .map(|stretch| stretch.known_minutes as usize)
            .sum()
    }
}
