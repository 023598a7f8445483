//! The only reader of logs: it takes a question, and pushes answers into a sink.
//!
//! The unit of work is one [`Query`] over many bytes: how many entries in each minute, and which
//! of them does a rule match. A source is given the query and a [`Sink`] and reads through its
//! bytes once. Reading never fails on bad bytes: what can be read is read, and each piece of
//! damage is told to the sink with its place.

pub mod filter;

pub mod watch;

pub mod journal;

pub mod text;

pub mod compression;

mod overheard;

mod copies;

mod shared_events;

mod file_copies;

mod texts;

pub mod discover;

pub mod not_logged;

pub mod change;

mod statement;

pub mod scan;

pub mod follow;

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use chrono_tz::Tz;

use crate::entry::Entry;
use crate::rules::{Classifier, RuleIndex};
use crate::time::{Minute, Span, Timestamp};

pub use change::manager::CHANGE_LITERALS;
pub use change::{ChangeLog, FoundChange};
pub use copies::{KnownEvent, Repeats};
pub use filter::Filter;
pub use not_logged::Remark;
pub use statement::TEXT_LITERALS;
pub use watch::{Sighting, Watch};

/// The question that is put to every source.
pub struct Query<'a> {
    /// Which messages are events.
    pub classifier: &'a Classifier,
    /// Which entries count at all.
    pub filter: &'a Filter,
    /// When they must have been logged. An entry without a time is outside any limited span.
    pub span: Span,
    /// The zone of timestamps that name none.
    pub zone: Tz,
    /// Whether the sink needs the entry of each event, or only its time and rule.
    pub detail: Detail,
    /// Whether the sink is told what changed, of the span and of the hour before it. Filters by
    /// unit, identifier and priority do not limit changes: what explains a unit's failure is often
    /// said of another one.
    pub changes: bool,
    /// Whose entries the sink is told of, whatever they say; `None`: nobody's.
    pub watch: Option<&'a Watch>,
    /// Told how far the reading has come.
    pub progress: &'a Progress,
}

impl Query<'_> {
    /// The time of which changes are told: the span and the hour before it.
    pub fn change_span(&self) -> Span {
        const BEFORE_US: i64 = 3_600_000_000;
        let earlier = |since: Timestamp| Timestamp::from_micros(since.micros() - BEFORE_US);
        let since = self.span.since.map(|since| earlier(since).unwrap_or(Timestamp::MIN));
        Span { since, ..self.span }
    }
}

/// How much of an event's entry a source has to load.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Detail {
    /// Time, message and rule; the other fields may be missing, and the line of a text's entry
    /// may be counted from where a thread began to read: see [`Merge`].
    Counts,
    /// Every field of [`Entry`]; the line of a text's entry may be counted from where a thread
    /// began to read.
    Fields,
    /// Every field of [`Entry`], and lines counted from the text's first.
    Entries,
}

/// How many bytes have been read so far, by all threads together.
#[derive(Debug, Default)]
pub struct Progress {
    bytes: AtomicU64,
}

impl Progress {
    /// Adds bytes that have been read; as counted on disk, before decompression.
    pub fn add(&self, bytes: u64) {
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Bytes read so far.
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }
}

/// An entry that a rule matches.
#[derive(Debug)]
pub struct Event<'a> {
    /// The entry. With [`Detail::Counts`] only its time, message and origin can be relied on.
    pub entry: &'a Entry<'a>,
    /// The rule that matched.
    pub rule: RuleIndex,
    /// How often it was logged: 1, but where a syslog daemon wrote only how often the message
    /// before was repeated.
    pub times: u32,
}

/// Takes what a source finds. Each thread has its own.
pub trait Sink {
    /// `count` more entries were logged in `minute`; `None`: they carry no time.
    ///
    /// Every entry that passes filter and span is told exactly once, events too.
    fn entries(&mut self, minute: Option<Minute>, count: u64);

    /// A rule matches this entry. `Break` ends the reading of this source.
    fn event(&mut self, event: &Event<'_>) -> ControlFlow<()>;

    /// An entry that passes filter and span belongs to a name that the query watches for. Told
    /// beside the entry's event, if it is one. Most sinks do not ask.
    fn sighting(&mut self, _sighting: &Sighting<'_>) {}

    /// Bytes could not be read as what they should be.
    fn damage(&mut self, damage: Damage);

    /// The source tells something about what was not logged. Most sinks do not ask.
    fn remark(&mut self, _remark: Remark) {}

    /// The source tells something that changed, where the query asks for changes.
    fn change(&mut self, _change: FoundChange) {}
}

/// A sink that several readers of one source fill apart, each with a part of it.
pub trait Merge {
    /// Adds what the reader of a later part was told. So many lines stand before that part, from
    /// the beginning of which its reader counted lines.
    fn merge(&mut self, later: Self, lines_before: u64);
}

/// Bytes that could not be read as what they should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// Where in the (decompressed) source it begins, in bytes.
    pub offset_bytes: u64,
    /// What is wrong there, as a phrase without a full stop.
    pub problem: String,
}

/// The pieces of damage of one source, in the order in which they were met.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DamageList {
    /// The first pieces.
    pub pieces: Vec<Damage>,
    /// How many more there were.
    pub more: u64,
}

impl DamageList {
    /// A file of garbage is damaged in every byte: this many pieces tell enough.
    const MAX_PIECES: usize = 100;

    /// Adds one piece.
    pub fn push(&mut self, damage: Damage) {
        if self.pieces.len() < Self::MAX_PIECES {
            self.pieces.push(damage);
        } else {
            self.more += 1;
        }
    }

    /// Adds pieces that were met later.
    pub fn merge(&mut self, later: Self) {
        later.pieces.into_iter().for_each(|damage| self.push(damage));
        self.more += later.more;
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    /// How many pieces there were.
    pub fn count(&self) -> u64 {
        self.pieces.len() as u64 + self.more
    }
}

/// What a source turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SourceKind {
    /// A journal file.
    Journal,
    /// `journalctl -o export`.
    Export,
    /// `journalctl -o json`, `json-pretty`, `json-sse` or `json-seq`.
    JournalJson,
    /// JSON lines of any program.
    Json,
    /// A dump of `journalctl -o short*` or `verbose`, or what a syslog daemon wrote.
    Syslog,
    /// Any other text.
    Text,
    /// The log of a package manager: it has changes, and no entries.
    Packages,
    /// Nothing that can be read as a log.
    Binary,
    /// A file without a byte.
    Empty,
}

impl SourceKind {
    /// Whether such a source is a log of services, in which entries could be.
    pub fn may_have_entries(self) -> bool {
        !matches!(self, Self::Binary | Self::Packages)
    }

    /// The name in output.
    pub fn name(self) -> &'static str {
        match self {
            Self::Journal => "journal",
            Self::Export => "export",
            Self::JournalJson | Self::Json => "json",
            Self::Syslog => "syslog",
            Self::Text => "text",
            Self::Packages => "package",
            Self::Binary => "binary",
            Self::Empty => "empty",
        }
    }
}

/// What was read from one source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// The file, as named or found; `-` for standard input.
    pub path: PathBuf,
    /// What it turned out to be.
    pub kind: SourceKind,
    /// Entries that passed filter and span.
    pub entries: u64,
    /// Of these, entries without a time.
    pub undated: u64,
    /// Size on disk, in bytes.
    pub bytes: u64,
    /// The earliest entry that passed filter and span.
    pub first: Option<Timestamp>,
    /// The latest entry that passed filter and span.
    pub last: Option<Timestamp>,
    /// Entries that another source gave already, or that could not be read.
    pub skipped: u64,
}

impl Summary {
    /// A summary of nothing read yet.
    pub fn new(path: impl Into<PathBuf>, kind: SourceKind) -> Self {
        Self {
            path: path.into(),
            kind,
            entries: 0,
            undated: 0,
            bytes: 0,
            first: None,
            last: None,
            skipped: 0,
        }
    }

    /// Adds what was read of a later part of the same source, or of another file that had its
    /// name.
    pub fn merge(&mut self, later: &Self) {
        self.entries += later.entries;
        self.undated += later.undated;
        self.bytes += later.bytes;
        self.skipped += later.skipped;
        self.first = self.first.into_iter().chain(later.first).min();
        self.last = self.last.into_iter().chain(later.last).max();
    }

    /// Takes all entries for ones that another source gave already.
    pub fn skip_all(&mut self) {
        self.skipped += std::mem::take(&mut self.entries);
        self.undated = 0;
        (self.first, self.last) = (None, None);
    }

    /// Counts an entry logged so many times at `at`.
    #[inline]
    pub fn count(&mut self, at: Option<Timestamp>, times: u64) {
        self.entries += times;
        match at {
            None => self.undated += times,
            Some(at) => {
                if self.first.is_none_or(|first| at < first) {
                    self.first = Some(at);
                }
                if self.last.is_none_or(|last| at > last) {
                    self.last = Some(at);
                }
            }
        }
    }
}
