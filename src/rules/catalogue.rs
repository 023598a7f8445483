//! The rule set: the built-in catalogue, what the user adds, and the order that decides.
//!
//! A message gets the first rule that matches. Users' rules come first, in the order in which
//! they were given; then the built-in ones by class (a pool timeout is the cause, the 503 its
//! effect; a 503 that came from elsewhere is told apart before our own) and then as the files
//! list them.

use super::beforehand::Beforehand;
use super::builtin::{BUILTIN, SNAPSHOTS};
use super::classifier::compile;
use super::rule::{Rule, RuleError, RuleFile};
use super::{HTTP_503, POOL_TIMEOUT, UPSTREAM_503};

/// The position of a rule in its [`RuleSet`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RuleIndex(pub(super) u16);

/// The position of a class in its [`RuleSet`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClassIndex(pub(super) u16);

impl ClassIndex {
    /// The index as a number, for arrays with one element a class.
    pub fn get(self) -> usize {
        usize::from(self.0)
    }
}

/// More rules than this cannot be told apart by a [`RuleIndex`].
const MAX_RULES: usize = u16::MAX as usize;

/// Rules in the order in which they are tried, and the classes that they count for.
#[derive(Debug, Clone)]
pub struct RuleSet {
    rules: Vec<Rule>,
    /// For each rule, the position of its class in `classes`.
    rule_class: Vec<ClassIndex>,
    classes: Vec<String>,
}

impl RuleSet {
    /// The catalogue of failures that is compiled into the program.
    pub fn builtin() -> Result<Self, RuleError> {
        let known = Beforehand::read();
        let mut rules = Vec::new();
        for (file, text) in BUILTIN {
            rules.extend(parse_file(file, text, Some(&known))?.0);
        }
        rules.sort_by_key(|rule| class_rank(&rule.class));
        Ok(Self::from_rules(rules))
    }

    /// This set and, behind it, the built-in rules of pool snapshots. They are apart because
    /// those who count failures need not look for them.
    pub fn with_snapshots(mut self) -> Result<Self, RuleError> {
        let known = Beforehand::read();
        for (file, text) in SNAPSHOTS {
            self.rules.extend(parse_file(file, text, Some(&known))?.0);
        }
        Ok(Self::from_rules(self.rules))
    }

    /// The rules of this set whose class `is_wanted`, in the same order.
    pub fn only(mut self, is_wanted: impl Fn(&str) -> bool) -> Self {
        self.rules.retain(|rule| is_wanted(&rule.class));
        Self::from_rules(self.rules)
    }

    /// No rule at all.
    pub fn empty() -> Self {
        Self::from_rules(Vec::new())
    }

    /// This set with a user's rule file in front of it.
    ///
    /// A rule with the id of an earlier one replaces it; ids that the file disables are removed.
    /// `file` names the file in errors. An error says which rule is wrong and where.
    pub fn with_file(self, file: &str, text: &str) -> Result<Self, RuleError> {
        let (added, disabled) = parse_file(file, text, None)?;
        for id in &disabled {
            if !self.rules.iter().any(|rule| rule.id == *id) {
                return Err(RuleError::Rule {
                    file: file.to_owned(),
                    id: id.clone(),
                    problem: "`disable` names a rule that does not exist".to_owned(),
                    remedy: "`ebbline rules list` shows the ids.",
                });
            }
        }
        for rule in &added {
            rule.check_unless()?;
            check_size(rule)?;
        }
        let kept = self.rules.into_iter().filter(|rule| {
            !disabled.contains(&rule.id) && !added.iter().any(|new| new.id == rule.id)
        });
        let rules: Vec<Rule> = added.iter().cloned().chain(kept).collect();
        if rules.len() > MAX_RULES {
            return Err(RuleError::Syntax {
                file: file.to_owned(),
                detail: format!("{} rules are more than {MAX_RULES}", rules.len()),
            });
        }
        Ok(Self::from_rules(rules))
    }

    fn from_rules(rules: Vec<Rule>) -> Self {
        let mut classes: Vec<String> =
            [POOL_TIMEOUT, HTTP_503, UPSTREAM_503].map(str::to_owned).to_vec();
        let rule_class = rules
            .iter()
            .map(|rule| {
                let known = classes.iter().position(|class| *class == rule.class);
                let position = known.unwrap_or_else(|| {
                    classes.push(rule.class.clone());
                    classes.len() - 1
                });
                ClassIndex(position as u16)
            })
            .collect();
        Self { rules, rule_class, classes }
    }

    /// All rules, in the order in which they are tried.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// All classes: the three of the built-in catalogue, then those that the rules add.
    pub fn classes(&self) -> &[String] {
        &self.classes
    }

    /// The index of the class with this name.
    pub fn class_index(&self, name: &str) -> Option<ClassIndex> {
        let position = self.classes.iter().position(|class| class == name)?;
        u16::try_from(position).ok().map(ClassIndex)
    }

    /// The rule at `index`.
    pub fn rule(&self, index: RuleIndex) -> &Rule {
        &self.rules[usize::from(index.0)]
    }

    /// The class that the rule at `index` counts for.
    pub fn class_of(&self, index: RuleIndex) -> ClassIndex {
        self.rule_class[usize::from(index.0)]
    }

    /// The rule with this id.
    pub fn by_id(&self, id: &str) -> Option<&Rule> {
        self.rules.iter().find(|rule| rule.id == id)
    }
}

/// Pool timeouts before 503s received, 503s received before 503s answered, others last.
fn class_rank(class: &str) -> usize {
    let order = [POOL_TIMEOUT, UPSTREAM_503, HTTP_503];
    order.iter().position(|known| *known == class).unwrap_or(order.len())
}

/// Refuses an expression that is valid but too large to compile; a built-in one never is.
fn check_size(rule: &Rule) -> Result<(), RuleError> {
    for pattern in rule.patterns.iter().chain(&rule.unless) {
        compile(pattern).map_err(|error| RuleError::Rule {
            file: rule.file.clone(),
            id: rule.id.clone(),
            problem: error.to_string(),
            remedy: "Make the expression smaller: counted repetitions multiply.",
        })?;
    }
    Ok(())
}

/// The rules of one file, and the ids that it disables. `known`: what was derived from them
/// beforehand, for files of the built-in catalogue.
pub(super) fn parse_file(
    file: &str,
    text: &str,
    known: Option<&Beforehand>,
) -> Result<(Vec<Rule>, Vec<String>), RuleError> {
    let parsed: RuleFile = toml::from_str(text)
        .map_err(|error| RuleError::Syntax { file: file.to_owned(), detail: error.to_string() })?;
    let mut rules: Vec<Rule> = Vec::with_capacity(parsed.rules.len());
    for raw in parsed.rules {
        let rule = raw.check(file, known)?;
        if rules.iter().any(|earlier| earlier.id == rule.id) {
            return Err(RuleError::Rule {
                file: file.to_owned(),
                id: rule.id,
                problem: "the file has another rule with this id".to_owned(),
                remedy: "Rename one of them.",
            });
        }
        rules.push(rule);
    }
    Ok((rules, parsed.disable))
}
