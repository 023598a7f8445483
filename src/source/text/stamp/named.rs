//! Layouts that start with the name of a month or a weekday, or with a level's letter.

use super::Stamp;
use super::clock::{Offset, time_of_day, time_with_short_hour};
use super::cursor::Cursor;
use super::layout::Date;
use super::numeric::{compact_date, iso};

/// The month, 1 to 12, by the first three letters of its English name, in any case.
#[inline]
pub(super) fn month_name(cursor: &mut Cursor<'_>) -> Option<u32> {
    let month = match letters(cursor)? {
        [b'j', b'a', b'n'] => 1,
        [b'f', b'e', b'b'] => 2,
        [b'm', b'a', b'r'] => 3,
        [b'a', b'p', b'r'] => 4,
        [b'm', b'a', b'y'] => 5,
        [b'j', b'u', b'n'] => 6,
        [b'j', b'u', b'l'] => 7,
        [b'a', b'u', b'g'] => 8,
        [b's', b'e', b'p'] => 9,
        [b'o', b'c', b't'] => 10,
        [b'n', b'o', b'v'] => 11,
        [b'd', b'e', b'c'] => 12,
        _ => return None,
    };
    cursor.skip(3);
    Some(month)
}

/// Moves past the first three letters of a weekday's English name.
#[inline]
fn weekday_name(cursor: &mut Cursor<'_>) -> Option<()> {
    const NAMES: [[u8; 3]; 7] = [*b"mon", *b"tue", *b"wed", *b"thu", *b"fri", *b"sat", *b"sun"];
    let name = letters(cursor)?;
    NAMES.contains(&name).then(|| cursor.skip(3))
}

/// The next three bytes in lower case.
#[inline]
fn letters(cursor: &Cursor<'_>) -> Option<[u8; 3]> {
    let next = cursor.rest().get(..3)?;
    let next: [u8; 3] = next.try_into().ok()?;
    Some(next.map(|byte| byte.to_ascii_lowercase()))
}

/// A day of the month that is padded with a space or a zero, or not at all.
#[inline]
fn padded_day(cursor: &mut Cursor<'_>) -> Option<u32> {
    cursor.expect(b' ')?;
    cursor.eat(b' ');
    cursor.one_or_two_digits()
}

/// [`Layout::Syslog`](super::Layout::Syslog): `Mmm dd hh:mm:ss`, as RFC 3164 §4.1.2 and with
/// fractions.
#[inline]
pub(super) fn syslog(cursor: &mut Cursor<'_>) -> Option<Stamp> {
    let month = month_name(cursor)?;
    let day = padded_day(cursor)?;
    cursor.expect(b' ')?;
    let time = time_of_day(cursor)?;
    Date { year: None, month, day }.at_with_offset(time, cursor)
}

/// [`Layout::MonthFirst`](super::Layout::MonthFirst).
pub(super) fn month_first(cursor: &mut Cursor<'_>) -> Option<Stamp> {
    let month = month_name(cursor)?;
    let day = padded_day(cursor)?;
    cursor.eat(b',');
    cursor.expect(b' ')?;
    let year = cursor.digits::<4>()?;
    cursor.eat(b',');
    cursor.expect(b' ')?;
    let time = time_with_short_hour(cursor)?;
    Date::full(year, month, day).at_with_offset(time, cursor)
}

/// [`Layout::Ctime`](super::Layout::Ctime): the year stands behind the time, perhaps with a zone
/// between them; or before the time (JavaScript); or nowhere.
pub(super) fn ctime(cursor: &mut Cursor<'_>) -> Option<Stamp> {
    weekday_name(cursor)?;
    cursor.expect(b' ')?;
    let month = month_name(cursor)?;
    let day = padded_day(cursor)?;
    cursor.expect(b' ')?;
    let mut ahead = *cursor;
    if let Some(year) = ahead.digits::<4>() {
        *cursor = ahead;
        cursor.expect(b' ')?;
        let time = time_of_day(cursor)?;
        return Date::full(year, month, day).at_with_offset(time, cursor);
    }
    let time = time_of_day(cursor)?;
    let offset = super::clock::offset(cursor);
    let mut ahead = *cursor;
    let year = if ahead.eat(b' ') { ahead.digits::<4>() } else { None };
    match year {
        Some(year) if ahead.at_boundary() => {
            *cursor = ahead;
            Date::full(year, month, day).at(time, offset)
        }
        _ => Date { year: None, month, day }.at(time, offset),
    }
}

/// [`Layout::Rfc5322`](super::Layout::Rfc5322).
pub(super) fn rfc5322(cursor: &mut Cursor<'_>) -> Option<Stamp> {
    weekday_name(cursor)?;
    cursor.expect(b',')?;
    let day = padded_day(cursor)?;
    cursor.expect(b' ')?;
    let month = month_name(cursor)?;
    cursor.expect(b' ')?;
    let year = cursor.digits::<4>()?;
    cursor.expect(b' ')?;
    let time = time_of_day(cursor)?;
    Date::full(year, month, day).at_with_offset(time, cursor)
}

/// [`Layout::WeekdayIso`](super::Layout::WeekdayIso).
pub(super) fn weekday_iso(cursor: &mut Cursor<'_>) -> Option<Stamp> {
    weekday_name(cursor)?;
    cursor.expect(b' ')?;
    iso(cursor)
}

/// [`Layout::Klog`](super::Layout::Klog): a level's letter, `MMDD` or `YYYYMMDD`, and the time.
#[inline]
pub(super) fn klog(cursor: &mut Cursor<'_>) -> Option<Stamp> {
    if !matches!(cursor.peek()?, b'I' | b'W' | b'E' | b'F') {
        return None;
    }
    cursor.skip(1);
    let date = if cursor.count_digits() == 8 {
        compact_date(cursor)?
    } else {
        Date { year: None, month: cursor.digits::<2>()?, day: cursor.digits::<2>()? }
    };
    cursor.expect(b' ')?;
    let time = time_of_day(cursor)?;
    date.at(time, Offset::Unknown)
}
