//! The readers of everything that is not a journal file: dumps of journalctl, and the logs that
//! programs write themselves.
//!
//! The kind of a source is decided by its content (`detect`). Lines come from a sliding `window`.
//! Dumps with fields have a reader each (`export`, `journal_json`, `verbose`, all filling a `dump`
//! entry), and so have the logs of package managers (`packages`); of other text `starts` says where entries start, with `stamp` and `dating` for their
//! times, and `assemble` joins their lines. All entries are tested, counted and classified in one
//! place (`record`). Nothing here fails on bad bytes; only a source that cannot be read at all is
//! an error.

pub mod stamp;

mod detect;
mod utf16;
mod window;

mod dump;
mod export;
mod journal_json;
mod json;
mod verbose;

pub mod packages;

mod assemble;
mod dating;
mod neighbour;
mod records;
mod starts;
mod style;
mod syslog;

mod record;

mod parts;

pub mod growing;

use std::cell::Cell;
use std::io::{self, Read};
use std::path::Path;
use std::rc::Rc;

use self::assemble::Assembler;
use self::dating::Dating;
use self::detect::Form;
use self::packages::Packages;
pub(super) use self::parts::{Part, divide, read as read_part};
use self::record::Recorder;
use self::stamp::YearTracker;
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
    /// When it was last written, from which the year of timestamps without one follows. For
    /// standard input: the present. `None`: entries whose timestamps have no year have no time.
    pub modified: Option<Timestamp>,
    /// Whether it can be opened twice with the same content: a file, and no pipe.
    pub can_reopen: bool,
}

/// Opens a source at its beginning.
pub type Open<'a> = dyn FnMut() -> io::Result<Box<dyn Read + Send>> + 'a;

/// Reads a source to its end, compressed or not.
///
/// `open` is called once, and once more for a file whose timestamps have no year; what cannot be
/// opened again is then kept in a temporary file instead. Fails where the source cannot be opened or its first
/// bytes cannot be read. Errors that come later are damage at their place, and what was read
/// before them counts.
pub fn read(
    input: Input<'_>,
    open: &mut Open<'_>,
    query: &Query<'_>,
    sink: &mut dyn Sink,
) -> io::Result<Summary> {
    let bytes = Rc::new(Cell::new(0));
    let raw = Counting { inner: open()?, progress: query.progress, bytes: Rc::clone(&bytes) };
    let mut window = Window::new(content(raw)?);
    let nuls = window.skip_nuls();
    window.fill_to(detect::HEAD_BYTES);
    if let Some(error) = window.error_at_start() {
        return Err(error);
    }
    let form = match window.bytes() {
        [] if nuls > 0 => Form::Binary,
        [] if window.has_error() => Form::Unreadable,
        head => detect::form(head, window.is_at_end()),
    };
    let mut recorder = Recorder::new(query, sink, input.path.to_owned(), form.kind());
    if nuls > 0 && form != Form::Binary {
        recorder.damage(0, format!("{nuls} NUL bytes before the first line"));
    }
    let years = match (form.lacks_year(), input.modified) {
        (true, Some(modified)) => {
            let text = if input.can_reopen {
                content(open()?)?
            } else {
                let (spooled, copy) = window.spool().map_err(explain_spooling)?;
                window = spooled;
                copy
            };
            Some(dating::survey_years(text, query.zone, modified))
        }
        _ => None,
    };
    let mut lines = Lines::new(window);
    read_form(form, &mut lines, years, input, &mut recorder);
    if let Some((offset, error)) = lines.take_error() {
        recorder.damage(offset, error.to_string());
    }
    Ok(recorder.finish(bytes.get()))
}

fn read_form(
    form: Form,
    lines: &mut Lines<'_>,
    years: Option<YearTracker>,
    input: Input<'_>,
    recorder: &mut Recorder<'_>,
) {
    match form {
        Form::Empty | Form::Unreadable => {}
        Form::Binary => recorder.damage(0, "not text: nothing was read"),
        Form::Archive => {
            recorder.damage(0, "a tar archive: nothing was read; unpack it and give its files");
        }
        Form::Export => export::read(lines, recorder, input.path),
        Form::JournalJson => journal_json::read(lines, recorder, input.path),
        Form::Verbose => verbose::read(lines, recorder, input.path),
        Form::Packages(manager) => {
            let dating = Dating::new(recorder.query().zone, input.modified, years);
            Packages::new(manager, dating).read_on(lines, recorder);
        }
        Form::Lines(traits) => {
            let dating = Dating::new(recorder.query().zone, input.modified, years);
            let starts = Starts::new(traits, dating);
            Assembler::new(lines, starts, traits.style, recorder, input.path).run();
        }
    }
}

fn explain_spooling(error: io::Error) -> io::Error {
    let text = format!(
        "timestamps without a year need a pipe to be kept in a temporary file: {error}; \
         set TMPDIR to a directory with more room, or give the log as a file"
    );
    io::Error::new(error.kind(), text)
}

/// The text in a file: decompressed, in UTF-8.
fn content<'a>(raw: impl Read + 'a) -> io::Result<Box<dyn Read + 'a>> {
    Ok(utf16::decode(decompress(raw)?))
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
