//! JSON: every point of every series, schema `ebbline.pool/1`.

use std::io;

use chrono_tz::Tz;
use serde::Serialize;
use serde::ser::{SerializeSeq, Serializer};

use crate::render::json::write_line;
use crate::report::PoolReport;
use crate::series::{Gauge, Lead, Point, Saturation, Series};
use crate::time::{Minute, Timestamp};
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
        let mut clock = Clock { zone: self.zone, minute: None, written: String::new() };
        for point in self.points {
            list.serialize_element(&OnePoint {
                at: clock.rfc3339(point.at()),
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

/// Writes instants that mostly lie in the minute of the one before: the calendar is asked once a
/// minute.
struct Clock {
    zone: Tz,
    minute: Option<Minute>,
    /// The first instant of the minute.
    written: String,
}

/// Where the seconds stand in `2026-05-06T04:49:07`.
const SECONDS: std::ops::Range<usize> = 17..19;

/// Until Liberia changed its clocks in 1972, an offset could have seconds.
const WHOLE_MINUTES_FROM_MICROS: i64 = 3 * 366 * 86_400_000_000;

impl Clock {
    fn rfc3339(&mut self, at: Timestamp) -> String {
        if at.micros() < WHOLE_MINUTES_FROM_MICROS {
            return rfc3339(at, self.zone);
        }
        if self.minute != Some(at.minute()) {
            self.minute = Some(at.minute());
            self.written = rfc3339(at.minute().start(), self.zone);
        }
        let micros = at.micros() - at.minute().start().micros();
        let (seconds, micros) = (micros / 1_000_000, micros % 1_000_000);
        let (minute, offset) = (self.written.get(..SECONDS.start), self.written.get(SECONDS.end..));
        let (minute, offset) = (minute.unwrap_or_default(), offset.unwrap_or_default());
        match (micros, micros % 1000) {
            (0, _) => format!("{minute}{seconds:02}{offset}"),
            (_, 0) => format!("{minute}{seconds:02}.{:03}{offset}", micros / 1000),
            _ => format!("{minute}{seconds:02}.{micros:06}{offset}"),
        }
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
    calm_in_use: Option<u64>,
    full_in_use: Option<u64>,
    calm_size: Option<u64>,
    full_size: Option<u64>,
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
            calm_in_use: lead.filling.map(|filling| filling.calm_in_use),
            full_in_use: lead.filling.map(|filling| filling.full_in_use),
            calm_size: lead.filling.and_then(|filling| filling.calm_size),
            full_size: lead.filling.and_then(|filling| filling.full_size),
            connections_per_minute: lead.connections_per_minute(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_written_as_the_calendar_writes_them() {
        let zones = [Tz::UTC, Tz::America__Los_Angeles, Tz::Asia__Kathmandu, Tz::Africa__Monrovia];
        for zone in zones {
            let mut clock = Clock { zone, minute: None, written: String::new() };
            // Seconds, milliseconds, microseconds; before and after a change of the clocks.
            let seconds = [0, 63_593_069, 63_593_070, 1_772_963_999, 1_772_964_000, 1_778_040_059];
            for (second, micros) in
                seconds.iter().flat_map(|s| [0, 1, 20_000, 999_999].map(|m| (s, m)))
            {
                let at = Timestamp::from_micros(second * 1_000_000 + micros).unwrap();
                assert_eq!(clock.rfc3339(at), rfc3339(at, zone));
            }
        }
    }
}
