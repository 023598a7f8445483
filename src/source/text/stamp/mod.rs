//! Timestamps of text logs: where in a line they stand, and what they say.
//!
//! A timestamp counts only at the head of a line, where programs put the time of the entry: a
//! date further inside is data, and a line without a timestamp continues the entry before it.
//! `head` knows what may stand before a timestamp, `layout` how timestamps are written.

mod civil;
mod clock;
mod cursor;
mod epoch;
mod head;
mod inline;
mod layout;
mod named;
mod numeric;
mod prefix;
mod years;
mod zone_name;

use std::ops::Range;

use crate::time::Timestamp;

pub use civil::{Civil, Resolver};
pub use head::{find, find_like, parse_value};
pub use layout::Layout;
pub use years::{YearSurvey, YearTracker};
pub use zone_name::ZoneName;

/// What a timestamp says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stamp {
    /// An instant: the timestamp counts from 1970, or names its offset from UTC.
    Instant(Timestamp),
    /// What a wall clock showed; which instant that was depends on the zone, and on the year
    /// where the layout has none.
    Civil(Civil),
}

/// A timestamp, and where in the line it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// What it says.
    pub stamp: Stamp,
    /// The bytes of the line that say so, with fraction and zone, without brackets or quotes.
    pub range: Range<usize>,
    /// How it is written.
    pub layout: Layout,
}
