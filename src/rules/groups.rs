//! Rules that are candidates together again and again, tried at once.
//!
//! A literal as short as `503` is that of many rules, of which each would read the message for
//! itself: in an outage, when the most lines have one, that is the most of the work. Where the
//! same candidates have come up often, their expressions are compiled into one automaton, which
//! tells in a single pass which of them match. The first messages do without: to compile takes
//! longer than to look at some hundred messages.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use regex::bytes::{RegexSet, RegexSetBuilder};

use super::candidates::Candidates;

/// Fewer candidates are cheaper to try one by one.
const MIN_RULES: usize = 4;
/// How often candidates must have come up together before they are compiled.
const MIN_MESSAGES: u32 = 256;
/// So many groups at most: a bound on their memory.
const SLOTS: usize = 16;
/// What one group's automaton may take, in bytes. One that would need more is not built.
const MAX_SET_BYTES: usize = 8 << 20;

/// The groups of a classifier, shared by all threads.
#[derive(Default)]
pub(super) struct Groups {
    /// Each set of candidates has one place. Where that is taken by another set, it stays without
    /// a group.
    slots: [OnceLock<Group>; SLOTS],
}

struct Group {
    candidates: Candidates,
    /// How often they came up.
    messages: AtomicU32,
    /// `None`: they are too large to be compiled together.
    set: OnceLock<Option<RegexSet>>,
}

impl Groups {
    /// Those of the candidates whose first expression, which `pattern` tells, matches; `None`
    /// where they are to be tried one by one.
    pub(super) fn matching<'a>(
        &self,
        candidates: &Candidates,
        pattern: impl Fn(u16) -> &'a str,
        message: &[u8],
    ) -> Option<impl Iterator<Item = u16>> {
        if candidates.len() < MIN_RULES {
            return None;
        }
        let group = self.slots.get(candidates.hash() as usize % SLOTS)?.get_or_init(|| Group {
            candidates: candidates.clone(),
            messages: AtomicU32::new(0),
            set: OnceLock::new(),
        });
        if group.candidates != *candidates {
            return None;
        }
        let set = match group.set.get() {
            Some(set) => set,
            None if group.messages.fetch_add(1, Ordering::Relaxed) < MIN_MESSAGES => return None,
            None => group.set.get_or_init(|| compile(candidates.iter().map(pattern))),
        };
        let matched = set.as_ref()?.matches(message);
        let rules = candidates.iter().enumerate();
        Some(rules.filter(move |(position, _)| matched.matched(*position)).map(|(_, rule)| rule))
    }
}

/// Compiles expressions as the classifier does, but together.
fn compile<'a>(patterns: impl Iterator<Item = &'a str>) -> Option<RegexSet> {
    RegexSetBuilder::new(patterns)
        .unicode(false)
        .multi_line(true)
        .size_limit(MAX_SET_BYTES)
        .build()
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::{Classifier, NoFields, RuleSet};

    #[test]
    fn candidates_that_came_up_often_match_as_they_did_one_by_one() {
        let rules = RuleSet::builtin().unwrap();
        let samples: Vec<String> = rules
            .rules()
            .iter()
            .flat_map(|rule| [&rule.samples, &rule.rejects])
            .flatten()
            .cloned()
            .collect();
        let classifier = Classifier::new(rules);
        let rule_of = |sample: &String| classifier.classify(sample.as_bytes(), &NoFields);
        let one_by_one: Vec<_> = samples.iter().map(rule_of).collect();
        for sample in samples.iter().cycle().take(MIN_MESSAGES as usize * samples.len()) {
            rule_of(sample);
        }
        let slots = classifier.groups.slots.iter();
        let compiled =
            slots.filter(|slot| slot.get().is_some_and(|group| group.set.get().is_some()));
        assert!(compiled.count() > 4);
        assert_eq!(samples.iter().map(rule_of).collect::<Vec<_>>(), one_by_one);
    }

    #[test]
    fn few_candidates_are_tried_one_by_one() {
        let groups = Groups::default();
        let mut candidates = Candidates::none_of(8);
        (0..3).for_each(|rule| candidates.insert(rule));
        for _ in 0..=2 * MIN_MESSAGES {
            assert!(groups.matching(&candidates, |_| "a", b"a").is_none());
        }
        candidates.insert(3);
        let patterns = ["a", "^b", "c$", "A"];
        let pattern = |rule: u16| patterns[usize::from(rule)];
        for _ in 0..MIN_MESSAGES {
            assert!(groups.matching(&candidates, pattern, b"abc").is_none());
        }
        let matching = groups.matching(&candidates, pattern, b"abc").unwrap();
        assert_eq!(matching.collect::<Vec<_>>(), [0, 2]);
    }

    #[test]
    fn expressions_too_large_together_are_tried_one_by_one() {
        let groups = Groups::default();
        let mut candidates = Candidates::none_of(8);
        (0..4).for_each(|rule| candidates.insert(rule));
        for _ in 0..=MIN_MESSAGES {
            let pattern = |_| r"(?:\w{1000}x){60}";
            assert!(groups.matching(&candidates, pattern, b"a").is_none());
        }
    }
}
