//! NDJSON: one bucket a line.

use std::io;

use crate::report::Report;

/// Writes one bucket a line.
pub fn render(_report: &Report, _out: &mut dyn io::Write) -> io::Result<()> {
    Ok(())
}
