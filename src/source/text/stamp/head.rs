//! Where in a line its timestamp may stand.
//!
//! 1. At the start, behind what programs and containers put before it: levels, names and ids in
//!    brackets, container names, a syslog priority (`prefix`), or as the value of a logfmt pair.
//! 2. In one of the places of `inline`: the bracket of an access log, the end of a Rails request.
//! 3. In an indented line only right behind the indent, or behind one `[`: indented lines are
//!    nearly always the rest of an entry, and their dates are data.
//!
//! A syslog timestamp without a year is checked against the rest of the line: HAProxy, nginx and
//! others write a full date into the message. If both are within a day of each other, the one
//! that knows its offset from UTC is taken; a second wall clock only lends its year, because all
//! lines of a syslog file should be read from the same clock.

use std::sync::LazyLock;

use chrono::{DateTime, Datelike};
use memchr::memmem::{self, Finder};

use super::civil::Civil;
use super::cursor::Cursor;
use super::layout::read_any;
use super::{Found, Layout, Stamp, inline, prefix};

/// How far into a line a timestamp may start, in bytes.
pub(super) const HEAD_BYTES: usize = 256;

/// The longest timestamp, in bytes, and some more.
const STAMP_BYTES: usize = 64;

/// How many prefixes may stand before a timestamp.
const MAX_PREFIXES: usize = 8;

/// A wall clock and UTC are at most 14 hours apart, and a request that is logged when it ends
/// may have begun some hours before.
const SAME_TIME_MICROS: u64 = 26 * 3600 * 1_000_000;

/// The timestamp of the entry that `line` starts; `None` if it continues another entry.
///
/// The time that this takes is bounded: only the first few hundred bytes are looked at, and the
/// last few dozen.
pub fn find(line: &[u8]) -> Option<Found> {
    let head = line.get(..HEAD_BYTES + STAMP_BYTES).unwrap_or(line);
    if !has_digits_enough(head) {
        return inline::find_rails(line);
    }
    match find_at_head(head) {
        Some(found) => Some(with_year(head, found)),
        None if starts_unindented_text(line) => {
            let bracket = inline::find_bracket(head, 0);
            bracket.or_else(|| inline::find_rails(line)).or_else(|| inline::find_unbracketed(head))
        }
        None => None,
    }
}

/// The same as [`find`], faster where the timestamp is written as in `hint`, the one of the line
/// before.
#[inline]
pub fn find_like(line: &[u8], hint: &Found) -> Option<Found> {
    let start = hint.range.start;
    let at_start = start == 0 || (start == 1 && line.first() == Some(&b'['));
    if !at_start {
        return find(line);
    }
    match hint.layout.read(line, start) {
        None => find(line),
        Some(found) if found.layout == Layout::Syslog => {
            let head = line.get(..HEAD_BYTES + STAMP_BYTES).unwrap_or(line);
            Some(with_year(head, found))
        }
        found => found,
    }
}

/// What a value that is known to be a time says: the string or number behind a JSON key.
///
/// All of the value has to be the timestamp, but for a zone that it names a second time, as Java
/// (`…-07:00[America/Los_Angeles]`), Go (`… +0000 UTC`) and JavaScript (`… (Pacific Daylight
/// Time)`) do.
pub fn parse_value(value: &[u8]) -> Option<Stamp> {
    let value = value.trim_ascii();
    let value =
        value.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\"")).unwrap_or(value);
    let value = value.strip_prefix(b"[").and_then(|rest| rest.strip_suffix(b"]")).unwrap_or(value);
    let found = read_any(value, 0)?;
    let rest = value.get(found.range.end..)?;
    let names_zone_again =
        [&b"["[..], b" (", b" UTC", b" m=+"].iter().any(|start| rest.starts_with(start));
    (rest.is_empty() || names_zone_again).then_some(found.stamp)
}

/// Whether there are as many digits as the shortest timestamp has, `May  6 04:49:00`.
///
/// Most lines that continue an entry have fewer, and need not be looked at closely.
#[inline]
fn has_digits_enough(head: &[u8]) -> bool {
    const FEWEST: u32 = 7;
    let mut count = 0;
    for block in head.chunks(32) {
        count += block.iter().map(|byte| u32::from(byte.is_ascii_digit())).sum::<u32>();
        if count >= FEWEST {
            return true;
        }
    }
    false
}

/// The timestamp at the start of the line, behind its prefixes.
fn find_at_head(line: &[u8]) -> Option<Found> {
    let mut cursor = Cursor::new(line, 0);
    cursor.eat_all(b"\xef\xbb\xbf");
    let indented = prefix::skip_blanks(&mut cursor) > 0;
    if indented {
        cursor.eat(b'[');
        return read_any(line, cursor.at());
    }
    cursor.eat(b'"');
    find_behind_prefixes(line, cursor)
}

/// The timestamp that stands at the cursor, or behind some prefixes.
fn find_behind_prefixes(line: &[u8], mut cursor: Cursor<'_>) -> Option<Found> {
    for _ in 0..MAX_PREFIXES {
        let in_brackets = prefix::skip_openers(&mut cursor);
        if cursor.at() > HEAD_BYTES {
            return None;
        }
        let found = read_any(line, cursor.at()).or_else(|| inline::find_logfmt(line, cursor));
        if found.is_some() {
            return found;
        }
        prefix::skip(&mut cursor, in_brackets)?;
        prefix::skip_blanks(&mut cursor);
    }
    None
}

/// Whether the line is neither indented nor JSON, whose strings are not ours to read.
fn starts_unindented_text(line: &[u8]) -> bool {
    !matches!(line.first(), None | Some(b' ' | b'\t' | b'{'))
}

/// The timestamp with the year that the rest of the line knows, if it has none itself.
#[inline]
fn with_year(line: &[u8], found: Found) -> Found {
    match found.stamp {
        Stamp::Civil(civil) if civil.year.is_none() && found.layout == Layout::Syslog => {
            fuller(line, &found, civil).unwrap_or(found)
        }
        _ => found,
    }
}

/// What a second timestamp in the message of a syslog line tells about the first.
///
/// Few messages have one, and it is costly to look for, so a line without the digits of a century
/// is not searched.
fn fuller(line: &[u8], first: &Found, civil: Civil) -> Option<Found> {
    static CENTURY: LazyLock<Finder<'_>> = LazyLock::new(|| Finder::new("20"));
    CENTURY.find(line.get(first.range.end..)?)?;
    let second = inline::find_bracket(line, first.range.end).or_else(|| {
        let message = message_start(line, first.range.end)?;
        find_behind_prefixes(line, Cursor::new(line, message))
    })?;
    match second.stamp {
        Stamp::Instant(at) => {
            year_near(civil, at.micros())?;
            Some(second)
        }
        Stamp::Civil(full) => {
            let year = year_near(civil, full.year.and_then(|year| full.clock_micros(year))?)?;
            let stamp = Stamp::Civil(Civil { year: Some(year), ..civil });
            Some(Found { stamp, ..first.clone() })
        }
    }
}

/// The year in which `civil` is about the same time as `clock_micros`.
fn year_near(civil: Civil, clock_micros: i64) -> Option<i32> {
    let year = DateTime::from_timestamp_micros(clock_micros)?.year();
    (year - 1..=year + 1).find(|year| {
        let clock = civil.clock_micros(*year);
        clock.is_some_and(|clock| clock.abs_diff(clock_micros) <= SAME_TIME_MICROS)
    })
}

/// Where the message of a syslog line starts: behind `host tag[pid]: `.
fn message_start(line: &[u8], from: usize) -> Option<usize> {
    let rest = line.get(from..line.len().min(from + HEAD_BYTES))?;
    let colon = memmem::find(rest, b": ")?;
    Some(from + colon + 2)
}
