//! A text file that is followed: notices when it has grown, and when another text has taken the
//! place of what was read of it.

use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

use crate::source::text::growing::{Growing, More, Pause};
use crate::source::{Query, Sink, Summary};
use crate::time::Timestamp;

/// An entry to which nothing was added for so long is taken for whole.
pub(super) const SETTLED_AFTER: Duration = Duration::from_millis(600);
/// So many bytes before the place that was reached must still be there: logs are only added to.
const KEPT_BYTES: usize = 64;
/// So many of a text's first bytes tell whether another file is a copy of it.
pub(super) const HEAD_BYTES: usize = 1024;

/// A text file between two readings.
pub(super) struct TextFile {
    file: File,
    text: Growing,
    position: u64,
    /// The bytes before `position`.
    before: Vec<u8>,
    head: Vec<u8>,
    modified: Option<SystemTime>,
    grown: Instant,
    has_settled: bool,
    todo: Todo,
}

/// What a look at a text file found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Todo {
    Nothing,
    /// There are more bytes, up to this place.
    Read(u64),
    /// Nothing was added for a while.
    Settle,
    /// The file is shorter than it was, or has another content: it is read from its beginning,
    /// up to this place.
    BeginAgain(u64),
}

impl TextFile {
    /// A file of which nothing was read yet; `path` is its name in origins. `is_new`: it was not
    /// there at the beginning.
    pub(super) fn new(path: &Path, file: File, is_new: bool) -> Self {
        let text = Growing::new(path);
        Self {
            file,
            text: if is_new { text } else { text.decided_early() },
            position: 0,
            before: Vec::new(),
            head: Vec::new(),
            modified: None,
            grown: Instant::now(),
            has_settled: false,
            todo: Todo::Nothing,
        }
    }

    pub(super) fn summary(&self) -> &Summary {
        self.text.summary()
    }

    pub(super) fn rename(&mut self, path: &Path) {
        self.text.rename(path);
    }

    /// Whether nothing of it will ever be read.
    pub(super) fn is_no_log(&self) -> bool {
        self.text.is_no_log()
    }

    /// The first bytes of what was read.
    pub(super) fn head(&self) -> &[u8] {
        &self.head
    }

    /// How long nothing was added.
    pub(super) fn quiet_for(&self) -> Duration {
        self.grown.elapsed()
    }

    /// Finds out what is to be done.
    pub(super) fn look(&mut self) -> io::Result<Todo> {
        let metadata = self.file.metadata()?;
        self.todo = self.judge(&metadata);
        self.modified = metadata.modified().ok();
        match self.todo {
            Todo::Read(_) => {
                // What stands there since long ago will not go on in a moment.
                let is_old = self.position == 0 && is_older(self.modified, SETTLED_AFTER);
                self.has_settled = is_old;
                self.grown = Instant::now();
            }
            Todo::BeginAgain(_) => {
                self.has_settled = false;
                self.grown = Instant::now();
            }
            Todo::Settle => self.has_settled = true,
            Todo::Nothing => {}
        }
        Ok(self.todo)
    }

    fn judge(&self, metadata: &Metadata) -> Todo {
        let size_bytes = metadata.len();
        if size_bytes < self.position {
            return Todo::BeginAgain(size_bytes);
        }
        let is_touched = metadata.modified().ok() != self.modified;
        if is_touched && !self.has_kept_bytes() {
            return Todo::BeginAgain(size_bytes);
        }
        if size_bytes > self.position {
            return Todo::Read(size_bytes);
        }
        let is_quiet = !self.has_settled && self.quiet_for() >= SETTLED_AFTER;
        if is_quiet && self.text.is_waiting() { Todo::Settle } else { Todo::Nothing }
    }

    /// Whether what stands before the place that was reached is what was read there.
    fn has_kept_bytes(&self) -> bool {
        let mut now = vec![0; self.before.len()];
        let start = self.position.saturating_sub(now.len() as u64);
        let read = self.file.read_exact_at(&mut now, start);
        read.is_ok() && now == self.before
    }

    /// Does what the last look found to be done.
    pub(super) fn read_on(&mut self, query: &Query<'_>, sink: &mut dyn Sink) -> io::Result<()> {
        let todo = std::mem::replace(&mut self.todo, Todo::Nothing);
        let pause = if self.has_settled { Pause::Long } else { Pause::Short };
        match todo {
            Todo::Nothing => Ok(()),
            Todo::Settle => self.read_to(self.position, pause, query, sink),
            Todo::Read(end) => self.read_to(end, pause, query, sink),
            Todo::BeginAgain(end) => {
                self.read_to(self.position, Pause::End, query, sink)?;
                self.text.begin_again();
                self.position = 0;
                self.before.clear();
                self.head.clear();
                self.read_to(end, pause, query, sink)
            }
        }
    }

    /// Does what the last look found to be done, and takes what was read for whole and for what
    /// another file gave.
    pub(super) fn skip(&mut self, query: &Query<'_>, sink: &mut dyn Sink) -> io::Result<()> {
        self.has_settled = true;
        let read = self.read_on(query, sink);
        self.text.skip_all();
        read
    }

    /// Reads what is left and takes it for whole: nothing will be added.
    pub(super) fn finish(&mut self, query: &Query<'_>, sink: &mut dyn Sink) -> io::Result<()> {
        self.look()?;
        self.read_on(query, sink)?;
        self.read_to(self.position, Pause::End, query, sink)
    }

    fn read_to(
        &mut self,
        end: u64,
        pause: Pause,
        query: &Query<'_>,
        sink: &mut dyn Sink,
    ) -> io::Result<()> {
        let mut part = Part { file: &self.file, position: self.position, end };
        let modified = self.modified.unwrap_or_else(SystemTime::now);
        let more = More {
            bytes: Box::new(&mut part),
            whole: Some(Box::new(Part { file: &self.file, position: 0, end })),
            modified: Timestamp::from_utc(modified.into()).unwrap_or(Timestamp::MIN),
            pause,
        };
        self.text.read_on(more, query, sink)?;
        query.progress.add(part.position - self.position);
        self.position = part.position;
        self.remember()
    }

    /// Keeps the bytes by which it will be told whether the file still has the same content.
    fn remember(&mut self) -> io::Result<()> {
        let kept = KEPT_BYTES.min(usize::try_from(self.position).unwrap_or(KEPT_BYTES));
        self.before.resize(kept, 0);
        let start = self.position - kept as u64;
        // A file that was truncated meanwhile will be found to be so by its size.
        if self.file.read_exact_at(&mut self.before, start).is_err() {
            self.before.clear();
        }
        if self.head.len() < HEAD_BYTES {
            let end = self.position.min(HEAD_BYTES as u64);
            self.head.clear();
            Part { file: &self.file, position: 0, end }.read_to_end(&mut self.head)?;
        }
        Ok(())
    }
}

fn is_older(modified: Option<SystemTime>, age: Duration) -> bool {
    modified.and_then(|modified| modified.elapsed().ok()).is_some_and(|elapsed| elapsed > age)
}

/// A part of a file, whatever its own position is.
struct Part<'f> {
    file: &'f File,
    position: u64,
    end: u64,
}

impl Read for Part<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.end.saturating_sub(self.position)).unwrap_or(buffer.len());
        let length = left.min(buffer.len());
        let count =
            self.file.read_at(buffer.get_mut(..length).unwrap_or(&mut []), self.position)?;
        self.position += count as u64;
        Ok(count)
    }
}
