//! NDJSON: one bucket a line, as it stands in the JSON document, for tools that read line by line.
//!
//! What carries no time is in no bucket, and so not in these lines.

use std::io;

use super::json;
use crate::report::Report;
use crate::timeline::Timeline;

/// Writes one line a bucket.
pub fn render(report: &Report, out: &mut dyn io::Write) -> io::Result<()> {
    for record in json::bucket_records(&report.timeline) {
        json::write_line(&record, out)?;
    }
    Ok(())
}

/// Writes the line of the bucket at `position`.
pub fn row(timeline: &Timeline, position: usize, out: &mut dyn io::Write) -> io::Result<()> {
    match json::bucket_record(timeline, position) {
        Some(record) => json::write_line(&record, out),
        None => Ok(()),
    }
}
