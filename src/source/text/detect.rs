//! What a source is, by its first bytes.

use super::packages::{self, Manager};
use super::records::Continuations;
use super::stamp::{self, Layout, Stamp};
use super::style::{self, Style};
use super::{records, syslog, verbose};
use crate::source::SourceKind;

/// So many bytes of a source decide what it is.
pub(super) const HEAD_BYTES: usize = 64 << 10;

/// So many lines are looked at.
const MAX_LINES: usize = 400;

/// So many lines that neither look like part of a stack trace nor begin with white space an entry
/// with a time may have on average: an exception, a statement, the page of a proxy.
const MAX_LOOSE_PER_ANCHOR: usize = 10;

/// What a source turned out to be, and so how it is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// Not a byte.
    Empty,
    /// Nothing that can be read as a log.
    Binary,
    /// A tar archive.
    Archive,
    /// Nothing could be read at all, because of an error that is told elsewhere.
    Unreadable,
    /// `journalctl -o export`.
    Export,
    /// `journalctl -o json` and its variants.
    JournalJson,
    /// `journalctl -o verbose`.
    Verbose,
    /// The log of a package manager.
    Packages(Manager),
    /// Entries of lines.
    Lines(LineTraits),
}

/// What the first lines of a log have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct LineTraits {
    /// How most lines are written.
    pub(super) style: Style,
    /// Whether any line carries a time.
    pub(super) is_dated: bool,
    /// Whether a time is the exception among lines that could each be an entry, as where only a
    /// server's start is dated.
    pub(super) is_sparsely_dated: bool,
    /// Whether entries begin with white space: the first line with content does and carries a
    /// time, or all lines do and none carries one.
    pub(super) is_indented: bool,
    /// Whether there are times without a year.
    pub(super) lacks_year: bool,
    /// Whether a number at a line's start is a time: among lines that are mostly dated otherwise
    /// it is an id or an amount.
    pub(super) has_epochs: bool,
}

impl Form {
    /// The kind by which the source is known outside.
    pub(super) fn kind(self) -> SourceKind {
        match self {
            Self::Empty => SourceKind::Empty,
            Self::Binary | Self::Archive | Self::Unreadable => SourceKind::Binary,
            Self::Export => SourceKind::Export,
            Self::JournalJson => SourceKind::JournalJson,
            Self::Verbose => SourceKind::Syslog,
            Self::Packages(_) => SourceKind::Packages,
            Self::Lines(traits) => match traits.style {
                Style::Syslog => SourceKind::Syslog,
                Style::Json | Style::Docker => SourceKind::Json,
                Style::Plain | Style::Cri => SourceKind::Text,
            },
        }
    }

    /// Whether a first pass must find out the years.
    pub(super) fn lacks_year(self) -> bool {
        matches!(
            self,
            Self::Lines(LineTraits { lacks_year: true, .. }) | Self::Packages(Manager::Yum)
        )
    }
}

/// The form of a source that begins with `head`; `is_whole`: and has no more bytes.
pub(super) fn form(head: &[u8], is_whole: bool) -> Form {
    if head.is_empty() {
        return Form::Empty;
    }
    if head.get(257..262) == Some(b"ustar") {
        return Form::Archive;
    }
    let text = head.get(head.iter().take_while(|&&byte| byte == 0).count()..).unwrap_or(&[]);
    let lines = text.split(|&byte| byte == b'\n').take(MAX_LINES);
    // An export may begin with a binary field, so it is looked for first.
    if lines.clone().any(|line| line.starts_with(b"__REALTIME_TIMESTAMP=")) {
        return Form::Export;
    }
    if is_binary(text) {
        return Form::Binary;
    }
    if lines
        .clone()
        .take(3)
        .any(|line| line.first() != Some(&b' ') && verbose::cursor(line).is_some())
    {
        return Form::Verbose;
    }
    let first = text.strip_prefix(b"data: ").unwrap_or(text).trim_ascii_start();
    let first = first.strip_prefix(b"\x1e").unwrap_or(first);
    if first.starts_with(b"{") && memchr::memmem::find(text, b"\"__REALTIME_TIMESTAMP\"").is_some()
    {
        return Form::JournalJson;
    }
    // The last line may be cut off by the end of the head.
    let whole =
        if is_whole { text.len() } else { memchr::memrchr(b'\n', text).unwrap_or(text.len()) };
    let text = text.get(..whole).unwrap_or(text);
    match packages::manager(text, MAX_LINES) {
        Some(manager) => Form::Packages(manager),
        None => Form::Lines(line_traits(text)),
    }
}

/// Whether these bytes are no text: control characters that no program logs, in such a number
/// that they are no accident. A run of NUL bytes counts once: it is a hole in the file.
fn is_binary(text: &[u8]) -> bool {
    let (mut length, mut controls, mut previous) = (0, 0, None);
    for &byte in text {
        if byte != 0 || previous != Some(0) {
            length += 1;
            controls += usize::from(matches!(byte, 0..=6 | 14..=26 | 28..=31 | 127));
        }
        previous = Some(byte);
    }
    length == 0 || controls * 20 > length
}

/// The style that most lines have, and what else is to be known before they are read.
fn line_traits(text: &[u8]) -> LineTraits {
    let mut votes = [0_usize; 4];
    let mut count = 0;
    let (mut dated, mut epochs, mut lacks_year) = (0_usize, 0_usize, false);
    let (mut anchors, mut loose) = (0_usize, 0_usize);
    let mut continuations = Continuations::default();
    let is_indented = starts_indented(text);
    for line in text.split(|&byte| byte == b'\n').take(MAX_LINES) {
        let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let is_continued = line.first().is_some_and(|first| b" \t".contains(first)) && !is_indented;
        if is_continued || line.is_empty() {
            continue;
        }
        count += 1;
        let found = stamp::find(line);
        if let Some(found) = &found {
            dated += 1;
            epochs += usize::from(records::starts_with_long_number(line));
            lacks_year |= matches!(found.stamp, Stamp::Civil(stamp::Civil { year: None, .. }));
        }
        let vote = match &found {
            Some(found) => style_of_dated(line, found),
            None => style_of_undated(line),
        };
        if found.is_some() || vote != Style::Plain || records::starts_record(line) {
            continuations = Continuations::default();
            anchors += usize::from(found.is_some() || vote != Style::Plain);
        } else {
            loose += usize::from(!continuations.continues(line));
        }
        match vote {
            Style::Plain => {}
            Style::Syslog => votes[0] += 1,
            Style::Json => votes[1] += 1,
            Style::Docker => votes[2] += 1,
            Style::Cri => votes[3] += 1,
        }
    }
    let styles = [Style::Syslog, Style::Json, Style::Docker, Style::Cri];
    let style = styles
        .into_iter()
        .zip(votes)
        .find(|&(_, votes)| votes * 2 > count)
        .map_or(Style::Plain, |(style, _)| style);
    let has_epochs = epochs * 2 >= dated;
    let is_sparsely_dated = loose > MAX_LOOSE_PER_ANCHOR * anchors;
    LineTraits {
        style,
        is_dated: dated > 0,
        is_sparsely_dated,
        is_indented,
        lacks_year,
        has_epochs,
    }
}

/// Whether entries begin with white space.
fn starts_indented(text: &[u8]) -> bool {
    let is_indented = |line: &[u8]| line.first().is_some_and(|first| b" \t".contains(first));
    let mut lines = text.split(|&byte| byte == b'\n').filter(|line| !line.trim_ascii().is_empty());
    let Some(first) = lines.next() else { return false };
    is_indented(first) && (stamp::find(first).is_some() || lines.take(MAX_LINES).all(is_indented))
}

fn style_of_dated(line: &[u8], found: &stamp::Found) -> Style {
    let end = found.range.end;
    match found.layout {
        _ if syslog::rfc3164_end(line).is_some() => Style::Syslog,
        Layout::Iso if style::cri_log(line, end).is_some() => Style::Cri,
        Layout::WeekdayIso => Style::Syslog,
        Layout::Iso | Layout::Epoch if syslog::has_header(line, end) => Style::Syslog,
        _ => Style::Plain,
    }
}

fn style_of_undated(line: &[u8]) -> Style {
    if line.starts_with(b"{\"log\":") {
        Style::Docker
    } else if line.starts_with(b"{") && line.ends_with(b"}") {
        Style::Json
    } else if syslog::monotonic_end(line).is_some_and(|end| syslog::has_header(line, end)) {
        Style::Syslog
    } else {
        Style::Plain
    }
}
