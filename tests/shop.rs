//! From the outage to the table: a service on `ebbline-pool` degrades, and what ebbline reads in
//! its log, as text and as a journal, is what the service counted itself.
//!
//! The service is `src/pool/examples/shop`, on a PostgreSQL and a replica of the test's own.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(dead_code, unused_imports, unreachable_pub)]

#[path = "support/journald.rs"]
mod journald;
#[path = "pool/support/servers/mod.rs"]
mod servers;

use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use ebbline_pool::Snapshot;
use serde_json::Value;

use crate::journald::Journald;
use crate::servers::{Replica, Server};

const EBBLINE: &str = env!("CARGO_BIN_EXE_ebbline");

/// The running service. It is killed when this is dropped.
struct Shop {
    process: Child,
    folder: tempfile::TempDir,
    address: String,
}

/// What the service counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Counters {
    requests: u64,
    responses_503: u64,
    pool_timeouts: u64,
}

impl Shop {
    fn open(primary: &Server, replica: &Server) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let log = File::create(folder.path().join("log")).unwrap();
        let process = Command::new(shop_program())
            .env("SHOP_DSN", primary.dsn())
            .env("SHOP_RO_DSN", replica.dsn())
            .env("SHOP_LISTEN", "127.0.0.1:0")
            .env("SHOP_CLIENTS", "8")
            .env("SHOP_COUNTERS", folder.path().join("counters"))
            .env("SHOP_POOL_MAX", "3")
            .env("SHOP_RO_POOL_MAX", "3")
            .env("SHOP_RO_FALLTHROUGH_POOL_MAX", "3")
            .env("SHOP_POOL_ACQUIRE_TIMEOUT", "0.3")
            .env("SHOP_RO_CHECK_INTERVAL", "0.2")
            .stdout(log)
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        let mut shop = Self { process, folder, address: String::new() };
        let open = "the shop is open at http://";
        shop.wait_for_line(open);
        let log = shop.log();
        let (_, after) = log.split_once(open).unwrap();
        shop.address = after.lines().next().unwrap().to_owned();
        shop
    }

    fn log_file(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    fn log(&self) -> String {
        fs::read_to_string(self.log_file()).unwrap()
    }

    fn wait_for_line(&self, text: &str) {
        self.wait_until(text, || self.log().contains(text));
    }

    fn wait_until(&self, what: &str, condition: impl Fn() -> bool) {
        let start = Instant::now();
        while !condition() {
            let waited = start.elapsed();
            assert!(waited < Duration::from_secs(120), "{what} never came:\n{}", self.log());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Waits for this many more callers without a connection in time.
    fn wait_for_more_timeouts(&self, more: u64) {
        let before = self.counters();
        self.wait_until("timeouts", || {
            self.counters().pool_timeouts >= before.pool_timeouts + more
        });
    }

    fn wait_for_good_answers(&self) {
        let good = |counters: Counters| counters.requests - counters.responses_503;
        // The question is a request too.
        let before = good(self.counters());
        self.wait_until("good answers", || good(self.counters()) > before + 200);
    }

    fn request(&self, method: &str, path: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let host = &self.address;
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{path}: {answer}");
        answer.split_once("\r\n\r\n").unwrap().1.to_owned()
    }

    fn counters(&self) -> Counters {
        Counters::read(&self.request("GET", "/counters"))
    }

    /// Ends the service in order; what it counted until its end.
    fn close(&mut self) -> Counters {
        let pid = self.process.id().to_string();
        Command::new("/bin/kill").args(["-TERM", &pid]).status().unwrap();
        assert!(self.process.wait().unwrap().success(), "{}", self.log());
        Counters::read(&fs::read_to_string(self.folder.path().join("counters")).unwrap())
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Counters {
    fn read(json: &str) -> Self {
        let json: Value = serde_json::from_str(json).unwrap();
        let counter = |name: &str| json[name].as_u64().unwrap();
        Self {
            requests: counter("requests"),
            responses_503: counter("responses_503"),
            pool_timeouts: counter("pool_timeouts"),
        }
    }
}

/// Builds the example, as it is now, beside ebbline.
fn shop_program() -> PathBuf {
    let beside = Path::new(EBBLINE).parent().unwrap();
    let mut build = Command::new(env!("CARGO"));
    build.args(["build", "--locked", "--quiet", "--package=ebbline-pool", "--example=shop"]);
    build.arg("--target-dir").arg(beside.parent().unwrap());
    if beside.ends_with("release") {
        build.arg("--release");
    }
    assert!(build.current_dir(env!("CARGO_MANIFEST_DIR")).status().unwrap().success());
    beside.join("examples/shop")
}

/// ebbline's totals over these sources: pool timeouts and 503s.
fn ebbline_counts(sources: &[PathBuf]) -> (u64, u64) {
    let run = Command::new(EBBLINE)
        .args(["timeline", "-o", "json", "--tz", "UTC"])
        .args(sources)
        .output()
        .unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let json: Value = serde_json::from_slice(&run.stdout).unwrap();
    let count = |class: &str| json["totals"]["counts"][class].as_u64().unwrap();
    (count("pool_timeout"), count("http_503"))
}

#[test]
fn what_ebbline_reads_in_a_services_log_is_what_the_service_counted() {
    let mut primary = Server::start();
    let mut replica = Replica::of(&primary);
    let mut shop = Shop::open(&primary, &replica);
    shop.wait_for_good_answers();
    assert_eq!(shop.counters().responses_503, 0, "{}", shop.log());

    for pool in ["primary", "ro"] {
        shop.request("POST", &format!("/degrade/hold?pool={pool}&seconds=2"));
        shop.wait_for_more_timeouts(4);
        shop.wait_for_good_answers();
    }
    let metrics = shop.request("GET", "/metrics");
    assert!(metrics.contains("shop_pg_pool_ro_routes_to 1"), "{metrics}");
    replica.kill();
    shop.wait_for_line("(replica -> primary_fallthrough)");
    shop.wait_for_good_answers();
    let metrics = shop.request("GET", "/metrics");
    assert!(metrics.contains("shop_pg_pool_ro_routes_to 2"), "{metrics}");
    primary.freeze();
    shop.wait_for_more_timeouts(4);
    primary.thaw();
    shop.wait_for_good_answers();
    primary.kill();
    shop.wait_for_more_timeouts(4);
    primary.run();
    replica.run();
    shop.wait_for_line("(primary_fallthrough -> replica)");
    shop.wait_for_good_answers();

    let counters = shop.close();
    let log = shop.log();
    assert!(counters.pool_timeouts >= 16 && counters.responses_503 >= 16, "{counters:?}");
    for cause in ["all connections are held", "does not answer", "refuses connections"] {
        assert!(log.contains(cause), "no {cause:?} in:\n{log}");
    }
    let counted = (counters.pool_timeouts, counters.responses_503);
    assert_eq!(ebbline_counts(&[shop.log_file()]), counted, "{log}");

    let snapshots: Vec<Snapshot> = log.lines().filter_map(|line| line.parse().ok()).collect();
    let last = snapshots.last().unwrap();
    let timeouts: u64 = last.pools().iter().map(|pool| pool.timeouts).sum();
    assert_eq!(timeouts, counters.pool_timeouts, "{last}");
    let routes = snapshots.iter().filter_map(|snapshot| snapshot.ro_routes_to);
    let mut routes: Vec<_> = routes.map(|route| route.name()).collect();
    routes.dedup();
    assert_eq!(routes, ["replica", "primary_fallthrough", "replica"]);

    let journald = Journald::configured("shop", "RateLimitIntervalSec=0\n");
    for lines in log.lines().collect::<Vec<_>>().chunks(100) {
        journald.log(lines.iter().map(|line| (*line).to_owned()));
    }
    assert_eq!(ebbline_counts(&journald.files()), counted);
}
