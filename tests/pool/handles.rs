//! The handles: what each may do, what a refused write says, and what of it all is never shown.

use std::time::Duration;

use ebbline_pool::{AcquireError, BuildError, Config, Limits, Pools, Protection, WriteRefused};
use sqlx::Executor;

use crate::support::{Log, Replica, Server, cancelled_after};

/// Pools on this server that read through the fall-through pool.
fn config(dsn: &str) -> Config {
    Config::new(dsn.parse().unwrap())
}

fn code(error: &sqlx::Error) -> String {
    error.as_database_error().unwrap().code().unwrap().into_owned()
}

#[tokio::test]
async fn a_read_only_handle_reads_and_names_the_write_that_it_refuses() {
    let server = Server::start();
    server.psql("CREATE TABLE item (id int); INSERT INTO item VALUES (1)");
    let pools = Pools::new(&config(&server.dsn())).unwrap();

    let line = line!() + 1;
    let mut read_only = pools.read_only().await.unwrap();
    let read: i64 = sqlx::query_scalar("SELECT count(*) FROM item WHERE id = $1")
        .bind(1)
        .fetch_one(read_only.reader())
        .await
        .unwrap();
    assert_eq!(read, 1);
    let insert = sqlx::query("INSERT INTO item VALUES ($1)").bind(2);
    let error = insert.execute(read_only.reader()).await.unwrap_err();
    let refused = WriteRefused::in_error(&error).unwrap();
    assert_eq!(refused.site().line(), line);
    assert_eq!(
        error.to_string(),
        format!(
            "error returned from database: the read-only handle of pool ro_fallthrough, taken at \
             {}, may not write: cannot execute INSERT in a read-only transaction (SQLSTATE \
             25006); take a handle that may from Pools::read_write",
            refused.site()
        )
    );
    drop(read_only);

    let mut read_write = pools.read_write().await.unwrap();
    sqlx::query("INSERT INTO item VALUES (2)").execute(&mut *read_write).await.unwrap();
    drop(read_write);
    assert_eq!(server.psql("SELECT count(*) FROM item"), "2");
    assert_eq!(pools.stats().protection, Some(Protection::Session));
    pools.close().await;
    assert!(matches!(pools.read_only().await, Err(AcquireError::Closed { .. })));
}

#[tokio::test]
async fn to_ask_for_a_transaction_that_may_write_is_refused_as_a_write_is() {
    let primary = Server::start();
    let replica = Replica::of(&primary);
    let on_replica = Pools::new(&config(&replica.dsn())).unwrap();
    let on_primary = Pools::new(&config(&primary.dsn())).unwrap();
    for (pools, sqlstate) in [(&on_replica, "0A000"), (&on_primary, "25001")] {
        let mut read_only = pools.read_only().await.unwrap();
        // A replica says no whenever it is asked, the primary where the transaction has begun to read.
        let begin = if sqlstate == "0A000" { "BEGIN" } else { "BEGIN READ ONLY; SELECT 1" };
        read_only.reader().execute(begin).await.unwrap();
        let error = read_only.reader().execute("SET TRANSACTION READ WRITE").await.unwrap_err();
        let refused = WriteRefused::in_error(&error).unwrap_or_else(|| panic!("{error}"));
        assert_eq!(refused.server_error().code(), sqlstate, "{error}");
    }
}

#[tokio::test]
async fn other_errors_stay_what_they_are() {
    let server = Server::start();
    server.psql("CREATE TABLE secret (id int); CREATE ROLE clerk LOGIN");
    let pools = Pools::new(&config(&server.dsn_as("clerk"))).unwrap();
    let mut read_only = pools.read_only().await.unwrap();
    for (sql, sqlstate) in [
        ("SELECT * FROM secret", "42501"),
        ("SELECT * FROM missing", "42P01"),
        ("SELECT 1 / 0", "22012"),
        ("BEGIN; SELECT 1; SET TRANSACTION DEFERRABLE", "25001"),
    ] {
        let error = read_only.reader().execute(sql).await.unwrap_err();
        assert_eq!(code(&error), sqlstate, "{sql}");
        assert!(WriteRefused::in_error(&error).is_none(), "{sql}");
        let _ = read_only.reader().execute("ROLLBACK").await;
    }
}

#[tokio::test]
async fn a_handle_that_was_lifted_is_counted_and_its_place_is_logged() {
    let server = Server::start();
    let limits = Limits { max: 1, min: 0 };
    let config = Config { fallthrough_limits: limits, ..config(&server.dsn()) };
    let pools = Pools::new(&config).unwrap();
    let log = Log::default();
    let _capturing = tracing::subscriber::set_default(log.subscriber());
    for (sql, lifted) in [
        ("SELECT 1", false),
        ("SET default_transaction_read_only = off", true),
        ("SET default_transaction_read_only = off; SET default_transaction_read_only = on", false),
        ("BEGIN", false),
        ("BEGIN READ WRITE", true),
        ("BEGIN READ WRITE; SELECT 1 / 0", false),
        ("SET default_transaction_read_only = off; BEGIN; SELECT 1 / 0", false),
        ("SET default_transaction_read_only = off; COMMIT; BEGIN; SELECT 1 / 0", true),
        ("RESET ALL", false),
    ] {
        let before = pools.stats().ro_fallthrough.unwrap().lifted;
        let line = line!() + 1;
        let mut read_only = pools.read_only().await.unwrap();
        let _ = read_only.reader().execute(sql).await;
        drop(read_only);
        // The only connection comes when it is clean.
        drop(pools.read_only().await.unwrap());
        let after = pools.stats().ro_fallthrough.unwrap().lifted;
        assert_eq!(after - before, u64::from(lifted), "{sql}");
        let warned = log.take();
        assert_eq!(warned.contains(&format!("handles.rs:{line}:")), lifted, "{sql}: {warned}");
    }
}

#[tokio::test]
async fn a_replica_that_was_promoted_is_none_and_its_sessions_stay_read_only() {
    let primary = Server::start();
    primary.psql("CREATE TABLE item (id int)");
    let replica = Replica::of(&primary);
    // A pool of its own, so that no router takes the work away.
    let pools = Pools::new(&config(&replica.dsn())).unwrap();
    let mut read_only = pools.read_only().await.unwrap();
    assert_eq!(read_only.protection(), Protection::Replica);
    replica.psql("SELECT pg_promote()");
    let error = read_only.reader().execute("INSERT INTO item VALUES (1)").await.unwrap_err();
    assert!(WriteRefused::in_error(&error).is_some(), "{error}");
    // Whether the server is in recovery is asked once a second.
    tokio::time::sleep(Duration::from_millis(1100)).await;
    drop(read_only);
    while pools.stats().ro_fallthrough.unwrap().idle == 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(pools.stats().protection, Some(Protection::Session));
}

#[test]
fn a_handle_may_be_dropped_where_no_runtime_is() {
    let server = Server::start();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (pools, handles) = runtime.block_on(async {
        let pools = Pools::new(&config(&server.dsn())).unwrap();
        let handles = (pools.read_write().await.unwrap(), pools.read_only().await.unwrap());
        (pools, handles)
    });
    std::thread::spawn(move || drop(handles)).join().unwrap();
    runtime.block_on(async {
        pools.read_only().await.unwrap().reader().execute("SELECT 1").await.unwrap();
        pools.close().await;
        let stats = pools.stats();
        assert_eq!((stats.primary.in_use, stats.primary.size), (0, 0));
    });
    assert!(matches!(Pools::new(&config(&server.dsn())), Err(BuildError::NoRuntime)));
}

#[tokio::test]
async fn what_a_caller_asked_who_was_cancelled_is_not_answered_to_the_next() {
    let server = Server::start();
    let limits = Limits { max: 1, min: 0 };
    let config = Config { fallthrough_limits: limits, ..config(&server.dsn()) };
    let pools = Pools::new(&config).unwrap();
    for late in ["SELECT 1 / (random() * 0)::int", "SELECT 7"] {
        let mut read_only = pools.read_only().await.unwrap();
        // It is sent with the first poll, and cannot be answered by then.
        server.freeze();
        assert!(cancelled_after(1, read_only.reader().execute(late)).await.is_none());
        server.thaw();
        drop(read_only);
        let mut next = pools.read_only().await.unwrap();
        let one: i32 = sqlx::query_scalar("SELECT 1").fetch_one(next.reader()).await.unwrap();
        assert_eq!(one, 1);
    }
    let stats = pools.stats().ro_fallthrough.unwrap();
    assert_eq!((stats.opened, stats.closed.total()), (1, 0), "{stats:?}");
}
