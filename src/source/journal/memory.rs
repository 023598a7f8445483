//! What is known of a journal file between two sweeps: a file that grows is read in rounds.

use super::JournalFile;
use super::change_fields::ChangeFields;
use super::course::CourseLog;
use super::marks::Marks;
use crate::source::{SourceKind, Summary};

/// What is known of a file between two sweeps, if it grows.
pub(super) struct Memory {
    /// The fields that matter, by offset: entries that come later refer to them.
    pub(super) marks: Marks,
    /// The fields by which changes are told.
    pub(super) changes: ChangeFields,
    pub(super) summary: Summary,
    pub(super) course: CourseLog,
    /// Where the next sweep begins; `None`: there was none yet.
    pub(super) next: Option<u64>,
}

impl Memory {
    /// Of a file of which nothing was read yet.
    pub(super) fn new(journal: &JournalFile) -> Self {
        let summary = Summary::new(&journal.path, SourceKind::Journal);
        let course = CourseLog::new(journal.header.facts.seqnum_id);
        Self {
            marks: Marks::default(),
            changes: ChangeFields::default(),
            summary,
            course,
            next: None,
        }
    }
}
