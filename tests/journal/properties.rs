//! What must hold for any entries: in a journal of any variant, the sweep finds exactly those that
//! were written into it.

use std::collections::BTreeMap;
use std::fs::File;
use std::ops::ControlFlow;

use ebbline::rules::{Classifier, RuleSet};
use ebbline::source::filter::Pattern;
use ebbline::source::journal::{Duplicates, JournalFile};
use ebbline::source::{Damage, Detail, Event, Filter, Progress, Query, Sink};
use ebbline::time::{Minute, Span};
use proptest::prelude::*;

use crate::journals::{START_US, TestEntry};
use crate::writer::{Codec, journal_bytes};

/// An entry as it was written, or found: its time, message, unit and host.
type Written = (u64, Vec<u8>, Option<Vec<u8>>, Option<Vec<u8>>);

#[derive(Debug, Default, PartialEq, Eq)]
struct Everything {
    minutes: BTreeMap<i64, u64>,
    events: Vec<Written>,
    damage: Vec<Damage>,
}

impl Sink for Everything {
    fn entries(&mut self, minute: Option<Minute>, count: u64) {
        *self.minutes.entry(minute.unwrap().index()).or_default() += count;
    }

    fn event(&mut self, event: &Event<'_>) -> ControlFlow<()> {
        let entry = event.entry;
        let at_us = entry.at.unwrap().micros() as u64;
        let [unit, host] = [entry.unit, entry.host].map(|value| Some(value?.to_vec()));
        self.events.push((at_us, entry.message.to_vec(), unit, host));
        ControlFlow::Continue(())
    }

    fn damage(&mut self, damage: Damage) {
        self.damage.push(damage);
    }
}

/// Reads a journal, with a rule that matches every message.
fn sweep(bytes: &[u8], filter: &Filter) -> Everything {
    let every = "[[rule]]\nid = 'every'\nclass = 'every'\npattern = '(?s-u:.*)'\n";
    let classifier = Classifier::new(RuleSet::empty().with_file("every.toml", every).unwrap());
    let query = Query {
        classifier: &classifier,
        filter,
        span: Span::default(),
        zone: chrono_tz::UTC,
        detail: Detail::Entries,
        changes: false,
        watch: None,
        progress: &Progress::default(),
    };
    let mut file = tempfile::tempfile().unwrap();
    std::io::Write::write_all(&mut file, bytes).unwrap();
    let file: File = file;
    let journal = JournalFile::open("any.journal".as_ref(), file).unwrap();
    let mut sink = Everything::default();
    journal.sweep(&query, &Duplicates::new([journal.facts()]), &mut sink);
    sink
}

/// What the sweep must find of these entries.
fn expected(entries: &[TestEntry], passes: impl Fn(&TestEntry) -> bool) -> Everything {
    let mut all = Everything::default();
    for entry in entries.iter().filter(|entry| passes(entry)) {
        *all.minutes.entry((entry.realtime_us / 60_000_000) as i64).or_default() += 1;
        let value = |name: &str| {
            let field = entry.fields.iter().find(|(known, _)| known == name);
            field.map(|(_, value)| value.clone())
        };
        if let Some(message) = value("MESSAGE") {
            let (unit, host) = (value("_SYSTEMD_UNIT"), value("_HOSTNAME"));
            all.events.push((entry.realtime_us, message, unit, host));
        }
    }
    all
}

fn message() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        // What is logged again and again is stored once.
        3 => prop::sample::select(vec!["pool timed out", "GET / 503", ""])
            .prop_map(|text| text.as_bytes().to_vec()),
        3 => prop::collection::vec(any::<u8>(), 0..200),
        // Long and repetitive, so that it is compressed.
        2 => ("[a-z ]{1,9}", 1_usize..3000).prop_map(|(text, times)| text.repeat(times).into_bytes()),
        // Long and random, so that compressing makes it longer.
        1 => prop::collection::vec(any::<u8>(), 600..5000),
    ]
}

fn entry() -> impl Strategy<Value = TestEntry> {
    let unit = prop::option::of(prop::sample::select(vec!["api.service", "web.service"]));
    let host = prop::option::of(prop::sample::select(vec!["north", "south"]));
    let other = prop::option::of(prop::collection::vec(any::<u8>(), 0..900));
    // A clock may say anything, from the epoch to the end of the format.
    let at_us = prop_oneof![9 => START_US..START_US + 9_000_000_000, 1 => 1_u64..1 << 55];
    let fields = (prop::option::weighted(0.95, message()), unit, host, other);
    (at_us, 0_u128..3, fields).prop_map(|(at_us, boot, (message, unit, host, other))| {
        let mut entry = TestEntry::new(at_us, b"");
        entry.boot = boot << 64 | 0xb007;
        entry.fields = message.map(|message| ("MESSAGE".to_owned(), message)).into_iter().collect();
        let named = [("_SYSTEMD_UNIT", unit), ("_HOSTNAME", host)];
        for (name, value) in named {
            if let Some(value) = value {
                entry = entry.with(name, value);
            }
        }
        match other {
            Some(other) => entry.with("OTHER", other),
            None => entry,
        }
    })
}

fn codec() -> impl Strategy<Value = Codec> {
    prop::sample::select(vec![Codec::None, Codec::Xz, Codec::Lz4, Codec::Zstd])
}

proptest! {
    #[test]
    fn the_sweep_finds_exactly_the_entries_that_were_written(
        mut entries in prop::collection::vec(entry(), 1..60),
        codec in codec(),
        compact in any::<bool>(),
    ) {
        for (index, entry) in entries.iter_mut().enumerate() {
            entry.monotonic_us = index as u64;
        }
        let bytes = journal_bytes(&entries, codec, compact);
        let found = sweep(&bytes, &Filter::default());
        prop_assert_eq!(found, expected(&entries, |_| true));

        let units = vec![Pattern::unit("api").unwrap()];
        let of_api = sweep(&bytes, &Filter { units, ..Filter::default() });
        let is_of_api = |entry: &TestEntry| {
            entry.fields.contains(&("_SYSTEMD_UNIT".to_owned(), b"api.service".to_vec()))
        };
        prop_assert_eq!(of_api, expected(&entries, is_of_api));
    }
}
