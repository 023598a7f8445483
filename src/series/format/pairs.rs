//! Pairs of a key and a number, as programs print a structure: logfmt, JSON, and what Python,
//! Ruby, Go, Rust and JavaScript show of a value.
//!
//! `idle=3`, `idle: 3`, `"idle":3`, `\"idle\": 3`, `'idle': 3`, `:idle=>3`, `Idle connections: 3`.
//! One pass over the message, whatever it holds.

use std::borrow::Cow;

use super::keys::{self, Meaning};
use crate::series::snapshot::{Gauge, Snapshot, Values};

/// A message says no more than so many pools.
const MAX_POOLS: usize = 256;

/// A longer text in quotes is no pool's name.
const MAX_NAME_BYTES: usize = 64;

/// Reads all pools that the message's pairs tell. A key that comes again begins another pool.
pub(super) fn read(message: &[u8]) -> Vec<Found<'_>> {
    let mut gathering = Gathering::default();
    let mut scanner = Scanner { text: message, at: 0, value_end: 0 };
    while let Some(pair) = scanner.next_pair() {
        gathering.take(pair);
        if gathering.done.len() >= MAX_POOLS {
            break;
        }
    }
    gathering.finish()
}

/// One pool, and how many usual keys told it.
#[derive(Debug, Default)]
pub(super) struct Found<'m> {
    pub(super) snapshot: Snapshot<'m>,
    pub(super) keys: usize,
}

#[derive(Default)]
struct Gathering<'m> {
    done: Vec<Found<'m>>,
    current: Found<'m>,
    /// The keys whose values are in `current`.
    seen: Vec<&'m [u8]>,
    /// The key before the innermost `{`, where it names something.
    object: Option<&'m [u8]>,
    has_overflow: bool,
    /// Where SQLAlchemy prints its setting, it is taken for the size at first.
    size_is_setting: bool,
}

impl<'m> Gathering<'m> {
    fn take(&mut self, pair: Pair<'m>) {
        match pair.value {
            Value::Object => {
                let is_known = keys::meaning(b"", pair.key).is_some();
                let is_shape = [
                    &b"pools"[..],
                    b"stats",
                    b"state",
                    b"status",
                    b"config",
                    b"options",
                    b"statistics",
                    b"fields",
                    b"data",
                    b"connections",
                ];
                let names = !is_known && !is_shape.contains(&pair.key);
                self.object = names.then_some(pair.key);
            }
            Value::Text(text) => {
                if keys::meaning(b"", pair.key) == Some(Meaning::Name) && !text.is_empty() {
                    if self.current.snapshot.pool.is_some() && self.current.keys > 0 {
                        self.flush();
                    }
                    self.current.snapshot.pool = Some(Cow::Borrowed(text));
                }
            }
            Value::Number { first, second } => self.number(&pair, first, second),
        }
    }

    fn number(&mut self, pair: &Pair<'m>, first: i64, second: Option<i64>) {
        let meaning = keys::meaning(pair.before, pair.key);
        if meaning == Some(Meaning::Overflow) {
            self.has_overflow = true;
            self.current.keys += 1;
            return;
        }
        let Some(Meaning::Value(gauge)) = meaning else { return };
        if self.seen.contains(&pair.key) && self.current.snapshot.values.get(gauge).is_some() {
            self.flush();
        }
        if self.current.snapshot.pool.is_none() {
            self.current.snapshot.pool = self.object.map(Cow::Borrowed);
        }
        let values = &mut self.current.snapshot.values;
        if values.get(gauge).is_some() {
            return;
        }
        self.seen.push(pair.key);
        self.current.keys += 1;
        if gauge == Gauge::Idle && first < 0 {
            // deadpool before 0.10: a lack of connections is how many wait for one.
            values.idle = Some(0);
            values.waiting = values.waiting.or(Some(first.unsigned_abs()));
            return;
        }
        let Ok(count) = u64::try_from(first) else { return };
        *values.of_mut(gauge) = Some(count);
        // HikariCP since 6.0: total=n/max, and idle=n/min.
        if gauge == Gauge::Size && values.max.is_none() {
            values.max = second.and_then(|max| u64::try_from(max).ok());
        }
        if matches!(pair.key, b"checked_out" | b"checkedout" | b"checked_in" | b"checkedin") {
            self.size_is_setting = true;
        }
    }

    fn flush(&mut self) {
        let mut found = std::mem::take(&mut self.current);
        let values = &mut found.snapshot.values;
        if self.has_overflow || self.size_is_setting {
            values.size = None;
        }
        *values = values.completed();
        (self.has_overflow, self.size_is_setting) = (false, false);
        self.seen.clear();
        if found.keys > 0 && found.snapshot.values != Values::default() {
            self.done.push(found);
        }
    }

    fn finish(mut self) -> Vec<Found<'m>> {
        self.flush();
        self.done
    }
}

/// A key and what stands behind it.
struct Pair<'m> {
    /// The word before the key, behind nothing but a blank.
    before: &'m [u8],
    key: &'m [u8],
    value: Value<'m>,
}

enum Value<'m> {
    /// A whole number, and a second one behind a slash.
    Number { first: i64, second: Option<i64> },
    /// Anything else up to its end.
    Text(&'m [u8]),
    /// The beginning of an object.
    Object,
}

struct Scanner<'m> {
    text: &'m [u8],
    at: usize,
    /// Where the last value that is a text ends: words in it do not belong to the next key.
    value_end: usize,
}

impl<'m> Scanner<'m> {
    fn next_pair(&mut self) -> Option<Pair<'m>> {
        let mut before: (&[u8], usize) = (b"", usize::MAX);
        let value_end = self.value_end;
        loop {
            let (start, key) = self.next_word()?;
            let end = self.at;
            if let Some(value) = self.value() {
                let is_adjacent = before.1 != usize::MAX
                    && before.1 > value_end
                    && before.1 + 1 == start
                    && self.text.get(before.1) == Some(&b' ');
                let before = if is_adjacent { before.0 } else { b"" };
                return Some(Pair { before, key, value });
            }
            self.at = end;
            before = (key, end);
        }
    }

    /// The next word that may be a key, and where it starts.
    fn next_word(&mut self) -> Option<(usize, &'m [u8])> {
        loop {
            let byte = *self.text.get(self.at)?;
            if byte == 0x1b {
                self.skip_colour();
            } else if byte.is_ascii_alphabetic() || byte == b'_' {
                let start = self.at;
                self.skip_while(|byte| {
                    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-')
                });
                return Some((start, self.text.get(start..self.at)?));
            } else if byte.is_ascii_digit() {
                // `3rd` and `10.0.0.7` are no keys.
                self.skip_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.'));
            } else {
                self.at += 1;
            }
        }
    }

    /// What stands behind the key, if it is one.
    fn value(&mut self) -> Option<Value<'m>> {
        if self.text.get(self.at..)?.starts_with(b"()") {
            self.at += 2;
        }
        self.skip_quote();
        self.skip_blanks();
        match self.text.get(self.at)? {
            b'=' | b':' => self.at += 1,
            _ => return None,
        }
        if self.text.get(self.at) == Some(&b'>') {
            self.at += 1;
        }
        let separator = self.at;
        self.skip_blanks();
        let is_apart = self.at > separator;
        if self.text.get(self.at) == Some(&b'{') {
            self.at += 1;
            return Some(Value::Object);
        }
        if let Some(first) = self.number() {
            let after_slash = self.text.get(self.at) == Some(&b'/')
                && self.text.get(self.at + 1).is_some_and(u8::is_ascii_digit);
            let second = if after_slash {
                self.at += 1;
                self.number()
            } else {
                None
            };
            return Some(Value::Number { first, second });
        }
        Some(Value::Text(self.string(is_apart)))
    }

    /// A whole number, with nothing behind it that makes it something else: `10`, `10.0`, but not
    /// `10ms`, `10%` or `1.5`.
    fn number(&mut self) -> Option<i64> {
        let start = self.at;
        let is_negative = self.text.get(self.at) == Some(&b'-');
        self.at += usize::from(is_negative);
        let digits = self.at;
        self.skip_while(|byte| byte.is_ascii_digit());
        let number = std::str::from_utf8(self.text.get(digits..self.at)?).ok()?.parse::<i64>();
        if self.text.get(self.at) == Some(&b'.')
            && self.text.get(self.at + 1).is_some_and(|byte| *byte == b'0')
        {
            self.at += 1;
            self.skip_while(|byte| byte == b'0');
        }
        let is_followed = match self.text.get(self.at) {
            Some(b'.') => self.text.get(self.at + 1).is_some_and(u8::is_ascii_alphanumeric),
            Some(byte) => byte.is_ascii_alphanumeric() || matches!(byte, b'%' | b':' | b'_'),
            None => false,
        };
        match number {
            Ok(number) if !is_followed => Some(if is_negative { -number } else { number }),
            _ => {
                self.at = start;
                None
            }
        }
    }

    /// A text in quotes, or one without that follows at once; nothing where a sentence goes on.
    ///
    /// What is inside is looked at too: whoever puts an object into a string escapes the quotes
    /// in it, and what stands behind a logger's `app:` may be a key in quotes.
    fn string(&mut self, is_apart: bool) -> &'m [u8] {
        self.skip_while(|byte| byte == b'\\');
        let quote = self.text.get(self.at).copied().filter(|byte| matches!(byte, b'"' | b'\''));
        let start = self.at + usize::from(quote.is_some());
        let rest = self.text.get(start..).unwrap_or_default();
        let rest = rest.get(..=MAX_NAME_BYTES).unwrap_or(rest);
        let length = rest.iter().position(|&byte| match quote {
            Some(quote) => byte == quote || byte == b'\\',
            None => byte.is_ascii_whitespace() || b",;()[]{}\"\x1b".contains(&byte),
        });
        let text = rest.get(..length.unwrap_or(rest.len())).unwrap_or_default();
        let is_name = if quote.is_some() {
            text.len() <= MAX_NAME_BYTES && !text.contains(&b' ') && !text.contains(&b'=')
        } else {
            !is_apart
        };
        if !is_name {
            return b"";
        }
        self.value_end = start + text.len();
        text
    }

    /// Passes over blanks and colours.
    fn skip_blanks(&mut self) {
        let mut before = usize::MAX;
        while before != self.at {
            before = self.at;
            self.skip_while(|byte| byte == b' ');
            self.skip_colour();
        }
    }

    fn skip_quote(&mut self) {
        if self.text.get(self.at) == Some(&b'\\') {
            self.at += 1;
        }
        if matches!(self.text.get(self.at), Some(b'"' | b'\'')) {
            self.at += 1;
        }
    }

    /// Passes over escape sequences that set a colour.
    fn skip_colour(&mut self) {
        while self.text.get(self.at) == Some(&0x1b) {
            self.at += 1;
            if self.text.get(self.at) == Some(&b'[') {
                self.at += 1;
            }
            self.skip_while(|byte| byte.is_ascii_digit() || byte == b';');
            if self.text.get(self.at) == Some(&b'm') {
                self.at += 1;
            }
        }
    }

    fn skip_while(&mut self, is_passed: impl Fn(u8) -> bool) {
        let rest = self.text.get(self.at..).unwrap_or_default();
        self.at += rest.iter().position(|&byte| !is_passed(byte)).unwrap_or(rest.len());
    }
}
