//! A small shop on `ebbline-pool`: real requests, 503 when there is no connection in time, access
//! lines, a snapshot line each second, and switches that make it degrade. Its log is what
//! `ebbline` reads.
//!
//! ```text
//! SHOP_DSN=postgres://postgres@127.0.0.1/postgres cargo run -p ebbline-pool --example shop
//! ```
//!
//! It logs to standard output. Besides what `Config::from_env("SHOP")` reads, it reads
//! `SHOP_LISTEN` (an address, default 127.0.0.1:8080), `SHOP_CLIENTS` (how many customers it has,
//! default 8; they ask over HTTP as anyone would) and `SHOP_COUNTERS` (a file that gets its
//! counters when it ends). SIGTERM or ctrl-C ends it.
//!
//! | | |
//! |---|---|
//! | `GET /orders` | the last orders, through a read-only handle |
//! | `POST /orders` | one more order |
//! | `GET /counters` | what it counted itself |
//! | `GET /metrics` | for Prometheus |
//! | `POST /degrade/hold?pool=primary&seconds=10` | takes all connections of `primary` or `ro` and holds them |
//! | `POST /degrade/replica` | runs the command in `SHOP_STOP_REPLICA` |

mod counters;
mod customers;
mod degrade;
mod orders;

use std::env;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use ebbline_pool::{Config, Metrics, Pools};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

use crate::counters::Counters;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// What every request may use.
struct Shop {
    pools: Pools,
    counters: Counters,
    metrics: Metrics,
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let level = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt().with_ansi(false).with_env_filter(level).init();

    let mut config = Config::from_env("SHOP")?;
    if env::var_os("SHOP_POOL_LOG_INTERVAL").is_none() {
        config.log_interval = Duration::from_secs(1);
    }
    let pools = Pools::new(&config)?;
    pools.start_pool_logger()?;
    let metrics = pools.metrics("shop_pg")?;
    let shop = Arc::new(Shop { pools, counters: Counters::default(), metrics });
    orders::open_the_books(&shop.pools).await?;

    let listen = env::var("SHOP_LISTEN").unwrap_or_else(|_| "127.0.0.1:8080".to_owned());
    let listener = TcpListener::bind(listen).await?;
    let address = listener.local_addr()?;
    tracing::info!("the shop is open at http://{address}");
    let customers = customers::invite(address, number_of_customers()?);
    let service = router(Arc::clone(&shop)).into_make_service_with_connect_info::<SocketAddr>();
    let closing_time = async move {
        closing_time().await;
        // A customer who is served has an answer before the doors close.
        customers.send_home().await;
    };
    axum::serve(listener, service).with_graceful_shutdown(closing_time).await?;

    shop.pools.close().await;
    let counters = shop.counters.to_json();
    if let Some(file) = env::var_os("SHOP_COUNTERS") {
        std::fs::write(file, &counters)?;
    }
    tracing::info!("the shop is closed");
    Ok(())
}

fn router(shop: Arc<Shop>) -> Router {
    Router::new()
        .route("/orders", get(orders::list).post(orders::add))
        .route(
            "/counters",
            get(|State(shop): State<Arc<Shop>>| async move { shop.counters.to_json() }),
        )
        .route("/metrics", get(metrics))
        .route("/degrade/hold", post(degrade::hold))
        .route("/degrade/replica", post(degrade::stop_replica))
        .layer(middleware::from_fn_with_state(Arc::clone(&shop), log_access))
        .with_state(shop)
}

/// One line a response, and the counters that must equal the number of lines.
async fn log_access(
    State(shop): State<Arc<Shop>>,
    ConnectInfo(customer): ConnectInfo<SocketAddr>,
    request: Request,
    next: Next,
) -> Response {
    let line = format!("{} {} {:?}", request.method(), request.uri(), request.version());
    let response = next.run(request).await;
    let status = response.status();
    shop.counters.answered(status);
    tracing::info!(target: "shop::access", "{customer} - \"{line}\" {}", status.as_u16());
    response
}

async fn metrics(State(shop): State<Arc<Shop>>) -> impl IntoResponse {
    ([(CONTENT_TYPE, ebbline_pool::CONTENT_TYPE)], shop.metrics.render())
}

fn number_of_customers() -> Result<usize, Failure> {
    match env::var("SHOP_CLIENTS") {
        Ok(number) => number.parse().map_err(|_| "SHOP_CLIENTS is no number: set it to 8".into()),
        Err(_) => Ok(8),
    }
}

async fn closing_time() {
    let Ok(mut terminate) = signal(SignalKind::terminate()) else { return };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
}
