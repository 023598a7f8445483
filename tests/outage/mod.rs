//! Tallies for tests: any that a test spells out, and the post-mortem's outage.
#![allow(dead_code, clippy::unwrap_used)]

use std::path::Path;

use chrono::DateTime;
use chrono_tz::Tz;
use ebbline::report::{Columns, Report, SourceReport};
use ebbline::rules::RuleSet;
use ebbline::source::{Damage, SourceKind, Summary};
use ebbline::tally::Tally;
use ebbline::time::{Span, Timestamp};
use ebbline::timeline::{By, Class, Note, Question, Timeline, notes};

/// An instant from RFC 3339.
pub(crate) fn at(written: &str) -> Timestamp {
    let parsed = DateTime::parse_from_rfc3339(written).unwrap();
    Timestamp::from_utc(parsed.to_utc()).unwrap()
}

/// A tally that tests fill by hand.
#[derive(Debug, Clone, Default)]
pub(crate) struct Log {
    pub(crate) tally: Tally,
    pub(crate) first: Option<Timestamp>,
    pub(crate) last: Option<Timestamp>,
}

impl Log {
    /// Counts entries at an instant, of which some are pool timeouts and some 503 responses.
    pub(crate) fn add(&mut self, at: Timestamp, entries: u64, timeouts: u64, responses: u64) {
        self.first = Some(self.first.map_or(at, |first| first.min(at)));
        self.last = Some(self.last.map_or(at, |last| last.max(at)));
        let rules = RuleSet::empty();
        let counts = self.tally.at(Some(at));
        counts.entries += entries;
        for (class, count) in [("pool_timeout", timeouts), ("http_503", responses)] {
            if count > 0 {
                counts.add_events(rules.class_index(class).unwrap(), count);
            }
        }
    }

    pub(crate) fn timeline(&self, by: By, zone: Tz, span: Span, notes: Vec<Note>) -> Timeline {
        let classes = Class::all(&RuleSet::empty());
        let question = Question { by, zone, span, classes, notes, changes: Vec::new() };
        Timeline::new(&self.tally, self.first, self.last, question).unwrap()
    }
}

/// The outage of the post-mortem: its counts on each day, spread over the day.
pub(crate) fn outage() -> Log {
    let days: [(&str, u64, u64); 18] = [
        ("2026-04-19", 0, 0),
        ("2026-04-20", 2459, 565),
        ("2026-04-21", 148, 294),
        ("2026-04-22", 5, 1),
        ("2026-04-23", 1, 1),
        ("2026-04-24", 3, 1),
        ("2026-04-25", 0, 3),
        ("2026-04-26", 0, 0),
        ("2026-04-27", 0, 7),
        ("2026-04-28", 0, 2),
        ("2026-04-29", 0, 0),
        ("2026-04-30", 0, 1),
        ("2026-05-01", 0, 4),
        ("2026-05-02", 0, 0),
        ("2026-05-03", 0, 2),
        ("2026-05-04", 0, 5),
        ("2026-05-05", 11, 9),
        ("2026-05-06", 1120, 1119),
    ];
    let mut log = Log::default();
    for (day, timeouts, responses) in days {
        log.add(at(&format!("{day}T00:00:07-07:00")), 300, 0, 0);
        log.add(at(&format!("{day}T12:30:00-07:00")), 3000, timeouts, responses);
        log.add(at(&format!("{day}T23:59:58.25-07:00")), 40, 0, 0);
    }
    log
}

/// The post-mortem's notes.
pub(crate) const NOTES: &str = r#"
[[note]]
day = 2026-04-19
text = "pre-replica baseline"
[[note]]
day = 2026-04-20
text = "replica systemd unit added 19:19 PDT (commit 03f91a907); broke immediately"
[[note]]
day = 2026-04-21
text = "winding down; replica started succeeding"
[[note]]
from = 2026-04-22
to = 2026-04-24
text = "quiet, replica online"
[[note]]
from = 2026-04-25
to = 2026-05-04
text = "stable, no incidents"
[[note]]
day = 2026-05-05
text = "replica started failing"
[[note]]
from = 2026-05-06T04:49:00-07:00
to = 2026-05-06T17:14:00-07:00
text = "full outage (~13h, 04:49–17:14 PDT)"
"#;

pub(crate) fn parse_notes(text: &str, zone: Tz) -> Vec<Note> {
    notes::parse(text, Path::new("notes.toml"), zone).unwrap()
}

/// The outage with its notes, by day in Los Angeles.
pub(crate) fn outage_report() -> Report {
    let zone = Tz::America__Los_Angeles;
    let log = outage();
    let timeline = log.timeline(By::Day, zone, Span::default(), parse_notes(NOTES, zone));
    let mut journal = Summary::new("/var/log/journal/4f1c/system.journal", SourceKind::Journal);
    journal.entries = 60_000;
    journal.bytes = 700_000;
    journal.first = log.first;
    journal.last = log.last;
    let mut text = Summary::new("app.log.gz", SourceKind::Text);
    text.entries = 120;
    text.skipped = 3;
    let damage = Damage { offset_bytes: 4096, problem: "the file ends in an object".to_owned() };
    let sources = vec![
        SourceReport { summary: journal, damage: Vec::new(), more_damage: 0 },
        SourceReport { summary: text, damage: vec![damage], more_damage: 2 },
    ];
    Report {
        timeline,
        span: Span::default(),
        sources,
        columns: Columns::Occurring,
        incidents: None,
    }
}
