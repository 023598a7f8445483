//! From lines to entries: joins a line and what continues it, and looks only at those entries
//! that can be events or that a filter must see.
//!
//! A search for the rules' needles runs over the whole buffer at once and says where the next
//! candidate stands. An entry that ends before it is counted by its time and never looked at.

use std::ops::{ControlFlow, Range};
use std::path::Path;

use super::detect::LineTraits;
use super::record::Recorder;
use super::starts::{Start, Starts};
use super::style::{self, Style};
use super::window::{Line, Lines, MAX_ENTRY_BYTES};
use crate::entry::{Entry, Origin};
use crate::rules::{Classifier, Places};
use crate::time::Timestamp;

/// Reads the entries of one text log.
pub(super) struct Assembler<'r, 'a, 'q> {
    lines: &'r mut Lines<'a>,
    starts: Starts,
    style: Style,
    recorder: &'r mut Recorder<'q>,
    path: &'r Path,
    candidates: Candidates,
    open: Option<Open>,
    /// The last entry was longer than is kept: what continues it is passed over.
    is_dropping: bool,
    /// The last entry was taken for whole when the log paused: what continues it after that is an
    /// entry of its own.
    is_settled: bool,
    scratch: Scratch,
}

/// What an assembler knows between two readings of a log that grows.
pub(super) struct Assembly {
    starts: Starts,
    style: Style,
    open: Option<Open>,
    is_dropping: bool,
    is_settled: bool,
}

impl Assembly {
    /// Of a log of which nothing was read yet.
    pub(super) fn new(starts: Starts, style: Style) -> Self {
        Self { starts, style, open: None, is_dropping: false, is_settled: false }
    }

    /// Whether the last entry may still go on.
    pub(super) fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// Takes what more of its first lines says about the log.
    pub(super) fn set_traits(&mut self, traits: LineTraits) {
        self.style = traits.style;
        self.starts.set_traits(traits);
    }
}

/// The entry that is being read. Its first byte is the mark of `lines`.
struct Open {
    at: Option<Timestamp>,
    line: u64,
    stamp_end: usize,
    /// From the first byte of the first line to the last byte of the last line with content.
    length: usize,
    line_count: u64,
    is_cut: bool,
    boot: Option<[u8; 32]>,
}

/// Buffers for messages that do not stand in the log as they were logged.
#[derive(Default)]
struct Scratch {
    joined: Vec<u8>,
    decoded: Vec<u8>,
}

impl<'r, 'a, 'q> Assembler<'r, 'a, 'q> {
    /// Reads from `lines`; what begins an entry is decided by `starts`.
    pub(super) fn new(
        lines: &'r mut Lines<'a>,
        starts: Starts,
        style: Style,
        recorder: &'r mut Recorder<'q>,
        path: &'r Path,
    ) -> Self {
        Self::resume(lines, Assembly::new(starts, style), recorder, path)
    }

    /// Goes on with a log that has grown.
    pub(super) fn resume(
        lines: &'r mut Lines<'a>,
        assembly: Assembly,
        recorder: &'r mut Recorder<'q>,
        path: &'r Path,
    ) -> Self {
        let Assembly { starts, style, open, is_dropping, is_settled } = assembly;
        let (candidates, scratch) = (Candidates::default(), Scratch::default());
        Self {
            lines,
            starts,
            style,
            recorder,
            path,
            candidates,
            open,
            is_dropping,
            is_settled,
            scratch,
        }
    }

    /// Reads to the end, or until the sink wants no more. Gives back what decided where entries
    /// start.
    pub(super) fn run(mut self) -> Starts {
        if self.read_on().is_continue() {
            // At the end there is nothing left that a `Break` could end.
            let _ = self.close();
        }
        self.starts
    }

    /// Reads as far as the log goes and leaves its last entry open. `Break`: the sink wants no
    /// more.
    pub(super) fn read_on(&mut self) -> ControlFlow<()> {
        let mut flow = ControlFlow::Continue(());
        while flow.is_continue() {
            self.skim();
            let Some(line) = self.lines.next_line() else { break };
            flow = self.take(line);
        }
        flow
    }

    /// Takes the last entry for whole, as nothing was added to the log for a while.
    pub(super) fn settle(&mut self) -> ControlFlow<()> {
        if !self.lines.is_between_lines() {
            return ControlFlow::Continue(());
        }
        self.is_settled |= self.open.is_some();
        self.close()
    }

    /// What has to be kept until the log has grown.
    pub(super) fn pause(self) -> Assembly {
        let Self { starts, style, open, is_dropping, is_settled, .. } = self;
        Assembly { starts, style, open, is_dropping, is_settled }
    }

    /// Counts entries of one line that are dated like the open one and cannot be events, as far
    /// as they stand in the window: nearly all entries of most logs. The last of them is open
    /// afterwards.
    fn skim(&mut self) {
        let is_plain = matches!(self.style, Style::Plain | Style::Syslog);
        if !is_plain || !self.recorder.is_unfiltered() {
            return;
        }
        let (Some(open), Some(mark)) = (&mut self.open, self.lines.mark()) else { return };
        let Some(near) = self.starts.dating().near() else { return };
        let Some(mut at) = open.at.filter(|_| open.line_count == 1 && !open.is_cut) else { return };
        let bytes = self.lines.bytes();
        let classifier = self.recorder.query().classifier;
        let candidate = self.candidates.next(classifier, bytes, self.lines.generation(), mark);
        let candidate = candidate.unwrap_or(usize::MAX);
        let (mut start, mut next, mut count) = (mark, self.lines.position(), 0);
        while candidate >= next
            && let Some(rest) = bytes.get(next..)
            && let Some(following) = near.read(rest)
            && let Some(length) = memchr::memchr(b'\n', rest)
            && length < MAX_ENTRY_BYTES
        {
            self.recorder.count(Some(at));
            at = following;
            (start, next) = (next, next + length + 1);
            count += 1;
        }
        if count == 0 {
            return;
        }
        let line = bytes.get(start..next - 1).unwrap_or(&[]);
        open.length = line.strip_suffix(b"\r").unwrap_or(line).len();
        open.at = Some(at);
        open.stamp_end = near.end();
        open.boot = self.starts.boot();
        self.lines.pass(count, next);
        open.line = self.lines.number();
        self.lines.set_mark(Some(start));
        self.starts.passed(at);
    }

    fn take(&mut self, line: Line) -> ControlFlow<()> {
        let text = self.lines.bytes().get(line.range.clone()).unwrap_or(&[]);
        match self.starts.of(text) {
            Start::Entry { at, stamp_end } => {
                self.close()?;
                self.begin(&line, at, stamp_end);
            }
            Start::Continues => self.extend(&line),
            Start::Remark => return self.close(),
        }
        let is_too_long = self.open.as_ref().is_some_and(|open| open.length > MAX_ENTRY_BYTES);
        if line.is_cut || is_too_long {
            if let Some(open) = &mut self.open {
                open.is_cut = true;
            }
            self.close()?;
            self.is_dropping = true;
        }
        ControlFlow::Continue(())
    }

    fn begin(&mut self, line: &Line, at: Option<Timestamp>, stamp_end: usize) {
        (self.is_dropping, self.is_settled) = (false, false);
        if self.starts.take_new_boot() {
            self.recorder.tell_boot(at, self.starts.boot());
        }
        self.lines.set_mark(Some(line.range.start));
        self.open = Some(Open {
            at,
            line: line.number,
            stamp_end,
            length: line.range.len(),
            line_count: 1,
            is_cut: false,
            boot: self.starts.boot(),
        });
    }

    /// Adds a line to the open entry; lines before the first entry make one without a time.
    fn extend(&mut self, line: &Line) {
        let text = self.lines.bytes().get(line.range.clone()).unwrap_or(&[]);
        match (&mut self.open, self.lines.mark()) {
            _ if text.trim_ascii_start().is_empty() => {}
            (Some(open), Some(mark)) => {
                open.length = line.range.end.saturating_sub(mark);
                open.line_count += 1;
            }
            _ if self.is_dropping => {}
            _ => {
                let at = self.starts.dating().previous().filter(|_| self.is_settled);
                self.begin(line, at, 0);
            }
        }
    }

    /// Counts the open entry, if there is one.
    fn close(&mut self) -> ControlFlow<()> {
        let (Some(mut open), Some(start)) = (self.open.take(), self.lines.mark()) else {
            return ControlFlow::Continue(());
        };
        self.lines.set_mark(None);
        let range = start..start + open.length.min(MAX_ENTRY_BYTES);
        if open.is_cut {
            let offset = self.lines.offset_of(start);
            let problem = "entry longer than 1 MiB: only its beginning was classified";
            self.recorder.damage(offset, problem);
        }
        let bytes = self.lines.bytes();
        let classifier = self.recorder.query().classifier;
        let can_be_event = is_decoded(self.style, &open, bytes.get(range.clone()))
            || self.candidates.touch(classifier, bytes, self.lines.generation(), &range);
        if open.at.is_none() && open.line_count > 1 && bytes.get(start) == Some(&b'{') {
            let object = bytes.get(range.clone()).unwrap_or(&[]);
            open.at = self.starts.time_of_pretty_object(object);
        }
        if !can_be_event && self.recorder.is_unfiltered() {
            self.recorder.count(open.at);
            return ControlFlow::Continue(());
        }
        let entry = bytes.get(range).unwrap_or(&[]);
        self.scratch.joined.clear();
        self.scratch.decoded.clear();
        let mut entry = open.entry(self.style, entry, &mut self.scratch, self.path);
        if self.style == Style::Syslog
            && let Some((message, times)) = style::repetition(entry.message)
        {
            entry.message = message;
            return self.recorder.record_times(&entry, times);
        }
        self.recorder.record(&entry)
    }
}

impl Open {
    /// The entry whose lines are `lines`.
    fn entry<'b>(
        &'b self,
        style: Style,
        lines: &'b [u8],
        scratch: &'b mut Scratch,
        path: &'b Path,
    ) -> Entry<'b> {
        let first = lines.split(|&byte| byte == b'\n').next().unwrap_or(lines);
        let header = style::header(style, first, self.stamp_end);
        let mut message = lines.get(header.message..).unwrap_or(&[]);
        let cri = (style == Style::Cri).then(|| style::cri_log(first, self.stamp_end)).flatten();
        if self.line_count > 1 || style == Style::Docker {
            style::join_lines(style, message, header.message, &mut scratch.joined);
            message = &scratch.joined;
        } else if let Some((range, _)) = cri {
            message = lines.get(range).unwrap_or(&[]);
        }
        if style == Style::Syslog && style::unescape_rsyslog(message, &mut scratch.decoded) {
            message = &scratch.decoded;
        }
        Entry {
            at: self.at,
            host: header.host,
            boot: self.boot.as_ref().map(<[u8; 32]>::as_slice),
            unit: header.unit,
            identifier: header.identifier,
            pid: header.pid,
            priority: header.priority,
            message,
            origin: Origin::Line { path, line: self.line },
        }
    }
}

/// Whether the message differs from what stands in the buffer, so that a search there proves
/// nothing.
fn is_decoded(style: Style, open: &Open, entry: Option<&[u8]>) -> bool {
    match style {
        Style::Plain | Style::Json => false,
        Style::Syslog | Style::Cri => open.line_count > 1,
        // The last line break is written as an escape; others stand in for any character.
        Style::Docker => {
            open.line_count > 1
                || entry.is_some_and(|entry| {
                    memchr::memchr_iter(b'\\', entry)
                        .any(|at| entry.get(at..at + 3).is_none_or(|escape| escape != b"\\n\""))
                })
        }
    }
}

/// Remembers where in the buffer the next literal stands.
#[derive(Default)]
struct Candidates {
    places: Places,
    generation: Option<u64>,
}

impl Candidates {
    /// The first literal at or after `from`. Calls come with rising `from`.
    #[inline]
    fn next(
        &mut self,
        classifier: &Classifier,
        bytes: &[u8],
        generation: u64,
        from: usize,
    ) -> Option<usize> {
        if self.generation != Some(generation) {
            self.places = Places::default();
            self.generation = Some(generation);
        }
        classifier.find_candidate(bytes, from, &mut self.places)
    }

    /// Whether a literal stands in `range`. Ranges come in rising order.
    #[inline]
    fn touch(
        &mut self,
        classifier: &Classifier,
        bytes: &[u8],
        generation: u64,
        range: &Range<usize>,
    ) -> bool {
        self.next(classifier, bytes, generation, range.start).is_some_and(|next| next < range.end)
    }
}
