//! OpenMetrics: the past as samples with their times, for a metrics database to take in.
//!
//! The format is that of <https://prometheus.io/docs/specs/om/open_metrics_spec/>, of which `promtool
//! tsdb create-blocks-from openmetrics` and VictoriaMetrics' import read what is written here: text
//! in which a family comes whole, in it each series whole, and in that the samples in the order of
//! time. [`Exposition`] keeps the writer to it.
//!
//! Events are gauges, one sample a bucket, and not a counter that grows. A counter would begin with
//! each run at zero, so that two runs over one day contradicted each other; and `increase()`
//! guesses at a window's borders, so that 20 events became 19.3. Here a bucket has one value whichever
//! run wrote it, and `sum_over_time()` gives whole numbers. A sample stands at the end of its bucket,
//! because that is when its value was known: `sum_over_time(…[1h])` at a full hour is that hour. A
//! bucket without any entry has no sample, so that "no data" stays a gap.

use std::borrow::Cow;
use std::io::{self, Write};

use super::escape;
use crate::report::Report;
use crate::time::Timestamp;
use crate::timeline::{Bucket, Coverage};

/// How the values of a family behave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// They go up and down.
    Gauge,
    /// They only grow, or begin again at zero. The names of its samples end in `_total`.
    Counter,
}

/// What a family of series is.
#[derive(Debug, Clone, Copy)]
pub struct Family {
    /// The name without `_total`: lower-case letters, digits and `_`.
    pub name: &'static str,
    /// How the values behave.
    pub kind: Kind,
    /// What is counted, which the name must end with; `None`: nothing that has a name.
    pub unit: Option<&'static str>,
    /// A sentence for whoever meets the name in a panel.
    pub help: &'static str,
}

/// A document that is being written.
///
/// Families are begun one after the other. In each, all samples of one series (one set of labels)
/// follow each other, in the order of time.
pub struct Exposition<'a> {
    out: &'a mut dyn io::Write,
    family: Option<Family>,
    /// The name and the labels of the series that was begun last.
    series: Vec<u8>,
}

impl<'a> Exposition<'a> {
    /// A document without any family.
    pub fn new(out: &'a mut dyn io::Write) -> Self {
        Self { out, family: None, series: Vec::new() }
    }

    /// Begins a family; a name comes once in a document.
    pub fn begin(&mut self, family: Family) -> io::Result<()> {
        let Family { name, kind, unit, help } = family;
        let kind = match kind {
            Kind::Gauge => "gauge",
            Kind::Counter => "counter",
        };
        writeln!(self.out, "# TYPE {name} {kind}")?;
        if let Some(unit) = unit {
            writeln!(self.out, "# UNIT {name} {unit}")?;
        }
        writeln!(self.out, "# HELP {name} {}", quoted(help))?;
        self.family = Some(family);
        self.series(&[])
    }

    /// Begins a series of the family that was begun last. Values of labels may be any text.
    pub fn series(&mut self, labels: &[(&str, &str)]) -> io::Result<()> {
        self.series.clear();
        let Some(family) = self.family else { return Ok(()) };
        self.series.extend(family.name.as_bytes());
        if family.kind == Kind::Counter {
            self.series.extend(b"_total");
        }
        for (position, (name, text)) in labels.iter().enumerate() {
            let before = if position == 0 { '{' } else { ',' };
            write!(self.series, "{before}{name}=\"{}\"", quoted(text))?;
        }
        if !labels.is_empty() {
            self.series.push(b'}');
        }
        Ok(())
    }

    /// Writes one sample of the series that was begun last; of the family, if none was.
    pub fn sample(&mut self, value: u64, at: Timestamp) -> io::Result<()> {
        self.out.write_all(&self.series)?;
        let (seconds, micros) = (at.micros() / 1_000_000, at.micros() % 1_000_000);
        write!(self.out, " {value} {seconds}")?;
        if micros != 0 {
            write!(self.out, ".{micros:06}")?;
        }
        self.out.write_all(b"\n")
    }

    /// Ends the document.
    pub fn end(self) -> io::Result<()> {
        self.out.write_all(b"# EOF\n")
    }
}

/// Text for between quotes. What a terminal obeys is spelt out first: the format cannot.
fn quoted(text: &str) -> Cow<'_, str> {
    let text = escape::terminal(text);
    if text.contains(['\\', '"']) {
        return Cow::Owned(text.replace('\\', "\\\\").replace('"', "\\\""));
    }
    text
}

const EVENTS: Family = Family {
    name: "ebbline_events",
    kind: Kind::Gauge,
    unit: Some("events"),
    help: "Failures of a class that were logged in the bucket that ends at the sample.",
};
const ENTRIES: Family = Family {
    name: "ebbline_entries",
    kind: Kind::Gauge,
    unit: Some("entries"),
    help: "Log entries of the bucket that ends at the sample, failures or not.",
};
const SUPPRESSED: Family = Family {
    name: "ebbline_suppressed_entries",
    kind: Kind::Gauge,
    unit: Some("entries"),
    help: "Entries that log daemons say they dropped, told in the bucket that ends at the sample.",
};

/// Writes the document: of each class, of the entries and of the suppressed ones a sample a
/// bucket. What carries no time is in none.
pub fn render(report: &Report, out: &mut dyn io::Write) -> io::Result<()> {
    let timeline = &report.timeline;
    let mut exposition = Exposition::new(out);
    let known = || timeline.buckets.iter().filter(|bucket| bucket.coverage != Coverage::None);
    exposition.begin(EVENTS)?;
    for class in &timeline.classes {
        let labels = [("class", class.name.as_str())];
        exposition.series(&labels)?;
        for bucket in known() {
            exposition.sample(bucket.counts.of(class.index), bucket.end)?;
        }
    }
    exposition.begin(ENTRIES)?;
    for bucket in known() {
        exposition.sample(bucket.counts.entries, bucket.end)?;
    }
    exposition.begin(SUPPRESSED)?;
    // That entries were dropped may be all that is known of a bucket.
    let is_told = |bucket: &&Bucket| bucket.coverage != Coverage::None || bucket.suppressed > 0;
    for bucket in timeline.buckets.iter().filter(is_told) {
        exposition.sample(bucket.suppressed, bucket.end)?;
    }
    exposition.end()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_a_stranger_cannot_end_its_quotes_nor_reach_the_terminal() {
        let mut out = Vec::new();
        let mut exposition = Exposition::new(&mut out);
        let family =
            Family { name: "pool_size", kind: Kind::Gauge, unit: None, help: "A \\ and a \"." };
        exposition.begin(family).unwrap();
        let at = Timestamp::from_micros(1_500_000).unwrap();
        exposition.series(&[("pool", "a\"} 1\n\u{1b}[2J\\")]).unwrap();
        exposition.sample(5, at).unwrap();
        exposition.end().unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "# TYPE pool_size gauge\n\
             # HELP pool_size A \\\\ and a \\\".\n\
             pool_size{pool=\"a\\\"} 1\\\\n\\\\x1b[2J\\\\\"} 5 1.500000\n\
             # EOF\n"
        );
    }

    #[test]
    fn a_counter_and_its_samples_have_the_names_of_the_format() {
        let mut out = Vec::new();
        let mut exposition = Exposition::new(&mut out);
        let family =
            Family { name: "timeouts", kind: Kind::Counter, unit: None, help: "Timeouts." };
        exposition.begin(family).unwrap();
        let at = Timestamp::from_micros(60_000_000).unwrap();
        exposition.series(&[("pool", "a"), ("host", "b")]).unwrap();
        exposition.sample(7, at).unwrap();
        exposition.end().unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(text.contains("\ntimeouts_total{pool=\"a\",host=\"b\"} 7 60\n"), "{text}");
        assert!(text.starts_with("# TYPE timeouts counter\n"), "{text}");
    }
}
