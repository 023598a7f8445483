//! Entries that are in more than one of the files that are read together: a copy of a journal that
//! has grown since, a backup that was restored and written on. Each counts once.
//!
//! Entries are numbered within a sequence that has an id, and every file's header tells its range.
//! Only entries whose number lies in the range of another file can be in both. Ranges may well
//! interleave without a common entry: `system.journal` and `user-1000.journal` share one sequence,
//! in which a writer uses each number once. These are told from copies by the files' own ids, and
//! by having no more entries together than there are numbers. So the files of an ordinary
//! directory pay nothing. Numbers may be reused, so what is compared is the whole identity.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};
use std::sync::Mutex;

use super::header::{Facts, State};
use crate::entry::Cursor;

const SHARDS: usize = 64;

/// The identities of the entries read so far that another file may have, too. One for all files
/// of a run, shared by its threads.
pub struct Duplicates {
    sequences: Vec<Sequence>,
    /// Identities as fingerprints of 128 bits, under keys that are random for each run.
    seen: Vec<Mutex<HashSet<u128>>>,
    keys: [RandomState; 2],
}

/// One file's place in a sequence.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Sequence {
    file_id: [u8; 16],
    seqnum_id: [u8; 16],
    range: Range,
    claim: Claim,
}

/// What a header says of the file's entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Claim {
    NoEntry,
    /// So many entries, with numbers in this range.
    Entries(u64, Range),
    /// What cannot be right.
    Nonsense,
}

/// A range of numbers, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Range {
    first: u64,
    last: u64,
}

impl Duplicates {
    /// Prepares for reading the files with these facts together: all of them have to be given,
    /// a file that is read twice as often as it is read.
    pub fn new<'a>(files: impl IntoIterator<Item = &'a Facts>) -> Self {
        let sequences = files.into_iter().map(Sequence::of).collect();
        let seen = std::iter::repeat_with(Mutex::default).take(SHARDS).collect();
        Self { sequences, seen, keys: [RandomState::new(), RandomState::new()] }
    }

    /// The numbers of one file's entries that have to be asked about.
    pub(super) fn shared_numbers(&self, facts: &Facts) -> SharedNumbers {
        let own = Sequence::of(facts);
        let mut itself_seen = false;
        let mut ranges = Vec::new();
        for other in self.sequences.iter().filter(|other| other.seqnum_id == own.seqnum_id) {
            if *other == own && !itself_seen {
                itself_seen = true;
                continue;
            }
            if !own.may_share_with(other) {
                continue;
            }
            let first = own.range.first.max(other.range.first);
            let last = own.range.last.min(other.range.last);
            if first <= last {
                ranges.push(Range { first, last });
            }
        }
        // Hundreds of files may share a sequence; the hull of many ranges is asked about faster.
        if ranges.len() > 8 {
            let first = ranges.iter().map(|range| range.first).min().unwrap_or(0);
            let last = ranges.iter().map(|range| range.last).max().unwrap_or(u64::MAX);
            ranges = vec![Range { first, last }];
        }
        SharedNumbers { ranges }
    }

    /// Whether an entry's number is in the ranges of two files.
    #[cfg(feature = "systemd")]
    pub(super) fn may_be_shared(&self, identity: &Cursor) -> bool {
        let files = self.sequences.iter().filter(|file| {
            let range = file.range.first..=file.range.last;
            file.seqnum_id == identity.seqnum_id && range.contains(&identity.seqnum)
        });
        files.take(2).count() == 2
    }

    /// Whether this entry was not asked about before.
    pub(super) fn is_new(&self, identity: &Cursor) -> bool {
        let [high, low] = self.keys.each_ref().map(|key| key.hash_one(identity));
        let fingerprint = u128::from(high) << 64 | u128::from(low);
        let shard = &self.seen[(high >> 58) as usize % SHARDS];
        // A thread that panicked in here left the set whole: insertion is all that is done.
        let mut seen = shard.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        seen.insert(fingerprint)
    }
}

impl Sequence {
    fn of(facts: &Facts) -> Self {
        let (first, last) = (facts.head_seqnum, facts.tail_seqnum);
        let range = if first == 0 || first > last {
            // The header does not know, or is damaged: any number is possible.
            Range { first: 0, last: u64::MAX }
        } else if facts.state == State::Archived || facts.state == State::Offline {
            Range { first, last }
        } else {
            // More entries may come, or may have come without the header being updated.
            Range { first, last: u64::MAX }
        };
        let claim = match (first, last, facts.n_entries) {
            (0, 0, 0) => Claim::NoEntry,
            (0, _, _) | (_, _, 0) => Claim::Nonsense,
            (first, last, _) if first > last => Claim::Nonsense,
            (first, last, count) => Claim::Entries(count, Range { first, last }),
        };
        Self { file_id: facts.file_id, seqnum_id: facts.seqnum_id, range, claim }
    }

    /// Whether the two files, of one sequence, may have an entry in common.
    fn may_share_with(&self, other: &Self) -> bool {
        if self.file_id == other.file_id {
            return true;
        }
        match (self.claim, other.claim) {
            (Claim::NoEntry, _) | (_, Claim::NoEntry) => false,
            (Claim::Entries(own_count, own), Claim::Entries(other_count, others)) => {
                let numbers = own.last.max(others.last) - own.first.min(others.first);
                own_count.saturating_add(other_count) > numbers.saturating_add(1)
            }
            (Claim::Nonsense, _) | (_, Claim::Nonsense) => true,
        }
    }
}

/// The numbers of one file's entries that another file may have, too.
#[derive(Debug, Clone)]
pub(super) struct SharedNumbers {
    ranges: Vec<Range>,
}

impl SharedNumbers {
    /// Whether an entry with this number may be in another file.
    #[inline]
    pub(super) fn contains(&self, seqnum: u64) -> bool {
        self.ranges.iter().any(|range| (range.first..=range.last).contains(&seqnum))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(file: u8, state: State, [head, tail]: [u64; 2], count: u64) -> Facts {
        Facts {
            size_bytes: 8 << 20,
            state,
            compact: true,
            keyed: true,
            file_id: [file; 16],
            machine_id: [1; 16],
            seqnum_id: [2; 16],
            head_seqnum: head,
            tail_seqnum: tail,
            head_realtime: None,
            tail_realtime: None,
            n_entries: count,
        }
    }

    /// Which of some numbers have to be remembered for each of the files.
    fn remembered(files: &[Facts]) -> Vec<Vec<u64>> {
        let duplicates = Duplicates::new(files);
        let shared = files.iter().map(|facts| duplicates.shared_numbers(facts));
        shared.map(|shared| (1..=400).filter(|number| shared.contains(*number)).collect()).collect()
    }

    #[test]
    fn nothing_is_remembered_of_the_files_of_an_ordinary_directory() {
        let files = [
            facts(1, State::Archived, [1, 100], 80),
            // A user's files have the numbers that the system's lack.
            facts(2, State::Archived, [20, 150], 25),
            facts(3, State::Archived, [101, 200], 90),
            facts(4, State::Online, [201, 300], 60),
            facts(5, State::Online, [210, 299], 40),
            facts(6, State::Online, [301, 400], 100),
            facts(7, State::Online, [0, 0], 0),
        ];
        assert_eq!(remembered(&files), vec![Vec::<u64>::new(); 7]);
    }

    #[test]
    fn what_a_copy_and_its_original_share_is_remembered() {
        let early = facts(1, State::Online, [1, 50], 50);
        let late = facts(1, State::Archived, [1, 100], 100);
        let next = facts(2, State::Online, [101, 120], 20);
        let both: Vec<u64> = (1..=100).collect();
        assert_eq!(remembered(&[early, late, next]), [both.clone(), both, Vec::new()]);
    }

    #[test]
    fn files_that_have_more_entries_than_there_are_numbers_share_some() {
        let one = facts(1, State::Offline, [1, 100], 100);
        let other = facts(2, State::Offline, [90, 200], 111);
        let common: Vec<u64> = (90..=100).collect();
        assert_eq!(remembered(&[one, other]), [common.clone(), common]);
    }

    #[test]
    fn a_header_that_cannot_be_right_proves_nothing() {
        let whole = facts(1, State::Archived, [1, 100], 50);
        let damaged = facts(2, State::Archived, [30, 20], 50);
        let all: Vec<u64> = (1..=100).collect();
        assert_eq!(remembered(&[whole, damaged]), [all.clone(), all]);
    }
}
