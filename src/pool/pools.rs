//! The pools of an application: one that may write, and those that may only read.

use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::sync::Arc;

use tokio::runtime::Handle;

use crate::arm::Guard;
use crate::checkout::CountedPool;
use crate::config::{Config, Dsn, Limits};
use crate::error::{AcquireError, BuildError};
use crate::read_only::{ReadOnly, ReadWrite};
use crate::snapshot::{PoolName, ReadOnlyRoute};
use crate::stats::Stats;

/// An application's pools. Cheap to clone: all clones are the same pools.
#[derive(Clone)]
pub struct Pools {
    inner: Arc<Inner>,
}

struct Inner {
    primary: Arc<CountedPool>,
    replica: Option<Arc<CountedPool>>,
    fallthrough: Option<Arc<CountedPool>>,
}

impl Pools {
    /// Builds the pools; each opens its first connection when one is asked for. Must be called
    /// inside a Tokio runtime, which then keeps the connections.
    pub fn new(config: &Config) -> Result<Self, BuildError> {
        config.check()?;
        let runtime = Handle::try_current().map_err(|_| BuildError::NoRuntime)?;
        let read_only = |name: &'static str, dsn: &Dsn, limits: Limits, role_promised: bool| {
            let guard = Guard::new(config.arming, dsn.options(), role_promised);
            let name = PoolName::known(name);
            CountedPool::new(name, dsn.options(), Some(guard), limits, config, runtime.clone())
        };
        let primary = &config.primary;
        let fallthrough = match &config.fallthrough_login {
            Some(login) => primary.with_login(login),
            None => primary.clone(),
        };
        Ok(Self {
            inner: Arc::new(Inner {
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
            }),
        })
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
    /// configuration has none.
    #[track_caller]
    pub fn read_only(&self) -> impl Future<Output = Result<ReadOnly, AcquireError>> + Send + use<> {
        let (inner, site) = (Arc::clone(&self.inner), Location::caller());
        async move {
            let Some(pool) = inner.read_only_pool() else {
                return Err(AcquireError::ReadOnlyDisabled);
            };
            pool.checkout(site).await.map(ReadOnly::new)
        }
    }

    /// What all pools look like now.
    pub fn stats(&self) -> Stats {
        let Inner { primary, replica, fallthrough } = &*self.inner;
        let serving = self.inner.read_only_pool();
        Stats {
            primary: primary.stats(),
            ro: replica.as_ref().map(|pool| pool.stats()),
            ro_fallthrough: fallthrough.as_ref().map(|pool| pool.stats()),
            ro_dsn_configured: replica.is_some(),
            ro_routes_to: self.inner.route(),
            protection: serving.and_then(|pool| pool.guard()).map(Guard::protection),
        }
    }

    /// Closes all pools. Callers that wait get [`AcquireError::Closed`]; returns when the last
    /// connection has come back.
    pub async fn close(&self) {
        for pool in self.inner.pools() {
            pool.close().await;
        }
    }
}

impl Inner {
    fn pools(&self) -> impl Iterator<Item = &Arc<CountedPool>> {
        let Self { primary, replica, fallthrough } = self;
        [Some(primary), replica.as_ref(), fallthrough.as_ref()].into_iter().flatten()
    }

    fn route(&self) -> ReadOnlyRoute {
        match (&self.replica, &self.fallthrough) {
            (Some(_), _) => ReadOnlyRoute::Replica,
            (None, Some(_)) => ReadOnlyRoute::PrimaryFallthrough,
            (None, None) => ReadOnlyRoute::Disabled,
        }
    }

    fn read_only_pool(&self) -> Option<&Arc<CountedPool>> {
        match self.route() {
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
