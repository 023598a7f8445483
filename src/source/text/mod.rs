//! The readers of everything that is not a journal file: dumps of journalctl, and the logs that
//! programs write themselves.
//!
//! The kind of a source is decided by its content (`detect`). Whatever it is, it ends in entries
//! that are tested, counted and classified in one place (`record`). Nothing here fails on bad
//! bytes; only a source that cannot be opened at all is an error.

mod assemble;
mod dating;
mod detect;
mod json;
mod record;
mod records;
pub mod stamp;
mod starts;
mod style;
mod syslog;
mod window;

use std::cell::Cell;
use std::io::{self, Read};
use std::path::Path;
use std::rc::Rc;

use self::assemble::Assembler;
use self::dating::Dating;
use self::detect::Form;
use self::record::Recorder;
use self::starts::Starts;
use self::window::{Lines, Window};
use super::compression::decompress;
use super::{Progress, Query, Sink, Summary};
use crate::time::Timestamp;

/// A source that is to be read as text.
#[derive(Debug, Clone, Copy)]
pub struct Input<'a> {
    /// The file, as it was named; `-` for standard input.
    pub path: &'a Path,
    /// When it was last written: the year of the last line whose timestamp has none follows from
    /// it. For standard input, the present.
    pub modified: Option<Timestamp>,
}

/// Opens a source at its beginning.
pub type Open<'a> = dyn FnMut() -> io::Result<Box<dyn Read + Send>> + 'a;

/// Reads a source to its end.
///
/// `open` is called once; for a file whose timestamps have no year, once more. Fails where it
/// fails. Errors that come later are damage at their place, and what was read before counts.
pub fn read(
    input: Input<'_>,
    open: &mut Open<'_>,
    query: &Query<'_>,
    sink: &mut dyn Sink,
) -> io::Result<Summary> {
    let bytes = Rc::new(Cell::new(0));
    let raw = Counting { inner: open()?, progress: query.progress, bytes: Rc::clone(&bytes) };
    let mut window = Window::new(decompress(raw)?);
    window.fill_to(detect::HEAD_BYTES);
    let form = detect::form(window.bytes());
    let mut recorder = Recorder::new(query, sink, input.path.to_owned());
    recorder.set_kind(form.kind());
    let recorder = match form {
        Form::Empty | Form::Binary => recorder,
        Form::Lines { style, is_dated, .. } => {
            let dating = Dating::new(query.zone, input.modified, None);
            let starts = Starts::new(style, dating, is_dated);
            Assembler::new(Lines::new(window), starts, style, recorder, input.path).run()
        }
    };
    Ok(recorder.finish(bytes.get()))
}

/// Counts what is read of a file as it lies on disk.
struct Counting<'p> {
    inner: Box<dyn Read + Send>,
    progress: &'p Progress,
    bytes: Rc<Cell<u64>>,
}

impl Read for Counting<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.bytes.set(self.bytes.get() + count as u64);
        self.progress.add(count as u64);
        Ok(count)
    }
}
