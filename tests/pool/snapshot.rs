//! The snapshot line, written and read back: whatever the numbers, whatever stands around it,
//! whatever a later version adds. And the crate that reads it depends on nothing.

use std::collections::BTreeMap;
use std::io;
use std::process::Command;
use std::sync::{Arc, Mutex};

use ebbline_pool::{Config, PoolState, Pools, ReadOnlyRoute, Snapshot};
use proptest::prelude::*;
use tracing_subscriber::fmt::MakeWriter;

use crate::support::Server;

fn any_route() -> impl Strategy<Value = Option<ReadOnlyRoute>> {
    prop_oneof![
        Just(None),
        Just(Some(ReadOnlyRoute::Replica)),
        Just(Some(ReadOnlyRoute::PrimaryFallthrough)),
        Just(Some(ReadOnlyRoute::Disabled)),
    ]
}

/// Names that are legal, among them those that look like keys.
const NAME: &str = "[a-z0-9_]{1,63}|max|v|ro_routes_to|peak_in_use";

fn any_snapshot() -> impl Strategy<Value = Snapshot> {
    let numbers = (any::<[u32; 7]>(), any::<[u64; 2]>());
    let pools = prop::collection::btree_map(NAME, numbers, 0..9);
    (any_route(), pools).prop_map(|(route, pools)| {
        let pools = pools.into_iter().map(|(name, (counts, totals))| {
            let [max, size, idle, in_use, waiting, peak_in_use, peak_waiting] = counts;
            let [acquires, timeouts] = totals;
            PoolState {
                max,
                size,
                idle,
                in_use,
                waiting,
                acquires,
                timeouts,
                peak_in_use,
                peak_waiting,
                ..PoolState::new(&name).unwrap()
            }
        });
        Snapshot::new(route, pools.collect()).unwrap()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_snapshot_is_read_back_as_it_was(snapshot in any_snapshot()) {
        prop_assert_eq!(snapshot.to_string().parse(), Ok(snapshot));
    }

    #[test]
    fn what_loggers_put_around_it_changes_nothing(
        snapshot in any_snapshot(),
        before in "([ -~]{0,40}[ :\\]\"])?",
        after in "([\",\u{1b}\n \t][ -~]{0,40})?",
    ) {
        // What is a key of the line itself contradicts it.
        prop_assume!(!before.contains("pool_snapshot") && !after.contains('='));
        prop_assume!(!before.contains('\n'));
        let line = format!("{before}{snapshot}{after}");
        prop_assert_eq!(line.parse(), Ok(snapshot), "{}", line);
    }

    #[test]
    fn a_later_version_may_add_keys_anywhere_behind_its_number(
        snapshot in any_snapshot(),
        added in prop::collection::btree_map(
            "new_[a-z]{1,9}(\\.[a-z]{1,9}xx)?",
            "[a-z0-9,:/]{0,12}|\"([ -!#-\\[\\]-~]|\\\\\"|\\\\\\\\){0,12}\"",
            1..6,
        ),
        at in any::<prop::sample::Index>(),
        version in 2_u32..,
    ) {
        let line = snapshot.to_string();
        let mut words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        words[1] = format!("v={version}");
        let place = 2 + at.index(words.len() - 1);
        let added = added.iter().map(|(key, value)| format!("{key}={value}"));
        words.splice(place..place, added);
        prop_assert_eq!(words.join(" ").parse(), Ok(snapshot), "{:?}", words);
    }

    #[test]
    fn a_line_that_lost_a_word_is_no_snapshot_unless_it_was_the_route(
        snapshot in any_snapshot(),
        at in any::<prop::sample::Index>(),
    ) {
        let line = snapshot.to_string();
        let mut words: Vec<&str> = line.split(' ').collect();
        let lost = words.remove(at.index(words.len()));
        let read = words.join(" ").parse::<Snapshot>();
        prop_assert_eq!(read.is_ok(), lost.starts_with("ro_routes_to="), "{}", words.join(" "));
    }

    #[test]
    fn no_text_makes_the_reader_fail_badly(text in "(pool_snapshot v=1 )?\\PC{0,200}") {
        if let Ok(snapshot) = text.parse::<Snapshot>() {
            prop_assert_eq!(snapshot.to_string().parse(), Ok(snapshot));
        }
    }
}

/// Where a subscriber writes its text.
#[derive(Clone, Default)]
struct Text(Arc<Mutex<Vec<u8>>>);

impl io::Write for Text {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Text {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn the_line_is_read_in_every_form_in_which_subscribers_write_it() {
    let server = Server::start();
    let pools = Pools::new(&Config::new(server.dsn().parse().unwrap())).unwrap();
    let _held = pools.read_write().await.unwrap();
    // The first line has the high-water mark of those who waited until now.
    pools.start_pool_logger().unwrap();
    pools.stop_pool_logger();
    let expected = pools.stats().snapshot().unwrap();
    let mut texts = BTreeMap::new();
    for ansi in [false, true] {
        let form = || tracing_subscriber::fmt().with_ansi(ansi);
        let (full, compact, pretty) = (Text::default(), Text::default(), Text::default());
        let subscribers: [(&str, &Text, tracing::Dispatch); 3] = [
            ("full", &full, form().with_writer(full.clone()).finish().into()),
            ("compact", &compact, form().compact().with_writer(compact.clone()).finish().into()),
            ("pretty", &pretty, form().pretty().with_writer(pretty.clone()).finish().into()),
        ];
        for (name, text, subscriber) in subscribers {
            tracing::dispatcher::with_default(&subscriber, || {
                pools.start_pool_logger().unwrap();
                pools.stop_pool_logger();
            });
            let written = String::from_utf8(text.0.lock().unwrap().clone()).unwrap();
            texts.insert((name, ansi), written);
        }
    }
    for (form, text) in texts {
        assert_eq!(text.parse(), Ok(expected.clone()), "{form:?}: {text}");
    }
}

#[test]
fn the_grammar_alone_depends_on_nothing() {
    let tree = Command::new(env!("CARGO"))
        .args(["tree", "--offline", "--package", "ebbline-pool", "--no-default-features"])
        .args(["--edges", "normal,build", "--prefix", "none"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let tree = String::from_utf8(tree.stdout).unwrap();
    assert!(tree.starts_with("ebbline-pool v"), "{tree}");
    assert_eq!(tree.trim().lines().count(), 1, "{tree}");
}
