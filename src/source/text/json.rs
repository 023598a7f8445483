//! JSON objects in log lines, read without building them: the members of an object as slices of
//! the line, and the time that an object carries.
//!
//! Logs hold lines that were cut off and bytes that are no UTF-8; a strict parser would lose the
//! whole line. This one reads as far as the line makes sense.

use memchr::{memchr, memchr2};

use super::stamp::{self, Stamp};
use crate::time::Timestamp;

/// One `"key": value` of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Member<'a> {
    /// The key between its quotes, escapes untouched.
    pub(super) key: &'a [u8],
    pub(super) value: Value<'a>,
}

/// A value as it stands in the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Value<'a> {
    /// What stands between the quotes, escapes untouched.
    String(&'a [u8]),
    /// An object or an array with its brackets.
    Nested(&'a [u8]),
    /// A number, `true`, `false` or `null`.
    Bare(&'a [u8]),
}

/// The members of the object that `text` begins with, until it ends or makes no sense any more.
pub(super) fn members(text: &[u8]) -> Members<'_> {
    let text = text.trim_ascii_start();
    Members { rest: text.strip_prefix(b"{").unwrap_or(&[]) }
}

/// Iterates over the members of an object.
#[derive(Debug, Clone)]
pub(super) struct Members<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Members<'a> {
    type Item = Member<'a>;

    fn next(&mut self) -> Option<Member<'a>> {
        let rest = self.rest.trim_ascii_start();
        let rest = rest.strip_prefix(b",").unwrap_or(rest).trim_ascii_start();
        let (key, rest) = string(rest)?;
        let rest = rest.trim_ascii_start().strip_prefix(b":")?.trim_ascii_start();
        let (value, rest) = value(rest)?;
        self.rest = rest;
        Some(Member { key, value })
    }
}

/// The elements of an array with its brackets.
pub(super) fn elements(array: &[u8]) -> impl Iterator<Item = Value<'_>> {
    let mut rest = array.strip_prefix(b"[").unwrap_or(&[]);
    std::iter::from_fn(move || {
        rest = rest.trim_ascii_start();
        rest = rest.strip_prefix(b",").unwrap_or(rest).trim_ascii_start();
        let (value, after) = value(rest)?;
        rest = after;
        Some(value)
    })
}

fn value(text: &[u8]) -> Option<(Value<'_>, &[u8])> {
    match text.first()? {
        b'"' => string(text).map(|(inner, rest)| (Value::String(inner), rest)),
        b'{' | b'[' => {
            let (nested, rest) = text.split_at_checked(nested_length(text)?)?;
            Some((Value::Nested(nested), rest))
        }
        _ => {
            let ends = |byte: &u8| matches!(byte, b',' | b'}' | b']') || byte.is_ascii_whitespace();
            let length = text.iter().position(ends).unwrap_or(text.len());
            let (bare, rest) = text.split_at_checked(length)?;
            (!bare.is_empty()).then_some((Value::Bare(bare), rest))
        }
    }
}

/// A string at the start of `text`: what is between its quotes, and what follows.
fn string(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let inner = text.strip_prefix(b"\"")?;
    let mut at = 0;
    loop {
        let found = at + memchr2(b'"', b'\\', inner.get(at..)?)?;
        if inner.get(found) == Some(&b'"') {
            return Some((inner.get(..found)?, inner.get(found + 1..)?));
        }
        at = found + 2;
    }
}

/// The length of the object or array at the start of `text`.
fn nested_length(text: &[u8]) -> Option<usize> {
    let mut depth = 0_usize;
    let mut at = 0;
    loop {
        match text.get(at)? {
            b'"' => {
                let (inner, _) = string(text.get(at..)?)?;
                at += inner.len() + 1;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth -= 1,
            _ => {}
        }
        at += 1;
        if depth == 0 {
            return Some(at);
        }
    }
}

/// Keys that hold nothing but the entry's time.
const TIME_KEYS: [&str; 17] = [
    "time",
    "ts",
    "timestamp",
    "@timestamp",
    "t",
    "@t",
    "datetime",
    "asctime",
    "log_time",
    "time_iso8601",
    "time_local",
    "msec",
    "ts_ms",
    "timemillis",
    "_time",
    "instant",
    "logtime",
];

/// Keys that hold the entry's time where no better one is there.
const OTHER_TIME_KEYS: [&str; 6] =
    ["date", "eventtime", "start_time", "starttime", "created", "created_at"];

/// The time that an object of a program's JSON log carries.
///
/// It is the value of the first member that has one of the usual names and reads as a time.
/// MongoDB's `{"t":{"$date":…}}` and log4j's `{"instant":{"epochSecond":…}}` are nested once.
pub(super) fn time(object: &[u8]) -> Option<Stamp> {
    let mut other = None;
    for member in members(object) {
        if is_one_of(member.key, &TIME_KEYS) {
            if let Some(stamp) = time_value(member.value) {
                return Some(stamp);
            }
        } else if other.is_none() && is_one_of(member.key, &OTHER_TIME_KEYS) {
            other = time_value(member.value);
        }
    }
    other
}

fn is_one_of(key: &[u8], names: &[&str]) -> bool {
    names.iter().any(|name| key.eq_ignore_ascii_case(name.as_bytes()))
}

fn time_value(value: Value<'_>) -> Option<Stamp> {
    match value {
        Value::String(text) => stamp::parse_value(text),
        Value::Bare(number) => stamp::parse_value(number),
        Value::Nested(object) => {
            let (mut seconds, mut nanos) = (None, 0);
            for member in members(object) {
                match (member.key, member.value) {
                    (b"$date", Value::String(text) | Value::Bare(text)) => {
                        return stamp::parse_value(text);
                    }
                    (b"epochSecond", Value::Bare(digits)) => seconds = number(digits),
                    (b"nanoOfSecond", Value::Bare(digits)) => nanos = number(digits).unwrap_or(0),
                    _ => {}
                }
            }
            let micros = seconds?.checked_mul(1_000_000)?.checked_add(nanos / 1000)?;
            Timestamp::from_micros(micros).map(Stamp::Instant)
        }
    }
}

/// A whole number.
pub(super) fn number(digits: &[u8]) -> Option<i64> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// Appends the string whose inside is `escaped` to `out`. What is no escape stays as it is.
pub(super) fn unescape(escaped: &[u8], out: &mut Vec<u8>) {
    let mut rest = escaped;
    while let Some(found) = memchr(b'\\', rest) {
        let (plain, after) = rest.split_at(found);
        out.extend_from_slice(plain);
        let (byte, length) = match after.get(1) {
            Some(b'n') => (b'\n', 2),
            Some(b't') => (b'\t', 2),
            Some(b'r') => (b'\r', 2),
            Some(b'b') => (0x08, 2),
            Some(b'f') => (0x0c, 2),
            Some(b'u') => {
                let (character, length) = unicode_escape(after);
                let mut utf8 = [0; 4];
                out.extend_from_slice(character.encode_utf8(&mut utf8).as_bytes());
                rest = after.get(length..).unwrap_or(&[]);
                continue;
            }
            Some(&other) => (other, 2),
            None => (b'\\', 1),
        };
        out.push(byte);
        rest = after.get(length..).unwrap_or(&[]);
    }
    out.extend_from_slice(rest);
}

/// The character of the `\uXXXX`, or pair of them, at the start of `text`, and its length.
fn unicode_escape(text: &[u8]) -> (char, usize) {
    let unit = |at: usize| {
        let digits = text.get(at..at + 6)?.strip_prefix(b"\\u")?;
        u16::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
    };
    let Some(first) = unit(0) else { return (char::REPLACEMENT_CHARACTER, 2) };
    let units = [first, unit(6).unwrap_or(0)];
    match char::decode_utf16(units).next() {
        Some(Ok(character)) => (character, 6 * character.len_utf16()),
        _ => (char::REPLACEMENT_CHARACTER, 6),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn micros(object: &str) -> Option<i64> {
        match time(object.as_bytes())? {
            Stamp::Instant(at) => Some(at.micros()),
            Stamp::Civil(_) => None,
        }
    }

    #[test]
    fn members_are_read_until_the_line_is_cut_off() {
        let text = br#"{"a":1, "b" : {"c":[1,"}"]}, "d\"":"x\\", "e":[true], "f":"cut"#;
        let found: Vec<(&[u8], Value<'_>)> =
            members(text).map(|member| (member.key, member.value)).collect();
        let expected: Vec<(&[u8], Value<'_>)> = vec![
            (b"a", Value::Bare(b"1")),
            (b"b", Value::Nested(br#"{"c":[1,"}"]}"#)),
            (br#"d\""#, Value::String(br"x\\")),
            (b"e", Value::Nested(b"[true]")),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn the_usual_keys_hold_the_time() {
        let at = Some(1_778_043_600_000_000);
        for object in [
            r#"{"level":"info","ts":1778043600,"msg":"x"}"#,
            r#"{"level":30,"time":1778043600000,"pid":1}"#,
            r#"{"@timestamp":"2026-05-06T05:00:00.000Z"}"#,
            r#"{"t":{"$date":"2026-05-06T05:00:00.000+00:00"},"s":"I"}"#,
            r#"{"instant":{"epochSecond":1778043600,"nanoOfSecond":0}}"#,
            r#"{"date":"2026-05-01T00:00:00Z","msg":{"time":5},"time":"2026-05-06T05:00:00Z"}"#,
        ] {
            assert_eq!(micros(object), at, "{object}");
        }
        assert_eq!(micros(r#"{"msg":"time","nested":{"time":1778043600}}"#), None);
    }

    #[test]
    fn escapes_are_decoded_and_broken_ones_survive() {
        let decoded = |text: &str| {
            let mut out = Vec::new();
            unescape(text.as_bytes(), &mut out);
            String::from_utf8(out).unwrap()
        };
        assert_eq!(decoded(r#"a\n\"b\" \u003c \ud83d\ude00 \/"#), "a\n\"b\" < 😀 /");
        assert_eq!(decoded(r"\u00 \ud83d x \"), "\u{fffd}00 \u{fffd} x \\");
    }
}
