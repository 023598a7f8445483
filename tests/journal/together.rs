//! Several files read together: what is in two of them counts once, and nothing else is lost.

use std::collections::BTreeSet;
use std::path::PathBuf;

use ebbline::source::Filter;
use ebbline::source::journal::{ClosedJournal, list_boots};
use ebbline::time::Span;
use tempfile::TempDir;

use crate::journals::{START_US, TestEntry, mixed_entries, write_journal};
use crate::oracle::{assert_same, expected, journalctl, open, sweep};
use crate::writer::{Codec, journal_bytes};

fn journal_of(entries: &[TestEntry]) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("one.journal");
    write_journal(&path, entries);
    (folder, path)
}

#[test]
fn a_copy_a_hard_link_and_the_same_file_twice_count_once() {
    let (folder, path) = journal_of(&mixed_entries(1000, 5));
    let copy = folder.path().join("copy.journal");
    let link = folder.path().join("link.journal");
    std::fs::copy(&path, &copy).unwrap();
    std::fs::hard_link(&path, &link).unwrap();
    let once = sweep(std::slice::from_ref(&path), &Filter::default(), Span::default());
    let all = [path.clone(), copy, link, path];
    let together = sweep(&all, &Filter::default(), Span::default());
    assert_same(&together.answer, &once.answer);
    let skipped: u64 = together.summaries.iter().map(|summary| summary.skipped).sum();
    assert_eq!(skipped, 3000);
}

#[test]
fn an_earlier_state_of_a_file_adds_nothing() {
    let (folder, path) = journal_of(&mixed_entries(500, 6));
    let early = folder.path().join("early.journal");
    std::fs::copy(&path, &early).unwrap();
    // Appends, in the same sequence.
    write_journal(&path, &mixed_entries(500, 8));
    let oracle = journalctl(&["--file", path.to_str().unwrap()]);
    let swept = sweep(&[early, path], &Filter::default(), Span::default());
    assert_eq!(oracle.len(), 1000);
    assert_same(&swept.answer, &expected(&oracle));
}

#[test]
fn interleaved_files_of_one_sequence_lose_no_entry() {
    // The writer gives all its files the same sequence, and the same numbers: so each number is
    // used twice, for different entries, as after a restored backup.
    let folder = tempfile::tempdir().unwrap();
    let paths = [31, 32].map(|seed| {
        let path = folder.path().join(format!("{seed}.journal"));
        std::fs::write(&path, journal_bytes(&mixed_entries(300, seed), Codec::None, true)).unwrap();
        path
    });
    let alone: BTreeSet<String> = paths
        .iter()
        .flat_map(|path| journalctl(&["--file", path.to_str().unwrap()]))
        .map(|entry| entry.cursor)
        .collect();
    assert_eq!(alone.len(), 600);
    let swept = sweep(&paths, &Filter::default(), Span::default());
    assert_eq!(swept.answer.entries(), 600);
    assert_eq!(swept.summaries[1].skipped, 0);
}

#[test]
fn boots_are_listed_oldest_first() {
    let boot = |number: u128, hour: u64| {
        let mut entry = TestEntry::new(START_US + hour * 3_600_000_000, b"up");
        entry.boot = number;
        entry
    };
    let (_first_folder, first) = journal_of(&[boot(0xa, 5), boot(0xc, 8), boot(0xc, 9)]);
    let (_second_folder, second) = journal_of(&[boot(0xb, 1), boot(0xa, 6)]);
    let files = [open(&first), open(&second)];
    let listed: Vec<String> =
        list_boots(files.iter().map(|file| file.boots())).iter().map(ToString::to_string).collect();
    let expected: Vec<String> = [0xb, 0xa, 0xc].iter().map(|boot| format!("{boot:032x}")).collect();
    assert_eq!(listed, expected);
}

#[test]
fn boots_are_found_without_a_field_hash_table() {
    let (folder, path) = journal_of(&mixed_entries(300, 9));
    let expected = list_boots([open(&path).boots()]);
    assert_eq!(expected.len(), 3);
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[120..128].fill(0xff);
    let broken = folder.path().join("broken.journal");
    std::fs::write(&broken, bytes).unwrap();
    assert_eq!(list_boots([open(&broken).boots()]), expected);
}

#[test]
fn a_file_that_is_rotated_away_before_its_turn_is_found_again() {
    let (folder, path) = journal_of(&mixed_entries(100, 10));
    let closed = ClosedJournal::read(&path).unwrap().unwrap();
    let archived = folder.path().join("one@0001.journal");
    std::fs::rename(&path, &archived).unwrap();
    assert_eq!(closed.open().unwrap().path(), archived);
    // The writer has begun a new file under the old name.
    write_journal(&path, &mixed_entries(7, 11));
    let found = closed.open().unwrap();
    assert_eq!(found.path(), archived);
    assert_eq!(found.facts().n_entries, 100);
}

#[test]
fn a_file_that_is_gone_before_its_turn_is_told_and_no_other_is_taken_for_it() {
    let (folder, path) = journal_of(&mixed_entries(100, 10));
    let closed = ClosedJournal::read(&path).unwrap().unwrap();
    std::fs::remove_file(&path).unwrap();
    std::fs::write(folder.path().join("other.journal"), b"LPKSHHRH").unwrap();
    for number in 0..3 {
        // A new file may get the inode of the removed one.
        write_journal(&folder.path().join(format!("{number}.journal")), &mixed_entries(7, 11));
        let error = closed.open().unwrap_err().to_string();
        assert!(error.contains("it was removed while other files were read"), "{error}");
    }
}

#[test]
fn a_copy_made_while_the_file_was_being_written_adds_nothing() {
    let (folder, path) = journal_of(&mixed_entries(500, 6));
    let early = folder.path().join("early.journal");
    let mut bytes = std::fs::read(&path).unwrap();
    // The state that a writer leaves in the header until it closes the file.
    bytes[16] = 1;
    std::fs::write(&early, bytes).unwrap();
    write_journal(&path, &mixed_entries(500, 8));
    let oracle = journalctl(&["--file", path.to_str().unwrap()]);
    for files in [[early.clone(), path.clone()], [path, early]] {
        let swept = sweep(&files, &Filter::default(), Span::default());
        assert_same(&swept.answer, &expected(&oracle));
        let skipped: u64 = swept.summaries.iter().map(|summary| summary.skipped).sum();
        assert_eq!(skipped, 500);
    }
}
