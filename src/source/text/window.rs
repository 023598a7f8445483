//! A sliding window over a stream, and the lines in it.
//!
//! Lines are ranges of one large reused buffer: nothing is copied or allocated for a line. The
//! reader of entries marks where its current entry begins, and the bytes from there on stay in the
//! buffer, so that an entry of several lines is one slice. Memory is bounded by
//! [`MAX_ENTRY_BYTES`], whatever the input.

mod rest;

use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::ops::Range;

pub(super) use rest::Rest;

/// So many bytes of an entry are kept and classified; what is beyond them is read past.
pub(super) const MAX_ENTRY_BYTES: usize = 1 << 20;

/// So many bytes are read at a time: enough to make system calls rare, little enough to stay in
/// the processor's cache until the lines are looked at.
const CHUNK_BYTES: usize = 256 << 10;

/// The fastest of zstd's usual levels; logs shrink to a tenth.
const SPOOL_LEVEL: i32 = 1;

/// A part of a stream, from some offset on.
pub(super) struct Window<'a> {
    reader: Box<dyn Read + 'a>,
    buffer: Vec<u8>,
    filled: usize,
    offset: u64,
    ended: bool,
    error: Option<io::Error>,
}

impl<'a> Window<'a> {
    /// An empty window at the start of `reader`.
    pub(super) fn new(reader: Box<dyn Read + 'a>) -> Self {
        Self { reader, buffer: Vec::new(), filled: 0, offset: 0, ended: false, error: None }
    }

    /// An empty window at `offset`, from which on `reader` gives the stream.
    pub(super) fn starting_at(offset: u64, reader: Box<dyn Read + 'a>) -> Self {
        Self { offset, ..Self::new(reader) }
    }

    /// The bytes in the window.
    #[inline]
    pub(super) fn bytes(&self) -> &[u8] {
        self.buffer.get(..self.filled).unwrap_or(&[])
    }

    /// Where in the stream the byte at `index` of the window stands.
    pub(super) fn offset_of(&self, index: usize) -> u64 {
        self.offset + index as u64
    }

    /// Whether no byte follows those in the window.
    pub(super) fn is_at_end(&self) -> bool {
        self.ended
    }

    /// The error that ended the stream, once, with its place.
    pub(super) fn take_error(&mut self) -> Option<(u64, io::Error)> {
        let error = self.error.take()?;
        Some((self.offset_of(self.filled), error))
    }

    /// Drops the bytes before `keep_from` and reads more behind the rest. Returns whether there
    /// were more.
    pub(super) fn fill(&mut self, keep_from: usize) -> bool {
        if self.ended {
            return false;
        }
        let keep_from = keep_from.min(self.filled);
        if keep_from > 0 {
            self.buffer.copy_within(keep_from..self.filled, 0);
            self.filled -= keep_from;
        }
        self.offset += keep_from as u64;
        if self.buffer.len() < self.filled + CHUNK_BYTES {
            self.buffer.resize(self.filled + CHUNK_BYTES, 0);
        }
        loop {
            let Some(free) = self.buffer.get_mut(self.filled..) else { return false };
            match self.reader.read(free) {
                Ok(0) => self.ended = true,
                Ok(count) => {
                    self.filled += count.min(free.len());
                    return true;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => {
                    self.error = Some(error);
                    self.ended = true;
                }
            }
            return false;
        }
    }

    /// Passes over NUL bytes at the start, as a file truncated under its writer has them by the
    /// gigabyte. Returns their number.
    pub(super) fn skip_nuls(&mut self) -> u64 {
        loop {
            let nuls = self.bytes().iter().take_while(|&&byte| byte == 0).count();
            if nuls < self.filled || !self.fill(nuls) {
                let kept = nuls.min(self.filled);
                return self.offset + kept as u64;
            }
        }
    }

    /// Whether the stream ended with an error.
    pub(super) fn has_error(&self) -> bool {
        self.error.is_some()
    }

    /// The operating system's error, if not a byte could be read because of it.
    pub(super) fn error_at_start(&mut self) -> Option<io::Error> {
        let is_first = self.filled == 0 && self.offset == 0;
        self.error.take_if(|error| is_first && error.raw_os_error().is_some())
    }

    /// Takes `count` bytes at `start` out of the window. Offsets of what stands before them are no
    /// longer exact.
    fn remove(&mut self, start: usize, count: usize) {
        let Some(end) = start.checked_add(count).filter(|end| *end <= self.filled) else { return };
        self.buffer.copy_within(end..self.filled, start);
        self.filled -= count;
        self.offset += count as u64;
    }

    /// Reads the stream to its end into a temporary file: a window on the same text in place of
    /// this one, and a second reader of it.
    ///
    /// What is kept is compressed: a journal piped in can be larger than the disk.
    pub(super) fn spool(mut self) -> io::Result<(Self, Box<dyn Read>)> {
        let mut encoder = zstd::Encoder::new(tempfile::tempfile()?, SPOOL_LEVEL)?;
        let offset = self.offset;
        loop {
            encoder.write_all(self.bytes())?;
            if !self.fill(self.filled) {
                break;
            }
        }
        let file = encoder.finish()?;
        let second = zstd::Decoder::new(Spooled { file: file.try_clone()?, position: 0 })?;
        let first = zstd::Decoder::new(Spooled { file, position: 0 })?;
        let reader: Box<dyn Read> = match self.error.take() {
            Some(error) => Box::new(first.chain(Failing(Some(error)))),
            None => Box::new(first),
        };
        Ok((Self { offset, ..Self::new(reader) }, Box::new(second)))
    }

    /// Reads until the window holds `count` bytes or the stream ends.
    pub(super) fn fill_to(&mut self, count: usize) {
        while self.filled < count && self.fill(0) {}
    }
}

/// A reader of a temporary file with a position of its own.
struct Spooled {
    file: File,
    position: u64,
}

impl Read for Spooled {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.file.seek(io::SeekFrom::Start(self.position))?;
        let count = self.file.read(buffer)?;
        self.position += count as u64;
        Ok(count)
    }
}

/// Gives the error that ended a stream in its place.
struct Failing(Option<io::Error>);

impl Read for Failing {
    fn read(&mut self, _buffer: &mut [u8]) -> io::Result<usize> {
        self.0.take().map_or(Ok(0), Err)
    }
}

/// One line, as a place in the window.
#[derive(Debug, Clone)]
pub(super) struct Line {
    /// The line without its end (`\n` or `\r\n`), and without NUL bytes or a byte order mark at its
    /// start.
    pub(super) range: Range<usize>,
    /// Counted from 1.
    pub(super) number: u64,
    /// Whether the line is longer than [`MAX_ENTRY_BYTES`] and this is only its beginning.
    pub(super) is_cut: bool,
}

/// The lines of a stream, one after another.
pub(super) struct Lines<'a> {
    window: Window<'a>,
    /// Where the next line begins.
    position: usize,
    mark: Option<usize>,
    number: u64,
    /// The line before was cut: what is left of it is passed over.
    skipping: bool,
    fills: u64,
    /// The stream may go on after its end: a line without an end is none yet.
    is_growing: bool,
}

impl<'a> Lines<'a> {
    /// The lines of what `window` holds and of all that follows.
    pub(super) fn new(window: Window<'a>) -> Self {
        Self {
            window,
            position: 0,
            mark: None,
            number: 0,
            skipping: false,
            fills: 0,
            is_growing: false,
        }
    }

    /// The bytes that the ranges refer to.
    #[inline]
    pub(super) fn bytes(&self) -> &[u8] {
        self.window.bytes()
    }

    /// Where in the stream the byte at `index` stands.
    pub(super) fn offset_of(&self, index: usize) -> u64 {
        self.window.offset_of(index)
    }

    /// The error that ended the stream, once, with its place.
    pub(super) fn take_error(&mut self) -> Option<(u64, io::Error)> {
        self.window.take_error()
    }

    /// Hands the next `count` bytes to `take`, piece by piece. Returns whether there were as many.
    /// Newlines among them count as ends of lines, as they do for every other program.
    pub(super) fn read_bytes(&mut self, count: u64, take: &mut dyn FnMut(&[u8])) -> bool {
        let mut left = count;
        while left > 0 {
            let ready = self.bytes().get(self.position..).unwrap_or(&[]);
            let length = usize::try_from(left).map_or(ready.len(), |left| left.min(ready.len()));
            let piece = ready.get(..length).unwrap_or(&[]);
            let newlines = memchr::memchr_iter(b'\n', piece).count() as u64;
            take(piece);
            self.number += newlines;
            self.position += length;
            left -= length as u64;
            if left > 0 && !self.fill() {
                return false;
            }
        }
        true
    }

    /// Keeps the bytes from `mark` on in the window, until the next call.
    pub(super) fn set_mark(&mut self, mark: Option<usize>) {
        self.mark = mark;
    }

    /// Where the marked byte stands now.
    #[inline]
    pub(super) fn mark(&self) -> Option<usize> {
        self.mark
    }

    /// Where the next line begins.
    #[inline]
    pub(super) fn position(&self) -> usize {
        self.position
    }

    /// The number of the last line that was read, from 1.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// Passes over `count` whole lines, up to `position`.
    #[inline]
    pub(super) fn pass(&mut self, count: u64, position: usize) {
        self.position = position.clamp(self.position, self.window.bytes().len());
        self.number += count;
    }

    /// Changes whenever bytes have moved in the window: indices from before are void.
    #[inline]
    pub(super) fn generation(&self) -> u64 {
        self.fills
    }

    /// The next line, or `None` at the end of the stream.
    pub(super) fn next_line(&mut self) -> Option<Line> {
        if self.skipping {
            self.skip_line();
        }
        let mut searched = self.position;
        loop {
            let unsearched = self.bytes().get(searched..).unwrap_or(&[]);
            if let Some(found) = memchr::memchr(b'\n', unsearched) {
                let end = searched + found;
                return Some(self.take(end, end + 1, false));
            }
            let end = self.bytes().len();
            if end - self.position >= MAX_ENTRY_BYTES {
                if self.drop_nuls() {
                    searched = self.position;
                    continue;
                }
                self.skipping = true;
                let cut = self.position + MAX_ENTRY_BYTES;
                return Some(self.take(cut, cut, true));
            }
            searched = end - self.position;
            if !self.fill() {
                let end = self.bytes().len();
                let has_line = self.position < end && !self.is_growing;
                return has_line.then(|| self.take(end, end, false));
            }
            searched += self.position;
        }
    }

    fn take(&mut self, end: usize, next: usize, is_cut: bool) -> Line {
        let start = self.position;
        self.position = next;
        self.number += 1;
        let line = self.bytes().get(start..end).unwrap_or(&[]);
        let lead = if let [0 | 0xef, ..] = line { lead_bytes(line) } else { 0 };
        let has_return = line.ends_with(b"\r") && !is_cut;
        let end = if has_return { end - 1 } else { end };
        Line { range: (start + lead).min(end)..end, number: self.number, is_cut }
    }

    /// Reads more, keeping the marked bytes and the current line.
    fn fill(&mut self) -> bool {
        let keep = self.mark.map_or(self.position, |mark| mark.min(self.position));
        if self.window.is_at_end() {
            return false;
        }
        let more = self.window.fill(keep);
        self.position -= keep;
        self.mark = self.mark.map(|mark| mark - keep);
        self.fills += 1;
        more
    }

    /// Passes over the rest of a cut line.
    fn skip_line(&mut self) {
        self.skipping = false;
        loop {
            let rest = self.bytes().get(self.position..).unwrap_or(&[]);
            if let Some(found) = memchr::memchr(b'\n', rest) {
                self.position += found + 1;
                return;
            }
            self.position = self.bytes().len();
            if !self.fill() {
                self.skipping = self.is_growing;
                return;
            }
        }
    }

    /// Takes NUL bytes at the current line's start out of the window, as a file truncated under its
    /// writer has them by the gigabyte. Returns whether there were any.
    fn drop_nuls(&mut self) -> bool {
        let rest = self.bytes().get(self.position..).unwrap_or(&[]);
        let count = rest.iter().take_while(|&&byte| byte == 0).count();
        self.window.remove(self.position, count);
        self.fills += 1;
        count > 0
    }
}

/// The bytes before a line's text: NULs of a hole in the file, and a byte order mark.
fn lead_bytes(line: &[u8]) -> usize {
    let nuls = line.iter().take_while(|&&byte| byte == 0).count();
    let has_mark = line.get(nuls..).is_some_and(|rest| rest.starts_with(b"\xef\xbb\xbf"));
    if has_mark { nuls + 3 } else { nuls }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &[u8]) -> Vec<(String, u64)> {
        let mut lines = Lines::new(Window::new(Box::new(text)));
        let mut found = Vec::new();
        while let Some(line) = lines.next_line() {
            let text = String::from_utf8_lossy(&lines.bytes()[line.range]).into_owned();
            found.push((text, line.number));
        }
        found
    }

    #[test]
    fn lines_end_with_newlines_carriage_returns_or_the_file() {
        let expected = [("a", 1), ("", 2), ("b\rc", 3), ("d", 4)];
        let expected: Vec<_> = expected.iter().map(|&(line, n)| (line.to_owned(), n)).collect();
        assert_eq!(lines(b"a\r\n\nb\rc\nd"), expected);
        assert_eq!(lines(b""), []);
    }

    #[test]
    fn a_line_beyond_the_limit_is_cut_and_the_next_one_is_whole() {
        let mut text = vec![b'x'; 3 * MAX_ENTRY_BYTES];
        text.extend_from_slice(b"\nnext\n");
        let mut lines = Lines::new(Window::new(Box::new(&text[..])));
        let first = lines.next_line().unwrap();
        assert!(first.is_cut && first.range.len() == MAX_ENTRY_BYTES);
        let second = lines.next_line().unwrap();
        assert_eq!((&lines.bytes()[second.range], second.number), (&b"next"[..], 2));
        assert!(lines.next_line().is_none());
        assert!(lines.window.buffer.len() <= 2 * MAX_ENTRY_BYTES, "memory is bounded");
    }

    #[test]
    fn a_hole_behind_marked_bytes_takes_no_memory() {
        let hole = io::repeat(0).take(20 * MAX_ENTRY_BYTES as u64);
        let text = (&b"first\n"[..]).chain(hole).chain(&b"second\n"[..]);
        let mut lines = Lines::new(Window::new(Box::new(text)));
        let first = lines.next_line().unwrap();
        lines.set_mark(Some(first.range.start));
        let second = lines.next_line().unwrap();
        assert_eq!(&lines.bytes()[second.range.clone()], b"second");
        let offset = 6 + 20 * MAX_ENTRY_BYTES as u64;
        assert_eq!(lines.offset_of(second.range.start), offset);
        assert_eq!(&lines.bytes()[lines.mark().unwrap()..][..5], b"first");
        assert!(lines.window.buffer.len() <= 2 * MAX_ENTRY_BYTES, "memory is bounded");
    }

    #[test]
    fn marked_bytes_stay_while_more_is_read() {
        let mut text = b"first\n".to_vec();
        text.extend(std::iter::repeat_n(b'y', CHUNK_BYTES));
        text.push(b'\n');
        let mut lines = Lines::new(Window::new(Box::new(&text[..])));
        let first = lines.next_line().unwrap();
        lines.set_mark(Some(first.range.start));
        lines.next_line().unwrap();
        let mark = lines.mark().unwrap();
        assert_eq!(&lines.bytes()[mark..mark + 5], b"first");
    }
}
