//! Where in a line its timestamp may stand.

use super::layout::{Reading, read_any};
use super::{Found, Layout, Stamp};

/// How far into a line a timestamp may start, in bytes.
const HEAD_BYTES: usize = 256;

/// The timestamp of the entry that `line` starts, if it has one.
pub fn find(line: &[u8]) -> Option<Found> {
    let mut at = 0;
    while at < HEAD_BYTES {
        match line.get(at)? {
            b'[' | b'(' | b'"' | b'\'' | b' ' | b'\t' => at += 1,
            b'<' => {
                let close = line.get(at..)?.iter().take(5).position(|byte| *byte == b'>')?;
                at += close + 1;
                if line.get(at..at + 2) == Some(b"1 ") {
                    at += 2;
                }
            }
            _ => break,
        }
    }
    if let Some(reading) = read_any(line, at) {
        return Some(found(at, reading));
    }
    let bracket = memchr::memchr_iter(b'[', line.get(..HEAD_BYTES).unwrap_or(line));
    bracket.map(|bracket| bracket + 1).find_map(|at| {
        let reading = Layout::Clf.read(line, at)?;
        Some(found(at, reading))
    })
}

/// The same as [`find`], faster where the line's timestamp looks like that of the line before.
pub fn find_like(line: &[u8], hint: &Found) -> Option<Found> {
    if hint.range.start == 0
        && let Some(reading) = hint.layout.read(line, 0)
    {
        return Some(found(0, reading));
    }
    find(line)
}

/// What a value that is known to be a time says: the string or number behind a JSON key.
pub fn parse_value(value: &[u8]) -> Option<Stamp> {
    let reading = read_any(value, 0)?;
    (reading.end == value.len()).then_some(reading.stamp)
}

fn found(at: usize, reading: Reading) -> Found {
    Found { stamp: reading.stamp, range: at..reading.end, layout: reading.layout }
}
