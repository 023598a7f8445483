//! What may stand next to a literal: whether its number may be part of a longer one.
//!
//! `503` stands in every other line of some logs, as a part of a port, a time or a size. Where
//! an expression lets no digit stand next to its number, neither need the search.

use regex_syntax::hir::{Class, Hir, HirKind, Look};

/// Whether a digit may stand right before a literal and right behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Borders {
    pub(super) digit_before: bool,
    pub(super) digit_behind: bool,
}

impl Borders {
    /// Anything may stand on both sides.
    pub(super) const OPEN: Self = Self { digit_before: true, digit_behind: true };

    /// What a place says of the digits next to it: no more stand beyond it.
    pub(super) fn of_look(look: Look) -> Self {
        Self {
            digit_before: !bars_digits(look, Side::Before),
            digit_behind: !bars_digits(look, Side::Behind),
        }
    }

    /// The borders of what is between two runs of parts, of a sequence with the borders `self`.
    pub(super) fn between(self, before: &[Hir], behind: &[Hir]) -> Self {
        let first = |edge: Edge| edge.has_digit || edge.is_empty && self.digit_behind;
        let last = |edge: Edge| edge.has_digit || edge.is_empty && self.digit_before;
        Self {
            digit_before: last(of_sequence(before.iter().rev(), Side::Before)),
            digit_behind: first(of_sequence(behind.iter(), Side::Behind)),
        }
    }

    /// Whether a literal that stands at `start..end` has borders such as these.
    #[inline]
    pub(super) fn hold(self, haystack: &[u8], start: usize, end: usize) -> bool {
        let is_digit = |at: usize| haystack.get(at).is_some_and(u8::is_ascii_digit);
        (self.digit_before || !is_digit(start.wrapping_sub(1)))
            && (self.digit_behind || !is_digit(end))
    }
}

/// On which side of the literal a part stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Before,
    Behind,
}

/// What the side of a part that is next to the literal can be.
#[derive(Debug, Clone, Copy)]
struct Edge {
    /// A digit.
    has_digit: bool,
    /// Nothing: what stands beyond is next to the literal.
    is_empty: bool,
}

fn of_sequence<'a>(parts: impl Iterator<Item = &'a Hir>, side: Side) -> Edge {
    let mut sequence = Edge { has_digit: false, is_empty: true };
    for part in parts {
        let part = of_part(part, side);
        sequence.has_digit |= part.has_digit;
        if !part.is_empty {
            return Edge { is_empty: false, ..sequence };
        }
    }
    sequence
}

fn of_part(part: &Hir, side: Side) -> Edge {
    match part.kind() {
        HirKind::Empty => Edge { has_digit: false, is_empty: true },
        HirKind::Literal(literal) => {
            let byte = match side {
                Side::Before => literal.0.last(),
                Side::Behind => literal.0.first(),
            };
            Edge { has_digit: byte.is_some_and(u8::is_ascii_digit), is_empty: byte.is_none() }
        }
        HirKind::Class(class) => Edge { has_digit: has_digit(class), is_empty: false },
        HirKind::Look(look) => Edge { has_digit: false, is_empty: !bars_digits(*look, side) },
        HirKind::Repetition(repetition) => {
            let edge = of_part(&repetition.sub, side);
            Edge { is_empty: edge.is_empty || repetition.min == 0, ..edge }
        }
        HirKind::Capture(capture) => of_part(&capture.sub, side),
        HirKind::Concat(parts) => match side {
            Side::Before => of_sequence(parts.iter().rev(), side),
            Side::Behind => of_sequence(parts.iter(), side),
        },
        HirKind::Alternation(branches) => branches.iter().map(|branch| of_part(branch, side)).fold(
            Edge { has_digit: false, is_empty: false },
            |all, branch| Edge {
                has_digit: all.has_digit || branch.has_digit,
                is_empty: all.is_empty || branch.is_empty,
            },
        ),
    }
}

fn has_digit(class: &Class) -> bool {
    match class {
        Class::Bytes(class) => {
            class.ranges().iter().any(|range| range.start() <= b'9' && range.end() >= b'0')
        }
        Class::Unicode(_) => true,
    }
}

/// Whether no digit can stand beyond such a place next to a digit: where the text or its line
/// ends, and where a word does.
fn bars_digits(look: Look, side: Side) -> bool {
    match look {
        Look::WordAscii => true,
        Look::Start | Look::StartLF | Look::StartCRLF | Look::WordStartAscii => {
            side == Side::Before
        }
        Look::End | Look::EndLF | Look::EndCRLF | Look::WordEndAscii => side == Side::Behind,
        _ => false,
    }
}
