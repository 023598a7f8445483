//! One pool's books: who waits, who holds a connection and since when, and what has happened.
//!
//! sqlx knows neither its waiters nor its holders. So every checkout keeps a guard here, first a
//! [`Waiting`], then a [`Held`], and what ends it is the guard's drop: a caller that is cancelled,
//! times out or panics leaves the books as one that returns. All gauges and counters change
//! under one lock, which is held for some tens of nanoseconds and never across an `await`; so
//! whatever reads them sees one instant.

use std::panic::Location;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::histogram::{Durations, Histogram};
use crate::snapshot::PoolName;

/// A place in the application's source.
pub type Site = &'static Location<'static>;

/// One pool's books.
#[derive(Debug)]
pub(crate) struct Ledger {
    name: PoolName,
    max: u32,
    state: Mutex<State>,
    wait_time: Histogram,
    use_time: Histogram,
    connect_time: Histogram,
    closed_otherwise: AtomicU64,
}

#[derive(Debug, Default)]
struct State {
    waiting: u32,
    peaks: Peaks,
    totals: Totals,
    in_use: u32,
    /// The checkouts, each at its guard's index; as many as were ever held at once.
    checkouts: Vec<Option<Checkout>>,
    /// The indices in `checkouts` that are free.
    free: Vec<usize>,
}

#[derive(Debug, Clone, Copy)]
struct Checkout {
    site: Site,
    since: Instant,
    /// Whether the leak detector has warned of it.
    overdue: bool,
}

/// What the leak detector wants to know.
#[derive(Debug)]
pub(crate) struct Overdue {
    /// The checkouts that it has not warned of, the longest held first.
    pub(crate) newly: Vec<HeldBy>,
    /// When the first of those that are not overdue would be.
    pub(crate) next_in: Option<Duration>,
}

/// High-water marks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Peaks {
    pub(crate) in_use: u32,
    pub(crate) waiting: u32,
}

/// What has happened since the pool was built.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    pub(crate) acquires: u64,
    pub(crate) timeouts: u64,
    pub(crate) cancelled: u64,
    pub(crate) failed: u64,
    pub(crate) lifted: u64,
    pub(crate) overdue: u64,
    pub(crate) opened: u64,
    pub(crate) closed: [u64; ClosedBecause::ALL.len()],
}

/// The books at one instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) max: u32,
    pub(crate) in_use: u32,
    pub(crate) waiting: u32,
    pub(crate) peaks: Peaks,
    pub(crate) totals: Totals,
}

/// Why the library closed a connection. What sqlx closes by itself (too old, idle for too long,
/// broken while it was held) it does not tell; that is the difference to those opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClosedBecause {
    /// It could not be made read-only when it was new.
    NotArmed,
    /// It did not answer, or could not be made read-only again, when it was taken out again.
    Broken,
    /// It could not be cleaned when it came back.
    NotCleaned,
}

/// A connection that is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeldBy {
    /// Where the application took it.
    pub site: Site,
    /// For how long.
    pub held_for: Duration,
}

/// A caller that waits. Dropped as it is, the caller was cancelled.
#[derive(Debug)]
pub(crate) struct Waiting {
    ledger: Arc<Ledger>,
    site: Site,
    since: Instant,
    outcome: Outcome,
}

#[derive(Debug, Clone, Copy)]
enum Outcome {
    Got,
    TimedOut,
    Failed,
    Cancelled,
}

/// A connection that a caller holds. Must be dropped before the connection goes back to sqlx:
/// else the next caller has it while this one still counts, and `in_use` exceeds the maximum.
#[derive(Debug)]
pub(crate) struct Held {
    ledger: Arc<Ledger>,
    index: usize,
    since: Instant,
}

impl ClosedBecause {
    /// Every reason.
    pub const ALL: [Self; 3] = [Self::NotArmed, Self::Broken, Self::NotCleaned];

    /// The reason's name in metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::NotArmed => "not_armed",
            Self::Broken => "broken",
            Self::NotCleaned => "not_cleaned",
        }
    }
}

impl Ledger {
    /// The books of a pool of this name that opens at most `max` connections.
    pub(crate) fn new(name: PoolName, max: u32) -> Arc<Self> {
        Arc::new(Self {
            name,
            max,
            state: Mutex::default(),
            wait_time: Histogram::new(),
            use_time: Histogram::new(),
            connect_time: Histogram::new(),
            closed_otherwise: AtomicU64::new(0),
        })
    }

    pub(crate) fn name(&self) -> &PoolName {
        &self.name
    }

    /// A caller begins to wait for a connection.
    pub(crate) fn wait(self: &Arc<Self>, site: Site) -> Waiting {
        let since = Instant::now();
        let mut state = self.state();
        state.waiting += 1;
        state.peaks.waiting = state.peaks.waiting.max(state.waiting);
        drop(state);
        Waiting { ledger: Arc::clone(self), site, since, outcome: Outcome::Cancelled }
    }

    /// A connection was opened and is ready; how long that took.
    pub(crate) fn opened(&self, connect_time: Duration) {
        self.state().totals.opened += 1;
        self.connect_time.record(connect_time);
    }

    /// The library closed a connection.
    pub(crate) fn closed(&self, because: ClosedBecause) {
        if let Some(closed) = self.state().totals.closed.get_mut(because as usize) {
            *closed += 1;
        }
    }

    /// A caller had lifted its connection's read-only setting.
    pub(crate) fn lifted(&self) {
        self.state().totals.lifted += 1;
    }

    /// The books at this instant.
    pub(crate) fn counts(&self) -> Counts {
        self.state().counts(self.max)
    }

    /// The books at this instant; the high-water marks begin anew with what is there now.
    pub(crate) fn take_peaks(&self) -> Counts {
        let mut state = self.state();
        let counts = state.counts(self.max);
        state.peaks = Peaks { in_use: counts.in_use, waiting: counts.waiting };
        counts
    }

    /// The `n` checkouts that are held longest, the longest first.
    pub(crate) fn longest_held(&self, n: usize) -> Vec<HeldBy> {
        let mut held: Vec<Checkout> = self.state().checkouts.iter().flatten().copied().collect();
        held.sort_by_key(|checkout| checkout.since);
        held.truncate(n);
        let now = Instant::now();
        held.into_iter().map(|checkout| checkout.held_by(now)).collect()
    }

    /// The checkouts that by now are held for longer than the threshold and were not given before.
    pub(crate) fn overdue(&self, threshold: Duration, now: Instant) -> Overdue {
        let mut newly = Vec::new();
        let mut next_in = None;
        let mut state = self.state();
        for checkout in state.checkouts.iter_mut().flatten().filter(|checkout| !checkout.overdue) {
            let held_by = checkout.held_by(now);
            match threshold.checked_sub(held_by.held_for).filter(|left| !left.is_zero()) {
                None => {
                    checkout.overdue = true;
                    newly.push(held_by);
                }
                Some(left) => next_in = Some(next_in.map_or(left, |next| left.min(next))),
            }
        }
        state.totals.overdue += newly.len() as u64;
        drop(state);
        newly.sort_by_key(|held_by| std::cmp::Reverse(held_by.held_for));
        Overdue { newly, next_in }
    }

    /// How many of `opened` connections are closed, when `live` are left at most and the library
    /// knows of `known`: those that sqlx has closed. The number does not fall when a connection
    /// that is being opened hides one.
    pub(crate) fn closed_otherwise(&self, opened: u64, known: u64, live: u32) -> u64 {
        let now = opened.saturating_sub(known + u64::from(live));
        now.max(self.closed_otherwise.fetch_max(now, Ordering::Relaxed))
    }

    /// How long callers waited that were given a connection.
    pub(crate) fn wait_time(&self) -> Durations {
        self.wait_time.read()
    }

    /// How long connections were held that were given back.
    pub(crate) fn use_time(&self) -> Durations {
        self.use_time.read()
    }

    /// How long it took to open connections.
    pub(crate) fn connect_time(&self) -> Durations {
        self.connect_time.read()
    }

    /// Nothing panics under the lock, and each change is complete after each statement: the books
    /// of a lock that someone poisoned all the same are still right.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn counts(&self, max: u32) -> Counts {
        Counts {
            max,
            in_use: self.in_use,
            waiting: self.waiting,
            peaks: self.peaks,
            totals: self.totals,
        }
    }

    fn stop_waiting(&mut self, outcome: Outcome) {
        self.waiting -= 1;
        let total = match outcome {
            Outcome::Got => &mut self.totals.acquires,
            Outcome::TimedOut => &mut self.totals.timeouts,
            Outcome::Failed => &mut self.totals.failed,
            Outcome::Cancelled => &mut self.totals.cancelled,
        };
        *total += 1;
    }

    fn check_out(&mut self, checkout: Checkout) -> usize {
        self.in_use += 1;
        self.peaks.in_use = self.peaks.in_use.max(self.in_use);
        let free = self.free.pop();
        match free.and_then(|index| Some((index, self.checkouts.get_mut(index)?))) {
            Some((index, slot)) => {
                *slot = Some(checkout);
                index
            }
            None => {
                self.checkouts.push(Some(checkout));
                self.checkouts.len() - 1
            }
        }
    }

    fn check_in(&mut self, index: usize) -> Option<Checkout> {
        let checkout = self.checkouts.get_mut(index).and_then(Option::take)?;
        self.in_use -= 1;
        self.free.push(index);
        Some(checkout)
    }
}

impl Checkout {
    fn held_by(&self, now: Instant) -> HeldBy {
        HeldBy { site: self.site, held_for: now.saturating_duration_since(self.since) }
    }
}

impl Waiting {
    /// The caller was given a connection.
    pub(crate) fn got(mut self) -> Held {
        self.outcome = Outcome::Got;
        let (ledger, now) = (Arc::clone(&self.ledger), Instant::now());
        ledger.wait_time.record(now.saturating_duration_since(self.since));
        let checkout = Checkout { site: self.site, since: now, overdue: false };
        // One lock for both, so that no reader sees the caller wait and hold, or do neither.
        let index = {
            let mut state = ledger.state();
            state.stop_waiting(Outcome::Got);
            state.check_out(checkout)
        };
        Held { ledger, index, since: now }
    }

    /// The caller gives up because its time is over; how long it waited.
    pub(crate) fn timed_out(mut self) -> Duration {
        self.outcome = Outcome::TimedOut;
        self.since.elapsed()
    }

    /// The caller was refused for another reason; how long it waited.
    pub(crate) fn failed(mut self) -> Duration {
        self.outcome = Outcome::Failed;
        self.since.elapsed()
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        match self.outcome {
            Outcome::Got => {}
            outcome => self.ledger.state().stop_waiting(outcome),
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let checkout = self.ledger.state().check_in(self.index);
        let held_for = self.since.elapsed();
        self.ledger.use_time.record(held_for);
        if let Some(Checkout { site, overdue: true, .. }) = checkout {
            tracing::info!(
                target: "ebbline_pool::leak",
                pool = %self.ledger.name,
                %site,
                held_ms = u64::try_from(held_for.as_millis()).unwrap_or(u64::MAX),
                "a connection of the pool {} came back after {held_for:.1?}; it was taken at {site}",
                self.ledger.name,
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ledger() -> Arc<Ledger> {
        Ledger::new("primary".parse().unwrap(), 2)
    }

    #[track_caller]
    fn here() -> Site {
        Location::caller()
    }

    #[test]
    fn every_way_to_stop_waiting_is_counted_once_as_what_it_was() {
        let ledger = ledger();
        drop(ledger.wait(here()));
        ledger.wait(here()).timed_out();
        ledger.wait(here()).failed();
        let held = ledger.wait(here()).got();
        let counts = ledger.counts();
        let Totals { acquires, timeouts, cancelled, failed, .. } = counts.totals;
        assert_eq!((acquires, timeouts, cancelled, failed), (1, 1, 1, 1));
        assert_eq!((counts.waiting, counts.in_use), (0, 1));
        drop(held);
        assert_eq!(ledger.counts().in_use, 0);
        assert_eq!((ledger.wait_time().count(), ledger.use_time().count()), (1, 1));
    }

    #[test]
    fn a_spike_between_two_lines_is_in_the_next_line_and_not_in_the_one_after() {
        let ledger = ledger();
        let stays = ledger.wait(here()).got();
        let spike: Vec<_> = (0..5).map(|_| ledger.wait(here())).collect();
        drop(spike);
        drop(ledger.wait(here()).got());
        assert_eq!(ledger.take_peaks().peaks, Peaks { in_use: 2, waiting: 5 });
        assert_eq!(ledger.take_peaks().peaks, Peaks { in_use: 1, waiting: 0 });
        drop(stays);
        assert_eq!(ledger.take_peaks().peaks, Peaks { in_use: 1, waiting: 0 });
        assert_eq!(ledger.take_peaks().peaks, Peaks::default());
    }

    #[test]
    fn the_longest_held_come_first_with_their_places() {
        let ledger = ledger();
        let first = ledger.wait(here()).got();
        let line = line!();
        let _second = ledger.wait(here()).got();
        drop(first);
        let _third = ledger.wait(here()).got();
        let held = ledger.longest_held(9);
        let lines: Vec<u32> = held.iter().map(|by| by.site.line()).collect();
        assert_eq!(lines, [line + 1, line + 3]);
        assert!(held[0].held_for >= held[1].held_for);
        assert_eq!(ledger.longest_held(1).len(), 1);
    }

    #[test]
    fn a_panic_leaves_the_books_right() {
        let ledger = ledger();
        let unwound = std::thread::scope(|threads| {
            let caller = threads.spawn(|| {
                let _held = ledger.wait(here()).got();
                let _waiting = ledger.wait(here());
                std::panic::resume_unwind(Box::new("a caller fails"));
            });
            caller.join().is_err()
        });
        assert!(unwound);
        let counts = ledger.counts();
        assert_eq!((counts.waiting, counts.in_use, counts.totals.cancelled), (0, 0, 1));
    }
}
