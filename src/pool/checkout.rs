//! A checkout from one of the pools: counted from the moment a caller asks until the connection
//! comes back, and cleaned then, before it is handed to the next caller or put on sqlx's shelf.
//!
//! What sqlx calls back (a new connection, one that is taken out again) is hooked up here, so
//! that all three pools are the same but for their arming.

use std::cell::Cell;
use std::fmt;
use std::future::Future;
use std::mem;
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
use crate::queue::{Permit, Queue};
use crate::snapshot::PoolName;
use crate::stats::{PoolStats, Sqlx};
use crate::transaction::MayBeOpen;

/// A read-only connection that comes back and does not answer for so long is closed. On the
/// primary it may be in the middle of a long write, which is waited for.
const CLEANING_PATIENCE: Duration = Duration::from_secs(5);

/// A read-only connection that was cleaned so short a time ago is read-only and answers; HikariCP's
/// `aliveBypassWindowMs` is as long. To ask again would cost each checkout a round trip. On the
/// primary, where an error may hide whether something was written, it is asked all the same.
const SURELY_ALIVE: Duration = Duration::from_millis(500);

task_local! {
    /// In whose time sqlx takes a connection from its shelf or opens one.
    static ERRAND: Errand;
}

/// A caller's errand to sqlx's pool.
struct Errand {
    asked: Instant,
    /// How old the connection is that was on the shelf; a new one is not.
    age: Cell<Duration>,
}

/// One of the three pools.
pub(crate) struct CountedPool {
    pool: PgPool,
    queue: Arc<Queue<Taken>>,
    ledger: Arc<Ledger>,
    /// What a read-only pool is armed by; the primary's pool has none.
    guard: Option<Arc<Guard>>,
    runtime: Handle,
    acquire_timeout: Duration,
    max_lifetime: Option<Duration>,
    diagnosis: Arc<Diagnosis>,
}

/// A connection that a caller holds.
pub(crate) struct Checkout {
    taken: Option<(Held, Taken, Permit<Taken>)>,
    pool: Arc<CountedPool>,
    site: Site,
}

/// What runs statements needs of a checkout.
pub(crate) struct Parts<'c> {
    pub(crate) connection: &'c mut PgConnection,
    /// To be told of what may begin a transaction.
    pub(crate) transaction: &'c mut MayBeOpen,
    pub(crate) pool: &'c PoolName,
    /// Where it was taken.
    pub(crate) site: Site,
}

/// A connection off sqlx's shelf. Dropped, it goes back there.
#[derive(Debug)]
struct Taken {
    /// Taken out by the drop, or to be closed.
    connection: Option<PoolConnection<Postgres>>,
    /// What the caller has sent since it has the connection may have begun a transaction. This is
    /// told of those that may only read.
    transaction: MayBeOpen,
    /// `None` where that was before the clock began.
    opened_at: Option<Instant>,
    runtime: Handle,
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
            queue: Queue::new(limits.max),
            ledger,
            guard,
            runtime,
            acquire_timeout: config.acquire_timeout,
            max_lifetime: config.max_lifetime,
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
            Ok((taken, permit)) => Ok(Checkout {
                taken: Some((waiting.got(), taken, permit)),
                pool: Arc::clone(self),
                site,
            }),
            Err(error) => Err(self.refused(waiting, error)),
        }
    }

    async fn obtain(&self) -> Result<(Taken, Permit<Taken>), NotArmed> {
        let late = |_| Err(NotArmed::Sqlx(sqlx::Error::PoolTimedOut));
        timeout(self.acquire_timeout, self.take()).await.unwrap_or_else(late)
    }

    async fn take(&self) -> Result<(Taken, Permit<Taken>), NotArmed> {
        if let Some(guard) = self.guard.as_ref().filter(|guard| guard.armed().is_none()) {
            guard.find_out(&self.pool).await?;
        }
        let turn = match self.queue.try_turn() {
            Some(turn) => turn,
            None => self.pool.close_event().do_until(self.queue.turn()).await?,
        };
        let taken = match turn.handed {
            Some(taken) => taken,
            None => self.take_off_shelf().await?,
        };
        Ok((taken, turn.permit))
    }

    /// A connection that lay unused, or a new one.
    async fn take_off_shelf(&self) -> Result<Taken, sqlx::Error> {
        let errand = Errand { asked: Instant::now(), age: Cell::new(Duration::ZERO) };
        let acquired = async {
            let connection = self.pool.acquire().await?;
            let age = ERRAND.try_with(|errand| errand.age.get()).unwrap_or_default();
            Ok(Taken {
                connection: Some(connection),
                transaction: MayBeOpen::No,
                opened_at: Instant::now().checked_sub(age),
                runtime: self.runtime.clone(),
            })
        };
        ERRAND.scope(errand, acquired).await
    }

    /// Cleans a connection that came back, and hands it to the caller who has waited longest.
    async fn give_back(self: Arc<Self>, mut taken: Taken, permit: Permit<Taken>, site: Site) {
        match self.clean(&mut taken, site).await {
            Ok(()) if self.pool.is_closed() || self.is_too_old(&taken) => drop(taken),
            // What nobody waits for goes back to the shelf.
            Ok(()) => drop(permit.hand_over(taken)),
            // What answers no more, or answers something else, nobody should be given.
            Err(_) => {
                self.ledger.closed(ClosedBecause::NotCleaned);
                taken.close();
            }
        }
    }

    /// Waits until the connection has answered all that it was asked. One that may only read is
    /// made read-only again; whether it was not is looked at first.
    async fn clean(&self, taken: &mut Taken, site: Site) -> Result<(), sqlx::Error> {
        let Some(guard) = &self.guard else { return taken.ping().await };
        let transaction = mem::replace(&mut taken.transaction, MayBeOpen::No);
        let cleaned = timeout(CLEANING_PATIENCE, guard.clean(taken, transaction)).await;
        let found = cleaned.unwrap_or(Err(sqlx::Error::PoolTimedOut))?;
        if found.is_some_and(|found| found.lifted()) {
            self.ledger.lifted();
            tracing::warn!(
                pool = %self.name(),
                site = %site,
                "a read-only checkout was made one that may write; it is read-only again: \
                 take a handle that may write from Pools::read_write"
            );
        }
        Ok(())
    }

    /// Whether sqlx would close it rather than put it back.
    fn is_too_old(&self, taken: &Taken) -> bool {
        let age = taken.opened_at.map(|opened_at| opened_at.elapsed());
        age.zip(self.max_lifetime).is_none_or(|(age, limit)| age > limit)
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
            let asked = ERRAND.try_with(|errand| errand.asked.elapsed());
            ledger.opened(asked.unwrap_or_default());
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
        // What is not on an errand is not taken for a caller.
        let _not_asked = ERRAND.try_with(|errand| errand.age.set(state.age));
        Box::pin(async move {
            let usable = match guard {
                Some(_) if state.idle_for < SURELY_ALIVE => Ok(()),
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

    pub(crate) fn parts(&mut self) -> Parts<'_> {
        let Self { taken, pool, site } = self;
        match taken {
            Some((_, Taken { connection: Some(connection), transaction, .. }, _)) => {
                Parts { connection, transaction, pool: pool.name(), site }
            }
            _ => unreachable!("only the drop takes the connection out"),
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
        match &self.taken {
            Some((_, taken, _)) => taken,
            None => unreachable!("only the drop takes the connection out"),
        }
    }
}

impl DerefMut for Checkout {
    fn deref_mut(&mut self) -> &mut PgConnection {
        self.parts().connection
    }
}

impl Drop for Checkout {
    fn drop(&mut self) {
        let Some((held, taken, permit)) = self.taken.take() else { return };
        // The next caller must not have it while this one still counts.
        drop(held);
        let runtime = current_or(&self.pool.runtime);
        runtime.spawn(Arc::clone(&self.pool).give_back(taken, permit, self.site));
    }
}

impl Taken {
    /// Closes the connection without a word to the server.
    fn close(mut self) {
        drop(self.connection.take().map(PoolConnection::detach));
    }
}

impl Deref for Taken {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        match &self.connection {
            Some(connection) => connection,
            None => unreachable!("only the end takes the connection out"),
        }
    }
}

impl DerefMut for Taken {
    fn deref_mut(&mut self) -> &mut PgConnection {
        match &mut self.connection {
            Some(connection) => connection,
            None => unreachable!("only the end takes the connection out"),
        }
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        // sqlx spawns a task to give the connection back, and panics outside of a runtime.
        let _inside = current_or(&self.runtime).enter();
        drop(self.connection.take());
    }
}

/// The caller's runtime; where there is none, the pool's.
fn current_or(pools: &Handle) -> Handle {
    Handle::try_current().unwrap_or_else(|_| pools.clone())
}
