//! A checkout from one of the pools: counted from the moment a caller asks until the connection
//! comes back, and armed on the way out if the pool is a read-only one.
//!
//! What sqlx calls back (a new connection, one that is taken out again) is hooked up here, so
//! that all three pools are the same but for their arming.

use std::cell::Cell;
use std::fmt;
use std::future::Future;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::time::{Duration, Instant};

use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgPool, PgPoolOptions};
use sqlx::{Connection, Postgres};
use tokio::runtime::Handle;
use tokio::task_local;
use tokio::time::timeout;

use crate::arm::{Armed, Guard, NotArmed};
use crate::cause::{Diagnosis, Trouble};
use crate::config::{Config, Limits};
use crate::error::{AcquireError, TimedOut};
use crate::ledger::{ClosedBecause, Held, Ledger, Site, Waiting};
use crate::snapshot::PoolName;
use crate::stats::{PoolStats, Sqlx};

/// A connection that comes back and does not answer for so long is closed.
const CLEANING_PATIENCE: Duration = Duration::from_secs(5);

/// A read-only connection that was cleaned so short a time ago is armed and answers; HikariCP's
/// `aliveBypassWindowMs` is as long. To ask again would cost each checkout a round trip.
const SURELY_ALIVE: Duration = Duration::from_millis(500);

task_local! {
    /// When the caller asked, in whose time a connection is being opened.
    static ASKED: Cell<Option<Instant>>;
}

/// One of the three pools.
pub(crate) struct CountedPool {
    pool: PgPool,
    ledger: Arc<Ledger>,
    /// What a read-only pool is armed by; the primary's pool has none.
    guard: Option<Arc<Guard>>,
    runtime: Handle,
    acquire_timeout: Duration,
    diagnosis: Arc<Diagnosis>,
}

/// A connection that a caller holds.
pub(crate) struct Checkout {
    /// Given back before the connection is.
    held: Option<Held>,
    connection: Option<PoolConnection<Postgres>>,
    pool: Arc<CountedPool>,
    site: Site,
}

impl CountedPool {
    /// A pool that opens its first connection when one is asked for. Needs a runtime around it.
    pub(crate) fn new(
        name: PoolName,
        options: PgConnectOptions,
        guard: Option<Guard>,
        limits: Limits,
        config: &Config,
        runtime: Handle,
    ) -> Arc<Self> {
        let ledger = Ledger::new(name, limits.max);
        let diagnosis =
            Diagnosis::new(options.clone(), Arc::clone(&ledger), config.acquire_timeout);
        let guard = guard.map(Arc::new);
        let first = guard.as_ref().map_or(options, |guard| guard.first_options());
        let pool_options = PgPoolOptions::new()
            .max_connections(limits.max)
            .min_connections(limits.min)
            .acquire_timeout(config.acquire_timeout)
            .idle_timeout(config.idle_timeout)
            .max_lifetime(config.max_lifetime)
            .test_before_acquire(false);
        let pool_options = hooked(pool_options, &ledger, guard.as_ref(), &diagnosis);
        Arc::new(Self {
            pool: pool_options.connect_lazy_with(first),
            ledger,
            guard,
            runtime,
            acquire_timeout: config.acquire_timeout,
            diagnosis,
        })
    }

    pub(crate) fn name(&self) -> &PoolName {
        self.ledger.name()
    }

    pub(crate) fn ledger(&self) -> &Arc<Ledger> {
        &self.ledger
    }

    pub(crate) fn guard(&self) -> Option<&Guard> {
        self.guard.as_deref()
    }

    pub(crate) fn stats(&self) -> PoolStats {
        PoolStats::read(&self.ledger, || self.sqlx())
    }

    /// The same; the high-water marks begin anew.
    pub(crate) fn take_stats(&self) -> PoolStats {
        PoolStats::take(&self.ledger, || self.sqlx())
    }

    fn sqlx(&self) -> Sqlx {
        let min = self.pool.options().get_min_connections();
        Sqlx { min, size: self.pool.size(), idle: self.pool.num_idle() }
    }

    /// Closes the pool at once; the future waits until all connections are back and closed.
    pub(crate) fn close(&self) -> impl Future<Output = ()> + '_ {
        self.pool.close()
    }

    /// Waits for a connection.
    pub(crate) async fn checkout(self: &Arc<Self>, site: Site) -> Result<Checkout, AcquireError> {
        let waiting = self.ledger.wait(site);
        match self.diagnosis.beside(self.acquire_timeout, self.obtain()).await {
            Ok(connection) => Ok(Checkout {
                held: Some(waiting.got()),
                connection: Some(connection),
                pool: Arc::clone(self),
                site,
            }),
            Err(error) => Err(self.refused(waiting, error)),
        }
    }

    async fn obtain(&self) -> Result<PoolConnection<Postgres>, NotArmed> {
        match &self.guard {
            Some(guard) if guard.armed().is_none() => {
                let both = async {
                    guard.find_out(&self.pool).await?;
                    Ok(self.acquire().await?)
                };
                let late = |_| Err(NotArmed::Sqlx(sqlx::Error::PoolTimedOut));
                timeout(self.acquire_timeout, both).await.unwrap_or_else(late)
            }
            _ => Ok(self.acquire().await?),
        }
    }

    async fn acquire(&self) -> Result<PoolConnection<Postgres>, sqlx::Error> {
        // A caller that finds all connections taken waits for one, which is no time of opening.
        let may_open = self.pool.size() < self.pool.options().get_max_connections();
        let asked = may_open.then(Instant::now);
        ASKED.scope(Cell::new(asked), self.pool.acquire()).await
    }

    fn refused(&self, waiting: Waiting, error: NotArmed) -> AcquireError {
        let pool = self.name().clone();
        match error {
            NotArmed::Sqlx(sqlx::Error::PoolTimedOut) => {
                let counts = self.ledger.counts();
                let cause = self.diagnosis.explain(&self.pool);
                let waited = waiting.timed_out();
                let timed_out = TimedOut::new(pool, waited, counts, self.pool.size(), cause);
                AcquireError::TimedOut(Box::new(timed_out))
            }
            NotArmed::Sqlx(sqlx::Error::PoolClosed) => {
                waiting.failed();
                AcquireError::Closed { pool }
            }
            NotArmed::Sqlx(source) => {
                let waited_ms = waiting.failed().as_millis();
                let trouble = Trouble::of(&source);
                AcquireError::Connect { pool, waited_ms, trouble, source }
            }
            NotArmed::SessionNotHeld => {
                waiting.failed();
                AcquireError::SessionNotHeld { pool }
            }
        }
    }
}

impl fmt::Debug for CountedPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // sqlx's pool would show how it connects, with the password.
        f.debug_struct("CountedPool").field("ledger", &self.ledger).finish_non_exhaustive()
    }
}

/// Hooks up what must happen to a connection before a caller gets it.
fn hooked(
    options: PgPoolOptions,
    ledger: &Arc<Ledger>,
    guard: Option<&Arc<Guard>>,
    diagnosis: &Arc<Diagnosis>,
) -> PgPoolOptions {
    let (opening, guarding, diagnosis) =
        (Arc::clone(ledger), guard.cloned(), Arc::clone(diagnosis));
    let options = options.after_connect(move |connection, _| {
        let (ledger, guard) = (Arc::clone(&opening), guarding.clone());
        let diagnosis = Arc::clone(&diagnosis);
        Box::pin(async move {
            let asked = ASKED.try_with(Cell::get).ok().flatten();
            ledger.opened(asked.map_or(Duration::ZERO, |asked| asked.elapsed()));
            if let Some(guard) = guard
                && let Err(error) = guard.arm_new(connection).await
            {
                diagnosis.could_not_arm(&error);
                ledger.closed(ClosedBecause::NotArmed);
                return Err(error);
            }
            Ok(())
        })
    });
    let (again, guarding) = (Arc::clone(ledger), guard.cloned());
    options.before_acquire(move |connection, state| {
        let (ledger, guard) = (Arc::clone(&again), guarding.clone());
        let idle = state.idle_for;
        Box::pin(async move {
            let usable = match guard {
                Some(_) if idle < SURELY_ALIVE => Ok(()),
                Some(guard) => guard.rearm(connection).await,
                None => connection.ping().await,
            };
            if usable.is_err() {
                ledger.closed(ClosedBecause::Broken);
            }
            usable.map(|()| true)
        })
    })
}

impl Checkout {
    pub(crate) fn site(&self) -> Site {
        self.site
    }

    pub(crate) fn pool(&self) -> &CountedPool {
        &self.pool
    }

    /// The connection, its pool's name and where it was taken.
    pub(crate) fn parts(&mut self) -> (&mut PgConnection, &PoolName, Site) {
        let Self { connection, pool, site, .. } = self;
        match connection {
            Some(connection) => (connection, pool.name(), site),
            None => unreachable!("only the drop takes the connection out"),
        }
    }

    /// How the connection is armed.
    pub(crate) fn armed(&self) -> Option<Armed> {
        self.pool.guard.as_ref().and_then(|guard| guard.armed())
    }
}

impl Deref for Checkout {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        match &self.connection {
            Some(connection) => connection,
            None => unreachable!("only the drop takes the connection out"),
        }
    }
}

impl DerefMut for Checkout {
    fn deref_mut(&mut self) -> &mut PgConnection {
        match &mut self.connection {
            Some(connection) => connection,
            None => unreachable!("only the drop takes the connection out"),
        }
    }
}

impl Drop for Checkout {
    fn drop(&mut self) {
        drop(self.held.take());
        let Some(connection) = self.connection.take() else { return };
        // sqlx spawns a task to give the connection back, and panics outside of a runtime.
        let runtime = Handle::try_current().unwrap_or_else(|_| self.pool.runtime.clone());
        let _inside = runtime.enter();
        match &self.pool.guard {
            None => drop(connection),
            Some(guard) => {
                let (guard, ledger) = (Arc::clone(guard), Arc::clone(&self.pool.ledger));
                runtime.spawn(clean(connection, guard, ledger, self.site));
            }
        }
    }
}

/// Looks whether the caller made the connection one that may write, makes it read-only again and
/// gives it back.
async fn clean(
    mut connection: PoolConnection<Postgres>,
    guard: Arc<Guard>,
    ledger: Arc<Ledger>,
    site: Site,
) {
    match timeout(CLEANING_PATIENCE, guard.clean(&mut connection)).await {
        Ok(Ok(found)) => {
            if found.is_some_and(|found| found.lifted()) {
                ledger.lifted();
                tracing::warn!(
                    pool = %ledger.name(),
                    site = %site,
                    "a read-only checkout was made one that may write; it is read-only again: \
                     take a handle that may write from Pools::read_write"
                );
            }
            drop(connection);
        }
        // What answers no more, or answers something else, nobody should be given.
        Ok(Err(_)) | Err(_) => {
            ledger.closed(ClosedBecause::NotCleaned);
            drop(connection.detach());
        }
    }
}
