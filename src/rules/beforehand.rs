//! What the expressions of the built-in rules say, derived beforehand: to parse some four hundred
//! of them at each start would take half of the time that a small log takes.
//!
//! `builtin/derived.json` has a line for each rule, and `make derived` writes it. A test derives
//! them anew and fails where the file says something else. A rule that is not in the file is
//! derived at start.

use std::borrow::Cow;
use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::borders::Borders;
use super::literals::Literal;

const FILE: &str = include_str!("builtin/derived.json");

/// What is known of the built-in rules, by their ids.
#[derive(Default)]
pub(super) struct Beforehand(HashMap<&'static str, WrittenRule<'static>>);

/// What is known of a rule.
pub(super) struct Known {
    /// Byte strings of which any matching message contains at least one.
    pub(super) literals: Vec<Literal>,
    /// Whether the rule may match a message and not another one that differs from it in the values
    /// of digits alone.
    pub(super) tells_digits_apart: bool,
}

/// What is known of a rule, as the file has it.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct WrittenRule<'f> {
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    tells_digits_apart: bool,
    #[serde(borrow)]
    literals: Vec<Written<'f>>,
}

/// A literal as the file has it.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Written<'f> {
    #[serde(borrow)]
    text: Cow<'f, str>,
    /// Where no digit may stand next to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    no_digit: Option<Side>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Side {
    Before,
    Behind,
    Around,
}

impl Beforehand {
    /// What the file says; nothing, where it cannot be read.
    pub(super) fn read() -> Self {
        Self(serde_json::from_str(FILE).unwrap_or_default())
    }

    /// What is known of a built-in rule, if it is.
    pub(super) fn of(&self, id: &str) -> Option<Known> {
        let WrittenRule { tells_digits_apart, literals } = self.0.get(id)?;
        let literals = literals.iter().map(Written::literal).collect();
        Some(Known { literals, tells_digits_apart: *tells_digits_apart })
    }
}

impl Written<'_> {
    fn literal(&self) -> Literal {
        let borders = Borders {
            digit_before: !matches!(self.no_digit, Some(Side::Before | Side::Around)),
            digit_behind: !matches!(self.no_digit, Some(Side::Behind | Side::Around)),
        };
        Literal { bytes: self.text.as_bytes().to_vec(), borders }
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use super::*;
    use crate::rules::RuleSet;
    use crate::rules::builtin::{BUILTIN, SNAPSHOTS};
    use crate::rules::catalogue::parse_file;
    use crate::rules::rule::Rule;

    /// The built-in rules, with literals that are derived from their expressions now.
    fn derived() -> Vec<Rule> {
        let files = BUILTIN.iter().chain(SNAPSHOTS);
        let rules = files.flat_map(|(file, text)| parse_file(file, text, None).unwrap().0);
        rules.collect()
    }

    /// `None`: the literal is no text.
    fn written(literal: &Literal) -> Option<Written<'static>> {
        let text = String::from_utf8(literal.bytes.clone()).ok()?.into();
        let no_digit = match (literal.borders.digit_before, literal.borders.digit_behind) {
            (true, true) => None,
            (false, true) => Some(Side::Before),
            (true, false) => Some(Side::Behind),
            (false, false) => Some(Side::Around),
        };
        Some(Written { text, no_digit })
    }

    fn file(rules: &[Rule]) -> String {
        let mut lines = Vec::new();
        for rule in rules {
            let literals = rule.literals.iter().flatten().map(written);
            let Some(literals) = literals.collect::<Option<Vec<Written<'_>>>>() else { continue };
            if rule.literals.is_some() {
                let tells_digits_apart = rule.tells_digits_apart();
                let known = WrittenRule { tells_digits_apart, literals };
                let known = serde_json::to_string(&known).unwrap();
                let mut line = String::new();
                write!(line, "  {}: {known}", serde_json::to_string(&rule.id).unwrap()).unwrap();
                lines.push(line);
            }
        }
        format!("{{\n{}\n}}\n", lines.join(",\n"))
    }

    #[test]
    fn the_file_has_what_the_expressions_say() {
        let file = file(&derived());
        if std::env::var_os("EBBLINE_WRITE_DERIVED").is_some() {
            let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/rules/builtin/derived.json");
            std::fs::write(path, &file).unwrap();
        }
        for (number, (known, derived)) in FILE.lines().zip(file.lines()).enumerate() {
            assert_eq!(known, derived, "line {}: run `make derived`", number + 1);
        }
        assert_eq!(FILE, file, "run `make derived`");
    }

    #[test]
    fn rules_have_the_literals_that_are_derived_from_them() {
        let rules = RuleSet::builtin().unwrap().with_snapshots().unwrap();
        let derived = derived();
        assert_eq!(rules.rules().len(), derived.len());
        for rule in derived {
            let known = rules.by_id(&rule.id).unwrap();
            assert_eq!(known.literals, rule.literals, "{}", rule.id);
            assert_eq!(known.tells_digits_apart(), rule.tells_digits_apart(), "{}", rule.id);
        }
        let known = Beforehand::read();
        let read = rules.rules().iter().filter(|rule| known.of(&rule.id).is_some()).count();
        assert!(read * 10 > rules.rules().len() * 9, "{read} of {}", rules.rules().len());
    }
}
