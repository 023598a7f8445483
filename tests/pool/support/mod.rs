//! Real servers for the tests: PostgreSQL, a streaming replica, PgBouncer.

mod agent;
mod events;
mod pgbouncer;
mod replica;
mod server;

pub(crate) use events::{Event, Events};
pub(crate) use pgbouncer::{Mode, PgBouncer};
pub(crate) use replica::Replica;
pub(crate) use server::Server;
