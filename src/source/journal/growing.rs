//! A journal file that is read as it grows: each sweep goes on where the last one stopped.
//!
//! journald says in the header how many entries a file has, so one small read tells whether there
//! is anything new. What a sweep knows of the file's fields is kept, because later entries refer
//! to them.

use std::path::Path;

use super::header::{Facts, State};
use super::memory::Memory;
use super::sweep;
use super::{Duplicates, JournalError, JournalFile};
use crate::source::{Query, Sink, Summary};

/// A journal file between two sweeps.
pub struct Growing {
    journal: JournalFile,
    memory: Memory,
    /// How many entries the header counted, and how far their numbers went, before the last
    /// sweep; `None`: there was none.
    swept: Option<(u64, u64)>,
}

impl Growing {
    /// A file of which nothing was read yet.
    pub fn new(journal: JournalFile) -> Self {
        let memory = Memory::new(&journal);
        Self { journal, memory, swept: None }
    }

    /// The file, with what its header said when it was last looked at.
    pub fn file(&self) -> &JournalFile {
        &self.journal
    }

    /// What was read so far.
    pub fn summary(&self) -> &Summary {
        &self.memory.summary
    }

    /// Gives the file another name, after it was renamed.
    pub fn rename(&mut self, path: &Path) {
        path.clone_into(&mut self.journal.path);
        path.clone_into(&mut self.memory.summary.path);
    }

    /// Looks at the header again. Returns whether there is something to read.
    pub fn has_grown(&mut self) -> Result<bool, JournalError> {
        self.journal.header = JournalFile::read_header(&self.journal.path, &self.journal.file)?;
        Ok(self.swept != Some(extent(self.journal.facts())))
    }

    /// Whether its writer has closed the file for good, as of the last look.
    pub fn is_archived(&self) -> bool {
        self.journal.facts().state == State::Archived
    }

    /// Reads what is new as of the last look, and tells `sink` what answers `query`.
    ///
    /// `duplicates` are those of all files that are read for the first time together; `None`
    /// where no other file can have the same entries.
    pub fn sweep_on(
        &mut self,
        query: &Query<'_>,
        duplicates: Option<&Duplicates>,
        sink: &mut dyn Sink,
    ) {
        let extent = extent(self.journal.facts());
        let is_read = sweep::sweep_on(&self.journal, query, duplicates, &mut self.memory, sink);
        self.swept = is_read.then_some(extent);
    }
}

fn extent(facts: &Facts) -> (u64, u64) {
    (facts.n_entries, facts.tail_seqnum)
}
