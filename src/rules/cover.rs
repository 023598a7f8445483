//! The choice of the needles: few short substrings that together cover all literals.

use std::collections::BinaryHeap;
use std::ops::Range;

use super::literals::{Literal, byte_bits};

/// Needles are substrings of this many bytes: shorter ones pass too much, longer ones cover
/// fewer literals (and do not fit in a word).
const NEEDLE_BYTES: std::ops::RangeInclusive<usize> = 3..=7;

/// What the false candidates of a needle that always occurs would cost, in searches for a needle.
///
/// A false candidate costs one comparison of a few bytes, but each further needle slows down the
/// search over every byte: of 10² to 10⁶, this value gave the fastest search of mixed logs.
const FALSE_CANDIDATES: f64 = 1e4;

/// A substring to search for, and the literals that are found by it.
pub(super) struct Needle {
    pub(super) bytes: Vec<u8>,
    /// Positions in the list of literals. Each literal is found by one needle.
    pub(super) literals: Vec<usize>,
}

/// Covers every literal by one of its substrings, preferring substrings that many literals
/// share and that are rare in other text: greedy weighted set cover, with a heap because a
/// candidate's gain never grows while literals get covered.
pub(super) fn cover(literals: &[(usize, Literal)]) -> Vec<Needle> {
    let windows = windows(literals);
    let mut candidates = candidates(&windows, literals.len());
    let mut heap: BinaryHeap<(Gain, usize)> =
        candidates.iter().enumerate().map(|(index, candidate)| (candidate.gain(), index)).collect();
    let mut covered = vec![false; literals.len()];
    let mut needles = Vec::new();
    while let Some((gain, index)) = heap.pop() {
        let candidate = &mut candidates[index];
        let holders = windows[candidate.holders.clone()].iter().map(|(_, literal)| *literal);
        let uncovered: Vec<usize> = holders.filter(|&literal| !covered[literal]).collect();
        if uncovered.is_empty() {
            continue;
        }
        if uncovered.len() < candidate.uncovered {
            candidate.uncovered = uncovered.len();
            // Found in order again, unless its gain is still the greatest.
            if candidate.gain() < gain {
                heap.push((candidate.gain(), index));
                continue;
            }
        }
        for &literal in &uncovered {
            covered[literal] = true;
        }
        needles.push(Needle { bytes: candidate.window.bytes(), literals: uncovered });
    }
    needles
}

/// A substring that might become a needle.
struct Candidate {
    window: Window,
    /// The literals that contain the substring, as a range of the sorted windows.
    holders: Range<usize>,
    /// How many of them were not covered when that was last counted.
    uncovered: usize,
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
        Gain(self.uncovered as f64 / self.cost)
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

/// Every substring of the literals that is as long as a needle, with the literal that contains
/// it: sorted, and each once.
fn windows(literals: &[(usize, Literal)]) -> Vec<(Window, usize)> {
    let mut windows: Vec<(Window, usize)> = Vec::new();
    for (index, (_, literal)) in literals.iter().enumerate() {
        let literal = &literal.bytes;
        for length in NEEDLE_BYTES {
            windows.extend(literal.windows(length).map(|bytes| (Window::new(bytes), index)));
        }
        if literal.len() < *NEEDLE_BYTES.start() {
            windows.push((Window::new(literal), index));
        }
    }
    windows.sort_unstable();
    windows.dedup();
    windows
}

/// The substrings among which to choose: all that several literals share, and of each literal
/// the cheapest of its own. Their order follows from their bytes, so the choice among equals
/// does not depend on chance.
fn candidates(windows: &[(Window, usize)], literals: usize) -> Vec<Candidate> {
    let mut candidates = Vec::new();
    let mut own: Vec<Option<Candidate>> = (0..literals).map(|_| None).collect();
    let mut start = 0;
    for group in windows.chunk_by(|a, b| a.0 == b.0) {
        let (window, first) = group[0];
        let holders = start..start + group.len();
        start = holders.end;
        let candidate = Candidate { window, uncovered: group.len(), holders, cost: window.cost() };
        if group.len() > 1 {
            candidates.push(candidate);
        } else if own[first].as_ref().is_none_or(|cheapest| candidate.cost < cheapest.cost) {
            own[first] = Some(candidate);
        }
    }
    candidates.extend(own.into_iter().flatten());
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
