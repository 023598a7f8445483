//! What journalctl says about journals, and what ebbline says, in the same terms.
#![allow(dead_code)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::Command;

use ebbline::rules::{Classifier, RuleSet};
use ebbline::source::journal::{Duplicates, JournalFile};
use ebbline::source::{Damage, Detail, Event, Filter, Progress, Query, Sink, Summary};
use ebbline::time::{Minute, Span};
use serde_json::Value;

/// The rules of the journal tests: two by message alone, one that asks for a field.
pub(crate) fn classifier() -> Classifier {
    let rules = r#"
        [[rule]]
        id = "status"
        class = "http_503"
        pattern = 'status=503'
        [[rule]]
        id = "pool"
        class = "pool_timeout"
        pattern = 'pool timed out'
        [[rule]]
        id = "nginx-slow"
        class = "slow"
        pattern = 'took 7\d\d? ms'
        fields = { SYSLOG_IDENTIFIER = "ngin*" }
    "#;
    Classifier::new(RuleSet::empty().with_file("test.toml", rules).unwrap())
}

/// The class that the entry's messages show, by plain searches that share no code with the rules.
fn class_of(entry: &JsonEntry) -> Option<&'static str> {
    let is_nginx = entry.values("SYSLOG_IDENTIFIER").any(|value| value.starts_with(b"ngin"));
    entry.values("MESSAGE").find_map(|message| {
        let text = String::from_utf8_lossy(message);
        let took_7x = text.split("took ").skip(1).any(|rest| {
            let number = rest.split(" ms").next().unwrap_or_default();
            (number.len() == 2 || number.len() == 3) && number.starts_with('7')
        });
        if text.contains("status=503") {
            Some("http_503")
        } else if text.contains("pool timed out") {
            Some("pool_timeout")
        } else if took_7x && is_nginx {
            Some("slow")
        } else {
            None
        }
    })
}

/// Entries by minute, and the events by cursor with their class and message.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) minutes: BTreeMap<i64, u64>,
    pub(crate) events: BTreeMap<String, (String, Vec<u8>)>,
}

impl Answer {
    pub(crate) fn entries(&self) -> u64 {
        self.minutes.values().sum()
    }
}

/// An entry as journalctl prints it.
pub(crate) struct JsonEntry {
    pub(crate) realtime_us: u64,
    pub(crate) cursor: String,
    fields: BTreeMap<String, Vec<Vec<u8>>>,
}

impl JsonEntry {
    pub(crate) fn values(&self, name: &str) -> impl Iterator<Item = &[u8]> {
        self.fields.get(name).into_iter().flatten().map(Vec::as_slice)
    }

    fn parse(line: &str) -> Self {
        let Value::Object(object) = serde_json::from_str(line).unwrap() else { panic!("{line}") };
        let text = |name: &str| object[name].as_str().unwrap().to_owned();
        Self {
            realtime_us: text("__REALTIME_TIMESTAMP").parse().unwrap(),
            cursor: text("__CURSOR"),
            fields: object.iter().map(|(name, value)| (name.clone(), values(value))).collect(),
        }
    }
}

/// A field's values: text, an array of bytes for a binary one, an array of those for several.
fn values(value: &Value) -> Vec<Vec<u8>> {
    match value {
        Value::Null => vec![Vec::new()],
        Value::String(text) => vec![text.clone().into_bytes()],
        Value::Array(items) if items.iter().all(Value::is_u64) => {
            vec![items.iter().map(|byte| byte.as_u64().unwrap() as u8).collect()]
        }
        Value::Array(items) => items.iter().flat_map(values).collect(),
        other => panic!("{other}"),
    }
}

/// What journalctl prints for these arguments, entry by entry.
pub(crate) fn journalctl(arguments: &[&str]) -> Vec<JsonEntry> {
    let output = Command::new("journalctl")
        .args(["--quiet", "--no-pager", "--all", "-o", "json"])
        .args(arguments)
        .output()
        .unwrap_or_else(|error| panic!("journalctl: {error}: install the package systemd"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "journalctl {arguments:?}: {said}");
    String::from_utf8(output.stdout).unwrap().lines().map(JsonEntry::parse).collect()
}

/// The answer according to journalctl's entries.
pub(crate) fn expected(entries: &[JsonEntry]) -> Answer {
    let mut answer = Answer::default();
    for entry in entries {
        *answer.minutes.entry((entry.realtime_us / 60_000_000) as i64).or_default() += 1;
        if let Some(class) = class_of(entry) {
            // The message of the event is the first that shows anything.
            let messages: Vec<&[u8]> = entry.values("MESSAGE").collect();
            answer.events.insert(entry.cursor.clone(), (class.to_owned(), messages.concat()));
        }
    }
    answer
}

/// Collects all that a reader says.
pub(crate) struct Collector<'a> {
    pub(crate) classifier: &'a Classifier,
    pub(crate) answer: Answer,
    pub(crate) damage: Vec<Damage>,
    pub(crate) described: Vec<Described>,
}

/// What an event said of its entry, beside time and message.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Described {
    pub(crate) cursor: String,
    pub(crate) unit: Option<String>,
    pub(crate) host: Option<String>,
    pub(crate) identifier: Option<String>,
    pub(crate) pid: Option<String>,
    pub(crate) priority: Option<u8>,
    pub(crate) boot: Option<String>,
}

impl<'a> Collector<'a> {
    pub(crate) fn new(classifier: &'a Classifier) -> Self {
        Self { classifier, answer: Answer::default(), damage: Vec::new(), described: Vec::new() }
    }
}

impl Sink for Collector<'_> {
    fn entries(&mut self, minute: Option<Minute>, count: u64) {
        *self.answer.minutes.entry(minute.unwrap().index()).or_default() += count;
    }

    fn event(&mut self, event: &Event<'_>) -> ControlFlow<()> {
        let entry = event.entry;
        let ebbline::entry::Origin::Cursor(cursor) = &entry.origin else { panic!("no cursor") };
        assert_eq!(entry.at.unwrap().micros() as u64, cursor.realtime_us);
        let class = self.classifier.rules().rule(event.rule).class.clone();
        let known = self.answer.events.insert(cursor.to_string(), (class, entry.message.to_vec()));
        assert_eq!(known, None, "{cursor} came twice");
        let text = |value: Option<&[u8]>| Some(String::from_utf8_lossy(value?).into_owned());
        self.described.push(Described {
            cursor: cursor.to_string(),
            unit: text(entry.unit),
            host: text(entry.host),
            identifier: text(entry.identifier),
            pid: text(entry.pid),
            priority: entry.priority,
            boot: text(entry.boot),
        });
        ControlFlow::Continue(())
    }

    fn damage(&mut self, damage: Damage) {
        self.damage.push(damage);
    }
}

/// What the native reader found in some files that are read together.
pub(crate) struct Swept {
    pub(crate) answer: Answer,
    pub(crate) damage: Vec<Damage>,
    pub(crate) described: Vec<Described>,
    pub(crate) summaries: Vec<Summary>,
}

/// Reads files together with the native reader.
pub(crate) fn sweep(paths: &[PathBuf], filter: &Filter, span: Span) -> Swept {
    let classifier = classifier();
    let progress = Progress::default();
    let query = Query {
        classifier: &classifier,
        filter,
        span,
        zone: chrono_tz::UTC,
        detail: Detail::Entries,
        changes: false,
        watch: None,
        progress: &progress,
    };
    let files: Vec<JournalFile> = paths.iter().map(|path| open(path)).collect();
    let duplicates = Duplicates::new(files.iter().map(JournalFile::facts));
    let mut sink = Collector::new(&classifier);
    let summaries: Vec<Summary> =
        files.iter().map(|file| file.sweep(&query, &duplicates, &mut sink)).collect();
    let size: u64 = files.iter().map(|file| file.facts().size_bytes).sum();
    assert_eq!(progress.bytes(), size, "progress ends at the size of the files");
    let told: u64 = summaries.iter().map(|summary| summary.entries).sum();
    assert_eq!(told, sink.answer.entries(), "summaries and sink count the same entries");
    let Collector { answer, damage, described, .. } = sink;
    Swept { answer, damage, described, summaries }
}

pub(crate) fn open(path: &Path) -> JournalFile {
    JournalFile::open(path, File::open(path).unwrap()).unwrap()
}

/// Asserts that the answers are the same; what differs is shown without the rest.
#[track_caller]
pub(crate) fn assert_same(got: &Answer, expected: &Answer) {
    assert_eq!(got.minutes, expected.minutes);
    let got_cursors: BTreeSet<_> = got.events.keys().collect();
    let expected_cursors: BTreeSet<_> = expected.events.keys().collect();
    let differing: Vec<_> = got_cursors.symmetric_difference(&expected_cursors).take(3).collect();
    assert!(differing.is_empty(), "{differing:?}");
    for (cursor, (class, message)) in &expected.events {
        let (got_class, got_message) = &got.events[cursor];
        assert_eq!(got_class, class, "{cursor}");
        let shown = String::from_utf8_lossy(message);
        let is_part = message.windows(got_message.len().max(1)).any(|part| part == got_message);
        assert!(is_part, "{cursor}: {shown} and {}", String::from_utf8_lossy(got_message));
    }
}
