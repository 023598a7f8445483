//! The command line as a user and a script meet it: one binary run a test, on real files.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, unreachable_pub)]

mod harness;
#[path = "../support/journals.rs"]
mod journals;

mod classify;
mod copies;
mod docs;
mod events;
mod hostile;
mod options;
mod rules;
mod sample;
mod timeline;
