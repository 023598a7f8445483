//! CSV: one row a bucket, never folded.
//!
//! Fields are quoted as RFC 4180 has it; lines end in LF alone, as `cut`, `awk` and `sort` expect
//! and every spreadsheet accepts. A bucket without any entry has empty counts, not zeros, so that
//! an average over a column is right. What carries no time has no row.

use std::io::{self, Write};

use super::changes::Telling;
use super::escape;
use crate::report::Report;
use crate::timeline::calendar::rfc3339;
use crate::timeline::{Bucket, Coverage, Timeline};

/// Writes a heading and one row a bucket: `start,end,entries,coverage,suppressed`, a column for
/// each class, `notes`, `changes`.
pub fn render(report: &Report, out: &mut dyn io::Write) -> io::Result<()> {
    let timeline = &report.timeline;
    heading(timeline, out)?;
    let changes = Telling::new(timeline);
    for (position, bucket) in timeline.buckets.iter().enumerate() {
        let mut line = Vec::new();
        write_row(&mut line, timeline, &changes, position, bucket)?;
        out.write_all(&line)?;
    }
    Ok(())
}

/// Writes the heading.
pub fn heading(timeline: &Timeline, out: &mut dyn io::Write) -> io::Result<()> {
    let mut line = b"start,end,entries,coverage,suppressed".to_vec();
    for class in &timeline.classes {
        write!(line, ",{}", escape::csv(&class.name))?;
    }
    line.extend_from_slice(b",notes,changes\n");
    out.write_all(&line)
}

/// Writes the row of the bucket at `position`.
pub fn row(timeline: &Timeline, position: usize, out: &mut dyn io::Write) -> io::Result<()> {
    let mut line = Vec::new();
    if let Some(bucket) = timeline.buckets.get(position) {
        write_row(&mut line, timeline, &Telling::new(timeline), position, bucket)?;
    }
    out.write_all(&line)
}

fn write_row(
    line: &mut Vec<u8>,
    timeline: &Timeline,
    changes: &Telling<'_>,
    position: usize,
    bucket: &Bucket,
) -> io::Result<()> {
    let start = rfc3339(bucket.start, timeline.zone);
    let end = rfc3339(bucket.end, timeline.zone);
    let (entries, coverage) = (bucket.counts.entries, bucket.coverage.name());
    write!(line, "{start},{end},{entries},{coverage},{}", bucket.suppressed)?;
    for class in &timeline.classes {
        match bucket.coverage {
            Coverage::None => write!(line, ",")?,
            _ => write!(line, ",{}", bucket.counts.of(class.index))?,
        }
    }
    let notes: Vec<_> =
        timeline.notes_of(position).map(|note| escape::one_line(&note.text)).collect();
    let changes = escape::csv(&changes.cell(position));
    writeln!(line, ",{},{changes}", escape::csv(&notes.join("; ")))
}
