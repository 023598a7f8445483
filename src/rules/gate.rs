//! The gate: one search for the literals of all rules, which nearly no message passes.
//!
//! What passes has a whole literal of some rule, and only that is looked at by the classifier.
//! Long literals and short ones are searched for apart, each in the way that is fastest for
//! them: `grams` looks at every eighth position, `needles` compares at every position, but for
//! few and short strings.

use std::ops::ControlFlow;

use super::grams::{Grams, LONG_BYTES};
use super::literals::Literal;
use super::needles::Needles;

/// A search for the literals of all rules.
pub(super) struct Gate {
    grams: Grams,
    needles: Needles,
    /// Some rule has no literal: every message passes.
    is_open: bool,
}

/// Where the next literals of a text stand, as far as the search has come.
#[derive(Debug, Default)]
pub struct Places {
    gram: Place,
    needle: Place,
}

/// Where the next literal of one kind stands.
#[derive(Debug, Default)]
enum Place {
    /// It was not looked for.
    #[default]
    Unknown,
    /// Here.
    At(usize),
    /// There is none up to the end of the text.
    Nowhere,
}

impl Place {
    #[inline]
    fn next(&mut self, from: usize, search: impl FnOnce() -> Option<usize>) -> usize {
        match self {
            Self::Nowhere => usize::MAX,
            Self::At(at) if *at >= from => *at,
            Self::At(_) | Self::Unknown => match search() {
                Some(at) => {
                    *self = Self::At(at);
                    at
                }
                None => {
                    *self = Self::Nowhere;
                    usize::MAX
                }
            },
        }
    }
}

impl Gate {
    /// A gate that passes every haystack with at least one of `literals`; `is_open`: and every
    /// other one too.
    pub(super) fn new(literals: &[Literal], is_open: bool) -> Self {
        let (mut long, mut short) = (Vec::new(), Vec::new());
        for (id, literal) in literals.iter().enumerate() {
            let part = printed_part(literal);
            let kind = if part.bytes.len() < LONG_BYTES { &mut short } else { &mut long };
            kind.push((id, part));
        }
        Self { grams: Grams::new(long), needles: Needles::new(&short), is_open }
    }

    /// A place in the first literal that stands at or after `from`, or before it; `None` where
    /// there is none. Of one haystack `from` may only rise as long as `places` is the same.
    #[inline]
    pub(super) fn next(&self, haystack: &[u8], from: usize, places: &mut Places) -> Option<usize> {
        if self.is_open {
            return (from <= haystack.len()).then_some(from);
        }
        let gram = places.gram.next(from, || self.grams.find(haystack, from));
        let needle = places.needle.next(from, || self.needles.find(haystack, from));
        let next = gram.min(needle);
        (next != usize::MAX).then_some(next)
    }

    /// Whether the haystack passes.
    #[inline]
    pub(super) fn passes(&self, haystack: &[u8]) -> bool {
        self.is_open
            || self.grams.find(haystack, 0).is_some()
            || self.needles.find(haystack, 0).is_some()
    }

    /// Tells `take` of every literal in the haystack; of some more than once.
    pub(super) fn literals_in(&self, haystack: &[u8], mut take: impl FnMut(usize)) {
        let mut take = |_, literal| {
            take(literal);
            ControlFlow::Continue(())
        };
        let _ = self.grams.visit(haystack, 0, &mut take);
        let _ = self.needles.visit(haystack, 0, &mut take);
    }

    /// The short substrings that are searched for at every position.
    pub(super) fn needles(&self) -> &[Vec<u8>] {
        self.needles.all()
    }
}

/// The longest part of a literal without breaks and tabs, which may be written otherwise where
/// the message is looked for.
fn printed_part(literal: &Literal) -> Literal {
    let parts = literal.bytes.split(u8::is_ascii_control);
    match parts.max_by_key(|part| part.len()) {
        Some(part) if part.len() < literal.bytes.len() => Literal::new(part),
        _ => literal.clone(),
    }
}
