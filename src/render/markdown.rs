//! The table in Markdown (GitHub's flavour), ready to be pasted into a post-mortem.

use std::io::{self, Write};

use super::cells::Grid;
use super::escape;
use super::heading::heading;
use crate::report::Report;
use crate::timeline::fold::Folding;

/// Writes the rows as a table, and a line below it that says of what time and zone they speak.
pub fn render(report: &Report, folding: Folding, out: &mut dyn io::Write) -> io::Result<()> {
    let classes = report.shown_classes();
    let grid = Grid::new(report, &classes, folding, usize::MAX);
    let mut text = Vec::new();
    write!(text, "| {} |", grid.label_heading)?;
    for class in &classes {
        write!(text, " {} |", escape::markdown(&heading(&class.name)))?;
    }
    writeln!(text, " Notes |")?;
    writeln!(text, "|---|{}---|", "---:|".repeat(classes.len()))?;
    for line in &grid.lines {
        write!(text, "| {} |", line.label)?;
        for cell in &line.cells {
            write!(text, " {} |", cell.text)?;
        }
        match line.note.as_str() {
            "" => writeln!(text, " |")?,
            note => writeln!(text, " {} |", escape::markdown(note))?,
        }
    }
    writeln!(text, "\n{}", escape::markdown(&grid.summary))?;
    out.write_all(&text)
}
