//! Windows: runs of bad minutes, joined over short pauses.

use std::ops::{Range, RangeInclusive};

use super::automaton::{self, Course};
use super::baseline::{Baseline, Sums, total};
use super::edges;
use super::spikes;
use super::stretches::{Stretch, Stretches};
use super::traffic::{DAY, HOUR, Traffic};
use super::variation;
use super::{LEAST_DURATION_MS, MAX_PAUSE_MINUTES, MinuteCount, evidence};

/// How often the baseline is learned again without what was found bad.
const ROUNDS: usize = 4;
/// Nothing is said to have gone on through so long a time of which nothing is known.
const MAX_HOLE_MINUTES: usize = 6 * HOUR;
/// What is called normal must be this much of the time at least, or what is called bad be
/// [`NEVER_USUAL`].
const LEAST_NORMAL: f64 = 0.3;
/// Where such a part of the traffic fails nobody would call it usual. In a log of nothing but
/// failures that says nothing.
const NEVER_USUAL: f64 = 0.2;
const NOTHING_BUT_FAILURES: f64 = 0.9;
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
    let mut stretches = Stretches::of(minutes, &traffic, &lone_spikes);
    let guess = Baseline::learn(&Sums::guess(&stretches), 1.0);
    let levels = variation::levels(&stretches, &guess);
    stretches.apply(&levels);
    let dispersion = variation::dispersion(&stretches, &guess);
    let Some((baseline, mut bad)) = explain(&stretches, dispersion) else { return Vec::new() };
    end_in_lulls(&stretches.all, &mut bad, &baseline);
    let bad = edges::reach_out(&stretches.all, &bad);
    let runs =
        runs(&stretches.all, &bad, |run| edges::trim(run, &stretches.all, minutes, &baseline));
    let runs = join(runs, &stretches.all);
    let found = Found { minutes, traffic, levels, stretches, baseline, bad, lone_spikes };
    let joined = runs.into_iter().filter_map(|run| found.minutes_of(run));
    let all = joined.chain(found.lone_spikes.iter().cloned());
    let mut windows: Vec<Window> = all.map(|run| found.describe(run)).collect();
    windows.retain(|window| window.evidence >= LEAST_EVIDENCE);
    windows.sort_by_key(|window| *window.minutes.start());
    windows
}

/// What windows are made of.
struct Found<'a> {
    minutes: &'a [MinuteCount],
    traffic: Traffic,
    /// The level of each day.
    levels: Vec<f64>,
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
        known <= MAX_PAUSE_MINUTES as f32
            || automaton::gain(state, events, expected, baseline.dispersion) >= LEAST_GAIN
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
fn explain(stretches: &Stretches, dispersion: f64) -> Option<(Baseline, Vec<(u32, u8)>)> {
    let mut best: Option<(f64, Baseline, Course)> = None;
    let guesses = Sums::guesses(stretches);
    let all = guesses.last().cloned()?;
    let mut seen: Vec<Baseline> = Vec::new();
    for guess in guesses {
        let earlier = seen.len();
        let mut baseline = Baseline::learn(&guess, dispersion);
        let mut latest: Option<(Baseline, Course, Sums)> = None;
        for _ in 0..ROUNDS {
            if latest.as_ref().is_some_and(|latest| latest.0.is_like(&baseline, &all)) {
                break;
            }
            if seen.iter().take(earlier).any(|seen| seen.is_like(&baseline, &all)) {
                // It goes where an earlier guess went.
                latest = None;
                break;
            }
            seen.push(baseline);
            let course = automaton::course(&stretches.all, &baseline);
            let is_bad = course.bad.iter().filter_map(|&(at, _)| stretches.all.get(at as usize));
            let normal = all.without(is_bad);
            let next = Baseline::learn(&normal, dispersion);
            latest = Some((std::mem::replace(&mut baseline, next), course, normal));
        }
        let Some((baseline, course, normal)) = latest else { continue };
        let tells_traffic = all.failing_share() < NOTHING_BUT_FAILURES;
        let is_usual = normal.minutes >= LEAST_NORMAL * all.minutes
            || tells_traffic && all.failing_share_beside(&normal) >= NEVER_USUAL;
        let is_doubtful = tells_traffic && baseline.share >= NEVER_USUAL;
        let likelihood = match (is_usual, is_doubtful) {
            (true, false) => course.gain + baseline.likelihood(&all),
            // It is taken where there is no other.
            (true, true) => f64::MIN / 2.0,
            (false, _) => f64::MIN,
        };
        if best.as_ref().is_none_or(|best| likelihood > best.0) {
            best = Some((likelihood, baseline, course));
        }
    }
    best.map(|(_, baseline, course)| (baseline, course.bad))
}

/// Runs of bad stretches, from the first to the last that has events.
fn runs(
    stretches: &[Stretch],
    bad: &[(u32, u8)],
    trim: impl Fn(Range<usize>) -> Range<usize>,
) -> Vec<Range<usize>> {
    let has_events = |&(at, _): &(u32, u8)| {
        stretches.get(at as usize).is_some_and(|stretch| stretch.events > 0.0)
    };
    let is_known = |&(at, _): &(u32, u8)| {
        stretches.get(at as usize).is_some_and(|stretch| stretch.known_minutes > 0.0)
    };
    let run = |run: &[(u32, u8)]| {
        let first = run.iter().find(|bad| has_events(bad))?;
        let last = run.iter().rfind(|bad| has_events(bad))?;
        Some(trim(first.0 as usize..last.0 as usize + 1))
    };
    bad.chunk_by(|a, b| a.0 + 1 == b.0 && is_known(a) && is_known(b)).filter_map(run).collect()
}

/// Joins runs between which there is no more than a pause, or a hole in the log.
fn join(runs: Vec<Range<usize>>, stretches: &[Stretch]) -> Vec<Range<usize>> {
    let mut joined: Vec<Range<usize>> = Vec::new();
    for run in runs {
        match joined.last_mut() {
            Some(last) if is_one(last, &run, stretches) => last.end = run.end,
            _ => joined.push(run),
        }
    }
    joined
}

/// Whether two runs are of one incident: the time between them is short, or no longer than
/// pauses must be where events are as few as in the hours around it; and if nothing is known of
/// it, both have about as many events.
fn is_one(before: &Range<usize>, after: &Range<usize>, stretches: &[Stretch]) -> bool {
    /// So many events would have been expected, if the incident had gone on.
    const MOST_MISSED: f32 = 9.0;
    /// What goes on behind a hole in the log has so many times the events at most.
    const MOST_CHANGE: f32 = 5.0;
    /// So many events more or less are chance.
    const CHANCE: f32 = 3.0;
    const MINUTES_PER_HOUR: f32 = HOUR as f32;
    let start_of = |at: usize| stretches.get(at).map_or(0, |stretch| stretch.start as usize);
    let (start, end) = (start_of(before.end), start_of(after.start));
    let inside = sum(stretches, before.end..after.start);
    let hour_after = stretches.partition_point(|at| (at.start as usize) < end + HOUR);
    let hour_before = stretches.partition_point(|at| (at.start as usize) + HOUR < start);
    let earlier = sum(stretches, hour_before..before.end);
    let later = sum(stretches, after.start..hour_after);
    let missed = earlier.events.min(later.events) * inside.known_minutes / MINUTES_PER_HOUR;
    if end - start >= MAX_HOLE_MINUTES {
        return false;
    }
    let is_pause = inside.known_minutes <= MAX_PAUSE_MINUTES as f32
        || inside.known_minutes < MINUTES_PER_HOUR && missed < MOST_MISSED;
    if end - start <= MAX_PAUSE_MINUTES || inside.known_minutes > (end - start) as f32 / 2.0 {
        return is_pause;
    }
    let earlier = sum(stretches, before.start.max(hour_before)..before.end);
    let later = sum(stretches, after.start..after.end.min(hour_after));
    let is_less = |less: Stretch, more: Stretch| {
        let most = MOST_CHANGE * (less.events + CHANCE) * more.known_minutes;
        more.events * less.known_minutes > most
    };
    is_pause && !is_less(earlier, later) && !is_less(later, earlier)
}

fn sum(stretches: &[Stretch], range: Range<usize>) -> Stretch {
    total(stretches.get(range).unwrap_or_default())
}

impl Found<'_> {
    fn minutes_of(&self, run: Range<usize>) -> Option<RangeInclusive<usize>> {
        let inside = self.stretches.all.get(run)?;
        Some(inside.first()?.start as usize..=inside.last()?.start as usize)
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
            evidence: evidence(events as f64, expected) / self.baseline.dispersion,
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
                let level = self.levels.get(at / DAY).copied().unwrap_or(1.0);
                let of_traffic = self.baseline.share * self.traffic.exposure(at, minute);
                (self.baseline.constant + of_traffic) * level
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
