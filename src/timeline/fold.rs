//! Folding: of many buckets the few rows that people read.

/// Whether quiet runs become one row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Folding {
    /// Runs of quiet buckets, and runs without data, are one row each.
    #[default]
    QuietRuns,
    /// Every bucket has a row.
    None,
}
