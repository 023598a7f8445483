//! The readers of snapshot lines against lines with the values that a person read in them.
//!
//! `tests/snapshots/*.tsv` hold them: id, program, source, line, total, active, idle, waiting, max
//! (`-`: the line does not say), note. A program called `negative` has nothing to read.
//! `EBBLINE_SNAPSHOTS` may name more such files, separated by `:`.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout)]

use std::path::PathBuf;

use ebbline::rules::{Classifier, NoFields, POOL_SNAPSHOT, POOL_TIMEOUT, RuleSet, self_test};
use ebbline::series::{Gauge, Snapshot, Values, format};

/// What a row of the corpus expects, in the order of its columns.
const COLUMNS: [Gauge; 5] = [Gauge::Size, Gauge::InUse, Gauge::Idle, Gauge::Waiting, Gauge::Max];

fn catalogue() -> RuleSet {
    RuleSet::builtin().unwrap().with_snapshots().unwrap()
}

fn snapshot_rules() -> Classifier {
    Classifier::new(catalogue().only(|class| class == POOL_SNAPSHOT))
}

/// All pools in the line, as `ebbline pool` reads them.
fn read<'m>(classifier: &Classifier, line: &'m [u8]) -> Vec<Snapshot<'m>> {
    let Some(rule) = classifier.classify(line, &NoFields) else { return Vec::new() };
    format::read(classifier, rule, line, &mut None)
}

struct Row {
    file: String,
    columns: Vec<String>,
}

impl Row {
    fn line(&self) -> String {
        self.columns[3].replace("\\n", "\n").replace("\\t", "\t")
    }

    fn expected(&self) -> [Option<u64>; 5] {
        let value = |column: usize| match self.columns[column].as_str() {
            "-" => None,
            number => Some(number.parse().unwrap()),
        };
        [4, 5, 6, 7, 8].map(value)
    }
}

fn rows() -> Vec<Row> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots");
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty(), "no file of snapshots");
    if let Some(more) = std::env::var_os("EBBLINE_SNAPSHOTS") {
        files.extend(std::env::split_paths(&more));
    }
    let rows = files.iter().flat_map(|file| {
        let text = std::fs::read_to_string(file).unwrap();
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        let rows = text.lines().filter(|row| !row.starts_with("id\t")).map(move |row| {
            let columns: Vec<String> = row.split('\t').map(str::to_owned).collect();
            assert!(columns.len() >= 9, "{name}: {row}");
            Row { file: name.clone(), columns }
        });
        rows.collect::<Vec<_>>()
    });
    rows.collect()
}

#[test]
fn every_line_gives_the_values_that_a_person_reads_in_it() {
    let classifier = snapshot_rules();
    let (mut right, mut wrong) = (0, 0);
    for row in rows() {
        let line = row.line();
        let found = read(&classifier, line.as_bytes());
        let values = found.first().map_or(Values::default(), |first| first.values);
        let got = COLUMNS.map(|gauge| values.get(gauge));
        let is_negative = row.columns[1] == "negative";
        if got == row.expected() && found.len() <= 1 && (!is_negative || found.is_empty()) {
            right += 1;
        } else {
            wrong += 1;
            println!("{}: {} {:?}\n  got {got:?}", row.file, row.columns[0], row.expected());
            println!("  {line}");
        }
    }
    assert_eq!(wrong, 0, "of {}", right + wrong);
}

#[test]
fn every_rule_matches_its_own_samples_and_no_other_rule_does() {
    let findings = self_test(&catalogue());
    for finding in &findings {
        println!("{}: {}: {}", finding.file, finding.rule, finding.problem);
    }
    assert!(findings.is_empty(), "{} findings", findings.len());
}

#[test]
fn every_sample_of_a_snapshot_rule_can_be_read() {
    let classifier = snapshot_rules();
    for rule in classifier.rules().rules() {
        for sample in &rule.samples {
            let found = read(&classifier, sample.as_bytes());
            assert!(!found.is_empty(), "{}: {sample}", rule.id);
            for snapshot in found {
                let values = snapshot.values;
                let (size, used) = (values.size.unwrap_or(u64::MAX), values.in_use.unwrap_or(0));
                assert!(used <= size, "{}: {values:?}", rule.id);
            }
        }
    }
}

#[test]
fn failures_of_the_catalogue_are_no_snapshots_but_for_those_that_tell_the_pools_counts() {
    let classifier = snapshot_rules();
    let mut telling = Vec::new();
    for rule in RuleSet::builtin().unwrap().rules() {
        for sample in rule.samples.iter().chain(&rule.rejects) {
            let found = read(&classifier, sample.as_bytes());
            if !found.is_empty() && rule.class == POOL_TIMEOUT {
                telling.push(rule.id.clone());
            } else {
                assert_eq!(found, [], "{}: {sample}", rule.id);
            }
        }
    }
    telling.dedup();
    println!("{telling:?}");
    for id in ["hikaricp-timeout", "tomcat-jdbc-pool-empty", "ebbline-pool-timed-out"] {
        assert!(telling.iter().any(|found| found == id), "{id} of {telling:?}");
    }
}

#[test]
fn no_two_rules_of_the_catalogue_have_one_id() {
    let rules = catalogue();
    let ids: std::collections::BTreeSet<_> = rules.rules().iter().map(|rule| &rule.id).collect();
    assert_eq!(ids.len(), rules.rules().len());
}

#[test]
fn every_format_is_in_the_pages_table() {
    let page = include_str!("../docs/SNAPSHOTS.md");
    for rule in snapshot_rules().rules().rules() {
        assert!(page.contains(&format!("`{}`", rule.id)), "{}", rule.id);
    }
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(2000))]

    #[test]
    fn whatever_stands_in_a_line_what_is_read_is_possible(
        row in 0_usize..60,
        at in 0_usize..400,
        cut in 0_usize..20,
        bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..12),
    ) {
        static CLASSIFIER: std::sync::LazyLock<(Classifier, Vec<String>)> =
            std::sync::LazyLock::new(|| {
                (snapshot_rules(), rows().iter().map(Row::line).collect())
            });
        let (classifier, lines) = &*CLASSIFIER;
        let mut line = lines[row % lines.len()].clone().into_bytes();
        let at = at.min(line.len());
        line.splice(at..(at + cut).min(line.len()), bytes);
        // A number that is read stands in the line, or follows from two that do.
        let digits: Vec<u64> = String::from_utf8_lossy(&line)
            .split(|character: char| !character.is_ascii_digit())
            .filter_map(|number| number.parse().ok())
            .collect();
        for snapshot in read(classifier, &line) {
            let values = snapshot.values;
            proptest::prop_assert!(!values.is_empty());
            for gauge in [Gauge::Max, Gauge::Idle, Gauge::Waiting, Gauge::Timeouts] {
                let value = values.get(gauge).unwrap_or(0);
                proptest::prop_assert!(value == 0 || digits.contains(&value), "{gauge:?} {value}");
            }
        }
    }
}
