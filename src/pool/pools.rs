//! The pools of an application: one that may write, and those that may only read.

use std::fmt;
use std::future::Future;
use std::io;
use std::panic::Location;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::time::timeout;

use crate::arm::Guard;
use crate::checkout::CountedPool;
use crate::config::{Config, Dsn, Limits};
use crate::error::{AcquireError, BuildError};
use crate::leak::LeakDetector;
use crate::logger::PoolLogger;
#[cfg(feature = "metrics")]
use crate::metrics::{InvalidPrefix, Metrics};
use crate::read_only::{ReadOnly, ReadWrite};
use crate::routing::{Router, Routing};
use crate::snapshot::{PoolName, ReadOnlyRoute};
use crate::stats::{PoolStats, Stats};

/// An application's pools. Cheap to clone: all clones are the same pools.
#[derive(Clone)]
pub struct Pools {
    /// Ends with the last clone, before the pools do.
    evidence: Arc<Evidence>,
    inner: Arc<Inner>,
}

/// What watches the pools on threads of its own.
struct Evidence {
    logger: PoolLogger,
    log_interval: Duration,
    _leaks: Option<LeakDetector>,
}

struct Inner {
    primary: Arc<CountedPool>,
    replica: Option<Arc<CountedPool>>,
    fallthrough: Option<Arc<CountedPool>>,
    /// Where there is a replica: whether it is used.
    router: Option<Router>,
    acquire_timeout: Duration,
}

impl Pools {
    /// Builds the pools; each opens its first connection when one is asked for. Must be called
    /// inside a Tokio runtime, which then keeps the connections.
    pub fn new(config: &Config) -> Result<Self, BuildError> {
        config.check()?;
        let runtime = Handle::try_current().map_err(|_| BuildError::NoRuntime)?;
        let read_only = |name: &'static str, dsn: &Dsn, limits: Limits, role_promised: bool| {
            let guard = Guard::new(config, dsn.options(), role_promised);
            let name = PoolName::known(name);
            CountedPool::new(name, dsn.options(), Some(guard), limits, config, runtime.clone())
        };
        let primary = &config.primary;
        let fallthrough = match &config.fallthrough_login {
            Some(login) => primary.with_login(login),
            None => primary.clone(),
        };
        let inner = Arc::new(Inner {
            primary: CountedPool::new(
                PoolName::known("primary"),
                primary.options(),
                None,
                config.primary_limits,
                config,
                runtime.clone(),
            ),
            replica: config
                .replica
                .as_ref()
                .map(|replica| read_only("ro", replica, config.replica_limits, false)),
            fallthrough: config.fallthrough.then(|| {
                read_only(
                    "ro_fallthrough",
                    &fallthrough,
                    config.fallthrough_limits,
                    config.fallthrough_login.is_some(),
                )
            }),
            router: config
                .replica
                .as_ref()
                .map(|replica| Router::start(Routing::new(config, replica), &runtime)),
            acquire_timeout: config.acquire_timeout,
        });
        let ledgers = inner.pools().map(|pool| Arc::clone(pool.ledger())).collect();
        let leaks = config.leak_threshold.map(|limit| LeakDetector::start(limit, ledgers));
        let evidence = Evidence {
            logger: PoolLogger::default(),
            log_interval: config.log_interval,
            _leaks: leaks.transpose().map_err(|error| BuildError::Thread(error.kind()))?,
        };
        Ok(Self { evidence: Arc::new(evidence), inner })
    }

    /// Waits for a connection that may write.
    #[track_caller]
    pub fn read_write(
        &self,
    ) -> impl Future<Output = Result<ReadWrite, AcquireError>> + Send + use<> {
        let (pool, site) = (Arc::clone(&self.inner.primary), Location::caller());
        async move { pool.checkout(site).await.map(ReadWrite::new) }
    }

    /// Waits for a connection that may only read: to the replica, or to the primary where the
    /// configuration has none, or none that can be used now.
    #[track_caller]
    pub fn read_only(&self) -> impl Future<Output = Result<ReadOnly, AcquireError>> + Send + use<> {
        let (inner, site) = (Arc::clone(&self.inner), Location::caller());
        async move {
            if let Some(router) = &inner.router {
                // A replica that is silent from the beginning costs no more than any other.
                let _ = timeout(inner.acquire_timeout, router.decided()).await;
            }
            let Some(pool) = inner.pool_at(inner.route()) else {
                return Err(AcquireError::ReadOnlyDisabled);
            };
            let taken = pool.checkout(site).await.map(ReadOnly::new);
            if let (Err(_), Some(router)) = (&taken, &inner.router) {
                router.suspect();
            }
            taken
        }
    }

    /// What all pools look like now.
    pub fn stats(&self) -> Stats {
        self.inner.stats(CountedPool::stats)
    }

    /// Logs the snapshot line (docs/SNAPSHOTS.md) once each [`Config::log_interval`] from now on,
    /// with the high-water marks since the line before. Does nothing where it is logged already;
    /// whether it was not. It ends with the pools, and with [`Pools::stop_pool_logger`].
    ///
    /// The line is an INFO event of `tracing` with the target [`crate::SNAPSHOT_TARGET`]. It goes
    /// to the subscriber of this thread or, where there is none yet, to the process's. It is
    /// written by a thread of its own, also while the runtime is stuck. Fails where the system
    /// has no thread left.
    pub fn start_pool_logger(&self) -> io::Result<bool> {
        let inner = Arc::clone(&self.inner);
        let take = Box::new(move || inner.stats(CountedPool::take_stats));
        self.evidence.logger.start(self.evidence.log_interval, take)
    }

    /// Logs a last snapshot line, now, and no more. Does nothing where none are logged.
    pub fn stop_pool_logger(&self) {
        self.evidence.logger.stop();
    }

    /// The pools' metrics; the gauges' names begin with `prefix` (of letters, digits and `_`, as
    /// in `shop_pg`) and `_pool_`.
    #[cfg(feature = "metrics")]
    pub fn metrics(&self, prefix: &str) -> Result<Metrics, InvalidPrefix> {
        let inner = Arc::downgrade(&self.inner);
        let read = move || Some(inner.upgrade()?.stats(CountedPool::stats));
        Metrics::new(prefix, Arc::new(read))
    }

    /// Closes all pools. Callers that wait get [`AcquireError::Closed`]; returns when the last
    /// connection has come back. The pool logger goes on until then, or until this future is
    /// dropped, and then logs its last line.
    pub async fn close(&self) {
        let _last_line = LastLine(&self.evidence.logger);
        if let Some(router) = &self.inner.router {
            router.stop();
        }
        // All are closed before any of them waits for what a caller may never give back.
        let closing: Vec<_> = self.inner.pools().map(|pool| pool.close()).collect();
        for closed in closing {
            closed.await;
        }
    }
}

/// Ends the pool logger when it is dropped.
struct LastLine<'a>(&'a PoolLogger);

impl Drop for LastLine<'_> {
    fn drop(&mut self) {
        self.0.stop();
    }
}

impl Inner {
    fn stats(&self, read: fn(&CountedPool) -> PoolStats) -> Stats {
        let Self { primary, replica, fallthrough, router, .. } = self;
        let route = self.route();
        Stats {
            primary: read(primary),
            ro: replica.as_deref().map(read),
            ro_fallthrough: fallthrough.as_deref().map(read),
            ro_dsn_configured: replica.is_some(),
            ro_routes_to: route,
            ro_route_changes: router.as_ref().map_or(0, Router::changes),
            protection: self.pool_at(route).and_then(|pool| pool.guard()).map(Guard::protection),
        }
    }

    fn pools(&self) -> impl Iterator<Item = &Arc<CountedPool>> {
        let Self { primary, replica, fallthrough, .. } = self;
        [Some(primary), replica.as_ref(), fallthrough.as_ref()].into_iter().flatten()
    }

    fn route(&self) -> ReadOnlyRoute {
        match (&self.router, &self.fallthrough) {
            (Some(router), _) => router.route(),
            (None, Some(_)) => ReadOnlyRoute::PrimaryFallthrough,
            (None, None) => ReadOnlyRoute::Disabled,
        }
    }

    fn pool_at(&self, route: ReadOnlyRoute) -> Option<&Arc<CountedPool>> {
        match route {
            ReadOnlyRoute::Replica => self.replica.as_ref(),
            ReadOnlyRoute::PrimaryFallthrough => self.fallthrough.as_ref(),
            ReadOnlyRoute::Disabled => None,
        }
    }
}

impl fmt::Debug for Pools {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.inner.pools().map(|pool| pool.name())).finish()
    }
}
