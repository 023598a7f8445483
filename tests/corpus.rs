//! The catalogue against labelled lines: precision and recall of each class.
//!
//! `tests/corpus/*.tsv` hold the lines, one a row: class (`neither` for none), source, line. The
//! lines are what programs print, from their own format strings or from running them; most of
//! `neither` are traps. `EBBLINE_CORPUS` may name more such files, separated by `:`.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout)]

use std::collections::BTreeMap;
use std::path::PathBuf;

use ebbline::rules::{Classifier, NoFields, RuleSet, self_test};

struct Labelled {
    file: String,
    class: String,
    line: String,
}

fn labelled_lines() -> Vec<Labelled> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/corpus");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "tsv"))
        .collect();
    files.sort();
    if let Some(more) = std::env::var_os("EBBLINE_CORPUS") {
        files.extend(std::env::split_paths(&more));
    }
    assert!(!files.is_empty(), "no corpus file");
    files.iter().flat_map(|file| read_corpus(file)).collect()
}

/// Reads rows of class, source, line; a fourth column in front (an id) is passed over.
fn read_corpus(file: &std::path::Path) -> Vec<Labelled> {
    const CLASSES: [&str; 4] = ["pool_timeout", "http_503", "upstream_503", "neither"];
    let text = std::fs::read_to_string(file).unwrap();
    let mut rows = Vec::new();
    for row in text.lines() {
        let mut columns: Vec<&str> = row.splitn(4, '\t').collect();
        if columns.first() == Some(&"id") {
            continue;
        }
        if columns.len() == 4 && CLASSES.contains(&columns[1]) {
            columns.remove(0);
        } else {
            columns = row.splitn(3, '\t').collect();
        }
        let [class, _source, line] = columns[..] else { panic!("{}: {row}", file.display()) };
        if class == "class" {
            continue;
        }
        assert!(CLASSES.contains(&class), "{}: unknown class in: {row}", file.display());
        rows.push(Labelled {
            file: file.file_name().unwrap().to_string_lossy().into_owned(),
            class: class.to_owned(),
            line: line.to_owned(),
        });
    }
    rows
}

#[derive(Default)]
struct Score {
    right: u32,
    wrong: u32,
    missed: u32,
}

#[test]
fn precision_and_recall_are_at_least_99_percent_for_each_class() {
    let classifier = Classifier::new(RuleSet::builtin().unwrap());
    let mut scores: BTreeMap<String, Score> = BTreeMap::new();
    for row in labelled_lines() {
        let rule = classifier.classify(row.line.as_bytes(), &NoFields);
        let got = rule.map_or("neither", |rule| &classifier.rules().rule(rule).class);
        if got == row.class {
            scores.entry(row.class).or_default().right += 1;
            continue;
        }
        let by = rule.map_or("", |rule| &classifier.rules().rule(rule).id);
        println!("{}: {} taken for {got} {by}: {}", row.file, row.class, row.line);
        scores.entry(got.to_owned()).or_default().wrong += 1;
        scores.entry(row.class).or_default().missed += 1;
    }
    for (class, score) in &scores {
        let precision = f64::from(score.right) / f64::from(score.right + score.wrong);
        let recall = f64::from(score.right) / f64::from(score.right + score.missed);
        println!(
            "{class:13} precision {precision:.4}  recall {recall:.4}  ({} lines)",
            score.right + score.missed
        );
        assert!(class == "neither" || (precision >= 0.99 && recall >= 0.99), "{class}");
    }
}

#[test]
fn every_rule_matches_its_own_samples_and_no_other_rule_does() {
    let findings = self_test(&RuleSet::builtin().unwrap());
    for finding in &findings {
        println!("{}: {}: {}", finding.file, finding.rule, finding.problem);
    }
    assert!(findings.is_empty(), "{} findings", findings.len());
}
