//! A sink that remembers everything, and readers made of bytes.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::ops::ControlFlow;
use std::path::Path;

use chrono_tz::Tz;
use ebbline::entry::Origin;
use ebbline::rules::{Classifier, RuleSet};
use ebbline::source::text::growing::{Growing, More, Pause};
use ebbline::source::text::{Input, read};
use ebbline::source::{Damage, Detail, Event, Filter, Progress, Query, Remark, Sink, Summary};
use ebbline::time::{Minute, Span, Timestamp};

/// Rules of the tests' own, so that they do not depend on the catalogue.
pub const RULES: &str = r#"
[[rule]]
id = "pool"
class = "pool_timeout"
pattern = "couldn't get a connection after"
samples = ["couldn't get a connection after 30.00 sec"]

[[rule]]
id = "status"
class = "http_503"
pattern = '(" 503|"status": ?503|^GET \S+ 503)\b'
samples = ['"GET / HTTP/1.1" 503']
"#;

/// An event, owned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    pub at: Option<String>,
    pub rule: String,
    pub times: u32,
    pub message: String,
    pub host: Option<String>,
    pub identifier: Option<String>,
    pub unit: Option<String>,
    pub pid: Option<String>,
    pub priority: Option<u8>,
    pub boot: Option<String>,
    /// `line 3`, or the cursor.
    pub origin: String,
}

/// Everything that a source told.
#[derive(Debug)]
pub struct Recording {
    pub minutes: BTreeMap<Option<i64>, u64>,
    pub events: Vec<Seen>,
    pub damage: Vec<Damage>,
    /// What daemons say that they dropped: how many entries, and whose.
    pub dropped: Vec<(u64, Option<String>)>,
    pub summary: Summary,
}

impl Recording {
    /// Entries by minute, the minute written as `2026-05-06T04:49`; `-` for no time.
    pub fn by_minute(&self) -> Vec<(String, u64)> {
        self.minutes.iter().map(|(minute, count)| (minute_name(*minute), *count)).collect()
    }

    /// The messages of the events.
    pub fn messages(&self) -> Vec<&str> {
        self.events.iter().map(|event| event.message.as_str()).collect()
    }
}

pub fn minute_name(minute: Option<i64>) -> String {
    let time = minute.and_then(|minute| chrono::DateTime::from_timestamp(minute * 60, 0));
    time.map_or("-".to_owned(), |time| time.format("%Y-%m-%dT%H:%M").to_string())
}

struct RecordingSink<'a> {
    rules: &'a RuleSet,
    minutes: BTreeMap<Option<i64>, u64>,
    events: Vec<Seen>,
    damage: Vec<Damage>,
    dropped: Vec<(u64, Option<String>)>,
}

impl Sink for RecordingSink<'_> {
    fn entries(&mut self, minute: Option<Minute>, count: u64) {
        *self.minutes.entry(minute.map(Minute::index)).or_default() += count;
    }

    fn event(&mut self, event: &Event<'_>) -> ControlFlow<()> {
        let text = |bytes: Option<&[u8]>| bytes.map(|b| String::from_utf8_lossy(b).into_owned());
        let entry = event.entry;
        self.events.push(Seen {
            at: entry.at.map(|at| at.to_utc().format("%Y-%m-%dT%H:%M:%S%.6f").to_string()),
            rule: self.rules.rule(event.rule).id.clone(),
            times: event.times,
            message: String::from_utf8_lossy(entry.message).into_owned(),
            host: text(entry.host),
            identifier: text(entry.identifier),
            unit: text(entry.unit),
            pid: text(entry.pid),
            priority: entry.priority,
            boot: text(entry.boot),
            origin: match &entry.origin {
                Origin::Line { line, .. } => format!("line {line}"),
                Origin::CursorText(cursor) => String::from_utf8_lossy(cursor).into_owned(),
                Origin::Cursor(cursor) => cursor.to_string(),
            },
        });
        ControlFlow::Continue(())
    }

    fn damage(&mut self, damage: Damage) {
        self.damage.push(damage);
    }

    fn remark(&mut self, remark: Remark) {
        let Remark::Dropped(dropped) = remark else { panic!("a text has no course") };
        assert!(!dropped.is_from_journal);
        self.dropped.push((dropped.entries, dropped.sender));
    }
}

/// A question to a source, with everything open.
pub struct Question {
    pub zone: Tz,
    pub span: Span,
    pub filter: Filter,
    pub modified: &'static str,
    pub can_reopen: bool,
}

impl Default for Question {
    fn default() -> Self {
        Self {
            zone: Tz::UTC,
            span: Span::default(),
            filter: Filter::default(),
            modified: "2026-11-23T00:00:00Z",
            can_reopen: true,
        }
    }
}

impl Question {
    /// Asks it of bytes.
    pub fn ask(&self, bytes: impl AsRef<[u8]>) -> Recording {
        let bytes = bytes.as_ref().to_vec();
        self.ask_of(&mut || Ok(Box::new(io::Cursor::new(bytes.clone()))))
    }

    /// Asks it of bytes that come one part after another, with a pause after each.
    pub fn ask_as_it_grows(&self, parts: &[(&[u8], Pause)]) -> Recording {
        self.record(|query, sink| {
            let mut growing = Growing::new(Path::new("test.log"));
            for &(bytes, pause) in parts {
                let modified = instant(self.modified);
                let more = More { bytes: Box::new(bytes), whole: None, modified, pause };
                growing.read_on(more, query, sink).unwrap();
            }
            growing.summary().clone()
        })
    }

    /// Asks it of whatever `open` opens.
    pub fn ask_of(&self, open: &mut dyn FnMut() -> io::Result<Box<dyn Read + Send>>) -> Recording {
        let input = Input {
            path: Path::new("test.log"),
            modified: Some(instant(self.modified)),
            can_reopen: self.can_reopen,
        };
        self.record(|query, sink| read(input, open, query, sink).unwrap())
    }

    fn record(&self, read: impl FnOnce(&Query<'_>, &mut dyn Sink) -> Summary) -> Recording {
        let rules = RuleSet::empty().with_file("tests", RULES).unwrap();
        let classifier = Classifier::watching(rules.clone(), &ebbline::source::TEXT_LITERALS);
        let progress = Progress::default();
        let query = Query {
            classifier: &classifier,
            filter: &self.filter,
            span: self.span,
            zone: self.zone,
            detail: Detail::Entries,
            changes: false,
            watch: None,
            progress: &progress,
        };
        let mut sink = RecordingSink {
            rules: &rules,
            minutes: BTreeMap::new(),
            events: Vec::new(),
            damage: Vec::new(),
            dropped: Vec::new(),
        };
        let summary = read(&query, &mut sink);
        let RecordingSink { minutes, events, damage, dropped, .. } = sink;
        let recording = Recording { minutes, events, damage, dropped, summary };
        assert_eq!(recording.minutes.values().sum::<u64>(), recording.summary.entries);
        assert_eq!(recording.minutes.get(&None).copied().unwrap_or(0), recording.summary.undated);
        recording
    }
}

/// The instant of an RFC 3339 text.
pub fn instant(text: &str) -> Timestamp {
    let time = chrono::DateTime::parse_from_rfc3339(text).unwrap();
    Timestamp::from_utc(time.to_utc()).unwrap()
}

/// Asks with everything open and all civil times in UTC.
pub fn ask(bytes: impl AsRef<[u8]>) -> Recording {
    Question::default().ask(bytes)
}
