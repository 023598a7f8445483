//! The inner parts of a scan, each by itself: `cargo bench --bench inner`.
//!
//! They tell where a change of `make bench` comes from; they promise nothing by themselves.
#![allow(clippy::unwrap_used)]

use std::fs::File;
use std::io;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::LazyLock;

use chrono_tz::Tz;
use divan::counter::{BytesCount, ItemsCount};
use divan::{Bencher, black_box};
use ebbline::rules::{Classifier, Places, RuleSet};
use ebbline::source::compression;
use ebbline::source::journal::{Duplicates, JournalFile};
use ebbline::source::text::stamp;
use ebbline::source::{Damage, Detail, Event, Filter, Progress, Query, Sink};
use ebbline::time::{Minute, Span};

/// What most messages are: nothing that counts.
const QUIET: &[u8] = b"INFO:     10.0.0.21:61204 - \"GET /api/items?page=17 HTTP/1.1\" 200 OK";
/// A message with the number that counts in a place where it does not.
const NEAR: &[u8] = b"10.0.0.7 - - \"GET /api/items/503 HTTP/1.1\" 200 503 \"-\" \"curl/8.5.0\"";
const HTTP_503: &[u8] =
    b"INFO:     10.0.0.21:61204 - \"GET /api HTTP/1.1\" 503 Service Unavailable";
const POOL: &[u8] = b"psycopg_pool.PoolTimeout: couldn't get a connection after 30.00 sec";

static CATALOGUE: LazyLock<Classifier> =
    LazyLock::new(|| Classifier::new(RuleSet::builtin().unwrap()));

fn main() {
    divan::main();
}

/// What starting costs before the first byte is read.
#[divan::bench]
fn prepare_the_catalogue() -> Classifier {
    Classifier::new(RuleSet::builtin().unwrap())
}

/// The gate over a buffer of messages of which none passes.
#[divan::bench]
fn gate(bencher: Bencher<'_, '_>) {
    let buffer = QUIET.repeat(1000);
    let bytes = BytesCount::new(buffer.len());
    bencher
        .counter(bytes)
        .bench(|| CATALOGUE.find_candidate(black_box(&buffer), 0, &mut Places::default()));
}

/// One message: what stops at the gate, what passes it in vain, and what counts.
#[divan::bench(args = ["quiet", "near", "503", "pool"])]
fn classify(bencher: Bencher<'_, '_>, name: &str) {
    let message = match name {
        "quiet" => QUIET,
        "near" => NEAR,
        "503" => HTTP_503,
        _ => POOL,
    };
    bencher.counter(ItemsCount::new(1u32)).bench(|| CATALOGUE.classify_message(black_box(message)));
}

/// A line's timestamp, found without and with the line before.
#[divan::bench(args = [
    "2026-05-06T04:49:00+0000 atlas uvicorn[812]: all is well",
    "May  6 04:49:00 atlas uvicorn[812]: all is well",
    "  File \"/srv/app/module.py\", line 17, in step",
])]
fn stamp_at_the_head(bencher: Bencher<'_, '_>, line: &str) {
    bencher.bench(|| stamp::find(black_box(line.as_bytes())));
}

#[divan::bench]
fn stamp_like_the_last(bencher: Bencher<'_, '_>) {
    let line = b"2026-05-06T04:49:00+0000 atlas uvicorn[812]: all is well";
    let last = stamp::find(line).unwrap();
    bencher.bench(|| stamp::find_like(black_box(line), &last));
}

/// The walk over the sample's journal, without a rule and with all of them.
#[divan::bench(args = ["no rule", "catalogue"])]
fn walk(bencher: Bencher<'_, '_>, rules: &str) {
    let packed = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("sample-logs/outage-2026-05/journal/atlas.journal.xz");
    let mut unpacked = tempfile::tempfile().unwrap();
    let mut packed_bytes = compression::decompress(File::open(&packed).unwrap()).unwrap();
    io::copy(&mut packed_bytes, &mut unpacked).unwrap();
    let journal = JournalFile::open(&packed, unpacked).unwrap();
    let none = Classifier::new(RuleSet::empty());
    let classifier = if rules == "no rule" { &none } else { &*CATALOGUE };
    let query = Query {
        classifier,
        filter: &Filter::default(),
        span: Span::default(),
        zone: Tz::UTC,
        detail: Detail::Counts,
        changes: false,
        watch: None,
        progress: &Progress::default(),
    };
    let entries = ItemsCount::new(journal.facts().n_entries);
    bencher
        .counter(entries)
        .bench_local(|| journal.sweep(&query, &Duplicates::new([]), &mut Nothing));
}

/// A sink that keeps nothing, so that what it costs is not measured.
struct Nothing;

impl Sink for Nothing {
    fn entries(&mut self, _minute: Option<Minute>, _count: u64) {}

    fn event(&mut self, _event: &Event<'_>) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    fn damage(&mut self, _damage: Damage) {}
}
