//! What the pools look like at one moment: plain data, for the application, the snapshot line and
//! the metrics alike.

use crate::histogram::Durations;
use crate::ledger::{ClosedBecause, Counts, Ledger};
use crate::snapshot::{PoolName, PoolState, ReadOnlyRoute, Snapshot, SnapshotError};

/// All pools of a process at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stats {
    /// The pool that may write.
    pub primary: PoolStats,
    /// The read-only pool to the replica, where one is configured.
    pub ro: Option<PoolStats>,
    /// The read-only pool to the primary, where there is one.
    pub ro_fallthrough: Option<PoolStats>,
    /// Whether a replica is configured.
    pub ro_dsn_configured: bool,
    /// Where a read-only checkout goes now.
    pub ro_routes_to: ReadOnlyRoute,
    /// How often read-only work has left the replica or returned to it.
    pub ro_route_changes: u64,
    /// What keeps a read-only checkout from writing, where it goes now; `None` where it goes
    /// nowhere.
    pub protection: Option<Protection>,
}

/// What keeps a read-only handle from writing, the weakest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Protection {
    /// A setting of the session: it holds against mistakes, and against nobody who lifts it.
    Session,
    /// A read-only transaction for each statement, which no statement can leave.
    Transaction,
    /// A login role that may not write to any table.
    Role,
    /// A replica, on which nothing can be written.
    Replica,
}

/// One pool at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PoolStats {
    /// The pool's name in snapshots and metrics.
    pub name: PoolName,
    /// Connections that the pool may open.
    pub max: u32,
    /// Connections that the pool keeps open even if nobody needs them.
    pub min: u32,
    /// Connections open now, those being opened or closed included.
    pub size: u32,
    /// Open connections that nobody holds.
    pub idle: u32,
    /// Connections held by callers.
    pub in_use: u32,
    /// Callers that wait for a connection now.
    pub waiting: u32,
    /// The highest `in_use` since the last snapshot line.
    pub peak_in_use: u32,
    /// The highest `waiting` since the last snapshot line.
    pub peak_waiting: u32,
    /// Callers that were given a connection.
    pub acquires: u64,
    /// Callers that gave up because their time was over.
    pub timeouts: u64,
    /// Callers that were cancelled while they waited.
    pub cancelled: u64,
    /// Callers that were refused for another reason.
    pub failed: u64,
    /// Checkouts whose read-only setting was found lifted.
    pub lifted: u64,
    /// Checkouts that the leak detector has warned of.
    pub overdue: u64,
    /// Connections opened.
    pub opened: u64,
    /// Connections closed.
    pub closed: Closed,
    /// How long callers waited that were given a connection.
    pub wait_time: Durations,
    /// How long connections were held that were given back.
    pub use_time: Durations,
    /// How long it took to open connections.
    pub connect_time: Durations,
}

/// What sqlx knows of a pool.
pub(crate) struct Sqlx {
    pub(crate) min: u32,
    pub(crate) size: u32,
    /// As it is: see [`believable_idle`].
    pub(crate) idle: usize,
}

/// Connections closed, by reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Closed {
    by_library: [u64; ClosedBecause::ALL.len()],
    /// Closed by sqlx or the server, for reasons that are not told: too old, idle for too long,
    /// broken while held, or the pool was closed. A connection that is being opened hides one of
    /// these, so that the number may come late; it never falls.
    pub otherwise: u64,
}

impl Closed {
    /// Connections that the library closed for this reason.
    pub fn because(&self, reason: ClosedBecause) -> u64 {
        self.by_library.get(reason as usize).copied().unwrap_or(0)
    }

    /// All of them.
    pub fn total(&self) -> u64 {
        self.by_library.iter().sum::<u64>() + self.otherwise
    }
}

impl Stats {
    /// The pools that there are, the primary first.
    pub fn pools(&self) -> impl Iterator<Item = &PoolStats> {
        [Some(&self.primary), self.ro.as_ref(), self.ro_fallthrough.as_ref()].into_iter().flatten()
    }

    /// The snapshot line of this moment.
    pub fn snapshot(&self) -> Result<Snapshot, SnapshotError> {
        Snapshot::new(Some(self.ro_routes_to), self.pools().map(PoolStats::state).collect())
    }
}

impl Protection {
    /// The protection's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::Transaction => "transaction",
            Self::Role => "role",
            Self::Replica => "replica",
        }
    }
}

impl PoolStats {
    /// A pool's books beside what sqlx says of its size and its idle connections, which is asked
    /// for after the books are read.
    pub(crate) fn read(ledger: &Ledger, sqlx: impl FnOnce() -> Sqlx) -> Self {
        Self::of(ledger, ledger.counts(), sqlx)
    }

    /// The same, and the high-water marks begin anew.
    pub(crate) fn take(ledger: &Ledger, sqlx: impl FnOnce() -> Sqlx) -> Self {
        Self::of(ledger, ledger.take_peaks(), sqlx)
    }

    fn of(ledger: &Ledger, counts: Counts, sqlx: impl FnOnce() -> Sqlx) -> Self {
        let Counts { max, in_use, waiting, peaks, totals } = counts;
        let Sqlx { min, size, idle } = sqlx();
        let known: u64 = totals.closed.iter().sum();
        Self {
            name: ledger.name().clone(),
            max,
            min,
            size: size.min(max),
            idle: believable_idle(idle, size, in_use),
            in_use,
            waiting,
            peak_in_use: peaks.in_use,
            peak_waiting: peaks.waiting,
            acquires: totals.acquires,
            timeouts: totals.timeouts,
            cancelled: totals.cancelled,
            failed: totals.failed,
            lifted: totals.lifted,
            overdue: totals.overdue,
            opened: totals.opened,
            closed: Closed {
                by_library: totals.closed,
                otherwise: ledger.closed_otherwise(totals.opened, known, size),
            },
            wait_time: ledger.wait_time(),
            use_time: ledger.use_time(),
            connect_time: ledger.connect_time(),
        }
    }

    fn state(&self) -> PoolState {
        PoolState {
            name: self.name.clone(),
            max: self.max,
            size: self.size,
            idle: self.idle,
            in_use: self.in_use,
            waiting: self.waiting,
            acquires: self.acquires,
            timeouts: self.timeouts,
            peak_in_use: self.peak_in_use,
            peak_waiting: self.peak_waiting,
        }
    }
}

/// sqlx puts a connection on its shelf before it counts it, so that its count falls below 0 and
/// wraps round when another caller is quicker (launchbadge/sqlx#3645). Below 0 is none; and what
/// is held is not idle.
fn believable_idle(idle: usize, size: u32, in_use: u32) -> u32 {
    let idle = isize::try_from(idle).map_or(0, |idle| u32::try_from(idle).unwrap_or(u32::MAX));
    idle.min(size.saturating_sub(in_use))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wrapped_count_of_idle_connections_never_shows() {
        for (idle, size, in_use, shown) in [
            (3, 5, 2, 3),
            (usize::MAX, 5, 5, 0),
            (usize::MAX - 1, 5, 2, 0),
            (5, 5, 2, 3),
            (0, 0, 1, 0),
            (usize::MAX >> 1, 8, 0, 8),
        ] {
            assert_eq!(believable_idle(idle, size, in_use), shown, "{idle} of {size}");
        }
    }
}
