//! Edges of a run of bad minutes: which event was the first, and which the last.

use std::ops::Range;

use super::MinuteCount;
use super::baseline::Baseline;
use super::stretches::Stretch;

const MINUTE_MS: f32 = 60_000.0;
/// An edge is judged by so many events.
const EVENTS_AT_EDGE: f32 = 100.0;
/// How often an edge is judged again without what was left out.
const ROUNDS: usize = 4;

/// Adds to each run of bad stretches its neighbours that have events: of an incident that began in
/// the last seconds of a minute, that minute looks normal. [`trim`] takes away what is none of it.
pub(super) fn reach_out(stretches: &[Stretch], bad: &[(u32, u8)]) -> Vec<(u32, u8)> {
    let has_events = |at: u32| stretches.get(at as usize).is_some_and(|at| at.events > 0.0);
    let mut reached: Vec<(u32, u8)> = Vec::with_capacity(bad.len());
    for run in bad.chunk_by(|a, b| a.0 + 1 == b.0) {
        let (Some(first), Some(last)) = (run.first(), run.last()) else { continue };
        let is_free = |at: &u32| has_events(*at) && reached.last().is_none_or(|last| last.0 < *at);
        let before = first.0.checked_sub(1).filter(is_free).map(|at| (at, first.1));
        let after = Some(last.0 + 1).filter(|&at| has_events(at)).map(|at| (at, last.1));
        reached.extend(before.into_iter().chain(run.iter().copied()).chain(after));
    }
    reached
}

/// Leaves out what is at the edges of a run but too thin to be of the same window: a stray event
/// hours before it, for which a bad state of a low multiple reaches.
pub(super) fn trim(
    run: Range<usize>,
    stretches: &[Stretch],
    minutes: &[MinuteCount],
    baseline: &Baseline,
) -> Range<usize> {
    let inside = stretches.get(run.clone()).unwrap_or_default();
    let told = |stretch: &Stretch, quiet_ms: fn(&MinuteCount) -> f32| {
        let minute = minutes.get(stretch.start as usize).filter(|_| stretch.events > 0.0);
        let quiet = minute.map_or(0.0, quiet_ms) / MINUTE_MS;
        Told { events: stretch.events, expected: baseline.expected(stretch), quiet }
    };
    let before = thin(inside.iter().map(|at| told(at, |minute| f32::from(minute.first_ms))));
    let left = inside.get(before..).unwrap_or_default().iter().rev();
    let after = thin(left.map(|at| told(at, |minute| MINUTE_MS - f32::from(minute.last_ms))));
    run.start + before..run.end - after
}

/// A stretch, as seen from an edge.
struct Told {
    events: f32,
    /// Events that would be usual.
    expected: f32,
    /// The part of it that has no event, between the edge and the first one.
    quiet: f32,
}

/// How many stretches at the beginning are too thin to be of the same window.
///
/// The likeliest edge is where what is left out is likeliest usual rather than of the window: the
/// stretches before an event, and of its own minute the time up to it.
fn thin(stretches: impl Iterator<Item = Told> + Clone) -> usize {
    let mut from = 0;
    for _ in 0..ROUNDS {
        let ahead = || stretches.clone().skip(from);
        let (mut events, mut expected, mut length) = (0.0, 0.0, 0);
        for stretch in ahead() {
            events += stretch.events;
            expected += stretch.expected;
            length += 1;
            if events >= EVENTS_AT_EDGE {
                break;
            }
        }
        let ratio: f32 = events / f32::max(expected, f32::MIN_POSITIVE);
        // What is left out has the lowest sum.
        let (mut sum, mut lowest, mut cut) = (0.0, f32::MAX, 0);
        for (position, stretch) in ahead().take(length).enumerate() {
            let here = sum - stretch.quiet * stretch.expected * (ratio - 1.0);
            if here < lowest {
                (lowest, cut) = (here, position);
            }
            sum += stretch.events * ratio.ln() - stretch.expected * (ratio - 1.0);
        }
        if cut == 0 {
            break;
        }
        from += cut;
    }
    from
}
