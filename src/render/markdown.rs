//! The table in Markdown (GitHub's flavour), ready to be pasted into a post-mortem.

use std::io::{self, Write};

use super::cells::Grid;
use super::heading::heading;
use super::{escape, gaps, incidents};
use crate::report::Report;
use crate::timeline::fold::Folding;

/// Writes the rows as a table, a line below it that says of what time and zone they speak, and a
/// list of what was not logged.
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
    let incidents = incidents::lines(report);
    let incidents = incidents.iter().map(|line| format!("Incident: {line}"));
    let lines: Vec<String> = incidents.chain(gaps::lines(&report.timeline)).collect();
    for (number, line) in lines.iter().enumerate() {
        let before = if number == 0 { "\n" } else { "" };
        writeln!(text, "{before}- {}", escape::markdown(line))?;
    }
    out.write_all(&text)
}
