//! The pool package against a real PostgreSQL: servers, a streaming replica and a PgBouncer that
//! the tests start for themselves. One file a promise.
//!
//! A part that is missing fails the test and says how to install it. The servers end with the
//! test, also when it panics or its process is killed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod bypasses;
mod cancellation;
mod failures;
mod handles;
mod handover;
mod interleavings;
mod journald;
mod leak;
mod logger;
mod metrics;
mod poolers;
mod roles;
mod routing;
mod servers;
mod settings;
mod snapshot;
mod support;
