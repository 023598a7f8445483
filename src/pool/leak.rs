//! The leak detector: warns of checkouts that are held for too long, with the place that took
//! them. Once a checkout; a note follows when it comes back after all.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tracing::dispatcher::{self, Dispatch};
use tracing::subscriber::NoSubscriber;

use crate::background::{Background, Work};
use crate::ledger::{HeldBy, Ledger};

/// A threshold that is shorter would make the detector a load.
const SHORTEST_THRESHOLD: Duration = Duration::from_millis(1);

/// Watches pools until it is dropped.
#[derive(Debug)]
pub(crate) struct LeakDetector {
    _background: Background,
}

impl LeakDetector {
    /// Warns of each checkout of these pools that is held for longer than the threshold. Fails
    /// where the system has no thread left.
    pub(crate) fn start(threshold: Duration, ledgers: Vec<Arc<Ledger>>) -> io::Result<Self> {
        let threshold = threshold.max(SHORTEST_THRESHOLD);
        let subscriber = dispatcher::get_default(Dispatch::clone);
        let subscriber = (!subscriber.is::<NoSubscriber>()).then_some(subscriber);
        let work: Work = Box::new(move || match &subscriber {
            Some(subscriber) => dispatcher::with_default(subscriber, || round(threshold, &ledgers)),
            None => round(threshold, &ledgers),
        });
        let background = Background::start("pool-leaks", threshold, work)?;
        Ok(Self { _background: background })
    }
}

/// Warns of what is overdue; until when nothing else can become so.
fn round(threshold: Duration, ledgers: &[Arc<Ledger>]) -> Duration {
    let now = Instant::now();
    // What is taken out from now on is overdue after a whole threshold at the earliest.
    let mut next = threshold;
    for ledger in ledgers {
        let overdue = ledger.overdue(threshold, now);
        next = next.min(overdue.next_in.unwrap_or(threshold));
        for HeldBy { site, held_for } in overdue.newly {
            tracing::warn!(
                target: "ebbline_pool::leak",
                pool = %ledger.name(),
                site = %site,
                held_ms = u64::try_from(held_for.as_millis()).unwrap_or(u64::MAX),
                "a connection of the pool {} has been held for {held_for:.1?}, longer than {threshold:.1?}; \
                 it was taken at {site}: give it back before waiting for anything else",
                ledger.name(),
            );
        }
    }
    next.max(SHORTEST_THRESHOLD)
}
