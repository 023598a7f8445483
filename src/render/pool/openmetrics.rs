//! OpenMetrics: every point of every series as a sample with its time, for a metrics database to
//! take in.

use std::io;

use crate::render::openmetrics::{Exposition, Family, Kind};
use crate::report::PoolReport;
use crate::series::{Gauge, Point, Series};

const CONNECTIONS: Family = Family {
    name: "ebbline_pool_connections",
    kind: Kind::Gauge,
    unit: None,
    help: "Connections of the pool that are open, by their state: idle or in_use.",
};

/// Families of one value each.
const FAMILIES: [(Family, Gauge); 4] = [
    (
        Family {
            name: "ebbline_pool_connections_open",
            kind: Kind::Gauge,
            unit: None,
            help: "Connections of the pool that are open.",
        },
        Gauge::Size,
    ),
    (
        Family {
            name: "ebbline_pool_connections_max",
            kind: Kind::Gauge,
            unit: None,
            help: "Connections that the pool may open.",
        },
        Gauge::Max,
    ),
    (
        Family {
            name: "ebbline_pool_waiting",
            kind: Kind::Gauge,
            unit: None,
            help: "Callers that wait for a connection.",
        },
        Gauge::Waiting,
    ),
    (
        Family {
            name: "ebbline_pool_timeouts",
            kind: Kind::Counter,
            unit: None,
            help: "Callers that gave up waiting since the process started.",
        },
        Gauge::Timeouts,
    ),
];

/// Writes all families, in each one series after another.
pub fn render(report: &PoolReport, out: &mut dyn io::Write) -> io::Result<()> {
    let mut exposition = Exposition::new(out);
    exposition.begin(CONNECTIONS)?;
    for series in &report.series {
        samples(series, Gauge::Idle, Some("idle"), &mut exposition)?;
        samples(series, Gauge::InUse, Some("in_use"), &mut exposition)?;
    }
    for (family, gauge) in FAMILIES {
        exposition.begin(family)?;
        for series in &report.series {
            samples(series, gauge, None, &mut exposition)?;
        }
    }
    exposition.end()
}

/// The samples of one series. Of several points of one instant the last counts: a metric has one
/// value at a time.
fn samples(
    series: &Series,
    gauge: Gauge,
    state: Option<&str>,
    exposition: &mut Exposition<'_>,
) -> io::Result<()> {
    let key = &series.key;
    let labels = [
        ("pool", Some(key.pool.as_str())),
        ("host", key.host.as_deref()),
        ("unit", key.unit.as_deref().or(key.identifier.as_deref())),
        ("format", Some(key.format.as_str())),
        ("state", state),
    ];
    let labels: Vec<(&str, &str)> =
        labels.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
    exposition.series(&labels)?;
    let points = series.points().iter();
    let mut known = points.filter_map(|point| Some((point, point.get(gauge)?))).peekable();
    while let Some((point, value)) = known.next() {
        let is_last = |next: &&(&Point, u64)| next.0.at() != point.at();
        if known.peek().as_ref().is_none_or(is_last) {
            exposition.sample(value, point.at())?;
        }
    }
    Ok(())
}
