//! Timestamps that known programs write further inside a line.

use memchr::{memchr_iter, memmem};

use super::Found;
use super::cursor::Cursor;
use super::head::HEAD_BYTES;
use super::layout::{Layout, read_any};

/// Keys that hold an entry's time in logfmt: Go's `slog` and logrus (`time`), go-kit, Prometheus
/// and Loki (`ts`), Grafana (`t`).
const TIME_KEYS: &[&[u8]] =
    &[b"time", b"ts", b"timestamp", b"t", b"@timestamp", b"datetime", b"date"];

/// `host ident user [06/May/2026:04:49:00 -0700]`, and the same bracket of HAProxy, uWSGI and
/// gevent, behind `from`.
///
/// An ISO date, as gevent and many nginx configurations write it, counts only behind host, ident
/// and user: a bracket with one may stand in any message.
pub(super) fn find_bracket(line: &[u8], from: usize) -> Option<Found> {
    let head = line.get(from..line.len().min(HEAD_BYTES))?;
    for bracket in memchr_iter(b'[', head) {
        let at = from + bracket + 1;
        let layouts: &[Layout] = match line.get(at..)? {
            [b'0'..=b'9', _, b'/', ..] => &[Layout::Clf],
            [b'0'..=b'9', ..] if is_host_ident_user(head.get(..bracket)?) => &[Layout::Iso],
            [b'A'..=b'Z', ..] => &[Layout::Ctime, Layout::Rfc5322],
            _ => continue,
        };
        let found = layouts.iter().find_map(|layout| layout.read(line, at));
        if found.is_some() {
            return found;
        }
    }
    None
}

/// `10.0.0.1|06/May/2026:04:49:00 -0700|GET / HTTP/1.1`: the time of an access log between other
/// separators. With its colon before the hour it looks like nothing else.
pub(super) fn find_unbracketed(line: &[u8]) -> Option<Found> {
    const DATE_BYTES: usize = b"06/May/2026".len();
    let head = line.get(..HEAD_BYTES).unwrap_or(line);
    for slash in memchr_iter(b'/', head) {
        let Some(at) = slash.checked_sub(2) else { continue };
        let is_column = at.checked_sub(1).and_then(|before| head.get(before));
        let is_column = is_column.is_some_and(|before| !before.is_ascii_alphanumeric());
        if is_column
            && head.get(at + DATE_BYTES) == Some(&b':')
            && let Some(found) = Layout::Clf.read(line, at)
        {
            return Some(found);
        }
    }
    None
}

/// Whether the text is `10.0.0.1 - frank `: what the Common Log Format has before its time.
fn is_host_ident_user(text: &[u8]) -> bool {
    let Some(text) = text.strip_suffix(b" ") else { return false };
    let mut words = text.split(|byte| *byte == b' ').map(|word| (word == b"-", word.is_empty()));
    matches!(
        (words.next(), words.next(), words.next(), words.next()),
        (Some((_, false)), Some((true, _)), Some((_, false)), None)
    )
}

/// `Started GET "/" for 10.0.0.1 at 2026-05-06 04:49:00 +0000`, as `Rails::Rack::Logger` ends the
/// line.
pub(super) fn find_rails(line: &[u8]) -> Option<Found> {
    const END_BYTES: usize = 40;
    let request = line.strip_prefix(b"Started ")?;
    if !request.first()?.is_ascii_uppercase() {
        return None;
    }
    let end_from = line.len().saturating_sub(END_BYTES);
    let at = end_from + memmem::rfind(line.get(end_from..)?, b" at ")? + b" at ".len();
    Layout::Iso.read(line, at)
}

/// The value of a time key among the logfmt pairs that start at the cursor; or auditd's
/// `msg=audit(1714990000.123:45)`.
pub(super) fn find_logfmt(line: &[u8], mut cursor: Cursor<'_>) -> Option<Found> {
    while cursor.at() < HEAD_BYTES {
        let key = key(&mut cursor)?;
        let quoted = cursor.eat(b'"');
        if key == b"msg" && cursor.eat_all(b"audit(") {
            return Layout::Epoch.read(line, cursor.at());
        }
        if TIME_KEYS.contains(&key)
            && cursor.at() <= HEAD_BYTES
            && let Some(found) = read_any(line, cursor.at())
        {
            return Some(found);
        }
        skip_value(&mut cursor, quoted);
        if cursor.skip_spaces() == 0 {
            return None;
        }
    }
    None
}

/// A key and its `=`.
fn key<'a>(cursor: &mut Cursor<'a>) -> Option<&'a [u8]> {
    let rest = cursor.rest();
    let is_key =
        |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-' | b'@');
    if !matches!(rest.first()?, b'a'..=b'z' | b'A'..=b'Z' | b'_' | b'@') {
        return None;
    }
    let length = rest.iter().take(40).take_while(|byte| is_key(byte)).count();
    if length == 0 || rest.get(length) != Some(&b'=') {
        return None;
    }
    cursor.skip(length + 1);
    rest.get(..length)
}

/// Moves past a value: to the closing quote, or to the next space.
fn skip_value(cursor: &mut Cursor<'_>, quoted: bool) {
    if !quoted {
        cursor.skip_while(|byte| byte != b' ');
        return;
    }
    loop {
        cursor.skip_while(|byte| byte != b'"' && byte != b'\\');
        match cursor.peek() {
            Some(b'\\') => cursor.skip(2),
            Some(_) => return cursor.skip(1),
            None => return,
        }
    }
}
