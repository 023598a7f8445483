//! Renderers of pool series: a table with sparklines, CSV, JSON and OpenMetrics.

pub mod csv;
pub mod json;
pub mod openmetrics;
pub mod sparkline;
pub mod table;
