//! Where entries start: for each line of a text log, whether it begins an entry, and when that
//! was logged.

use chrono_tz::Tz;

use super::dating::Dating;
use super::detect::LineTraits;
use super::json;
use super::records::{self, Continuations};
use super::stamp;
use super::style::{self, Style};
use super::syslog;
use crate::time::Timestamp;

/// An entry with more lines than this that look like nothing in particular has ended before: a
/// program has begun to print lines without times.
const MAX_LOOSE: usize = 50;

/// What a line is to the entries of its file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Start {
    /// The line begins an entry.
    Entry {
        /// When it was logged; the time of the line before it where it carries none itself.
        at: Option<Timestamp>,
        /// The first byte of the line behind its timestamp; 0 where it has none.
        stamp_end: usize,
    },
    /// The line belongs to the entry before it.
    Continues,
    /// The line is a program's remark about the log, and no part of it.
    Remark,
}

/// Where a container wrote a line to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stream {
    is_stderr: bool,
}

/// Decides for the lines of one file, in their order.
pub(super) struct Starts {
    style: Style,
    dating: Dating,
    /// Whether the file's entries carry times: an undated line then is the exception.
    is_dated: bool,
    /// Whether the times are the exception, although there are some.
    is_sparsely_dated: bool,
    /// How many lines that look like nothing in particular continue the entry.
    loose: usize,
    /// Whether the file's entries begin with white space, so that indentation says nothing.
    is_indented: bool,
    /// Whether a number at a line's start is a time.
    has_epochs: bool,
    /// A part of a container's line that the next line goes on with.
    is_partial: bool,
    /// Where the container's line before was written to.
    container_stream: Option<Stream>,
    continuations: Continuations,
    boot: Option<[u8; 32]>,
    /// Whether another boot was announced since the last entry.
    has_new_boot: bool,
}

impl Starts {
    /// `traits`: what the file's first lines have in common.
    pub(super) fn new(traits: LineTraits, dating: Dating) -> Self {
        Self {
            style: traits.style,
            dating,
            is_dated: traits.is_dated,
            is_sparsely_dated: traits.is_sparsely_dated,
            loose: 0,
            is_indented: traits.is_indented,
            has_epochs: traits.has_epochs,
            is_partial: false,
            container_stream: None,
            continuations: Continuations::default(),
            boot: None,
            has_new_boot: false,
        }
    }

    /// Takes what more of the file's first lines says about all of them.
    pub(super) fn set_traits(&mut self, traits: LineTraits) {
        self.style = traits.style;
        self.is_dated |= traits.is_dated;
        self.is_sparsely_dated = traits.is_sparsely_dated;
        self.is_indented = traits.is_indented;
        self.has_epochs = traits.has_epochs;
    }

    /// The boot that journalctl announced last.
    pub(super) fn boot(&self) -> Option<[u8; 32]> {
        self.boot
    }

    /// Whether the entry that begins now is the first one of another boot than the one before it.
    pub(super) fn take_new_boot(&mut self) -> bool {
        std::mem::take(&mut self.has_new_boot)
    }

    /// Whether all lines so far could be understood without those before the first of them, if
    /// that one is dated.
    pub(super) fn is_independent(&self) -> bool {
        self.dating.is_absolute() && self.container_stream.is_none() && self.boot.is_none()
    }

    /// How the file's entries are dated.
    #[inline]
    pub(super) fn dating(&self) -> &Dating {
        &self.dating
    }

    /// Notes that entries were passed over of which the last was logged at `at`.
    #[inline]
    pub(super) fn passed(&mut self, at: Timestamp) {
        self.dating.set_previous(at);
    }

    /// What the next line is.
    #[inline]
    pub(super) fn of(&mut self, line: &[u8]) -> Start {
        match line.first() {
            None => Start::Continues,
            Some(b' ' | b'\t') if !self.is_indented => self.of_indented(line),
            Some(b'#') if is_w3c_directive(line) => {
                // W3C extended logs (IIS, CloudFront) are in UTC by definition.
                self.dating.set_zone(Tz::UTC);
                Start::Remark
            }
            Some(b'-' | b'H') if self.takes_remark(line) => Start::Remark,
            Some(b'{') => self.of_object(line),
            _ if self.style == Style::Cri => self.of_cri(line),
            _ => self.of_text(line),
        }
    }

    fn of_text(&mut self, line: &[u8]) -> Start {
        let is_number = !self.has_epochs && records::starts_with_long_number(line);
        if !is_number && let Some(dated) = self.dating.date(line) {
            self.is_dated = true;
            self.loose = 0;
            let start = Start::Entry { at: dated.at, stamp_end: dated.end };
            return match container_message(line, dated.end) {
                Some(message) => self.part(start, message, true, Stream { is_stderr: false }),
                None => {
                    self.continuations = Continuations::default();
                    start
                }
            };
        }
        if self.style == Style::Syslog
            && let Some(stamp_end) = syslog::monotonic_end(line)
        {
            return Start::Entry { at: None, stamp_end };
        }
        self.of_undated(line)
    }

    fn of_undated(&mut self, line: &[u8]) -> Start {
        // `api-1  | {"level":"info","time":…}`: JSON behind the name of a container.
        let inner = records::strip_prefix(line);
        if inner.len() < line.len() && inner.starts_with(b"{") && inner.ends_with(b"}") {
            let at = self.time_of_object(inner).or(self.dating.previous());
            return Start::Entry { at, stamp_end: 0 };
        }
        if self.continues(line) {
            return Start::Continues;
        }
        Start::Entry { at: self.dating.previous(), stamp_end: 0 }
    }

    fn continues(&mut self, line: &[u8]) -> bool {
        if self.is_dated && records::starts_record(line) {
            self.loose = 0;
            return false;
        }
        let indent = if self.is_indented { line.len() - line.trim_ascii_start().len() } else { 0 };
        if self.continuations.continues(line.get(indent..).unwrap_or(&[])) {
            return true;
        }
        self.loose += 1;
        self.is_dated && !self.is_sparsely_dated && self.loose <= MAX_LOOSE
    }

    fn of_indented(&self, line: &[u8]) -> Start {
        if records::is_indented_record(line) {
            return Start::Entry { at: self.dating.previous(), stamp_end: 0 };
        }
        Start::Continues
    }

    fn of_object(&mut self, line: &[u8]) -> Start {
        if self.style == Style::Docker
            && let Some((message, is_full)) = style::docker_log(line)
        {
            let is_stderr = memchr::memmem::rfind(line, b"\"stream\":\"stderr\"").is_some();
            let at = self.time_of_object(line);
            let start = Start::Entry { at, stamp_end: 0 };
            let mut decoded = Vec::new();
            json::unescape(message, &mut decoded);
            return self.part(start, &decoded, is_full, Stream { is_stderr });
        }
        let is_entry =
            self.style == Style::Json || json::members(line).any(|member| is_level_key(member.key));
        if !is_entry {
            return self.of_text(line);
        }
        let at = self.time_of_object(line).or(self.dating.previous());
        Start::Entry { at, stamp_end: 0 }
    }

    fn time_of_object(&mut self, line: &[u8]) -> Option<Timestamp> {
        let stamp = json::time(line)?;
        self.is_dated = true;
        self.loose = 0;
        self.dating.instant(stamp)
    }

    /// The time in an object of several lines, which is an entry of its own in an undated file.
    pub(super) fn time_of_pretty_object(&mut self, object: &[u8]) -> Option<Timestamp> {
        json::time(object).and_then(|stamp| self.dating.instant(stamp))
    }

    fn of_cri(&mut self, line: &[u8]) -> Start {
        let Some(dated) = self.dating.date(line) else { return self.of_undated(line) };
        self.is_dated = true;
        let start = Start::Entry { at: dated.at, stamp_end: dated.end };
        let Some((message, is_full)) = style::cri_log(line, dated.end) else { return start };
        let is_stderr = line.get(dated.end..).is_some_and(|rest| rest.starts_with(b" stderr"));
        let message = line.get(message).unwrap_or(&[]);
        self.part(start, message, is_full, Stream { is_stderr })
    }

    /// A line of a container, or a part of one. The container dates each line of a stack trace,
    /// which belongs to the line before it in the same stream all the same.
    fn part(&mut self, start: Start, message: &[u8], is_full: bool, stream: Stream) -> Start {
        let is_rest = std::mem::replace(&mut self.is_partial, !is_full);
        let continues = is_rest || self.continues_in_container(message);
        // The other stream's lines come between.
        let is_same_stream = self.container_stream.replace(stream) == Some(stream);
        if continues && is_same_stream { Start::Continues } else { start }
    }

    fn continues_in_container(&mut self, message: &[u8]) -> bool {
        if records::starts_record(message.trim_ascii_start()) {
            self.continuations = Continuations::default();
            return false;
        }
        if message.starts_with(b" ") || message.starts_with(b"\t") {
            return !records::is_indented_record(message);
        }
        if !self.continuations.continues(message) {
            return false;
        }
        let is_record = stamp::find(message).is_some();
        if is_record {
            self.continuations = Continuations::default();
        }
        !is_record
    }

    /// Whether the line is one that journalctl prints between entries.
    fn takes_remark(&mut self, line: &[u8]) -> bool {
        const REMARKS: [&[u8]; 6] = [
            b"-- Journal begins at ",
            b"-- Logs begin at ",
            b"-- No entries --",
            b"-- Reboot --",
            b"-- cursor: ",
            b"Hint: You are currently not seeing messages",
        ];
        if let Some(boot) = line.strip_prefix(b"-- Boot ") {
            self.boot = boot.first_chunk::<32>().copied();
            self.has_new_boot = self.dating.previous().is_some();
            return true;
        }
        if line.starts_with(b"-- Reboot --") {
            self.has_new_boot = true;
        }
        REMARKS.iter().any(|remark| line.starts_with(remark))
    }
}

/// What stands behind the time that `docker logs -t` and `kubectl logs --timestamps` put before
/// each line, always with nine digits of a second.
fn container_message(line: &[u8], stamp_end: usize) -> Option<&[u8]> {
    const STAMP_BYTES: usize = b"2026-05-06T04:49:00.123456789Z".len();
    let is_container = stamp_end == STAMP_BYTES && line.get(stamp_end - 1) == Some(&b'Z');
    line.get(stamp_end..).filter(|_| is_container)?.strip_prefix(b" ")
}

/// `#Fields: date time …` and its like, <https://www.w3.org/TR/WD-logfile.html>.
fn is_w3c_directive(line: &[u8]) -> bool {
    const DIRECTIVES: [&[u8]; 7] = [
        b"#Version:",
        b"#Fields:",
        b"#Software:",
        b"#Start-Date:",
        b"#End-Date:",
        b"#Date:",
        b"#Remark:",
    ];
    DIRECTIVES.iter().any(|directive| line.starts_with(directive))
}

/// A key that an object has only if a logger wrote it: an object among the lines of another style
/// may as well be a response that was logged as the continuation of an entry.
fn is_level_key(key: &[u8]) -> bool {
    const KEYS: [&[u8]; 6] =
        [b"level", b"severity", b"lvl", b"levelname", b"log.level", b"loglevel"];
    KEYS.iter().any(|name| key.eq_ignore_ascii_case(name))
}
