//! Numbers that count from 1970: seconds, milliseconds, microseconds or nanoseconds.

use super::Stamp;
use super::clock;
use super::cursor::Cursor;
use crate::time::Timestamp;

/// 2000-01-01 and 2100-01-01: a number outside is an id or a size rather than a time.
const PLAUSIBLE_SECONDS: std::ops::Range<i64> = 946_684_800..4_102_444_800;

/// Ten digits and perhaps a fraction are seconds; 13, 16 and 19 digits milliseconds,
/// microseconds and nanoseconds. `1.714990000123e+09` is zap's way to write seconds.
pub(super) fn epoch(cursor: &mut Cursor<'_>) -> Option<Stamp> {
    let count = cursor.count_digits();
    let (units_per_second, micros_per_unit) = match count {
        1 => return scientific(cursor),
        10 => (1, 1_000_000),
        13 => (1_000, 1_000),
        16 => (1_000_000, 1),
        19 => (1_000_000_000, 0),
        _ => return None,
    };
    let number = cursor.rest().iter().take(count);
    let number = number.fold(0_i64, |sum, digit| {
        sum.saturating_mul(10).saturating_add(i64::from(digit.wrapping_sub(b'0')))
    });
    cursor.skip(count);
    if !PLAUSIBLE_SECONDS.contains(&(number / units_per_second)) {
        return None;
    }
    let micros = match count {
        10 => number * micros_per_unit + dot_fraction_micros(cursor)?,
        13 => number * micros_per_unit + dot_fraction_micros(cursor)? / 1_000,
        16 => number,
        _ => number / 1_000,
    };
    ends_here(cursor).then(|| Timestamp::from_micros(micros).map(Stamp::Instant))?
}

/// Whether a number that could be an id ends as a time would: `1714990000-ab.html` does not.
fn ends_here(cursor: &Cursor<'_>) -> bool {
    matches!(
        cursor.peek(),
        None | Some(
            b' ' | b'\t'
                | b'\r'
                | b'\n'
                | b']'
                | b')'
                | b'>'
                | b','
                | b';'
                | b':'
                | b'|'
                | b'"'
                | 0x1b
        )
    )
}

/// A fraction behind a dot. A dot that no digit follows, or a second dot behind the digits,
/// belongs to something else: a version, an address.
fn dot_fraction_micros(cursor: &mut Cursor<'_>) -> Option<i64> {
    if cursor.peek() != Some(b'.') {
        return Some(0);
    }
    let before = cursor.at();
    let micros = clock::fraction_micros(cursor);
    let is_fraction = cursor.at() > before && cursor.peek() != Some(b'.');
    is_fraction.then_some(micros)
}

/// `d.ddddde+09`: seconds with the precision of a double.
fn scientific(cursor: &mut Cursor<'_>) -> Option<Stamp> {
    let rest = cursor.rest();
    let length = rest
        .iter()
        .take(30)
        .take_while(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+'))
        .count();
    let text = std::str::from_utf8(rest.get(..length)?).ok()?;
    if !text.contains(['e', 'E']) || !text.contains('.') {
        return None;
    }
    let number: f64 = text.parse().ok()?;
    let seconds = if number >= 1e12 { number / 1e3 } else { number };
    let plausible = PLAUSIBLE_SECONDS.start as f64..PLAUSIBLE_SECONDS.end as f64;
    if !plausible.contains(&seconds) {
        return None;
    }
    cursor.skip(length);
    Timestamp::from_micros((seconds * 1e6).round() as i64).map(Stamp::Instant)
}
