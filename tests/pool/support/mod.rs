//! What the tests share: real servers, the log as the library writes it, cancellation.

mod cancel;
mod events;
mod log;
mod relay;
mod servers;

pub(crate) use cancel::cancelled_after;
pub(crate) use events::{Event, Events};
pub(crate) use log::Log;
pub(crate) use relay::relay_to;
pub(crate) use servers::{Mode, PgBouncer, Replica, Server};
