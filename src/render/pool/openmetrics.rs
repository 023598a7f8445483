//! OpenMetrics: every point of every series as a sample with its time, for a backfill
//! (`promtool tsdb create-blocks-from openmetrics`).
//!
//! The text format is that of <https://prometheus.io/docs/specs/om/open_metrics_spec/>: families
//! one after another, in each the samples of one series together and in the order of time.

use std::io::{self, Write};

use crate::report::PoolReport;
use crate::series::{Gauge, Point, Series};

/// A family of gauges, and what of a point its samples are.
struct Family {
    name: &'static str,
    help: &'static str,
    samples: &'static [(Option<&'static str>, Gauge)],
}

const FAMILIES: [Family; 4] = [
    Family {
        name: "ebbline_pool_connections",
        help: "Connections of the pool, idle or in use.",
        samples: &[(Some("idle"), Gauge::Idle), (Some("in_use"), Gauge::InUse)],
    },
    Family {
        name: "ebbline_pool_connections_open",
        help: "Connections of the pool that are open.",
        samples: &[(None, Gauge::Size)],
    },
    Family {
        name: "ebbline_pool_connections_max",
        help: "Connections that the pool may open.",
        samples: &[(None, Gauge::Max)],
    },
    Family {
        name: "ebbline_pool_waiting",
        help: "Callers that wait for a connection.",
        samples: &[(None, Gauge::Waiting)],
    },
];

/// Writes all families and the end mark.
pub fn render(report: &PoolReport, out: &mut dyn io::Write) -> io::Result<()> {
    for family in FAMILIES {
        writeln!(out, "# TYPE {} gauge", family.name)?;
        writeln!(out, "# HELP {} {}", family.name, family.help)?;
        for series in &report.series {
            for (state, gauge) in family.samples {
                let labels = labels(series, *state);
                samples(series, *gauge, &format!("{}{labels}", family.name), out)?;
            }
        }
    }
    let name = "ebbline_pool_timeouts";
    writeln!(out, "# TYPE {name} counter")?;
    writeln!(out, "# HELP {name} Callers that gave up waiting since the process started.")?;
    for series in &report.series {
        let labels = labels(series, None);
        samples(series, Gauge::Timeouts, &format!("{name}_total{labels}"), out)?;
    }
    writeln!(out, "# EOF")
}

/// The samples of one series. Of several points of one instant the last counts: a metric has one
/// value at a time.
fn samples(series: &Series, gauge: Gauge, metric: &str, out: &mut dyn io::Write) -> io::Result<()> {
    let known: Vec<(&Point, u64)> =
        series.points().iter().filter_map(|point| Some((point, point.get(gauge)?))).collect();
    let mut line = Vec::new();
    for (position, (point, value)) in known.iter().enumerate() {
        if known.get(position + 1).is_some_and(|(next, _)| next.at() == point.at()) {
            continue;
        }
        let at = point.at().micros();
        line.clear();
        writeln!(line, "{metric} {value} {}.{:06}", at / 1_000_000, at % 1_000_000)?;
        out.write_all(&line)?;
    }
    Ok(())
}

fn labels(series: &Series, state: Option<&str>) -> String {
    let key = &series.key;
    let unit = key.unit.as_deref().or(key.identifier.as_deref());
    let pairs = [
        ("pool", Some(key.pool.as_str())),
        ("host", key.host.as_deref()),
        ("unit", unit),
        ("format", Some(key.format.as_str())),
        ("state", state),
    ];
    let pairs =
        pairs.iter().filter_map(|(name, value)| Some(format!("{name}=\"{}\"", escaped((*value)?))));
    format!("{{{}}}", pairs.collect::<Vec<_>>().join(","))
}

/// A label's value: what the format escapes, and nothing that a terminal obeys.
fn escaped(value: &str) -> String {
    let value = value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    crate::render::escape::terminal(&value).into_owned()
}
