//! Journal files that are known by their headers and are not open.
//!
//! What a file shares with others is decided before any of them is read, from the headers of all.
//! A machine may have more journals than a process may have open files, so none is kept open
//! until its turn comes. journald may rotate a file by then, which renames it in its folder: it is
//! found again by its device and inode, and its own id proves that it is the same.

use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::header::{HEADER_BYTES, Header};
use super::{Facts, JournalError, JournalFile};
use crate::source::compression;

/// A journal file whose header was read.
#[derive(Debug)]
pub struct ClosedJournal {
    path: PathBuf,
    header: Header,
    place: Place,
}

/// Where the file's bytes are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// In a file with this device and inode.
    Inode(u64, u64),
    /// In a compressed file. A journal is read by offset, so it has to be unpacked first.
    Packed,
}

impl Place {
    fn of(metadata: &Metadata) -> Self {
        Self::Inode(metadata.dev(), metadata.ino())
    }
}

impl ClosedJournal {
    /// Reads the header of the file at `path`, which may be compressed; `None` where it is no
    /// journal.
    pub fn read(path: &Path) -> Result<Option<Self>, JournalError> {
        let io_error = |error| JournalError::Io { path: path.to_owned(), error };
        let mut file = File::open(path).map_err(io_error)?;
        let head = head_of(&mut file).map_err(io_error)?;
        if JournalFile::is_journal(&head) {
            let place = Place::of(&file.metadata().map_err(io_error)?);
            let JournalFile { path, header, .. } = JournalFile::open(path, file)?;
            return Ok(Some(Self { path, header, place }));
        }
        if compression::Compression::of(&head).is_none() {
            return Ok(None);
        }
        let unpacked = compression::decompress(head.chain(file)).map_err(io_error)?;
        // What is damaged this early is damaged text: its reader will say so.
        let head = head_of(unpacked).unwrap_or_default();
        if !JournalFile::is_journal(&head) {
            return Ok(None);
        }
        let header =
            Header::parse(&head, u64::MAX).map_err(|e| e.about(path, head.len() as u64))?;
        Ok(Some(Self { path: path.to_owned(), header, place: Place::Packed }))
    }

    /// What the header says.
    pub fn facts(&self) -> &Facts {
        &self.header.facts
    }

    /// Whether the file is compressed as a whole.
    pub fn is_packed(&self) -> bool {
        self.place == Place::Packed
    }

    /// Opens the file, under the name that it has by now, or unpacks it into a temporary file.
    ///
    /// The header stays as it was read first: what a writer appended since is not read.
    pub fn open(&self) -> Result<JournalFile, JournalError> {
        let io_error = |error| JournalError::Io { path: self.path.clone(), error };
        if self.is_packed() {
            let limit_bytes = self.most_unpacked().map_err(io_error)?;
            let unpacked = self.unpack(limit_bytes).map_err(io_error)?;
            let too_large = || JournalError::Grows { path: self.path.clone(), limit_bytes };
            return JournalFile::open(&self.path, unpacked.ok_or_else(too_large)?);
        }
        let (path, file) = self.find().map_err(io_error)?;
        Ok(JournalFile { path, file, header: self.header.clone() })
    }

    /// To how many bytes a compressed journal may unpack: the disk that they go to may be the one
    /// that is full.
    ///
    /// journald's files begin with tables of zeros and end with up to 8 MiB of them, so small ones
    /// shrink to a thousandth; the entries themselves shrink to a twentieth.
    fn most_unpacked(&self) -> io::Result<u64> {
        const SMALL_BYTES: u64 = 128 << 20;
        const MAX_GROWTH: u64 = 256;
        Ok(self.path.metadata()?.len().saturating_mul(MAX_GROWTH).max(SMALL_BYTES))
    }

    /// The journal in a temporary file; `None` where it is larger than `limit_bytes`.
    fn unpack(&self, limit_bytes: u64) -> io::Result<Option<File>> {
        let unpacked = compression::decompress(File::open(&self.path)?)?;
        let mut spooled = tempfile::tempfile()?;
        match io::copy(&mut unpacked.take(limit_bytes + 1), &mut spooled) {
            Err(error) if error.kind() == io::ErrorKind::StorageFull => Err(error),
            Ok(bytes) if bytes > limit_bytes => Ok(None),
            // A truncated archive still holds the beginning of its journal: what is missing is
            // damage.
            _ => Ok(Some(spooled)),
        }
    }

    fn find(&self) -> io::Result<(PathBuf, File)> {
        if let Some(file) = self.open_if_same(&self.path)? {
            return Ok((self.path.clone(), file));
        }
        for entry in fs::read_dir(self.path.parent().unwrap_or(Path::new(".")))? {
            let path = entry?.path();
            let is_it = path.metadata().is_ok_and(|metadata| Place::of(&metadata) == self.place);
            if is_it && let Some(file) = self.open_if_same(&path)? {
                return Ok((path, file));
            }
        }
        let problem = "it was removed while other files were read";
        Err(io::Error::new(io::ErrorKind::NotFound, problem))
    }

    /// The file at `path` if it is the one that was looked at.
    fn open_if_same(&self, path: &Path) -> io::Result<Option<File>> {
        let mut file = match File::open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            opened => opened?,
        };
        let head = head_of(&mut file)?;
        // An inode of a removed file is given to the next new one.
        let is_same = Place::of(&file.metadata()?) == self.place
            && Header::file_id(&head) == Some(self.header.facts.file_id);
        Ok(is_same.then_some(file))
    }
}

fn head_of(input: impl Read) -> io::Result<Vec<u8>> {
    let mut head = Vec::with_capacity(HEADER_BYTES);
    input.take(HEADER_BYTES as u64).read_to_end(&mut head)?;
    Ok(head)
}
