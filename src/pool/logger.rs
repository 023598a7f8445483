//! The pool logger: once an interval, the snapshot line.
//!
//! The line is the event's message, so that it is there whatever stores the log; the same values
//! are the event's fields, so that what stores fields (a journal, JSON) can be asked for them.
//! docs/SNAPSHOTS.md lists both.

use std::io;
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use tracing::dispatcher::{self, Dispatch};
use tracing::subscriber::NoSubscriber;

use crate::background::{Background, Work};
use crate::snapshot::VERSION;
use crate::stats::{PoolStats, Stats};

/// The target of the snapshot lines' events, for filters.
pub const SNAPSHOT_TARGET: &str = "ebbline_pool::snapshot";

/// An interval that is shorter would log more than it shows.
const SHORTEST_INTERVAL: Duration = Duration::from_millis(10);

/// Reads the pools' state; the high-water marks begin anew each time.
pub(crate) type TakeStats = Box<dyn FnMut() -> Stats + Send>;

/// Logs the snapshot line while it runs, and a last one when it is stopped or dropped.
#[derive(Debug, Default)]
pub(crate) struct PoolLogger {
    running: Mutex<Option<Background>>,
}

impl PoolLogger {
    /// Logs a line each interval from now on, unless it does already; whether it did not.
    /// Fails where the system has no thread left.
    pub(crate) fn start(&self, interval: Duration, take: TakeStats) -> io::Result<bool> {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        if running.is_some() {
            return Ok(false);
        }
        let interval = interval.max(SHORTEST_INTERVAL);
        *running = Some(Background::start("pool-logger", interval, lines(interval, take))?);
        Ok(true)
    }

    /// Logs a last line, and no more. Does nothing where none are logged.
    pub(crate) fn stop(&self) {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(mut work) = running.and_then(|background| background.stop()) else { return };
        // A panic here would come in the middle of a drop.
        let _ = panic::catch_unwind(AssertUnwindSafe(&mut work));
    }
}

impl Drop for PoolLogger {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Logs one line a round, to the subscriber of whoever started it, or else to the process's.
fn lines(interval: Duration, mut take: TakeStats) -> Work {
    let subscriber = dispatcher::get_default(Dispatch::clone);
    let subscriber = (!subscriber.is::<NoSubscriber>()).then_some(subscriber);
    let mut due = Instant::now() + interval;
    Box::new(move || {
        let stats = take();
        match &subscriber {
            Some(subscriber) => dispatcher::with_default(subscriber, || log(&stats)),
            None => log(&stats),
        }
        let now = Instant::now();
        while due <= now {
            // The beat is kept. What was missed, while the machine slept, is not made up for.
            let missed = (now - due).as_nanos() / interval.as_nanos();
            due += interval * u32::try_from(missed + 1).unwrap_or(u32::MAX);
        }
        due - now
    })
}

/// Two pools of one name would be a mistake of this library; then there is no line.
fn log(stats: &Stats) {
    let Ok(line) = stats.snapshot() else { return };
    let (primary, ro) = (&stats.primary, stats.ro.as_ref());
    let ro_fallthrough = stats.ro_fallthrough.as_ref();
    let of = |pool: Option<&PoolStats>, value: fn(&PoolStats) -> u32| pool.map(value);
    let all = |pool: Option<&PoolStats>, value: fn(&PoolStats) -> u64| pool.map(value);
    tracing::info!(
        target: SNAPSHOT_TARGET,
        pool_v = VERSION,
        pool_ro_routes_to = stats.ro_routes_to.name(),
        pool_primary_max = primary.max,
        pool_primary_size = primary.size,
        pool_primary_idle = primary.idle,
        pool_primary_in_use = primary.in_use,
        pool_primary_waiting = primary.waiting,
        pool_primary_acquires = primary.acquires,
        pool_primary_timeouts = primary.timeouts,
        pool_primary_peak_in_use = primary.peak_in_use,
        pool_primary_peak_waiting = primary.peak_waiting,
        pool_ro_max = of(ro, |pool| pool.max),
        pool_ro_size = of(ro, |pool| pool.size),
        pool_ro_idle = of(ro, |pool| pool.idle),
        pool_ro_in_use = of(ro, |pool| pool.in_use),
        pool_ro_waiting = of(ro, |pool| pool.waiting),
        pool_ro_acquires = all(ro, |pool| pool.acquires),
        pool_ro_timeouts = all(ro, |pool| pool.timeouts),
        pool_ro_peak_in_use = of(ro, |pool| pool.peak_in_use),
        pool_ro_peak_waiting = of(ro, |pool| pool.peak_waiting),
        pool_ro_fallthrough_max = of(ro_fallthrough, |pool| pool.max),
        pool_ro_fallthrough_size = of(ro_fallthrough, |pool| pool.size),
        pool_ro_fallthrough_idle = of(ro_fallthrough, |pool| pool.idle),
        pool_ro_fallthrough_in_use = of(ro_fallthrough, |pool| pool.in_use),
        pool_ro_fallthrough_waiting = of(ro_fallthrough, |pool| pool.waiting),
        pool_ro_fallthrough_acquires = all(ro_fallthrough, |pool| pool.acquires),
        pool_ro_fallthrough_timeouts = all(ro_fallthrough, |pool| pool.timeouts),
        pool_ro_fallthrough_peak_in_use = of(ro_fallthrough, |pool| pool.peak_in_use),
        pool_ro_fallthrough_peak_waiting = of(ro_fallthrough, |pool| pool.peak_waiting),
        "{line}"
    );
}
