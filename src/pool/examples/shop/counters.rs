//! What the shop counts itself, so that its log can be held against it.

use std::sync::atomic::{AtomicU64, Ordering};

use axum::http::StatusCode;

/// Counters since the start.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    requests: AtomicU64,
    responses_503: AtomicU64,
    pool_timeouts: AtomicU64,
}

impl Counters {
    /// A request was answered.
    pub(crate) fn answered(&self, status: StatusCode) {
        self.requests.fetch_add(1, Ordering::Relaxed);
        if status == StatusCode::SERVICE_UNAVAILABLE {
            self.responses_503.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Someone got no connection in time.
    pub(crate) fn timed_out(&self) {
        self.pool_timeouts.fetch_add(1, Ordering::Relaxed);
    }

    /// All of them.
    pub(crate) fn to_json(&self) -> String {
        let [requests, responses_503, pool_timeouts] =
            [&self.requests, &self.responses_503, &self.pool_timeouts]
                .map(|counter| counter.load(Ordering::Relaxed));
        format!(
            "{{\"requests\":{requests},\"responses_503\":{responses_503},\
             \"pool_timeouts\":{pool_timeouts}}}\n"
        )
    }
}
