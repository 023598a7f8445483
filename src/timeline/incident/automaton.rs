//! The most likely course of states, minute by minute.
//!
//! An automaton after Kleinberg, "Bursty and hierarchical structure in streams" (2002): in the
//! normal state the events of a minute are Poisson distributed with the expectation of the
//! baseline, in each bad state with a multiple of it. To become bad costs, to become normal
//! again costs, to become bad otherwise costs little. Viterbi's algorithm finds the cheapest
//! course in one pass. A minute of which nothing is known tells for no state.

use super::MinuteCount;
use super::baseline::Baseline;

/// How much more than usual each bad state has.
const MULTIPLES: [f64; 11] = [4.0, 10.0, 30.0, 100.0, 300.0, 1e3, 3e3, 1e4, 3e4, 1e5, 1e6];
const BAD: usize = MULTIPLES.len();

/// What it costs to become bad, in nats: a minute in three thousand would begin an incident.
const BEGINNING: f64 = 8.0;
/// What it costs to become normal again.
const END: f64 = 3.0;
/// What it costs to become bad otherwise.
const CHANGE: f64 = 2.5;

/// A course of states.
#[derive(Debug, Default)]
pub(super) struct Course {
    /// For each minute 0 where it is normal, else one more than the bad state's position.
    pub(super) states: Vec<u8>,
    /// How much likelier the course is than one that is normal throughout, in nats, less what its
    /// changes cost.
    pub(super) gain: f64,
}

/// The most likely course.
pub(super) fn course(minutes: &[MinuteCount], baseline: &Baseline) -> Course {
    let logarithms = MULTIPLES.map(f64::ln);
    // Scores are relative to the course that is normal throughout.
    let mut normal = 0.0_f64;
    let mut bad = [f64::NEG_INFINITY; BAD];
    let mut came: Vec<[u8; BAD + 1]> = Vec::with_capacity(minutes.len());
    for (position, minute) in minutes.iter().enumerate() {
        let mut from = [0_u8; BAD + 1];
        let (best, best_bad) = best_of(&bad);
        let beginning = normal - BEGINNING;
        let changed = best_bad - CHANGE;
        if best_bad - END > normal {
            normal = best_bad - END;
            from[0] = best as u8 + 1;
        }
        let expected = baseline.expected(position);
        let events = minute.events as f64;
        for state in 0..BAD {
            let (mut score, mut source) = (bad[state], state as u8 + 1);
            if changed > score {
                (score, source) = (changed, best as u8 + 1);
            }
            if beginning > score {
                (score, source) = (beginning, 0);
            }
            let gain = events * logarithms[state] - expected * (MULTIPLES[state] - 1.0);
            bad[state] = score + gain;
            from[state + 1] = source;
        }
        came.push(from);
    }
    let (best, best_bad) = best_of(&bad);
    let mut state = if best_bad > normal { best as u8 + 1 } else { 0 };
    let mut states = vec![0; minutes.len()];
    for (position, from) in came.iter().enumerate().rev() {
        if let Some(here) = states.get_mut(position) {
            *here = state;
        }
        state = from.get(usize::from(state)).copied().unwrap_or(0);
    }
    Course { states, gain: normal.max(best_bad) }
}

/// How much likelier the events of some minutes are in a bad state than in the normal one.
pub(super) fn gain(state: u8, events: u64, expected: f64) -> f64 {
    let multiple = MULTIPLES.get(usize::from(state).wrapping_sub(1)).copied().unwrap_or(1.0);
    events as f64 * multiple.ln() - expected * (multiple - 1.0)
}

fn best_of(bad: &[f64; BAD]) -> (usize, f64) {
    bad.iter()
        .copied()
        .enumerate()
        .fold((0, f64::NEG_INFINITY), |best, next| if next.1 > best.1 { next } else { best })
}
