//! Incidents: the windows in which a class of failures ran above what is usual.
//!
//! Each step has a file of its own. `minutes` makes a row of minutes of a tally. `spikes` sets
//! apart what is over within a minute. `traffic` tells what of the log is traffic, and where
//! nothing is known. `stretches` tells minutes without events at once. `baseline` learns how many
//! events there are when nothing is wrong, `variation` how that varies. `automaton` finds the most
//! likely course of states, normal or bad. `edges` finds the first and the last event of a run of
//! bad minutes. `window` makes windows of runs, and joins what belongs together.
//!
//! These are windows of one class. `group` joins those of several classes, `severity` tells an
//! outage from a degradation, `caveat` says what the log does not know, `nearby` chooses what
//! changed just before, and `compose` makes incidents of it all.

mod automaton;
mod baseline;
mod caveat;
mod compose;
mod edges;
mod group;
mod minutes;
mod nearby;
mod severity;
mod spikes;
mod stretches;
mod traffic;
mod variation;
mod window;

pub use caveat::{Caveat, Doubt};
pub use compose::{ClassPart, Incident, Incidents, Material, compose};
pub use minutes::Minutes;
pub use severity::Severity;
pub use window::{Window, find};

/// What is so many minutes apart has to do with each other.
const MAX_PAUSE_MINUTES: usize = 10;
/// What was shorter is a spike. An incident of two minutes may have its first and its last event
/// well inside of them.
const LEAST_DURATION_MS: u64 = 75_000;

/// One minute of one class.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MinuteCount {
    /// Entries of any kind; 0: nothing is known about this minute.
    pub entries: u64,
    /// Events of the class.
    pub events: u64,
    /// When in the minute the first event was, in milliseconds; only where there are events.
    pub first_ms: u16,
    /// When in the minute the last event was, in milliseconds; only where there are events.
    pub last_ms: u16,
}

/// How much likelier so many events are at the rate that they had than at the usual one, in nats;
/// 0 where there are no more than usual.
fn evidence(events: f64, expected: f64) -> f64 {
    let expected = expected.max(f64::MIN_POSITIVE);
    if events > expected { events * (events / expected).ln() - (events - expected) } else { 0.0 }
}
