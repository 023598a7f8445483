//! The environment's variables are those of docs/POOL.md, and no secret is ever shown.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fmt::Write;
use std::time::Duration;

use ebbline_pool::{Config, ConfigError, Dsn, Limits, Login, Pools};
use sqlx::Executor;

use crate::support::{Log, Server};

const DOCUMENT: &str = include_str!("../../docs/POOL.md");
const SECRET: &str = "s3cr3t";

/// The variables that the document lists, with an example of each.
fn documented() -> Vec<(String, String)> {
    let lines = DOCUMENT.lines().filter(|line| line.starts_with("| `SHOP_PG_"));
    let cells = lines.map(|line| line.split('`').map(str::to_owned).collect::<Vec<_>>());
    cells.map(|cells| (cells[1].clone(), cells[3].clone())).collect()
}

#[test]
fn the_variables_are_those_of_the_document_and_each_has_an_effect() {
    let documented = documented();
    let asked = RefCell::new(BTreeSet::new());
    let read = |variables: &[(String, String)]| {
        Config::from_variables("SHOP_PG", |name| {
            asked.borrow_mut().insert(name.to_owned());
            let found = variables.iter().find(|(variable, _)| variable == name);
            found.map(|(_, value)| value.clone())
        })
    };
    let all = read(&documented).unwrap();
    assert_eq!(all.primary_limits, Limits { max: 20, min: 2 });
    assert_eq!(all.acquire_timeout, Duration::from_millis(2500));
    let names: BTreeSet<String> = documented.iter().map(|(name, _)| name.clone()).collect();
    assert_eq!(*asked.borrow(), names);

    let missing = ConfigError::Missing { variable: "SHOP_PG_DSN".to_owned() };
    assert_eq!(read(&documented[1..]).unwrap_err(), missing);
    // A password is not shown, so it cannot be seen to have an effect here.
    let shown = documented.iter().filter(|(name, _)| !name.ends_with("_PASSWORD"));
    for (name, example) in shown.skip(1) {
        let dsn = documented[0].clone();
        let one = read(&[dsn.clone(), (name.clone(), example.clone())]);
        let without = format!("{:?}", read(std::slice::from_ref(&dsn)).unwrap());
        assert_ne!(format!("{:?}", one.unwrap()), without, "{name}");
        let empty = read(&[dsn.clone(), (name.clone(), String::new())]).unwrap();
        assert_eq!(format!("{empty:?}"), without, "{name}");
        if !name.ends_with("_USER") {
            let wrong = read(&[dsn, (name.clone(), "0x".to_owned())]).unwrap_err();
            assert!(wrong.to_string().contains(name.as_str()), "{wrong}");
        }
    }
}

#[test]
fn sizes_and_times_that_cannot_be_are_refused() {
    let dsn = || "postgres://shop@db/shop".parse::<Dsn>().unwrap();
    let refused = |config: Config| Pools::new(&config).unwrap_err().to_string();
    let limits = |max, min| Config { primary_limits: Limits { max, min }, ..Config::new(dsn()) };
    assert!(refused(limits(0, 0)).starts_with("primary pool: it may open no connection"));
    assert!(refused(limits(1, 2)).starts_with("primary pool: its minimum exceeds its maximum"));
    for acquire_timeout in [Duration::ZERO, Duration::MAX] {
        let config = Config { acquire_timeout, ..Config::new(dsn()) };
        assert!(refused(config).starts_with("acquire_timeout is 0 or more than a century"));
    }
}

#[test]
fn what_is_no_connection_string_is_not_repeated() {
    for text in [
        "s3cr3t",
        "host=db password=s3cr3t",
        "mysql://shop:s3cr3t@db/shop",
        "postgres://shop:s3cr3t",
        "postgres://shop:s3cr3t@db:port/shop",
        "postgres://shop:12#s3cr3t@db/shop",
        "postgres://shop:12?s3cr3t@db/shop",
        "postgres://shop:12?s3cr3t&x=s3cr3t@db/shop",
        "postgres://shop:12/s3cr3t?@[db/shop",
        "postgres://shop:12/s3cr3t@db/shop",
        "postgres://shop:s3cr3t@[::1/shop",
        "postgres://shop:%FFs3cr3t@db/shop",
        "postgres://shop@db/shop?passwd=s3cr3t",
        "postgres://shop@db/shop?pass%77ord=s3cr3t",
        "postgres://shop@db/shop?sslmode=s3cr3t",
        "postgres://shop@db/shop?port=s3cr3t",
        "postgres://shop@db/shop?statement-cache-capacity=s3cr3t",
    ] {
        let log = Log::default();
        let _capturing = tracing::subscriber::set_default(log.subscriber());
        let value = |name: &str| (name == "X_DSN").then(|| text.to_owned());
        let error = Config::from_variables("X", value).unwrap_err();
        assert!(error.to_string().contains("X_DSN"), "{error}");
        let shown = format!("{error} {error:?} {}", log.take());
        assert!(!shown.contains(SECRET), "{text}: {shown}");
    }
}

#[tokio::test]
async fn no_secret_is_shown_by_anything_that_can_be_printed() {
    let mut server = Server::start();
    server.create_role_with_password("clerk", SECRET);
    let log = Log::default();
    let _capturing = tracing::subscriber::set_default(log.subscriber());
    let mut shown = String::new();
    let dsn = |user: &str| server.dsn_as(user).parse::<Dsn>().unwrap();
    let config = |primary: Dsn| Config {
        acquire_timeout: Duration::from_millis(800),
        fallthrough_login: Some(Login::new("clerk", Some(SECRET))),
        replica: Some(primary.clone()),
        ..Config::new(primary)
    };

    let right = config(dsn(&format!("clerk:{SECRET}")));
    let pools = Pools::new(&right).unwrap();
    pools.start_pool_logger().unwrap();
    let mut read_only = pools.read_only().await.unwrap();
    let mut read_write = pools.read_write().await.unwrap();
    let refused = read_only.reader().execute("CREATE TABLE t ()").await.unwrap_err();
    read_write.execute("SELECT 1").await.unwrap();
    let snapshot = pools.stats().snapshot().unwrap();
    write!(shown, "{right:?} {} {pools:?} {read_only:?}", right.primary).unwrap();
    write!(shown, "{read_write:?} {:?} {snapshot}", read_only.reader()).unwrap();
    write!(shown, "{:?} {refused} {refused:?}", pools.stats()).unwrap();
    drop((read_only, read_write));
    pools.stop_pool_logger();

    let wrong = Config { replica: None, ..config(dsn(&format!("clerk:not-{SECRET}"))) };
    let wrong = Pools::new(&wrong).unwrap();
    let error = wrong.read_write().await.unwrap_err();
    write!(shown, "{error} {error:?}").unwrap();
    assert!(shown.contains("password authentication failed"), "{shown}");

    server.kill();
    // What came back a moment ago is taken without a question.
    tokio::time::sleep(Duration::from_millis(600)).await;
    for error in [pools.read_only().await.unwrap_err(), pools.read_write().await.unwrap_err()] {
        write!(shown, "{error} {error:?}").unwrap();
    }
    shown += &log.take();
    assert!(shown.contains("clerk") && shown.contains("pool_snapshot"), "{shown}");
    assert!(!shown.contains(SECRET), "{shown}");
}
