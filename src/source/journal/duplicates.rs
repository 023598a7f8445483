//! Entries that are in more than one of the files that are read together: a copy of a journal, a
//! file given twice, a directory and a file in it. Each counts once.
//!
//! Entries are numbered within a sequence that has an id, and every file's header tells its range.
//! Only entries whose number lies in the range of another file can be in both, so the files of an
//! ordinary directory pay nothing. Ranges may well interleave without a single common entry
//! (`system.journal` and `user-1000.journal` share one sequence), and numbers may be reused, so
//! what is compared is the entry's whole identity.

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
        Self { file_id: facts.file_id, seqnum_id: facts.seqnum_id, range }
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
