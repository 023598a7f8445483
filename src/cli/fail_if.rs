//! `--fail-if`: conditions on a class's total, or on the number of incidents, that turn the exit
//! code to 3, for scripts.

use super::error::CliError;

/// A condition such as `http_503>100`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Condition {
    /// What is compared.
    pub subject: Subject,
    comparison: Comparison,
    limit: u64,
}

/// What a condition is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Subject {
    /// The total of the class with this name.
    Class(String),
    /// How many incidents there were; a class of that name cannot be meant.
    Incidents,
}

/// The name of [`Subject::Incidents`].
const INCIDENTS: &str = "incidents";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Comparison {
    Above,
    AtLeast,
    Equal,
    AtMost,
    Below,
}

/// Longer signs first: `>=` begins with `>`.
const SIGNS: [(&str, Comparison); 5] = [
    (">=", Comparison::AtLeast),
    ("<=", Comparison::AtMost),
    (">", Comparison::Above),
    ("<", Comparison::Below),
    ("=", Comparison::Equal),
];

impl Condition {
    /// Reads a condition on one of `classes`.
    pub(super) fn parse(text: &str, classes: &[String]) -> Result<Self, CliError> {
        let wrong = |problem: &str| {
            CliError::Usage(format!(
                "--fail-if '{text}': {problem}.\nWrite a class or `{INCIDENTS}`, one of \
                 > >= = < <=, and a number, e.g. 'http_503>100'. The classes are: {}.",
                classes.join(", ")
            ))
        };
        let sign = text.find(['>', '<', '=']).ok_or_else(|| wrong("no comparison"))?;
        let (class, rest) = text.split_at(sign);
        let (token, comparison) = SIGNS
            .iter()
            .find(|(token, _)| rest.starts_with(token))
            .ok_or_else(|| wrong("no comparison"))?;
        let number = rest[token.len()..].trim().replace('_', "");
        let limit = number.parse().map_err(|_| wrong("the limit is no whole number"))?;
        let subject = match class.trim() {
            INCIDENTS => Subject::Incidents,
            class if classes.iter().any(|known| known == class) => Subject::Class(class.to_owned()),
            _ => return Err(wrong("no such class")),
        };
        Ok(Self { subject, comparison: *comparison, limit })
    }

    /// The condition as it is written.
    pub(super) fn text(&self) -> String {
        let sign = SIGNS.iter().find(|(_, comparison)| *comparison == self.comparison);
        let subject = match &self.subject {
            Subject::Class(class) => class,
            Subject::Incidents => INCIDENTS,
        };
        format!("{subject}{}{}", sign.map_or("", |(token, _)| token), self.limit)
    }

    /// Whether a total of `count` meets the condition.
    pub(super) fn holds(&self, count: u64) -> bool {
        match self.comparison {
            Comparison::Above => count > self.limit,
            Comparison::AtLeast => count >= self.limit,
            Comparison::Equal => count == self.limit,
            Comparison::AtMost => count <= self.limit,
            Comparison::Below => count < self.limit,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Condition, CliError> {
        Condition::parse(text, &["http_503".to_owned()])
    }

    #[test]
    fn each_comparison_compares() {
        for (text, holds) in [
            ("http_503>100", [false, false, true]),
            ("http_503 >= 100", [false, true, true]),
            ("http_503=100", [false, true, false]),
            ("http_503<=100", [true, true, false]),
            ("http_503<100", [true, false, false]),
        ] {
            let condition = parse(text).unwrap();
            assert_eq!([99, 100, 101].map(|count| condition.holds(count)), holds, "{text}");
        }
    }

    #[test]
    fn a_condition_may_be_about_incidents() {
        let condition = parse("incidents > 0").unwrap();
        assert_eq!(condition.subject, Subject::Incidents);
        assert_eq!(condition.text(), "incidents>0");
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        for text in ["http_503", "http_504>1", "http_503>", "http_503>-1", ">1", "http_503>1.5"] {
            assert!(matches!(parse(text), Err(CliError::Usage(_))), "{text}");
        }
    }
}
