//! Real servers for the tests: PostgreSQL, a streaming replica, PgBouncer.

mod agent;
mod pgbouncer;
mod replica;
mod server;

pub(crate) use pgbouncer::{Mode, PgBouncer};
pub(crate) use replica::Replica;
pub(crate) use server::Server;
