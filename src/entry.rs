//! One log entry, as every source gives it and every rule sees it, and where it came from.
//!
//! An entry borrows from the reader's buffer: nothing is copied for an entry that no rule matches.

use std::fmt;
use std::path::Path;

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
}
