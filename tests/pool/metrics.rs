//! The metrics: names that dashboards rely on, values that are the pools', and the server.

use std::collections::BTreeMap;

use ebbline_pool::{CONTENT_TYPE, Config, Metrics, MetricsServer, Pools};
use prometheus_client::registry::Registry;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::Server;

/// The samples of a text: name with labels, and value.
fn samples(text: &str) -> BTreeMap<&str, f64> {
    let samples = text.lines().filter(|line| !line.starts_with('#'));
    samples
        .map(|line| line.rsplit_once(' ').unwrap())
        .map(|(name, value)| (name, value.parse().unwrap()))
        .collect()
}

async fn busy(server: &Server) -> (Pools, Metrics) {
    let mut config = Config::new(server.dsn().parse().unwrap());
    config.primary_limits.max = 7;
    let pools = Pools::new(&config).unwrap();
    let metrics = pools.metrics("shop_pg").unwrap();
    (pools, metrics)
}

#[tokio::test]
async fn the_gauges_of_the_dashboards_say_what_the_pools_are_like() {
    let server = Server::start();
    let (pools, metrics) = busy(&server).await;
    let _held = (pools.read_write().await.unwrap(), pools.read_only().await.unwrap());
    let text = metrics.render();
    let samples = samples(&text);
    for (name, value) in [
        ("shop_pg_pool_size", 1.0),
        ("shop_pg_pool_available", 0.0),
        ("shop_pg_pool_requests_waiting", 0.0),
        ("shop_pg_pool_ro_size", 0.0),
        ("shop_pg_pool_ro_available", 0.0),
        ("shop_pg_pool_ro_requests_waiting", 0.0),
        ("shop_pg_pool_ro_fallthrough_size", 1.0),
        ("shop_pg_pool_ro_fallthrough_available", 0.0),
        ("shop_pg_pool_ro_routes_to", 2.0),
        (r#"shop_pg_pool_acquires_total{pool="primary"}"#, 1.0),
        (r#"shop_pg_pool_opened_total{pool="ro_fallthrough"}"#, 1.0),
        (r#"shop_pg_pool_closed_total{pool="primary",reason="broken"}"#, 0.0),
    ] {
        assert_eq!(samples.get(name), Some(&value), "{name} in\n{text}");
    }
}

#[tokio::test]
async fn each_route_has_its_number() {
    let server = Server::start();
    let plain = Config::new(server.dsn().parse().unwrap());
    let replica = Some(server.dsn().parse().unwrap());
    for (config, number) in [
        (Config { replica, ..plain.clone() }, "1"),
        (plain.clone(), "2"),
        (Config { fallthrough: false, ..plain }, "3"),
    ] {
        let pools = Pools::new(&config).unwrap();
        let text = pools.metrics("shop").unwrap().render();
        assert!(text.contains(&format!("\nshop_pool_ro_routes_to {number}\n")), "{text}");
    }
}

#[tokio::test]
async fn opentelemetrys_names_are_there_with_their_attributes() {
    let server = Server::start();
    let (pools, metrics) = busy(&server).await;
    drop(pools.read_write().await.unwrap());
    let _held = pools.read_write().await.unwrap();
    let text = metrics.render();
    let samples = samples(&text);
    let of = |name: &str, more: &str| {
        let name = format!(
            r#"db_client_connection_{name}{{db_client_connection_pool_name="primary"{more}}}"#
        );
        *samples.get(name.as_str()).unwrap_or_else(|| panic!("no {name} in\n{text}"))
    };
    assert_eq!(of("count", r#",db_client_connection_state="used""#), 1.0);
    assert_eq!(
        of("count", r#",db_client_connection_state="idle""#),
        samples["shop_pg_pool_available"]
    );
    assert_eq!((of("max", ""), of("idle_max", ""), of("idle_min", "")), (7.0, 7.0, 0.0));
    assert_eq!((of("pending_requests", ""), of("timeouts_total", "")), (0.0, 0.0));
    assert_eq!(of("wait_time_seconds_count", ""), 2.0);
    let last = r#"db_client_connection_wait_time_seconds_bucket{le="+Inf",db_client_connection_pool_name="primary"}"#;
    assert_eq!(samples.get(last), Some(&2.0), "{text}");
    assert_eq!(of("use_time_seconds_count", ""), 1.0);
    assert!(of("create_time_seconds_count", "") >= 1.0);
    assert!(of("wait_time_seconds_sum", "") > 0.0);
}

#[tokio::test]
async fn the_documentation_names_every_metric() {
    let docs = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/SNAPSHOTS.md");
    let docs = std::fs::read_to_string(docs).unwrap();
    let server = Server::start();
    let (_pools, metrics) = busy(&server).await;
    let text = metrics.render();
    let families: Vec<&str> =
        text.lines().filter_map(|line| line.strip_prefix("# TYPE ")).collect();
    assert!(families.len() > 20, "{text}");
    for family in families {
        let (name, kind) = family.split_once(' ').unwrap();
        let total = if kind == "counter" { "_total" } else { "" };
        let name = format!("`{}{total}", name.strip_prefix("shop_pg").unwrap_or(name));
        assert!(
            docs.contains(&format!("{name}`")) || docs.contains(&format!("{name}{{")),
            "{name}"
        );
    }
}

#[tokio::test]
async fn it_is_a_collector_of_a_registry_and_does_not_keep_the_pools_open() {
    let server = Server::start();
    let (pools, metrics) = busy(&server).await;
    let mut registry = Registry::default();
    registry.register_collector(Box::new(metrics.clone()));
    let text = || {
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();
        text
    };
    assert_eq!(text(), metrics.render());
    drop(pools);
    assert_eq!(text(), "# EOF\n");
}

#[tokio::test]
async fn a_prefix_that_would_break_the_text_is_refused() {
    let server = Server::start();
    let (pools, _) = busy(&server).await;
    for prefix in ["", "9lives", "shop-pg", "shop pg", "shop\n", "läden"] {
        assert!(pools.metrics(prefix).is_err(), "{prefix:?}");
    }
    assert!(pools.metrics("_a9").is_ok());
}

/// Sends these bytes and returns all that comes back.
async fn sent(server: &MetricsServer, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(server.address()).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn the_server_answers_on_loopback_and_ends_when_it_is_dropped() {
    let postgres = Server::start();
    let (pools, metrics) = busy(&postgres).await;
    let server = MetricsServer::on_loopback(metrics.clone(), 0).await.unwrap();
    assert!(server.address().ip().is_loopback());
    let answer = sent(&server, b"GET /metrics?all HTTP/1.1\r\nHost: here\r\n\r\n").await;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
    assert!(head.contains(&format!("Content-Type: {CONTENT_TYPE}\r\n")), "{head}");
    assert_eq!(body, metrics.render());
    for (request, status) in [
        (&b"GET / HTTP/1.1\r\n\r\n"[..], "404"),
        (b"POST /metrics HTTP/1.1\r\n\r\n", "405"),
        (b"GET /metrics\r\n\r\n", "400"),
        (b"\x16\x03\x01\r\n\r\n", "400"),
    ] {
        let answer = sent(&server, request).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
    }
    let head = sent(&server, b"HEAD /metrics HTTP/1.0\r\n\r\n").await;
    assert!(head.starts_with("HTTP/1.1 200 ") && head.ends_with("\r\n\r\n"), "{head}");
    // Callers that say nothing hold up none that does.
    let mut silent = Vec::new();
    for _ in 0..8 {
        silent.push(TcpStream::connect(server.address()).await.unwrap());
    }
    assert!(sent(&server, b"GET /metrics HTTP/1.1\r\n\r\n").await.contains("# EOF"));
    let address = server.address();
    drop((server, pools));
    while TcpStream::connect(address).await.is_ok() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_head_without_end_is_refused() {
    let postgres = Server::start();
    let (_pools, metrics) = busy(&postgres).await;
    let server = MetricsServer::on_loopback(metrics, 0).await.unwrap();
    let mut stream = TcpStream::connect(server.address()).await.unwrap();
    stream.write_all(&[b'x'; 8 * 1024]).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 400 "));
}
