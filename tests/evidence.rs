//! The evidence of a tally: the first and the last event of each minute and class are those that
//! `ebbline events` lists, with the same origins, however the sources are read and merged.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout)]

#[path = "support/journals.rs"]
mod journals;
#[path = "evidence/merging.rs"]
mod merging;
#[path = "evidence/reading.rs"]
mod reading;
#[path = "evidence/repeated.rs"]
mod repeated;
#[path = "evidence/strays.rs"]
mod strays;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::sync::LazyLock;

use chrono::DateTime;
use chrono_tz::Tz;
use ebbline::rules::{Classifier, RuleSet};
use ebbline::source::journal::Backend;
use ebbline::source::scan::{self, Means};
use ebbline::source::{Detail, Filter, Progress, Query, TEXT_LITERALS, discover};
use ebbline::tally::{Edges, Evidence, Tally, TallySink};
use ebbline::time::{Minute, Span, Timestamp};
use serde_json::Value;

/// Evidence by minute and class.
type Found = BTreeMap<(i64, String), Edges>;

/// How the sources are read.
struct Reading {
    threads: usize,
    backend: Backend,
    /// Whether the last source is merged first.
    is_backwards: bool,
}

impl Default for Reading {
    fn default() -> Self {
        Self { threads: 2, backend: Backend::Auto, is_backwards: false }
    }
}

impl Reading {
    /// What a tally of `path` has, with messages.
    fn tally(&self, path: &Path) -> Tally {
        let classifier = Classifier::watching(RuleSet::builtin().unwrap(), &TEXT_LITERALS);
        let (filter, progress) = (Filter::default(), Progress::default());
        let query = Query {
            classifier: &classifier,
            filter: &filter,
            span: Span::default(),
            zone: Tz::UTC,
            detail: Detail::Counts,
            changes: false,
            watch: None,
            progress: &progress,
        };
        let now = Timestamp::from_micros(1_790_000_000_000_000).unwrap();
        let means = Means { threads: self.threads, backend: self.backend, now };
        let found = discover::discover(&[path.to_owned()]).found;
        let rules = classifier.rules();
        let new_sink = |place| TallySink::with_evidence(rules, place, true);
        let mut outcomes = scan::scan(scan::open(found, self.backend), &query, means, new_sink);
        if self.is_backwards {
            outcomes.reverse();
        }
        let mut tally = Tally::default();
        for mut outcome in outcomes {
            if let Some(repeats) = &outcome.repeats {
                outcome.sink.tally.take_repeats(repeats, rules);
            }
            tally.merge(outcome.sink.tally);
        }
        tally
    }
}

/// The edges of every minute and class that has events; there must be no others.
#[track_caller]
fn edges(tally: &Tally) -> Found {
    static RULES: LazyLock<RuleSet> = LazyLock::new(|| RuleSet::builtin().unwrap());
    let mut found = Found::new();
    for (minute, counts) in tally.minutes.iter() {
        for class in RULES.classes() {
            let index = RULES.class_index(class).unwrap();
            let edges = tally.edges(minute, index);
            assert_eq!(edges.is_some(), counts.of(index) > 0, "{class} in {minute:?}");
            found.extend(edges.map(|edges| ((minute.index(), class.clone()), edges)));
        }
    }
    found
}

/// An event as `ebbline events` lists it.
#[derive(Debug, Clone)]
struct Listed {
    at: Timestamp,
    origin: String,
    is_journals: bool,
    message: String,
}

/// The events of `path` that count, by minute and class, in the order in which they are listed.
fn listed(path: &Path) -> BTreeMap<(i64, String), Vec<Listed>> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ebbline"));
    let output = command.args(["events", "-o", "ndjson", "--tz", "UTC"]).arg(path).output();
    let output = String::from_utf8(output.unwrap().stdout).unwrap();
    let mut listed = BTreeMap::<_, Vec<Listed>>::new();
    for line in output.lines() {
        let event: Value = serde_json::from_str(line).unwrap();
        if event["echo"] == true || event["at"].is_null() {
            continue;
        }
        let at = DateTime::parse_from_rfc3339(event["at"].as_str().unwrap()).unwrap();
        let at = Timestamp::from_utc(at.to_utc()).unwrap();
        let origin = &event["origin"];
        let cursor = origin["cursor"].as_str();
        let place = || format!("{}:{}", origin["path"].as_str().unwrap(), origin["line"]);
        let class = event["class"].as_str().unwrap().to_owned();
        listed.entry((at.minute().index(), class)).or_default().push(Listed {
            at,
            origin: cursor.map_or_else(place, ToOwned::to_owned),
            is_journals: cursor.is_some(),
            message: event["message"].as_str().unwrap().to_owned(),
        });
    }
    listed
}

/// The evidence must be what `ebbline events` lists at the edges; returns how many edges there
/// are. Where several events are at the same time, those of journals go first.
#[track_caller]
fn assert_as_listed(found: &Found, path: &Path) -> usize {
    let listed = listed(path);
    assert_eq!(found.keys().collect::<Vec<_>>(), listed.keys().collect::<Vec<_>>());
    for (key, events) in &listed {
        let Edges { first, last } = &found[key];
        let is_best = |event: &&Listed, at: Timestamp| {
            let has_journals = events.iter().any(|event| event.at == at && event.is_journals);
            event.at == at && event.is_journals == has_journals
        };
        let first_at = events.first().unwrap().at;
        let mut best = events.iter().filter(|event| is_best(event, first_at));
        assert_is(first, best.next().unwrap());
        let last_at = events.last().unwrap().at;
        let best: Vec<&Listed> = events.iter().filter(|event| is_best(event, last_at)).collect();
        // Of the earliest source that has one.
        let source = |event: &Listed| event.origin.split(':').next().unwrap().to_owned();
        let is_same = |event: &&&Listed| event.is_journals || source(event) == source(best[0]);
        assert_is(last, best.iter().rfind(is_same).unwrap());
    }
    listed.len()
}

#[track_caller]
fn assert_is(evidence: &Evidence, event: &Listed) {
    assert_eq!((evidence.at, evidence.origin.to_string()), (event.at, event.origin.clone()));
    let message = evidence.message.as_ref().unwrap();
    assert!(!message.is_empty() && event.message.starts_with(&**message), "{message}");
}

fn minute_of(at: &str) -> Minute {
    let at = DateTime::parse_from_rfc3339(at).unwrap();
    Timestamp::from_utc(at.to_utc()).unwrap().minute()
}
