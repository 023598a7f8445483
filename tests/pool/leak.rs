//! The leak detector: whom it warns of, how often, and what it says.

use std::time::Duration;

use ebbline_pool::{Config, Pools};

use crate::support::{Events, Server};

const TARGET: &str = "ebbline_pool::leak";

fn pools(server: &Server, threshold: Option<Duration>) -> Pools {
    let config = Config::new(server.dsn().parse().unwrap());
    Pools::new(&Config { leak_threshold: threshold, ..config }).unwrap()
}

#[tokio::test]
async fn a_checkout_held_too_long_is_warned_of_once_with_its_place() {
    let server = Server::start();
    let (events, subscriber) = Events::of(TARGET);
    let pools = pools(&server, Some(Duration::from_millis(200)));
    let line = line!() + 1;
    let leaked = pools.read_write().await.unwrap();
    drop(pools.read_write().await.unwrap());
    let warning = events.next();
    let site = format!("{}:{line}:", file!().trim_start_matches("../../"));
    assert_eq!(warning.level, tracing::Level::WARN);
    assert!(warning.fields["site"].contains(&site), "{warning:?}");
    assert_eq!(warning.fields["pool"], "primary");
    assert!(warning.fields["held_ms"].parse::<u64>().unwrap() >= 200);
    assert!(warning.message.contains(&site), "{warning:?}");
    assert_eq!(pools.stats().primary.overdue, 1);

    // A second one is warned of too, and the first not again.
    let second = pools.read_only().await.unwrap();
    assert_eq!(events.next().fields["pool"], "ro_fallthrough");
    drop(leaked);
    let back = events.next();
    assert_eq!(back.level, tracing::Level::INFO);
    assert!(back.message.contains("came back"), "{back:?}");
    drop(second);
    drop(pools);
    let rest = events.rest(subscriber);
    assert_eq!(rest.len(), 1, "{rest:?}");
}

#[tokio::test]
async fn what_comes_back_in_time_is_not_warned_of() {
    let server = Server::start();
    let (events, subscriber) = Events::of(TARGET);
    let pools = pools(&server, Some(Duration::from_secs(3_600)));
    drop((pools.read_write().await.unwrap(), pools.read_only().await.unwrap()));
    assert_eq!(pools.stats().primary.overdue, 0);
    drop(pools);
    assert_eq!(events.rest(subscriber), []);
}
