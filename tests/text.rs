//! The readers of text: dumps of the real journalctl, real compression tools, and logs as
//! programs write them.
#![allow(unreachable_pub)]

#[path = "text/dumps.rs"]
mod dumps;
#[path = "text/lines.rs"]
mod lines;
#[path = "text/support.rs"]
mod support;
