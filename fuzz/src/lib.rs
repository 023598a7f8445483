//! What the fuzz targets share: a sink that remembers what it was told, and the checks that hold
//! for any bytes at all.
//!
//! `make fuzz` runs every target for a minute, `make fuzz FUZZ_SECONDS=600` for ten. A target
//! fails by a panic, by memory beyond 256 MB or by not coming to an end; libFuzzer leaves the
//! input in `fuzz/target/artifacts`. `seeds.rs` makes what a target begins with.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Cursor, Read};
use std::ops::ControlFlow;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::OnceLock;

use ebbline::rules::{Classifier, RuleSet};
use ebbline::source::compression::Compression;
use ebbline::source::journal::{Duplicates, JournalFile};
use ebbline::source::text::Input;
use ebbline::source::{Damage, Detail, Event, Filter, Progress, Query, Sink, Summary, text};
use ebbline::time::{Minute, Span, Timestamp};

/// 2026-05-06T00:00:00Z: in the middle of the seeds' entries.
pub const MIDDLE_US: i64 = 1_778_025_600_000_000;

/// Rules that match often, so that what follows a match is reached.
const RULES: &str = r#"
[[rule]]
id = "status"
class = "http_503"
pattern = '503'

[[rule]]
id = "pool"
class = "pool_timeout"
pattern = '(?i)pool timed out|connection after'

[[rule]]
id = "slow"
class = "slow"
pattern = 'took 7\d\d? ms'
fields = { SYSLOG_IDENTIFIER = "ngin*" }
"#;

/// What a source told.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Recording {
    pub minutes: BTreeMap<Option<i64>, u64>,
    /// Rule, time, times and message of each event.
    pub events: Vec<(u64, Option<i64>, u32, Vec<u8>)>,
    pub damage: Vec<Damage>,
    pub summary: Option<Summary>,
}

impl Recording {
    fn entries(&self) -> u64 {
        self.minutes.values().sum()
    }

    /// Takes the summary, which must count what the sink was told.
    fn finish(mut self, summary: Summary) -> Self {
        assert_eq!(self.entries(), summary.entries, "the summary counts other entries");
        let undated = self.minutes.get(&None).copied().unwrap_or(0);
        assert_eq!(undated, summary.undated, "the summary counts other entries without a time");
        let events: u64 = self.events.iter().map(|event| u64::from(event.2)).sum();
        assert!(events <= summary.entries, "{events} events of {} entries", summary.entries);
        self.summary = Some(summary);
        self
    }
}

struct Recorder<'a> {
    classifier: &'a Classifier,
    recording: Recording,
}

impl<'a> Recorder<'a> {
    fn new(classifier: &'a Classifier) -> Self {
        Self { classifier, recording: Recording::default() }
    }
}

impl Sink for Recorder<'_> {
    fn entries(&mut self, minute: Option<Minute>, count: u64) {
        *self.recording.minutes.entry(minute.map(Minute::index)).or_default() += count;
    }

    fn event(&mut self, event: &Event<'_>) -> ControlFlow<()> {
        let rule = &self.classifier.rules().rule(event.rule).id;
        let rule = rule.bytes().fold(0, |sum, byte| sum * 31 + u64::from(byte));
        let at = event.entry.at.map(Timestamp::micros);
        self.recording.events.push((rule, at, event.times, event.entry.message.to_vec()));
        ControlFlow::Continue(())
    }

    fn damage(&mut self, damage: Damage) {
        assert!(!damage.problem.is_empty() && !damage.problem.ends_with('.'), "{damage:?}");
        self.recording.damage.push(damage);
    }
}

fn classifier() -> &'static Classifier {
    static CLASSIFIER: OnceLock<Classifier> = OnceLock::new();
    CLASSIFIER.get_or_init(|| match RuleSet::empty().with_file("fuzz", RULES) {
        Ok(rules) => Classifier::new(rules),
        Err(error) => panic!("{error}"),
    })
}

fn ask<T>(span: Span, detail: Detail, put: impl FnOnce(&Query<'_>) -> T) -> T {
    let filter = Filter::default();
    let progress = Progress::default();
    let zone = chrono_tz::Europe::Berlin;
    put(&Query {
        classifier: classifier(),
        filter: &filter,
        span,
        zone,
        detail,
        changes: true,
        watch: None,
        progress: &progress,
    })
}

/// Reads a text in pieces of the given sizes; 0: all at once.
fn read_text(bytes: &[u8], piece_bytes: usize, span: Span) -> Recording {
    let input = Input {
        path: Path::new("fuzz.log"),
        modified: Timestamp::from_micros(MIDDLE_US),
        can_reopen: true,
    };
    ask(span, Detail::Entries, |query| {
        let mut recorder = Recorder::new(query.classifier);
        let mut open = || -> io::Result<Box<dyn Read + Send>> {
            Ok(Box::new(Pieces { bytes: Cursor::new(bytes.to_vec()), piece_bytes, turn: 0 }))
        };
        match text::read(input, &mut open, query, &mut recorder) {
            Ok(summary) => recorder.recording.finish(summary),
            Err(error) => panic!("bytes in memory could not be read: {error}"),
        }
    })
}

/// Gives bytes in pieces of at most `piece_bytes`, every third of them a single byte.
struct Pieces {
    bytes: Cursor<Vec<u8>>,
    piece_bytes: usize,
    turn: usize,
}

impl Read for Pieces {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.turn += 1;
        let size = match self.piece_bytes {
            0 => buffer.len(),
            _ if self.turn.is_multiple_of(3) => 1,
            size => size,
        };
        let size = size.min(buffer.len());
        self.bytes.read(buffer.get_mut(..size).unwrap_or_default())
    }
}

/// Whatever the text: reading it in pieces gives what reading it at once gives, and of an entry
/// that has a time either the span before a moment or the span after it has it.
pub fn check_text(bytes: &[u8]) {
    let whole = read_text(bytes, 0, Span::default());
    // How much a decoder gives before it finds its stream damaged depends on how much it was fed.
    if Compression::of(bytes).is_some() && !whole.damage.is_empty() {
        return;
    }
    let piece_bytes = 1 + bytes.iter().map(|&byte| usize::from(byte)).sum::<usize>() % 97;
    let pieces = read_text(bytes, piece_bytes, Span::default());
    assert!(whole == pieces, "in pieces of {piece_bytes} bytes: {whole:#?} became {pieces:#?}");
    let undated = whole.minutes.get(&None).copied().unwrap_or(0);
    let [before, after] = spans().map(|span| read_text(bytes, 0, span).entries());
    assert_eq!(before + after, whole.entries() - undated, "{before} before, {after} after");
}

fn spans() -> [Span; 2] {
    let Some(middle) = Timestamp::from_micros(MIDDLE_US) else { panic!("no time") };
    [
        Span { until: Some(middle), ..Span::default() },
        Span { since: Some(middle), ..Span::default() },
    ]
}

/// Whatever the bytes behind a journal's first ones: its entries are before a moment or after it,
/// and how much of an event is asked for does not change how many there are.
pub fn check_journal(bytes: &[u8]) {
    let Ok(file) = file_of(bytes) else { panic!("no temporary file could be made") };
    let Ok(journal) = JournalFile::open(Path::new("fuzz.journal"), file) else { return };
    let whole = sweep(&journal, Span::default(), Detail::Entries);
    let counts = sweep(&journal, Span::default(), Detail::Counts);
    assert_eq!(whole, counts);
    let [before, after] = spans().map(|span| sweep(&journal, span, Detail::Counts).entries());
    assert_eq!(before + after, whole.entries(), "{before} before, {after} after");
    journal.boots();
}

fn sweep(journal: &JournalFile, span: Span, detail: Detail) -> Recording {
    ask(span, detail, |query| {
        let duplicates = Duplicates::new([journal.facts()]);
        let mut recorder = Recorder::new(query.classifier);
        let summary = journal.sweep(query, &duplicates, &mut recorder);
        recorder.recording.finish(summary)
    })
}

/// A file with these bytes; one file is used again and again.
fn file_of(bytes: &[u8]) -> io::Result<File> {
    static FILE: OnceLock<File> = OnceLock::new();
    let file = match FILE.get() {
        Some(file) => file,
        None => {
            let file = tempfile::tempfile()?;
            FILE.get_or_init(|| file)
        }
    };
    file.set_len(0)?;
    file.write_all_at(bytes, 0)?;
    file.try_clone()
}
