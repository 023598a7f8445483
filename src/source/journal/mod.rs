//! Journal files, as systemd-journald and systemd-journal-remote write them.
//!
//! The native reader walks a file's objects in their order and answers the query on the way (see
//! `sweep`); it reads every variant of the format that exists up to systemd 258, and what is left
//! of damaged files. The second backend, on libsystemd, reads what a newer systemd may have
//! invented since.

mod object;

mod header;

mod window;

mod payload;

mod marks;

mod tail;

mod walk;

mod late;

mod recover;

mod filter_marks;

mod watching;

mod entry_fields;

mod messages;

mod duplicates;

mod course;

mod statements;

mod change_fields;

mod memory;

mod sweep;

pub mod growing;

mod boots;

#[cfg(feature = "systemd")]
pub mod libsystemd;

mod backend;

mod closed;

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use crate::entry::decode_hex;
use crate::source::{Query, Sink, Summary};
use crate::time::Timestamp;

pub use backend::{Backend, read, read_foreign};
pub use boots::{BootId, list_boots};
pub use closed::ClosedJournal;
pub use duplicates::Duplicates;
pub use filter_marks::{FieldFacts, FieldFilter};
pub use header::{Facts, State};

use header::{HEADER_BYTES, Header};

/// Why a file cannot be read as a journal at all.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// Another kind of file: read it as one.
    #[error("{}: this is not a journal file", path.display())]
    NotAJournal {
        /// The file.
        path: PathBuf,
    },
    /// A journal file that ends within its header: it has no entries.
    #[error("{}: the journal's header is cut off after {size_bytes} bytes\nNothing can be read from it; leave it out.", path.display())]
    TooShort {
        /// The file.
        path: PathBuf,
        /// Its size, in bytes.
        size_bytes: u64,
    },
    /// A variant of the format that is newer than this program: libsystemd may know it.
    #[error("{}: the journal uses features that this reader does not know (flags {flags:#x})\nTry --reader libsystemd on a machine with the systemd that wrote it.", path.display())]
    Incompatible {
        /// The file.
        path: PathBuf,
        /// The unknown flags.
        flags: u32,
        /// What the header says, as far as it can be understood.
        facts: Box<Facts>,
    },
    /// A compressed journal that grows beyond what a journal can.
    #[error("{}: the archive unpacks to more than {} MiB\nIf it is to be trusted, unpack it and give the journal itself.", path.display(), limit_bytes >> 20)]
    Grows {
        /// The file.
        path: PathBuf,
        /// How much of it was unpacked, in bytes.
        limit_bytes: u64,
    },
    /// The file cannot be read.
    #[error("{}: {error}\nCheck that the file can be read by this user.", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// libsystemd cannot read the file.
    #[error("{}: libsystemd: {detail}\nRead it on a machine with the systemd that wrote it.", path.display())]
    Libsystemd {
        /// The file.
        path: PathBuf,
        /// What libsystemd says.
        detail: String,
    },
}

/// An open journal file.
#[derive(Debug)]
pub struct JournalFile {
    path: PathBuf,
    file: File,
    header: Header,
}

impl JournalFile {
    /// Whether a file that begins with these bytes is a journal. 8 bytes are enough.
    pub fn is_journal(first_bytes: &[u8]) -> bool {
        first_bytes.starts_with(header::SIGNATURE)
    }

    /// Reads the header of an open file; `path` is for messages and summaries.
    pub fn open(path: &Path, file: File) -> Result<Self, JournalError> {
        let header = Self::read_header(path, &file)?;
        Ok(Self { path: path.to_owned(), file, header })
    }

    fn read_header(path: &Path, file: &File) -> Result<Header, JournalError> {
        let io_error = |error| JournalError::Io { path: path.to_owned(), error };
        let mut bytes = [0; HEADER_BYTES];
        let read = window::read_at(file, &mut bytes, 0).map_err(io_error)?;
        // The size comes second: a file that grows in between has all that its header speaks of.
        let size_bytes = file.metadata().map_err(io_error)?.len();
        Header::parse(&bytes[..read], size_bytes).map_err(|error| error.about(path, size_bytes))
    }

    /// The file, as it was named when opened.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What the header says, as it was when the file was opened.
    pub fn facts(&self) -> &Facts {
        &self.header.facts
    }

    /// The boots that the file has entries of, with the time of the first of them, oldest first.
    pub fn boots(&self) -> Vec<(BootId, Timestamp)> {
        boots::boots_of(self)
    }

    /// Reads the file once and tells `sink` what answers `query`.
    ///
    /// `duplicates` must have been made with the facts of all files that are read together.
    pub fn sweep(
        &self,
        query: &Query<'_>,
        duplicates: &Duplicates,
        sink: &mut dyn Sink,
    ) -> Summary {
        sweep::sweep(self, query, duplicates, sink)
    }
}
