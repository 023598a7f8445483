//! The failures that a post-mortem must count: callers without a connection, and answers of 503.

use super::calendar::{Day, MINUTE_US, SECOND_US, april, may};
use super::entry::{API_LOGGER, API_STDOUT, Entry};
use super::lifecycle::api_pid;
use super::random::Random;
use super::texts::{Caller, HANDLERS, WORKERS};
use super::traffic;

/// One failure: one entry per class.
pub(crate) struct Failure {
    /// When it is logged.
    pub(crate) at_us: u64,
    /// What happened.
    pub(crate) kind: Kind,
    /// Which client asked; only requests have one.
    client: &'static str,
}

/// What happened.
pub(crate) enum Kind {
    /// A caller got no connection from this pool. A request is answered 503.
    PoolTimeout { pool: Pool, caller: &'static Caller, wrapped: bool },
    /// A request was answered 503 for another reason: a service that is starting, a circuit
    /// breaker that is open.
    Unavailable { method: &'static str, path: &'static str },
}

/// The service's pools.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pool {
    /// The pool of the primary.
    Primary,
    /// The pool of the read-only replica.
    Replica,
}

/// How the failures of a stretch of time lie in it.
enum Shape {
    /// Here and there.
    Scattered,
    /// At full rate from its first second to its last.
    Steady,
    /// Ever fewer.
    WindingDown,
}

/// A stretch of time, within one day, and what fails in it.
struct Stretch {
    from_us: u64,
    to_us: u64,
    /// Pool timeouts of requests: each is answered 503.
    requests: usize,
    /// Pool timeouts of background workers, which answer nobody.
    workers: usize,
    /// Other answers of 503.
    unavailable: usize,
    shape: Shape,
}

/// The post-mortem's table. Pool timeouts of a day: `requests + workers`; 503s: `requests +
/// unavailable`.
fn stretches() -> Vec<Stretch> {
    use Shape::{Scattered, Steady, WindingDown};
    let stretch = |from_us, to_us, requests, workers, unavailable, shape| Stretch {
        from_us,
        to_us,
        requests,
        workers,
        unavailable,
        shape,
    };
    let quiet = |day: Day, requests, workers, unavailable| {
        stretch(day.at(7, 0, 0), day.at(22, 0, 0), requests, workers, unavailable, Scattered)
    };
    vec![
        stretch(april(20).at(19, 20, 41), april(20).at(23, 59, 46), 565, 1894, 0, Steady),
        stretch(april(21).at(0, 0, 13), april(21).at(5, 50, 58), 110, 38, 184, WindingDown),
        quiet(april(22), 1, 4, 0),
        quiet(april(23), 1, 0, 0),
        quiet(april(24), 1, 2, 0),
        quiet(april(25), 0, 0, 2),
        quiet(april(27), 0, 0, 1),
        // The reboot: the load balancer asks before the service's pools are open.
        stretch(april(28).at(3, 12, 10), april(28).at(3, 12, 26), 0, 0, 7, Steady),
        quiet(april(30), 0, 0, 3),
        quiet(may(1), 0, 0, 1),
        stretch(may(2).at(4, 30, 18), may(2).at(4, 30, 29), 0, 0, 4, Steady),
        quiet(may(4), 0, 0, 2),
        stretch(may(5).at(20, 41, 18), may(5).at(22, 57, 40), 9, 2, 0, Steady),
        stretch(may(6).at(4, 49, 7), may(6).at(17, 14, 31), 1119, 1, 0, Steady),
    ]
}

/// All failures, stretch by stretch, each in the order of time.
pub(crate) fn failures() -> Vec<Failure> {
    let mut random = Random::named("failures");
    stretches().iter().flat_map(|stretch| stretch.failures(&mut random)).collect()
}

impl Stretch {
    fn failures(&self, random: &mut Random) -> Vec<Failure> {
        let count = self.requests + self.workers + self.unavailable;
        let kinds = self.kinds(random);
        let times = self.times(random, count);
        let pair = |(at_us, kind)| Failure { at_us, kind, client: traffic::client(random) };
        times.into_iter().zip(kinds).map(pair).collect()
    }

    /// The kinds in a random order that begins and ends with a request's, if there is one.
    fn kinds(&self, random: &mut Random) -> Vec<Kind> {
        let mut kinds = Vec::new();
        kinds.extend((0..self.requests).map(|_| self.pool_timeout(&HANDLERS, random)));
        kinds.extend((0..self.workers).map(|_| self.pool_timeout(&WORKERS, random)));
        kinds.extend((0..self.unavailable).map(|_| self.unavailable(random)));
        random.shuffle(&mut kinds);
        if let Some(request) = kinds.iter().position(Kind::is_request) {
            kinds.swap(0, request);
        }
        if let Some(request) = kinds.iter().rposition(Kind::is_request) {
            let last = kinds.len() - 1;
            kinds.swap(request, last);
        }
        kinds
    }

    fn pool_timeout(&self, callers: &'static [Caller], random: &mut Random) -> Kind {
        // Until May the primary's pool holds out; on May 6 both run dry.
        let primary = self.from_us >= may(6).at(0, 0, 0) && !random.one_in(3);
        let pool = if primary { Pool::Primary } else { Pool::Replica };
        Kind::PoolTimeout { pool, caller: random.pick(callers), wrapped: random.one_in(3) }
    }

    fn unavailable(&self, random: &mut Random) -> Kind {
        let starting = self.to_us - self.from_us < MINUTE_US;
        let request = random.pick(&HANDLERS).request.filter(|_| !starting);
        let (method, path) = request.unwrap_or(("GET", "/readyz"));
        Kind::Unavailable { method, path }
    }

    /// Times in order. Unless they are scattered, the first and the last stand in the very seconds
    /// of the edges.
    fn times(&self, random: &mut Random, count: usize) -> Vec<u64> {
        let span_us = (self.to_us - self.from_us) as f64;
        let mut place = || match self.shape {
            Shape::Scattered | Shape::Steady => random.unit(),
            Shape::WindingDown => random.unit().powi(3),
        };
        let mut times: Vec<u64> =
            (0..count).map(|_| self.from_us + (place() * span_us) as u64).collect();
        times.sort_unstable();
        if matches!(self.shape, Shape::Scattered) {
            return times;
        }
        if let [first, .., last] = times.as_mut_slice() {
            *first = (*first).min(self.from_us + random.between(0, SECOND_US));
            *last = self.to_us + random.between(0, SECOND_US);
        }
        times
    }
}

impl Kind {
    fn is_request(&self) -> bool {
        matches!(self, Self::PoolTimeout { caller, .. } if caller.request.is_some())
    }
}

impl Failure {
    /// What the journal says of it.
    pub(crate) fn entries(&self) -> Vec<Entry> {
        match &self.kind {
            Kind::Unavailable { method, path } => vec![self.answer(self.at_us, method, path)],
            Kind::PoolTimeout { pool, caller, wrapped } => {
                let mut entries = vec![self.report(*pool, caller, *wrapped)];
                if let Some((method, path)) = caller.request {
                    entries.push(self.answer(self.at_us + 2_310, method, path));
                }
                entries
            }
        }
    }

    /// The logger's entry: one message of many lines.
    fn report(&self, pool: Pool, caller: &Caller, wrapped: bool) -> Entry {
        let get = match pool {
            Pool::Primary => "get_db",
            Pool::Replica => "get_db_ro",
        };
        let (heading, traceback) = caller.pool_timeout(get, wrapped);
        let message = format!("{heading}\n{traceback}");
        Entry::new(self.at_us, &API_LOGGER, api_pid(self.at_us), 3, message)
            .with("LOGGER", "scidex.api")
            .with("EXCEPTION_TEXT", traceback)
    }

    /// uvicorn's access line.
    fn answer(&self, at_us: u64, method: &str, path: &str) -> Entry {
        let client = self.client;
        let message =
            format!("INFO:     {client} - \"{method} {path} HTTP/1.1\" 503 Service Unavailable");
        Entry::new(at_us, &API_STDOUT, api_pid(at_us), 6, message)
    }
}
