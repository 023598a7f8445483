//! What callers are told when a server is gone, silent, full or refuses them, and that the counts
//! are right again when it is back.

use std::time::Duration;

use ebbline_pool::{AcquireError, Config, Limits, PoolStats, Pools, TimeoutCause, Trouble};
use sqlx::{Connection, Executor, PgConnection};

use crate::support::Server;

const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(1);

/// Two connections a pool.
fn pools(dsn: &str) -> Pools {
    let limits = Limits { max: 2, min: 0 };
    let config = Config {
        primary_limits: limits,
        fallthrough_limits: limits,
        acquire_timeout: ACQUIRE_TIMEOUT,
        ..Config::new(dsn.parse().unwrap())
    };
    Pools::new(&config).unwrap()
}

/// The two kinds of pool.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Primary,
    ReadOnly,
}

const BOTH: [Kind; 2] = [Kind::Primary, Kind::ReadOnly];

impl Kind {
    async fn take(self, pools: &Pools) -> Result<(), AcquireError> {
        match self {
            Self::Primary => {
                let mut taken = pools.read_write().await?;
                taken.execute("SELECT 1").await.unwrap();
            }
            Self::ReadOnly => {
                let mut taken = pools.read_only().await?;
                sqlx::query("SELECT 1").execute(taken.reader()).await.unwrap();
            }
        }
        Ok(())
    }

    /// Why no connection came in time. The caller waits as long as it should, and not longer.
    async fn timeout_cause(self, pools: &Pools) -> TimeoutCause {
        let AcquireError::TimedOut(error) = self.take(pools).await.unwrap_err() else {
            panic!("{self:?} did not time out");
        };
        assert!(error.waited >= ACQUIRE_TIMEOUT, "{error}");
        assert!(error.waited < ACQUIRE_TIMEOUT * 20, "{error}");
        assert!(error.waiting >= 1, "{error}");
        error.cause
    }

    fn stats(self, pools: &Pools) -> PoolStats {
        let stats = pools.stats();
        match self {
            Self::Primary => stats.primary,
            Self::ReadOnly => stats.ro_fallthrough.unwrap(),
        }
    }

    /// Connections come again, at most as many as there may be, and nothing is counted as held or
    /// waited for that is not.
    async fn has_recovered(self, pools: &Pools, timeouts: u64) {
        let mut last = None;
        for _ in 0..20 {
            match self.take(pools).await {
                Ok(()) => {
                    last = None;
                    break;
                }
                Err(error) => last = Some(error.to_string()),
            }
        }
        assert_eq!(last, None, "{self:?}");
        // Connections are cleaned after they were given back.
        let mut stats = self.stats(pools);
        for _ in 0..1000 {
            if stats.idle == stats.size {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
            stats = self.stats(pools);
        }
        assert_eq!((stats.in_use, stats.waiting), (0, 0), "{stats:?}");
        assert_eq!(stats.idle, stats.size, "{stats:?}");
        assert!((1..=stats.max).contains(&stats.size), "{stats:?}");
        assert!(stats.timeouts >= timeouts, "{stats:?}");
        assert!(stats.acquires >= 1, "{stats:?}");
    }
}

#[tokio::test]
async fn callers_that_hold_all_connections_are_named() {
    let server = Server::start();
    let pools = pools(&server.dsn());
    let line = line!() + 1;
    let first = pools.read_write().await.unwrap();
    let second = pools.read_write().await.unwrap();
    let error = Kind::Primary.take(&pools).await.unwrap_err();
    let text = error.to_string();
    let AcquireError::TimedOut(timed_out) = error else { panic!("{text}") };
    assert_eq!((timed_out.max, timed_out.size, timed_out.in_use, timed_out.waiting), (2, 2, 2, 1));
    let TimeoutCause::AllHeld { longest } = timed_out.cause else { panic!("{text}") };
    let lines: Vec<u32> = longest.iter().map(|by| by.site.line()).collect();
    assert_eq!(lines, [line, line + 1], "the longest first");
    assert!(longest.iter().all(|by| by.site.file().ends_with("failures.rs")));
    assert!(longest[0].held_for >= ACQUIRE_TIMEOUT);
    assert!(text.starts_with("pool primary: no connection within 1"), "{text}");
    let named = format!("all connections are held, longest by {}:{line} for ", file!());
    assert!(text.contains(&named), "{text}");
    drop((first, second));
    Kind::Primary.has_recovered(&pools, 1).await;
    assert_eq!(pools.stats().primary.timeouts, 1);
}

#[tokio::test]
async fn a_server_that_is_gone_refuses() {
    let mut server = Server::start();
    let pools = pools(&server.dsn());
    for kind in BOTH {
        kind.take(&pools).await.unwrap();
    }
    for kill in [false, true] {
        if kill {
            server.kill()
        } else {
            server.stop()
        }
        for kind in BOTH {
            let cause = kind.timeout_cause(&pools).await;
            let TimeoutCause::Server(Trouble::Refused { said }) = &cause else {
                panic!("{kind:?}, killed: {kill}: {cause:?}");
            };
            assert!(said.contains("refused"), "{said}");
        }
        server.run();
        for kind in BOTH {
            kind.has_recovered(&pools, 1).await;
        }
    }
}

#[tokio::test]
async fn a_server_that_was_never_there_refuses() {
    let mut server = Server::start();
    let pools = pools(&server.dsn());
    server.stop();
    for kind in BOTH {
        let cause = kind.timeout_cause(&pools).await;
        assert!(matches!(cause, TimeoutCause::Server(Trouble::Refused { .. })), "{cause:?}");
    }
    server.run();
    for kind in BOTH {
        kind.has_recovered(&pools, 1).await;
    }
}

#[tokio::test]
async fn a_frozen_server_does_not_answer() {
    let server = Server::start();
    // Some pools have connections open, others have none yet.
    for used in [true, false] {
        let pools = pools(&server.dsn());
        for kind in BOTH {
            if used {
                kind.take(&pools).await.unwrap();
            }
        }
        server.freeze();
        for kind in BOTH {
            let cause = kind.timeout_cause(&pools).await;
            let silent = matches!(cause, TimeoutCause::Server(Trouble::Silent { .. }));
            assert!(silent, "{kind:?}, used: {used}: {cause:?}");
        }
        server.thaw();
        for kind in BOTH {
            kind.has_recovered(&pools, 1).await;
        }
    }
}

#[tokio::test]
async fn a_frozen_server_is_told_from_callers_that_hold_too_long() {
    let server = Server::start();
    let pools = pools(&server.dsn());
    let held = [pools.read_write().await.unwrap(), pools.read_write().await.unwrap()];
    server.freeze();
    let cause = Kind::Primary.timeout_cause(&pools).await;
    assert!(matches!(cause, TimeoutCause::Server(Trouble::Silent { .. })), "{cause:?}");
    // They come back while nobody answers.
    drop(held);
    let cause = Kind::Primary.timeout_cause(&pools).await;
    assert!(matches!(cause, TimeoutCause::Server(Trouble::Silent { .. })), "{cause:?}");
    server.thaw();
    Kind::Primary.has_recovered(&pools, 2).await;
}

#[tokio::test]
async fn a_full_server_is_full() {
    let server = Server::start_with(&["max_connections = 6", "superuser_reserved_connections = 2"]);
    server.psql("CREATE ROLE clerk LOGIN");
    let pools = pools(&server.dsn_as("clerk"));
    let mut others = Vec::new();
    while let Ok(other) = PgConnection::connect(&server.dsn_as("clerk")).await {
        others.push(other);
    }
    assert!(others.len() >= 3);
    for kind in BOTH {
        let cause = kind.timeout_cause(&pools).await;
        let TimeoutCause::Server(Trouble::Full { said }) = cause else { panic!("{cause:?}") };
        assert!(said.contains("connection"), "{said}");
    }
    others.clear();
    for kind in BOTH {
        kind.has_recovered(&pools, 1).await;
    }
}

#[tokio::test]
async fn a_role_that_may_open_no_more_connections_is_full_as_well() {
    let server = Server::start();
    server.psql("CREATE ROLE clerk LOGIN CONNECTION LIMIT 0");
    let pools = pools(&server.dsn_as("clerk"));
    let cause = Kind::Primary.timeout_cause(&pools).await;
    assert!(matches!(cause, TimeoutCause::Server(Trouble::Full { .. })), "{cause:?}");
}

#[tokio::test]
async fn callers_that_hold_all_connections_of_a_full_server_are_still_the_cause() {
    let server = Server::start();
    server.psql("CREATE ROLE clerk LOGIN CONNECTION LIMIT 2");
    let pools = pools(&server.dsn_as("clerk"));
    let _held = [pools.read_write().await.unwrap(), pools.read_write().await.unwrap()];
    let cause = Kind::Primary.timeout_cause(&pools).await;
    assert!(matches!(cause, TimeoutCause::AllHeld { .. }), "{cause:?}");
}

#[tokio::test]
async fn a_refused_login_is_told_at_once_and_without_its_password() {
    let server = Server::start();
    server.create_role_with_password("clerk", "right");
    let wrong = pools(&server.dsn_as("clerk:hunter2"));
    let dsn = server.dsn();
    let (server_alone, _) = dsn.rsplit_once('/').unwrap();
    let nowhere = pools(&format!("{server_alone}/nowhere"));
    for kind in BOTH {
        for (pools, words) in [(&wrong, "password authentication failed"), (&nowhere, "nowhere")] {
            let error = kind.take(pools).await.unwrap_err();
            let text = format!("{error} {error:?}");
            assert!(text.contains(words) && !text.contains("hunter2"), "{text}");
            let AcquireError::Connect { trouble, .. } = error else { panic!("{text}") };
            assert!(matches!(trouble, Some(Trouble::Login { .. })), "{text}");
            let stats = kind.stats(pools);
            assert_eq!((stats.timeouts, stats.waiting, stats.in_use), (0, 0, 0));
        }
    }
    server.psql("ALTER ROLE clerk PASSWORD 'hunter2'");
    server.psql("CREATE DATABASE nowhere");
    for kind in BOTH {
        kind.has_recovered(&wrong, 0).await;
        kind.has_recovered(&nowhere, 0).await;
    }
}

#[tokio::test]
async fn as_long_as_connections_come_in_time_nothing_is_asked() {
    let server = Server::start_with(&["log_connections = on"]);
    let pools = pools(&server.dsn());
    let held = pools.read_write().await.unwrap();
    let _other = pools.read_write().await.unwrap();
    let waiter = tokio::spawn({
        let pools = pools.clone();
        async move { Kind::Primary.take(&pools).await.map_err(|error| error.to_string()) }
    });
    tokio::time::sleep(Duration::from_millis(50)).await;
    drop(held);
    assert_eq!(waiter.await.unwrap(), Ok(()));
    let over_tcp = server.log().matches("connection received: host=127.0.0.1").count();
    assert_eq!(over_tcp, 2, "{}", server.log());
}
