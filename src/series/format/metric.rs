//! Samples in Prometheus' exposition format: `hikaricp_connections_active{pool="orders"} 7.0`.
//!
//! Each says one value of a pool; those of one instant are put together later. Counters and
//! histograms have other names and are none.

use std::borrow::Cow;

use crate::series::snapshot::{Gauge, Snapshot};

/// Names of gauges. Sources: HikariCP's `PrometheusMetricsTrackerFactory` and `HikariCPCollector`,
/// Micrometer's binders, `client_golang`'s `dbstats_collector.go`,
/// sqlstats, pgbouncer_exporter, Prisma's metrics, OpenTelemetry's semantic conventions.
const FAMILIES: &[(&str, Gauge)] = &[
    ("hikaricp_connections", Gauge::Size),
    ("hikaricp_connections_active", Gauge::InUse),
    ("hikaricp_connections_idle", Gauge::Idle),
    ("hikaricp_connections_pending", Gauge::Waiting),
    ("hikaricp_connections_max", Gauge::Max),
    ("hikaricp_active_connections", Gauge::InUse),
    ("hikaricp_idle_connections", Gauge::Idle),
    ("hikaricp_pending_threads", Gauge::Waiting),
    ("hikaricp_max_connections", Gauge::Max),
    ("jdbc_connections_active", Gauge::InUse),
    ("jdbc_connections_idle", Gauge::Idle),
    ("jdbc_connections_max", Gauge::Max),
    ("c3p0_num_connections", Gauge::Size),
    ("c3p0_num_busy_connections", Gauge::InUse),
    ("c3p0_num_idle_connections", Gauge::Idle),
    ("c3p0_max_connections", Gauge::Max),
    ("agroal_active_count", Gauge::InUse),
    ("agroal_available_count", Gauge::Idle),
    ("agroal_awaiting_count", Gauge::Waiting),
    ("r2dbc_pool_acquired_connections", Gauge::InUse),
    ("r2dbc_pool_allocated_connections", Gauge::Size),
    ("r2dbc_pool_idle_connections", Gauge::Idle),
    ("r2dbc_pool_pending_connections", Gauge::Waiting),
    ("r2dbc_pool_max_allocated_connections", Gauge::Max),
    ("go_sql_open_connections", Gauge::Size),
    ("go_sql_in_use_connections", Gauge::InUse),
    ("go_sql_idle_connections", Gauge::Idle),
    ("go_sql_max_open_connections", Gauge::Max),
    ("go_sql_stats_connections_open", Gauge::Size),
    ("go_sql_stats_connections_in_use", Gauge::InUse),
    ("go_sql_stats_connections_idle", Gauge::Idle),
    ("go_sql_stats_connections_max_open", Gauge::Max),
    ("pgxpool_total_conns", Gauge::Size),
    ("pgxpool_acquired_conns", Gauge::InUse),
    ("pgxpool_idle_conns", Gauge::Idle),
    ("pgxpool_max_conns", Gauge::Max),
    ("pgxpool_total_connections", Gauge::Size),
    ("pgxpool_acquired_connections", Gauge::InUse),
    ("pgxpool_idle_connections", Gauge::Idle),
    ("pgxpool_max_connections", Gauge::Max),
    ("pgbouncer_pools_server_active_connections", Gauge::InUse),
    ("pgbouncer_pools_server_idle_connections", Gauge::Idle),
    ("pgbouncer_pools_client_waiting_connections", Gauge::Waiting),
    ("pgbouncer_pools_server_active", Gauge::InUse),
    ("pgbouncer_pools_server_idle", Gauge::Idle),
    ("pgbouncer_pools_client_waiting", Gauge::Waiting),
    ("prisma_pool_connections_open", Gauge::Size),
    ("prisma_pool_connections_busy", Gauge::InUse),
    ("prisma_pool_connections_idle", Gauge::Idle),
    ("prisma_client_queries_wait", Gauge::Waiting),
    ("db_client_connection_max", Gauge::Max),
    ("db_client_connections_max", Gauge::Max),
    ("db_client_connection_pending_requests", Gauge::Waiting),
    ("db_client_connections_pending_requests", Gauge::Waiting),
    ("db_client_connection_idle", Gauge::Idle),
    ("db_client_connections_idle", Gauge::Idle),
    ("db_client_connection_used", Gauge::InUse),
    ("db_client_connections_used", Gauge::InUse),
    // The state decides; these are the two names of one family.
    ("db_client_connection_count", Gauge::Size),
    ("db_client_connections_usage", Gauge::Size),
    ("db_client_connections_count", Gauge::Size),
    ("db_client_connection_usage", Gauge::Size),
];

/// Labels that name the pool, the best first.
const NAMES: &[&str] = &[
    "pool",
    "db_client_connection_pool_name",
    "pool_name",
    "datasource",
    "dataSource",
    "name",
    "db_name",
    "database",
    "db",
];

/// Every sample in the message that is a gauge of a pool, a line each.
pub(super) fn read(message: &[u8]) -> Vec<Snapshot<'_>> {
    message.split(|&byte| byte == b'\n').filter_map(line).collect()
}

fn line(line: &[u8]) -> Option<Snapshot<'_>> {
    let line = std::str::from_utf8(line).ok()?;
    // What a logger puts in front ends with a blank.
    let starts = line.match_indices([' ', '\t']).map(|(at, _)| at + 1);
    let at = std::iter::once(0).chain(starts).take(MAX_WORDS).find(|&at| {
        let name = name_at(line, at);
        FAMILIES.iter().any(|(family, _)| *family == name)
    })?;
    let name = name_at(line, at);
    let (_, gauge) = FAMILIES.iter().find(|(family, _)| *family == name)?;
    let rest = line.get(at + name.len()..)?;
    let (labels, rest) = match rest.strip_prefix('{') {
        Some(rest) => rest.split_once('}')?,
        None => ("", rest),
    };
    let value: f64 = rest.split_whitespace().next()?.parse().ok()?;
    if !(0.0..=f64::from(u32::MAX)).contains(&value) || value.fract() != 0.0 {
        return None;
    }
    let gauge = match state(labels) {
        Some(b"idle") if *gauge == Gauge::Size => Gauge::Idle,
        Some(b"used") if *gauge == Gauge::Size => Gauge::InUse,
        _ => *gauge,
    };
    let mut snapshot = Snapshot { pool: pool(labels), ..Snapshot::default() };
    *snapshot.values.of_mut(gauge) = Some(value as u64);
    Some(snapshot)
}

/// A sample begins at one of the first words of its line.
const MAX_WORDS: usize = 32;

fn name_at(line: &str, at: usize) -> &str {
    let rest = line.get(at..).unwrap_or_default();
    let is_part = |character: char| character.is_ascii_alphanumeric() || character == '_';
    let end = rest.find(|character| !is_part(character)).unwrap_or(rest.len());
    rest.get(..end).unwrap_or_default()
}

fn label<'m>(labels: &'m str, wanted: &str) -> Option<&'m str> {
    labels.split(',').find_map(|pair| {
        let (name, value) = pair.split_once('=')?;
        (name.trim() == wanted).then(|| value.trim().trim_matches('"'))
    })
}

fn state(labels: &str) -> Option<&[u8]> {
    let name = labels.split(',').find_map(|pair| {
        let (name, value) = pair.split_once('=')?;
        name.trim().ends_with("state").then(|| value.trim().trim_matches('"'))
    });
    name.map(str::as_bytes)
}

fn pool(labels: &str) -> Option<Cow<'_, [u8]>> {
    let name = NAMES.iter().find_map(|wanted| label(labels, wanted))?;
    Some(match label(labels, "user") {
        Some(user) => Cow::Owned(format!("{name}/{user}").into_bytes()),
        None => Cow::Borrowed(name.as_bytes()),
    })
}
