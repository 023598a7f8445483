//! Abbreviated names of time zones, as PostgreSQL, PHP, `date` and journalctl print them.

/// Names that mean one offset wherever they are in use today, in minutes east of UTC.
///
/// The offsets are those of the IANA time zone database, and of PostgreSQL's
/// `src/timezone/tznames/Default`.
const UNAMBIGUOUS: &[(&str, i64)] = &[
    ("UTC", 0),
    ("PDT", -7 * 60),
    ("PST", -8 * 60),
    ("EDT", -4 * 60),
    ("EST", -5 * 60),
    ("CDT", -5 * 60),
    ("MDT", -6 * 60),
    ("MST", -7 * 60),
    ("CEST", 2 * 60),
    ("CET", 60),
    ("BST", 60),
    ("JST", 9 * 60),
    ("MSK", 3 * 60),
    ("WET", 0),
    ("WEST", 60),
    ("EET", 2 * 60),
    ("EEST", 3 * 60),
    ("AKST", -9 * 60),
    ("AKDT", -8 * 60),
    ("HST", -10 * 60),
    ("HDT", -9 * 60),
    ("NDT", -2 * 60 - 30),
    ("ADT", -3 * 60),
    ("BRT", -3 * 60),
    ("SAST", 2 * 60),
    ("CAT", 2 * 60),
    ("EAT", 3 * 60),
    ("WAT", 60),
    ("PKT", 5 * 60),
    ("WIB", 7 * 60),
    ("WITA", 8 * 60),
    ("WIT", 9 * 60),
    ("HKT", 8 * 60),
    ("SGT", 8 * 60),
    ("KST", 9 * 60),
    ("AWST", 8 * 60),
    ("ACST", 9 * 60 + 30),
    ("ACDT", 10 * 60 + 30),
    ("AEST", 10 * 60),
    ("AEDT", 11 * 60),
    ("NZST", 12 * 60),
    ("NZDT", 13 * 60),
];

/// Names that several countries use for different offsets: only the zone of the file says which.
const AMBIGUOUS: &[&str] = &["CST", "IST", "AST", "SST", "NST", "PHT", "SAMT", "CHST"];

/// The name, if it is one that a timestamp may end in.
pub(super) fn known(name: &[u8]) -> Option<&'static str> {
    if !(3..=4).contains(&name.len()) {
        return None;
    }
    let unambiguous = UNAMBIGUOUS.iter().map(|(known, _)| *known);
    unambiguous.chain(AMBIGUOUS.iter().copied()).find(|known| known.as_bytes() == name)
}

/// Seconds east of UTC that `name` means; `None` for a name that means several things.
pub(super) fn seconds_east(name: &str) -> Option<i64> {
    let (_, minutes) = UNAMBIGUOUS.iter().find(|(known, _)| *known == name)?;
    Some(minutes * 60)
}
