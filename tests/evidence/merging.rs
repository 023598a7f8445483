//! Merging gives the same in any order and with any split.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::LazyLock;

use ebbline::entry::{Cursor, Entry, Origin};
use ebbline::rules::{Classifier, RuleSet};
use ebbline::source::{Event, Merge, Sink};
use ebbline::tally::{Tally, TallySink};
use ebbline::time::Timestamp;
use proptest::prelude::*;

use crate::edges;

/// An event of a source: when, and which of two failures.
#[derive(Debug, Clone, Copy)]
struct Failure {
    at_us: i64,
    is_response: bool,
}

/// Where the events of a source are found again.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Journal,
    Dump,
    Text,
}

/// A source, and before which of its events another reader begins.
#[derive(Debug, Clone)]
struct Source {
    kind: Kind,
    failures: Vec<(Failure, bool)>,
}

fn source() -> impl Strategy<Value = Source> {
    let kind = prop_oneof![Just(Kind::Journal), Just(Kind::Dump), Just(Kind::Text)];
    // Few times, so that many are equal.
    let failure = (0..12_i64, any::<bool>())
        .prop_map(|(step, is_response)| Failure { at_us: step * 20_000_000, is_response });
    (kind, prop::collection::vec((failure, prop::bool::weighted(0.2)), 0..30))
        .prop_map(|(kind, failures)| Source { kind, failures })
}

/// What the reader of a source tells, by one sink or by several.
fn read(source: &Source, place: usize, rules: &Classifier, is_split: bool) -> Tally {
    let new_sink = || TallySink::with_evidence(rules.rules(), place, true);
    let (mut whole, mut part) = (new_sink(), new_sink());
    let (mut lines_before, mut lines) = (0, 0);
    for (number, (failure, begins)) in source.failures.iter().enumerate() {
        if *begins && is_split {
            whole.merge(std::mem::replace(&mut part, new_sink()), lines_before);
            lines_before += std::mem::take(&mut lines);
        }
        lines += 3;
        tell(&mut part, (source.kind, place, number as u64), lines, *failure, rules);
    }
    whole.merge(part, lines_before);
    whole.tally
}

fn tell(
    sink: &mut TallySink<'_>,
    (kind, place, number): (Kind, usize, u64),
    line: u64,
    failure: Failure,
    rules: &Classifier,
) {
    let message = match failure.is_response {
        true => "10.0.0.2 - \"GET /api HTTP/1.1\" 503 Service Unavailable",
        false => "couldn't get a connection after 30.00 sec",
    };
    let message = format!("{message} {place} {number}");
    let at = Timestamp::from_micros(failure.at_us).unwrap();
    let cursor = Cursor {
        seqnum_id: [place as u8; 16],
        seqnum: number,
        boot_id: [(number / 7) as u8; 16],
        monotonic_us: number,
        realtime_us: failure.at_us as u64,
        xor_hash: number,
    };
    let text = format!("s={place};i={number}");
    let path = format!("{place}.log");
    let origin = match kind {
        Kind::Journal => Origin::Cursor(cursor),
        Kind::Dump => Origin::CursorText(text.as_bytes()),
        Kind::Text => Origin::Line { path: Path::new(&path), line },
    };
    let mut entry = Entry::new(message.as_bytes(), origin);
    entry.at = Some(at);
    let rule = rules.classify(message.as_bytes(), &entry).unwrap();
    sink.entries(Some(at.minute()), 1);
    assert_eq!(sink.event(&Event { entry: &entry, rule, times: 1 }), ControlFlow::Continue(()));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn sources_and_their_parts_are_merged_in_any_order(
        sources in prop::collection::vec(source(), 1..6),
        order in Just((0..6).collect::<Vec<usize>>()).prop_shuffle(),
    ) {
        static CLASSIFIER: LazyLock<Classifier> =
            LazyLock::new(|| Classifier::new(RuleSet::builtin().unwrap()));
        let mut expected = Tally::default();
        for (place, source) in sources.iter().enumerate() {
            expected.merge(read(source, place, &CLASSIFIER, false));
        }
        let mut tally = Tally::default();
        for place in order.into_iter().filter(|&place| place < sources.len()) {
            tally.merge(read(&sources[place], place, &CLASSIFIER, true));
        }
        prop_assert_eq!(edges(&tally), edges(&expected));
        prop_assert_eq!(tally, expected);
    }
}
