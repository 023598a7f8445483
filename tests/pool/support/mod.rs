//! Real servers for the tests: PostgreSQL, a streaming replica, PgBouncer.

mod agent;
mod cancel;
mod events;
mod log;
mod pgbouncer;
mod replica;
mod server;

pub(crate) use cancel::cancelled_after;
pub(crate) use events::{Event, Events};
pub(crate) use log::Log;
pub(crate) use pgbouncer::{Mode, PgBouncer};
pub(crate) use replica::Replica;
pub(crate) use server::Server;
