//! Placeholder.

pub mod stamp;
