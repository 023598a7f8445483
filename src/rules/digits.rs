//! Expressions to which all digits are alike: `took \d+ms` is one, `503` is none.
//!
//! Of two messages that differ in nothing but the values of their digits such an expression matches
//! both or none: its automaton goes the same way through both. Zeros behind a point may be told
//! from other digits: `3.0` connections are three, `3.5` are something else.

use regex_syntax::hir::{Class, Hir, HirKind};

/// Writes a message to `folded` with a digit in the place of all that are alike: `0`, and `1` for
/// those behind a point that are not zero.
pub(super) fn fold(message: &[u8], folded: &mut Vec<u8>) {
    folded.clear();
    folded.extend(message.iter().map(|byte| if byte.is_ascii_digit() { b'0' } else { *byte }));
    for point in memchr::memchr_iter(b'.', message) {
        // What is skipped of slices is not walked over: a message may be all points.
        let behind = message.get(point + 1..).unwrap_or_default();
        let folded = folded.get_mut(point + 1..).unwrap_or_default();
        let digits = behind.iter().take_while(|byte| byte.is_ascii_digit());
        for (digit, folded) in digits.zip(folded) {
            *folded = if *digit == b'0' { b'0' } else { b'1' };
        }
    }
}

/// Whether the expression may match a message and not another one that is the same when
/// [folded](fold).
pub(super) fn tells_apart(expression: &Hir) -> bool {
    match expression.kind() {
        // Borders of words and lines ask what kind of byte is there, and digits are of one kind.
        HirKind::Empty | HirKind::Look(_) => false,
        HirKind::Literal(literal) => literal.0.iter().any(u8::is_ascii_digit),
        HirKind::Class(class) => !matches!(digits_in(class), 0 | 10),
        HirKind::Repetition(repetition) => tells_apart(&repetition.sub),
        HirKind::Capture(capture) => tells_apart(&capture.sub),
        HirKind::Alternation(parts) => parts.iter().any(tells_apart),
        HirKind::Concat(parts) => {
            let before = std::iter::once(None).chain(parts.iter().map(Some));
            before.zip(parts).any(|(before, part)| {
                tells_apart(part) && !(before.is_some_and(is_point) && is_zeros(part))
            })
        }
    }
}

fn is_point(part: &Hir) -> bool {
    matches!(part.kind(), HirKind::Literal(literal) if *literal.0 == *b".")
}

fn is_zeros(part: &Hir) -> bool {
    match part.kind() {
        HirKind::Literal(literal) => literal.0.iter().all(|byte| *byte == b'0'),
        HirKind::Repetition(repetition) => is_zeros(&repetition.sub),
        _ => false,
    }
}

/// How many of the ten digits are members.
fn digits_in(class: &Class) -> usize {
    let is_member = |digit: &u8| match class {
        Class::Bytes(class) => {
            class.iter().any(|range| (range.start()..=range.end()).contains(digit))
        }
        Class::Unicode(class) => {
            let digit = char::from(*digit);
            class.iter().any(|range| (range.start()..=range.end()).contains(&digit))
        }
    };
    (b'0'..=b'9').filter(is_member).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::rule::parse;

    #[test]
    fn expressions_that_name_digits_tell_them_apart() {
        let tells = |pattern: &str| tells_apart(&parse(pattern).unwrap());
        for pattern in [
            "503",
            r"\b5\d\d\b",
            "[1-9]",
            "a|b{2}(c[0-8])?",
            "[^0]",
            r"x\x31",
            r"\.(?:0|1)",
            "10+",
            ",0+",
        ] {
            assert!(tells(pattern), "{pattern}");
        }
        for pattern in
            ["", r"\bpool\b", r"\d{3}", "[0-9a-f]+", ".*[^x]", r"^(?:\w+|\S)$", r"\D", r"\d\.0+$"]
        {
            assert!(!tells(pattern), "{pattern}");
        }
    }
    #[test]
    fn digits_are_folded_but_for_zeros_behind_a_point() {
        let mut folded = Vec::new();
        for (message, expected) in [
            ("", ""),
            ("took 17 of 205 ms", "took 00 of 000 ms"),
            ("3.50 3.0 10.0.0.7.x .9", "0.10 0.0 00.0.0.1.x .1"),
            ("7..5.", "0..1."),
        ] {
            fold(message.as_bytes(), &mut folded);
            assert_eq!(String::from_utf8_lossy(&folded), expected);
        }
    }
}
