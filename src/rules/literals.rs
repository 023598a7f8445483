//! Which literals a regular expression cannot match without.
//!
//! The scan looks for these with a multi-substring search and runs an expression only on
//! messages that have one of its literals, so a catalogue of hundreds of rules costs about as
//! much as one. The derivation walks the expression's syntax tree: a concatenation needs what
//! any one of its parts needs (the rarest is chosen), an alternation needs one of what each of
//! its branches needs, and an optional part needs nothing.

use std::ops::Range;

use regex_syntax::hir::{Class, Hir, HirKind};

use super::borders::Borders;
use super::grams::LONG_BYTES;

/// An alternation or a character class is spelt out into at most this many strings.
const MAX_STRINGS: usize = 24;
/// A literal shorter than this would let nearly every message pass.
const MIN_BYTES: usize = 3;

/// A string that a match must contain.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Literal {
    pub(super) bytes: Vec<u8>,
    /// What may stand next to it.
    pub(super) borders: Borders,
}

impl Literal {
    const EMPTY: Self = Self { bytes: Vec::new(), borders: Borders::OPEN };

    /// A string next to which anything may stand.
    pub(super) fn new(bytes: &[u8]) -> Self {
        Self { bytes: bytes.to_vec(), borders: Borders::OPEN }
    }

    fn followed_by(&self, tail: &Self) -> Self {
        let (own, more) = (self.borders, tail.borders);
        let borders = Borders {
            digit_before: own.digit_before && (more.digit_before || !self.bytes.is_empty()),
            digit_behind: more.digit_behind && (own.digit_behind || !tail.bytes.is_empty()),
        };
        Self { bytes: [self.bytes.as_slice(), &tail.bytes].concat(), borders }
    }

    /// The literal as a part of something with such borders. What is known of the borders of a
    /// number says nothing of those of other text.
    fn within(mut self, outer: Borders) -> Self {
        let is_number = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_digit);
        let digit_before = self.borders.digit_before && outer.digit_before;
        let digit_behind = self.borders.digit_behind && outer.digit_behind;
        self.borders = Borders {
            digit_before: digit_before || !is_number(self.bytes.first()),
            digit_behind: digit_behind || !is_number(self.bytes.last()),
        };
        self
    }

    /// Whether the literal stands in `haystack` at `start`.
    #[inline]
    pub(super) fn stands_at(&self, haystack: &[u8], start: usize) -> bool {
        let text = haystack.get(start..).unwrap_or(&[]);
        text.starts_with(&self.bytes)
            && self.borders.hold(haystack, start, start + self.bytes.len())
    }
}

/// Literals of which every message that all expressions match contains at least one, chosen to
/// be rare; `None` where no expression needs any.
pub(super) fn required_by_all(expressions: &[Hir]) -> Option<Vec<Literal>> {
    expressions
        .iter()
        .filter_map(|hir| analyse(hir, Borders::OPEN).best(Borders::OPEN))
        .max_by(|a, b| rarity(a).total_cmp(&rarity(b)))
}

/// What is known of a part of an expression.
struct Knowledge {
    /// Every string that the part matches, where they are few; with what the part itself says
    /// of their borders.
    exact: Option<Vec<Literal>>,
    /// Literals of which every match of the part contains one.
    required: Option<Vec<Literal>>,
}

impl Knowledge {
    fn nothing() -> Self {
        Self { exact: None, required: None }
    }

    fn exactly(strings: Vec<Literal>) -> Self {
        Self { exact: Some(strings), required: None }
    }

    /// The better of what the part is, between such borders, and what it contains.
    fn best(self, borders: Borders) -> Option<Vec<Literal>> {
        better(usable(self.exact, borders), self.required)
    }
}

/// `borders`: what may stand next to the part.
fn analyse(hir: &Hir, borders: Borders) -> Knowledge {
    match hir.kind() {
        HirKind::Empty => Knowledge::exactly(vec![Literal::EMPTY]),
        HirKind::Look(look) => {
            let borders = Borders::of_look(*look);
            Knowledge::exactly(vec![Literal { borders, ..Literal::EMPTY }])
        }
        HirKind::Literal(literal) => Knowledge::exactly(vec![Literal::new(&literal.0)]),
        HirKind::Class(class) => members(class).map_or_else(Knowledge::nothing, Knowledge::exactly),
        HirKind::Capture(capture) => analyse(&capture.sub, borders),
        HirKind::Repetition(repetition) => {
            let is_single = repetition.max == Some(1);
            let borders = if is_single { borders } else { Borders::OPEN };
            let part = analyse(&repetition.sub, borders);
            match (repetition.min, repetition.max) {
                (0, Some(1)) => match part.exact {
                    Some(mut strings) if strings.len() < MAX_STRINGS => {
                        strings.push(Literal::EMPTY);
                        Knowledge::exactly(strings)
                    }
                    _ => Knowledge::nothing(),
                },
                (0, _) => Knowledge::nothing(),
                (1, Some(1)) => part,
                _ => Knowledge { exact: None, required: part.best(borders) },
            }
        }
        HirKind::Concat(parts) => analyse_sequence(parts, borders),
        HirKind::Alternation(branches) => analyse_branches(branches, borders),
    }
}

/// Joins neighbouring exact parts into longer strings and keeps the rarest run.
fn analyse_sequence(parts: &[Hir], borders: Borders) -> Knowledge {
    let borders_of = |run: Range<usize>| {
        let before = parts.get(..run.start).unwrap_or(&[]);
        borders.between(before, parts.get(run.end..).unwrap_or(&[]))
    };
    let mut run = vec![Literal::EMPTY];
    let mut run_start = 0;
    let mut whole = true;
    let mut required: Option<Vec<Literal>> = None;
    for (position, hir) in parts.iter().enumerate() {
        let part = analyse(hir, borders_of(position..position + 1));
        match part.exact {
            Some(strings) if run.len() * strings.len() <= MAX_STRINGS => {
                run = product(&run, &strings);
            }
            exact => {
                let ended = std::mem::take(&mut run);
                required = better(required, usable(Some(ended), borders_of(run_start..position)));
                required = better(required, part.required);
                whole = false;
                run_start = if exact.is_some() { position } else { position + 1 };
                run = exact.unwrap_or_else(|| vec![Literal::EMPTY]);
            }
        }
    }
    if whole {
        return Knowledge::exactly(run);
    }
    let last = usable(Some(run), borders_of(run_start..parts.len()));
    Knowledge { exact: None, required: better(required, last) }
}

fn analyse_branches(branches: &[Hir], borders: Borders) -> Knowledge {
    let mut exact: Option<Vec<Literal>> = Some(Vec::new());
    let mut required: Option<Vec<Literal>> = Some(Vec::new());
    for branch in branches {
        let branch = analyse(branch, borders);
        exact = match (exact, &branch.exact) {
            (Some(mut all), Some(strings)) if all.len() + strings.len() <= MAX_STRINGS => {
                all.extend(strings.iter().cloned());
                Some(all)
            }
            _ => None,
        };
        required = match (required, branch.best(borders)) {
            (Some(mut all), Some(strings)) => {
                all.extend(strings);
                Some(all)
            }
            _ => None,
        };
    }
    Knowledge { exact, required }
}

fn members(class: &Class) -> Option<Vec<Literal>> {
    let Class::Bytes(class) = class else { return None };
    let count: usize = class.ranges().iter().map(|range| range.len()).sum();
    if count > 4 {
        return None;
    }
    let bytes = class.ranges().iter().flat_map(|range| range.start()..=range.end());
    Some(bytes.map(|byte| Literal::new(&[byte])).collect())
}

fn product(left: &[Literal], right: &[Literal]) -> Vec<Literal> {
    left.iter().flat_map(|head| right.iter().map(|tail| head.followed_by(tail))).collect()
}

/// The strings between such borders, if each is long enough to be worth searching.
fn usable(strings: Option<Vec<Literal>>, borders: Borders) -> Option<Vec<Literal>> {
    let strings = strings?;
    let is_long = |literal: &Literal| literal.bytes.len() >= MIN_BYTES;
    let is_usable = !strings.is_empty() && strings.iter().all(is_long);
    is_usable.then(|| strings.into_iter().map(|literal| literal.within(borders)).collect())
}

fn better(a: Option<Vec<Literal>>, b: Option<Vec<Literal>>) -> Option<Vec<Literal>> {
    match (a, b) {
        (Some(a), Some(b)) => Some(if rarity(&b) > rarity(&a) { b } else { a }),
        (a, b) => a.or(b),
    }
}

/// How rare the least rare of the literals is in log text, in bits; more literals, less rare.
fn rarity(literals: &[Literal]) -> f64 {
    let gain = |string: &[u8]| if string.len() < LONG_BYTES { 0.0 } else { LONG_BITS };
    let least = literals.iter().map(|literal| bits(&literal.bytes) + gain(&literal.bytes));
    let rarest = least.fold(f64::INFINITY, f64::min);
    // The count is at most a few dozen, so the conversion is exact.
    rarest - (literals.len() as f64).log2()
}

/// Words that stand in nearly every access line, request log or duration, rare as their letters
/// are in other text; longer ones before their own beginnings.
const COMMON_WORDS: [&str; 25] = [
    "https://", "http://", "HTTP", "http", "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE",
    "OPTIONS", "CONNECT", "TRACE", "PROPFIND", "PURGE", "STATUS", "tatus", "Code", "code",
    "equest", "esponse", "Received", "rror", "ervice", "sec",
];
/// What such a word tells: a web service's log has one in most lines.
const COMMON_WORD_BITS: f64 = 3.0;
/// What any run of letters tells at most: a program prints the same words again and again.
const MAX_WORD_BITS: f64 = 16.0;
/// What a number tells at most: it may stand within any longer one.
const MAX_NUMBER_BITS: f64 = 30.0;
/// What it is worth that the search for a literal is the one for long ones.
const LONG_BITS: f64 = 20.0;

/// The information in a string, in bits, after the frequency of its bytes and words in log text.
pub(super) fn bits(string: &[u8]) -> f64 {
    let mut rest = string;
    let (mut total, mut word_bits, mut number_bits) = (0.0, 0.0_f64, 0.0_f64);
    while let Some((&byte, tail)) = rest.split_first() {
        if let Some(after) = behind_common_word(rest) {
            word_bits += COMMON_WORD_BITS;
            rest = after;
            continue;
        }
        let run = match byte {
            b'0'..=b'9' => Some(&mut number_bits),
            _ if byte.is_ascii_alphabetic() => Some(&mut word_bits),
            _ => None,
        };
        match run {
            Some(run) => *run += byte_bits(byte),
            None => {
                total += word_bits.min(MAX_WORD_BITS) + number_bits.min(MAX_NUMBER_BITS);
                total += byte_bits(byte);
                (word_bits, number_bits) = (0.0, 0.0);
            }
        }
        rest = tail;
    }
    total + word_bits.min(MAX_WORD_BITS) + number_bits.min(MAX_NUMBER_BITS)
}

/// What follows the common word at the beginning of `text`, if one is there.
fn behind_common_word(text: &[u8]) -> Option<&[u8]> {
    // Start-up waits for this, so most text is told by its first byte.
    let mut words = COMMON_WORDS.iter().map(|word| word.as_bytes());
    match text.first() {
        Some(b'a'..=b'z' | b'A'..=b'Z') => words.find_map(|word| text.strip_prefix(word)),
        _ => None,
    }
}

/// Frequencies are coarse on purpose: what matters is that `" 503 ` beats ` the `. Digits vary
/// from line to line where words do not, so a given number is rare.
pub(super) fn byte_bits(byte: u8) -> f64 {
    match byte {
        b' ' | b'e' | b't' | b'o' | b'n' | b'i' | b'a' | b's' | b'r' => 3.6,
        b'c' | b'd' | b'l' | b'm' | b'p' | b'u' | b'h' => 4.6,
        b'.' | b'-' | b':' | b'"' | b'/' | b'=' | b',' => 4.8,
        b'a'..=b'z' => 6.0,
        b'A'..=b'Z' | b'_' | b'[' | b']' | b'(' | b')' | b'{' | b'}' => 6.5,
        b'0'..=b'9' => 13.0,
        _ => 8.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn required(pattern: &str) -> Option<Vec<Literal>> {
        let hir = regex_syntax::ParserBuilder::new()
            .utf8(false)
            .unicode(false)
            .multi_line(true)
            .build()
            .parse(pattern)
            .unwrap();
        required_by_all(&[hir])
    }

    fn literals(pattern: &str) -> Option<Vec<String>> {
        let text = |literal: &Literal| String::from_utf8_lossy(&literal.bytes).into_owned();
        required(pattern).map(|literals| literals.iter().map(text).collect())
    }

    #[test]
    fn a_number_that_must_stand_alone_is_known_to() {
        for (pattern, digit_before, digit_behind) in [
            (r"503", true, true),
            (r"\b503\b", false, false),
            (r"status=(\x1b\[0m)*503(\x1b|$)", false, false),
            (r"x[^0-9]+503(?:$|[^\w .]| +[^0-9 ])", false, false),
            (r"[a-z]*503\d?", true, true),
            (r"a\d*503 *[0-9]", true, true),
            (r"(?:[a-z]+|\d+ )503(?:[0-9.]|$)", false, true),
            (r"(?:[a-z]503)+", false, true),
            (r"(?:(?:[a-z] |[^\d])(503)\b)?.*\b503\b", false, false),
            (r"\D(?:503|5031)\D", false, false),
        ] {
            let literals = required(pattern).unwrap();
            let bordered = literals.iter().filter(|literal| literal.bytes == b"503");
            let borders: Vec<Borders> = bordered.map(|literal| literal.borders).collect();
            assert!(!borders.is_empty(), "{pattern}: {literals:?}");
            for found in borders {
                assert_eq!(found, Borders { digit_before, digit_behind }, "{pattern}");
            }
        }
    }

    #[test]
    fn the_longest_run_of_literal_text_is_required() {
        assert_eq!(
            literals(r"after \d+(\.\d+)? sec: couldn't get a connection"),
            Some(vec![" sec: couldn't get a connection".to_owned()])
        );
    }

    #[test]
    fn an_alternation_requires_one_of_its_branches() {
        assert_eq!(
            literals(r"(a|b) \d+ (exhausted|closed)"),
            Some(vec![" exhausted".to_owned(), " closed".to_owned()])
        );
    }

    #[test]
    fn an_optional_part_is_not_required() {
        assert_eq!(literals(r"(abcdef)*xyz"), Some(vec!["xyz".to_owned()]));
        assert_eq!(literals(r"(abcdef)?"), None);
        assert_eq!(literals(r"\d+"), None);
    }

    #[test]
    fn small_classes_are_spelt_out() {
        let found = literals(r"[Pp]ool").unwrap();
        assert_eq!(found, vec!["Pool".to_owned(), "pool".to_owned()]);
    }

    #[test]
    fn a_long_case_insensitive_word_still_has_a_literal() {
        let found = literals(r"(?i)connection refused").unwrap();
        assert!(found.iter().all(|s| s.len() >= 3), "{found:?}");
    }
}
