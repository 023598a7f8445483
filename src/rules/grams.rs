//! The search for long literals: looks at every eighth position of a text, and no other.
//!
//! A literal of thirteen bytes or more covers, wherever it stands, six bytes from some eighth
//! position on. So it is enough to know, of each literal, the eight runs of six bytes (grams)
//! that can be met there, and to look up one gram for every eight bytes of text: in a small bit
//! set first, which nearly all text fails, then among the grams themselves, then the whole
//! literal in its place. The cost hardly depends on the number of literals.
//!
//! The idea of searching many patterns at sampled positions is that of Wu and Manber, "A fast
//! algorithm for multi-pattern searching" (1994).

use std::ops::ControlFlow;

use super::literals::Literal;
use super::rarity;

/// How far apart the positions are that are looked at.
const STRIDE: usize = 8;
/// How many bytes are looked up at once. Two fewer than there are between positions: so shorter
/// literals can take part, and a gram still tells most texts apart.
const GRAM_BYTES: usize = 6;
/// How long a literal must be, in bytes, so that it covers a gram at one position at least.
pub(super) const LONG_BYTES: usize = STRIDE + GRAM_BYTES - 1;
/// The filter's size: half of what a core's nearest cache holds. Two bits of a byte stand for a gram.
const FILTER_BYTES: usize = 1 << 15;
/// Positions that are looked at before the first decision.
const AT_ONCE: usize = 4;

/// A search for literals of at least [`LONG_BYTES`].
pub(super) struct Grams {
    /// A set of grams that may hold more than it was given: two bits of the byte that a gram's
    /// hash chooses.
    filter: Box<[u8; FILTER_BYTES]>,
    /// For each of so many parts of the hashes' range, where its grams begin among all; and the
    /// end.
    starts: Vec<u32>,
    /// In the order of their hashes.
    placed: Vec<Placed>,
    literals: Vec<Named>,
}

/// A literal, and what it is called outside.
struct Named {
    id: usize,
    literal: Literal,
}

/// A gram of a literal.
#[derive(Clone, Copy)]
struct Placed {
    /// The gram and the bytes behind it, as far as the literal goes and a word holds them: many
    /// literals have the gram, and a comparison of two numbers rules out most of them.
    word: u64,
    /// Which bits of the word are the literal's.
    mask: u64,
    /// The position among the literals.
    literal: u32,
    /// Where in the literal the gram stands.
    offset_bytes: u32,
}

impl Placed {
    fn new(literal: usize, bytes: &[u8], offset: usize) -> Self {
        let beginning = bytes.get(offset..).unwrap_or(&[]);
        let used = beginning.len().min(STRIDE);
        let mask = u64::MAX >> (8 * (STRIDE - used).min(STRIDE - 1));
        let word = u64::from_le_bytes(padded(beginning));
        Self { word, mask, literal: literal as u32, offset_bytes: offset as u32 }
    }

    fn hash(&self) -> u64 {
        hash(gram(self.word.to_le_bytes()))
    }
}

impl Grams {
    /// A search for literals with the names that it tells them by. None may be shorter than
    /// [`LONG_BYTES`].
    pub(super) fn new(literals: Vec<(usize, Literal)>) -> Self {
        let literals: Vec<Named> =
            literals.into_iter().map(|(id, literal)| Named { id, literal }).collect();
        let mut placed = choose(&literals);
        placed.sort_unstable_by_key(|placed| (placed.hash(), placed.literal));
        let mut filter = Box::new([0; FILTER_BYTES]);
        for placed in &placed {
            let hash = placed.hash();
            filter[byte_of(hash)] |= bits_of(hash);
        }
        let starts = (0..=PARTS)
            .map(|part| placed.partition_point(|placed| part_of(placed.hash()) < part) as u32)
            .collect();
        Self { filter, starts, placed, literals }
    }

    /// A position at or after `from` that lies in a whole literal: of those that begin at or
    /// after `from`, none ends before it.
    #[inline]
    pub(super) fn find(&self, haystack: &[u8], from: usize) -> Option<usize> {
        let mut found = None;
        let _ = self.visit(haystack, from, |at, _| {
            found = Some(at);
            ControlFlow::Break(())
        });
        found
    }

    /// Tells `take` of every literal that stands at or after `from`; of some more than once.
    #[inline]
    pub(super) fn visit(
        &self,
        haystack: &[u8],
        from: usize,
        mut take: impl FnMut(usize, usize) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let text = haystack.get(from..).unwrap_or(&[]);
        if self.literals.is_empty() || text.len() < LONG_BYTES {
            return ControlFlow::Continue(());
        }
        let (positions, rest) = text.as_chunks::<STRIDE>();
        let mut groups = positions.chunks_exact(AT_ONCE);
        let mut at = from;
        for group in &mut groups {
            if group.iter().fold(0, |any, gram| any | self.filtered(*gram)) != 0 {
                self.visit_grams(haystack, at, group, &mut take)?;
            }
            at += AT_ONCE * STRIDE;
        }
        let last = groups.remainder();
        if last.iter().fold(0, |any, gram| any | self.filtered(*gram)) != 0 {
            self.visit_grams(haystack, at, last, &mut take)?;
        }
        if rest.len() < GRAM_BYTES || self.filtered(padded(rest)) == 0 {
            return ControlFlow::Continue(());
        }
        at += last.len() * STRIDE;
        self.visit_grams(haystack, at, &[padded(rest)], &mut take)
    }

    /// Not 0, if the set may have the gram at the beginning of these bytes.
    #[inline]
    fn filtered(&self, bytes: [u8; STRIDE]) -> u8 {
        let hash = hash(gram(bytes));
        let bits = bits_of(hash);
        u8::from(self.filter[byte_of(hash)] & bits == bits)
    }

    /// Looks closer at neighbouring positions, of which the set may have one. Kept out of the
    /// loop over the others, which is the faster for being small.
    #[inline(never)]
    fn visit_grams(
        &self,
        haystack: &[u8],
        at: usize,
        positions: &[[u8; STRIDE]],
        take: &mut impl FnMut(usize, usize) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        for (position, bytes) in positions.iter().enumerate() {
            if self.filtered(*bytes) != 0 {
                self.visit_position(haystack, at + position * STRIDE, *bytes, take)?;
            }
        }
        ControlFlow::Continue(())
    }

    fn visit_position(
        &self,
        haystack: &[u8],
        at: usize,
        bytes: [u8; STRIDE],
        take: &mut impl FnMut(usize, usize) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let word = u64::from_le_bytes(bytes);
        let part = part_of(hash(gram(bytes)));
        let start = self.starts.get(part).map_or(0, |start| *start as usize);
        let end = self.starts.get(part + 1).map_or(0, |end| *end as usize);
        for placed in self.placed.get(start..end).unwrap_or(&[]) {
            if (placed.word ^ word) & placed.mask != 0 {
                continue;
            }
            let Some(named) = self.literals.get(placed.literal as usize) else { continue };
            let start = at.checked_sub(placed.offset_bytes as usize);
            if start.is_some_and(|start| named.literal.stands_at(haystack, start)) {
                take(at, named.id)?;
            }
        }
        ControlFlow::Continue(())
    }
}

/// The gram at the beginning of these bytes.
#[inline]
fn gram(bytes: [u8; STRIDE]) -> u64 {
    u64::from_le_bytes(bytes) << (8 * (STRIDE - GRAM_BYTES))
}

/// Multiplication spreads every bit of the gram over the upper half of the hash.
#[inline]
fn hash(gram: u64) -> u64 {
    gram.wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

/// The byte of the filter in which a gram has its bit.
#[inline]
fn byte_of(hash: u64) -> usize {
    (hash >> (64 - FILTER_BYTES.trailing_zeros())) as usize
}

/// Two bits, from a table: to shift by a number that varies is slow on the processors for which
/// programs are built by default.
#[inline]
fn bits_of(hash: u64) -> u8 {
    const BITS: [u8; 32] = [
        0x03, 0x05, 0x09, 0x11, 0x21, 0x41, 0x81, 0x06, 0x0a, 0x12, 0x22, 0x42, 0x82, 0x0c, 0x14,
        0x24, 0x44, 0x84, 0x18, 0x28, 0x48, 0x88, 0x30, 0x50, 0x90, 0x60, 0xa0, 0xc0, 0x03, 0x0c,
        0x30, 0xc0,
    ];
    BITS[(hash >> 40 & 31) as usize]
}

/// The hashes' range is divided into so many parts, in each of which there are few grams.
const PARTS: usize = 1 << 12;

fn part_of(hash: u64) -> usize {
    (hash >> (64 - PARTS.trailing_zeros())) as usize
}

/// For each literal the grams of the window that is rarest in log text.
fn choose(literals: &[Named]) -> Vec<Placed> {
    let mut placed = Vec::with_capacity(literals.len() * STRIDE);
    for (position, named) in literals.iter().enumerate() {
        let bytes = &named.literal.bytes;
        let start = rarest_window(bytes);
        placed.extend((start..start + STRIDE).map(|at| Placed::new(position, bytes, at)));
    }
    placed
}

/// Where in a literal the run of [`STRIDE`] grams begins that will be met least often.
fn rarest_window(literal: &[u8]) -> usize {
    let bits = rarity::of_runs(literal, GRAM_BYTES);
    let chances: Vec<f64> = bits.into_iter().map(|bits| (-bits).exp2()).collect();
    let windows = chances.windows(STRIDE).map(|window| window.iter().sum::<f64>());
    let rarest = windows.enumerate().min_by(|a, b| a.1.total_cmp(&b.1));
    rarest.map_or(0, |(start, _)| start)
}

/// What follows a gram does not matter, but for there being a word to read.
fn padded(bytes: &[u8]) -> [u8; STRIDE] {
    let mut word = [0; STRIDE];
    for (to, from) in word.iter_mut().zip(bytes) {
        *to = *from;
    }
    word
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grams(literals: &[&str]) -> Grams {
        let literals = literals.iter().map(|literal| Literal::new(literal.as_bytes()));
        Grams::new(literals.enumerate().collect())
    }

    fn found(grams: &Grams, text: &str) -> Vec<usize> {
        let mut found = Vec::new();
        let _ = grams.visit(text.as_bytes(), 0, |_, literal| {
            found.push(literal);
            ControlFlow::Continue(())
        });
        found.sort_unstable();
        found.dedup();
        found
    }

    #[test]
    fn a_literal_is_found_wherever_it_stands() {
        let literal = "just thirteen";
        let grams = grams(&[literal, "QueuePool limit of size"]);
        for before in 0..40 {
            for behind in 0..20 {
                let text = format!("{}{literal}{}", ".".repeat(before), ".".repeat(behind));
                assert_eq!(found(&grams, &text), [0], "{text}");
                let at = grams.find(text.as_bytes(), 0).unwrap();
                assert!((before..before + literal.len()).contains(&at), "{text}: {at}");
                assert!(grams.find(text.as_bytes(), before).is_some(), "{text}");
                assert_eq!(grams.find(text.as_bytes(), before + literal.len()), None, "{text}");
            }
        }
    }

    #[test]
    fn literals_that_share_their_bytes_are_all_told() {
        let grams = grams(&[
            "timed out waiting for a connection",
            "timed out waiting for a connection from the pool",
            "out waiting for",
            "waiting for a lock on something",
        ]);
        assert_eq!(found(&grams, "it timed out waiting for a connection from a pool"), [0, 2]);
        assert_eq!(found(&grams, "it timed out waiting for a connection from the pool"), [0, 1, 2]);
        assert_eq!(found(&grams, "timed out waiting for"), [2]);
    }

    #[test]
    fn text_without_a_whole_literal_has_none() {
        let grams = grams(&["QueuePool limit of size"]);
        assert_eq!(found(&grams, "QueuePool limit of siz"), Vec::<usize>::new());
        assert_eq!(found(&grams, ""), Vec::<usize>::new());
        assert_eq!(found(&grams, "ueuePool limit of size"), Vec::<usize>::new());
    }
}
