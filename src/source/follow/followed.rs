//! One source that is followed, whatever its kind.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use super::stream::Stream;
use super::text_file::{TextFile, Todo};
use crate::source::journal::{Duplicates, growing};
use crate::source::scan::{Outcome, Place, Refusal};
use crate::source::{Query, Repeats, Sink, Summary};

/// A file that lost its name to a rotation is read on until nothing was added for so long.
const RETIRED_AFTER: Duration = Duration::from_secs(60);

/// What a file is known by, whatever its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct FileId {
    device: u64,
    inode: u64,
    /// File systems give an inode's number to a new file as soon as the old one is gone.
    created: Option<SystemTime>,
}

impl FileId {
    pub(super) fn of(metadata: &Metadata) -> Self {
        let created = metadata.created().ok();
        Self { device: metadata.dev(), inode: metadata.ino(), created }
    }
}

/// A source and how far it was read.
pub(super) struct Followed {
    pub(super) place: Place,
    pub(super) path: PathBuf,
    /// `None`: no file, so no rotation.
    pub(super) id: Option<FileId>,
    /// Its size when it was found, in bytes.
    pub(super) bytes: u64,
    pub(super) reading: Reading,
    /// Whether the last look found something to be read.
    pub(super) has_news: bool,
    /// Whether a journal that is followed says the same.
    pub(super) is_copy: bool,
    /// Since when no name that is followed leads to it.
    nameless_since: Option<Instant>,
}

/// How a source is read on.
pub(super) enum Reading {
    Journal(Box<growing::Growing>),
    Text(TextFile),
    Stream(Stream),
}

/// Whether there is something to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    Nothing,
    Something,
    /// The file is another one than was read: it is begun again.
    Another,
}

impl Followed {
    pub(super) fn new(place: Place, path: &Path, id: Option<FileId>, reading: Reading) -> Self {
        let path = path.to_owned();
        let (has_news, is_copy) = (false, false);
        Self { place, path, id, bytes: 0, reading, has_news, is_copy, nameless_since: None }
    }

    /// Notes under which name the file is found now.
    pub(super) fn name(&mut self, path: Option<&Path>) {
        let Some(path) = path else {
            self.nameless_since.get_or_insert_with(Instant::now);
            return;
        };
        self.nameless_since = None;
        if self.path != path {
            path.clone_into(&mut self.path);
            match &mut self.reading {
                Reading::Journal(journal) => journal.rename(path),
                Reading::Text(text) => text.rename(path),
                Reading::Stream(_) => {}
            }
        }
    }

    /// Finds out whether there is something new.
    pub(super) fn look(&mut self) -> Result<Look, Refusal> {
        self.has_news = false;
        let look = self.find_news()?;
        self.has_news = look != Look::Nothing;
        Ok(look)
    }

    fn find_news(&mut self) -> Result<Look, Refusal> {
        let has_news = match &mut self.reading {
            Reading::Journal(journal) => journal.has_grown()?,
            Reading::Stream(stream) => stream.look(),
            Reading::Text(text) => match text.look()? {
                Todo::Nothing => false,
                Todo::Read(_) | Todo::Settle => true,
                Todo::BeginAgain(_) => return Ok(Look::Another),
            },
        };
        Ok(if has_news { Look::Something } else { Look::Nothing })
    }

    /// Reads what the last look found. `duplicates` are those of all files of the first round.
    pub(super) fn read_on(
        &mut self,
        query: &Query<'_>,
        duplicates: Option<&Duplicates>,
        sink: &mut dyn Sink,
    ) -> Result<(), Refusal> {
        match &mut self.reading {
            Reading::Journal(journal) => {
                journal.sweep_on(query, duplicates, sink);
                Ok(())
            }
            Reading::Text(text) => Ok(text.read_on(query, sink)?),
            Reading::Stream(stream) => Ok(stream.read_on(query, sink)?),
        }
    }

    /// Reads what the last look found of a text, and takes it for whole and for what another file
    /// gave.
    pub(super) fn skip(&mut self, query: &Query<'_>, sink: &mut dyn Sink) -> Result<(), Refusal> {
        match &mut self.reading {
            Reading::Text(text) => Ok(text.skip(query, sink)?),
            Reading::Journal(_) | Reading::Stream(_) => Ok(()),
        }
    }

    /// Reads what is left and takes it for whole.
    pub(super) fn finish(&mut self, query: &Query<'_>, sink: &mut dyn Sink) -> Result<(), Refusal> {
        match &mut self.reading {
            Reading::Journal(journal) => {
                if journal.has_grown()? {
                    journal.sweep_on(query, None, sink);
                }
                Ok(())
            }
            Reading::Text(text) => Ok(text.finish(query, sink)?),
            Reading::Stream(stream) => Ok(stream.finish(query, sink)?),
        }
    }

    /// Whether nothing more can come, and all that came was read.
    pub(super) fn is_done(&self) -> bool {
        self.is_copy
            || match &self.reading {
                Reading::Journal(journal) => journal.is_archived(),
                Reading::Stream(stream) => stream.is_over(),
                Reading::Text(text) => text.is_no_log(),
            }
    }

    /// Whether the file has no name any more and nothing was added for long.
    pub(super) fn is_retired(&self) -> bool {
        let is_nameless = self.nameless_since.is_some_and(|since| since.elapsed() >= RETIRED_AFTER);
        is_nameless
            && match &self.reading {
                Reading::Text(text) => text.quiet_for() >= RETIRED_AFTER,
                Reading::Journal(_) => true,
                Reading::Stream(_) => false,
            }
    }

    /// What came of the last round.
    pub(super) fn outcome<S>(
        &self,
        sink: S,
        repeats: Option<Repeats>,
        failure: Option<Refusal>,
    ) -> Outcome<S> {
        Outcome { summary: self.summary().clone(), sink, repeats, copy_of: None, failure }
    }

    /// What was read so far.
    pub(super) fn summary(&self) -> &Summary {
        match &self.reading {
            Reading::Journal(journal) => journal.summary(),
            Reading::Text(text) => text.summary(),
            Reading::Stream(stream) => stream.summary(),
        }
    }
}
