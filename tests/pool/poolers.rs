//! Behind PgBouncer: what it does to sessions is found out, and no setting of ours reaches
//! another client through it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use ebbline_pool::{AcquireError, Arming, Config, Limits, Pools, Protection, WriteRefused};
use sqlx::{Connection, Executor, PgConnection, Row, SqlSafeStr};
use tokio::net::{TcpListener, TcpStream};

use crate::support::{Mode, PgBouncer, Server, cancelled_after};

/// It is told to swallow the startup packet's setting, and to take its sessions in turn.
const SWALLOWS: &str = "ignore_startup_parameters = extra_float_digits, options";
const TAKES_TURNS: &str = "server_round_robin = 1";

fn config(dsn: &str) -> Config {
    let fallthrough_limits = Limits { max: 2, min: 0 };
    Config { fallthrough_limits, ..Config::new(dsn.parse().unwrap()) }
}

/// Another client of the same PgBouncer may write: through each of its sessions.
async fn others_may_write(bouncer: &PgBouncer) {
    let mut clients = Vec::new();
    for _ in 0..2 {
        clients.push(PgConnection::connect(&bouncer.dsn()).await.unwrap());
    }
    for client in &mut clients {
        client.execute("BEGIN").await.unwrap();
        client.execute("INSERT INTO item VALUES (1)").await.unwrap();
    }
    for client in &mut clients {
        client.execute("ROLLBACK").await.unwrap();
    }
}

#[tokio::test]
async fn a_pooler_that_shares_sessions_is_found_out_whatever_its_settings() {
    let server = Server::start();
    server.psql("CREATE TABLE item (id int)");
    for settings in ["", SWALLOWS, TAKES_TURNS, &format!("{SWALLOWS}\n{TAKES_TURNS}")] {
        let bouncer = PgBouncer::with_settings(&server, Mode::Transaction, settings);
        // Both sessions are there, so that it has something to take in turn.
        others_may_write(&bouncer).await;
        let pools = Pools::new(&config(&bouncer.dsn())).unwrap();
        let mut read_only = pools.read_only().await.unwrap();
        assert_eq!(read_only.protection(), Protection::Transaction, "{settings}");
        let error = read_only.reader().execute("INSERT INTO item VALUES (1)").await.unwrap_err();
        assert!(WriteRefused::in_error(&error).is_some(), "{error}");
        others_may_write(&bouncer).await;
        drop(read_only);
        pools.close().await;
        others_may_write(&bouncer).await;

        let arming = Arming::Session;
        let pools = Pools::new(&Config { arming, ..config(&bouncer.dsn()) }).unwrap();
        let refused = pools.read_only().await.unwrap_err();
        assert!(matches!(refused, AcquireError::SessionNotHeld { .. }), "{refused}");
        others_may_write(&bouncer).await;
    }
}

#[tokio::test]
async fn a_pooler_that_keeps_sessions_is_armed_by_them() {
    let server = Server::start();
    server.psql("CREATE TABLE item (id int)");
    for settings in ["", SWALLOWS, TAKES_TURNS] {
        let settings = format!("{settings}\ndefault_pool_size = 9");
        let bouncer = PgBouncer::with_settings(&server, Mode::Session, &settings);
        let fallthrough_limits = Limits { max: 1, min: 0 };
        let pools = Pools::new(&Config { fallthrough_limits, ..config(&bouncer.dsn()) }).unwrap();
        for _ in 0..4 {
            let mut read_only = pools.read_only().await.unwrap();
            assert_eq!(read_only.protection(), Protection::Session, "{settings}");
            let insert = read_only.reader().execute("INSERT INTO item VALUES (1)");
            let error = insert.await.unwrap_err();
            assert!(WriteRefused::in_error(&error).is_some(), "{error}");
            let _ = read_only.reader().execute("RESET ALL").await;
        }
        // The only connection comes when it is clean.
        drop(pools.read_only().await.unwrap());
        assert_eq!(pools.stats().ro_fallthrough.unwrap().lifted, 4);
        pools.close().await;
        others_may_write(&bouncer).await;
    }
}

#[tokio::test]
async fn each_statement_has_a_transaction_and_a_transaction_keeps_its_data() {
    let server = Server::start();
    server.psql("CREATE TABLE item (id int); INSERT INTO item VALUES (1)");
    let bouncer = PgBouncer::in_front_of(&server, Mode::Transaction);
    let pools = Pools::new(&config(&bouncer.dsn())).unwrap();
    let mut read_only = pools.read_only().await.unwrap();
    let sql = "SELECT current_setting('transaction_read_only'), $1::int";
    let row = sqlx::query(sql).bind(7).fetch_one(read_only.reader()).await.unwrap();
    assert_eq!((row.get::<String, _>(0), row.get::<i32, _>(1)), ("on".to_owned(), 7));

    let count = || sqlx::query_scalar::<_, i64>("SELECT count(*) FROM item");
    let mut transaction = read_only.begin_repeatable().await.unwrap();
    server.psql("INSERT INTO item VALUES (2)");
    assert_eq!(count().fetch_one(transaction.reader()).await.unwrap(), 1);
    transaction.end().await.unwrap();
    assert_eq!(count().fetch_one(read_only.reader()).await.unwrap(), 2);
    let prepared = read_only.reader().prepare("SELECT 1".into_sql_str()).await;
    assert!(prepared.is_err(), "it would stay in a session that is none of ours");
}

#[tokio::test]
async fn a_begin_that_is_cancelled_holds_no_session_of_the_pooler() {
    let server = Server::start();
    server.psql("CREATE TABLE item (id int)");
    let bouncer = PgBouncer::in_front_of(&server, Mode::Transaction);
    let pools = Pools::new(&config(&bouncer.dsn())).unwrap();
    for _ in 0..4 {
        let mut read_only = pools.read_only().await.unwrap();
        // It is sent with the first poll, and cannot be answered by then.
        server.freeze();
        assert!(cancelled_after(1, read_only.begin_repeatable()).await.is_none());
        server.thaw();
        // What is asked next does not read in the transaction that was left open.
        server.psql("TRUNCATE item; INSERT INTO item VALUES (1)");
        let count = sqlx::query_scalar::<_, i64>("SELECT count(*) FROM item");
        assert_eq!(count.fetch_one(read_only.reader()).await.unwrap(), 1);
        server.freeze();
        assert!(cancelled_after(1, read_only.begin()).await.is_none());
        server.thaw();
    }
    // Both of its sessions are free at once.
    others_may_write(&bouncer).await;
    let open = "SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in transaction%'";
    assert_eq!(server.psql(open), "0");
}

#[tokio::test]
async fn a_pooler_with_one_session_leaves_nothing_to_compare_with() {
    let server = Server::start();
    server.psql("CREATE TABLE item (id int)");
    for (mode, settings) in
        [(Mode::Session, ""), (Mode::Session, SWALLOWS), (Mode::Transaction, "")]
    {
        let settings = format!("{settings}\ndefault_pool_size = 1");
        let bouncer = PgBouncer::with_settings(&server, mode, &settings);
        let fallthrough_limits = Limits { max: 1, min: 0 };
        let acquire_timeout = Duration::from_secs(5);
        let config = Config { fallthrough_limits, acquire_timeout, ..config(&bouncer.dsn()) };
        let pools = Pools::new(&config).unwrap();
        let mut read_only = pools.read_only().await.unwrap();
        assert_eq!(read_only.protection(), Protection::Transaction);
        let error = read_only.reader().execute("INSERT INTO item VALUES (1)").await.unwrap_err();
        assert!(WriteRefused::in_error(&error).is_some(), "{error}");
    }
}

#[tokio::test]
async fn a_login_with_one_connection_reads_with_it() {
    let server = Server::start();
    server.psql("CREATE ROLE clerk LOGIN CONNECTION LIMIT 1");
    let pools = Pools::new(&config(&server.dsn_as("clerk"))).unwrap();
    for _ in 0..3 {
        let mut read_only = pools.read_only().await.unwrap();
        read_only.reader().execute("SELECT 1").await.unwrap();
        drop(read_only);
        while pools.stats().ro_fallthrough.unwrap().idle == 0 {
            tokio::task::yield_now().await;
        }
    }
    assert_eq!(pools.stats().protection, Some(Protection::Session));
}

/// Passes connections on to where `port` says at that moment. Ends with the test's runtime.
async fn forward(port: &Arc<AtomicU16>) -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let (own, port) = (listener.local_addr().unwrap().port(), Arc::clone(port));
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let port = port.load(Ordering::SeqCst);
            tokio::spawn(async move {
                let mut server = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
                let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
            });
        }
    });
    own
}

#[tokio::test]
async fn a_pooler_that_appears_later_gets_no_setting_and_is_found_out() {
    let server = Server::start();
    server.psql("CREATE TABLE item (id int)");
    let bouncer = PgBouncer::with_settings(&server, Mode::Transaction, SWALLOWS);
    let port = Arc::new(AtomicU16::new(server.port()));
    let dsn = format!("postgres://postgres@127.0.0.1:{}/postgres", forward(&port).await);
    let acquire_timeout = Duration::from_secs(2);
    let pools = Pools::new(&Config { acquire_timeout, ..config(&dsn) }).unwrap();
    let mut direct = pools.read_only().await.unwrap();
    assert_eq!(direct.protection(), Protection::Session);
    port.store(bouncer.port(), Ordering::SeqCst);

    // The connection that finds it out is given to nobody.
    let refused = pools.read_only().await.unwrap_err();
    assert!(refused.to_string().contains("a pooler stands before the server"), "{refused}");
    others_may_write(&bouncer).await;
    let mut pooled = pools.read_only().await.unwrap();
    assert_eq!(pooled.protection(), Protection::Transaction);
    for read_only in [&mut direct, &mut pooled] {
        let error = read_only.reader().execute("INSERT INTO item VALUES (1)").await.unwrap_err();
        assert!(WriteRefused::in_error(&error).is_some(), "{error}");
    }
    drop((direct, pooled));
    others_may_write(&bouncer).await;
}
