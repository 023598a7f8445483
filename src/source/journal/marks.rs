//! Sets of offsets and what is known of the objects at them.
//!
//! An entry names its fields by their offsets, some twenty of them, and nearly none is of
//! interest: a table of bits answers that in a nanosecond.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hasher, RandomState};

use super::filter_marks::FieldFacts;
use super::object::EntryView;
use crate::rules::Verdict;

/// One page of the bitmap, of 4 KiB, stands for 256 KiB of file.
const PAGE_WORDS: usize = 512;
const OFFSETS_PER_PAGE: u64 = 64 * PAGE_WORDS as u64;
/// 32 KiB: with a thousand hits in a file one item of 250 is looked up in vain.
const SIEVE_BYTES: usize = 1 << 15;

/// A set of 8-byte aligned offsets. Takes memory for the parts of a file that have members.
#[derive(Default)]
pub(super) struct OffsetSet {
    /// For each page of the file its members, if it has any. Each page is an allocation of its own:
    /// one that grows would be copied, to memory that was never touched before.
    pages: Vec<Option<Box<[u64; PAGE_WORDS]>>>,
}

impl OffsetSet {
    /// Whether `offset` is a member.
    #[inline]
    pub(super) fn contains(&self, offset: u64) -> bool {
        let slot = offset / 8;
        let Ok(page) = usize::try_from(slot / OFFSETS_PER_PAGE) else { return false };
        let bit = slot % OFFSETS_PER_PAGE;
        match self.pages.get(page) {
            Some(Some(words)) => words[(bit / 64) as usize] >> (bit % 64) & 1 == 1,
            Some(None) | None => false,
        }
    }

    /// All members, in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = u64> {
        let words = self.pages.iter().enumerate().flat_map(|(page, words)| {
            let first = page as u64 * OFFSETS_PER_PAGE;
            words.iter().flat_map(|words| words.iter()).zip((first..).step_by(64))
        });
        words.flat_map(|(&word, first)| {
            (0..64).filter(move |bit| word >> bit & 1 == 1).map(move |bit| (first + bit) * 8)
        })
    }

    /// Makes `offset` a member. The caller passes offsets within the file, so the pages are bounded
    /// by the file's size.
    #[inline]
    pub(super) fn insert(&mut self, offset: u64) {
        let slot = offset / 8;
        let page = (slot / OFFSETS_PER_PAGE) as usize;
        if self.pages.len() <= page {
            self.pages.resize(page + 1, None);
        }
        let words = self.pages[page].get_or_insert_with(|| Box::new([0; PAGE_WORDS]));
        let bit = slot % OFFSETS_PER_PAGE;
        words[(bit / 64) as usize] |= 1 << (bit % 64);
    }
}

/// What is known of a DATA object that matters to the query.
#[derive(Debug, Clone)]
pub(super) struct Mark {
    /// What its entry's filters learn from it.
    pub(super) facts: FieldFacts,
    /// What it decides if it is a message.
    pub(super) verdict: Verdict,
}

/// A small table that rules out nearly every offset that is not a member, and never one that is.
///
/// It stays in the processor's nearest cache, where the sets of large files do not.
struct Sieve {
    bytes: Box<[u8; SIEVE_BYTES]>,
}

impl Default for Sieve {
    fn default() -> Self {
        Self { bytes: Box::new([0; SIEVE_BYTES]) }
    }
}

impl Sieve {
    #[inline]
    fn insert(&mut self, offset: u64) {
        self.bytes[byte_of(offset)] |= bit_of(offset);
    }

    /// 0: `offset` is no member; else it may be one. A number, to be collected without a branch.
    #[inline]
    fn may_contain(&self, offset: u64) -> u8 {
        self.bytes[byte_of(offset)] & bit_of(offset)
    }
}

/// The byte of the sieve in which an offset has its bit.
#[inline]
fn byte_of(offset: u64) -> usize {
    (offset / 64) as usize % SIEVE_BYTES
}

/// The bit, from a table: to shift by a number that varies is slow on the processors for which
/// programs are built by default.
#[inline]
fn bit_of(offset: u64) -> u8 {
    const BITS: [u8; 8] = [1, 2, 4, 8, 16, 32, 64, 128];
    BITS[(offset / 8 % 8) as usize]
}

/// The DATA objects that matter to the query, by offset.
pub(super) struct Marks<M = Mark> {
    sieve: Sieve,
    marks: HashMap<u64, M, OffsetHash>,
}

impl<M> Default for Marks<M> {
    fn default() -> Self {
        Self { sieve: Sieve::default(), marks: HashMap::default() }
    }
}

impl<M> Marks<M> {
    pub(super) fn insert(&mut self, offset: u64, mark: M) {
        self.sieve.insert(offset);
        self.marks.insert(offset, mark);
    }

    /// Whether one of an entry's items may have a mark. Most entries have none, and then this is
    /// all that is asked.
    #[inline]
    pub(super) fn may_concern(&self, entry: EntryView<'_>) -> bool {
        let mut marked = 0;
        entry.for_each_item(|item| marked |= self.sieve.may_contain(item));
        marked != 0
    }

    /// The mark at `offset`, if there is one.
    #[inline]
    pub(super) fn get(&self, offset: u64) -> Option<&M> {
        if self.sieve.may_contain(offset) != 0 { self.marks.get(&offset) } else { None }
    }
}

/// Hashes offsets by a multiplication with a random odd number: a file that is made to collide
/// cannot know it.
#[derive(Clone)]
struct OffsetHash {
    multiplier: u64,
}

impl Default for OffsetHash {
    fn default() -> Self {
        Self { multiplier: RandomState::new().hash_one(0) | 1 }
    }
}

impl BuildHasher for OffsetHash {
    type Hasher = OffsetHasher;

    fn build_hasher(&self) -> OffsetHasher {
        OffsetHasher { multiplier: self.multiplier, hash: 0 }
    }
}

struct OffsetHasher {
    multiplier: u64,
    hash: u64,
}

impl Hasher for OffsetHasher {
    fn finish(&self) -> u64 {
        self.hash
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.write_u64(u64::from(byte));
        }
    }

    fn write_u64(&mut self, value: u64) {
        let mixed = (self.hash ^ value).wrapping_mul(self.multiplier);
        // The upper half is well mixed; the map takes its buckets from the lower.
        self.hash = mixed ^ mixed >> 32;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_has_what_was_put_in_and_nothing_near_it() {
        let mut set = OffsetSet::default();
        let offsets = [8, 264, 32_760, 32_768, 5 << 30];
        offsets.iter().for_each(|&offset| set.insert(offset));
        for offset in offsets {
            assert!(set.contains(offset));
            assert!(!set.contains(offset + 8) || offsets.contains(&(offset + 8)));
            assert!(!set.contains(offset - 8) || offsets.contains(&(offset - 8)));
        }
        assert!(!set.contains(u64::MAX));
    }
}
