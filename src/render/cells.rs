//! Cells: what stands in the rows of a table for people, whatever draws it.

use chrono_tz::Tz;

use super::changes::Telling;
use super::heading::heading;
use super::{escape, gaps};
use crate::report::Report;
use crate::tally::Counts;
use crate::time::Timestamp;
use crate::timeline::fold::{CountRange, Folding, Row, RowCounts, rows};
use crate::timeline::label::Labels;
use crate::timeline::{Class, calendar};

/// A table before it is drawn.
pub(super) struct Grid {
    /// The heading of the first column: what a row stands for.
    pub(super) label_heading: &'static str,
    /// The rows from first to last.
    pub(super) lines: Vec<Line>,
    /// How many rows were left out behind those of the buckets.
    pub(super) left_out: usize,
    /// One sentence about totals, time and zone.
    pub(super) summary: String,
}

/// A row of the table.
pub(super) struct Line {
    /// What the row stands for.
    pub(super) label: String,
    /// One cell a class.
    pub(super) cells: Vec<Cell>,
    /// The notes that stand on the row, on one line, not escaped.
    pub(super) note: String,
}

/// A count, a range of counts, or the absence of any.
pub(super) struct Cell {
    pub(super) text: String,
    pub(super) tone: Tone,
}

/// What a cell's colour has to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tone {
    /// Nothing.
    Plain,
    /// More than what is quiet.
    Loud,
    /// Nothing is known.
    NoData,
}

impl Grid {
    /// The table with at most `max_rows` rows for buckets.
    pub(super) fn new(
        report: &Report,
        classes: &[&Class],
        folding: Folding,
        max_rows: usize,
    ) -> Self {
        let rows = rows(&report.timeline, classes, folding);
        Self::of_rows(report, classes, rows.get(..max_rows).unwrap_or(&rows), rows.len())
    }

    /// The table with the last `max_rows` rows for buckets.
    pub(super) fn of_last(
        report: &Report,
        classes: &[&Class],
        folding: Folding,
        max_rows: usize,
    ) -> Self {
        let rows = rows(&report.timeline, classes, folding);
        let from = rows.len().saturating_sub(max_rows);
        Self::of_rows(report, classes, rows.get(from..).unwrap_or(&rows), rows.len())
    }

    fn of_rows(report: &Report, classes: &[&Class], shown: &[Row], row_count: usize) -> Self {
        let timeline = &report.timeline;
        let labels = Labels::new(timeline);
        let changes = Telling::new(timeline);
        let line = |row: &Row| Self::line(report, &labels, &changes, row, classes.len());
        let mut lines: Vec<Line> = shown.iter().map(line).collect();
        let left_out = row_count - lines.len();
        if timeline.undated.entries > 0 {
            lines.push(Line {
                label: "no date".to_owned(),
                cells: exact(&timeline.undated, classes),
                note: format!("{} without a time", entries(timeline.undated.entries)),
            });
        }
        Self { label_heading: labels.heading(), lines, left_out, summary: summary(report, classes) }
    }

    fn line(
        report: &Report,
        labels: &Labels<'_>,
        changes: &Telling<'_>,
        row: &Row,
        columns: usize,
    ) -> Line {
        let notes = row.notes.iter().filter_map(|note| report.timeline.notes.get(*note));
        let notes = notes.map(|placed| escape::one_line(&placed.note.text));
        let buckets = report.timeline.buckets.get(row.buckets.clone()).unwrap_or_default();
        let dropped =
            buckets.iter().fold(0, |sum: u64, bucket| sum.saturating_add(bucket.suppressed));
        let notes = gaps::note(dropped).into_iter().chain(notes);
        let notes: Vec<_> =
            notes.chain(changes.note(&row.buckets, !row.notes.is_empty())).collect();
        let cells = match &row.counts {
            RowCounts::NoData => (0..columns).map(|_| Cell::no_data()).collect(),
            RowCounts::Seen(ranges) => ranges.iter().map(Cell::new).collect(),
        };
        Line { label: labels.label(&row.buckets), cells, note: notes.join("; ") }
    }
}

impl Cell {
    fn new(range: &CountRange) -> Self {
        let text = if range.min == range.max {
            range.min.to_string()
        } else {
            format!("{}–{}", range.min, range.max)
        };
        Self { text, tone: if range.loud { Tone::Loud } else { Tone::Plain } }
    }

    pub(super) fn no_data() -> Self {
        Self { text: "no data".to_owned(), tone: Tone::NoData }
    }
}

/// The counts of the classes as they are.
pub(super) fn exact(counts: &Counts, classes: &[&Class]) -> Vec<Cell> {
    let cell =
        |class: &&Class| Cell { text: counts.of(class.index).to_string(), tone: Tone::Plain };
    classes.iter().map(cell).collect()
}

/// A number of entries in words.
pub fn entries(count: u64) -> String {
    if count == 1 { "1 entry".to_owned() } else { format!("{count} entries") }
}

/// An instant for people, in their zone.
pub fn moment(at: Timestamp, zone: Tz) -> String {
    calendar::in_zone(at, zone).format("%Y-%m-%d %H:%M:%S %Z").to_string()
}

fn summary(report: &Report, classes: &[&Class]) -> String {
    let timeline = &report.timeline;
    let counts =
        |class: &&Class| format!("{} {}", heading(&class.name), timeline.totals.of(class.index));
    let counts: Vec<_> = classes.iter().map(counts).collect();
    let mut text = format!("Total: {}", counts.join(", "));
    text.push_str(&format!(", in {}", entries(timeline.totals.entries)));
    if let (Some(first), Some(last)) = (timeline.first, timeline.last) {
        let (first, last) = (moment(first, timeline.zone), moment(last, timeline.zone));
        text.push_str(&format!(" from {first} to {last}"));
    }
    text.push_str(&format!(". Time zone: {}.", timeline.zone.name()));
    text
}
