//! The tables of docs/POOL.md: each line is tried on each level of protection, in three ways.

use std::collections::BTreeMap;

use ebbline_pool::{Config, Dsn, Limits, Login, Pools, Protection, ReadOnly, ReadOnlyRole, Reader};
use sqlx::postgres::PgListener;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};

use crate::support::{Mode, PgBouncer, Replica, Server};

const DOCUMENT: &str = include_str!("../../docs/POOL.md");
const LEVELS: [&str; 5] = ["session", "pooled", "transaction", "role", "replica"];

const SETUP: &str = "
    CREATE TABLE item (id int);
    INSERT INTO item VALUES (1);
    CREATE TABLE indexed (id int);
    CREATE INDEX indexed_id ON indexed (id);
    CREATE SEQUENCE counter;
    CREATE FUNCTION add_item() RETURNS void LANGUAGE plpgsql AS
        'BEGIN INSERT INTO item VALUES (2); END';
    CREATE FUNCTION add_item_as_owner() RETURNS void LANGUAGE plpgsql SECURITY DEFINER AS
        'BEGIN INSERT INTO item VALUES (2); END';
    CREATE PROCEDURE leave() LANGUAGE plpgsql AS
        'BEGIN COMMIT; SET TRANSACTION READ WRITE; INSERT INTO item VALUES (2); END';
    CREATE EXTENSION dblink;
    GRANT ALL ON item TO writer;";

/// What the tables hold, and which there are. A lock on a row is written into the row.
const TABLES: &str = "SELECT concat(
    (SELECT string_agg(concat(id, ':', xmax), ',') FROM item),
    (SELECT concat(last_value, is_called) FROM counter),
    (SELECT string_agg(relname, ',') FROM pg_class WHERE relnamespace = 'public'::regnamespace))";

/// Everything else that the second table's lines may do.
const EFFECTS: &str = "SELECT concat(
    (SELECT count(*) FROM pg_largeobject_metadata), ' ',
    (SELECT concat(vacuum_count, ',', analyze_count) FROM pg_stat_user_tables
     WHERE relname = 'item'), ' ',
    (SELECT string_agg(relfilenode::text, ',') FROM pg_class WHERE relname LIKE 'indexed%'), ' ',
    (SELECT count(*) FROM pg_file_settings WHERE name = 'work_mem'), ' ',
    (SELECT count(*) FROM pg_ls_dir('.') AS file WHERE file = 'seen'), ' ',
    (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'), ' ',
    (SELECT count(*) FROM pg_class WHERE relname = 'mine'))";

/// One line of a table.
struct Attempt {
    in_transaction: bool,
    statements: Vec<String>,
    /// What the document says, by level.
    said: BTreeMap<&'static str, String>,
}

fn attempts(heading: &str) -> Vec<Attempt> {
    let (_, section) = DOCUMENT.split_once(heading).unwrap();
    let section = section.split("\n## ").next().unwrap();
    let lines: Vec<&str> = section.lines().filter(|line| line.starts_with('|')).collect();
    assert!(lines[0].ends_with("| session | pooled | transaction | role | replica |"));
    let attempts: Vec<Attempt> = lines[2..].iter().map(|line| attempt(line)).collect();
    assert!(attempts.len() >= 10);
    attempts
}

fn attempt(line: &str) -> Attempt {
    let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
    let [what, statements, said @ ..] = cells.as_slice() else { panic!("{line}") };
    let statements = statements.split('`').skip(1).step_by(2).map(str::to_owned).collect();
    assert_eq!(said.len(), LEVELS.len(), "{line}");
    let said = LEVELS.into_iter().zip(said.iter().map(|said| (*said).to_owned())).collect();
    Attempt { in_transaction: *what == "`ReadOnlyTransaction`", statements, said }
}

/// The servers, and pools of each level.
struct Levels {
    primary: Server,
    replica: Replica,
    pools: Vec<(&'static str, Pools)>,
    _bouncers: [PgBouncer; 2],
}

impl Levels {
    async fn set_up() -> Self {
        let primary = Server::start();
        primary.create_role_with_password("writer", "right");
        primary.psql(SETUP);
        let reader = verified_role(&primary).await;
        let replica = Replica::of(&primary);
        let pooled = PgBouncer::in_front_of(&primary, Mode::Session);
        let transaction = PgBouncer::in_front_of(&primary, Mode::Transaction);
        let dsn = |dsn: String| dsn.parse::<Dsn>().unwrap();
        // One connection, so that each checkout comes after the one before was cleaned.
        let one = Limits { max: 1, min: 0 };
        let config = |primary: String| Config {
            replica_limits: one,
            fallthrough_limits: one,
            ..Config::new(dsn(primary))
        };
        let configs = [
            ("session", config(primary.dsn())),
            ("pooled", config(pooled.dsn())),
            ("transaction", config(transaction.dsn())),
            ("role", Config { fallthrough_login: Some(reader), ..config(primary.dsn()) }),
            ("replica", Config { replica: Some(dsn(replica.dsn())), ..config(primary.dsn()) }),
        ];
        let pools = configs.map(|(level, config)| (level, Pools::new(&config).unwrap()));
        Self { primary, replica, pools: pools.into(), _bouncers: [pooled, transaction] }
    }

    /// A superuser's connection to where a level's handles go.
    async fn superuser(&self, level: &str) -> PgConnection {
        let dsn = if level == "replica" { self.replica.dsn() } else { self.primary.dsn() };
        PgConnection::connect(&dsn).await.unwrap()
    }

    /// The statements with what only the test knows put in.
    fn statements(&self, attempt: &Attempt) -> Vec<String> {
        let writer = format!(
            "host=127.0.0.1 port={} dbname=postgres user=writer password=right",
            self.primary.port()
        );
        attempt.statements.iter().map(|sql| sql.replace("{writer}", &writer)).collect()
    }
}

/// A role of the library's own SQL, after everything was taken from it that the library found.
async fn verified_role(primary: &Server) -> Login {
    let role = ReadOnlyRole::new("reader");
    primary.psql(&role.to_sql());
    let mut connection = PgConnection::connect(&primary.dsn()).await.unwrap();
    let ways = role.ways_to_write(&mut connection).await.unwrap();
    assert!(ways.iter().any(|way| way.what.contains("add_item_as_owner")), "{ways:?}");
    assert!(ways.iter().any(|way| way.what.contains("dblink_exec")), "{ways:?}");
    for way in ways {
        connection.execute(AssertSqlSafe(way.remedy)).await.unwrap();
    }
    assert_eq!(role.ways_to_write(&mut connection).await.unwrap(), []);
    Login::new("reader", None)
}

#[derive(Debug, Clone, Copy)]
enum Way {
    AsTheyAre,
    Prepared,
    AsOneText,
}

/// Sends the statements; what fails is passed over, as someone would who wants to write.
async fn send(read_only: &mut ReadOnly, attempt: &Attempt, statements: &[String], way: Way) {
    let texts = match way {
        Way::AsTheyAre | Way::Prepared => statements.to_vec(),
        Way::AsOneText => vec![statements.join("; ")],
    };
    if attempt.in_transaction {
        let mut transaction = read_only.begin().await.unwrap();
        for sql in texts {
            send_one(transaction.reader(), sql, way).await;
        }
    } else {
        for sql in texts {
            send_one(read_only.reader(), sql, way).await;
        }
    }
}

async fn send_one(reader: Reader<'_>, sql: String, way: Way) {
    let _ = match way {
        Way::Prepared => sqlx::query(AssertSqlSafe(sql)).execute(reader).await,
        Way::AsTheyAre | Way::AsOneText => reader.execute(AssertSqlSafe(sql)).await,
    };
}

async fn look(connection: &mut PgConnection, question: &'static str) -> String {
    connection.execute("SELECT pg_stat_clear_snapshot()").await.unwrap();
    sqlx::query_scalar(question).fetch_one(connection).await.unwrap()
}

fn compare(level: &str, attempt: &Attempt, seen: &str, wrong: &mut Vec<String>) {
    let said = &attempt.said[level];
    if said != seen {
        wrong.push(format!("{level}: {:?}: {seen}, and not {said}", attempt.statements));
    }
}

#[tokio::test]
async fn what_is_stopped_where_is_what_the_document_says() {
    let levels = Levels::set_up().await;
    let mut primary = PgConnection::connect(&levels.primary.dsn()).await.unwrap();
    let mut wrong = Vec::new();
    for attempt in attempts("## What is stopped where") {
        let statements = levels.statements(&attempt);
        for (level, pools) in &levels.pools {
            let before = look(&mut primary, TABLES).await;
            for way in [Way::AsTheyAre, Way::Prepared, Way::AsOneText] {
                let mut read_only = pools.read_only().await.unwrap();
                send(&mut read_only, &attempt, &statements, way).await;
            }
            let changed = look(&mut primary, TABLES).await != before;
            compare(level, &attempt, if changed { "writes" } else { "stopped" }, &mut wrong);
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    for (level, pools) in &levels.pools {
        let protection = pools.stats().protection.map(Protection::name);
        let expected = if *level == "pooled" { "session" } else { level };
        assert_eq!(protection, Some(expected), "{level}");
    }
}

#[tokio::test]
async fn what_else_gets_through_is_what_the_document_says() {
    let levels = Levels::set_up().await;
    let mut listener = PgListener::connect(&levels.primary.dsn()).await.unwrap();
    listener.listen_all(["seen", "end"]).await.unwrap();
    let mut wrong = Vec::new();
    for attempt in attempts("## What else gets through") {
        let statements = levels.statements(&attempt);
        for (level, pools) in &levels.pools {
            let mut superuser = levels.superuser(level).await;
            forget(&mut superuser).await;
            levels.replica.catch_up(&levels.primary);
            let before = look(&mut superuser, EFFECTS).await;
            for way in [Way::AsTheyAre, Way::Prepared] {
                let mut read_only = pools.read_only().await.unwrap();
                send(&mut read_only, &attempt, &statements, way).await;
            }
            let changed = look(&mut superuser, EFFECTS).await != before;
            let passes = changed || notified(&levels, &mut listener).await;
            compare(level, &attempt, if passes { "passes" } else { "stopped" }, &mut wrong);
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// Makes the effects that last seen again, where an earlier level had them too.
async fn forget(superuser: &mut PgConnection) {
    let _ = superuser.execute("COPY (SELECT 1) TO PROGRAM 'rm -f seen'").await;
    let _ = superuser.execute("ALTER SYSTEM RESET work_mem").await;
    let holders = "SELECT count(pg_terminate_backend(pid, 10000)) FROM pg_locks
         WHERE locktype = 'advisory'";
    superuser.execute(holders).await.unwrap();
}

/// Whether somebody sent the message `seen`.
async fn notified(levels: &Levels, listener: &mut PgListener) -> bool {
    levels.primary.psql("NOTIFY \"end\"");
    let mut seen = false;
    loop {
        match listener.recv().await.unwrap().channel() {
            "end" => return seen,
            _ => seen = true,
        }
    }
}
