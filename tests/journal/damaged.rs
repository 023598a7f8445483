//! Damaged files: no panic, no entry that journalctl still finds is lost, and none is invented.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use ebbline::rules::Classifier;
use ebbline::source::journal::{Duplicates, JournalError, JournalFile};
use ebbline::source::{Detail, Filter, Progress, Query, Summary};
use ebbline::time::Span;

use crate::journals::{Random, mixed_entries, write_journal_with};
use crate::oracle::{Answer, Collector, classifier};
use crate::writer::{Codec, journal_bytes};

const ENTRIES: usize = 300;

struct Outcome {
    answer: Answer,
    damaged: bool,
    summary: Summary,
}

/// The native reader's answer; `None` where the file is no journal that it knows.
fn read(path: &Path, classifier: &Classifier) -> Option<Outcome> {
    let progress = Progress::default();
    let filter = Filter::default();
    let query = Query {
        classifier,
        filter: &filter,
        span: Span::default(),
        zone: chrono_tz::UTC,
        detail: Detail::Entries,
        progress: &progress,
    };
    let file = match JournalFile::open(path, std::fs::File::open(path).unwrap()) {
        Ok(file) => file,
        Err(JournalError::Io { error, .. }) => panic!("{error}"),
        Err(_) => return None,
    };
    let duplicates = Duplicates::new([file.facts()]);
    let mut sink = Collector::new(classifier);
    let summary = file.sweep(&query, &duplicates, &mut sink);
    file.boots();
    Some(Outcome { answer: sink.answer, damaged: !sink.damage.is_empty(), summary })
}

/// The cursors that journalctl prints; it may well be killed by its own assertions on the way.
fn journalctl_cursors(path: &Path) -> BTreeSet<String> {
    let output = Command::new("journalctl")
        .args(["--quiet", "--no-pager", "-o", "export", "--output-fields=_BOOT_ID", "--file"])
        .arg(path)
        .output()
        .unwrap();
    let lines = output.stdout.split(|&byte| byte == b'\n');
    lines
        .filter_map(|line| line.strip_prefix(b"__CURSOR="))
        .map(|cursor| String::from_utf8(cursor.to_vec()).unwrap())
        .collect()
}

/// A healthy file of each kind.
fn originals(folder: &Path) -> Vec<Vec<u8>> {
    let entries = mixed_entries(ENTRIES, 77);
    let compact = folder.join("compact.journal");
    write_journal_with(&compact, &entries, &[]);
    let regular = folder.join("regular.journal");
    write_journal_with(&regular, &entries, &[("SYSTEMD_JOURNAL_COMPACT", "0")]);
    vec![
        std::fs::read(compact).unwrap(),
        std::fs::read(regular).unwrap(),
        journal_bytes(&entries, Codec::Lz4, true),
        journal_bytes(&entries, Codec::Xz, false),
    ]
}

fn assert_no_fewer(path: &Path, classifier: &Classifier, what: &str) {
    let oracle = journalctl_cursors(path).len() as u64;
    match read(path, classifier) {
        Some(outcome) => {
            let entries = outcome.answer.entries();
            assert!(entries >= oracle, "{what}: {entries} entries, journalctl {oracle}");
            assert!(entries <= ENTRIES as u64, "{what}: {entries} entries are invented");
        }
        None => assert_eq!(oracle, 0, "{what}: refused, journalctl reads {oracle}"),
    }
}

#[test]
fn a_flipped_byte_costs_no_entry_that_journalctl_still_reads() {
    let folder = tempfile::tempdir().unwrap();
    let classifier = classifier();
    let path = folder.path().join("flipped.journal");
    let mut random = Random(98765);
    let flips: usize = std::env::var("EBBLINE_FLIPS").map_or(60, |flips| flips.parse().unwrap());
    for (variant, original) in originals(folder.path()).iter().enumerate() {
        for round in 0..flips {
            let mut bytes = original.clone();
            // A quarter of the flips hit the header, where they hurt most, the others what is
            // behind the hash tables.
            let used = bytes.iter().rposition(|&byte| byte != 0).unwrap() as u64;
            let at = if round % 4 == 0 {
                random.below(272)
            } else {
                used - random.below(used.min(100_000))
            };
            let at = at as usize;
            bytes[at] ^= (1 + random.below(255)) as u8;
            std::fs::write(&path, &bytes).unwrap();
            assert_no_fewer(
                &path,
                &classifier,
                &format!("variant {variant}, byte {at}, {:#x}", bytes[at]),
            );
        }
    }
}

#[test]
fn an_entry_array_that_points_beyond_any_file_costs_no_entry() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("array.journal");
    let mut bytes = journal_bytes(&mixed_entries(ENTRIES, 3), Codec::None, false);
    // The writer puts the array of all entries last; this is its last item's highest byte.
    *bytes.last_mut().unwrap() = 0xf1;
    std::fs::write(&path, &bytes).unwrap();
    let outcome = read(&path, &classifier()).unwrap();
    assert_eq!(outcome.answer.entries(), ENTRIES as u64);
}

#[test]
fn a_truncated_file_gives_all_that_is_left_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let classifier = classifier();
    let path = folder.path().join("short.journal");
    let mut random = Random(99);
    for (variant, original) in originals(folder.path()).iter().enumerate() {
        let used = original.iter().rposition(|&byte| byte != 0).unwrap() as u64 + 1;
        // The entries are in the last part, behind the hash tables.
        let mut lengths: Vec<u64> = (0..20).map(|_| random.below(used)).collect();
        lengths.extend((0..40).map(|_| used - 1 - random.below((used - 1).min(100_000))));
        lengths.sort_unstable();
        let mut before = 0;
        for length in lengths {
            std::fs::write(&path, &original[..length as usize]).unwrap();
            assert_no_fewer(&path, &classifier, &format!("variant {variant}, {length} bytes"));
            let Some(outcome) = read(&path, &classifier) else { continue };
            let entries = outcome.answer.entries();
            assert!(entries >= before, "{length} bytes: {entries} entries, fewer than of less");
            before = entries;
            assert!(outcome.damaged, "variant {variant}, {length} bytes: no damage told");
            assert_eq!(outcome.summary.skipped, ENTRIES as u64 - entries);
        }
        assert!(before > ENTRIES as u64 / 2);
    }
}

/// The last 30 pages, which hold the entries, and a few of the hash tables before them.
fn pages(last: usize) -> impl Iterator<Item = usize> {
    let first_of_last = last.saturating_sub(30).max(1);
    (1..first_of_last).step_by(last / 10 + 1).chain(first_of_last..=last)
}

#[test]
fn a_page_of_zeros_costs_only_what_was_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let classifier = classifier();
    let path = folder.path().join("hole.journal");
    for (variant, original) in originals(folder.path()).iter().enumerate() {
        let used = original.iter().rposition(|&byte| byte != 0).unwrap();
        let last = used / 4096;
        for page in pages(last) {
            let mut bytes = original.clone();
            bytes[page * 4096..].iter_mut().take(4096).for_each(|byte| *byte = 0);
            std::fs::write(&path, &bytes).unwrap();
            assert_no_fewer(&path, &classifier, &format!("variant {variant}, page {page}"));
            let outcome = read(&path, &classifier).unwrap();
            // The smallest entry takes 64 bytes and its items.
            let entries = outcome.answer.entries();
            assert!(entries + 4096 / 68 >= ENTRIES as u64, "page {page}: {entries} entries");
        }
    }
}

#[test]
fn garbage_behind_a_journals_first_bytes_is_survived() {
    let folder = tempfile::tempdir().unwrap();
    let classifier = classifier();
    let path = folder.path().join("garbage.journal");
    let mut random = Random(4);
    for length in [0, 7, 8, 100, 207, 208, 272, 5000, 300_000] {
        for _ in 0..20 {
            let mut bytes = b"LPKSHHRH".to_vec();
            // Mostly small numbers, which look like types, flags and sizes.
            bytes.extend((0..length).map(|_| (random.next() as u8) >> (random.below(9).min(7))));
            bytes.truncate(length);
            if let Some(flags) = bytes.get_mut(12..16) {
                flags.copy_from_slice(&[28, 0, 0, 0]);
            }
            std::fs::write(&path, &bytes).unwrap();
            read(&path, &classifier);
        }
    }
}
