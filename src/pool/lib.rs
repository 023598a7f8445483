//! The state of connection pools as one log line: written by the application, read by `ebbline`.
//!
//! Writer and reader are one file, so they cannot drift apart. The crate has no dependencies:
//! an application that only wants the line pulls in nothing else.
//!
//! ```
//! use ebbline_pool::{PoolState, ReadOnlyRoute, Snapshot};
//!
//! let primary = PoolState { max: 20, size: 20, in_use: 20, waiting: 12, ..PoolState::new("primary")? };
//! let snapshot = Snapshot::new(Some(ReadOnlyRoute::PrimaryFallthrough), vec![primary])?;
//! let line = snapshot.to_string();
//! assert!(line.starts_with("pool_snapshot v=1 ro_routes_to=primary_fallthrough primary.max=20 "));
//! assert_eq!(line.parse::<Snapshot>()?, snapshot);
//! # Ok::<(), ebbline_pool::SnapshotError>(())
//! ```
#![cfg_attr(feature = "pool", doc = include_str!("example.md"))]

mod snapshot;

#[cfg(feature = "pool")]
mod background;
#[cfg(feature = "pool")]
mod histogram;
#[cfg(feature = "pool")]
mod leak;
#[cfg(feature = "pool")]
mod ledger;
#[cfg(feature = "pool")]
mod logger;
#[cfg(feature = "metrics")]
mod metrics;
#[cfg(feature = "pool")]
mod stats;

#[cfg(feature = "pool")]
mod cause;
#[cfg(feature = "pool")]
mod config;
#[cfg(feature = "pool")]
mod error;

#[cfg(feature = "pool")]
mod role;

#[cfg(feature = "pool")]
mod arm;
#[cfg(feature = "pool")]
mod checkout;
#[cfg(feature = "pool")]
mod pools;
#[cfg(feature = "pool")]
mod queue;
#[cfg(feature = "pool")]
mod read_only;
#[cfg(feature = "pool")]
mod routing;
#[cfg(feature = "pool")]
mod transaction;

pub use snapshot::{
    MARKER, MAX_POOLS, PoolName, PoolState, ReadOnlyRoute, Snapshot, SnapshotError, VERSION,
};

#[cfg(feature = "pool")]
pub use cause::{TimeoutCause, Trouble};
#[cfg(feature = "pool")]
pub use config::{Arming, Config, ConfigError, Dsn, DsnError, Limits, Login};
#[cfg(feature = "pool")]
pub use error::{AcquireError, BuildError, TimedOut, WriteRefused};
#[cfg(feature = "pool")]
pub use histogram::{BOUNDS, Durations};
#[cfg(feature = "pool")]
pub use ledger::{ClosedBecause, HeldBy, Site};
#[cfg(feature = "pool")]
pub use logger::SNAPSHOT_TARGET;
#[cfg(feature = "metrics")]
pub use metrics::{CONTENT_TYPE, InvalidPrefix, Metrics, MetricsServer};
#[cfg(feature = "pool")]
pub use pools::Pools;
#[cfg(feature = "pool")]
pub use read_only::{ReadOnly, ReadOnlyTransaction, ReadWrite, Reader};
#[cfg(feature = "pool")]
pub use role::{ReadOnlyRole, WayToWrite};
#[cfg(feature = "pool")]
pub use routing::ReplicaTrouble;
#[cfg(feature = "pool")]
pub use stats::{Closed, PoolStats, Protection, Stats};
