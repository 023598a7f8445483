//! Orders: written through a handle that may write, listed through one that may only read.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use ebbline_pool::{AcquireError, Pools};
use sqlx::Row;

use crate::{Failure, Shop};

/// A request that failed, as the customer sees it.
pub(crate) type Refused = (StatusCode, &'static str);

/// Makes the table, unless it is there.
pub(crate) async fn open_the_books(pools: &Pools) -> Result<(), Failure> {
    let mut connection = pools.read_write().await?;
    let table = "CREATE TABLE IF NOT EXISTS shop_order \
                 (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, placed timestamptz NOT NULL)";
    sqlx::query(table).execute(&mut *connection).await?;
    Ok(())
}

/// The last orders.
pub(crate) async fn list(State(shop): State<Arc<Shop>>) -> Result<String, Refused> {
    let mut connection =
        shop.pools.read_only().await.map_err(|error| shop.no_connection(&error))?;
    let query = sqlx::query("SELECT id FROM shop_order ORDER BY id DESC LIMIT 10");
    let rows = query.fetch_all(connection.reader()).await.map_err(|error| broken(&error))?;
    let numbers = rows.iter().map(|row| format!("{}\n", row.get::<i64, _>(0)));
    Ok(numbers.collect())
}

/// One more order.
pub(crate) async fn add(State(shop): State<Arc<Shop>>) -> Result<String, Refused> {
    let taken = shop.pools.read_write().await;
    let mut connection = taken.map_err(|error| shop.no_connection(&error))?;
    let query = sqlx::query("INSERT INTO shop_order (placed) VALUES (now()) RETURNING id");
    let row = query.fetch_one(&mut *connection).await.map_err(|error| broken(&error))?;
    Ok(format!("{}\n", row.get::<i64, _>(0)))
}

impl Shop {
    /// Logs and counts that there was no connection.
    pub(crate) fn no_connection(&self, error: &AcquireError) -> Refused {
        tracing::error!("request failed: {error}");
        if let AcquireError::TimedOut(_) = error {
            self.counters.timed_out();
        }
        (StatusCode::SERVICE_UNAVAILABLE, "The shop is busy. Please come back.\n")
    }
}

fn broken(error: &sqlx::Error) -> Refused {
    tracing::error!("request failed: {error}");
    (StatusCode::INTERNAL_SERVER_ERROR, "The shop made a mistake.\n")
}
