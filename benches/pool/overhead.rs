//! What the pools cost over plain sqlx, on loopback, all in one run: a checkout from each pool,
//! and the throughput of 64 tasks on 8 connections, with queries that cost the server nothing and
//! with such as a page of a web application makes.
//!
//! ```text
//! cargo bench -p ebbline-pool
//! ```
//!
//! The contestants take turns in short rounds, so that whatever else the machine does hits all of
//! them; what is compared is the median over the rounds. With `POOL_BENCH_CHECK=1` the run fails
//! when a budget is exceeded.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]
#![allow(dead_code, unused_imports, unreachable_pub)]

#[path = "../../tests/pool/support/servers/mod.rs"]
mod servers;

use std::time::{Duration, Instant};

use ebbline_pool::{Config, Limits, PoolStats, Pools};
use sqlx::postgres::{PgPool, PgPoolOptions};
use tokio::task::JoinSet;

use crate::servers::{Replica, Server};

const ROUNDS: usize = 201;
const CHECKOUTS_A_ROUND: u32 = 50;
const TASKS: usize = 64;
const CONNECTIONS: u32 = 8;
const THROUGHPUT_ROUNDS: usize = 31;

/// What may be added to plain sqlx's checkout, in microseconds, and what may be lost of its
/// throughput, in percent.
const PRIMARY_BUDGET_US: f64 = 2.0;
const READ_ONLY_BUDGET_US: f64 = 10.0;
const THROUGHPUT_BUDGET_PERCENT: f64 = 3.0;

/// Who takes connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Contestant {
    Sqlx,
    Primary,
    ReadOnlyReplica,
    ReadOnlyFallthrough,
}

const ALL: [Contestant; 4] = [
    Contestant::Sqlx,
    Contestant::Primary,
    Contestant::ReadOnlyReplica,
    Contestant::ReadOnlyFallthrough,
];

/// What the tasks ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Load {
    /// A query that costs the server next to nothing: all there is to see is the pool.
    Trivial,
    /// A sum over 5,000 rows by the primary key: about a millisecond of the server.
    Sum,
}

impl Load {
    fn query(self) -> &'static str {
        match self {
            Self::Trivial => "SELECT $1::int8 + 1",
            Self::Sum => "SELECT sum(amount)::int8 FROM line WHERE id BETWEEN $1 AND $1 + 5000",
        }
    }

    /// So many for each task in a round.
    fn queries(self) -> usize {
        match self {
            Self::Trivial => 40,
            Self::Sum => 8,
        }
    }
}

struct Arena {
    plain: PgPool,
    with_replica: Pools,
    without_replica: Pools,
}

fn main() {
    let alone = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let together = tokio::runtime::Runtime::new().unwrap();
    let primary = Server::start();
    alone.block_on(make_lines(&primary));
    let replica = Replica::of(&primary);
    // One caller's checkout is timed on one thread, where nobody wakes it up late.
    let checkouts = alone.block_on(async { checkouts(&Arena::new(&primary, &replica)).await });
    let throughputs = [Load::Trivial, Load::Sum].map(|load| {
        together.block_on(async { throughputs(&Arena::new(&primary, &replica), load).await })
    });
    let within = report(&checkouts, &throughputs);
    if std::env::var_os("POOL_BENCH_CHECK").is_some() {
        assert!(within, "a budget is exceeded");
    }
}

/// What [`Load::Sum`] adds up.
async fn make_lines(server: &Server) {
    let pool = PgPool::connect(&server.dsn()).await.unwrap();
    for statement in [
        "CREATE TABLE line (id int8 PRIMARY KEY, amount int8 NOT NULL)",
        "INSERT INTO line SELECT id, id % 97 FROM generate_series(1, 100000) AS id",
        "VACUUM ANALYZE line",
    ] {
        sqlx::query(statement).execute(&pool).await.unwrap();
    }
    pool.close().await;
}

impl Arena {
    fn new(primary: &Server, replica: &Server) -> Self {
        let limits = Limits { max: CONNECTIONS, min: 0 };
        let without = Config {
            primary_limits: limits,
            replica_limits: limits,
            fallthrough_limits: limits,
            ..Config::new(primary.dsn().parse().unwrap())
        };
        let with = Config { replica: Some(replica.dsn().parse().unwrap()), ..without.clone() };
        let plain = PgPoolOptions::new().max_connections(CONNECTIONS);
        Self {
            plain: plain.connect_lazy(&primary.dsn()).unwrap(),
            with_replica: Pools::new(&with).unwrap(),
            without_replica: Pools::new(&without).unwrap(),
        }
    }

    /// Takes a connection and gives it back; how long the taking took.
    async fn checkout(&self, who: Contestant) -> Duration {
        let start = Instant::now();
        match who {
            Contestant::Sqlx => {
                let taken = self.plain.acquire().await.unwrap();
                let took = start.elapsed();
                drop(taken);
                took
            }
            Contestant::Primary => {
                let taken = self.without_replica.read_write().await.unwrap();
                let took = start.elapsed();
                drop(taken);
                took
            }
            Contestant::ReadOnlyReplica => {
                let taken = self.with_replica.read_only().await.unwrap();
                let took = start.elapsed();
                drop(taken);
                took
            }
            Contestant::ReadOnlyFallthrough => {
                let taken = self.without_replica.read_only().await.unwrap();
                let took = start.elapsed();
                drop(taken);
                took
            }
        }
    }

    /// A connection is given back by a task of its own; the next one is taken when that is done,
    /// as on a pool that has some left.
    async fn wait_until_given_back(&self, who: Contestant) {
        let all_back = |pool: Option<PoolStats>| pool.is_none_or(|pool| pool.idle == pool.size);
        let is_back = || match who {
            Contestant::Sqlx => self.plain.num_idle() == self.plain.size() as usize,
            Contestant::Primary => all_back(Some(self.without_replica.stats().primary)),
            Contestant::ReadOnlyReplica => all_back(self.with_replica.stats().ro),
            Contestant::ReadOnlyFallthrough => {
                all_back(self.without_replica.stats().ro_fallthrough)
            }
        };
        while !is_back() {
            tokio::task::yield_now().await;
        }
    }

    /// A query as applications make them.
    async fn query(&self, who: Contestant, load: Load, number: usize) {
        let query = sqlx::query(load.query()).bind((number * 7919 % 90_000) as i64);
        match who {
            Contestant::Sqlx => {
                query.execute(&mut *self.plain.acquire().await.unwrap()).await.unwrap();
            }
            Contestant::Primary => {
                let mut taken = self.without_replica.read_write().await.unwrap();
                query.execute(&mut *taken).await.unwrap();
            }
            Contestant::ReadOnlyReplica => {
                let mut taken = self.with_replica.read_only().await.unwrap();
                query.execute(taken.reader()).await.unwrap();
            }
            Contestant::ReadOnlyFallthrough => {
                let mut taken = self.without_replica.read_only().await.unwrap();
                query.execute(taken.reader()).await.unwrap();
            }
        }
    }
}

/// Microseconds of a checkout, for each contestant and round.
async fn checkouts(arena: &Arena) -> Vec<Vec<f64>> {
    let mut results = vec![Vec::new(); ALL.len()];
    for round in 0..=ROUNDS {
        for turn in 0..ALL.len() {
            let index = (turn + round) % ALL.len();
            let mut took = Vec::new();
            for _ in 0..CHECKOUTS_A_ROUND {
                took.push(arena.checkout(ALL[index]).await.as_secs_f64() * 1e6);
                arena.wait_until_given_back(ALL[index]).await;
            }
            // The first round opens the connections.
            if round > 0 {
                results[index].push(median(&mut took));
            }
        }
    }
    results
}

/// Queries a second of all tasks together, for each contestant and round.
async fn throughputs(arena: &Arena, load: Load) -> Vec<Vec<f64>> {
    let mut results = vec![Vec::new(); ALL.len()];
    for round in 0..=THROUGHPUT_ROUNDS {
        for turn in 0..ALL.len() {
            let index = (turn + round) % ALL.len();
            let start = Instant::now();
            round_of_queries(arena, ALL[index], load).await;
            if round > 0 {
                let queries = (TASKS * load.queries()) as f64;
                results[index].push(queries / start.elapsed().as_secs_f64());
            }
        }
    }
    results
}

async fn round_of_queries(arena: &Arena, who: Contestant, load: Load) {
    let mut tasks = JoinSet::new();
    for task in 0..TASKS {
        let arena = arena.clone();
        tasks.spawn(async move {
            for number in 0..load.queries() {
                arena.query(who, load, task * load.queries() + number).await;
            }
        });
    }
    tasks.join_all().await;
}

impl Clone for Arena {
    fn clone(&self) -> Self {
        Self {
            plain: self.plain.clone(),
            with_replica: self.with_replica.clone(),
            without_replica: self.without_replica.clone(),
        }
    }
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// The median of what each round shows against plain sqlx's round beside it.
fn against_plain(results: &[Vec<f64>], index: usize, compare: fn(f64, f64) -> f64) -> f64 {
    let pairs = results[0].iter().zip(&results[index]);
    median(&mut pairs.map(|(plain, own)| compare(*plain, *own)).collect::<Vec<_>>())
}

/// Prints the tables; whether all budgets are kept.
fn report(checkouts: &[Vec<f64>], throughputs: &[Vec<Vec<f64>>; 2]) -> bool {
    let mut within = true;
    println!("| | checkout | over plain sqlx | budget |");
    println!("|---|---:|---:|---:|");
    for (index, who) in ALL.iter().enumerate() {
        let took = median(&mut checkouts[index].clone());
        let over = against_plain(checkouts, index, |plain, own| own - plain);
        let name = who.name();
        let Some(budget_us) = who.checkout_budget_us() else {
            println!("| {name} | {took:.1} µs | | |");
            continue;
        };
        within &= over <= budget_us;
        println!("| {name} | {took:.1} µs | {over:+.1} µs | {budget_us:.0} µs |");
    }
    println!();
    println!("| | trivial queries/s | lost | sums/s | lost | budget |");
    println!("|---|---:|---:|---:|---:|---:|");
    for (index, who) in ALL.iter().enumerate() {
        let rates = throughputs.each_ref().map(|load| median(&mut load[index].clone()));
        let lost = throughputs
            .each_ref()
            .map(|load| against_plain(load, index, |plain, own| (1.0 - own / plain) * 100.0));
        let ([trivial, sum], [lost_trivial, lost_sum]) = (rates, lost);
        if *who == Contestant::Sqlx {
            println!("| {} | {trivial:.0} | | {sum:.0} | | |", who.name());
            continue;
        }
        within &= lost_sum.max(lost_trivial) <= THROUGHPUT_BUDGET_PERCENT;
        println!(
            "| {} | {trivial:.0} | {lost_trivial:.1} % | {sum:.0} | {lost_sum:.1} % | {:.0} % |",
            who.name(),
            THROUGHPUT_BUDGET_PERCENT,
        );
    }
    within
}

impl Contestant {
    fn name(self) -> &'static str {
        match self {
            Self::Sqlx => "plain sqlx",
            Self::Primary => "primary",
            Self::ReadOnlyReplica => "read-only, replica",
            Self::ReadOnlyFallthrough => "read-only, primary",
        }
    }

    fn checkout_budget_us(self) -> Option<f64> {
        match self {
            Self::Sqlx => None,
            Self::Primary => Some(PRIMARY_BUDGET_US),
            Self::ReadOnlyReplica | Self::ReadOnlyFallthrough => Some(READ_ONLY_BUDGET_US),
        }
    }
}
