//! The readers of text: dumps of the real journalctl, real compression tools, and logs as
//! programs write them.
#![allow(unreachable_pub, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "text/compressed.rs"]
mod compressed;
#[path = "text/containers.rs"]
mod containers;
#[path = "text/dropped.rs"]
mod dropped;
#[path = "text/dumps.rs"]
mod dumps;
#[path = "text/growing.rs"]
mod growing;
#[path = "text/hostile.rs"]
mod hostile;
#[path = "text/lines.rs"]
mod lines;
#[path = "text/properties.rs"]
mod properties;
#[path = "text/support.rs"]
mod support;
