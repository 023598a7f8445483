//! The timestamp of the line before, and the lines that differ from it in nothing but the second.
//!
//! Most lines of a log were written in the same minute as the line before, by the same clock.
//! Where all bytes of the timestamp but the seconds are the same, only these have to be read.

use super::stamp::{Found, Layout, Stamp};
use crate::time::Timestamp;

/// `2026-05-06T04:49:`, up to the seconds.
const MINUTE_BYTES: usize = 17;
/// Up to the end of the seconds.
const SECOND_BYTES: usize = MINUTE_BYTES + 2;
/// The longest timestamp that is remembered, with the space behind it; most have 33 bytes at most.
const MAX_BYTES: usize = 40;
const MAX_FRACTION_DIGITS: usize = 6;
const MICROS_PER_SECOND: i64 = 1_000_000;

/// A timestamp at the start of a line, in ISO 8601 with an offset from UTC.
#[derive(Debug, Clone)]
pub(super) struct Neighbour {
    buffer: [u8; MAX_BYTES],
    /// How many bytes the timestamp and the space behind it have in the buffer.
    length: usize,
    /// Where the digits of the fraction end.
    fraction_end: usize,
    /// Which bits of the buffer other lines must share: all but those of the seconds and of what
    /// lies behind the timestamp.
    shared: [u8; MAX_BYTES],
    /// The instant at which its minute began.
    minute_micros: i64,
}

impl Neighbour {
    /// Remembers what was found in `line`; `None` where other lines cannot be compared with it.
    pub(super) fn new(line: &[u8], found: &Found) -> Option<Self> {
        let Stamp::Instant(at) = found.stamp else { return None };
        if found.layout != Layout::Iso || found.range.start > 0 {
            return None;
        }
        // Only a space is certain not to go on with the timestamp.
        let text = line.get(..=found.range.end).filter(|text| text.ends_with(b" "))?;
        let fraction_end = SECOND_BYTES
            + match text.get(SECOND_BYTES..)? {
                [b'.' | b',', rest @ ..] => {
                    1 + rest.iter().take_while(|byte| byte.is_ascii_digit()).count()
                }
                _ => 0,
            };
        let mut buffer = [0; MAX_BYTES];
        buffer.get_mut(..text.len())?.copy_from_slice(text);
        let mut shared = [0; MAX_BYTES];
        for (at, bits) in shared.iter_mut().enumerate().take(text.len()) {
            *bits = if (MINUTE_BYTES..fraction_end).contains(&at) { 0 } else { u8::MAX };
        }
        let length = text.len();
        let mut near = Self { buffer, length, fraction_end, shared, minute_micros: 0 };
        let micros = near.micros_of_minute(text)?;
        near.minute_micros = at.micros() - micros;
        // A clock of another grain, or a leap second, is none of the plain case.
        (near.minute_micros % (60 * MICROS_PER_SECOND) == 0).then_some(near)
    }

    /// Whether the two differ in nothing but the time that they tell.
    pub(super) fn is_written_like(&self, other: &Self) -> bool {
        // The offset changes twice a year.
        let shape = |byte: &u8| if byte.is_ascii_digit() { b'0' } else { *byte };
        let (own, others) = (self.text().iter().map(shape), other.text().iter().map(shape));
        own.eq(others)
    }

    /// Where the timestamp ends.
    #[inline]
    pub(super) fn end(&self) -> usize {
        self.length.saturating_sub(1)
    }

    #[inline]
    fn text(&self) -> &[u8] {
        self.buffer.get(..self.length).unwrap_or(&[])
    }

    /// The instant at the start of `line`, if its timestamp is written as this one and was taken
    /// in the same minute.
    #[inline]
    pub(super) fn read(&self, line: &[u8]) -> Option<Timestamp> {
        let text = line.get(..self.length)?;
        let is_alike = match line.first_chunk() {
            Some(beginning) => self.shares(beginning),
            None => {
                let own = self.text();
                text.get(..MINUTE_BYTES) == own.get(..MINUTE_BYTES)
                    && text.get(self.fraction_end..) == own.get(self.fraction_end..)
            }
        };
        if !is_alike {
            return None;
        }
        Timestamp::from_micros(self.minute_micros + self.micros_of_minute(text)?)
    }

    /// Whether a line that begins like this has the bits that it must share. Nearly every line
    /// of a log is asked, so the bytes are compared in words, without a branch.
    #[inline]
    fn shares(&self, beginning: &[u8; MAX_BYTES]) -> bool {
        let words = |bytes: &[u8; MAX_BYTES]| -> [u64; MAX_BYTES / 8] {
            let (words, _) = bytes.as_chunks::<8>();
            std::array::from_fn(|at| words.get(at).map_or(0, |word| u64::from_le_bytes(*word)))
        };
        let (own, other, shared) = (words(&self.buffer), words(beginning), words(&self.shared));
        let differences = own.iter().zip(other).zip(shared);
        differences.fold(0, |all, ((own, other), shared)| all | (own ^ other) & shared) == 0
    }

    /// The seconds and their fraction.
    #[inline]
    fn micros_of_minute(&self, text: &[u8]) -> Option<i64> {
        let seconds = number(text.get(MINUTE_BYTES..SECOND_BYTES)?)?;
        let mut micros = seconds * MICROS_PER_SECOND;
        if self.fraction_end > SECOND_BYTES {
            let (separator, digits) = text.get(SECOND_BYTES..self.fraction_end)?.split_first()?;
            let missing = MAX_FRACTION_DIGITS.checked_sub(digits.len())?;
            if self.buffer.get(SECOND_BYTES) != Some(separator) {
                return None;
            }
            micros += number(digits)? * 10_i64.pow(missing as u32);
        }
        (seconds < 60).then_some(micros)
    }
}

/// The value of a few decimal digits.
#[inline]
fn number(digits: &[u8]) -> Option<i64> {
    digits.iter().try_fold(0, |number, &byte| {
        let digit = byte.wrapping_sub(b'0');
        (digit < 10).then_some(number * 10 + i64::from(digit))
    })
}

#[cfg(test)]
mod tests {
    use super::super::stamp;
    use super::*;

    fn near(line: &str) -> Option<Neighbour> {
        Neighbour::new(line.as_bytes(), &stamp::find(line.as_bytes()).unwrap())
    }

    /// Of a line in the same minute, the same is read as by the reader of all timestamps.
    #[test]
    fn lines_of_the_same_minute_are_read_as_if_they_were_alone() {
        for (first, second) in [
            ("2026-05-06T04:49:00-0700 a", "2026-05-06T04:49:59-0700 b"),
            ("2026-05-06T04:49:00.5+05:45 a", "2026-05-06T04:49:07.9+05:45 b"),
            ("2026-05-06 04:49:00,123 +0200 a", "2026-05-06 04:49:30,007 +0200 b"),
            ("2026/05/06 04:49:00.123456Z a", "2026/05/06 04:49:01.999999Z b"),
        ] {
            let found = stamp::find(second.as_bytes()).unwrap();
            let near = near(first).unwrap();
            let at = near.read(second.as_bytes()).unwrap();
            assert_eq!((Stamp::Instant(at), near.end()), (found.stamp, found.range.end), "{first}");
        }
    }

    #[test]
    fn other_lines_are_left_to_the_reader_of_all_timestamps() {
        let near = near("2026-05-06T04:49:00.123-0700 a").unwrap();
        for line in [
            "2026-05-06T04:50:00.123-0700 another minute",
            "2026-05-06T04:49:00.123-0800 another offset",
            "2026-05-06T04:49:00,123-0700 another separator",
            "2026-05-06T04:49:00.1234-0700 another fraction",
            "2026-05-06T04:49:60.000-0700 a leap second",
            "2026-05-06T04:49:0x.000-0700 no number",
            "2026-05-06T04:49:00.123-0700",
            "  continued",
            "",
        ] {
            assert_eq!(near.read(line.as_bytes()), None, "{line}");
        }
    }

    #[test]
    fn wall_clocks_and_places_inside_a_line_are_not_remembered() {
        assert!(near("2026-05-06 04:49:00 no offset").is_none());
        assert!(near("[2026-05-06T04:49:00Z] brackets").is_none());
        assert!(near("2026-05-06T04:49:00.123456789Z nanoseconds").is_none());
        assert!(near("2026-05-06T04:49Z no seconds").is_none());
    }
}
