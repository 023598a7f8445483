//! Files that shrink or go away while they are read: no SIGBUS, which would end this process, and
//! what was read until then counts.

use std::fs::File;
use std::ops::ControlFlow;
use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;

use ebbline::source::journal::{Duplicates, JournalFile};
use ebbline::source::{Damage, Detail, Event, Filter, Progress, Query, Sink, Summary};
use ebbline::time::{Minute, Span};

use crate::journals::{mixed_entries, write_journal};
use crate::oracle::classifier;

const ENTRIES: usize = 6000;

/// Does something to the file at the first event, and counts.
struct Saboteur<'a> {
    sabotage: Option<&'a dyn Fn()>,
    entries: u64,
    damage: Vec<Damage>,
}

impl Sink for Saboteur<'_> {
    fn entries(&mut self, _minute: Option<Minute>, count: u64) {
        self.entries += count;
    }

    fn event(&mut self, _event: &Event<'_>) -> ControlFlow<()> {
        if let Some(sabotage) = self.sabotage.take() {
            sabotage();
        }
        ControlFlow::Continue(())
    }

    fn damage(&mut self, damage: Damage) {
        self.damage.push(damage);
    }
}

/// A journal, made once.
fn journal() -> &'static [u8] {
    static JOURNAL: OnceLock<Vec<u8>> = OnceLock::new();
    JOURNAL.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("one.journal");
        write_journal(&path, &mixed_entries(ENTRIES, 12));
        std::fs::read(path).unwrap()
    })
}

/// Reads a journal to which `sabotage` happens on the way.
fn read_while(sabotage: impl Fn(&Path)) -> (Summary, Vec<Damage>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shrinking.journal");
    std::fs::write(&path, journal()).unwrap();
    let classifier = classifier();
    let query = Query {
        classifier: &classifier,
        filter: &Filter::default(),
        span: Span::default(),
        zone: chrono_tz::UTC,
        detail: Detail::Entries,
        changes: false,
        watch: None,
        progress: &Progress::default(),
    };
    let journal = JournalFile::open(&path, File::open(&path).unwrap()).unwrap();
    let happens = || sabotage(&path);
    let mut sink = Saboteur { sabotage: Some(&happens), entries: 0, damage: Vec::new() };
    let duplicates = Duplicates::new([journal.facts()]);
    let summary = journal.sweep(&query, &duplicates, &mut sink);
    assert_eq!(sink.entries, summary.entries);
    (summary, sink.damage)
}

fn cut(path: &Path, length: impl Fn(u64) -> u64) {
    let file = File::options().write(true).open(path).unwrap();
    file.set_len(length(file.metadata().unwrap().len())).unwrap();
}

#[test]
fn a_journal_that_is_emptied_gives_what_was_read_before() {
    let (summary, damage) = read_while(|path| cut(path, |_| 0));
    assert!(summary.entries > 0 && summary.entries < ENTRIES as u64, "{summary:?}");
    assert_eq!(summary.skipped, ENTRIES as u64 - summary.entries);
    assert!(damage.iter().any(|piece| piece.problem.contains("ends in the middle")), "{damage:?}");
}

#[test]
fn a_journal_that_is_cut_in_half_gives_its_first_half() {
    // The hash tables take up the first four of its megabytes. Every cut but few is in the middle
    // of an object.
    for less in 0..9 {
        let (summary, damage) = read_while(|path| cut(path, |size| size * 5 / 8 - less * 56));
        assert!(summary.entries > 0 && summary.entries < ENTRIES as u64, "{summary:?}");
        assert!(!damage.is_empty());
    }
}

#[test]
fn a_journal_that_is_rotated_away_and_deleted_is_read_to_its_end() {
    let (summary, damage) = read_while(|path| {
        let rotated = path.with_extension("rotated");
        std::fs::rename(path, &rotated).unwrap();
        std::fs::write(path, b"another file").unwrap();
        std::fs::remove_file(rotated).unwrap();
    });
    assert_eq!((summary.entries, damage), (ENTRIES as u64, Vec::new()));
}

#[test]
fn the_command_survives_files_that_shrink_and_grow_under_it() {
    let folder = tempfile::tempdir().unwrap();
    let journal = folder.path().join("one.journal");
    std::fs::write(&journal, self::journal()).unwrap();
    let text = folder.path().join("one.log");
    std::fs::write(&text, "2026-05-06 04:49:00 status=503 took long\n".repeat(100_000)).unwrap();
    let files = [journal, text].map(|path| {
        let content = std::fs::read(&path).unwrap();
        (path, content)
    });
    for round in 0..10 {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ebbline"));
        command.args(["timeline", "-o", "json"]).arg(folder.path());
        let run = std::thread::spawn(move || command.output().unwrap());
        while !run.is_finished() {
            for (path, content) in &files {
                cut(path, |size| if round % 2 == 0 { 0 } else { size / 2 });
                std::fs::write(path, content).unwrap();
            }
        }
        let output = run.join().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        // Whatever was there, it was read, or said to be nothing.
        assert!(matches!(output.status.code(), Some(0 | 1)), "{}: {said}", output.status);
    }
}
