//! Damaged files of every variant: no panic, no hang, no memory beyond 256 MB, no entry lost that
//! libsystemd still finds, and none invented.
//!
//! What is damaged is chosen at random, from a seed that each failure names. By default it is
//! little; all of it is
//! `EBBLINE_FLIPS=10000 EBBLINE_TRUNCATIONS=1000 cargo test --release --test journal damaged`,
//! and `EBBLINE_SEED=N` chooses other places.

use std::path::Path;

use crate::journals::{Random, mixed_entries};
use crate::patients::{Patient, patients};
use crate::reader::{Found, Readers};
use crate::writer::{Codec, journal_bytes};

const PAGE_BYTES: usize = 4096;

/// A number from the environment, or `default`.
pub(crate) fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |value| value.parse().unwrap())
}

/// Puts each variant through `harm`, `rounds` times.
fn every_variant(rounds: u64, mut harm: impl FnMut(&Patient, &mut Random, &mut Judge)) {
    let folder = tempfile::tempdir().unwrap();
    let seed = setting("EBBLINE_SEED", 98765);
    let mut judge = Judge { readers: Readers::start(), what: String::new() };
    for patient in patients(folder.path()) {
        let mut random = Random(seed);
        for round in 0..rounds {
            judge.what = format!("{}, seed {seed}, round {round}", patient.name);
            harm(&patient, &mut random, &mut judge);
        }
    }
}

/// Compares the readers, and names the place of what they differ in.
struct Judge {
    readers: Readers,
    what: String,
}

impl Judge {
    #[track_caller]
    fn compare(&mut self, path: &Path, most: u64, how: &str) -> Found {
        self.readers.compare(path, most, &format!("{}: {how}", self.what))
    }
}

#[test]
fn a_flipped_byte_costs_no_entry_that_libsystemd_still_reads() {
    every_variant(setting("EBBLINE_FLIPS", 60), |patient, random, judge| {
        let at = patient.place(random);
        let byte = patient.original[at] ^ (1 + random.below(255)) as u8;
        let how = format!("byte {at} is {byte:#x}");
        patient.with(&[(at, &[byte])], |path| judge.compare(path, patient.entries, &how));
    });
}

#[test]
fn several_bytes_overwritten_together_cost_no_entry_that_libsystemd_still_reads() {
    every_variant(setting("EBBLINE_FLIPS", 60) / 4, |patient, random, judge| {
        // Apart from each other, or one after another; now and then more than an entry has.
        let longest = if random.below(3) == 0 { 200 } else { 15 };
        let count = 2 + random.below(longest) as usize;
        let start = patient.place(random);
        let apart = random.below(2) == 0;
        let mut edits = Vec::new();
        for index in 0..count {
            let at = if apart { patient.place(random) } else { start + index };
            edits.push((at.min(patient.original.len() - 1), [random.next() as u8]));
        }
        let edits: Vec<(usize, &[u8])> =
            edits.iter().map(|(at, byte)| (*at, byte.as_slice())).collect();
        let how = format!("{edits:?}");
        patient.with(&edits, |path| judge.compare(path, patient.entries, &how));
    });
}

#[test]
fn a_truncated_file_gives_all_that_is_left_and_says_so() {
    let rounds = setting("EBBLINE_TRUNCATIONS", 40);
    every_variant(rounds, |patient, random, judge| {
        // The entries are in the last part, behind the hash tables.
        let used = patient.original.len() as u64;
        let last = if random.below(4) == 0 { used } else { used.min(100_000) };
        let length = (used - 1 - random.below(last)) as usize;
        let how = format!("{length} bytes");
        let found = patient.cut(length, |path| judge.compare(path, patient.entries, &how));
        let whole = patient
            .objects
            .windows(2)
            .filter(|pair| patient.original[pair[0]] == 3 && pair[1] <= length);
        let expected = whole.count() as u64;
        assert!(found.entries() >= expected, "{how}: {found:?}, {expected} are whole");
        if length >= 272 {
            assert!(found.damage > 0, "{}: {how}: no damage told", judge.what);
            assert_eq!(found.skipped, patient.entries - found.entries(), "{}: {how}", judge.what);
        }
    });
}

/// The pages of a file that are worth damaging: those with entries, and few of the hash tables.
fn page(patient: &Patient, random: &mut Random) -> usize {
    let pages = patient.original.len() / PAGE_BYTES;
    match random.below(8) {
        0 => random.below(pages as u64) as usize,
        _ => pages - 1 - random.below(pages.min(30) as u64) as usize,
    }
}

fn page_bytes(patient: &Patient, page: usize) -> &[u8] {
    &patient.original[page * PAGE_BYTES..(page + 1) * PAGE_BYTES]
}

#[test]
fn a_page_of_zeros_costs_only_what_was_in_it() {
    every_variant(setting("EBBLINE_FLIPS", 60) / 4, |patient, random, judge| {
        let page = page(patient, random).max(1);
        let edit = (page * PAGE_BYTES, &[0; PAGE_BYTES][..]);
        let how = format!("page {page} is lost");
        let found = patient.with(&[edit], |path| judge.compare(path, patient.entries, &how));
        // The smallest entry takes 64 bytes and its items.
        let most_lost = (PAGE_BYTES / 68) as u64;
        assert!(found.entries() + most_lost >= patient.entries, "{}: {found:?}", judge.what);
    });
}

#[test]
fn pages_that_are_swapped_or_doubled_cost_no_entry_that_libsystemd_still_reads() {
    every_variant(setting("EBBLINE_FLIPS", 60) / 4, |patient, random, judge| {
        let (one, other) = (page(patient, random), page(patient, random));
        let mut edits = vec![(one * PAGE_BYTES, page_bytes(patient, other))];
        if random.below(2) == 0 {
            edits.push((other * PAGE_BYTES, page_bytes(patient, one)));
        }
        let how = format!("page {one} is {other}, {} edits", edits.len());
        let what = format!("{}: {how}", judge.what);
        // At each seam halves of two entries may make up one that nobody wrote.
        let written = |cursor: &str| patient.cursors.contains(cursor);
        let most = patient.entries + 4;
        patient.with(&edits, |path| judge.readers.compare_of(path, most, &what, written));
    });
}

#[test]
fn an_entry_array_that_points_beyond_any_file_costs_no_entry() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("array.journal");
    let mut bytes = journal_bytes(&mixed_entries(300, 3), Codec::None, false);
    // The writer puts the array of all entries last; this is its last item's highest byte.
    *bytes.last_mut().unwrap() = 0xf1;
    std::fs::write(&path, &bytes).unwrap();
    let found = Readers::start().read(&path, "an array");
    assert_eq!(found.entries(), 300);
}

#[test]
fn garbage_behind_a_journals_first_bytes_is_survived() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("garbage.journal");
    let mut random = Random(4);
    let mut readers = Readers::start();
    for length in [0, 7, 8, 100, 207, 208, 272, 5000, 300_000] {
        for round in 0..20 {
            let mut bytes = b"LPKSHHRH".to_vec();
            // Mostly small numbers, which look like types, flags and sizes.
            bytes.extend((0..length).map(|_| (random.next() as u8) >> (random.below(9).min(7))));
            bytes.truncate(length);
            if let Some(flags) = bytes.get_mut(12..16) {
                flags.copy_from_slice(&[28, 0, 0, 0]);
            }
            std::fs::write(&path, &bytes).unwrap();
            readers.read(&path, &format!("{length} bytes, round {round}"));
        }
    }
}

/// A file of the tests' own writer, in which the place of everything is known.
fn written(folder: &Path) -> Patient {
    let known = |patient: &Patient| patient.name == "None-compact.journal";
    patients(folder).into_iter().find(known).unwrap()
}

/// Where the entries of a file are in its list of objects.
fn entries_of(patient: &Patient) -> Vec<usize> {
    let is_entry = |&index: &usize| patient.original[patient.objects[index]] == 3;
    (0..patient.objects.len()).filter(is_entry).collect()
}

#[test]
fn an_entry_behind_a_size_that_lies_is_found_though_its_reserved_bytes_are_damaged() {
    let folder = tempfile::tempdir().unwrap();
    let patient = written(folder.path());
    let hidden = entries_of(&patient)[100];
    let [before, entry, after] = [hidden - 1, hidden, hidden + 1].map(|at| patient.objects[at]);
    let size = ((after - before) as u64).to_le_bytes();
    let edits: [(usize, &[u8]); 2] = [(before + 8, &size), (entry + 5, b"d")];
    let found = patient.with(&edits, |path| Readers::start().read(path, "hidden"));
    assert_eq!(found.entries(), patient.entries);
}

#[test]
fn an_entry_of_which_all_fields_are_lost_counts() {
    let folder = tempfile::tempdir().unwrap();
    let patient = written(folder.path());
    let place = entries_of(&patient)[100];
    let (entry, after) = (patient.objects[place], patient.objects[place + 1]);
    let items = vec![0xf1; after - entry - 64];
    let edits: [(usize, &[u8]); 1] = [(entry + 64, &items)];
    let found = patient.with(&edits, |path| Readers::start().compare(path, 300, "no fields"));
    assert_eq!((found.entries(), found.damage), (patient.entries, 1));
}

#[test]
fn an_entry_that_was_overwritten_together_with_what_follows_it_counts() {
    let folder = tempfile::tempdir().unwrap();
    let patient = written(folder.path());
    let place = entries_of(&patient)[100];
    let (entry, after) = (patient.objects[place], patient.objects[place + 1]);
    let garbage = vec![0xf1; after + 16 - entry - 64];
    let edits: [(usize, &[u8]); 1] = [(entry + 64, &garbage)];
    let found = patient.with(&edits, |path| Readers::start().compare(path, 300, "torn"));
    assert_eq!((found.entries(), found.skipped), (patient.entries, 0));
}

#[test]
fn an_array_of_entries_that_is_taken_for_an_entry_is_none() {
    let folder = tempfile::tempdir().unwrap();
    for patient in patients(folder.path()).iter().filter(|it| it.name.starts_with("compact.")) {
        for array in patient.objects.iter().filter(|&&at| patient.original[at] == 6) {
            // The array's own head is damaged, and the size in it became a type.
            let what = format!("{}, {array}", patient.name);
            let found = patient.with(&[(array + 8, &[3])], |path| {
                Readers::start().compare(path, patient.entries, &what)
            });
            assert_eq!(found.entries(), patient.entries);
        }
    }
}

#[test]
fn a_list_that_ends_too_early_hides_no_entry_of_a_damaged_file() {
    let folder = tempfile::tempdir().unwrap();
    let patient = written(folder.path());
    let entries = entries_of(&patient);
    // The list's items are the last bytes. Its end is lost, the header counts what is left, and an
    // object before is damaged.
    let list = patient.original.len() - 4 * 20;
    let damaged = patient.objects[entries[100] + 1];
    let edits: [(usize, &[u8]); 3] = [(list, &[0; 80]), (152, &[24, 1]), (damaged, &[99])];
    let found = patient.with(&edits, |path| Readers::start().compare(path, 300, "early"));
    assert!(found.entries() >= 299, "{found:?}");
}

#[test]
fn a_file_that_lacks_nothing_but_its_list_of_entries_is_damaged_and_read() {
    let folder = tempfile::tempdir().unwrap();
    let patient = written(folder.path());
    let last = *entries_of(&patient).last().unwrap();
    let end = patient.objects[last + 1];
    let found = patient.cut(end, |path| Readers::start().compare(path, 300, "no list"));
    assert_eq!((found.entries(), found.damage), (patient.entries, 1));
}
