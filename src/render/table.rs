//! The table for a terminal.

use std::io;

use crate::report::Report;
use crate::timeline::fold::Folding;

/// How the table is to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// The width to fit in, in columns of the terminal.
    pub width: u16,
    /// Whether colours may be used.
    pub color: bool,
    /// Whether lines are drawn with box characters rather than with ASCII.
    pub unicode: bool,
}

/// Writes the table, with totals, sources and damage below it.
pub fn render(
    _report: &Report,
    _folding: Folding,
    _style: Style,
    _out: &mut dyn io::Write,
) -> io::Result<()> {
    Ok(())
}
