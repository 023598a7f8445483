//! The search for short literals: by a handful of substrings, of which each of them contains one.
//!
//! The catalogue's short literals are hundreds; a vectorised search takes a few needles at many
//! times the speed of an automaton over hundreds. So all literals are covered with as few short
//! and rare substrings as a greedy search finds (`503`, `1040`, …). Where a needle is found, the
//! literals that it stands for are compared in place.

use std::ops::ControlFlow;

use aho_corasick::{AhoCorasick, Input, MatchKind, Span, packed};
use memchr::memmem;

use super::cover::{Needle, cover};
use super::literals::Literal;

/// A search for short literals.
pub(super) struct Needles {
    search: Search,
    needles: Vec<Vec<u8>>,
    /// For each needle, the literals that may stand around it, by their keys.
    around: Vec<Vec<Placed>>,
    /// For each needle, those that may begin at the same place: itself, what it begins with and
    /// what begins with it. The search reports only one of them.
    alike: Vec<Vec<usize>>,
}

enum Search {
    /// One needle.
    One(memmem::Finder<'static>),
    /// SIMD search for up to 64 needles, where the machine has it.
    Packed(packed::Searcher),
    Automaton(AhoCorasick),
    /// There is no literal.
    Nothing,
}

/// A literal, and where in it its needle stands.
struct Placed {
    id: usize,
    literal: Literal,
    needle_at: usize,
    key: Key,
}

/// The bytes next to a needle, which tell most literals apart.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    /// The literal is its needle.
    Nothing,
    /// Only behind its needle has the literal more bytes: the first of them.
    Behind(u8),
    /// One byte stands before the needle.
    One(u8),
    /// Two or more bytes stand before the needle: the two next to it.
    Two([u8; 2]),
}

impl Needles {
    /// A search for literals, with the names that it tells them by.
    pub(super) fn new(literals: &[(usize, Literal)]) -> Self {
        let chosen = cover(literals);
        let around = chosen.iter().map(|needle| around(needle, literals)).collect();
        let needles: Vec<Vec<u8>> = chosen.into_iter().map(|needle| needle.bytes).collect();
        let alike = needles.iter().map(|needle| alike(needle, &needles)).collect();
        let search = if needles.is_empty() { Search::Nothing } else { search(&needles) };
        Self { search, needles, around, alike }
    }

    /// The offset of the first needle at or after `from` that stands in a whole literal; `None`
    /// where there is none.
    #[inline]
    pub(super) fn find(&self, haystack: &[u8], from: usize) -> Option<usize> {
        let mut found = None;
        let _ = self.visit(haystack, from, &mut |at, _| {
            found = Some(at);
            ControlFlow::Break(())
        });
        found
    }

    /// Tells `take` of the needle's place and the literal, for every literal whose needle stands
    /// at or after `from`.
    #[inline]
    pub(super) fn visit(
        &self,
        haystack: &[u8],
        from: usize,
        take: &mut impl FnMut(usize, usize) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let mut from = from;
        while let Some((reported, at)) = self.find_needle(haystack, from) {
            for &needle in self.alike.get(reported).map_or(&[][..], Vec::as_slice) {
                self.visit_around(haystack, at, needle, take)?;
            }
            // Needles may overlap.
            from = at + 1;
        }
        ControlFlow::Continue(())
    }

    #[inline(never)]
    fn visit_around(
        &self,
        haystack: &[u8],
        at: usize,
        needle: usize,
        take: &mut impl FnMut(usize, usize) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let length = self.needles.get(needle).map_or(0, Vec::len);
        let around = self.around.get(needle).map_or(&[][..], Vec::as_slice);
        for key in Key::at(haystack, at, length).into_iter().flatten() {
            let first = around.partition_point(|placed| placed.key < key);
            let rest = around.get(first..).unwrap_or(&[]).iter();
            for placed in rest.take_while(|placed| placed.key == key) {
                if placed.stands_at(haystack, at) {
                    take(at, placed.id)?;
                }
            }
        }
        ControlFlow::Continue(())
    }

    #[inline]
    fn find_needle(&self, haystack: &[u8], from: usize) -> Option<(usize, usize)> {
        if from > haystack.len() {
            return None;
        }
        let found = match &self.search {
            Search::One(finder) => {
                return finder.find(haystack.get(from..)?).map(|at| (0, from + at));
            }
            Search::Packed(searcher) => {
                searcher.find_in(haystack, Span { start: from, end: haystack.len() })
            }
            Search::Automaton(automaton) => automaton.find(Input::new(haystack).range(from..)),
            Search::Nothing => None,
        }?;
        Some((found.pattern().as_usize(), found.start()))
    }

    /// The needles.
    pub(super) fn all(&self) -> &[Vec<u8>] {
        &self.needles
    }
}

impl Key {
    /// The keys of the literals that may stand around a needle of `length` bytes at `at`.
    #[inline]
    fn at(haystack: &[u8], at: usize, length: usize) -> [Option<Self>; 4] {
        let byte = |place: Option<usize>| place.and_then(|place| haystack.get(place)).copied();
        let before = byte(at.checked_sub(1));
        let two = byte(at.checked_sub(2)).zip(before);
        [
            Some(Self::Nothing),
            byte(at.checked_add(length)).map(Self::Behind),
            before.map(Self::One),
            two.map(|(first, second)| Self::Two([first, second])),
        ]
    }
}

impl Placed {
    fn new(id: usize, literal: &Literal, needle: &[u8]) -> Option<Self> {
        let bytes = &literal.bytes;
        let needle_at = memchr::memmem::find(bytes, needle)?;
        let behind = bytes.get(needle_at + needle.len());
        let key = match (bytes.get(..needle_at)?, behind) {
            ([.., first, second], _) => Key::Two([*first, *second]),
            ([byte], _) => Key::One(*byte),
            ([], Some(byte)) => Key::Behind(*byte),
            ([], None) => Key::Nothing,
        };
        Some(Self { id, literal: literal.clone(), needle_at, key })
    }

    /// Whether the literal stands in `haystack` around its needle at `at`.
    #[inline]
    fn stands_at(&self, haystack: &[u8], at: usize) -> bool {
        let start = at.checked_sub(self.needle_at);
        start.is_some_and(|start| self.literal.stands_at(haystack, start))
    }
}

/// The literals that `needle` stands for.
fn around(needle: &Needle, literals: &[(usize, Literal)]) -> Vec<Placed> {
    let own = needle.literals.iter().filter_map(|&position| literals.get(position));
    let mut around: Vec<Placed> =
        own.filter_map(|(id, literal)| Placed::new(*id, literal, &needle.bytes)).collect();
    around.sort_by_key(|placed| placed.key);
    around
}

fn alike(needle: &[u8], all: &[Vec<u8>]) -> Vec<usize> {
    let shares_start = |other: &Vec<u8>| other.starts_with(needle) || needle.starts_with(other);
    all.iter().enumerate().filter(|(_, other)| shares_start(other)).map(|(at, _)| at).collect()
}

fn search(needles: &[Vec<u8>]) -> Search {
    if let [needle] = needles {
        return Search::One(memmem::Finder::new(needle).into_owned());
    }
    let packed = packed::Config::new()
        .match_kind(packed::MatchKind::LeftmostFirst)
        .builder()
        .extend(needles)
        .build();
    if let Some(searcher) = packed {
        return Search::Packed(searcher);
    }
    let automaton = AhoCorasick::builder().match_kind(MatchKind::LeftmostFirst).build(needles);
    // Building fails only when the needles need more than 2^31 states.
    automaton.map_or(Search::Nothing, Search::Automaton)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn needles(literals: &[&str]) -> Needles {
        let literals: Vec<(usize, Literal)> =
            literals.iter().map(|literal| Literal::new(literal.as_bytes())).enumerate().collect();
        Needles::new(&literals)
    }

    #[test]
    fn one_needle_covers_literals_that_share_it() {
        let needles = needles(&["pool exhausted", "QueuePool is exhausted", "exhausted: no slot"]);
        assert_eq!(needles.all().len(), 1, "{:?}", needles.all());
        assert!(needles.find(b"the QueuePool is exhausted", 0).is_some());
        assert_eq!(needles.find(b"the pool is full", 0), None);
        assert_eq!(needles.find(b"the slot is exhausted", 0), None, "no literal is whole");
        assert_eq!(needles.find(b"pool exhausted", 13), None);
    }

    #[test]
    fn literals_that_overlap_are_all_told() {
        let literals = ["abcdefgh", "cdefghij", "efgh", "abcdefghijkl", "fghx"];
        let needles = needles(&literals);
        let mut found = Vec::new();
        let _ = needles.visit(b"..abcdefghij fghx", 0, &mut |_, literal| {
            found.push(literals[literal]);
            ControlFlow::Continue(())
        });
        found.sort_unstable();
        found.dedup();
        assert_eq!(found, ["abcdefgh", "cdefghij", "efgh", "fghx"]);
    }

    #[test]
    fn one_needle_is_found_wherever_it_stands() {
        let needles = needles(&["503"]);
        assert_eq!(needles.find(b"status 503", 0), Some(7));
        assert_eq!(needles.find(b"status 503", 7), Some(7));
        assert_eq!(needles.find(b"status 503", 8), None);
        assert_eq!(needles.find(b"status 503", 99), None);
    }

    #[test]
    fn no_literal_is_found_nowhere() {
        assert_eq!(needles(&[]).find(b"anything", 0), None);
    }
}
