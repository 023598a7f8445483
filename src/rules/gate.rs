//! The gate: a handful of short substrings, one of which every classifiable message contains.
//!
//! The catalogue's literals are hundreds; a vectorised search takes a few short needles at many
//! times the speed of an automaton over hundreds of long ones. So the gate covers all literals
//! with as few short and rare substrings as a greedy search finds (`503`, `onnect`, …). Where a
//! needle is found, the literals that it stands for are compared in place: what passes has a
//! whole literal, and only that is looked at by the classifier.

use std::ops::ControlFlow;

use aho_corasick::{AhoCorasick, Input, MatchKind, Span, packed};

use super::cover::{Needle, cover};

/// A search for the literals of all rules.
pub(super) struct Gate {
    search: Search,
    needles: Vec<Vec<u8>>,
    /// For each needle, the literals that may stand around it, by their keys.
    around: Vec<Vec<Placed>>,
    /// For each needle, those that may begin at the same place: itself, what it begins with and
    /// what begins with it. The search reports only one of them.
    alike: Vec<Vec<usize>>,
    /// Some rule has no literal: every message passes.
    is_open: bool,
}

enum Search {
    /// SIMD search for up to 64 needles, where the machine has it.
    Packed(packed::Searcher),
    Automaton(AhoCorasick),
    /// There is no literal.
    Nothing,
}

/// A literal, and where in it its needle stands.
struct Placed {
    literal: usize,
    bytes: Box<[u8]>,
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

impl Gate {
    /// A gate that passes every haystack with at least one of `literals`; `is_open`: and every
    /// other one too.
    pub(super) fn new(literals: &[Vec<u8>], is_open: bool) -> Self {
        let chosen = cover(literals);
        let around = chosen.iter().map(|needle| around(needle, literals)).collect();
        let needles: Vec<Vec<u8>> = chosen.into_iter().map(|needle| needle.bytes).collect();
        let alike = needles.iter().map(|needle| alike(needle, &needles)).collect();
        let search = if needles.is_empty() { Search::Nothing } else { search(&needles) };
        Self { search, needles, around, alike, is_open }
    }

    /// The offset of the first needle at or after `from` that stands in a whole literal; `None`
    /// where there is none.
    #[inline]
    pub(super) fn find(&self, haystack: &[u8], from: usize) -> Option<usize> {
        if self.is_open {
            return (from <= haystack.len()).then_some(from);
        }
        let mut found = None;
        let _ = self.visit(haystack, from, &mut |at, _| {
            found = Some(at);
            ControlFlow::Break(())
        });
        found
    }

    /// Tells `take` of every literal in the haystack, in the order of their needles; of some
    /// more than once.
    #[inline]
    pub(super) fn literals_in(&self, haystack: &[u8], mut take: impl FnMut(usize)) {
        let _ = self.visit(haystack, 0, &mut |_, literal| {
            take(literal);
            ControlFlow::Continue(())
        });
    }

    /// Tells `take` of the needle's place and the literal, for every literal whose needle stands
    /// at or after `from`.
    #[inline]
    fn visit(
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

    #[inline]
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
                    take(at, placed.literal)?;
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
            Search::Packed(searcher) => {
                searcher.find_in(haystack, Span { start: from, end: haystack.len() })
            }
            Search::Automaton(automaton) => automaton.find(Input::new(haystack).range(from..)),
            Search::Nothing => None,
        }?;
        Some((found.pattern().as_usize(), found.start()))
    }

    /// The needles, for tests and for curious users.
    pub(super) fn needles(&self) -> &[Vec<u8>] {
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
    fn new(literal: usize, bytes: &[u8], needle: &[u8]) -> Option<Self> {
        // A break or a tab may be written otherwise where the message is looked for.
        let bytes = if bytes.iter().any(u8::is_ascii_control) { needle } else { bytes };
        let needle_at = memchr::memmem::find(bytes, needle)?;
        let behind = bytes.get(needle_at + needle.len());
        let key = match (bytes.get(..needle_at)?, behind) {
            ([.., first, second], _) => Key::Two([*first, *second]),
            ([byte], _) => Key::One(*byte),
            ([], Some(byte)) => Key::Behind(*byte),
            ([], None) => Key::Nothing,
        };
        Some(Self { literal, bytes: bytes.into(), needle_at, key })
    }

    /// Whether the literal stands in `haystack` around its needle at `at`.
    #[inline]
    fn stands_at(&self, haystack: &[u8], at: usize) -> bool {
        let start = at.checked_sub(self.needle_at);
        let text = start.and_then(|start| haystack.get(start..));
        text.is_some_and(|text| text.starts_with(&self.bytes))
    }
}

/// The literals that `needle` stands for.
fn around(needle: &Needle, literals: &[Vec<u8>]) -> Vec<Placed> {
    let own = needle.literals.iter();
    let mut around: Vec<Placed> = own
        .filter_map(|&literal| Placed::new(literal, literals.get(literal)?, &needle.bytes))
        .collect();
    around.sort_by_key(|placed| placed.key);
    around
}

fn alike(needle: &[u8], all: &[Vec<u8>]) -> Vec<usize> {
    let shares_start = |other: &Vec<u8>| other.starts_with(needle) || needle.starts_with(other);
    all.iter().enumerate().filter(|(_, other)| shares_start(other)).map(|(at, _)| at).collect()
}

fn search(needles: &[Vec<u8>]) -> Search {
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

    fn gate(literals: &[&str]) -> Gate {
        let literals: Vec<Vec<u8>> = literals.iter().map(|s| s.as_bytes().to_vec()).collect();
        Gate::new(&literals, false)
    }

    #[test]
    fn one_needle_covers_literals_that_share_it() {
        let gate = gate(&["pool exhausted", "QueuePool is exhausted", "exhausted: no slot"]);
        assert_eq!(gate.needles().len(), 1, "{:?}", gate.needles());
        assert!(gate.find(b"the QueuePool is exhausted", 0).is_some());
        assert_eq!(gate.find(b"the pool is full", 0), None);
        assert_eq!(gate.find(b"the slot is exhausted", 0), None, "no literal is whole");
        assert_eq!(gate.find(b"pool exhausted", 13), None);
    }

    #[test]
    fn every_literal_passes() {
        let literals = ["couldn't get a connection", "too many clients", "pool exhausted"];
        let gate = gate(&literals);
        for literal in literals {
            assert!(gate.find(literal.as_bytes(), 0).is_some(), "{literal}");
        }
    }

    #[test]
    fn literals_that_overlap_are_all_told() {
        let literals = ["abcdefgh", "cdefghij", "efgh", "abcdefghijkl", "fghx"];
        let gate = gate(&literals);
        let mut found = Vec::new();
        gate.literals_in(b"..abcdefghij fghx", |literal| found.push(literals[literal]));
        found.sort_unstable();
        found.dedup();
        assert_eq!(found, ["abcdefgh", "cdefghij", "efgh", "fghx"]);
    }

    #[test]
    fn no_rule_lets_nothing_pass_and_an_open_gate_everything() {
        assert_eq!(gate(&[]).find(b"anything", 0), None);
        assert_eq!(Gate::new(&[], true).find(b"", 0), Some(0));
    }
}
