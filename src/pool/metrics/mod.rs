//! The pools' state as metrics: a collector for the `prometheus-client` crate's registry, the text
//! that Prometheus reads, and a server for applications that have none.
//!
//! Two families of names: the gauges that the outage's dashboards used, under a prefix of the
//! application's, and OpenTelemetry's `db.client.connection.*` as OpenTelemetry writes them for
//! Prometheus. docs/SNAPSHOTS.md lists all.

mod families;
mod server;

use std::fmt;
use std::sync::Arc;

use prometheus_client::encoding::DescriptorEncoder;
use prometheus_client::encoding::text;
use prometheus_client::registry::Registry;

use crate::stats::Stats;

pub use server::MetricsServer;

/// The type of what [`Metrics::render`] returns, for the header `Content-Type`.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// What is known of the pools now; nothing when they are gone.
pub(crate) type ReadStats = Arc<dyn Fn() -> Option<Stats> + Send + Sync>;

/// The pools' metrics. It does not keep the pools open: when they are gone it has nothing to say.
///
/// It is a [`prometheus_client::collector::Collector`]: an application that has a registry
/// registers it there. One registry takes one of them, because OpenTelemetry's names have no
/// prefix.
#[derive(Clone)]
pub struct Metrics {
    prefix: Prefix,
    read: ReadStats,
}

/// What the gauges' names begin with: letters, digits, `_`, not beginning with a digit.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Prefix(String);

/// A prefix that is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` cannot begin a metric's name: use letters, digits and `_`, and no digit in front")]
pub struct InvalidPrefix(String);

impl Metrics {
    pub(crate) fn new(prefix: &str, read: ReadStats) -> Result<Self, InvalidPrefix> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        let begins = prefix.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_');
        if begins && prefix.bytes().all(allowed) {
            return Ok(Self { prefix: Prefix(prefix.to_owned()), read });
        }
        Err(InvalidPrefix(prefix.to_owned()))
    }

    /// The metrics of this moment as text, of the type [`CONTENT_TYPE`]: the answer to
    /// `GET /metrics` in any framework.
    pub fn render(&self) -> String {
        let mut registry = Registry::default();
        registry.register_collector(Box::new(self.clone()));
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = text::encode(&mut text, &registry);
        text
    }
}

impl prometheus_client::collector::Collector for Metrics {
    fn encode(&self, encoder: DescriptorEncoder) -> Result<(), fmt::Error> {
        match (self.read)() {
            Some(stats) => families::encode(encoder, &self.prefix.0, &stats),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").field("prefix", &self.prefix.0).finish_non_exhaustive()
    }
}
