//! One log entry, as every source gives it and every rule sees it, and where it came from.
//!
//! An entry borrows from the reader's buffer: nothing is copied for an entry that no rule matches.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use crate::time::Timestamp;

/// A borrowed view of one log entry.
#[derive(Debug, Clone)]
pub struct Entry<'a> {
    /// When it was logged; `None` where the source does not say.
    pub at: Option<Timestamp>,
    /// The host that logged it.
    pub host: Option<&'a [u8]>,
    /// The boot, as 32 hexadecimal digits.
    pub boot: Option<&'a [u8]>,
    /// The systemd unit, with its suffix.
    pub unit: Option<&'a [u8]>,
    /// The syslog identifier (tag).
    pub identifier: Option<&'a [u8]>,
    /// The process id, in digits.
    pub pid: Option<&'a [u8]>,
    /// The syslog priority, 0 (emerg) to 7 (debug).
    pub priority: Option<u8>,
    /// What was logged: a MESSAGE field, or a line of a text log with the lines that continue it.
    pub message: &'a [u8],
    /// Where the entry can be found again.
    pub origin: Origin<'a>,
}

impl<'a> Entry<'a> {
    /// An entry that is known by its text and its place only.
    pub fn new(message: &'a [u8], origin: Origin<'a>) -> Self {
        Self {
            at: None,
            host: None,
            boot: None,
            unit: None,
            identifier: None,
            pid: None,
            priority: None,
            message,
            origin,
        }
    }
}

/// Where an entry can be found again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin<'a> {
    /// An entry of a journal: `journalctl --cursor=…` shows it.
    Cursor(Cursor),
    /// A cursor that a journal dump carried along, as it stood there.
    CursorText(&'a [u8]),
    /// A line of a file, counted from 1.
    Line {
        /// The file, as it was named on the command line or found in a directory.
        path: &'a Path,
        /// The entry's first line, counted from 1.
        line: u64,
    },
}

/// Where an entry can be found again, after its reader has gone on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OwnedOrigin {
    /// An entry of a journal: `journalctl --cursor=…` shows it.
    Cursor(Cursor),
    /// A cursor of an unknown form that a journal dump carried along.
    CursorText(String),
    /// A line of a file, counted from 1.
    Line {
        /// The file, as it was named on the command line or found in a directory.
        path: Arc<Path>,
        /// The entry's first line, counted from 1.
        line: u64,
    },
}

impl From<&Origin<'_>> for OwnedOrigin {
    fn from(origin: &Origin<'_>) -> Self {
        match *origin {
            Origin::Cursor(cursor) => Self::Cursor(cursor),
            Origin::CursorText(text) => match Cursor::from_text(text) {
                Some(cursor) => Self::Cursor(cursor),
                None => Self::CursorText(String::from_utf8_lossy(text).into_owned()),
            },
            Origin::Line { path, line } => Self::Line { path: path.into(), line },
        }
    }
}

impl fmt::Display for OwnedOrigin {
    /// The cursor, or `path:line`. What a log says stands in it as it is: escape it for a terminal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cursor(cursor) => cursor.fmt(f),
            Self::CursorText(text) => f.write_str(text),
            Self::Line { path, line } => write!(f, "{}:{line}", path.display()),
        }
    }
}

/// The identity of a journal entry, written as journalctl writes cursors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Cursor {
    /// The id of the sequence that `seqnum` counts in.
    pub seqnum_id: [u8; 16],
    /// The entry's number in that sequence.
    pub seqnum: u64,
    /// The boot that logged the entry.
    pub boot_id: [u8; 16],
    /// Microseconds since that boot.
    pub monotonic_us: u64,
    /// Microseconds since the epoch.
    pub realtime_us: u64,
    /// The XOR of the hashes of the entry's fields.
    pub xor_hash: u64,
}

impl Cursor {
    /// The cursor that is written so, to the letter; `None` where it is none of systemd's.
    pub fn from_text(text: &[u8]) -> Option<Self> {
        let text = str::from_utf8(text).ok().filter(|text| text.len() <= Self::MAX_TEXT_BYTES)?;
        Self::parse(text).filter(|cursor| cursor.to_string() == text)
    }

    /// Two ids, four numbers of 64 bits, and their names.
    const MAX_TEXT_BYTES: usize = 2 * 32 + 4 * 16 + 6 * 2 + 5;

    /// The parts of a cursor, as `sd_journal_get_cursor(3)` writes them, in any order.
    pub fn parse(text: &str) -> Option<Self> {
        let part = |name: &str| {
            text.split(';').find_map(|part| part.strip_prefix(name)?.strip_prefix('='))
        };
        let number = |name| u64::from_str_radix(part(name)?, 16).ok();
        Some(Self {
            seqnum_id: decode_hex(part("s")?)?,
            seqnum: number("i")?,
            boot_id: decode_hex(part("b")?)?,
            monotonic_us: number("m")?,
            realtime_us: number("t")?,
            xor_hash: number("x")?,
        })
    }
}

impl fmt::Display for Cursor {
    /// The format of `sd_journal_get_cursor(3)`: hexadecimal, without leading zeros in numbers.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "s={};i={:x};b={};m={:x};t={:x};x={:x}",
            hex(&self.seqnum_id),
            self.seqnum,
            hex(&self.boot_id),
            self.monotonic_us,
            self.realtime_us,
            self.xor_hash
        )
    }
}

/// An id of 128 bits as systemd prints it: 32 hexadecimal digits.
pub fn hex(id: &[u8; 16]) -> String {
    id.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// An id from its 32 hexadecimal digits.
pub fn decode_hex(text: &str) -> Option<[u8; 16]> {
    let number = u128::from_str_radix(text, 16).ok()?;
    (text.len() == 32).then(|| number.to_be_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_written_as_journalctl_writes_it() {
        let cursor = Cursor {
            seqnum_id: [0xab; 16],
            seqnum: 255,
            boot_id: [1; 16],
            monotonic_us: 16,
            realtime_us: 0x5f,
            xor_hash: u64::MAX,
        };
        assert_eq!(
            cursor.to_string(),
            "s=abababababababababababababababab;i=ff;b=01010101010101010101010101010101;\
             m=10;t=5f;x=ffffffffffffffff"
        );
    }
    #[test]
    fn a_cursor_is_read_as_it_is_written() {
        let text = "s=abababababababababababababababab;i=ff;b=01010101010101010101010101010101;\
                    m=10;t=5f;x=ffffffffffffffff";
        assert_eq!(Cursor::parse(text).unwrap().to_string(), text);
        assert_eq!(Cursor::parse("s=ab;i=1"), None);
        assert_eq!(Cursor::from_text(text.as_bytes()), Cursor::parse(text));
        let padded = text.replace("i=ff", "i=0ff");
        assert!(Cursor::parse(&padded).is_some() && Cursor::from_text(padded.as_bytes()).is_none());
    }

    #[test]
    fn an_origin_that_is_kept_names_the_same_place() {
        let path = Path::new("logs/app.log");
        let line = OwnedOrigin::from(&Origin::Line { path, line: 7 });
        assert_eq!(line.to_string(), "logs/app.log:7");
        let unknown = OwnedOrigin::from(&Origin::CursorText(b"s=1;i=\xff"));
        assert_eq!(unknown, OwnedOrigin::CursorText("s=1;i=\u{fffd}".to_owned()));
        let text = "s=abababababababababababababababab;i=f;b=01010101010101010101010101010101;\
                    m=10;t=5f;x=1";
        let known = OwnedOrigin::from(&Origin::CursorText(text.as_bytes()));
        assert_eq!(known, OwnedOrigin::Cursor(Cursor::parse(text).unwrap()));
        assert_eq!(known.to_string(), text);
    }
}
