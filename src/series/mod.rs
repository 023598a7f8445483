//! Pool snapshots of every format as time series: how full each pool was, when it was saturated,
//! and how long before a failure.
//!
//! `format` reads a message; `collect` is the sink that keeps what it says, a series for each pool
//! of each unit and host; `saturation` and `lead` conclude; `summary` cuts a series into buckets.

mod collect;
pub mod format;
mod lead;
mod point;
mod saturation;
mod snapshot;
mod summary;

pub use collect::{Budget, Collected, PoolFilter, Readers, SeriesSink};
pub use lead::{Lead, leads};
pub use point::{Point, Series, SeriesKey};
pub use saturation::{Saturation, saturations};
pub use snapshot::{Gauge, Snapshot, Values};
pub use summary::{GaugeSummary, SeriesBucket, summarize};
