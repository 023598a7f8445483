//! UTF-16 to UTF-8, for logs of Windows programs, which begin with a byte order mark.

use std::io::{self, Read};

use crate::source::compression::peek;

/// The content of `reader` in UTF-8, if it begins with a mark of UTF-16; else as it is.
pub(super) fn decode<'a>(reader: Box<dyn Read + 'a>) -> Box<dyn Read + 'a> {
    let (head, reader) = peek(reader, 2);
    let unit = match head[..] {
        [0xff, 0xfe] => u16::from_le_bytes,
        [0xfe, 0xff] => u16::from_be_bytes,
        _ => return Box::new(reader),
    };
    Box::new(Decoder {
        inner: Box::new(reader),
        unit,
        odd: None,
        high: None,
        ready: io::Cursor::new(Vec::new()),
        input: vec![0; INPUT_BYTES],
    })
}

const INPUT_BYTES: usize = 64 << 10;

struct Decoder<'a> {
    inner: Box<dyn Read + 'a>,
    /// The byte order.
    unit: fn([u8; 2]) -> u16,
    /// The first half of a unit whose second half has not been read yet.
    odd: Option<u8>,
    /// The first half of a surrogate pair.
    high: Option<u16>,
    ready: io::Cursor<Vec<u8>>,
    input: Vec<u8>,
}

impl Read for Decoder<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let count = self.ready.read(buffer)?;
            if count > 0 || buffer.is_empty() {
                return Ok(count);
            }
            let read = self.inner.read(&mut self.input)?;
            if read == 0 {
                return Ok(0);
            }
            self.decode_input(read);
        }
    }
}

impl Decoder<'_> {
    /// Decodes what was read; what is no character becomes U+FFFD.
    fn decode_input(&mut self, read: usize) {
        let mut utf8 = std::mem::take(self.ready.get_mut());
        utf8.clear();
        self.ready.set_position(0);
        for &byte in self.input.get(..read).unwrap_or(&[]) {
            let Some(first) = self.odd.take() else {
                self.odd = Some(byte);
                continue;
            };
            let unit = (self.unit)([first, byte]);
            let pending = self.high.take();
            if pending.is_none() && (0xd800..0xdc00).contains(&unit) {
                self.high = Some(unit);
                continue;
            }
            for character in char::decode_utf16(pending.into_iter().chain([unit])) {
                let character = character.unwrap_or(char::REPLACEMENT_CHARACTER);
                if character != '\u{feff}' {
                    utf8.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                }
            }
        }
        *self.ready.get_mut() = utf8;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(bytes: Vec<u8>) -> String {
        let mut text = String::new();
        decode(Box::new(io::Cursor::new(bytes))).read_to_string(&mut text).unwrap();
        text
    }

    #[test]
    fn both_byte_orders_and_surrogate_pairs_are_read() {
        let text = "\u{feff}2026 “ok” 😀\r\n";
        let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        assert_eq!(decoded(little), "2026 “ok” 😀\r\n");
        assert_eq!(decoded(big), "2026 “ok” 😀\r\n");
    }

    #[test]
    fn half_a_pair_is_replaced_and_other_text_is_left_alone() {
        assert_eq!(decoded(vec![0xff, 0xfe, 0x00, 0xd8, 0x41, 0x00, 0x42]), "\u{fffd}A");
        assert_eq!(decoded(b"plain".to_vec()), "plain");
    }
}
