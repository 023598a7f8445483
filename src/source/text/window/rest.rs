//! The lines of a stream that grows: what has to be kept of them between two readings.

use std::io::Read;

use super::{Lines, Window};

/// What is left of the lines of a growing stream between two readings: little more than the
/// entry and the line that are not whole yet.
#[derive(Debug, Default)]
pub(in crate::source::text) struct Rest {
    bytes: Vec<u8>,
    /// Where in the stream they begin.
    offset: u64,
    /// Where among them the next line begins.
    position: usize,
    mark: Option<usize>,
    number: u64,
    skipping: bool,
}

impl Rest {
    /// Nothing, of a stream of which the first bytes are passed over.
    pub(in crate::source::text) fn at(offset: u64) -> Self {
        Self { offset, ..Self::default() }
    }

    /// The bytes of lines that were not read yet.
    pub(in crate::source::text) fn unread(&self) -> &[u8] {
        self.bytes.get(self.position..).unwrap_or(&[])
    }
}

impl<'a> Window<'a> {
    /// A window that holds what another one left of a stream, before what `reader` goes on with.
    fn resume(bytes: Vec<u8>, offset: u64, reader: Box<dyn Read + 'a>) -> Self {
        Self { filled: bytes.len(), buffer: bytes, offset, ..Self::new(reader) }
    }
}

impl<'a> Lines<'a> {
    /// Goes on with what was left, and then with `reader`. Unless `is_last`, a line that has no
    /// end yet waits for it.
    pub(in crate::source::text) fn resume(
        rest: Rest,
        reader: Box<dyn Read + 'a>,
        is_last: bool,
    ) -> Self {
        let Rest { bytes, offset, position, mark, number, skipping } = rest;
        let window = Window::resume(bytes, offset, reader);
        Self { position, mark, number, skipping, is_growing: !is_last, ..Self::new(window) }
    }

    /// What has to be kept until the stream has grown.
    pub(in crate::source::text) fn pause(mut self) -> Rest {
        let keep = self.mark.map_or(self.position, |mark| mark.min(self.position));
        let offset = self.window.offset_of(keep);
        self.window.buffer.truncate(self.window.filled);
        self.window.buffer.drain(..keep.min(self.window.filled));
        self.window.buffer.shrink_to_fit();
        Rest {
            bytes: self.window.buffer,
            offset,
            position: self.position - keep,
            mark: self.mark.map(|mark| mark - keep),
            number: self.number,
            skipping: self.skipping,
        }
    }

    /// Whether all bytes that there are belong to lines that were read.
    pub(in crate::source::text) fn is_between_lines(&self) -> bool {
        !self.skipping && self.position == self.bytes().len()
    }
}

#[cfg(test)]
mod tests {
    use super::super::MAX_ENTRY_BYTES;
    use super::*;

    #[test]
    fn a_stream_that_is_read_in_parts_has_the_same_lines() {
        let text = [&b"first\nsecond\r\n"[..], &[b'x'; 2 * MAX_ENTRY_BYTES], b"\nlast"].concat();
        for part_bytes in [1, 5, 7, 300_000, MAX_ENTRY_BYTES + 3] {
            let start = if part_bytes < 100 { text.len() - 12 } else { 0 };
            let text = text.get(start..).unwrap();
            let (mut rest, mut found) = (Rest::default(), Vec::new());
            let parts: Vec<&[u8]> = text.chunks(part_bytes).chain([&b""[..]]).collect();
            for (index, part) in parts.iter().enumerate() {
                let is_last = index + 1 == parts.len();
                let mut lines = Lines::resume(rest, Box::new(*part), is_last);
                while let Some(line) = lines.next_line() {
                    let range = line.range.start..line.range.end;
                    found.push((lines.bytes()[range].to_vec(), line.number, line.is_cut));
                }
                rest = lines.pause();
                assert!(rest.bytes.len() <= MAX_ENTRY_BYTES + part_bytes);
            }
            let mut whole = Lines::new(Window::new(Box::new(text)));
            for (text, number, is_cut) in found {
                let line = whole.next_line().unwrap();
                assert!(text == whole.bytes()[line.range.clone()], "parts of {part_bytes} bytes");
                assert_eq!((number, is_cut), (line.number, line.is_cut));
            }
            assert!(whole.next_line().is_none(), "parts of {part_bytes} bytes");
        }
    }
}
