//! The examples of docs/RULES.md do what the page says that they do.
#![allow(clippy::unwrap_used)]

use ebbline::rules::{Classifier, NoFields, RuleSet, self_test};

const PAGE: &str = include_str!("../docs/RULES.md");

/// The contents of the page's code blocks of one language.
fn code_blocks(language: &str) -> Vec<&'static str> {
    let opening = format!("\n```{language}\n");
    let blocks: Vec<_> = PAGE
        .split(opening.as_str())
        .skip(1)
        .map(|rest| rest.split_once("\n```").unwrap().0)
        .collect();
    assert!(!blocks.is_empty(), "no {language} block");
    blocks
}

fn rules_of_the_page() -> RuleSet {
    let page = RuleSet::builtin().unwrap();
    code_blocks("toml")
        .into_iter()
        .fold(page, |rules, file| rules.with_file("RULES.md", file).unwrap())
}

#[test]
fn the_rule_files_of_the_page_are_valid_and_their_samples_pass() {
    for block in code_blocks("toml") {
        let rules = RuleSet::builtin().unwrap().with_file("RULES.md", block).unwrap();
        assert_eq!(self_test(&rules), []);
    }
}

#[test]
fn the_lines_that_the_page_classifies_give_what_it_shows() {
    let classifier = Classifier::new(rules_of_the_page());
    for block in code_blocks("console") {
        // What other commands print is compared by the tests of the command line.
        if !block.contains("ebbline classify") {
            continue;
        }
        let (command, shown) = block.split_once('\n').unwrap();
        let message = command.split('\'').nth(1).unwrap();
        let shown: serde_json::Value = serde_json::from_str(shown).unwrap();
        let index = classifier.classify(message.as_bytes(), &NoFields).unwrap();
        let rule = classifier.rules().rule(index);
        assert_eq!(shown["rule"], rule.id, "{message}");
        assert_eq!(shown["class"], rule.class, "{message}");
        assert_eq!(shown["echo"], rule.echo, "{message}");
        let captures = classifier.captures(index, message.as_bytes());
        let fields: serde_json::Map<String, serde_json::Value> =
            captures.into_iter().map(|(name, value)| (name, value.into())).collect();
        assert_eq!(shown["fields"], serde_json::Value::Object(fields), "{message}");
    }
}

#[test]
fn every_pool_file_of_the_catalogue_is_in_the_pages_table() {
    let rules = RuleSet::builtin().unwrap();
    for rule in rules.rules() {
        let name = rule.file.trim_start_matches("builtin/");
        assert!(!name.starts_with("pool_") || PAGE.contains(&format!("`{name}`")), "{name}");
    }
}
