//! Callers that go away: asking for a connection, using it and giving it back are cancelled at
//! every await there is, and afterwards no waiter and no connection is missing from the counts.

use std::time::{Duration, Instant};

use ebbline_pool::{Arming, Config, Limits, PoolStats, Pools};
use sqlx::{Connection, Executor, PgConnection};

use crate::support::{Mode, PgBouncer, Server, cancelled_after, relay_to};

/// What has not settled by then never will.
const PATIENCE: Duration = Duration::from_secs(30);

/// A read-only connection is asked whether it still answers when it was idle for half a second.
const LONG_IDLE: Duration = Duration::from_millis(550);

const MAX: u32 = 2;

/// Pools of two connections each.
fn pools_on(dsn: &str, arming: Arming) -> Pools {
    let limits = Limits { max: MAX, min: 0 };
    let config = Config::new(dsn.parse().unwrap());
    Pools::new(&Config { primary_limits: limits, fallthrough_limits: limits, arming, ..config })
        .unwrap()
}

/// The way to a server, or to a pooler in front of it, on which each answer is awaited.
async fn relayed(port: u16) -> String {
    format!("postgres://postgres@127.0.0.1:{}/postgres", relay_to(port).await)
}

/// Both pools that there are.
fn both(pools: &Pools) -> [PoolStats; 2] {
    let stats = pools.stats();
    [stats.primary, stats.ro_fallthrough.unwrap()]
}

/// Nobody waits or holds, each open connection lies idle, and those opened are open or closed.
fn is_settled(pool: &PoolStats) -> bool {
    let counted = pool.opened == pool.closed.total() + u64::from(pool.size);
    (pool.waiting, pool.in_use) == (0, 0) && pool.idle == pool.size && counted
}

/// Waits until all callers and connections are accounted for.
async fn settled(pools: &Pools) {
    let begun = Instant::now();
    while !both(pools).iter().all(is_settled) {
        assert!(begun.elapsed() < PATIENCE, "{:#?}", both(pools));
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    for pool in both(pools) {
        assert!(pool.size <= pool.max && pool.peak_in_use <= pool.max, "{pool:#?}");
        assert_eq!(pool.wait_time.count(), pool.acquires, "{pool:#?}");
        assert_eq!(pool.use_time.count(), pool.acquires, "{pool:#?}");
    }
}

/// All connections can still be had at once, in each pool, and work.
async fn complete(pools: &Pools) {
    let (mut writers, mut readers) = (Vec::new(), Vec::new());
    for _ in 0..MAX {
        writers.push(pools.read_write().await.unwrap());
        readers.push(pools.read_only().await.unwrap());
    }
    for writer in &mut writers {
        writer.ping().await.unwrap();
    }
    for reader in &mut readers {
        let one = sqlx::query_scalar("SELECT 1").fetch_one(reader.reader()).await;
        assert_eq!(one.map_err(|error| error.to_string()), Ok(1));
    }
    for pool in both(pools) {
        assert_eq!((pool.in_use, pool.size, pool.idle), (MAX, MAX, 0));
    }
    drop((writers, readers));
    settled(pools).await;
}

/// The server has as many connections as the pools say, once those that were closed are gone.
async fn the_server_agrees(server: &Server, pools: &Pools) {
    let mut observer = PgConnection::connect(&server.dsn()).await.unwrap();
    let others = "SELECT count(*) FROM pg_stat_activity \
        WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()";
    let begun = Instant::now();
    loop {
        let on_server: i64 = sqlx::query_scalar(others).fetch_one(&mut observer).await.unwrap();
        let in_pools: u32 = both(pools).iter().map(|pool| pool.size).sum();
        if on_server == i64::from(in_pools) {
            return;
        }
        assert!(begun.elapsed() < PATIENCE, "{on_server} on the server, {in_pools} in the pools");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Which handle a test asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Handle {
    ReadWrite,
    ReadOnly,
}

const HANDLES: [Handle; 2] = [Handle::ReadWrite, Handle::ReadOnly];

impl Handle {
    fn stats(self, pools: &Pools) -> PoolStats {
        let [read_write, read_only] = both(pools);
        if self == Self::ReadWrite { read_write } else { read_only }
    }

    /// Asks for a handle and gives it back.
    async fn take(self, pools: &Pools) {
        match self {
            Self::ReadWrite => drop(pools.read_write().await.unwrap()),
            Self::ReadOnly => drop(pools.read_only().await.unwrap()),
        }
    }

    /// Asks, is cancelled after so many polls, and checks what that counts as; whether there was
    /// a handle before.
    async fn take_cancelled(self, pools: &Pools, polls: u64) -> bool {
        let before = self.stats(pools);
        let taken = cancelled_after(polls, self.take(pools)).await.is_some();
        let after = self.stats(pools);
        let asked = u64::from(polls > 0);
        assert_eq!(after.acquires - before.acquires, u64::from(taken), "{polls} polls");
        assert_eq!(after.cancelled - before.cancelled, asked - u64::from(taken), "{polls} polls");
        assert_eq!((after.waiting, after.timeouts, after.failed), (0, 0, 0), "{polls} polls");
        taken
    }
}

#[tokio::test]
async fn asking_is_cancelled_while_the_connection_is_opened() {
    let server = Server::start();
    let dsn = relayed(server.port()).await;
    for handle in HANDLES {
        let mut polls = 0;
        loop {
            // New pools have no connection, and have not found out yet how to arm one.
            let pools = pools_on(&dsn, Arming::Auto);
            let taken = handle.take_cancelled(&pools, polls).await;
            settled(&pools).await;
            complete(&pools).await;
            if taken {
                the_server_agrees(&server, &pools).await;
                break;
            }
            pools.close().await;
            polls += 1;
        }
        // The socket, the startup packet, the settings: each is waited for.
        assert!(polls >= 3, "{handle:?}: {polls} awaits");
    }
}

#[tokio::test]
async fn asking_is_cancelled_while_an_idle_connection_is_checked() {
    let server = Server::start();
    let dsn = relayed(server.port()).await;
    let pools = pools_on(&dsn, Arming::Auto);
    for handle in HANDLES {
        let mut polls = 0;
        loop {
            handle.take(&pools).await;
            settled(&pools).await;
            tokio::time::sleep(LONG_IDLE).await;
            let taken = handle.take_cancelled(&pools, polls).await;
            settled(&pools).await;
            if taken {
                break;
            }
            polls += 1;
        }
        assert!(polls >= 2, "{handle:?}: {polls} awaits");
    }
    complete(&pools).await;
    the_server_agrees(&server, &pools).await;
}

#[tokio::test]
async fn asking_is_cancelled_while_a_broken_connection_is_replaced() {
    let server = Server::start();
    let dsn = relayed(server.port()).await;
    let pools = pools_on(&dsn, Arming::Auto);
    let break_all = "SELECT count(pg_terminate_backend(pid, 10000)) FROM pg_stat_activity \
        WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()";
    let mut observer = PgConnection::connect(&server.dsn()).await.unwrap();
    for handle in HANDLES {
        let mut polls = 0;
        loop {
            handle.take(&pools).await;
            settled(&pools).await;
            observer.execute(break_all).await.unwrap();
            tokio::time::sleep(LONG_IDLE).await;
            let taken = handle.take_cancelled(&pools, polls).await;
            settled(&pools).await;
            if taken {
                break;
            }
            polls += 1;
        }
        assert!(polls >= 3, "{handle:?}: {polls} awaits");
    }
    complete(&pools).await;
}

#[tokio::test]
async fn asking_is_cancelled_in_the_queue_and_as_the_connection_comes() {
    let server = Server::start();
    let dsn = relayed(server.port()).await;
    let pools = pools_on(&dsn, Arming::Auto);
    complete(&pools).await;
    for handle in HANDLES {
        let mut polls = 0;
        loop {
            let held = (
                (pools.read_write().await.unwrap(), pools.read_write().await.unwrap()),
                (pools.read_only().await.unwrap(), pools.read_only().await.unwrap()),
            );
            // What is given back while the caller is in the queue comes to it: `join!` polls the
            // caller first, and then lets go of all.
            let give_back = async { drop(held) };
            let (taken, ()) = tokio::join!(handle.take_cancelled(&pools, polls), give_back);
            settled(&pools).await;
            if taken {
                break;
            }
            polls += 1;
        }
        assert!(polls >= 2, "{handle:?}: {polls} awaits");
    }
    complete(&pools).await;
    the_server_agrees(&server, &pools).await;
}

#[tokio::test]
async fn use_is_cancelled() {
    let server = Server::start();
    server.psql("CREATE TABLE item (id int)");
    let bouncer = PgBouncer::in_front_of(&server, Mode::Transaction);
    // PgBouncer of this version knows no prepared statements: nothing is written through it.
    for (port, arming, writes) in [
        (server.port(), Arming::Auto, true),
        (server.port(), Arming::Transaction, true),
        (bouncer.port(), Arming::Auto, false),
    ] {
        let pools = pools_on(&relayed(port).await, arming);
        if writes {
            writing_is_cancelled(&pools).await;
            settled(&pools).await;
        }
        use_cancelled(2, async |polls| {
            let mut handle = pools.read_only().await.unwrap();
            let read = sqlx::query("SELECT generate_series(1, 3000), $1").bind("x");
            cancelled_after(polls, async { drop(read.fetch_all(handle.reader()).await.unwrap()) })
                .await
        })
        .await;
        use_cancelled(4, async |polls| {
            let mut handle = pools.read_only().await.unwrap();
            let work = async {
                let mut transaction = handle.begin_repeatable().await.unwrap();
                let read = sqlx::query("SELECT pg_sleep(0.001), count(*) FROM item");
                read.fetch_one(transaction.reader()).await.unwrap();
                transaction.end().await.unwrap();
            };
            cancelled_after(polls, work).await
        })
        .await;
        settled(&pools).await;
        complete(&pools).await;
        let lost: u64 = both(&pools).iter().map(|pool| pool.timeouts + pool.failed).sum();
        assert_eq!(lost, 0);
        pools.close().await;
    }
}

async fn writing_is_cancelled(pools: &Pools) {
    use_cancelled(2, async |polls| {
        let mut handle = pools.read_write().await.unwrap();
        cancelled_after(polls, write(&mut handle)).await
    })
    .await;
    use_cancelled(4, async |polls| {
        let mut handle = pools.read_write().await.unwrap();
        cancelled_after(polls, write_in_transaction(&mut handle)).await
    })
    .await;
}

async fn write(connection: &mut PgConnection) {
    sqlx::query("INSERT INTO item VALUES ($1)").bind(1).execute(connection).await.unwrap();
}

async fn write_in_transaction(connection: &mut PgConnection) {
    let mut transaction = connection.begin().await.unwrap();
    write(&mut transaction).await;
    transaction.commit().await.unwrap();
}

/// Uses a handle again and again, each time with one poll more until it is cancelled, until it
/// is not. There must have been so many awaits to be cancelled at: one for each answer.
async fn use_cancelled(least: u64, mut used: impl AsyncFnMut(u64) -> Option<()>) {
    let mut polls = 0;
    while used(polls).await.is_none() {
        polls += 1;
    }
    assert!(polls >= least, "{polls} awaits");
}

#[test]
fn giving_back_is_cancelled_by_the_end_of_its_runtime() {
    let server = Server::start();
    let home =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let pools = home.block_on(async { pools_on(&server.dsn(), Arming::Auto) });
    home.block_on(complete(&pools));
    for turns in 0..12 {
        let held = home.block_on(async {
            (pools.read_write().await.unwrap(), pools.read_only().await.unwrap())
        });
        let short_lived =
            tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        short_lived.block_on(async {
            drop(held);
            for _ in 0..turns {
                // The answer that giving back waits for comes through the other runtime.
                tokio::task::yield_now().await;
                std::thread::sleep(Duration::from_micros(100));
            }
        });
        drop(short_lived);
        home.block_on(settled(&pools));
    }
    home.block_on(async {
        complete(&pools).await;
        the_server_agrees(&server, &pools).await;
    });
}

#[test]
fn giving_back_without_a_runtime_or_after_the_pools_loses_nothing() {
    let server = Server::start();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (pools, held) = runtime.block_on(async {
        let pools = pools_on(&server.dsn(), Arming::Auto);
        let held = (pools.read_write().await.unwrap(), pools.read_only().await.unwrap());
        (pools, held)
    });
    drop(held);
    assert_eq!(both(&pools).map(|pool| pool.in_use), [0, 0]);
    runtime.block_on(async {
        settled(&pools).await;
        complete(&pools).await;
        let held = (pools.read_write().await.unwrap(), pools.read_only().await.unwrap());
        drop(pools);
        drop(held);
    });
}

#[tokio::test]
async fn closing_is_cancelled_and_asked_for_again() {
    let server = Server::start();
    let dsn = relayed(server.port()).await;
    let mut polls = 0;
    loop {
        let pools = pools_on(&dsn, Arming::Auto);
        let held = (pools.read_write().await.unwrap(), pools.read_only().await.unwrap());
        // What is given back while the pools wait for it lets them come one await further.
        let give_back = async { drop(held) };
        let (closed, ()) = tokio::join!(cancelled_after(polls, pools.close()), give_back);
        pools.close().await;
        settled(&pools).await;
        assert!(both(&pools).iter().all(|pool| pool.size == 0));
        the_server_agrees(&server, &pools).await;
        if closed.is_some() {
            break;
        }
        polls += 1;
    }
    assert!(polls >= 2, "{polls} awaits");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn callers_that_come_and_go_at_once_are_all_counted() {
    const CALLERS: u64 = 64;
    const ROUNDS: u64 = 40;
    let server = Server::start();
    let pools = pools_on(&server.dsn(), Arming::Auto);
    complete(&pools).await;
    let before = both(&pools);
    let mut callers = tokio::task::JoinSet::new();
    for caller in 0..CALLERS {
        let pools = pools.clone();
        callers.spawn(async move {
            for round in 0..ROUNDS {
                // Patience and use from none to some milliseconds, another mix for each caller.
                let patience = Duration::from_micros((caller * 131 + round * 977) % 6_000);
                let handle = HANDLES[usize::try_from((caller + round) % 2).unwrap()];
                let work = async {
                    match handle {
                        Handle::ReadWrite => {
                            let mut held = pools.read_write().await.unwrap();
                            held.execute("SELECT pg_sleep(0.0005)").await.unwrap();
                        }
                        Handle::ReadOnly => {
                            let mut held = pools.read_only().await.unwrap();
                            let read = sqlx::query("SELECT pg_sleep(0.0005)");
                            read.execute(held.reader()).await.unwrap();
                        }
                    }
                };
                let _ = tokio::time::timeout(patience, work).await;
            }
        });
    }
    callers.join_all().await;
    settled(&pools).await;
    let after = both(&pools);
    let asked: u64 = after
        .iter()
        .zip(&before)
        .map(|(after, before)| {
            assert_eq!((after.timeouts, after.failed), (0, 0));
            assert!(after.peak_waiting > MAX && after.peak_in_use <= MAX, "{after:#?}");
            after.acquires + after.cancelled - before.acquires - before.cancelled
        })
        .sum();
    assert_eq!(asked, CALLERS * ROUNDS);
    complete(&pools).await;
    the_server_agrees(&server, &pools).await;
}
