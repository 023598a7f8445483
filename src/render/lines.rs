//! The table line by line, for a pipe into which it is written as it grows: every bucket on a line
//! of its own, never folded, in columns that are wide enough for what may come.

use std::io;

use super::cells::{Cell, exact};
use super::changes::Telling;
use super::heading::heading as class_heading;
use super::{escape, footer, gaps, incidents};
use crate::report::Report;
use crate::timeline::label::Labels;
use crate::timeline::{Class, Coverage, Grain, Timeline};

/// Counts of up to this many digits stay in their column.
const COUNT_WIDTH: usize = 8;
/// The blanks between two columns.
const GAP: &str = "  ";

/// Writes the heading: all classes of the timeline, whether they occurred or not.
pub fn heading(timeline: &Timeline, out: &mut dyn io::Write) -> io::Result<()> {
    let label = Labels::new(timeline).heading();
    let headings = timeline.classes.iter().map(|class| class_heading(&class.name).into_owned());
    write_line(timeline, label, headings, "", out)
}

/// Writes the line of the bucket at `position`.
pub fn row(timeline: &Timeline, position: usize, out: &mut dyn io::Write) -> io::Result<()> {
    let Some(bucket) = timeline.buckets.get(position) else { return Ok(()) };
    let classes: Vec<&Class> = timeline.classes.iter().collect();
    let cells: Vec<Cell> = match bucket.coverage {
        Coverage::None => classes.iter().map(|_| Cell::no_data()).collect(),
        Coverage::Full | Coverage::Partial => exact(&bucket.counts, &classes),
    };
    let notes = timeline.notes_of(position).map(|note| escape::one_line(&note.text));
    let notes: Vec<_> = notes.collect();
    let changes = Telling::new(timeline).note(&(position..position + 1), !notes.is_empty());
    let notes = gaps::note(bucket.suppressed).into_iter().chain(notes);
    let notes: Vec<_> = notes.chain(changes).collect();
    let label = Labels::new(timeline).label(&(position..position + 1));
    let cells = cells.into_iter().map(|cell| cell.text);
    write_line(timeline, &label, cells, &notes.join("; "), out)
}

/// Writes the sum of all buckets and of what carries no time, and what was not logged.
pub fn end(report: &Report, out: &mut dyn io::Write) -> io::Result<()> {
    let timeline = &report.timeline;
    let classes: Vec<&Class> = timeline.classes.iter().collect();
    let cells = exact(&timeline.totals, &classes).into_iter().map(|cell| cell.text);
    write_line(timeline, "Total", cells, "", out)?;
    footer::group("Incidents", &incidents::lines(report), out)?;
    footer::write_gaps(report, out)
}

fn write_line(
    timeline: &Timeline,
    label: &str,
    cells: impl Iterator<Item = String>,
    notes: &str,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    let label_width = match timeline.grain {
        Grain::Day => "2026 May 22".len(),
        Grain::Hour | Grain::Minute => "2026 May 22 04:00".len(),
    };
    let mut line = format!("{label:<label_width$}");
    for (cell, class) in cells.zip(&timeline.classes) {
        let width = class_heading(&class.name).chars().count().max(COUNT_WIDTH);
        line.push_str(&format!("{GAP}{cell:>width$}"));
    }
    if !notes.is_empty() {
        line.push_str(GAP);
        line.push_str(&escape::terminal(notes));
    }
    writeln!(out, "{}", line.trim_end())
}
