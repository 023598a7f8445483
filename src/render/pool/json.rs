//! JSON: every point of every series, schema `ebbline.pool/1`.

use std::io;

use chrono_tz::Tz;
use serde::Serialize;
use serde::ser::{SerializeSeq, Serializer};

use crate::render::json::write_line;
use crate::report::PoolReport;
use crate::series::{Gauge, Lead, Point, Saturation, Series};
use crate::timeline::calendar::rfc3339;

/// Writes the document and a line feed.
pub fn render(report: &PoolReport, out: &mut dyn io::Write) -> io::Result<()> {
    let zone = report.zone;
    write_line(
        &Document {
            schema: "ebbline.pool/1",
            timezone: zone.name(),
            series: report.series.iter().map(|series| OneSeries::new(series, zone)).collect(),
            saturation: report.saturations.iter().map(|s| Window::new(s, report)).collect(),
            leads: report.leads.iter().map(|lead| OneLead::new(lead, report)).collect(),
            unparsed: report.unparsed,
            undated: report.undated,
            left_out: report.left_out,
        },
        out,
    )
}

#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    timezone: &'static str,
    series: Vec<OneSeries<'a>>,
    saturation: Vec<Window<'a>>,
    leads: Vec<OneLead<'a>>,
    /// Messages that look like a snapshot and cannot be read as one.
    unparsed: u64,
    /// Snapshots without a time.
    undated: u64,
    /// Snapshots beyond the limits.
    left_out: u64,
}

#[derive(Serialize)]
struct OneSeries<'a> {
    pool: &'a str,
    host: Option<&'a str>,
    unit: Option<&'a str>,
    /// Where the unit is not known.
    identifier: Option<&'a str>,
    format: &'a str,
    /// How far apart the points usually are.
    interval_s: Option<f64>,
    points: Points<'a>,
}

impl<'a> OneSeries<'a> {
    fn new(series: &'a Series, zone: Tz) -> Self {
        let key = &series.key;
        Self {
            pool: &key.pool,
            host: key.host.as_deref(),
            unit: key.unit.as_deref(),
            identifier: key.identifier.as_deref(),
            format: &key.format,
            interval_s: series.usual_interval_us().map(|micros| micros as f64 / 1e6),
            points: Points { points: series.points(), zone },
        }
    }
}

/// Written one after another: a document of a million points is never in memory.
struct Points<'a> {
    points: &'a [Point],
    zone: Tz,
}

impl Serialize for Points<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(Some(self.points.len()))?;
        for point in self.points {
            list.serialize_element(&OnePoint {
                at: rfc3339(point.at(), self.zone),
                max: point.get(Gauge::Max),
                size: point.get(Gauge::Size),
                idle: point.get(Gauge::Idle),
                in_use: point.get(Gauge::InUse),
                waiting: point.get(Gauge::Waiting),
                timeouts: point.get(Gauge::Timeouts),
                wait_us: point.get(Gauge::WaitUs),
            })?;
        }
        list.end()
    }
}

#[derive(Serialize)]
struct OnePoint {
    at: String,
    max: Option<u64>,
    size: Option<u64>,
    idle: Option<u64>,
    in_use: Option<u64>,
    waiting: Option<u64>,
    timeouts: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    wait_us: Option<u64>,
}

#[derive(Serialize)]
struct Window<'a> {
    pool: &'a str,
    host: Option<&'a str>,
    unit: Option<&'a str>,
    format: &'a str,
    start: String,
    end: String,
    snapshots: usize,
    peak_waiting: Option<u64>,
}

impl<'a> Window<'a> {
    fn new(window: &Saturation, report: &'a PoolReport) -> Self {
        let key = report.series.get(window.series).map(|series| &series.key);
        Self {
            pool: key.map_or("", |key| &key.pool),
            host: key.and_then(|key| key.host.as_deref()),
            unit: key.and_then(|key| key.unit.as_deref()),
            format: key.map_or("", |key| &key.format),
            start: rfc3339(window.start, report.zone),
            end: rfc3339(window.end, report.zone),
            snapshots: window.snapshots,
            peak_waiting: window.peak_waiting,
        }
    }
}

#[derive(Serialize)]
struct OneLead<'a> {
    pool: &'a str,
    host: Option<&'a str>,
    unit: Option<&'a str>,
    first_timeout: String,
    full_since: String,
    lead_s: f64,
    /// The last snapshot with no more connections in use than usual before the pool was full.
    calm_until: Option<String>,
    connections_per_minute: Option<f64>,
}

impl<'a> OneLead<'a> {
    fn new(lead: &Lead, report: &'a PoolReport) -> Self {
        let key = report.series.get(lead.series).map(|series| &series.key);
        Self {
            pool: key.map_or("", |key| &key.pool),
            host: key.and_then(|key| key.host.as_deref()),
            unit: key.and_then(|key| key.unit.as_deref()),
            first_timeout: rfc3339(lead.first_timeout, report.zone),
            full_since: rfc3339(lead.full_since, report.zone),
            lead_s: lead.lead_us() as f64 / 1e6,
            calm_until: lead.filling.map(|filling| rfc3339(filling.calm_until, report.zone)),
            connections_per_minute: lead.connections_per_minute(),
        }
    }
}
