//! ebbline reconstructs how a service degraded, from its logs.
//!
//! The modules stand in the order in which the data flows through them: log bytes → entries →
//! events → minute tallies → timeline → a report → a table. A module imports only what stands
//! above it; `cli` alone knows arguments, the terminal and exit codes.

pub mod time;

pub mod entry;

pub mod rules;

pub mod source;

pub mod tally;

pub mod timeline;

pub mod git;

pub mod series;

pub mod report;

pub mod render;

pub mod probe;

pub mod cli;
