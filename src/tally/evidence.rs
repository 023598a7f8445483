//! Evidence: of each minute and class the first event and the last, with the place at which each
//! can be found again.
//!
//! Of two tallies' evidence the earlier first event and the later last one are kept. Where times
//! are equal, a journal's entry goes before a line of a text, then the earlier source before the
//! later one; within a source, the first is the one that was read first, and the last the one that
//! was read last. That is an order without ties, so that evidence can be merged in any order.

use std::cmp::Reverse;
use std::path::Path;
use std::sync::Arc;

use super::HourlyMap;
use crate::entry::{Cursor, Origin, OwnedOrigin};
use crate::rules::ClassIndex;
use crate::source::{Event, Repeats};
use crate::time::{Minute, Timestamp};

/// So many bytes of a message are kept at the most.
pub const MAX_MESSAGE_BYTES: usize = 512;
/// So many bytes of all messages of a tally: the more minutes have events, the less is kept of each
/// message.
const MAX_MESSAGES_BYTES: usize = 16 << 20;
/// systemd's cursors are shorter; of another one no more is kept.
const MAX_CURSOR_BYTES: usize = 512;

/// An event that proves an edge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// When it was logged.
    pub at: Timestamp,
    /// Where it can be found again.
    pub origin: OwnedOrigin,
    /// The beginning of what was logged, where messages are kept: [`MAX_MESSAGE_BYTES`] at the most.
    pub message: Option<Box<str>>,
}

/// The first event of a class in a minute, and the last: the same one, if there is but one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edges {
    /// The first.
    pub first: Evidence,
    /// The last.
    pub last: Evidence,
}

/// When the first event of a class in a minute was, and the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EdgeTimes {
    /// The minute.
    pub minute: Minute,
    /// The class.
    pub class: ClassIndex,
    /// The time of the first.
    pub first: Timestamp,
    /// The time of the last.
    pub last: Timestamp,
}

/// The evidence of a tally, by minute and class.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Book {
    pages: HourlyMap<(Minute, ClassIndex), Page>,
    /// Whether any of them has a message.
    has_messages: bool,
}

/// The events of a minute and class that are kept. Most minutes of most logs have but one.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Page {
    Only(Mark),
    Ends(Box<[Mark; 2]>),
}

/// An event, in few bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Mark {
    at: Timestamp,
    place: Place,
    /// Its number among the events of its source, as far as there is room: [`Repeats`] knows none
    /// of the others.
    number: u32,
    /// Another source has the event, too, so that it does not count here. It stands in for one
    /// that counts.
    is_repeated: bool,
    message: Option<Box<str>>,
}

/// Where an event can be found again. What many have in common is kept once.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    /// The time in the cursor is that of the event.
    Entry {
        journal: Arc<Journal>,
        seqnum: u64,
        monotonic_us: u64,
        xor_hash: u64,
    },
    CursorText {
        source: u32,
        text: Box<str>,
    },
    Line {
        file: Arc<TextFile>,
        line: u64,
    },
}

/// What the cursors of one source and boot have in common.
#[derive(Debug, PartialEq, Eq)]
struct Journal {
    source: u32,
    seqnum_id: [u8; 16],
    boot_id: [u8; 16],
}

#[derive(Debug, PartialEq, Eq)]
struct TextFile {
    source: u32,
    path: Arc<Path>,
}

/// Takes notes of the events of one source.
#[derive(Debug)]
pub(super) struct Keeper {
    /// The source's position in the order of the sources.
    source: u32,
    has_messages: bool,
    /// How many events there were.
    events: u64,
    /// Of the last event that was in a journal.
    journal: Option<Arc<Journal>>,
    /// Of the last event that was in a text.
    file: Option<Arc<TextFile>>,
}

impl Keeper {
    pub(super) fn new(source: usize, has_messages: bool) -> Self {
        let source = u32::try_from(source).unwrap_or(u32::MAX);
        Self { source, has_messages, events: 0, journal: None, file: None }
    }

    /// Counts an event that is no evidence.
    pub(super) fn pass(&mut self) {
        self.events += 1;
    }

    /// Takes an event for evidence, if it is the first or the last of its minute.
    pub(super) fn take(&mut self, event: &Event<'_>, class: ClassIndex, book: &mut Book) {
        let number = short(self.events);
        self.events += 1;
        let Some(at) = event.entry.at else { return };
        let place = self.place(&event.entry.origin, at);
        let mark = Mark { at, place, number, is_repeated: false, message: None };
        let message = self.has_messages.then_some(event.entry.message);
        book.add(class, mark, message);
    }

    /// Adds what was told of a later part of the source to `book`: the evidence `more`, the lines
    /// of which are counted from where the part begins, behind `lines_before`.
    pub(super) fn merge(
        &mut self,
        book: &mut Book,
        later: &Self,
        mut more: Book,
        lines_before: u64,
    ) {
        let events_before = short(self.events);
        for mark in more.marks() {
            mark.number = mark.number.saturating_add(events_before);
            if let Place::Line { line, .. } = &mut mark.place {
                *line += lines_before;
            }
        }
        self.events += later.events;
        book.merge(more);
    }

    fn place(&mut self, origin: &Origin<'_>, at: Timestamp) -> Place {
        let is_at = |cursor: &Cursor| i64::try_from(cursor.realtime_us) == Ok(at.micros());
        match *origin {
            Origin::Cursor(cursor) if is_at(&cursor) => self.entry(cursor),
            Origin::Cursor(cursor) => self.cursor_text(cursor.to_string().as_bytes()),
            Origin::CursorText(text) => match Cursor::from_text(text).filter(is_at) {
                Some(cursor) => self.entry(cursor),
                None => self.cursor_text(text),
            },
            Origin::Line { path, line } => {
                let file = self.file.take().filter(|file| *file.path == *path);
                let source = self.source;
                let file = file.unwrap_or_else(|| Arc::new(TextFile { source, path: path.into() }));
                self.file = Some(Arc::clone(&file));
                Place::Line { file, line }
            }
        }
    }

    fn entry(&mut self, cursor: Cursor) -> Place {
        let Cursor { seqnum_id, boot_id, seqnum, monotonic_us, xor_hash, .. } = cursor;
        let new = Journal { source: self.source, seqnum_id, boot_id };
        let journal = self.journal.take().filter(|journal| **journal == new);
        let journal = journal.unwrap_or_else(|| Arc::new(new));
        self.journal = Some(Arc::clone(&journal));
        Place::Entry { journal, seqnum, monotonic_us, xor_hash }
    }

    fn cursor_text(&self, text: &[u8]) -> Place {
        Place::CursorText { source: self.source, text: beginning(text, MAX_CURSOR_BYTES) }
    }
}

fn short(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

impl Book {
    /// The first event and the last.
    pub(super) fn edges(&self, minute: Minute, class: ClassIndex) -> Option<Edges> {
        let page = self.pages.get((minute, class))?;
        Some(Edges { first: page.first().evidence(), last: page.last().evidence() })
    }

    /// When the first event of each minute and class was, and the last; in the order of time.
    pub(super) fn times(&self) -> impl Iterator<Item = EdgeTimes> {
        self.pages.iter().map(|((minute, class), page)| EdgeTimes {
            minute,
            class,
            first: page.first().at,
            last: page.last().at,
        })
    }

    fn add(&mut self, class: ClassIndex, mark: Mark, message: Option<&[u8]>) {
        let key = (mark.at.minute(), class);
        self.has_messages |= message.is_some();
        let most_bytes = most_message_bytes(self.pages.len());
        let mut keep = |mut mark: Mark| {
            mark.message = message.map(|message| beginning(message, most_bytes));
            mark
        };
        if let Some(page) = self.pages.get_mut(key) {
            return page.add(mark, &mut keep);
        }
        let page = Page::Only(keep(mark));
        self.pages.get_or_insert_with(key, || page);
        self.shorten_from(most_bytes);
    }

    /// Adds the evidence of another tally.
    pub(super) fn merge(&mut self, mut other: Self) {
        let most_bytes = most_message_bytes(self.pages.len());
        if other.has_messages {
            other.marks().for_each(|mark| mark.shorten(most_bytes));
        }
        self.has_messages |= other.has_messages;
        self.pages.merge(other.pages, Page::merge);
        self.shorten_from(most_bytes);
    }

    /// Takes out what the source repeats of another one. `is_left` says whether there are still
    /// events.
    ///
    /// Where they are neither the first nor the last of the minute, one that is repeated stands in
    /// for them: it was logged at their time, and gives way to any that counts.
    pub(super) fn take_repeats(
        &mut self,
        repeats: &Repeats,
        is_left: impl Fn(Minute, ClassIndex) -> bool,
    ) {
        let is_repeated = |mark: &Mark| repeats.contains(u64::from(mark.number), Some(mark.at));
        self.pages.retain(|(minute, class), page| {
            match (is_repeated(page.first()), is_repeated(page.last())) {
                (false, false) => {}
                (true, false) => *page = Page::Only(page.last().clone()),
                (false, true) => *page = Page::Only(page.first().clone()),
                (true, true) => page.marks().iter_mut().for_each(|mark| mark.is_repeated = true),
            }
            is_left(minute, class)
        });
    }

    /// Shortens the messages if there are too many by now for each to have `most_bytes`.
    fn shorten_from(&mut self, most_bytes: usize) {
        let now = most_message_bytes(self.pages.len());
        if self.has_messages && now < most_bytes {
            self.marks().for_each(|mark| mark.shorten(now));
        }
    }

    fn marks(&mut self) -> impl Iterator<Item = &mut Mark> {
        self.pages.values_mut().flat_map(Page::marks)
    }
}

/// How long messages may be where there are so many pages, each of which has two.
fn most_message_bytes(pages: usize) -> usize {
    (MAX_MESSAGES_BYTES / 2 / pages.max(1).next_power_of_two()).min(MAX_MESSAGE_BYTES)
}

/// The beginning of a text, in whole characters.
fn beginning(text: &[u8], most_bytes: usize) -> Box<str> {
    const LONGEST_CHARACTER: usize = 4;
    let most_read = most_bytes + LONGEST_CHARACTER - 1;
    let mut text = String::from_utf8_lossy(text.get(..most_read).unwrap_or(text)).into_owned();
    text.truncate(text.floor_char_boundary(most_bytes));
    text.into()
}

impl Page {
    fn first(&self) -> &Mark {
        match self {
            Self::Only(only) => only,
            Self::Ends(ends) => &ends[0],
        }
    }

    fn last(&self) -> &Mark {
        match self {
            Self::Only(only) => only,
            Self::Ends(ends) => &ends[1],
        }
    }

    fn marks(&mut self) -> &mut [Mark] {
        match self {
            Self::Only(only) => std::slice::from_mut(only),
            Self::Ends(ends) => &mut ends[..],
        }
    }

    /// Adds an event; what is to be kept passes through `keep`.
    fn add(&mut self, mark: Mark, keep: &mut dyn FnMut(Mark) -> Mark) {
        let (is_first, is_last) = (mark.is_before(self.first()), mark.is_after(self.last()));
        match (self, is_first, is_last) {
            (_, false, false) => {}
            (page, true, true) => *page = Self::Only(keep(mark)),
            (Self::Ends(ends), true, false) => ends[0] = keep(mark),
            (Self::Ends(ends), false, true) => ends[1] = keep(mark),
            (page, true, false) => *page = Self::Ends(Box::new([keep(mark), page.last().clone()])),
            (page, false, true) => *page = Self::Ends(Box::new([page.first().clone(), keep(mark)])),
        }
    }

    fn merge(&mut self, other: Self) {
        let mut add = |mark| self.add(mark, &mut |mark| mark);
        match other {
            Self::Only(only) => add(only),
            Self::Ends(ends) => ends.into_iter().for_each(add),
        }
    }
}

impl Mark {
    fn is_before(&self, other: &Self) -> bool {
        let key = |mark: &Self| (mark.is_repeated, mark.at, mark.rank(), mark.sequence());
        key(self) < key(other)
    }

    fn is_after(&self, other: &Self) -> bool {
        let key = |mark: &Self| {
            (Reverse(mark.is_repeated), mark.at, Reverse(mark.rank()), mark.sequence())
        };
        key(self) > key(other)
    }

    /// Which of two events of one time is better evidence: the lower.
    fn rank(&self) -> (u8, u32) {
        match &self.place {
            Place::Entry { journal, .. } => (0, journal.source),
            Place::CursorText { source, .. } => (1, *source),
            Place::Line { file, .. } => (2, file.source),
        }
    }

    /// The order of the events of one source and one time.
    fn sequence(&self) -> u64 {
        match &self.place {
            Place::Entry { seqnum, .. } => *seqnum,
            Place::CursorText { .. } => u64::from(self.number),
            Place::Line { line, .. } => *line,
        }
    }

    fn shorten(&mut self, most_bytes: usize) {
        if let Some(message) = self.message.as_mut().filter(|message| message.len() > most_bytes) {
            *message = beginning(message.as_bytes(), most_bytes);
        }
    }

    fn evidence(&self) -> Evidence {
        let origin = match &self.place {
            Place::Entry { journal, seqnum, monotonic_us, xor_hash } => {
                OwnedOrigin::Cursor(Cursor {
                    seqnum_id: journal.seqnum_id,
                    seqnum: *seqnum,
                    boot_id: journal.boot_id,
                    monotonic_us: *monotonic_us,
                    realtime_us: self.at.micros().unsigned_abs(),
                    xor_hash: *xor_hash,
                })
            }
            Place::CursorText { text, .. } => OwnedOrigin::CursorText(text.to_string()),
            Place::Line { file, line } => {
                OwnedOrigin::Line { path: Arc::clone(&file.path), line: *line }
            }
        };
        Evidence { at: self.at, origin, message: self.message.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_takes_no_more_memory_than_the_documentation_says() {
        assert!(size_of::<Mark>() <= 72, "{}", size_of::<Mark>());
    }

    #[test]
    fn a_beginning_has_whole_characters_and_is_that_of_a_longer_one() {
        assert_eq!(&*beginning(b"abc", 3), "abc");
        assert_eq!(&*beginning("aä接".as_bytes(), 5), "aä");
        assert_eq!(&*beginning("aä接".as_bytes(), 6), "aä接");
        assert_eq!(&*beginning(b"a\xff\xffb", 4), "a\u{fffd}");
        let text = [&b"\xe6\x8e"[..], "ä接\u{1f600}".as_bytes(), b"\xf0\x9f\x98"].concat();
        for longer in 0..20 {
            for bytes in 0..=longer {
                let again = beginning(beginning(&text, longer).as_bytes(), bytes);
                assert_eq!(again, beginning(&text, bytes), "{longer} {bytes}");
            }
        }
    }

    #[test]
    fn more_minutes_have_shorter_messages() {
        assert_eq!([0, 1, 16_384].map(most_message_bytes), [512; 3]);
        assert_eq!(most_message_bytes(16_385), 256);
        assert_eq!(most_message_bytes(usize::MAX / 4), 0);
    }
}
