//! Incidents as people and programs read them: a sentence that says how long it was, a table, and
//! for each incident what is known of it. All texts of logs are still as they were logged here;
//! [`table`], [`markdown`] and [`json`] escape them, each for its reader.

pub mod json;

pub mod markdown;

pub mod table;

mod blocks;

mod summary;

mod words;

use crate::tally::Evidence;

/// Gives the command that shows an entry: it depends on the files that were read.
pub type Show<'a> = &'a dyn Fn(&Evidence) -> String;

pub(super) use summary::lines;
