//! The two backends agree.
#![cfg(feature = "systemd")]

use std::path::PathBuf;

use ebbline::source::filter::Pattern;
use ebbline::source::journal::{Duplicates, JournalFile, libsystemd};
use ebbline::source::{Detail, Filter, Progress, Query};
use ebbline::time::{Span, Timestamp};

use crate::journals::{START_US, mixed_entries, write_journal};
use crate::oracle::{Collector, assert_same, classifier, open, sweep};

fn read_with_libsystemd(paths: &[PathBuf], filter: &Filter, span: Span) -> (Collected, u64) {
    let classifier = classifier();
    let progress = Progress::default();
    let query = Query {
        classifier: &classifier,
        filter,
        span,
        zone: chrono_tz::UTC,
        detail: Detail::Entries,
        changes: false,
        watch: None,
        progress: &progress,
    };
    let files: Vec<JournalFile> = paths.iter().map(|path| open(path)).collect();
    let duplicates = Duplicates::new(files.iter().map(JournalFile::facts));
    let mut sink = Collector::new(&classifier);
    let mut entries = 0;
    for path in paths {
        let summary = libsystemd::read_file(path, &query, &duplicates, &mut sink).unwrap();
        entries += summary.entries;
    }
    assert_eq!(sink.damage, []);
    ((sink.answer, sink.described), entries)
}

type Collected = (crate::oracle::Answer, Vec<crate::oracle::Described>);

#[test]
fn libsystemd_and_the_native_reader_give_the_same_answers() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mixed.journal");
    let copy = folder.path().join("copy.journal");
    write_journal(&path, &mixed_entries(2000, 11));
    std::fs::copy(&path, &copy).unwrap();
    let at = |hours: u64| Timestamp::from_micros((START_US + hours * 3_600_000_000) as i64);
    let span = Span { since: at(10), until: at(50) };
    let unit = Filter { units: vec![Pattern::unit("api").unwrap()], ..Filter::default() };
    let some = Filter {
        identifiers: vec![Pattern::new("ngin?").unwrap()],
        priorities: Some(0b111_1111),
        boot: Some("0000000000000001000000000000b007".to_owned()),
        ..Filter::default()
    };
    for filter in [Filter::default(), unit, some] {
        for span in [Span::default(), span] {
            let paths = [path.clone(), copy.clone()];
            let native = sweep(&paths, &filter, span);
            let ((answer, mut described), entries) = read_with_libsystemd(&paths, &filter, span);
            assert!(entries > 0);
            assert_same(&answer, &native.answer);
            let mut native_described = native.described;
            described.sort();
            native_described.sort();
            assert_eq!(described, native_described);
        }
    }
}
