//! The classifier: which rule a message matches, at the price of a substring search for the
//! millions that match none.
//!
//! Two stages: the gate, which finds the literals of all rules in one search, and the expressions
//! of the rules whose literal was found, in catalogue order; at once, where the same rules come up
//! again and again (`groups`). Expressions are compiled when first needed, so start-up does not
//! pay for rules that never match.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use regex::bytes::{Regex, RegexBuilder};

use super::candidates::Candidates;
use super::catalogue::{ClassIndex, RuleIndex, RuleSet};
use super::gate::{Gate, Places};
use super::groups::Groups;
use super::literals::Literal;
use crate::entry::Entry;

/// A compiled expression may take this much memory; a rule file is not trusted to be small.
const MAX_REGEX_BYTES: usize = 4 << 20;
/// To find out which rules tell digits apart takes as long as to classify some thousand messages:
/// so many come first.
const DIGIT_GATE_AFTER: u32 = 2048;

/// The journal fields of an entry, for rules that test them.
pub trait Fields {
    /// Whether any value of the field `name` passes `test`.
    fn any(&self, name: &str, test: &mut dyn FnMut(&[u8]) -> bool) -> bool;
}

/// An entry without any field.
pub struct NoFields;

impl Fields for NoFields {
    fn any(&self, _name: &str, _test: &mut dyn FnMut(&[u8]) -> bool) -> bool {
        false
    }
}

impl Fields for Entry<'_> {
    fn any(&self, name: &str, test: &mut dyn FnMut(&[u8]) -> bool) -> bool {
        let value = match name {
            "MESSAGE" => Some(self.message),
            "SYSLOG_IDENTIFIER" => self.identifier,
            "_SYSTEMD_UNIT" => self.unit,
            "_HOSTNAME" => self.host,
            "_BOOT_ID" => self.boot,
            "_PID" | "SYSLOG_PID" => self.pid,
            "PRIORITY" => {
                return self.priority.is_some_and(|priority| test(&[b'0' + priority]));
            }
            _ => None,
        };
        value.is_some_and(test)
    }
}

/// What a message by itself decides, before the fields of its entry are known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// No rule matches, whatever the fields.
    NoRule,
    /// This rule matches, whatever the fields.
    Rule(RuleIndex),
    /// The fields decide: ask [`Classifier::classify`] for each entry with this message.
    Fields,
}

/// A rule set made ready to classify messages. Shared by all threads.
pub struct Classifier {
    rules: RuleSet,
    compiled: Vec<CompiledRule>,
    gate: Gate,
    pub(super) groups: Groups,
    /// For each literal, the rules that need it.
    literal_rules: Vec<Vec<u16>>,
    /// Rules without literals, to be tried on every message.
    unguarded: Candidates,
    /// Finds the literals of rules that tell digits apart; `None`: one of them has none.
    digit_gate: OnceLock<Option<Gate>>,
    /// How often it was asked for before it was made.
    digit_gate_asked: AtomicU32,
}

struct CompiledRule {
    patterns: Vec<OnceLock<Option<Regex>>>,
    unless: OnceLock<Option<Regex>>,
}

impl Classifier {
    /// Prepares `rules`. Their expressions were checked when they were read; each is compiled when
    /// a message first needs it.
    pub fn new(rules: RuleSet) -> Self {
        Self::watching(rules, &[])
    }

    /// As [`new`](Self::new); [`find_candidate`](Self::find_candidate) also finds each of these
    /// texts, which decide nothing by themselves.
    pub fn watching(rules: RuleSet, watched: &[&[u8]]) -> Self {
        let mut texts: Vec<Literal> = Vec::new();
        let mut literal_rules: Vec<Vec<u16>> = Vec::new();
        let mut position = std::collections::HashMap::new();
        let mut unguarded = Candidates::none_of(rules.rules().len());
        for (index, rule) in rules.rules().iter().enumerate() {
            let index = index as u16;
            let Some(literals) = &rule.literals else {
                unguarded.insert(index);
                continue;
            };
            for literal in literals {
                let at = *position.entry(literal.clone()).or_insert_with(|| {
                    texts.push(literal.clone());
                    literal_rules.push(Vec::new());
                    texts.len() - 1
                });
                literal_rules[at].push(index);
            }
        }
        // No rule needs these, but whoever asks for candidates looks at them.
        texts.extend(watched.iter().map(|text| Literal::new(text)));
        literal_rules.resize(texts.len(), Vec::new());
        let gate = Gate::new(&texts, unguarded.len() > 0);
        let compiled = rules
            .rules()
            .iter()
            .map(|rule| CompiledRule {
                patterns: rule.patterns.iter().map(|_| OnceLock::new()).collect(),
                unless: OnceLock::new(),
            })
            .collect();
        Self {
            rules,
            compiled,
            gate,
            groups: Groups::default(),
            literal_rules,
            unguarded,
            digit_gate: OnceLock::new(),
            digit_gate_asked: AtomicU32::new(0),
        }
    }

    /// The rules that this classifier applies.
    pub fn rules(&self) -> &RuleSet {
        &self.rules
    }

    /// The class of a rule.
    pub fn class_of(&self, rule: RuleIndex) -> ClassIndex {
        self.rules.class_of(rule)
    }

    /// The offset of the first place at or after `from` where a message that some rule matches
    /// could have its literal; no message without such a place matches any rule.
    #[inline]
    pub fn find_candidate(
        &self,
        haystack: &[u8],
        from: usize,
        places: &mut Places,
    ) -> Option<usize> {
        self.gate.next(haystack, from, places)
    }

    /// The literals of all rules: a message that a rule matches contains one, but for rules that
    /// need none.
    pub fn literals(&self) -> impl Iterator<Item = &[u8]> {
        let literals = self.rules.rules().iter().filter_map(|rule| rule.literals.as_deref());
        literals.flatten().map(|literal| literal.bytes.as_slice())
    }

    /// The short substrings that decide which messages are looked at.
    pub fn needles(&self) -> &[Vec<u8>] {
        self.gate.needles()
    }

    /// The first rule that matches the message and the fields.
    pub fn classify(&self, message: &[u8], fields: &dyn Fields) -> Option<RuleIndex> {
        self.first_match(message, |rule| self.fields_match(rule, fields)).map(RuleIndex)
    }

    /// What the message decides by itself: for readers that see each distinct message once and
    /// its entries later.
    #[inline]
    pub fn classify_message(&self, message: &[u8]) -> Verdict {
        if self.has_candidate(message) { self.verdict(message) } else { Verdict::NoRule }
    }

    /// Whether the message has a literal of a rule, or one that is watched.
    #[inline]
    pub(super) fn has_candidate(&self, message: &[u8]) -> bool {
        self.gate.passes(message)
    }

    /// Whether each message that differs from this one in nothing but the values of its digits has
    /// the same verdict, as long as this is true of it too.
    pub(super) fn is_blind_to_digits_of(&self, message: &[u8]) -> bool {
        let gate = match self.digit_gate.get() {
            Some(gate) => gate,
            None if self.digit_gate_asked.fetch_add(1, Ordering::Relaxed) < DIGIT_GATE_AFTER => {
                return false;
            }
            None => self.digit_gate.get_or_init(|| self.gate_of_digits()),
        };
        gate.as_ref().is_some_and(|gate| !gate.passes(message))
    }

    fn gate_of_digits(&self) -> Option<Gate> {
        let mut literals: Vec<Literal> = Vec::new();
        for rule in self.rules.rules().iter().filter(|rule| rule.tells_digits_apart()) {
            literals.extend(rule.literals.as_ref()?.iter().cloned());
        }
        Some(Gate::new(&literals, false))
    }

    /// What a message decides that has a candidate.
    pub(super) fn verdict(&self, message: &[u8]) -> Verdict {
        match self.first_match(message, |_| true) {
            None => Verdict::NoRule,
            Some(rule) if self.rules.rule(RuleIndex(rule)).fields.is_empty() => {
                Verdict::Rule(RuleIndex(rule))
            }
            Some(_) => Verdict::Fields,
        }
    }

    /// What the named groups of the rule's expressions matched in the message, in their order.
    pub fn captures(&self, rule: RuleIndex, message: &[u8]) -> Vec<(String, String)> {
        let mut found = Vec::new();
        self.for_each_capture(rule, message, |name, value| {
            found.push((name.to_owned(), String::from_utf8_lossy(value).into_owned()));
        });
        found
    }

    /// As [`captures`](Self::captures), without a copy.
    pub fn for_each_capture<'m>(
        &self,
        rule: RuleIndex,
        message: &'m [u8],
        mut take: impl FnMut(&str, &'m [u8]),
    ) {
        for position in 0..self.patterns(rule.0).len() {
            let Some(regex) = self.pattern(rule.0, position) else { continue };
            // Without a name there is nothing to tell, and groups cost a slower search.
            if regex.captures_len() == 1 {
                continue;
            }
            let Some(captures) = regex.captures(message) else { continue };
            for name in regex.capture_names().flatten() {
                if let Some(value) = captures.name(name) {
                    take(name, value.as_bytes());
                }
            }
        }
    }

    /// Every rule whose text matches, not only the first: for the rules' own tests.
    pub(super) fn all_matches(&self, message: &[u8]) -> Vec<RuleIndex> {
        let candidates = self.candidates(message);
        candidates.iter().filter(|&rule| self.text_matches(rule, message)).map(RuleIndex).collect()
    }

    /// The first rule whose text matches, of those that are acceptable.
    #[cold]
    fn first_match(&self, message: &[u8], is_acceptable: impl Fn(u16) -> bool) -> Option<u16> {
        let candidates = self.candidates(message);
        let first_pattern = |rule| self.patterns(rule).first().map_or("", String::as_str);
        match self.groups.matching(&candidates, first_pattern, message) {
            Some(mut rules) => {
                rules.find(|&rule| is_acceptable(rule) && self.patterns_match(rule, 1, message))
            }
            None => candidates
                .iter()
                .find(|&rule| is_acceptable(rule) && self.text_matches(rule, message)),
        }
    }

    /// The rules of which a literal is in the message.
    fn candidates(&self, message: &[u8]) -> Candidates {
        let mut found = self.unguarded.clone();
        self.gate.literals_in(message, |literal| {
            for &rule in self.literal_rules.get(literal).map_or(&[][..], Vec::as_slice) {
                found.insert(rule);
            }
        });
        found
    }

    fn fields_match(&self, rule: u16, fields: &dyn Fields) -> bool {
        let rule = self.rules.rule(RuleIndex(rule));
        rule.fields.iter().all(|test| fields.any(&test.name, &mut |value| test.accepts(value)))
    }

    fn text_matches(&self, rule: u16, message: &[u8]) -> bool {
        self.patterns_match(rule, 0, message)
    }

    /// Whether the rule's text matches, its expressions from the position `from` on.
    fn patterns_match(&self, rule: u16, from: usize, message: &[u8]) -> bool {
        (from..self.patterns(rule).len()).all(|position| {
            self.pattern(rule, position).is_some_and(|regex| regex.is_match(message))
        }) && !self.unless(rule).is_some_and(|regex| regex.is_match(message))
    }

    fn patterns(&self, rule: u16) -> &[String] {
        &self.rules.rule(RuleIndex(rule)).patterns
    }

    fn pattern(&self, rule: u16, position: usize) -> Option<&Regex> {
        let text = self.patterns(rule).get(position)?;
        self.compiled[usize::from(rule)].patterns[position]
            .get_or_init(|| compile(text).ok())
            .as_ref()
    }

    fn unless(&self, rule: u16) -> Option<&Regex> {
        let text = self.rules.rule(RuleIndex(rule)).unless.as_ref()?;
        self.compiled[usize::from(rule)].unless.get_or_init(|| compile(text).ok()).as_ref()
    }
}

/// Compiles an expression on bytes, with ASCII classes and with `^` and `$` at line borders.
pub(super) fn compile(pattern: &str) -> Result<Regex, regex::Error> {
    RegexBuilder::new(pattern).unicode(false).multi_line(true).size_limit(MAX_REGEX_BYTES).build()
}
