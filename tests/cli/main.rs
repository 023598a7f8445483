//! The command line as a user and a script meet it: one binary run a test, on real files.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, unreachable_pub)]

#[path = "../pool/support/servers/agent.rs"]
#[allow(dead_code)]
mod agent;
mod git;
mod harness;
#[path = "../support/journals.rs"]
mod journals;
#[path = "../support/writer.rs"]
mod writer;

mod chart;
mod classify;
mod copies;
mod docs;
mod events;
mod file_copies;
mod hostile;
mod incidents;
mod large_texts;
mod many_files;
mod openmetrics;
mod options;
mod packages;
mod pgbouncer;
mod pool;
mod probe;
mod rules;
mod sample;
mod shared_events;
mod timeline;
