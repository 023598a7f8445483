//! The catalogue's test of itself: every sample is matched by its own rule and by no other, no
//! reject is matched by its rule. `ebbline rules test` runs it on the user's machine too.

use super::catalogue::RuleSet;
use super::classifier::{Classifier, compile};
use super::rule::{Reader, Rule};
use super::{POOL_SNAPSHOT, POOL_TIMEOUT};

/// One thing that is wrong with a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The rule's id.
    pub rule: String,
    /// The file that the rule is in.
    pub file: String,
    /// What is wrong, in one line.
    pub problem: String,
}

/// Whether a snapshot's rule may match what is meant for `rule`: a timeout error may carry the
/// pool's state, and is a snapshot too; what reads the usual keys of any program stands behind the
/// rules for one program and leaves them their lines.
fn may_match_too(rules: &RuleSet, rule: &Rule, other: &str) -> bool {
    let Some(other) = rules.by_id(other).filter(|other| other.class == POOL_SNAPSHOT) else {
        return false;
    };
    let is_any_program = other.reader == Reader::UsualPairs;
    rule.class == POOL_TIMEOUT || (rule.class == POOL_SNAPSHOT && is_any_program)
}

/// Tests every rule by its own samples and rejects.
///
/// A sample that a rule further down also matches is a finding as well: the order would decide
/// silently. Fields are not tested, only text.
pub fn self_test(rules: &RuleSet) -> Vec<Finding> {
    let classifier = Classifier::new(rules.clone());
    let mut findings = Vec::new();
    for rule in rules.rules() {
        let mut report = |problem: String| {
            let (id, file) = (rule.id.clone(), rule.file.clone());
            findings.push(Finding { rule: id, file, problem });
        };
        for pattern in rule.patterns.iter().chain(&rule.unless) {
            if let Err(error) = compile(pattern) {
                report(format!("the expression does not compile: {error}"));
            }
        }
        if rule.samples.is_empty() {
            report("the rule has no sample".to_owned());
        }
        let matches = |text: &str| -> Vec<String> {
            let found = classifier.all_matches(text.as_bytes());
            found.into_iter().map(|index| rules.rule(index).id.clone()).collect()
        };
        for sample in &rule.samples {
            let matched = matches(sample);
            if !matched.contains(&rule.id) {
                report(format!("does not match its sample: {sample}"));
            }
            let is_other = |id: &&String| **id != rule.id && !may_match_too(rules, rule, id);
            for other in matched.iter().filter(is_other) {
                report(format!("rule `{other}` matches its sample too: {sample}"));
            }
        }
        for reject in &rule.rejects {
            if matches(reject).contains(&rule.id) {
                report(format!("matches what it should reject: {reject}"));
            }
        }
    }
    findings
}
