//! Where read-only work goes when the replica is gone, silent, behind, promoted, and back again.

use std::time::Duration;

use ebbline_pool::{AcquireError, Config, Pools, Protection, ReadOnlyRoute};
use sqlx::Row;

use crate::support::{Replica, Server};

const INTERVAL: Duration = Duration::from_millis(50);
const MAX_LAG: Duration = Duration::from_millis(1500);

fn config(primary: &Server, replica: &Server) -> Config {
    Config {
        replica: Some(replica.dsn().parse().unwrap()),
        acquire_timeout: Duration::from_secs(1),
        max_replica_lag: MAX_LAG,
        replica_check_interval: INTERVAL,
        ..Config::new(primary.dsn().parse().unwrap())
    }
}

/// The port of the server that answers a read-only checkout.
async fn answers(pools: &Pools) -> Result<u16, AcquireError> {
    let mut taken = pools.read_only().await?;
    let row = sqlx::query("SELECT current_setting('port')").fetch_one(taken.reader()).await;
    Ok(row.unwrap().get::<String, _>(0).parse().unwrap())
}

async fn wait_for_route(pools: &Pools, route: ReadOnlyRoute) {
    for _ in 0..3000 {
        if pools.stats().ro_routes_to == route {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{:?} never became {route:?}", pools.stats().ro_routes_to);
}

#[tokio::test]
async fn a_replica_that_is_gone_is_left_and_taken_back() {
    let primary = Server::start();
    let mut replica = Replica::of(&primary);
    let pools = Pools::new(&config(&primary, &replica)).unwrap();
    assert_eq!(answers(&pools).await.unwrap(), replica.port());
    assert_eq!(pools.stats().ro_routes_to, ReadOnlyRoute::Replica);
    assert_eq!(pools.stats().protection, Some(Protection::Replica));
    assert_eq!(pools.stats().ro_route_changes, 0);

    for kill in [true, false] {
        if kill {
            replica.kill()
        } else {
            replica.stop()
        }
        wait_for_route(&pools, ReadOnlyRoute::PrimaryFallthrough).await;
        assert_eq!(answers(&pools).await.unwrap(), primary.port());
        assert_eq!(pools.stats().protection, Some(Protection::Session));
        replica.run();
        wait_for_route(&pools, ReadOnlyRoute::Replica).await;
        assert_eq!(answers(&pools).await.unwrap(), replica.port());
    }
    assert_eq!(pools.stats().ro_route_changes, 4);
}

#[tokio::test]
async fn a_replica_that_is_silent_is_left_and_taken_back() {
    let primary = Server::start();
    let replica = Replica::of(&primary);
    let pools = Pools::new(&config(&primary, &replica)).unwrap();
    assert_eq!(answers(&pools).await.unwrap(), replica.port());
    replica.freeze();
    wait_for_route(&pools, ReadOnlyRoute::PrimaryFallthrough).await;
    assert_eq!(answers(&pools).await.unwrap(), primary.port());
    replica.thaw();
    wait_for_route(&pools, ReadOnlyRoute::Replica).await;
}

#[tokio::test]
async fn a_replica_that_was_never_there_is_not_even_tried() {
    let primary = Server::start();
    let mut replica = Replica::of(&primary);
    replica.stop();
    let pools = Pools::new(&config(&primary, &replica)).unwrap();
    assert_eq!(answers(&pools).await.unwrap(), primary.port());
    let stats = pools.stats();
    assert_eq!(stats.ro_routes_to, ReadOnlyRoute::PrimaryFallthrough);
    let ro = stats.ro.unwrap();
    assert_eq!((ro.acquires, ro.timeouts, ro.failed), (0, 0, 0));
}

#[tokio::test]
async fn a_replica_that_lags_is_left_and_taken_back_when_it_has_caught_up() {
    let primary = Server::start();
    primary.psql("CREATE TABLE item (id int)");
    let replica = Replica::of(&primary);
    let pools = Pools::new(&config(&primary, &replica)).unwrap();
    assert_eq!(answers(&pools).await.unwrap(), replica.port());

    // An idle primary makes no lag, however long it is idle.
    replica.pause_replay();
    tokio::time::sleep(MAX_LAG * 2).await;
    assert_eq!(pools.stats().ro_route_changes, 0);

    primary.psql("INSERT INTO item VALUES (1)");
    assert_eq!(pools.stats().ro_routes_to, ReadOnlyRoute::Replica, "not yet");
    wait_for_route(&pools, ReadOnlyRoute::PrimaryFallthrough).await;
    assert_eq!(answers(&pools).await.unwrap(), primary.port());
    replica.resume_replay();
    wait_for_route(&pools, ReadOnlyRoute::Replica).await;
    assert_eq!(pools.stats().ro_route_changes, 2);
}

#[tokio::test]
async fn a_replica_that_lost_its_primary_long_ago_lags_from_the_beginning() {
    let primary = Server::start();
    primary.psql("CREATE TABLE item (id int)");
    let replica = Replica::of(&primary);
    primary.psql("INSERT INTO item VALUES (1)");
    replica.catch_up(&primary);
    // It says that it has replayed all that it received.
    replica.psql("ALTER SYSTEM SET primary_conninfo = ''");
    replica.psql("SELECT pg_reload_conf()");
    while !replica.psql("SELECT pid FROM pg_stat_wal_receiver").is_empty() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    tokio::time::sleep(MAX_LAG).await;
    primary.psql("INSERT INTO item VALUES (2)");
    let pools = Pools::new(&config(&primary, &replica)).unwrap();
    assert_eq!(answers(&pools).await.unwrap(), primary.port());
}

#[tokio::test]
async fn a_replica_that_was_promoted_is_left() {
    let primary = Server::start();
    let replica = Replica::of(&primary);
    let pools = Pools::new(&config(&primary, &replica)).unwrap();
    assert_eq!(answers(&pools).await.unwrap(), replica.port());
    replica.psql("SELECT pg_promote()");
    wait_for_route(&pools, ReadOnlyRoute::PrimaryFallthrough).await;
    assert_eq!(answers(&pools).await.unwrap(), primary.port());
}

#[tokio::test]
async fn a_replica_is_kept_while_the_primary_is_gone() {
    let mut primary = Server::start();
    let replica = Replica::of(&primary);
    let pools = Pools::new(&config(&primary, &replica)).unwrap();
    assert_eq!(answers(&pools).await.unwrap(), replica.port());
    primary.kill();
    tokio::time::sleep(INTERVAL * 20).await;
    assert_eq!(answers(&pools).await.unwrap(), replica.port());
    assert_eq!(pools.stats().ro_route_changes, 0);
}

#[tokio::test]
async fn without_a_fall_through_read_only_work_goes_nowhere() {
    let primary = Server::start();
    let mut replica = Replica::of(&primary);
    let config = Config { fallthrough: false, ..config(&primary, &replica) };
    let pools = Pools::new(&config).unwrap();
    assert_eq!(answers(&pools).await.unwrap(), replica.port());
    replica.kill();
    wait_for_route(&pools, ReadOnlyRoute::Disabled).await;
    let error = answers(&pools).await.unwrap_err();
    assert!(matches!(error, AcquireError::ReadOnlyDisabled), "{error}");
    assert_eq!(pools.stats().protection, None);
}

#[tokio::test]
async fn a_pool_whose_callers_hold_all_connections_is_no_replica_that_is_down() {
    let primary = Server::start();
    let replica = Replica::of(&primary);
    let config = Config {
        replica_limits: ebbline_pool::Limits { max: 1, min: 0 },
        ..config(&primary, &replica)
    };
    let pools = Pools::new(&config).unwrap();
    let _held = pools.read_only().await.unwrap();
    let error = pools.read_only().await.unwrap_err();
    assert!(matches!(error, AcquireError::TimedOut(_)), "{error}");
    tokio::time::sleep(INTERVAL * 5).await;
    assert_eq!(pools.stats().ro_routes_to, ReadOnlyRoute::Replica);
}
