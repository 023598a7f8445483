//! The tests' own servers do what the other tests rely on.

use std::net::TcpStream;
use std::time::Duration;

use sqlx::{Connection, PgConnection};

use crate::support::{Mode, PgBouncer, Replica, Server};

async fn one(dsn: &str) -> Result<i32, sqlx::Error> {
    let mut connection = PgConnection::connect(dsn).await?;
    sqlx::query_scalar("SELECT 1").fetch_one(&mut connection).await
}

/// SQLSTATE of the server's refusal.
async fn refusal(dsn: &str) -> Option<String> {
    let error = one(dsn).await.unwrap_err();
    Some(error.as_database_error()?.code()?.into_owned())
}

#[tokio::test]
async fn a_server_is_stopped_killed_frozen_and_started_again() {
    let mut server = Server::start_with(&["max_connections = 12"]);
    assert_eq!(server.psql("SHOW max_connections"), "12");
    server.psql("CREATE TABLE kept (id int)");
    assert_eq!(one(&server.dsn()).await.unwrap(), 1);

    let mut connection = PgConnection::connect(&server.dsn()).await.unwrap();
    server.freeze();
    let silent = tokio::time::timeout(Duration::from_millis(300), connection.ping()).await;
    assert!(silent.is_err(), "{silent:?}");
    assert!(TcpStream::connect(("127.0.0.1", server.port())).is_ok());
    server.thaw();
    connection.ping().await.unwrap();

    server.kill();
    assert!(connection.ping().await.is_err());
    assert!(TcpStream::connect(("127.0.0.1", server.port())).is_err());
    server.run();
    assert_eq!(one(&server.dsn()).await.unwrap(), 1);
    server.stop();
    assert!(server.try_psql("SELECT 1").is_none());
    server.run();
    assert_eq!(server.psql("SELECT count(*) FROM kept"), "0");
}

#[tokio::test]
async fn passwords_are_asked_only_of_those_who_have_one() {
    let server = Server::start();
    server.create_role_with_password("clerk", "right");
    assert_eq!(one(&server.dsn_as("clerk:right")).await.unwrap(), 1);
    assert_eq!(refusal(&server.dsn_as("clerk:wrong")).await.as_deref(), Some("28P01"));
}

#[tokio::test]
async fn a_replica_streams_falls_behind_and_catches_up() {
    let primary = Server::start();
    primary.psql("CREATE TABLE item (id int)");
    let mut replica = Replica::of(&primary);
    replica.pause_replay();
    primary.psql("INSERT INTO item VALUES (1)");
    assert_eq!(replica.psql("SELECT count(*) FROM item"), "0");
    replica.resume_replay();
    replica.catch_up(&primary);
    assert_eq!(replica.psql("SELECT count(*) FROM item"), "1");
    replica.kill();
    primary.psql("INSERT INTO item VALUES (2)");
    replica.run();
    replica.wait_until_streaming();
    replica.catch_up(&primary);
    assert_eq!(replica.psql("SELECT count(*) FROM item"), "2");
}

#[tokio::test]
async fn pgbouncer_passes_a_server_connection_from_client_to_client() {
    let server = Server::start();
    for (mode, shared) in [(Mode::Transaction, true), (Mode::Session, false)] {
        let bouncer = PgBouncer::in_front_of(&server, mode);
        let mut first = PgConnection::connect(&bouncer.dsn()).await.unwrap();
        let mut second = PgConnection::connect(&bouncer.dsn_as("postgres")).await.unwrap();
        let pid = "SELECT pg_backend_pid()";
        let pids = [
            sqlx::raw_sql(pid).fetch_one(&mut first).await.unwrap(),
            sqlx::raw_sql(pid).fetch_one(&mut second).await.unwrap(),
        ];
        let pids = pids.map(|row| sqlx::Row::get::<i32, _>(&row, 0));
        assert_eq!(pids[0] == pids[1], shared, "{mode:?}");
    }
}
