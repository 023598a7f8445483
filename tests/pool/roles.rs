//! A login role that only reads: made by the library's SQL, and every way in which it may write
//! is found.

use ebbline_pool::{Config, Login, Pools, Protection, ReadOnlyRole, WriteRefused};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};

use crate::support::{Log, Server};

/// What makes a role one that may write, and a word of how that is told.
const WAYS: [(&str, &str); 24] = [
    ("ALTER ROLE reader SUPERUSER", "superuser"),
    ("ALTER ROLE reader CREATEROLE", "make roles"),
    ("ALTER ROLE reader CREATEDB", "make databases"),
    ("ALTER ROLE reader REPLICATION", "write-ahead log"),
    ("GRANT pg_write_all_data TO reader", "may write to public.item"),
    ("GRANT pg_execute_server_program TO reader", "pg_execute_server_program"),
    ("GRANT pg_write_server_files TO reader", "pg_write_server_files"),
    ("GRANT owner TO reader", "owns public.owned"),
    ("GRANT boss TO reader", "member of boss"),
    ("GRANT INSERT ON item TO reader", "public.item"),
    ("GRANT UPDATE (id) ON item TO PUBLIC", "public.item"),
    ("GRANT TRUNCATE ON item TO team; GRANT team TO reader", "public.item"),
    ("GRANT TRIGGER ON item TO reader", "public.item"),
    ("GRANT DELETE ON shown TO reader", "public.shown"),
    ("GRANT USAGE ON SEQUENCE counter TO reader", "public.counter"),
    ("ALTER TABLE item OWNER TO reader", "owns public.item"),
    ("GRANT CREATE ON SCHEMA public TO PUBLIC", "in schema public"),
    ("ALTER SCHEMA elsewhere OWNER TO reader", "in schema elsewhere"),
    ("GRANT CREATE ON DATABASE postgres TO reader", "database postgres"),
    ("ALTER DATABASE postgres OWNER TO reader", "database postgres"),
    ("GRANT EXECUTE ON FUNCTION elsewhere.add_item() TO reader", "elsewhere.add_item()"),
    ("GRANT EXECUTE ON PROCEDURE add_items(int) TO reader", "add_items(IN amount integer)"),
    ("GRANT EXECUTE ON FUNCTION elsewhere.added(int) TO reader", "elsewhere.added(integer)"),
    ("CREATE EXTENSION dblink", "dblink_exec"),
];

const SETUP: &str = "
    CREATE TABLE item (id int);
    CREATE TABLE owned (id int);
    CREATE VIEW shown AS SELECT id FROM item;
    CREATE SEQUENCE counter;
    CREATE SCHEMA elsewhere;
    CREATE ROLE team; CREATE ROLE owner; CREATE ROLE boss SUPERUSER;
    ALTER TABLE owned OWNER TO owner;
    CREATE FUNCTION elsewhere.add_item() RETURNS void LANGUAGE sql SECURITY DEFINER AS
        'INSERT INTO public.item VALUES (2)';
    CREATE PROCEDURE add_items(amount int) LANGUAGE sql SECURITY DEFINER AS
        'INSERT INTO item SELECT generate_series(1, amount)';
    CREATE FUNCTION elsewhere.add_next(int, int) RETURNS int LANGUAGE sql SECURITY DEFINER AS
        'INSERT INTO public.item VALUES (2) RETURNING 1';
    CREATE AGGREGATE elsewhere.added(int) (SFUNC = elsewhere.add_next, STYPE = int);
    REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA elsewhere, public FROM PUBLIC;
    REVOKE EXECUTE ON ALL PROCEDURES IN SCHEMA public FROM PUBLIC;
    REVOKE CREATE ON SCHEMA public FROM PUBLIC;";

#[tokio::test]
async fn each_way_to_write_is_found_and_its_remedy_takes_it_away() {
    let server = Server::start();
    server.psql(SETUP);
    let role = ReadOnlyRole::new("reader");
    server.psql(&role.to_sql());
    server.psql(&role.to_sql());
    let mut connection = PgConnection::connect(&server.dsn()).await.unwrap();
    assert_eq!(role.ways_to_write(&mut connection).await.unwrap(), []);
    for (sql, word) in WAYS {
        connection.execute(sql).await.unwrap();
        let ways = role.ways_to_write(&mut connection).await.unwrap();
        assert!(ways.iter().any(|way| way.what.contains(word)), "{sql}: {ways:?}");
        for way in ways {
            connection.execute(AssertSqlSafe(way.remedy)).await.unwrap();
        }
        assert_eq!(role.ways_to_write(&mut connection).await.unwrap(), [], "{sql}");
    }
    let missing = ReadOnlyRole::new("nobody").ways_to_write(&mut connection).await.unwrap();
    assert_eq!(missing.len(), 1);
    assert_eq!(missing[0].to_string(), "there is no such role; make it first");
}

#[tokio::test]
async fn a_role_protects_only_if_it_is_what_was_promised() {
    let server = Server::start();
    server.psql(SETUP);
    server.psql(&ReadOnlyRole::new("reader").to_sql());
    server.psql("GRANT INSERT ON item TO reader");
    let log = Log::default();
    let _capturing = tracing::subscriber::set_default(log.subscriber());
    let config = || Config {
        fallthrough_login: Some(Login::new("reader", None)),
        ..Config::new(server.dsn().parse().unwrap())
    };
    let pools = Pools::new(&config()).unwrap();
    drop(pools.read_only().await.unwrap());
    assert_eq!(pools.stats().protection, Some(Protection::Session));
    let warned = log.take();
    assert!(warned.contains("may write to public.item; REVOKE ALL ON public.item"), "{warned}");

    server.psql("REVOKE INSERT ON item FROM reader");
    let pools = Pools::new(&config()).unwrap();
    let mut read_only = pools.read_only().await.unwrap();
    assert_eq!(read_only.protection(), Protection::Role);
    read_only.reader().execute("SELECT * FROM item").await.unwrap();
    read_only.reader().execute("SET default_transaction_read_only = off").await.unwrap();
    for sql in ["INSERT INTO item VALUES (1)", "SELECT nextval('counter')", "DROP TABLE item"] {
        let error = read_only.reader().execute(sql).await.unwrap_err();
        let refused = WriteRefused::in_error(&error).unwrap();
        assert_eq!(refused.server_error().code(), "42501", "{sql}");
    }
}

#[tokio::test]
async fn tables_that_come_later_are_read_too() {
    let server = Server::start();
    server.psql("CREATE SCHEMA \"Shop's\"; CREATE TABLE \"Shop's\".item (id int)");
    let role = ReadOnlyRole::new("Shop \"reader\"").in_schemas(&["Shop's"]);
    server.psql(&role.to_sql());
    server.psql("CREATE TABLE \"Shop's\".later (id int)");
    let login = Login::new("Shop \"reader\"", None);
    let config =
        Config { fallthrough_login: Some(login), ..Config::new(server.dsn().parse().unwrap()) };
    let pools = Pools::new(&config).unwrap();
    let mut read_only = pools.read_only().await.unwrap();
    assert_eq!(read_only.protection(), Protection::Role);
    read_only.reader().execute("SELECT * FROM \"Shop's\".item, \"Shop's\".later").await.unwrap();
}
