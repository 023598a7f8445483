//! The header that syslog daemons and `journalctl -o short*` put before a message: host, tag and
//! process id.

use memchr::memchr;

/// The parts of a header, and where the message begins.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Header<'a> {
    pub(super) priority: Option<u8>,
    pub(super) host: Option<&'a [u8]>,
    pub(super) identifier: Option<&'a [u8]>,
    /// The unit, which `journalctl -o with-unit` prints in the identifier's place.
    pub(super) unit: Option<&'a [u8]>,
    pub(super) pid: Option<&'a [u8]>,
    /// The message's first byte in the line.
    pub(super) message: usize,
}

/// The header of a line whose timestamp ends at `stamp_end`.
///
/// Formats: RFC 3164 §4.1 (host and tag may be missing, as daemons differ), RFC 5424 §6, and
/// systemd's `logs-show.c` for journalctl.
pub(super) fn header(line: &[u8], stamp_end: usize) -> Header<'_> {
    let (priority, version_5424) = priority(line);
    let rest = Rest { line, at: stamp_end };
    let mut header = if version_5424 { rest.rfc5424() } else { rest.traditional() };
    header.priority = priority;
    header
}

/// Whether a line with a timestamp of any other layout than RFC 3164's looks like one of a syslog
/// daemon or of journalctl: a host and a tag with a colon, neither of them a level's name.
pub(super) fn has_header(line: &[u8], stamp_end: usize) -> bool {
    let (_, version_5424) = priority(line);
    if version_5424 {
        return true;
    }
    let header = header(line, stamp_end);
    let is_name = |name: Option<&[u8]>| {
        name.is_some_and(|name| {
            !super::records::is_level(name)
                && name
                    .iter()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"._-:/@\\".contains(byte))
        })
    };
    is_name(header.host) && is_name(header.identifier)
}

/// Where the stamp of `journalctl -o short-monotonic` ends: seconds since the boot in brackets.
pub(super) fn monotonic_end(line: &[u8]) -> Option<usize> {
    let inner = line.strip_prefix(b"[")?;
    let close = memchr(b']', inner.get(..24).unwrap_or(inner))?;
    let seconds = inner.get(..close)?.trim_ascii();
    let is_number = seconds.iter().all(|byte| byte.is_ascii_digit() || *byte == b'.');
    (is_number && seconds.contains(&b'.')).then_some(close + 2)
}

/// The severity in `<PRI>`, and whether the version of RFC 5424 follows.
fn priority(line: &[u8]) -> (Option<u8>, bool) {
    let Some(inner) = line.strip_prefix(b"<") else { return (None, false) };
    let Some(close) = memchr(b'>', inner.get(..4).unwrap_or(inner)) else { return (None, false) };
    let digits = inner.get(..close).and_then(|digits| std::str::from_utf8(digits).ok());
    let Some(value) = digits.and_then(|digits| digits.parse::<u8>().ok()) else {
        return (None, false);
    };
    let version = inner.get(close + 1..).is_some_and(|rest| rest.starts_with(b"1 "));
    (Some(value & 7), version)
}

/// What is left of a line.
struct Rest<'a> {
    line: &'a [u8],
    at: usize,
}

impl<'a> Rest<'a> {
    fn bytes(&self) -> &'a [u8] {
        self.line.get(self.at..).unwrap_or(&[])
    }

    fn skip_spaces(&mut self) {
        self.at += self.bytes().iter().take_while(|&&byte| byte == b' ').count();
    }

    /// The next word and what stands behind it.
    fn word(&mut self) -> &'a [u8] {
        self.skip_spaces();
        let rest = self.bytes();
        let word = rest.get(..memchr(b' ', rest).unwrap_or(rest.len())).unwrap_or(&[]);
        self.at += word.len();
        word
    }

    /// `HOST TAG[PID]: message`; the tag, or host and tag, may be missing.
    fn traditional(mut self) -> Header<'a> {
        let mut header = Header::default();
        let start = self.at;
        let first = self.word();
        if first.ends_with(b":") {
            // Some daemons write no host of their own.
            self.at = start;
        } else {
            header.host = Some(first).filter(|host| !host.is_empty());
        }
        let after_host = self.at;
        match tag(self.word()) {
            Some((name, pid)) => {
                header.pid = pid;
                header.identifier = Some(name);
                header.unit = Some(name).filter(|name| is_unit(name));
            }
            None => self.at = after_host,
        }
        header.message = (self.at + 1).min(self.line.len());
        header
    }

    /// `HOST APP PROCID MSGID STRUCTURED-DATA message`, `-` standing for a missing part.
    fn rfc5424(mut self) -> Header<'a> {
        let known = |word: &'a [u8]| Some(word).filter(|word| *word != b"-" && !word.is_empty());
        let host = known(self.word());
        let identifier = known(self.word());
        let pid = known(self.word()).filter(|pid| pid.iter().all(u8::is_ascii_digit));
        self.word();
        self.skip_spaces();
        self.skip_structured_data();
        let mut message = (self.at + 1).min(self.line.len());
        if self.line.get(message..).is_some_and(|text| text.starts_with(b"\xef\xbb\xbf")) {
            message += 3;
        }
        Header { host, identifier, pid, message, ..Header::default() }
    }

    fn skip_structured_data(&mut self) {
        if !self.bytes().starts_with(b"[") {
            self.word();
            return;
        }
        let (mut quoted, mut escaped) = (false, false);
        for (index, &byte) in self.bytes().iter().enumerate() {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => quoted = !quoted,
                b']' if !quoted && self.bytes().get(index + 1) != Some(&b'[') => {
                    self.at += index + 1;
                    return;
                }
                _ => {}
            }
        }
    }
}

/// `nginx[12]:` or `kernel:` as name and process id.
fn tag(word: &[u8]) -> Option<(&[u8], Option<&[u8]>)> {
    let word = word.strip_suffix(b":")?;
    let inner = word.strip_suffix(b"]").and_then(|inner| {
        let open = memchr::memrchr(b'[', inner)?;
        Some((inner.get(..open)?, inner.get(open + 1..)?))
    });
    match inner {
        Some((name, pid)) if pid.iter().all(u8::is_ascii_digit) => Some((name, Some(pid))),
        _ if word.is_empty() => None,
        _ => Some((word, None)),
    }
}

fn is_unit(name: &[u8]) -> bool {
    [&b".service"[..], b".socket", b".scope", b".timer", b".mount", b".slice"]
        .iter()
        .any(|suffix| name.ends_with(suffix))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(line: &str, stamp: &str) -> (String, String, String, String) {
        let header = header(line.as_bytes(), line.find(stamp).unwrap() + stamp.len());
        let text = |part: Option<&[u8]>| String::from_utf8_lossy(part.unwrap_or(b"-")).into_owned();
        let message = line[header.message..].to_owned();
        (text(header.host), text(header.identifier), text(header.pid), message)
    }

    #[test]
    fn a_traditional_header_has_host_tag_and_pid() {
        let stamp = "May  6 04:49:00";
        let full = parts("May  6 04:49:00 db1 api[42]: pool timeout: 30", stamp);
        assert_eq!(full, ("db1".into(), "api".into(), "42".into(), "pool timeout: 30".into()));
        let no_pid = parts("May  6 04:49:00 db1 kernel: [ 1.2] up", stamp);
        assert_eq!(no_pid, ("db1".into(), "kernel".into(), "-".into(), "[ 1.2] up".into()));
        let no_host = parts("May  6 04:49:00 su: ok", stamp);
        assert_eq!(no_host, ("-".into(), "su".into(), "-".into(), "ok".into()));
        let no_tag = parts("May  6 04:49:00 db1 message repeated 2 times: [x]", stamp);
        let message = "message repeated 2 times: [x]";
        assert_eq!(no_tag, ("db1".into(), "-".into(), "-".into(), message.into()));
    }

    #[test]
    fn an_rfc_5424_header_has_structured_data_before_the_message() {
        let stamp = "2026-05-06T04:49:00Z";
        let line = r#"<34>1 2026-05-06T04:49:00Z web api 42 ID47 [a@1 k="x\"] y"][b@2] failed"#;
        let expected = ("web".into(), "api".into(), "42".into(), "failed".into());
        assert_eq!(parts(line, stamp), expected);
        assert_eq!(header(line.as_bytes(), 26).priority, Some(2));
        let bare = parts("<34>1 2026-05-06T04:49:00Z web - - - - failed", stamp);
        assert_eq!(bare, ("web".into(), "-".into(), "-".into(), "failed".into()));
    }

    #[test]
    fn a_level_is_no_host() {
        for line in ["2026-05-06 04:49:00 INFO app: x", "2026-05-06 04:49:00 worker ERROR: x"] {
            assert!(!has_header(line.as_bytes(), 19), "{line}");
        }
        assert!(has_header(b"2026-05-06 04:49:00 web-1 api[3]: x", 19));
    }
}
