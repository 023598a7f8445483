//! A text that is read as it grows: each reading goes on where the last one stopped.
//!
//! An entry is whole when the next one begins, or when nothing was added for a while. Until then
//! its bytes are kept, and so are those of a line without an end; everything before them is
//! forgotten. What the source is, its first bytes decide, as for a text that is read at once;
//! while there are few of them, more of them may correct what kind of lines it has.

use std::cell::Cell;
use std::io::{self, Cursor, Read};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use chrono_tz::Tz;

use super::assemble::{Assembler, Assembly};
use super::dating::{self, Dating};
use super::detect::{self, Form};
use super::export::Export;
use super::journal_json;
use super::packages::Packages;
use super::record::{Record, Recorder};
use super::starts::Starts;
use super::verbose;
use super::window::{Lines, Rest};
use crate::source::compression::Compression;
use crate::source::{Query, Sink, SourceKind, Summary};
use crate::time::Timestamp;

/// Whether more may come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pause {
    /// More may come at any time.
    Short,
    /// Nothing was added for a while: the last entry is whole if its last line is.
    Long,
    /// Nothing will be added: the last line is whole, too.
    End,
}

/// What was added to a text since the last reading.
pub struct More<'a> {
    /// The bytes.
    pub bytes: Box<dyn Read + 'a>,
    /// The text from its beginning, to find out the years of timestamps without one; `None`: it
    /// cannot be read again, and what came first has to do.
    pub whole: Option<Box<dyn Read + 'a>>,
    /// When it was added: the year of timestamps without one follows from it.
    pub modified: Timestamp,
    /// Whether still more may come.
    pub pause: Pause,
}

/// A text between two readings.
pub struct Growing {
    path: PathBuf,
    rest: Rest,
    head: Head,
    form: Option<Form>,
    reader: Reader,
    record: Record,
}

/// The first bytes of a text that decide what it is; those of a hole before them left out.
#[derive(Default)]
struct Head {
    bytes: Vec<u8>,
    /// The NUL bytes before.
    nuls: u64,
    /// There are enough: they need not be kept any longer.
    is_full: bool,
    /// A whole line is enough to decide.
    is_hasty: bool,
}

/// What knows how to go on.
enum Reader {
    /// There is nothing to be read: the source is no log, or the sink wants no more.
    None,
    Lines(Box<Assembly>),
    Export(Box<Export>),
    JournalJson(Box<journal_json::Dump>),
    Verbose(Box<verbose::Dump>),
    Packages(Box<Packages>),
}

impl Growing {
    /// A text of which nothing was read yet; `path` is its name in origins and summaries.
    pub fn new(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            rest: Rest::default(),
            head: Head::default(),
            form: None,
            reader: Reader::None,
            record: Record::new(path.to_owned(), SourceKind::Empty),
        }
    }

    /// Decides what the text is as soon as a whole line is there, as where its first lines were
    /// written some time ago. A text that begins just now may soon say more about itself.
    #[must_use]
    pub fn decided_early(mut self) -> Self {
        self.head.is_hasty = true;
        self
    }

    /// Whether a text that begins with these bytes cannot be read as it grows: it is compressed,
    /// or in UTF-16. [`Compression::MAGIC_BYTES`] are enough.
    pub fn is_encoded(head: &[u8]) -> bool {
        Compression::of(head).is_some() || matches!(head, [0xff, 0xfe, ..] | [0xfe, 0xff, ..])
    }

    /// What was read so far; its kind is [`SourceKind::Empty`] as long as nothing else is known.
    pub fn summary(&self) -> &Summary {
        &self.record.summary
    }

    /// Takes all that was read so far for what another file gave.
    pub fn skip_all(&mut self) {
        self.record.summary.skip_all();
    }

    /// Gives the text another name, after its file was renamed.
    pub fn rename(&mut self, path: &Path) {
        path.clone_into(&mut self.path);
        path.clone_into(&mut self.record.summary.path);
    }

    /// Begins again: the text was replaced by another one. What was counted stays.
    pub fn begin_again(&mut self) {
        let record =
            std::mem::replace(&mut self.record, Record::new(PathBuf::new(), SourceKind::Empty));
        *self = Self { record, ..Self::new(&self.path) };
    }

    /// Whether nothing of it will ever be read.
    pub fn is_no_log(&self) -> bool {
        matches!(self.form, Some(Form::Binary | Form::Archive))
    }

    /// Whether a long pause would tell something that a short one does not: an entry or the form
    /// of the text is open.
    pub fn is_waiting(&self) -> bool {
        match &self.reader {
            Reader::None => self.form.is_none() && !self.head.bytes.is_empty(),
            Reader::Lines(assembly) => assembly.is_open() && self.rest.unread().is_empty(),
            Reader::Verbose(dump) => dump.is_open() && self.rest.unread().is_empty(),
            Reader::Export(_) | Reader::JournalJson(_) | Reader::Packages(_) => false,
        }
    }

    /// Reads what was added, and tells `sink` what answers `query`.
    ///
    /// Fails where the first bytes cannot be read; later errors are damage at their place.
    pub fn read_on(
        &mut self,
        more: More<'_>,
        query: &Query<'_>,
        sink: &mut dyn Sink,
    ) -> io::Result<()> {
        let More { bytes, whole, modified, pause } = more;
        let count = Rc::new(Cell::new(0));
        let mut bytes = Counted { inner: bytes, count: Rc::clone(&count) };
        let fresh = self.head.take(&mut bytes)?;
        let record =
            std::mem::replace(&mut self.record, Record::new(PathBuf::new(), SourceKind::Empty));
        let mut recorder = Recorder::resume(query, sink, record);
        let fresh = match self.form {
            None if self.head.decides(pause) => {
                self.decide(whole, modified, pause, &mut recorder);
                self.head.bytes.clone()
            }
            None => Vec::new(),
            Some(Form::Lines(_)) if !fresh.is_empty() => {
                self.correct(pause);
                fresh
            }
            Some(_) => fresh,
        };
        self.head.forget_if_full();
        if !matches!(self.reader, Reader::None) {
            let bytes = Box::new(Cursor::new(fresh).chain(bytes));
            self.read_lines(bytes, pause, &mut recorder);
        }
        self.record = recorder.pause();
        self.record.summary.bytes += count.get();
        Ok(())
    }

    /// Decides what the text is.
    fn decide(
        &mut self,
        whole: Option<Box<dyn Read + '_>>,
        modified: Timestamp,
        pause: Pause,
        recorder: &mut Recorder<'_>,
    ) {
        let nuls = self.head.nuls;
        let form = match self.head.bytes.as_slice() {
            [] if nuls > 0 => Form::Binary,
            head => detect::form(head, pause == Pause::End),
        };
        if nuls > 0 && form != Form::Binary {
            recorder.damage(0, format!("{nuls} NUL bytes before the first line"));
        }
        recorder.set_kind(form.kind());
        self.rest = Rest::at(nuls);
        self.form = Some(form);
        self.reader = match form {
            Form::Empty | Form::Unreadable => Reader::None,
            Form::Binary | Form::Archive => {
                recorder.damage(0, "not text: nothing was read");
                Reader::None
            }
            Form::Export => Reader::Export(Box::new(Export::new(recorder))),
            Form::JournalJson => Reader::JournalJson(Box::new(journal_json::Dump::new(recorder))),
            Form::Verbose => Reader::Verbose(Box::new(verbose::Dump::new(recorder))),
            Form::Packages(manager) => {
                let dating = self.dating(form, whole, modified, recorder.query().zone);
                Reader::Packages(Box::new(Packages::new(manager, dating)))
            }
            Form::Lines(traits) => {
                let dating = self.dating(form, whole, modified, recorder.query().zone);
                let starts = Starts::new(traits, dating);
                Reader::Lines(Box::new(Assembly::new(starts, traits.style)))
            }
        };
    }

    /// Dating for the lines of a text of this form.
    fn dating(
        &self,
        form: Form,
        whole: Option<Box<dyn Read + '_>>,
        modified: Timestamp,
        zone: Tz,
    ) -> Dating {
        let years = form.lacks_year().then(|| {
            let whole = whole.unwrap_or_else(|| Box::new(self.head.bytes.as_slice()));
            dating::survey_years(whole, zone, modified)
        });
        Dating::new(zone, Some(modified), years)
    }

    /// Looks again at what kind of lines the text has: a program's first lines may be unlike all
    /// others.
    fn correct(&mut self, pause: Pause) {
        let form = detect::form(&self.head.bytes, pause == Pause::End);
        if let (Form::Lines(traits), Reader::Lines(assembly)) = (form, &mut self.reader) {
            assembly.set_traits(traits);
            self.form = Some(form);
        }
    }

    fn read_lines(&mut self, bytes: Box<dyn Read + '_>, pause: Pause, recorder: &mut Recorder<'_>) {
        let is_last = pause == Pause::End;
        let mut lines = Lines::resume(std::mem::take(&mut self.rest), bytes, is_last);
        let path = &self.path;
        let reader = std::mem::replace(&mut self.reader, Reader::None);
        let (reader, flow) = match reader {
            Reader::None => (reader, ControlFlow::Break(())),
            Reader::Lines(assembly) => {
                let mut assembler = Assembler::resume(&mut lines, *assembly, recorder, path);
                let mut flow = assembler.read_on();
                if flow.is_continue() && pause != Pause::Short {
                    flow = assembler.settle();
                }
                (Reader::Lines(Box::new(assembler.pause())), flow)
            }
            Reader::Export(mut export) => {
                let flow = export.read_on(&mut lines, recorder, path);
                if is_last && flow.is_continue() {
                    export.end(recorder, path);
                }
                (Reader::Export(export), flow)
            }
            Reader::JournalJson(mut dump) => {
                let flow = dump.read_on(&mut lines, recorder, path);
                if is_last && flow.is_continue() {
                    dump.end(&lines, recorder, path);
                }
                (Reader::JournalJson(dump), flow)
            }
            Reader::Verbose(mut dump) => {
                let mut flow = dump.read_on(&mut lines, recorder, path);
                if pause != Pause::Short && flow.is_continue() && lines.is_between_lines() {
                    flow = dump.end_entry(recorder, path);
                }
                (Reader::Verbose(dump), flow)
            }
            Reader::Packages(mut packages) => {
                packages.read_on(&mut lines, recorder);
                (Reader::Packages(packages), ControlFlow::Continue(()))
            }
        };
        if let Some((offset, error)) = lines.take_error() {
            recorder.damage(offset, error.to_string());
        }
        self.rest = lines.pause();
        if flow.is_continue() {
            self.reader = reader;
        }
    }
}

/// Counts what is read.
struct Counted<'a> {
    inner: Box<dyn Read + 'a>,
    count: Rc<Cell<u64>>,
}

impl Read for Counted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.count.set(self.count.get() + count as u64);
        Ok(count)
    }
}

impl Head {
    /// Takes from `bytes` what is missing of the first bytes, and returns what is new.
    fn take(&mut self, bytes: &mut dyn Read) -> io::Result<Vec<u8>> {
        let mut fresh = Vec::new();
        while !self.is_full {
            let missing = detect::HEAD_BYTES.saturating_sub(self.bytes.len() + fresh.len());
            let mut piece = vec![0; missing];
            let length = match bytes.read(&mut piece) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                length => length?,
            };
            if length == 0 {
                break;
            }
            let piece = piece.get(..length).unwrap_or(&[]);
            let is_first = self.bytes.is_empty() && fresh.is_empty();
            let nuls =
                if is_first { piece.iter().take_while(|&&byte| byte == 0).count() } else { 0 };
            self.nuls += nuls as u64;
            fresh.extend_from_slice(piece.get(nuls..).unwrap_or(&[]));
            self.is_full = self.bytes.len() + fresh.len() >= detect::HEAD_BYTES;
        }
        self.bytes.extend_from_slice(&fresh);
        Ok(fresh)
    }

    /// Whether they tell what the text is. A program may be about to write more of its first
    /// line.
    fn decides(&self, pause: Pause) -> bool {
        let has_line = || self.is_hasty && memchr::memchr(b'\n', &self.bytes).is_some();
        let is_hole = self.bytes.is_empty() && self.nuls > 0;
        (is_hole && pause == Pause::End)
            || !self.bytes.is_empty() && (self.is_full || pause != Pause::Short || has_line())
    }

    fn forget_if_full(&mut self) {
        if self.is_full {
            self.bytes = Vec::new();
        }
    }
}
