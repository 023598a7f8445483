//! Where entries start: for each line of a text log, whether it begins an entry, and when that
//! was logged.

use chrono_tz::Tz;

use super::dating::Dating;
use super::detect::LineTraits;
use super::json;
use super::records::{self, Continuations};
use super::style::{self, Style};
use super::syslog;
use crate::time::Timestamp;

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

/// Decides for the lines of one file, in their order.
pub(super) struct Starts {
    style: Style,
    dating: Dating,
    /// Whether the file's entries carry times: an undated line then is the exception.
    is_dated: bool,
    /// Whether the file's entries begin with white space, so that indentation says nothing.
    is_indented: bool,
    /// Whether a number at a line's start is a time.
    has_epochs: bool,
    /// A part of a container's line that the next line goes on with.
    is_partial: bool,
    continuations: Continuations,
    boot: Option<[u8; 32]>,
}

impl Starts {
    /// `traits`: what the file's first lines have in common.
    pub(super) fn new(traits: LineTraits, dating: Dating) -> Self {
        Self {
            style: traits.style,
            dating,
            is_dated: traits.is_dated,
            is_indented: traits.is_indented,
            has_epochs: traits.has_epochs,
            is_partial: false,
            continuations: Continuations::default(),
            boot: None,
        }
    }

    /// The boot that journalctl announced last.
    pub(super) fn boot(&self) -> Option<[u8; 32]> {
        self.boot
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
            return Start::Entry { at: dated.at, stamp_end: dated.end };
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
        let continues = if self.is_dated {
            !records::starts_record(line)
        } else {
            let indent =
                if self.is_indented { line.len() - line.trim_ascii_start().len() } else { 0 };
            self.continuations.continues(line.get(indent..).unwrap_or(&[]))
        };
        if continues {
            return Start::Continues;
        }
        Start::Entry { at: self.dating.previous(), stamp_end: 0 }
    }

    fn of_indented(&self, line: &[u8]) -> Start {
        if records::is_indented_record(line) {
            return Start::Entry { at: self.dating.previous(), stamp_end: 0 };
        }
        Start::Continues
    }

    fn of_object(&mut self, line: &[u8]) -> Start {
        if self.style == Style::Docker
            && let Some((_, is_full)) = style::docker_log(line)
        {
            let at = self.time_of_object(line);
            return self.part(at, 0, is_full);
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
        self.dating.instant(stamp)
    }

    /// The time in an object of several lines, which is an entry of its own in an undated file.
    pub(super) fn time_of_pretty_object(&mut self, object: &[u8]) -> Option<Timestamp> {
        json::time(object).and_then(|stamp| self.dating.instant(stamp))
    }

    fn of_cri(&mut self, line: &[u8]) -> Start {
        let Some(dated) = self.dating.date(line) else { return self.of_undated(line) };
        self.is_dated = true;
        let is_full = style::cri_log(line, dated.end).is_none_or(|(_, is_full)| is_full);
        self.part(dated.at, dated.end, is_full)
    }

    /// A line of a container, or a part of one.
    fn part(&mut self, at: Option<Timestamp>, stamp_end: usize, is_full: bool) -> Start {
        let continues = std::mem::replace(&mut self.is_partial, !is_full);
        if continues { Start::Continues } else { Start::Entry { at, stamp_end } }
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
            return true;
        }
        REMARKS.iter().any(|remark| line.starts_with(remark))
    }
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
