//! Switches that make the shop degrade as services do: connections that nobody gives back, a
//! replica that is gone.

use std::env;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Query, State};
use axum::http::StatusCode;
use ebbline_pool::{PoolStats, ReadOnly, ReadOnlyRoute, ReadWrite};
use tokio::process::Command;
use tokio::task::JoinSet;

use crate::Shop;
use crate::orders::Refused;

/// Which pool's connections are held, and for how long.
#[derive(serde::Deserialize)]
pub(crate) struct Hold {
    pool: String,
    seconds: f64,
}

/// A connection of either kind. It is there to be held.
enum Held {
    Write { _handle: ReadWrite },
    Read { _handle: ReadOnly },
}

/// Takes as many connections as the pool has and holds them for a while. Answers at once.
pub(crate) async fn hold(
    State(shop): State<Arc<Shop>>,
    Query(hold): Query<Hold>,
) -> Result<String, Refused> {
    let seconds = Duration::try_from_secs_f64(hold.seconds);
    let seconds = seconds.map_err(|_| (StatusCode::BAD_REQUEST, "seconds is no duration\n"))?;
    let write = match hold.pool.as_str() {
        "primary" => true,
        "ro" => false,
        _ => return Err((StatusCode::BAD_REQUEST, "pool is neither primary nor ro\n")),
    };
    let stats = shop.pools.stats();
    let max = |pool: Option<&PoolStats>| pool.map_or(0, |pool| pool.max);
    let number = match (write, stats.ro_routes_to) {
        (true, _) => stats.primary.max,
        (false, ReadOnlyRoute::Replica) => max(stats.ro.as_ref()),
        (false, _) => max(stats.ro_fallthrough.as_ref()),
    };
    tracing::warn!("holding {number} connections of {} for {seconds:?}", hold.pool);
    tokio::spawn(async move {
        let mut taking = JoinSet::new();
        for _ in 0..number {
            let shop = Arc::clone(&shop);
            taking.spawn(async move { take(&shop, write).await });
        }
        let held = taking.join_all().await;
        tokio::time::sleep(seconds).await;
        drop(held);
    });
    Ok("held\n".to_owned())
}

async fn take(shop: &Shop, write: bool) -> Option<Held> {
    let taken = if write {
        shop.pools.read_write().await.map(|handle| Held::Write { _handle: handle })
    } else {
        shop.pools.read_only().await.map(|handle| Held::Read { _handle: handle })
    };
    // It is a caller like any other, and counted like any other.
    taken.map_err(|error| shop.no_connection(&error)).ok()
}

/// Runs the operator's command that stops the replica.
pub(crate) async fn stop_replica() -> Result<String, Refused> {
    let Some(command) = env::var_os("SHOP_STOP_REPLICA") else {
        return Err((StatusCode::NOT_IMPLEMENTED, "SHOP_STOP_REPLICA is not set\n"));
    };
    tracing::warn!("stopping the replica");
    match Command::new("sh").arg("-c").arg(command).status().await {
        Ok(status) if status.success() => Ok("stopped\n".to_owned()),
        _ => Err((StatusCode::INTERNAL_SERVER_ERROR, "SHOP_STOP_REPLICA failed\n")),
    }
}
