//! Connections that go from one caller to the next without sqlx's shelf between them.

use std::collections::BTreeSet;
use std::future::Future;
use std::time::Duration;

use ebbline_pool::{AcquireError, Config, Limits, Pools, ReadWrite};
use sqlx::{AssertSqlSafe, Executor};
use tokio::task::JoinHandle;

use crate::support::{Server, cancelled_after};

fn config(server: &Server, max: u32) -> Config {
    let limits = Limits { max, min: 0 };
    let config = Config::new(server.dsn().parse().unwrap());
    Config { primary_limits: limits, fallthrough_limits: limits, ..config }
}

async fn pid(connection: &mut ReadWrite) -> i32 {
    sqlx::query_scalar("SELECT pg_backend_pid()").fetch_one(&mut **connection).await.unwrap()
}

/// Starts it, and waits until it is one of `waiting`.
async fn waits<T: Send + 'static>(
    pools: &Pools,
    caller: impl Future<Output = T> + Send + 'static,
    waiting: u32,
) -> JoinHandle<T> {
    let caller = tokio::spawn(caller);
    while pools.stats().primary.waiting < waiting {
        tokio::task::yield_now().await;
    }
    caller
}

#[tokio::test]
async fn who_has_waited_longest_comes_first_and_who_gave_up_is_passed_over() {
    let server = Server::start();
    let pools = Pools::new(&config(&server, 1)).unwrap();
    let mut first = pools.read_write().await.unwrap();
    let first_pid = pid(&mut first).await;
    let gives_up = waits(&pools, pools.read_write(), 1).await;
    let second = waits(&pools, pools.read_write(), 2).await;
    let third = waits(&pools, pools.read_write(), 3).await;
    gives_up.abort();
    drop(first);
    let mut second = second.await.unwrap().unwrap();
    assert_eq!(pid(&mut second).await, first_pid);
    assert!(!third.is_finished());
    drop(second);
    assert_eq!(pid(&mut third.await.unwrap().unwrap()).await, first_pid);
    let primary = pools.stats().primary;
    assert_eq!((primary.acquires, primary.cancelled, primary.opened), (3, 1, 1));
}

#[tokio::test]
async fn a_transaction_that_was_dropped_is_over_for_whom_the_connection_is_handed_to() {
    let server = Server::start();
    server.psql("CREATE TABLE item (id int)");
    let pools = Pools::new(&config(&server, 1)).unwrap();
    let mut first = pools.read_write().await.unwrap();
    let second = waits(&pools, pools.read_write(), 1).await;
    {
        let mut transaction = sqlx::Connection::begin(&mut *first).await.unwrap();
        (&mut *transaction).execute("INSERT INTO item VALUES (1)").await.unwrap();
    }
    drop(first);
    let mut second = second.await.unwrap().unwrap();
    let seen: i64 =
        sqlx::query_scalar("SELECT count(*) FROM item").fetch_one(&mut *second).await.unwrap();
    assert_eq!(seen, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_never_rests_still_grows_no_older_than_it_may() {
    let server = Server::start();
    let lifetime = Some(Duration::from_millis(200));
    let pools = Pools::new(&Config { max_lifetime: lifetime, ..config(&server, 2) }).unwrap();
    let mut callers = tokio::task::JoinSet::new();
    for _ in 0..6 {
        let pools = pools.clone();
        callers.spawn(async move {
            let mut seen = BTreeSet::new();
            // More often than it needs; a machine that is busy needs more.
            for _ in 0..100_000 {
                seen.insert(pid(&mut pools.read_write().await.unwrap()).await);
                if seen.len() >= 6 {
                    break;
                }
            }
            seen.len()
        });
    }
    while let Some(seen) = callers.join_next().await {
        assert!(seen.unwrap() >= 6);
    }
    assert_eq!(pools.stats().primary.timeouts, 0);
}

#[tokio::test]
async fn a_statement_that_nobody_waits_for_any_more_holds_up_only_its_own_connection() {
    let server = Server::start();
    let pools = Pools::new(&config(&server, 2)).unwrap();
    let mut gone = pools.read_write().await.unwrap();
    let mut other = pools.read_write().await.unwrap();
    let other_pid = pid(&mut other).await;
    let long = (&mut *gone).execute("SELECT pg_sleep(20)");
    assert!(cancelled_after(1, long).await.is_none());
    let asleep = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'";
    while server.psql(asleep) != "1" {}
    drop(gone);
    let early = waits(&pools, pools.read_write(), 1).await;
    let late = waits(&pools, pools.read_write(), 2).await;
    drop(other);
    let mut early = early.await.unwrap().unwrap();
    assert_eq!(pid(&mut early).await, other_pid);
    assert!(!late.is_finished());
    drop(early);
    assert_eq!(pid(&mut late.await.unwrap().unwrap()).await, other_pid);
}

#[tokio::test]
async fn who_waits_when_the_pools_are_closed_is_told_so_at_once() {
    let server = Server::start();
    let pools = Pools::new(&config(&server, 1)).unwrap();
    let held = pools.read_write().await.unwrap();
    let waiting = waits(&pools, pools.read_write(), 1).await;
    let closing = tokio::spawn({
        let pools = pools.clone();
        async move { pools.close().await }
    });
    let told = waiting.await.unwrap();
    assert!(matches!(told, Err(AcquireError::Closed { .. })), "{told:?}");
    drop(held);
    closing.await.unwrap();
    assert_eq!(pools.stats().primary.size, 0);
}

#[tokio::test]
async fn a_transaction_is_found_however_it_was_begun() {
    let server = Server::start();
    let pools = Pools::new(&config(&server, 1)).unwrap();
    let mut lifted = 0;
    for (begin, lifts) in [
        ("/* of a */bEgIn", false),
        ("START\n\tTRANSACTION", false),
        ("SELECT 1;BEGIN", false),
        ("BEGIN;SET LOCAL default_transaction_read_only = off", false),
        ("START TRANSACTION READ WRITE", true),
        ("BEGIN; SET TRANSACTION READ WRITE", true),
        // The transaction is read-only and says that the session is, too.
        (
            "SET default_transaction_read_only = off; COMMIT; BEGIN READ ONLY; \
             SET LOCAL default_transaction_read_only = on",
            true,
        ),
    ] {
        for handed in [false, true] {
            let mut one = pools.read_only().await.unwrap();
            one.reader().execute(AssertSqlSafe(begin)).await.unwrap();
            let next = pools.read_only();
            let mut next = if handed {
                let next = tokio::spawn(next);
                while pools.stats().ro_fallthrough.unwrap().waiting == 0 {
                    tokio::task::yield_now().await;
                }
                drop(one);
                next.await.unwrap().unwrap()
            } else {
                drop(one);
                next.await.unwrap()
            };
            let question = "SELECT now() = statement_timestamp() \
                 AND current_setting('default_transaction_read_only') = 'on' \
                 AND current_setting('transaction_read_only') = 'on'";
            // As one text: only there both times are those of the same message.
            let row = next.reader().fetch_one(question).await.unwrap();
            assert!(sqlx::Row::get::<bool, _>(&row, 0), "{begin}, handed over: {handed}");
            lifted += u64::from(lifts);
            assert_eq!(pools.stats().ro_fallthrough.unwrap().lifted, lifted, "{begin}");
        }
    }
}
