//! A journal file's header: what the file says about itself.
//!
//! Nothing in it is taken on trust: a crash or a bad disk can leave any field wrong, so the
//! readers use it to know what to expect, and the objects to know what is there. The layout is
//! `struct Header` of systemd's `journal-def.h`; see also
//! <https://systemd.io/JOURNAL_FILE_FORMAT>.

use std::path::Path;

use super::JournalError;
use super::object::{Layout, id_at, u32_at, u64_at};
use crate::time::Timestamp;

/// The first eight bytes of every journal file.
pub(super) const SIGNATURE: &[u8; 8] = b"LPKSHHRH";
/// The header of the oldest files (before systemd 187); later ones only grew.
pub(super) const MIN_HEADER_BYTES: usize = 208;
/// As much of the header as any field read here needs.
pub(super) const HEADER_BYTES: usize = 272;

/// Where in the header the offset of the first array of entries stands.
pub(super) const ENTRY_ARRAY_OFFSET_AT: u64 = 176;

const INCOMPATIBLE_KEYED_HASH: u32 = 1 << 2;
const INCOMPATIBLE_COMPACT: u32 = 1 << 4;
/// XZ, LZ4, keyed hash, ZSTD, compact: everything that exists up to systemd 258.
const INCOMPATIBLE_KNOWN: u32 = 0b1_1111;

/// Whether a file is being written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Closed properly.
    Offline,
    /// Being written, or left behind by a writer that was killed.
    Online,
    /// Closed for good by a rotation.
    Archived,
    /// A value that no version of the format has.
    Unknown(u8),
}

/// What a journal file's header says, as it was when the file was opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// Size of the file, in bytes.
    pub size_bytes: u64,
    /// Whether the file is being written.
    pub state: State,
    /// Whether offsets are stored in 32 bits.
    pub compact: bool,
    /// Whether hashes are keyed by the file's id.
    pub keyed: bool,
    /// The id of this file.
    pub file_id: [u8; 16],
    /// The machine that wrote the file.
    pub machine_id: [u8; 16],
    /// The id of the sequence that the entries are numbered in; several files may share one.
    pub seqnum_id: [u8; 16],
    /// The number of the first entry; 0: there is none.
    pub head_seqnum: u64,
    /// The number of the last entry; 0: there is none.
    pub tail_seqnum: u64,
    /// When the first entry was logged.
    pub head_realtime: Option<Timestamp>,
    /// When the last entry was logged.
    pub tail_realtime: Option<Timestamp>,
    /// How many entries the file claims to have.
    pub n_entries: u64,
}

/// The header's fields that only the readers need.
#[derive(Debug, Clone)]
pub(super) struct Header {
    pub(super) facts: Facts,
    pub(super) layout: Layout,
    /// Where the objects begin.
    pub(super) arena_offset: u64,
    /// How many bytes of objects the file claims to have.
    pub(super) arena_bytes: u64,
    pub(super) entry_array_offset: u64,
    pub(super) field_hash_table_offset: u64,
    pub(super) field_hash_table_bytes: u64,
}

/// Why a header cannot be used.
pub(super) enum HeaderError {
    NotAJournal,
    TooShort,
    /// The file uses features that no known version of the format has: these flags.
    Incompatible(u32, Box<Facts>),
}

impl HeaderError {
    /// The error of the file at `path`.
    pub(super) fn about(self, path: &Path, size_bytes: u64) -> JournalError {
        let path = path.to_owned();
        match self {
            Self::NotAJournal => JournalError::NotAJournal { path },
            Self::TooShort => JournalError::TooShort { path, size_bytes },
            Self::Incompatible(flags, facts) => JournalError::Incompatible { path, flags, facts },
        }
    }
}

impl Header {
    /// The id of the file that begins with these bytes; `None` where they end before it.
    pub(super) fn file_id(bytes: &[u8]) -> Option<[u8; 16]> {
        bytes.get(24..40)?.try_into().ok()
    }

    /// Reads the header from the file's first bytes, [`HEADER_BYTES`] where there are as many.
    pub(super) fn parse(bytes: &[u8], size_bytes: u64) -> Result<Self, HeaderError> {
        if !bytes.starts_with(SIGNATURE) {
            return Err(HeaderError::NotAJournal);
        }
        if bytes.len() < MIN_HEADER_BYTES {
            return Err(HeaderError::TooShort);
        }
        let flags = u32_at(bytes, 12);
        let realtime = |offset| Timestamp::from_micros(i64::try_from(u64_at(bytes, offset)).ok()?);
        let facts = Facts {
            size_bytes,
            state: match bytes[16] {
                0 => State::Offline,
                1 => State::Online,
                2 => State::Archived,
                other => State::Unknown(other),
            },
            compact: flags & INCOMPATIBLE_COMPACT != 0,
            keyed: flags & INCOMPATIBLE_KEYED_HASH != 0,
            file_id: id_at(bytes, 24),
            machine_id: id_at(bytes, 40),
            seqnum_id: id_at(bytes, 72),
            head_seqnum: u64_at(bytes, 168),
            tail_seqnum: u64_at(bytes, 160),
            head_realtime: realtime(184).filter(|at| at.micros() > 0),
            tail_realtime: realtime(192).filter(|at| at.micros() > 0),
            n_entries: u64_at(bytes, 152),
        };
        if flags & !INCOMPATIBLE_KNOWN != 0 {
            return Err(HeaderError::Incompatible(flags & !INCOMPATIBLE_KNOWN, Box::new(facts)));
        }
        Ok(Self {
            layout: Layout { compact: facts.compact },
            arena_offset: arena_offset(u64_at(bytes, 88), size_bytes),
            arena_bytes: u64_at(bytes, 96),
            entry_array_offset: u64_at(bytes, ENTRY_ARRAY_OFFSET_AT as usize),
            field_hash_table_offset: u64_at(bytes, 120),
            field_hash_table_bytes: u64_at(bytes, 128),
            facts,
        })
    }
}

/// The header's size as the header gives it, or where that is impossible, the oldest header's: the
/// search for the first object starts there.
fn arena_offset(header_bytes: u64, size_bytes: u64) -> u64 {
    let min = MIN_HEADER_BYTES as u64;
    let possible = header_bytes >= min && header_bytes <= 4096 && header_bytes <= size_bytes;
    if possible && header_bytes.is_multiple_of(8) { header_bytes } else { min }
}
