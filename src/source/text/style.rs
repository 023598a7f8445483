//! How the lines of a text log are written, and what of an entry's lines is its message.

use std::ops::Range;

use super::json::{self, Value};
use super::syslog;

/// The style of a file's lines. Every style reads lines of the others as plain text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    /// Lines with a timestamp; the message is the whole line and what continues it.
    Plain,
    /// Timestamp, host, tag and process id come before the message.
    Syslog,
    /// An object a line. The message is the line as it stands.
    Json,
    /// Docker's `json-file` driver: `{"log":"…\n","stream":"stdout","time":"…"}`.
    Docker,
    /// Kubernetes' container runtimes: `2026-05-06T04:49:00.123456789Z stdout F message`.
    Cri,
}

/// The message of the Docker line `object`, with escapes, and whether the entry ends with it.
///
/// Docker cuts a line of more than 16 KiB into several; only the last part ends with a newline.
pub(super) fn docker_log(object: &[u8]) -> Option<(&[u8], bool)> {
    let member = json::members(object).find(|member| member.key == b"log")?;
    let Value::String(log) = member.value else { return None };
    Some(match log.strip_suffix(b"\\n") {
        Some(log) => (log, true),
        None => (log, false),
    })
}

/// The message of a CRI line whose timestamp ends at `stamp_end`, and whether the entry ends
/// with it (tag `F`, full) or goes on in the next line (`P`, partial).
pub(super) fn cri_log(line: &[u8], stamp_end: usize) -> Option<(Range<usize>, bool)> {
    let rest = line.get(stamp_end..)?;
    let rest = rest.strip_prefix(b" stdout ").or_else(|| rest.strip_prefix(b" stderr "))?;
    let tag_end = memchr::memchr(b' ', rest).unwrap_or(rest.len());
    // The tag may have more parts, separated by colons.
    let is_full = match rest.get(..tag_end)?.split(|&byte| byte == b':').next()? {
        b"F" => true,
        b"P" => false,
        _ => return None,
    };
    let start = line.len() - rest.len() + tag_end;
    Some(((start + 1).min(line.len())..line.len(), is_full))
}

/// Puts the message of an entry of several lines together in `out`.
///
/// `width` is how far journalctl indents the lines that continue a message.
pub(super) fn join_lines(style: Style, lines: &[u8], width: usize, out: &mut Vec<u8>) {
    let mut is_partial = true;
    for (index, line) in lines.split(|&byte| byte == b'\n').enumerate() {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if !std::mem::replace(&mut is_partial, true) {
            out.push(b'\n');
        }
        match style {
            Style::Docker => {
                let (log, is_full) = docker_log(line).unwrap_or((line, false));
                is_partial = !is_full;
                json::unescape(log, out);
            }
            Style::Cri => {
                let stamp_end = memchr::memchr(b' ', line).unwrap_or(line.len());
                let (range, is_full) = cri_log(line, stamp_end).unwrap_or((0..line.len(), false));
                is_partial = !is_full;
                out.extend_from_slice(line.get(range).unwrap_or(line));
            }
            Style::Plain | Style::Json => join(index, line, out),
            Style::Syslog if index == 0 => out.extend_from_slice(line),
            Style::Syslog => {
                let spaces = line.iter().take(width).take_while(|&&byte| byte == b' ').count();
                join(index, line.get(spaces..).unwrap_or(&[]), out);
            }
        }
    }
}

fn join(index: usize, line: &[u8], out: &mut Vec<u8>) {
    if index > 0 {
        out.push(b'\n');
    }
    out.extend_from_slice(line);
}

/// What rsyslog writes with `$RepeatedMsgReduction on`, as Ubuntu has it, in place of a message
/// that it got again: `message repeated 4 times: [ couldn't get a connection]`. Gives the message
/// and how often it was left out.
pub(super) fn repetition(message: &[u8]) -> Option<(&[u8], u32)> {
    // In RFC 5424's form rsyslog leaves a space before it.
    let rest = message.trim_ascii_start().strip_prefix(b"message repeated ")?;
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let times = std::str::from_utf8(rest.get(..digits)?).ok()?.parse().ok()?;
    let inner = rest.get(digits..)?.strip_prefix(b" times: [")?.strip_suffix(b"]")?;
    Some((inner.strip_prefix(b" ").unwrap_or(inner), times))
}

/// Undoes rsyslog's escapes of line breaks, tabs and colours (`#012`, `#011`, `#033`) in
/// `message`. Returns whether there were any; `out` then holds the message.
pub(super) fn unescape_rsyslog(message: &[u8], out: &mut Vec<u8>) -> bool {
    if memchr::memmem::find(message, b"#0").is_none() {
        return false;
    }
    let mut rest = message;
    while let Some(found) = memchr::memchr(b'#', rest) {
        let (plain, escape) = rest.split_at(found);
        out.extend_from_slice(plain);
        let (byte, length) = match escape.get(..4) {
            Some(b"#012") => (b'\n', 4),
            Some(b"#011") => (b'\t', 4),
            Some(b"#033") => (b'\x1b', 4),
            _ => (b'#', 1),
        };
        out.push(byte);
        rest = escape.get(length..).unwrap_or(&[]);
    }
    out.extend_from_slice(rest);
    true
}

/// The header of an entry's first line, whose timestamp ends at `stamp_end`; all of the line is
/// message where it has none.
pub(super) fn header(style: Style, line: &[u8], stamp_end: usize) -> syslog::Header<'_> {
    if style != Style::Syslog || stamp_end == 0 {
        return syslog::Header::default();
    }
    if let Some(own_end) = syslog::rfc3164_end(line) {
        return syslog::header(line, own_end);
    }
    // Days of the week are journalctl's, and promise a header. Digits promise nothing.
    let promised = line.first().is_some_and(|first| first.is_ascii_alphabetic())
        || syslog::monotonic_end(line).is_some();
    if promised || syslog::has_header(line, stamp_end) {
        return syslog::header(line, stamp_end);
    }
    syslog::Header::default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn joined(style: Style, lines: &str, width: usize) -> String {
        let mut out = Vec::new();
        join_lines(style, lines.as_bytes(), width, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn parts_of_container_lines_are_joined_without_a_break() {
        let cri = "2026-05-06T04:49:00.1Z stdout P could not get\n\
                   2026-05-06T04:49:00.2Z stdout F  a connection";
        assert_eq!(joined(Style::Cri, cri, 0), "could not get a connection");
        let docker = "{\"log\":\"could not \\u003c\",\"time\":\"x\"}\n{\"log\":\"get\\n\"}";
        assert_eq!(joined(Style::Docker, docker, 0), "could not <get");
    }

    #[test]
    fn the_indentation_of_journalctl_is_no_part_of_the_message() {
        assert_eq!(joined(Style::Syslog, "a\n      b\n        c\nd", 6), "a\nb\n  c\nd");
        assert_eq!(joined(Style::Plain, "a\r\n  b", 6), "a\n  b");
    }

    #[test]
    fn rsyslogs_line_breaks_are_line_breaks() {
        let mut out = Vec::new();
        assert!(unescape_rsyslog(b"a#012b#011c #012", &mut out));
        assert_eq!(out, b"a\nb\tc \n");
        assert!(!unescape_rsyslog(b"issue #12", &mut Vec::new()));
    }

    #[test]
    fn a_repetition_says_what_and_how_often() {
        let repeated = repetition(b"message repeated 4 times: [ no [free] slot]");
        assert_eq!(repeated, Some((&b"no [free] slot"[..], 4)));
        assert_eq!(repetition(b" message repeated 2 times: [ x]"), Some((&b"x"[..], 2)));
        assert_eq!(repetition(b"message repeated 99999999999 times: [ x]"), None);
        assert_eq!(repetition(b"message repeated often: [ x]"), None);
    }
}
