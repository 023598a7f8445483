//! The pool logger: what its line says, when it is written and when no more.

use std::collections::BTreeMap;
use std::future::Future;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Waker};
use std::time::Duration;

use ebbline_pool::{Config, PoolState, Pools, SNAPSHOT_TARGET, Snapshot};

use crate::support::{Event, Events, Server};

const SOON: Duration = Duration::from_millis(20);
const NEVER: Duration = Duration::from_secs(3_600);

fn config(server: &Server, log_interval: Duration) -> Config {
    Config { log_interval, ..Config::new(server.dsn().parse().unwrap()) }
}

/// The primary pool in the line.
fn primary(event: &Event) -> PoolState {
    let snapshot: Snapshot = event.message.parse().unwrap();
    snapshot.pools()[0].clone()
}

/// The line's keys and values as fields: `primary.max` is `pool_primary_max`.
fn as_fields(line: &str) -> BTreeMap<String, String> {
    let pairs = line.split(' ').filter_map(|pair| pair.split_once('='));
    pairs.map(|(key, value)| (format!("pool_{}", key.replace('.', "_")), value.into())).collect()
}

#[tokio::test]
async fn the_line_is_the_message_and_its_values_are_the_fields() {
    let server = Server::start();
    let (events, _subscriber) = Events::of(SNAPSHOT_TARGET);
    let replica = Some(server.dsn().parse().unwrap());
    for config in [
        config(&server, NEVER),
        Config { replica, ..config(&server, NEVER) },
        Config { fallthrough: false, ..config(&server, NEVER) },
    ] {
        let pools = Pools::new(&config).unwrap();
        let _held = (pools.read_write().await.unwrap(), pools.read_write().await.unwrap());
        let read_only = pools.read_only().await;
        assert_eq!(read_only.is_ok(), config.fallthrough);
        assert!(pools.start_pool_logger().unwrap());
        let expected = pools.stats().snapshot().unwrap();
        pools.stop_pool_logger();
        let event = events.next();
        assert_eq!(event.level, tracing::Level::INFO);
        assert_eq!(event.message, expected.to_string());
        assert_eq!(event.fields, as_fields(&event.message));
        let primary = primary(&event);
        assert_eq!((primary.in_use, primary.acquires, primary.size), (2, 2, 2));
    }
}

#[tokio::test]
async fn a_spike_between_two_lines_is_seen() {
    let server = Server::start();
    let (events, _subscriber) = Events::of(SNAPSHOT_TARGET);
    let mut config = config(&server, SOON);
    config.primary_limits.max = 2;
    let pools = Pools::new(&config).unwrap();
    let held = (pools.read_write().await.unwrap(), pools.read_write().await.unwrap());
    let mut waiting: Vec<_> = (0..5).map(|_| Box::pin(pools.read_write())).collect();
    for caller in &mut waiting {
        let asked = caller.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        assert!(asked.is_pending());
    }
    drop(waiting);
    drop(held);
    assert!(pools.start_pool_logger().unwrap());
    let [first, second] = [events.next(), events.next()].map(|event| primary(&event));
    assert_eq!((first.in_use, first.peak_in_use), (0, 2));
    assert_eq!((first.waiting, first.peak_waiting), (0, 5));
    assert_eq!((second.peak_in_use, second.peak_waiting), (0, 0));
}

#[tokio::test]
async fn it_is_started_once_however_often_that_is_asked_for() {
    let server = Server::start();
    let (events, subscriber) = Events::of(SNAPSHOT_TARGET);
    let pools = Pools::new(&config(&server, NEVER)).unwrap();
    let started: Vec<bool> = (0..3).map(|_| pools.clone().start_pool_logger().unwrap()).collect();
    assert_eq!(started, [true, false, false]);
    pools.stop_pool_logger();
    pools.stop_pool_logger();
    assert!(pools.start_pool_logger().unwrap(), "it can be started again");
    drop(pools);
    assert_eq!(events.rest(subscriber).len(), 2, "a last line each time");
}

#[tokio::test]
async fn it_ends_with_the_last_clone_of_the_pools_and_says_so() {
    let server = Server::start();
    let (events, subscriber) = Events::of(SNAPSHOT_TARGET);
    let pools = Pools::new(&config(&server, SOON)).unwrap();
    let clone = pools.clone();
    assert!(pools.start_pool_logger().unwrap());
    drop(pools);
    events.next();
    drop(clone.read_write().await.unwrap());
    drop(clone);
    let rest = events.rest(subscriber);
    assert_eq!(primary(rest.last().unwrap()).acquires, 1);
}

#[tokio::test]
async fn closing_the_pools_logs_a_last_line_with_the_final_counts() {
    let server = Server::start();
    let (events, _subscriber) = Events::of(SNAPSHOT_TARGET);
    let pools = Pools::new(&config(&server, NEVER)).unwrap();
    assert!(pools.start_pool_logger().unwrap());
    drop(pools.read_write().await.unwrap());
    pools.close().await;
    let lines = events.so_far();
    assert_eq!(lines.len(), 1);
    let primary = primary(&lines[0]);
    assert_eq!((primary.acquires, primary.in_use, primary.size), (1, 0, 0));
}

#[tokio::test]
async fn closing_that_is_given_up_logs_a_last_line_too() {
    let server = Server::start();
    let (events, _subscriber) = Events::of(SNAPSHOT_TARGET);
    let pools = Pools::new(&config(&server, NEVER)).unwrap();
    assert!(pools.start_pool_logger().unwrap());
    let _never_given_back = pools.read_write().await.unwrap();
    let late = tokio::time::timeout(SOON, pools.close()).await;
    assert!(late.is_err());
    assert_eq!(primary(&events.so_far()[0]).in_use, 1);
}

#[tokio::test]
async fn it_survives_panics_of_the_application_and_of_its_subscriber() {
    static LINES: AtomicU32 = AtomicU32::new(0);
    let server = Server::start();
    let fails = |_: &Event| {
        if LINES.fetch_add(1, Ordering::SeqCst) == 1 {
            resume_unwind(Box::new("the second line fails"));
        }
    };
    let (events, _subscriber) = Events::with(SNAPSHOT_TARGET, fails);
    let pools = Pools::new(&config(&server, SOON)).unwrap();
    assert!(pools.start_pool_logger().unwrap());
    let clone = pools.clone();
    let task = tokio::spawn(async move {
        let _held = clone.read_write().await.unwrap();
        let _asked = clone.read_write();
        resume_unwind(Box::new("a task fails"));
    });
    assert!(task.await.is_err());
    (0..4).for_each(|_| drop(events.next()));
    assert!(LINES.load(Ordering::SeqCst) >= 5);
    pools.stop_pool_logger();
    let last = events.so_far();
    let primary = primary(last.last().unwrap());
    assert_eq!((primary.in_use, primary.waiting, primary.acquires), (0, 0, 1));
}

#[tokio::test]
async fn it_logs_while_the_runtime_is_stuck() {
    let server = Server::start();
    let (events, _subscriber) = Events::of(SNAPSHOT_TARGET);
    let pools = Pools::new(&config(&server, SOON)).unwrap();
    assert!(pools.start_pool_logger().unwrap());
    // This is the runtime's only thread, and it does not let go of it.
    (0..3).for_each(|_| drop(events.next()));
}
