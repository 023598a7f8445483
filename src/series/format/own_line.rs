//! The snapshot line of `ebbline-pool`, by the grammar that the pool itself writes with.

use std::borrow::Cow;

use ebbline_pool::{MARKER, PoolState, SnapshotError};

use crate::series::snapshot::{Snapshot, Values};

/// The pools of the line; `None` where there is no such line in the message, an empty list where
/// it is cut off or damaged.
pub(super) fn read(message: &[u8]) -> Option<Vec<Snapshot<'static>>> {
    let start = memchr::memmem::find(message, MARKER.as_bytes())?;
    // What stands before the line is needed: it tells a word of its own from the end of another.
    let line_start = memchr::memrchr(b'\n', message.get(..start)?).map_or(0, |at| at + 1);
    let text = String::from_utf8_lossy(message.get(line_start..)?);
    match text.parse::<ebbline_pool::Snapshot>() {
        Ok(line) => Some(line.pools().iter().map(snapshot).collect()),
        Err(SnapshotError::NotASnapshot) => None,
        Err(_) => Some(Vec::new()),
    }
}

fn snapshot(pool: &PoolState) -> Snapshot<'static> {
    Snapshot {
        pool: Some(Cow::Owned(pool.name.to_string().into_bytes())),
        values: Values {
            max: Some(pool.max.into()),
            size: Some(pool.size.into()),
            idle: Some(pool.idle.into()),
            in_use: Some(pool.in_use.into()),
            waiting: Some(pool.waiting.into()),
            timeouts: Some(pool.timeouts),
            wait_us: None,
        },
    }
}
