//! Each metric's name, help and samples.

use std::fmt;
use std::time::Duration;

use prometheus_client::encoding::{DescriptorEncoder, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;

use crate::histogram::Durations;
use crate::ledger::ClosedBecause;
use crate::snapshot::ReadOnlyRoute;
use crate::stats::{PoolStats, Stats};

/// OpenTelemetry's attributes, as it writes them for Prometheus.
const POOL: &str = "db_client_connection_pool_name";
const STATE: &str = "db_client_connection_state";

/// A metric's name without what all have in common, its help, and a pool's value.
type Row<V> = (&'static str, &'static str, fn(&PoolStats) -> V);

/// Writes all metrics of the pools.
pub(super) fn encode(
    encoder: DescriptorEncoder,
    prefix: &str,
    stats: &Stats,
) -> Result<(), fmt::Error> {
    let mut families = Families { encoder, prefix, stats };
    families.gauges()?;
    families.totals()?;
    families.otel_gauges()?;
    families.otel_totals()
}

struct Families<'a, 'e> {
    encoder: DescriptorEncoder<'e>,
    prefix: &'a str,
    stats: &'a Stats,
}

impl Families<'_, '_> {
    fn family<'s>(
        &'s mut self,
        name: &'s str,
        help: &str,
        kind: MetricType,
    ) -> Result<MetricEncoder<'s>, fmt::Error> {
        self.encoder.encode_descriptor(name, help, None, kind)
    }

    /// The outage's gauges, and the same of the other pools. A pool that there is not is empty.
    fn gauges(&mut self) -> Result<(), fmt::Error> {
        let pools = [
            ("", Some(&self.stats.primary)),
            ("ro_", self.stats.ro.as_ref()),
            ("ro_fallthrough_", self.stats.ro_fallthrough.as_ref()),
        ];
        let gauges: [Row<u32>; 3] = [
            ("size", "Connections open", |pool| pool.size),
            ("available", "Open connections that nobody holds", |pool| pool.idle),
            ("requests_waiting", "Callers that wait for a connection", |pool| pool.waiting),
        ];
        for (infix, pool) in pools {
            for (gauge, help, value) in gauges {
                let name = format!("{}_pool_{infix}{gauge}", self.prefix);
                let value = pool.map_or(0, value);
                self.family(&name, help, MetricType::Gauge)?.encode_gauge(&value)?;
            }
        }
        let route: u32 = match self.stats.ro_routes_to {
            ReadOnlyRoute::Replica => 1,
            ReadOnlyRoute::PrimaryFallthrough => 2,
            ReadOnlyRoute::Disabled => 3,
        };
        let name = format!("{}_pool_ro_routes_to", self.prefix);
        let help = "Where read-only work goes: 1 replica, 2 primary (fall-through), 3 disabled";
        self.family(&name, help, MetricType::Gauge)?.encode_gauge(&route)
    }

    /// What OpenTelemetry has no names for.
    fn totals(&mut self) -> Result<(), fmt::Error> {
        let totals: [Row<u64>; 6] = [
            ("acquires", "Callers that were given a connection", |pool| pool.acquires),
            ("cancelled", "Callers that were cancelled while they waited", |pool| pool.cancelled),
            ("failed", "Callers that were refused for another reason than time", |pool| {
                pool.failed
            }),
            ("lifted", "Checkouts whose read-only setting was found lifted", |pool| pool.lifted),
            ("overdue", "Checkouts that the leak detector warned of", |pool| pool.overdue),
            ("opened", "Connections opened", |pool| pool.opened),
        ];
        let stats = self.stats;
        for (total, help, value) in totals {
            let name = format!("{}_pool_{total}", self.prefix);
            let mut family = self.family(&name, help, MetricType::Counter)?;
            for pool in stats.pools() {
                let pool_name = pool.name.to_string();
                let labels = [("pool", pool_name.as_str())];
                family
                    .encode_family(&labels)?
                    .encode_counter::<NoLabelSet, _, u64>(&value(pool), None)?;
            }
        }
        let name = format!("{}_pool_closed", self.prefix);
        let mut family =
            self.family(&name, "Connections closed, by reason", MetricType::Counter)?;
        for pool in stats.pools() {
            let pool_name = pool.name.to_string();
            let known = ClosedBecause::ALL.map(|why| (why.name(), pool.closed.because(why)));
            for (reason, closed) in known.into_iter().chain([("other", pool.closed.otherwise)]) {
                let labels = [("pool", pool_name.as_str()), ("reason", reason)];
                family
                    .encode_family(&labels)?
                    .encode_counter::<NoLabelSet, _, u64>(&closed, None)?;
            }
        }
        Ok(())
    }

    fn otel_gauges(&mut self) -> Result<(), fmt::Error> {
        let stats = self.stats;
        let help = "Connections that are idle, or used";
        let mut family = self.family("db_client_connection_count", help, MetricType::Gauge)?;
        for pool in stats.pools() {
            let pool_name = pool.name.to_string();
            for (state, value) in [("idle", pool.idle), ("used", pool.in_use)] {
                let labels = [(POOL, pool_name.as_str()), (STATE, state)];
                family.encode_family(&labels)?.encode_gauge(&value)?;
            }
        }
        let gauges: [Row<u32>; 4] = [
            ("max", "Connections that may be open", |pool| pool.max),
            ("idle_max", "Idle connections that may be open", |pool| pool.max),
            ("idle_min", "Connections that are kept open", |pool| pool.min),
            ("pending_requests", "Callers that wait for a connection", |pool| pool.waiting),
        ];
        for (gauge, help, value) in gauges {
            let name = format!("db_client_connection_{gauge}");
            let mut family = self.family(&name, help, MetricType::Gauge)?;
            for pool in stats.pools() {
                let pool_name = pool.name.to_string();
                let labels = [(POOL, pool_name.as_str())];
                family.encode_family(&labels)?.encode_gauge(&value(pool))?;
            }
        }
        Ok(())
    }

    fn otel_totals(&mut self) -> Result<(), fmt::Error> {
        let stats = self.stats;
        let help = "Callers that gave up because their time was over";
        let mut family = self.family("db_client_connection_timeouts", help, MetricType::Counter)?;
        for pool in stats.pools() {
            let pool_name = pool.name.to_string();
            let labels = [(POOL, pool_name.as_str())];
            let family = family.encode_family(&labels);
            family?.encode_counter::<NoLabelSet, _, u64>(&pool.timeouts, None)?;
        }
        let histograms: [Row<Durations>; 3] = [
            ("create_time", "Time to open a connection", |pool| pool.connect_time),
            ("wait_time", "Time until a caller was given a connection", |pool| pool.wait_time),
            ("use_time", "Time until a connection was given back", |pool| pool.use_time),
        ];
        for (histogram, help, durations) in histograms {
            let name = format!("db_client_connection_{histogram}_seconds");
            let mut family = self.family(&name, help, MetricType::Histogram)?;
            for pool in stats.pools() {
                let pool_name = pool.name.to_string();
                let (labels, durations) = ([(POOL, pool_name.as_str())], durations(pool));
                let edge =
                    |edge: Option<Duration>| edge.map_or(f64::INFINITY, |edge| edge.as_secs_f64());
                let buckets: Vec<(f64, u64)> =
                    durations.buckets().map(|(bound, count)| (edge(bound), count)).collect();
                let (sum, count) = (durations.sum().as_secs_f64(), durations.count());
                let mut family = family.encode_family(&labels)?;
                family.encode_histogram::<NoLabelSet>(sum, count, &buckets, None)?;
            }
        }
        Ok(())
    }
}
