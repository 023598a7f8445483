//! Layouts that start with a digit.

use super::Stamp;
use super::clock::{self, Offset, micros_of_day, time_of_day, time_with_short_hour, with_day_half};
use super::cursor::Cursor;
use super::layout::Date;
use super::named::month_name;

/// [`Layout::Iso`](super::Layout::Iso): `YYYY-MM-DD` or `YYYY/MM/DD`, then the time.
#[inline]
pub(super) fn iso(cursor: &mut Cursor<'_>) -> Option<Stamp> {
    if let Some((date, whole)) = common_iso(cursor) {
        let time = whole + clock::fraction_micros(cursor);
        return date.at_with_offset(with_day_half(cursor, time)?, cursor);
    }
    let date = iso_date(cursor)?;
    let separator = cursor.peek()?;
    iso_separator(cursor)?;
    if separator == b'-' && cursor.peek_at(2) == Some(b'.') {
        return db2_time(cursor, date);
    }
    let start = *cursor;
    let time = time_with_short_hour(cursor).or_else(|| {
        *cursor = start;
        clock::minute_of_day(cursor)
    })?;
    date.at_with_offset(time, cursor)
}

/// `YYYY-MM-DD HH:MM:SS` with `T` or one space, which nearly all logs have, in one step: half the
/// time of reading it piece by piece.
#[inline]
fn common_iso(cursor: &mut Cursor<'_>) -> Option<(Date, i64)> {
    let text: &[u8; 19] = cursor.rest().first_chunk()?;
    let separators = [text[4], text[7], text[10], text[13], text[16]];
    let is_common = matches!(
        separators,
        [b'-', b'-', b'T' | b' ', b':', b':'] | [b'/', b'/', b' ', b':', b':']
    );
    let digits = [0, 1, 2, 3, 5, 6, 8, 9, 11, 12, 14, 15, 17, 18];
    if !is_common || !digits.iter().all(|place| text[*place].is_ascii_digit()) {
        return None;
    }
    let pair =
        |place: usize| u32::from(text[place] - b'0') * 10 + u32::from(text[place + 1] - b'0');
    let date = Date::full(pair(0) * 100 + pair(2), pair(5), pair(8));
    let micros = micros_of_day(pair(11), pair(14), pair(17))?;
    cursor.skip(text.len());
    Some((date, micros))
}

#[inline]
fn iso_date(cursor: &mut Cursor<'_>) -> Option<Date> {
    let year = cursor.digits::<4>()?;
    let separator = cursor.peek()?;
    if separator != b'-' && separator != b'/' {
        return None;
    }
    cursor.skip(1);
    let month = cursor.digits::<2>()?;
    cursor.expect(separator)?;
    let day = cursor.digits::<2>()?;
    Some(Date::full(year, month, day))
}

/// What stands between date and time: `T`, a space or two (MariaDB's hour may have one digit), a
/// tab (CloudFront), `_`, `-` (Db2), `:`, a comma and a space, or ` - ` (GIN).
#[inline]
fn iso_separator(cursor: &mut Cursor<'_>) -> Option<()> {
    match cursor.peek()? {
        b'T' | b't' | b'_' | b'-' | b':' | b'\t' => cursor.skip(1),
        b' ' => {
            if !cursor.eat_all(b" - ") && !cursor.eat_all(b"  ") {
                cursor.skip(1);
            }
        }
        b',' if cursor.peek_at(1) == Some(b' ') => cursor.skip(2),
        _ => return None,
    }
    Some(())
}

/// `04.49.00.123456-420`: Db2's diagnostic log, with its offset in minutes.
fn db2_time(cursor: &mut Cursor<'_>, date: Date) -> Option<Stamp> {
    let hour = cursor.digits::<2>()?;
    cursor.expect(b'.')?;
    let minute = cursor.digits::<2>()?;
    cursor.expect(b'.')?;
    let second = cursor.digits::<2>()?;
    let micros = micros_of_day(hour, minute, second)? + clock::fraction_micros(cursor);
    let mut ahead = *cursor;
    let west = ahead.eat(b'-');
    if (west || ahead.eat(b'+'))
        && let Some(minutes) = ahead.digits::<3>()
    {
        *cursor = ahead;
        let east = i64::from(minutes) * 60;
        return date.at(micros, Offset::East(if west { -east } else { east }));
    }
    date.at(micros, Offset::Unknown)
}

/// [`Layout::Compact`](super::Layout::Compact): `YYYYMMDD`, then `HHMMSS` or `HH:MM:SS`.
pub(super) fn compact(cursor: &mut Cursor<'_>) -> Option<Stamp> {
    let count = cursor.count_digits();
    let date = compact_date(cursor)?;
    let separated = match count {
        8 => {
            if !matches!(cursor.peek()?, b'T' | b' ' | b'_' | b'-') {
                return None;
            }
            cursor.skip(1);
            true
        }
        14 | 17 => false,
        _ => return None,
    };
    if separated && cursor.peek_at(2) == Some(b':') {
        let time = time_of_day(cursor)?;
        return date.at_with_offset(time, cursor);
    }
    let (hour, minute, second) =
        (cursor.digits::<2>()?, cursor.digits::<2>()?, cursor.digits::<2>()?);
    let whole = micros_of_day(hour, minute, second)?;
    let fraction = match count {
        17 => i64::from(cursor.digits::<3>()?) * 1_000,
        _ => clock::fraction_micros(cursor),
    };
    date.at_with_offset(whole + fraction, cursor)
}

/// `YYYYMMDD`.
pub(super) fn compact_date(cursor: &mut Cursor<'_>) -> Option<Date> {
    Some(Date::full(cursor.digits::<4>()?, cursor.digits::<2>()?, cursor.digits::<2>()?))
}

/// [`Layout::TwoDigitYear`](super::Layout::TwoDigitYear): `YYMMDD`, a space, and a time whose
/// hour MySQL pads with a space.
pub(super) fn two_digit_year(cursor: &mut Cursor<'_>) -> Option<Stamp> {
    let (year, month, day) = (cursor.digits::<2>()?, cursor.digits::<2>()?, cursor.digits::<2>()?);
    if cursor.skip_spaces() == 0 {
        return None;
    }
    let hour = cursor.one_or_two_digits()?;
    cursor.expect(b':')?;
    let minute = cursor.digits::<2>()?;
    cursor.expect(b':')?;
    let second = cursor.digits::<2>()?;
    let micros = micros_of_day(hour, minute, second)? + clock::fraction_micros(cursor);
    Date::full(2000 + year, month, day).at(micros, Offset::Unknown)
}

/// Whether a date of three times two digits that begins at `start` has its year last: that of
/// WebSphere, which has a colon before its milliseconds, and of Python's rich, in brackets.
fn is_month_first(cursor: &Cursor<'_>, start: usize) -> bool {
    let opener = cursor.peek_back(cursor.at() - start + 1);
    cursor.peek_back(4) == Some(b':') || (opener == Some(b'[') && cursor.peek() == Some(b']'))
}

/// [`Layout::TwoDigitYearSlashed`](super::Layout::TwoDigitYearSlashed).
pub(super) fn two_digit_year_slashed(cursor: &mut Cursor<'_>) -> Option<Stamp> {
    let start = cursor.at();
    let year = cursor.digits::<2>()?;
    cursor.expect(b'/')?;
    let month = cursor.digits::<2>()?;
    cursor.expect(b'/')?;
    let day = cursor.digits::<2>()?;
    cursor.expect(b' ')?;
    let time = time_of_day(cursor)?;
    if is_month_first(cursor, start) {
        return None;
    }
    Date::full(2000 + year, month, day).at_with_offset(time, cursor)
}

/// [`Layout::Clf`](super::Layout::Clf).
#[inline]
pub(super) fn clf(cursor: &mut Cursor<'_>) -> Option<Stamp> {
    let day = cursor.digits::<2>()?;
    cursor.expect(b'/')?;
    let month = month_name(cursor)?;
    cursor.expect(b'/')?;
    let year = cursor.digits::<4>()?;
    if !cursor.eat(b':') && !cursor.eat(b' ') {
        return None;
    }
    let time = time_of_day(cursor)?;
    Date::full(year, month, day).at_with_offset(time, cursor)
}

/// [`Layout::DayFirst`](super::Layout::DayFirst): the day, a month by name and perhaps a year,
/// between spaces or hyphens.
pub(super) fn day_first(cursor: &mut Cursor<'_>) -> Option<Stamp> {
    let day = cursor.one_or_two_digits()?;
    let separator = cursor.peek()?;
    if separator != b'-' && separator != b' ' {
        return None;
    }
    cursor.skip(1);
    let month = month_name(cursor)?;
    cursor.expect(separator)?;
    let mut ahead = *cursor;
    let date = match ahead.digits::<4>() {
        Some(year) => {
            *cursor = ahead;
            if !cursor.eat_all(b"::") && !cursor.eat(b' ') {
                return None;
            }
            Date::full(year, month, day)
        }
        None => Date { year: None, month, day },
    };
    let time = time_of_day(cursor)?;
    date.at_with_offset(time, cursor)
}

/// [`Layout::Dotted`](super::Layout::Dotted).
pub(super) fn dotted(cursor: &mut Cursor<'_>) -> Option<Stamp> {
    let day = cursor.digits::<2>()?;
    cursor.expect(b'.')?;
    let month = cursor.digits::<2>()?;
    cursor.expect(b'.')?;
    let year = cursor.digits::<4>()?;
    cursor.eat(b',');
    cursor.expect(b' ')?;
    let time = time_of_day(cursor)?;
    Date::full(year, month, day).at_with_offset(time, cursor)
}

/// [`Layout::Slashed`](super::Layout::Slashed).
///
/// A year of two digits is taken if month or day have but one, or behind it stands WebSphere's
/// `:123` of milliseconds: `26/05/06 04:49:00` is Spark's, which puts the year first.
pub(super) fn slashed(cursor: &mut Cursor<'_>) -> Option<Stamp> {
    const TWO_DIGITS_EACH: usize = b"05/06/".len();
    let start = cursor.at();
    let first = cursor.one_or_two_digits()?;
    cursor.expect(b'/')?;
    let second = cursor.one_or_two_digits()?;
    cursor.expect(b'/')?;
    let could_be_year_first = cursor.at() - start == TWO_DIGITS_EACH;
    let (year, has_century) = match cursor.digits::<4>() {
        Some(year) => (year, true),
        None => (2000 + cursor.digits::<2>()?, false),
    };
    cursor.eat(b',');
    cursor.expect(b' ')?;
    let time = time_with_short_hour(cursor)?;
    if !has_century && could_be_year_first && !is_month_first(cursor, start) {
        return None;
    }
    let (month, day) = if first > 12 { (second, first) } else { (first, second) };
    Date::full(year, month, day).at_with_offset(time, cursor)
}

/// [`Layout::MonthDay`](super::Layout::MonthDay).
pub(super) fn month_day(cursor: &mut Cursor<'_>) -> Option<Stamp> {
    let month = cursor.digits::<2>()?;
    cursor.expect(b'-')?;
    let day = cursor.digits::<2>()?;
    cursor.expect(b' ')?;
    let time = time_of_day(cursor)?;
    Date { year: None, month, day }.at(time, Offset::Unknown)
}
