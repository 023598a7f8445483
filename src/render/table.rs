//! The table for a terminal: rows, totals, and below them what they were made from.
//!
//! It has few lines and no box, so that the numbers are what the eye meets. Colour says two
//! things: a count is above what is quiet (red), and there is no data (dim).

use std::io::{self, Write};

use comfy_table::{
    Attribute, Cell as TableCell, CellAlignment, Color, ColumnConstraint, ContentArrangement,
    LineStyle, Table, TableStyle, Width,
};

use super::cells::{Cell, Grid, Line, Tone, entries, exact, moment};
use super::heading::heading;
use super::{escape, footer, incidents};
use crate::report::Report;
use crate::timeline::Class;
use crate::timeline::fold::Folding;

/// How the table is to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// The width to fit in, in columns of the terminal. What is too narrow for the numbers is
    /// taken for as wide as they need.
    pub width: u16,
    /// Whether colours may be used.
    pub color: bool,
    /// Whether lines and dashes are drawn with Unicode rather than with ASCII.
    pub unicode: bool,
}

/// A table has no more rows for buckets than this, two weeks of minutes; a line below it says how
/// many were left out. The time to lay out a table grows faster than the number of its rows.
pub const MAX_ROWS: usize = 20_000;

/// The blanks between two columns.
const GAP: usize = 2;
/// Headings are broken into lines where they would leave less than this for the notes.
const COMFORTABLE_NOTES_WIDTH: usize = 24;
/// Notes are never narrower than this, however narrow the terminal is.
const MIN_NOTES_WIDTH: usize = 16;

/// Writes the table, then totals, sources and damage.
pub fn render(
    report: &Report,
    folding: Folding,
    style: Style,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    let classes = report.shown_classes();
    let grid = Grid::new(report, &classes, folding, MAX_ROWS);
    let mut text = Vec::new();
    if grid.lines.is_empty() {
        writeln!(text, "No entry was found.")?;
    } else {
        let headings = classes.iter().map(|class| heading(&class.name).into_owned());
        let total = total(report, &classes);
        Drawing::new(&grid, headings.collect(), total, style).draw(&mut text)?;
        if grid.left_out > 0 {
            let left_out = grid.left_out;
            writeln!(text, "{left_out} more rows: choose a coarser --by, or -o csv for all.")?;
        }
    }
    writeln!(text)?;
    footer::group("Incidents", &incidents::lines(report), &mut text)?;
    footer::write(report, &mut text)?;
    out.write_all(&text)
}

/// Writes as much of the table as `max_lines` have room for: its heading, its last rows, its
/// totals, and when the last entry was logged.
pub fn render_end(
    report: &Report,
    folding: Folding,
    style: Style,
    max_lines: usize,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    let classes = report.shown_classes();
    let grid = Grid::of_last(report, &classes, folding, max_lines);
    if grid.lines.is_empty() {
        return writeln!(out, "No entry was found yet.");
    }
    let headings = classes.iter().map(|class| heading(&class.name).into_owned());
    let drawing = Drawing::new(&grid, headings.collect(), total(report, &classes), style);
    let mut text = Vec::new();
    drawing.draw(&mut text)?;
    let timeline = &report.timeline;
    if let Some(last) = timeline.last {
        let (entries, last) = (entries(timeline.totals.entries), moment(last, timeline.zone));
        writeln!(text, "\n{entries}, the last at {last}")?;
    }
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().collect();
    let heading =
        lines.iter().position(|line| line.starts_with(drawing.rule())).map_or(0, |at| at + 1);
    let excess = lines.len().saturating_sub(max_lines);
    for (number, line) in lines.iter().enumerate() {
        if !(heading..heading + excess).contains(&number) {
            writeln!(out, "{line}")?;
        }
    }
    Ok(())
}

fn total(report: &Report, classes: &[&Class]) -> Line {
    Line {
        label: "Total".to_owned(),
        cells: exact(&report.timeline.totals, classes),
        note: String::new(),
    }
}

/// A table about to be drawn.
struct Drawing<'g> {
    grid: &'g Grid,
    headings: Vec<String>,
    total: Line,
    style: Style,
    /// The width of each column without the gap before it.
    widths: Vec<usize>,
}

impl<'g> Drawing<'g> {
    fn new(grid: &'g Grid, headings: Vec<String>, total: Line, style: Style) -> Self {
        let mut drawing = Self { grid, headings, total, style, widths: Vec::new() };
        drawing.widths = drawing.column_widths();
        drawing
    }

    fn has_notes(&self) -> bool {
        self.grid.lines.iter().any(|line| !line.note.is_empty())
    }

    /// Labels and counts are as wide as they are; notes take what is left.
    fn column_widths(&self) -> Vec<usize> {
        let lines = || self.grid.lines.iter().chain([&self.total]);
        let label = lines().map(|line| width(&line.label)).max().unwrap_or(0);
        let label = label.max(width(self.grid.label_heading));
        let counts = |heading_width: fn(&str) -> usize| {
            let column = |(index, heading): (usize, &String)| {
                let cells = lines().filter_map(|line| line.cells.get(index));
                let widest = cells.map(|cell| width(&cell.text)).max().unwrap_or(0);
                widest.max(heading_width(heading))
            };
            self.headings.iter().enumerate().map(column).collect::<Vec<_>>()
        };
        let available = |counts: &[usize]| {
            let taken: usize = label + counts.iter().map(|count| count + GAP).sum::<usize>() + GAP;
            usize::from(self.style.width).saturating_sub(taken)
        };
        let wanted = if self.has_notes() { COMFORTABLE_NOTES_WIDTH } else { 0 };
        let mut chosen = counts(width);
        if available(&chosen) < wanted {
            chosen = counts(|heading| heading.split(' ').map(width).max().unwrap_or(0));
        }
        let notes = available(&chosen).max(MIN_NOTES_WIDTH);
        let mut widths = vec![label];
        widths.extend(chosen);
        if self.has_notes() {
            widths.push(notes);
        }
        widths
    }

    fn draw(&self, out: &mut dyn io::Write) -> io::Result<()> {
        let lines: Vec<String> = self.table().lines().collect();
        let Some((total, body)) = lines.split_last() else { return Ok(()) };
        for line in body {
            writeln!(out, "{}", line.trim_end())?;
        }
        // The rule above the totals is the one below the headings, again.
        if let Some(rule) = body.iter().find(|line| line.starts_with(self.rule())) {
            writeln!(out, "{rule}")?;
        }
        writeln!(out, "{}", total.trim_end())
    }

    fn rule(&self) -> char {
        if self.style.unicode { '─' } else { '-' }
    }

    fn table(&self) -> Table {
        let separator = LineStyle::none().fill(self.rule());
        let mut table = Table::new();
        table
            .load_style(TableStyle::new().header_separator(separator))
            .set_content_arrangement(ContentArrangement::Dynamic)
            .set_width(self.full_width())
            .force_no_tty();
        if self.style.color {
            table.enforce_styling();
        }
        table.set_header(self.header());
        for line in self.grid.lines.iter().chain([&self.total]) {
            table.add_row(self.row(line));
        }
        for (column, width) in table.column_iter_mut().zip(&self.widths) {
            let gap = if column.index == 0 { 0 } else { GAP };
            let with_gap = Width::Fixed(saturate(width + gap));
            column.set_padding((saturate(gap), 0));
            column.set_constraint(if column.index > self.headings.len() {
                ColumnConstraint::UpperBoundary(with_gap)
            } else {
                ColumnConstraint::Absolute(with_gap)
            });
        }
        table
    }

    /// The width of all columns together, where the notes take all that they may.
    fn full_width(&self) -> u16 {
        saturate(self.widths.iter().sum::<usize>() + GAP * (self.widths.len() - 1))
    }

    fn header(&self) -> Vec<TableCell> {
        let bold = |text: &str| TableCell::new(text).add_attribute(Attribute::Bold);
        let mut cells = vec![bold(self.grid.label_heading)];
        let right = |heading: &String| bold(heading).set_alignment(CellAlignment::Right);
        cells.extend(self.headings.iter().map(right));
        if self.has_notes() {
            cells.push(bold("Notes"));
        }
        cells
    }

    fn row(&self, line: &Line) -> Vec<TableCell> {
        let mut cells = vec![TableCell::new(self.dashes(&line.label))];
        cells.extend(line.cells.iter().map(|cell| self.count(cell)));
        if self.has_notes() {
            cells.push(TableCell::new(escape::terminal(&line.note)));
        }
        cells
    }

    fn count(&self, cell: &Cell) -> TableCell {
        let drawn = TableCell::new(self.dashes(&cell.text)).set_alignment(CellAlignment::Right);
        match cell.tone {
            Tone::Plain => drawn,
            Tone::Loud => drawn.fg(Color::Red),
            Tone::NoData => drawn.add_attribute(Attribute::Dim),
        }
    }

    /// Our own dashes, in the characters that the terminal has.
    fn dashes(&self, text: &str) -> String {
        if self.style.unicode { text.to_owned() } else { text.replace('–', "-") }
    }
}

fn saturate(width: usize) -> u16 {
    u16::try_from(width).unwrap_or(u16::MAX)
}

/// The width of a text of our own, none of whose characters is wide.
fn width(text: &str) -> usize {
    text.chars().count()
}
