//! One rule of the catalogue, as its TOML file says it, and what can be wrong with it.

use std::sync::OnceLock;

use regex_syntax::hir::Hir;
use serde::Deserialize;

use super::POOL_SNAPSHOT;
use super::beforehand::Beforehand;
use super::digits;
use super::literals::{self, Literal};

/// A rule: what a message must look like to count as one failure of a class.
#[derive(Debug, Clone)]
pub struct Rule {
    /// The name by which output, `--rules` and `rules show` know the rule: `[a-z0-9-]+`.
    pub id: String,
    /// The class that a match counts for, as in the JSON output: `[a-z0-9_]+`.
    pub class: String,
    /// What program prints this, and when: one sentence.
    pub about: String,
    /// Regular expressions (the syntax of the `regex` crate, on bytes, `^` and `$` at line
    /// borders) that must all match the message, in any order.
    pub patterns: Vec<String>,
    /// A regular expression that must not match the message.
    pub unless: Option<String>,
    /// Journal fields that must have a value matching a glob.
    pub fields: Vec<FieldTest>,
    /// Whether the program reports the same failure in another line that counts already. Such a
    /// line has its class in `events` and `classify` and is not counted by `timeline`.
    pub echo: bool,
    /// Of a rule of the class [`POOL_SNAPSHOT`](super::POOL_SNAPSHOT): what reads the values.
    pub reader: Reader,
    /// Messages that this rule, and no other, must match.
    pub samples: Vec<String>,
    /// Messages that look similar and that this rule must not match.
    pub rejects: Vec<String>,
    /// The file that the rule was read from.
    pub file: String,
    /// Byte strings of which any matching message contains at least one; `None` where the
    /// patterns allow no such conclusion.
    pub(super) literals: Option<Vec<Literal>>,
    tells_digits_apart: OnceLock<bool>,
}

impl Rule {
    /// Whether the rule may match a message and not another one that differs from it in the values
    /// of digits alone. Derived when it is asked for, unless it is known beforehand.
    pub(super) fn tells_digits_apart(&self) -> bool {
        *self.tells_digits_apart.get_or_init(|| {
            let mut expressions = self.patterns.iter().chain(&self.unless);
            expressions.any(|pattern| parse(pattern).map_or(true, |hir| digits::tells_apart(&hir)))
        })
    }
}

/// What reads the values of a pool's state in a message that a rule matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reader {
    /// The named groups of the rule's expressions; see [`SNAPSHOT_GROUPS`].
    #[default]
    Groups,
    /// Pairs of a usual key and a number (`idle=3`, `"idleCount": 3`, `:idle=>3`), of which one
    /// is enough. The group `pool` gives the name where the pairs do not.
    Pairs,
    /// The same, but one pair says too little: a line of any program that has at least two.
    UsualPairs,
    /// The snapshot line of `ebbline-pool`, and the counts in its timeout error.
    Ebbline,
    /// Rows of PgBouncer's `SHOW POOLS`, by their heading.
    ShowPools,
    /// Samples in the exposition format of Prometheus.
    Metric,
}

/// The named groups that give a snapshot its values, and its pool's name.
pub const SNAPSHOT_GROUPS: [&str; 8] =
    ["pool", "max", "size", "idle", "in_use", "waiting", "timeouts", "wait_us"];

/// A test of one journal field.
#[derive(Debug, Clone)]
pub struct FieldTest {
    /// The field's name, e.g. `SYSLOG_IDENTIFIER`.
    pub name: String,
    /// The glob (`*`, `?`, `[…]`) that one of its values must match.
    pub glob: String,
    pub(super) matcher: globset::GlobMatcher,
}

impl FieldTest {
    /// Whether `value` passes.
    pub fn accepts(&self, value: &[u8]) -> bool {
        std::str::from_utf8(value).is_ok_and(|value| self.matcher.is_match(value))
    }
}

/// What is wrong with a rule file. Each message says which file, which rule, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum RuleError {
    /// The file is not TOML, or not of the rule file's shape.
    #[error("{file}: {detail}\nCorrect the file; docs/RULES.md describes its form.")]
    Syntax {
        /// The rule file.
        file: String,
        /// What the TOML parser says, with line and column.
        detail: String,
    },
    /// One rule says something impossible.
    #[error("{file}: rule `{id}`: {problem}\n{remedy}")]
    Rule {
        /// The rule file.
        file: String,
        /// The id of the rule.
        id: String,
        /// What is wrong, with the position inside a pattern where there is one.
        problem: String,
        /// What to do about it.
        remedy: &'static str,
    },
}

/// A rule file: `[[rule]]` tables, and ids of other rules to switch off.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RuleFile {
    #[serde(default, rename = "rule")]
    pub(super) rules: Vec<RawRule>,
    /// Ids of rules from earlier files that are not to be used.
    #[serde(default)]
    pub(super) disable: Vec<String>,
}

/// A `[[rule]]` table before its expressions are checked.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawRule {
    id: String,
    class: String,
    #[serde(default)]
    about: String,
    pattern: OneOrMany,
    unless: Option<String>,
    #[serde(default)]
    fields: std::collections::BTreeMap<String, String>,
    #[serde(default)]
    echo: bool,
    #[serde(default)]
    reader: Reader,
    #[serde(default)]
    samples: Vec<String>,
    #[serde(default)]
    rejects: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

const PATTERN_REMEDY: &str = "Correct the expression; its syntax is that of https://docs.rs/regex.";

impl Rule {
    /// Checks the syntax of `unless`, from which nothing is derived: for rules of users. Start-up
    /// does not wait for it in the built-in ones, whose tests compile every expression.
    pub(super) fn check_unless(&self) -> Result<(), RuleError> {
        let Some(unless) = &self.unless else { return Ok(()) };
        parse(unless).map(drop).map_err(|problem| RuleError::Rule {
            file: self.file.clone(),
            id: self.id.clone(),
            problem,
            remedy: PATTERN_REMEDY,
        })
    }
}

impl RawRule {
    /// Checks the rule and derives the literals that its matches must contain, unless they are
    /// known: then its expressions were checked, too.
    pub(super) fn check(self, file: &str, known: Option<&Beforehand>) -> Result<Rule, RuleError> {
        let fail = |problem: String, remedy| RuleError::Rule {
            file: file.to_owned(),
            id: self.id.clone(),
            problem,
            remedy,
        };
        if !is_name(&self.id, b'-') {
            let problem = "an id is made of lower-case letters, digits and `-`".to_owned();
            return Err(fail(problem, "Rename the rule."));
        }
        if !is_name(&self.class, b'_') {
            let problem = format!(
                "class `{}`: a class is made of lower-case letters, digits and `_`",
                self.class
            );
            return Err(fail(problem, "Rename the class."));
        }
        let patterns = match &self.pattern {
            OneOrMany::One(pattern) => vec![pattern.clone()],
            OneOrMany::Many(patterns) => patterns.clone(),
        };
        if patterns.is_empty() {
            return Err(fail("`pattern` is empty".to_owned(), "Give at least one expression."));
        }
        let (literals, tells_digits_apart) = match known.and_then(|known| known.of(&self.id)) {
            Some(known) => (Some(known.literals), OnceLock::from(known.tells_digits_apart)),
            None => {
                let literals = derive(&patterns);
                (literals.map_err(|problem| fail(problem, PATTERN_REMEDY))?, OnceLock::new())
            }
        };
        if let Some((problem, remedy)) = self.snapshot_problem(&patterns) {
            return Err(fail(problem, remedy));
        }
        let fields = self
            .fields
            .iter()
            .map(|(name, glob)| field_test(name, glob))
            .collect::<Result<_, _>>()
            .map_err(|problem| fail(problem, "Correct the glob: `*`, `?` and `[…]` are known."))?;
        Ok(Rule {
            id: self.id,
            class: self.class,
            about: self.about,
            patterns,
            unless: self.unless,
            fields,
            echo: self.echo,
            reader: self.reader,
            samples: self.samples,
            rejects: self.rejects,
            file: file.to_owned(),
            literals,
            tells_digits_apart,
        })
    }
}

impl RawRule {
    /// What keeps the rule from reading a pool's state, if that is what it is for; or what it is
    /// told to read though it is for something else.
    fn snapshot_problem(&self, patterns: &[String]) -> Option<(String, &'static str)> {
        if self.class != POOL_SNAPSHOT {
            let problem = format!("`reader` in a rule of the class `{}`", self.class);
            let remedy = "Only rules of the class `pool_snapshot` have a reader: leave it out.";
            return (self.reader != Reader::Groups).then_some((problem, remedy));
        }
        let names = |group: &str| {
            let opening = [format!("(?<{group}>"), format!("(?P<{group}>")];
            patterns.iter().any(|pattern| opening.iter().any(|opening| pattern.contains(opening)))
        };
        let reads =
            self.reader != Reader::Groups || SNAPSHOT_GROUPS.iter().skip(1).any(|g| names(g));
        let problem = "no group of the expressions names a value of the pool".to_owned();
        let remedy = "Name one: (?<max>…), (?<size>…), (?<idle>…), (?<in_use>…), (?<waiting>…), \
                      (?<timeouts>…) or (?<wait_us>…).";
        (!reads).then_some((problem, remedy))
    }
}

/// The literals of which a message that all expressions match has one at least.
fn derive(patterns: &[String]) -> Result<Option<Vec<Literal>>, String> {
    let expressions: Vec<Hir> =
        patterns.iter().map(|pattern| parse(pattern)).collect::<Result<_, _>>()?;
    Ok(literals::required_by_all(&expressions))
}

fn is_name(text: &str, joiner: u8) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == joiner)
}

fn field_test(name: &str, glob: &str) -> Result<FieldTest, String> {
    let matcher = globset::Glob::new(glob)
        .map_err(|error| format!("field {name}: {error}"))?
        .compile_matcher();
    Ok(FieldTest { name: name.to_owned(), glob: glob.to_owned(), matcher })
}

/// Parses one expression as the classifier will compile it: bytes, ASCII classes, multi-line.
pub(super) fn parse(pattern: &str) -> Result<Hir, String> {
    regex_syntax::ParserBuilder::new()
        .utf8(false)
        .unicode(false)
        .multi_line(true)
        .build()
        .parse(pattern)
        .map_err(|error| error.to_string())
}
