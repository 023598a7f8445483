//! The handles: what each may do, what a refused write says, and what of it all is never shown.

use ebbline_pool::{AcquireError, Arming, Config, Dsn, Pools, Protection, WriteRefused};
use sqlx::{Executor, Row};

use crate::support::{Mode, PgBouncer, Server};

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
async fn behind_a_pooler_in_transaction_mode_each_statement_has_a_transaction() {
    let server = Server::start();
    server.psql("CREATE TABLE item (id int)");
    let bouncer = PgBouncer::in_front_of(&server, Mode::Transaction);
    let pools = Pools::new(&config(&bouncer.dsn())).unwrap();
    let mut read_only = pools.read_only().await.unwrap();
    assert_eq!(pools.stats().protection, Some(Protection::Transaction));
    let row = sqlx::query("SELECT current_setting('transaction_read_only'), $1::int")
        .bind(7)
        .fetch_one(read_only.reader())
        .await
        .unwrap();
    assert_eq!((row.get::<String, _>(0), row.get::<i32, _>(1)), ("on".to_owned(), 7));
    let error = read_only.reader().execute("INSERT INTO item VALUES (1)").await.unwrap_err();
    assert!(WriteRefused::in_error(&error).is_some(), "{error}");
    let mut transaction = read_only.begin_repeatable().await.unwrap();
    transaction.reader().execute("SELECT 1").await.unwrap();
    transaction.end().await.unwrap();
    drop(read_only);

    let config = Config { arming: Arming::Session, ..config(&bouncer.dsn()) };
    let refused = Pools::new(&config).unwrap().read_only().await.unwrap_err();
    assert!(matches!(refused, AcquireError::SessionNotHeld { .. }), "{refused}");

    let bouncer = PgBouncer::in_front_of(&server, Mode::Session);
    let pools =
        Pools::new(&Config { primary: bouncer.dsn().parse::<Dsn>().unwrap(), ..config }).unwrap();
    let mut read_only = pools.read_only().await.unwrap();
    let error = read_only.reader().execute("INSERT INTO item VALUES (1)").await.unwrap_err();
    assert!(WriteRefused::in_error(&error).is_some(), "{error}");
    assert_eq!(pools.stats().protection, Some(Protection::Session));
}
