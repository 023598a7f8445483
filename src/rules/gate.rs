//! The gate: a handful of short substrings, one of which every classifiable message contains.
//!
//! The catalogue's literals are hundreds; a vectorised search takes a few short needles at many
//! times the speed of an automaton over hundreds of long ones. So the gate covers all literals
//! with as few short and rare substrings as a greedy search finds (`503`, `onnect`, …), and
//! only what passes it is looked at by the classifier.

use std::collections::HashMap;

use aho_corasick::{AhoCorasick, MatchKind, packed};

use super::literals::bits;

/// Needles are substrings of this many bytes: shorter ones pass too much, longer ones cover
/// fewer literals.
const NEEDLE_BYTES: std::ops::RangeInclusive<usize> = 3..=6;

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
/// share and that are rare in other text (greedy weighted set cover).
fn cover(literals: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let mut holders: HashMap<&[u8], Vec<usize>> = HashMap::new();
    for (index, literal) in literals.iter().enumerate() {
        for length in NEEDLE_BYTES {
            for window in literal.windows(length) {
                let entry = holders.entry(window).or_default();
                if entry.last() != Some(&index) {
                    entry.push(index);
                }
            }
        }
        if literal.len() < *NEEDLE_BYTES.start() {
            holders.entry(literal).or_default().push(index);
        }
    }
    let mut candidates: Vec<(&[u8], Vec<usize>)> = holders.into_iter().collect();
    candidates.sort_unstable();
    let mut covered = vec![false; literals.len()];
    let mut needles = Vec::new();
    while covered.contains(&false) {
        let gain = |(needle, holders): &(&[u8], Vec<usize>)| {
            let fresh = holders.iter().filter(|&&index| !covered[index]).count();
            // A needle costs its own search and every false candidate that it lets through.
            fresh as f64 / (1.0 + 4000.0 * (-bits(needle)).exp2())
        };
        let best = candidates
            .iter()
            .map(|candidate| (gain(candidate), candidate))
            .reduce(|best, next| if next.0 > best.0 { next } else { best });
        let Some((_, (needle, holders))) = best else { break };
        for &index in holders {
            covered[index] = true;
        }
        needles.push(needle.to_vec());
    }
    needles
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
        let gate = gate(&["status=503", "\"status\":503", " 503 "]);
        assert_eq!(gate.needles(), &[b"503".to_vec()]);
        assert_eq!(gate.find(b"GET / 503 -", 0), Some(6));
        assert_eq!(gate.find(b"GET / 200 -", 0), None);
        assert_eq!(gate.find(b"503", 1), None);
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
