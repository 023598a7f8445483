//! The gate: a handful of short substrings, one of which every classifiable message contains.
//!
//! The catalogue's literals are hundreds; a vectorised search takes a few short needles at many
//! times the speed of an automaton over hundreds of long ones. So the gate covers all literals
//! with as few short and rare substrings as a greedy search finds (`503`, `onnect`, …), and
//! only what passes it is looked at by the classifier.

use std::collections::BinaryHeap;

use aho_corasick::{AhoCorasick, MatchKind, packed};

use super::literals::byte_bits;

/// Needles are substrings of this many bytes: shorter ones pass too much, longer ones cover
/// fewer literals (and do not fit in a word).
const NEEDLE_BYTES: std::ops::RangeInclusive<usize> = 3..=7;

/// What the false candidates of a needle that always occurs would cost, in searches for a needle.
const FALSE_CANDIDATES: f64 = 1e6;

/// A search for the needles that cover all literals.
pub(super) struct Gate {
    search: Search,
    needles: Vec<Vec<u8>>,
}

enum Search {
    /// SIMD search for up to 64 needles, where the machine has it.
    Packed(packed::Searcher),
    Automaton(AhoCorasick),
    /// Some rule has no literal: every message passes.
    Open,
    /// There is no rule: no message passes.
    Closed,
}

impl Gate {
    /// A gate that passes every haystack with at least one of `literals`.
    pub(super) fn new(literals: &[Vec<u8>]) -> Self {
        let needles = cover(literals);
        let search = if needles.is_empty() { Search::Closed } else { search(&needles) };
        Self { search, needles }
    }

    /// A gate that passes everything.
    pub(super) fn open() -> Self {
        Self { search: Search::Open, needles: Vec::new() }
    }

    /// The offset of the first needle at or after `from`; `None` where there is none.
    #[inline]
    pub(super) fn find(&self, haystack: &[u8], from: usize) -> Option<usize> {
        if from > haystack.len() {
            return None;
        }
        match &self.search {
            Search::Packed(searcher) => searcher
                .find_in(haystack, aho_corasick::Span { start: from, end: haystack.len() })
                .map(|found| found.start()),
            Search::Automaton(automaton) => automaton
                .find(aho_corasick::Input::new(haystack).range(from..))
                .map(|found| found.start()),
            Search::Open => Some(from),
            Search::Closed => None,
        }
    }

    /// The needles, for tests and for curious users.
    pub(super) fn needles(&self) -> &[Vec<u8>] {
        &self.needles
    }
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
    automaton.map_or(Search::Open, Search::Automaton)
}

/// Covers every literal by one of its substrings, preferring substrings that many literals
/// share and that are rare in other text: greedy weighted set cover, with a heap because a
/// candidate's gain never grows while literals get covered.
fn cover(literals: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let mut candidates = candidates(literals);
    let mut heap: BinaryHeap<(Gain, usize)> =
        candidates.iter().enumerate().map(|(index, candidate)| (candidate.gain(), index)).collect();
    let mut covered = vec![false; literals.len()];
    let mut needles = Vec::new();
    while let Some((gain, index)) = heap.pop() {
        let candidate = &mut candidates[index];
        candidate.holders.retain(|&literal| !covered[literal]);
        if candidate.holders.is_empty() {
            continue;
        }
        if candidate.gain() < gain {
            heap.push((candidate.gain(), index));
            continue;
        }
        for &literal in &candidate.holders {
            covered[literal] = true;
        }
        needles.push(candidate.window.bytes());
    }
    needles
}

/// A substring that might become a needle.
struct Candidate {
    window: Window,
    /// The literals, not covered so far, that contain the substring.
    holders: Vec<usize>,
    /// What the needle costs: its own search and every false candidate that it lets through.
    cost: f64,
}

/// Literals covered for the cost, in an order that the heap can use.
#[derive(PartialEq)]
struct Gain(f64);

impl Eq for Gain {}

impl PartialOrd for Gain {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Gain {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0)
    }
}

impl Candidate {
    fn gain(&self) -> Gain {
        Gain(self.holders.len() as f64 / self.cost)
    }
}

/// A substring of at most seven bytes in one word, which is sorted and compared at once: there
/// are tens of thousands, and start-up waits for them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Window(u64);

impl Window {
    fn new(bytes: &[u8]) -> Self {
        let mut word = [0; 8];
        word[..bytes.len()].copy_from_slice(bytes);
        word[7] = bytes.len() as u8;
        Self(u64::from_be_bytes(word))
    }

    fn bytes(self) -> Vec<u8> {
        let word = self.0.to_be_bytes();
        word[..usize::from(word[7])].to_vec()
    }

    fn cost(self) -> f64 {
        let word = self.0.to_be_bytes();
        1.0 + FALSE_CANDIDATES * (-bits(&word[..usize::from(word[7])])).exp2()
    }
}

/// The substrings among which to choose: all that several literals share, and of each literal
/// the cheapest of its own. Their order follows from their bytes, so the choice among equals
/// does not depend on chance.
fn candidates(literals: &[Vec<u8>]) -> Vec<Candidate> {
    let mut windows: Vec<(Window, usize)> = Vec::new();
    for (index, literal) in literals.iter().enumerate() {
        for length in NEEDLE_BYTES {
            windows.extend(literal.windows(length).map(|bytes| (Window::new(bytes), index)));
        }
        if literal.len() < *NEEDLE_BYTES.start() {
            windows.push((Window::new(literal), index));
        }
    }
    windows.sort_unstable();
    windows.dedup();
    let mut candidates = Vec::new();
    let mut own: Vec<Option<(f64, Window)>> = vec![None; literals.len()];
    for group in windows.chunk_by(|a, b| a.0 == b.0) {
        let (window, first) = group[0];
        if group.len() > 1 {
            let holders = group.iter().map(|(_, literal)| *literal).collect();
            candidates.push(Candidate { window, holders, cost: window.cost() });
        } else if own[first].is_none_or(|(cost, _)| window.cost() < cost) {
            own[first] = Some((window.cost(), window));
        }
    }
    candidates.extend(own.into_iter().enumerate().filter_map(|(literal, cheapest)| {
        cheapest.map(|(cost, window)| Candidate { window, holders: vec![literal], cost })
    }));
    candidates
}

/// The information in a needle, in bits. A letter after a letter says less than it would alone:
/// `ing` stands in every other line.
fn bits(needle: &[u8]) -> f64 {
    const AFTER_A_LETTER: f64 = 0.65;
    let mut previous = b' ';
    let mut sum = 0.0;
    for &byte in needle {
        let is_inside_word = previous.is_ascii_lowercase() && byte.is_ascii_lowercase();
        sum += byte_bits(byte) * if is_inside_word { AFTER_A_LETTER } else { 1.0 };
        previous = byte;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gate(literals: &[&str]) -> Gate {
        let literals: Vec<Vec<u8>> = literals.iter().map(|s| s.as_bytes().to_vec()).collect();
        Gate::new(&literals)
    }

    #[test]
    fn one_needle_covers_literals_that_share_it() {
        let gate = gate(&["pool exhausted", "QueuePool is exhausted", "exhausted: no slot"]);
        assert_eq!(gate.needles().len(), 1, "{:?}", gate.needles());
        assert!(gate.find(b"the pool is exhausted", 0).is_some());
        assert_eq!(gate.find(b"the pool is full", 0), None);
        assert_eq!(gate.find(b"exhausted", 8), None);
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
    fn no_rule_lets_nothing_pass_and_an_open_gate_everything() {
        assert_eq!(gate(&[]).find(b"anything", 0), None);
        assert_eq!(Gate::open().find(b"", 0), Some(0));
    }
}
