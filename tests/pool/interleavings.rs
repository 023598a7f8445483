//! What one caller lifts, the next one does not see: thousands of callers share few connections,
//! leave them in every state there is, and are cancelled at any await.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use ebbline_pool::{Config, Limits, Pools, ReadOnly};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, Row};

use crate::support::{Mode, PgBouncer, Server, cancelled_after};

const CALLERS_AT_ONCE: u64 = 16;

/// Splitmix64: the same numbers in each run.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % end
    }

    fn of<'a>(&mut self, choices: &[&'a str]) -> &'a str {
        choices[usize::try_from(self.below(choices.len() as u64)).unwrap()]
    }
}

/// What a caller may leave behind. Some fail, some leave a failed transaction open.
const LEFT_BEHIND: [&str; 17] = [
    "SELECT 1",
    "SET default_transaction_read_only = off",
    "SELECT set_config('default_transaction_read_only', 'off', false)",
    "SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE",
    "BEGIN",
    "BEGIN READ WRITE",
    "/* nothing */bEgIn",
    "START\tTRANSACTION READ WRITE",
    "BEGIN; SET LOCAL default_transaction_read_only = on",
    "BEGIN READ WRITE; INSERT INTO public.item VALUES (2)",
    "BEGIN READ WRITE; SELECT 1 / 0",
    "BEGIN READ WRITE; SET default_transaction_read_only = off; SAVEPOINT s",
    "SET default_transaction_read_only = off; BEGIN; SELECT 1 / 0",
    "RESET ALL",
    "SET search_path = nowhere",
    "COMMIT; BEGIN READ WRITE",
    "SELECT pg_sleep(0.001)",
];

/// One caller: checks what it got, lifts something, and is cancelled somewhere.
async fn call(pools: Pools, mut random: Random, checked: Arc<AtomicU32>) {
    let patience = match random.below(4) {
        0 => 1 + random.below(3),
        _ => u64::MAX,
    };
    let Some(read_only) = cancelled_after(patience, pools.read_only()).await else { return };
    let mut read_only = read_only.unwrap();
    check(&mut read_only).await;
    checked.fetch_add(1, Ordering::Relaxed);
    for _ in 0..random.below(3) {
        let patience = match random.below(2) {
            0 => random.below(6),
            _ => u64::MAX,
        };
        if random.below(4) == 0 {
            let in_transaction = leave_transaction(&mut read_only, random.of(&LEFT_BEHIND));
            cancelled_after(patience, in_transaction).await;
        } else if random.below(2) == 0 {
            let sql = random.of(&LEFT_BEHIND);
            let query = sqlx::query(AssertSqlSafe(sql)).fetch_all(read_only.reader());
            let _ = cancelled_after(patience, query).await;
        } else {
            let sql = random.of(&LEFT_BEHIND);
            let sent = read_only.reader().execute(AssertSqlSafe(sql));
            let _ = cancelled_after(patience, sent).await;
        }
    }
}

async fn leave_transaction(read_only: &mut ReadOnly, sql: &str) {
    let Ok(mut transaction) = read_only.begin().await else { return };
    let _ = transaction.reader().execute(AssertSqlSafe(sql)).await;
}

/// The session is read-only, and in no transaction that someone else began.
async fn check(read_only: &mut ReadOnly) {
    let question = "SELECT current_setting('transaction_read_only'), \
         now() = statement_timestamp(), current_setting('default_transaction_read_only')";
    let row = read_only.reader().fetch_one(question).await.unwrap();
    let text = |column: usize| row.try_get_unchecked::<String, _>(column).unwrap();
    assert_eq!(text(0), "on");
    if read_only.protection() == ebbline_pool::Protection::Session {
        assert!(row.try_get_unchecked::<bool, _>(1).unwrap(), "a transaction was left open");
        assert_eq!(text(2), "on");
    }
    let refused =
        read_only.reader().execute("INSERT INTO public.item VALUES (2)").await.unwrap_err();
    assert!(ebbline_pool::WriteRefused::in_error(&refused).is_some(), "{refused}");
}

/// Runs so many callers, and then finds all connections there and nobody counted who is gone.
async fn interleave(pools: &Pools, callers: u64, max: u32) {
    let checked = Arc::new(AtomicU32::new(0));
    let mut running = tokio::task::JoinSet::new();
    for seed in 0..callers {
        if running.len() as u64 == CALLERS_AT_ONCE {
            running.join_next().await.unwrap().unwrap();
        }
        running.spawn(call(pools.clone(), Random(seed), Arc::clone(&checked)));
    }
    while let Some(ended) = running.join_next().await {
        ended.unwrap();
    }
    let mut all = Vec::new();
    for _ in 0..max {
        let mut read_only = pools.read_only().await.unwrap();
        check(&mut read_only).await;
        all.push(read_only);
    }
    drop(all);
    let stats = pools.stats().ro_fallthrough.unwrap();
    assert_eq!((stats.waiting, stats.in_use), (0, 0));
    assert!(stats.size <= max, "{stats:?}");
    let checked = u64::from(checked.load(Ordering::Relaxed));
    assert_eq!(stats.acquires, checked + u64::from(max));
    assert_eq!(stats.acquires + stats.cancelled, callers + u64::from(max));
    assert!(stats.cancelled > callers / 50, "too few were cancelled: {stats:?}");
    assert_eq!((stats.timeouts, stats.failed), (0, 0));
}

fn config(dsn: &str, max: u32) -> Config {
    let fallthrough_limits = Limits { max, min: 0 };
    Config { fallthrough_limits, ..Config::new(dsn.parse().unwrap()) }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_that_one_caller_lifts_is_seen_by_the_next() {
    let server = Server::start();
    server.psql("CREATE TABLE item (id int)");
    let pools = Pools::new(&config(&server.dsn(), 4)).unwrap();
    interleave(&pools, 10_000, 4).await;
    assert!(pools.stats().ro_fallthrough.unwrap().lifted > 1000);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nor_behind_a_pooler_and_other_clients_of_it_see_nothing_of_ours() {
    let server = Server::start();
    server.psql("CREATE TABLE item (id int)");
    for mode in [Mode::Transaction, Mode::Session] {
        let bouncer = PgBouncer::in_front_of(&server, mode);
        // PgBouncer has two sessions for all.
        let pools = Pools::new(&config(&bouncer.dsn(), 2)).unwrap();
        interleave(&pools, 1_000, 2).await;
        assert_eq!(server.psql("SELECT count(*) FROM item"), "0");
        pools.close().await;
        let mut other = PgConnection::connect(&bouncer.dsn()).await.unwrap();
        for _ in 0..8 {
            other.execute("INSERT INTO public.item VALUES (1)").await.unwrap();
        }
        server.psql("TRUNCATE item");
    }
}
