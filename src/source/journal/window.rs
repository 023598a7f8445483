//! A window onto a file: positional reads into one reused buffer.
//!
//! Not a memory map: a journal that shrinks while it is read (a vacuum, a full disk) would kill
//! the program with SIGBUS. Reads of this size run at the speed of `cat`.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

/// How much is read at once. Smaller costs system calls, larger falls out of the cache.
const WINDOW_BYTES: usize = 64 << 10;
/// No object is looked at beyond this many bytes; a field of this size is no log message.
pub(super) const MAX_OBJECT_BYTES: usize = 16 << 20;

/// The bytes of a file around the place that is being read.
pub(super) struct Window<'a> {
    file: &'a File,
    buffer: Vec<u8>,
    /// Where in the file the buffer's first byte stands.
    start: u64,
    /// How many bytes of the buffer hold file content.
    filled: usize,
}

impl<'a> Window<'a> {
    pub(super) fn new(file: &'a File) -> Self {
        Self { file, buffer: vec![0; WINDOW_BYTES], start: 0, filled: 0 }
    }

    /// The bytes at `offset`: at least `wanted` of them (up to [`MAX_OBJECT_BYTES`]) unless the
    /// file ends before, and as many more as are at hand.
    pub(super) fn load(&mut self, offset: u64, wanted: usize) -> io::Result<&[u8]> {
        let wanted = wanted.min(MAX_OBJECT_BYTES);
        let at_hand = offset
            .checked_sub(self.start)
            .and_then(|skipped| usize::try_from(skipped).ok())
            .filter(|&skipped| skipped.saturating_add(wanted) <= self.filled);
        if let Some(skipped) = at_hand {
            return Ok(&self.buffer[skipped..self.filled]);
        }
        let size = wanted.max(WINDOW_BYTES);
        if self.buffer.len() < size {
            self.buffer.resize(size, 0);
        }
        self.start = offset;
        self.filled = 0;
        self.filled = read_at(self.file, &mut self.buffer[..size], offset)?;
        Ok(&self.buffer[..self.filled])
    }
}

/// Fills `buffer` from `offset` on; less only where the file ends.
pub(super) fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match file.read_at(&mut buffer[filled..], offset.saturating_add(filled as u64)) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}
