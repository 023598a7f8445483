//! Real servers: PostgreSQL, a streaming replica, PgBouncer. Needs nothing but `tempfile`.

mod agent;
mod pgbouncer;
mod replica;
mod server;

pub(crate) use pgbouncer::{Mode, PgBouncer};
pub(crate) use replica::Replica;
pub(crate) use server::Server;
