//! CSV: one row for each series and bucket that has a snapshot, every value as least, most and
//! last. A value that no snapshot says is empty.

use std::io::{self, Write};

use crate::render::escape;
use crate::report::PoolReport;
use crate::series::{Gauge, Series, SeriesBucket, summarize};
use crate::timeline::calendar::rfc3339;

/// Writes the heading and the rows, series by series.
pub fn render(report: &PoolReport, out: &mut dyn io::Write) -> io::Result<()> {
    let mut line = b"start,end,pool,host,unit,format,snapshots".to_vec();
    for gauge in Gauge::ALL {
        let name = gauge.name();
        write!(line, ",{name}_min,{name}_max,{name}_last")?;
    }
    line.extend_from_slice(b",new_timeouts\n");
    out.write_all(&line)?;
    for series in &report.series {
        for bucket in summarize(series, report.by, report.zone).1 {
            row(report, series, &bucket, out)?;
        }
    }
    Ok(())
}

fn row(
    report: &PoolReport,
    series: &Series,
    bucket: &SeriesBucket,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    let key = &series.key;
    let text = |text: &Option<String>| escape::csv(text.as_deref().unwrap_or_default());
    let mut line = Vec::new();
    write!(
        line,
        "{},{},{},{},{},{},{}",
        rfc3339(bucket.start, report.zone),
        rfc3339(bucket.end, report.zone),
        escape::csv(&key.pool),
        text(&key.host),
        text(&key.unit),
        escape::csv(&key.format),
        bucket.snapshots
    )?;
    for gauge in Gauge::ALL {
        match bucket.get(gauge) {
            Some(known) => write!(line, ",{},{},{}", known.min, known.max, known.last)?,
            None => write!(line, ",,,")?,
        }
    }
    match bucket.new_timeouts {
        Some(count) => writeln!(line, ",{count}")?,
        None => writeln!(line, ",")?,
    }
    out.write_all(&line)
}
