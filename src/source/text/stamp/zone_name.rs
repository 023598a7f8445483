//! Abbreviated names of time zones, as PostgreSQL, PHP, `date` and journalctl print them.

use std::fmt;

/// A name, filled up with spaces, and the minutes east of UTC that it means.
type Entry = ([u8; 4], Option<i64>);

/// Every name that a timestamp may end in, sorted.
///
/// `None`: several countries use the name for different offsets, and only the zone of the file
/// says which. The offsets are those of the IANA time zone database, and of PostgreSQL's
/// `src/timezone/tznames/Default`.
const NAMES: &[Entry] = &[
    (*b"ACDT", Some(10 * 60 + 30)),
    (*b"ACST", Some(9 * 60 + 30)),
    (*b"ADT ", Some(-3 * 60)),
    (*b"AEDT", Some(11 * 60)),
    (*b"AEST", Some(10 * 60)),
    (*b"AKDT", Some(-8 * 60)),
    (*b"AKST", Some(-9 * 60)),
    (*b"AST ", None),
    (*b"AWST", Some(8 * 60)),
    (*b"BRT ", Some(-3 * 60)),
    (*b"BST ", Some(60)),
    (*b"CAT ", Some(2 * 60)),
    (*b"CDT ", Some(-5 * 60)),
    (*b"CEST", Some(2 * 60)),
    (*b"CET ", Some(60)),
    (*b"CHST", None),
    (*b"CST ", None),
    (*b"EAT ", Some(3 * 60)),
    (*b"EDT ", Some(-4 * 60)),
    (*b"EEST", Some(3 * 60)),
    (*b"EET ", Some(2 * 60)),
    (*b"EST ", Some(-5 * 60)),
    (*b"HDT ", Some(-9 * 60)),
    (*b"HKT ", Some(8 * 60)),
    (*b"HST ", Some(-10 * 60)),
    (*b"IST ", None),
    (*b"JST ", Some(9 * 60)),
    (*b"KST ", Some(9 * 60)),
    (*b"MDT ", Some(-6 * 60)),
    (*b"MSK ", Some(3 * 60)),
    (*b"MST ", Some(-7 * 60)),
    (*b"NDT ", Some(-2 * 60 - 30)),
    (*b"NST ", None),
    (*b"NZDT", Some(13 * 60)),
    (*b"NZST", Some(12 * 60)),
    (*b"PDT ", Some(-7 * 60)),
    (*b"PHT ", None),
    (*b"PKT ", Some(5 * 60)),
    (*b"PST ", Some(-8 * 60)),
    (*b"SAMT", None),
    (*b"SAST", Some(2 * 60)),
    (*b"SGT ", Some(8 * 60)),
    (*b"SST ", None),
    (*b"UTC ", Some(0)),
    (*b"WAT ", Some(60)),
    (*b"WEST", Some(60)),
    (*b"WET ", Some(0)),
    (*b"WIB ", Some(7 * 60)),
    (*b"WIT ", Some(9 * 60)),
    (*b"WITA", Some(8 * 60)),
];

/// The abbreviated name of a time zone, such as `PDT`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ZoneName(&'static Entry);

impl ZoneName {
    /// Coordinated universal time.
    pub(super) const UTC: Self = Self(&(*b"UTC ", Some(0)));

    /// The zone of this name, if it is one that timestamps end in.
    #[inline]
    pub(super) fn known(name: &[u8]) -> Option<Self> {
        let padded = match *name {
            [a, b, c] => [a, b, c, b' '],
            [a, b, c, d] => [a, b, c, d],
            _ => return None,
        };
        let place = NAMES.binary_search_by_key(&padded, |(known, _)| *known).ok()?;
        NAMES.get(place).map(Self)
    }

    /// The name.
    pub fn as_str(self) -> &'static str {
        std::str::from_utf8(self.0.0.trim_ascii_end()).unwrap_or_default()
    }

    /// Seconds east of UTC, if the name means the same everywhere.
    pub(super) fn seconds_east(self) -> Option<i64> {
        self.0.1.map(|minutes| minutes * 60)
    }
}

impl fmt::Display for ZoneName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_found() {
        for entry in NAMES {
            let name = ZoneName(entry);
            assert_eq!(ZoneName::known(name.as_str().as_bytes()), Some(name));
        }
        assert_eq!(ZoneName::known(b"PST").and_then(ZoneName::seconds_east), Some(-8 * 3600));
        assert_eq!(ZoneName::known(b"INFO"), None);
    }
}
