//! Which literals a regular expression cannot match without.
//!
//! The scan looks for these with a multi-substring search and runs an expression only on
//! messages that have one of its literals, so a catalogue of hundreds of rules costs about as
//! much as one. The derivation walks the expression's syntax tree: a concatenation needs what
//! any one of its parts needs (the rarest is chosen), an alternation needs one of what each of
//! its branches needs, and an optional part needs nothing.

use regex_syntax::hir::{Class, Hir, HirKind};

/// An alternation or a character class is spelt out into at most this many strings.
const MAX_STRINGS: usize = 24;
/// A literal shorter than this would let nearly every message pass.
const MIN_BYTES: usize = 3;

type Strings = Vec<Vec<u8>>;

/// Strings of which every message that all expressions match contains at least one, chosen to
/// be rare; `None` where no expression needs any.
pub(super) fn required_by_all(expressions: &[Hir]) -> Option<Strings> {
    expressions
        .iter()
        .filter_map(|hir| analyse(hir).best())
        .max_by(|a, b| rarity(a).total_cmp(&rarity(b)))
}

/// What is known of a part of an expression.
struct Knowledge {
    /// Every string that the part matches, where they are few.
    exact: Option<Strings>,
    /// Strings of which every match of the part contains one.
    required: Option<Strings>,
}

impl Knowledge {
    fn nothing() -> Self {
        Self { exact: None, required: None }
    }

    fn exactly(strings: Strings) -> Self {
        Self { exact: Some(strings), required: None }
    }

    /// The better of what the part is and what it contains.
    fn best(self) -> Option<Strings> {
        better(usable(self.exact), self.required)
    }
}

fn analyse(hir: &Hir) -> Knowledge {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => Knowledge::exactly(vec![Vec::new()]),
        HirKind::Literal(literal) => Knowledge::exactly(vec![literal.0.to_vec()]),
        HirKind::Class(class) => members(class).map_or_else(Knowledge::nothing, Knowledge::exactly),
        HirKind::Capture(capture) => analyse(&capture.sub),
        HirKind::Repetition(repetition) => {
            let part = analyse(&repetition.sub);
            match (repetition.min, repetition.max) {
                (0, Some(1)) => match part.exact {
                    Some(mut strings) if strings.len() < MAX_STRINGS => {
                        strings.push(Vec::new());
                        Knowledge::exactly(strings)
                    }
                    _ => Knowledge::nothing(),
                },
                (0, _) => Knowledge::nothing(),
                (1, Some(1)) => part,
                _ => Knowledge { exact: None, required: part.best() },
            }
        }
        HirKind::Concat(parts) => analyse_sequence(parts),
        HirKind::Alternation(branches) => analyse_branches(branches),
    }
}

/// Joins neighbouring exact parts into longer strings and keeps the rarest run.
fn analyse_sequence(parts: &[Hir]) -> Knowledge {
    let mut run: Strings = vec![Vec::new()];
    let mut whole = true;
    let mut required: Option<Strings> = None;
    for part in parts {
        let part = analyse(part);
        match part.exact {
            Some(strings) if run.len() * strings.len() <= MAX_STRINGS => {
                run = product(&run, &strings);
            }
            exact => {
                required = better(required, usable(Some(std::mem::take(&mut run))));
                required = better(required, part.required);
                whole = false;
                run = exact.unwrap_or_else(|| vec![Vec::new()]);
            }
        }
    }
    if whole {
        return Knowledge::exactly(run);
    }
    Knowledge { exact: None, required: better(required, usable(Some(run))) }
}

fn analyse_branches(branches: &[Hir]) -> Knowledge {
    let mut exact: Option<Strings> = Some(Vec::new());
    let mut required: Option<Strings> = Some(Vec::new());
    for branch in branches {
        let branch = analyse(branch);
        exact = match (exact, &branch.exact) {
            (Some(mut all), Some(strings)) if all.len() + strings.len() <= MAX_STRINGS => {
                all.extend(strings.iter().cloned());
                Some(all)
            }
            _ => None,
        };
        required = match (required, branch.best()) {
            (Some(mut all), Some(strings)) => {
                all.extend(strings);
                Some(all)
            }
            _ => None,
        };
    }
    Knowledge { exact, required }
}

fn members(class: &Class) -> Option<Strings> {
    let Class::Bytes(class) = class else { return None };
    let count: usize = class.ranges().iter().map(|range| range.len()).sum();
    if count > 4 {
        return None;
    }
    let bytes = class.ranges().iter().flat_map(|range| range.start()..=range.end());
    Some(bytes.map(|byte| vec![byte]).collect())
}

fn product(left: &[Vec<u8>], right: &[Vec<u8>]) -> Strings {
    left.iter()
        .flat_map(|head| right.iter().map(move |tail| [head.as_slice(), tail].concat()))
        .collect()
}

/// The strings, if each is long enough to be worth searching.
fn usable(strings: Option<Strings>) -> Option<Strings> {
    strings.filter(|all| !all.is_empty() && all.iter().all(|string| string.len() >= MIN_BYTES))
}

fn better(a: Option<Strings>, b: Option<Strings>) -> Option<Strings> {
    match (a, b) {
        (Some(a), Some(b)) => Some(if rarity(&b) > rarity(&a) { b } else { a }),
        (a, b) => a.or(b),
    }
}

/// How rare the least rare of the strings is in log text, in bits; more strings, less rare.
fn rarity(strings: &[Vec<u8>]) -> f64 {
    let rarest = strings.iter().map(|string| bits(string)).fold(f64::INFINITY, f64::min);
    // The count is at most a few dozen, so the conversion is exact.
    rarest - (strings.len() as f64).log2()
}

/// Words that stand in nearly every access line or request log, rare as their letters are in
/// other text; longer ones before their own beginnings.
const COMMON_WORDS: [&str; 24] = [
    "https://", "http://", "HTTP", "http", "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE",
    "OPTIONS", "CONNECT", "TRACE", "PROPFIND", "PURGE", "STATUS", "tatus", "Code", "code",
    "equest", "esponse", "Received", "rror", "ervice",
];
/// What such a word tells: a web service's log has one in most lines.
const COMMON_WORD_BITS: f64 = 3.0;
/// What any run of letters tells at most: a program prints the same words again and again.
const MAX_WORD_BITS: f64 = 16.0;

/// The information in a string, in bits, after the frequency of its bytes and words in log text.
pub(super) fn bits(string: &[u8]) -> f64 {
    let mut rest = string;
    let (mut total, mut word_bits) = (0.0, 0.0_f64);
    while let Some((&byte, tail)) = rest.split_first() {
        let common = COMMON_WORDS.iter().find_map(|word| rest.strip_prefix(word.as_bytes()));
        if let Some(after) = common {
            word_bits += COMMON_WORD_BITS;
            rest = after;
            continue;
        }
        if byte.is_ascii_alphabetic() {
            word_bits += byte_bits(byte);
        } else {
            total += word_bits.min(MAX_WORD_BITS) + byte_bits(byte);
            word_bits = 0.0;
        }
        rest = tail;
    }
    total + word_bits.min(MAX_WORD_BITS)
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

    fn literals(pattern: &str) -> Option<Vec<String>> {
        let hir = regex_syntax::ParserBuilder::new()
            .utf8(false)
            .unicode(false)
            .multi_line(true)
            .build()
            .parse(pattern)
            .unwrap();
        required_by_all(&[hir]).map(|strings| {
            strings.iter().map(|s| String::from_utf8_lossy(s).into_owned()).collect()
        })
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
