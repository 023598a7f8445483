//! Renderers: a report as a table for a terminal, Markdown, CSV, JSON, NDJSON
//! or OpenMetrics.
//!
//! Each format is a file with one `render(&Report, …, &mut dyn io::Write)`. A renderer decides how
//! things look and nothing else: what is counted and folded was settled before.

pub mod escape;

pub mod heading;

pub mod cells;

pub mod duration;

mod changes;

mod footer;

pub mod gaps;

pub mod incidents;

pub mod table;

pub mod lines;

pub mod markdown;

pub mod csv;

pub mod json;

pub mod ndjson;

pub mod openmetrics;

pub mod pool;

pub mod chart;
