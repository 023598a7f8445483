//! `--follow` beside the programs that write logs and put them aside: a real journald, a real
//! logrotate, a real terminal.
//!
//! What is logged is numbered, and each number must come out exactly once. The tests wait for
//! conditions and assert no times. Those that start a journald need root or sudo.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, unreachable_pub, dead_code)]

#[path = "cli/harness.rs"]
mod harness;
#[path = "support/journald.rs"]
mod journald;

#[path = "support/journals.rs"]
mod writers;

#[path = "follow/following.rs"]
mod following;

#[path = "follow/daemons.rs"]
mod daemons;
#[path = "follow/ends.rs"]
mod ends;
#[path = "follow/formats.rs"]
mod formats;
#[path = "follow/journals.rs"]
mod journals;
#[path = "follow/screen.rs"]
mod screen;
#[path = "follow/texts.rs"]
mod texts;
