//! The second half of a timestamp: the time of day, its fraction, and the offset from UTC.

use super::cursor::Cursor;
use super::zone_name::ZoneName;

const MICROS_PER_SECOND: i64 = 1_000_000;

/// What a timestamp says about its distance from UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Offset {
    /// Nothing: a wall clock.
    Unknown,
    /// Seconds east of UTC.
    East(i64),
    /// The abbreviated name of a zone, whose meaning depends on where one is.
    Named(ZoneName),
}

/// `HH:MM:SS` with one to nine digits of fraction behind a dot or a comma, in microseconds of
/// the day.
///
/// Hours go from 0 to 23. The leap second 60 is the first second of the next minute. The
/// fraction is cut off behind the sixth digit.
#[inline]
pub(super) fn time_of_day(cursor: &mut Cursor<'_>) -> Option<i64> {
    let hour = cursor.digits::<2>()?;
    time_after_hour(cursor, hour)
}

/// `HH:MM`, where people leave out the seconds.
pub(super) fn minute_of_day(cursor: &mut Cursor<'_>) -> Option<i64> {
    let hour = cursor.digits::<2>()?;
    cursor.expect(b':')?;
    let minute = cursor.digits::<2>()?;
    let ends_here = cursor.peek() != Some(b':');
    micros_of_day(hour, minute, 0).filter(|_| ends_here)
}

/// `H:MM:SS` or `HH:MM:SS`, on a clock of 24 hours, or of 12 with AM or PM behind it.
pub(super) fn time_with_short_hour(cursor: &mut Cursor<'_>) -> Option<i64> {
    let hour = cursor.one_or_two_digits()?;
    let micros = time_after_hour(cursor, hour)?;
    with_day_half(cursor, micros)
}

/// The time of day that `micros` is, if AM or PM follow; `micros` itself if they do not; `None`
/// for an hour that a clock of 12 hours does not have.
///
/// Java 20 and later print U+202F before AM and PM (JDK-8304925).
#[inline]
pub(super) fn with_day_half(cursor: &mut Cursor<'_>, micros: i64) -> Option<i64> {
    const HOUR_MICROS: i64 = 3600 * MICROS_PER_SECOND;
    let mut ahead = *cursor;
    if !ahead.eat(b' ') {
        ahead.eat_all("\u{202f}".as_bytes());
    }
    let (Some(half @ (b'A' | b'a' | b'P' | b'p')), Some(b'M' | b'm')) =
        (ahead.peek(), ahead.peek_at(1))
    else {
        return Some(micros);
    };
    ahead.skip(2);
    if !ahead.at_boundary() {
        return Some(micros);
    }
    *cursor = ahead;
    match (micros / HOUR_MICROS, half) {
        (12, b'A' | b'a') => Some(micros - 12 * HOUR_MICROS),
        (1..=11, b'A' | b'a') | (12, _) => Some(micros),
        (1..=11, _) => Some(micros + 12 * HOUR_MICROS),
        _ => None,
    }
}

/// `:MM:SS` and a fraction, behind an hour that has been read.
#[inline]
fn time_after_hour(cursor: &mut Cursor<'_>, hour: u32) -> Option<i64> {
    cursor.expect(b':')?;
    let minute = cursor.digits::<2>()?;
    cursor.expect(b':')?;
    let second = cursor.digits::<2>()?;
    let whole = micros_of_day(hour, minute, second)?;
    Some(whole + fraction_micros(cursor))
}

/// Hour, minute and second as microseconds of the day, if they exist.
#[inline]
pub(super) fn micros_of_day(hour: u32, minute: u32, second: u32) -> Option<i64> {
    let exists = hour < 24 && minute < 60 && second <= 60;
    exists.then(|| i64::from(hour * 3600 + minute * 60 + second) * MICROS_PER_SECOND)
}

/// A fraction of a second in microseconds; 0 where none stands here.
///
/// `.` and `,` take one to nine digits. `:` takes exactly three, as WebSphere writes them: a
/// colon often ends the timestamp and has other numbers behind it.
#[inline]
pub(super) fn fraction_micros(cursor: &mut Cursor<'_>) -> i64 {
    /// What the last digit of a fraction of that many digits stands for.
    const PLACE_MICROS: [i64; 7] = [0, 100_000, 10_000, 1_000, 100, 10, 1];
    let [mark @ (b'.' | b',' | b':'), digits @ ..] = cursor.rest() else { return 0 };
    let mut number = 0;
    let mut count = 0;
    for byte in digits.iter().take(10).take_while(|byte| byte.is_ascii_digit()) {
        if count < 6 {
            number = number * 10 + i64::from(byte - b'0');
        }
        count += 1;
    }
    if !(1..=9).contains(&count) || (*mark == b':' && count != 3) {
        return 0;
    }
    cursor.skip(1 + count);
    number * PLACE_MICROS[count.min(6)]
}

/// The offset behind a time of day, with or without a space before it.
///
/// Understood are `Z`, `+02:00`, `+0200`, `+02`, `UTC`, `GMT`, `GMT+0200` and the abbreviations
/// that [`ZoneName`] knows. An offset is at most 14 hours and whole quarters of an hour, so that
/// a number behind the time is seldom taken for one.
#[inline]
pub(super) fn offset(cursor: &mut Cursor<'_>) -> Offset {
    let mut ahead = *cursor;
    ahead.eat(b' ');
    let found = match ahead.peek() {
        Some(b'+' | b'-') => signed_offset(&mut ahead).map(Offset::East),
        Some(b'A'..=b'Z') => named_offset(&mut ahead),
        Some(b'z') if ahead.at() == cursor.at() => named_offset(&mut ahead),
        _ => None,
    };
    match found {
        Some(found) if ahead.at_boundary() => {
            *cursor = ahead;
            found
        }
        _ => Offset::Unknown,
    }
}

/// `+02:00`, `+0200` or `+02`, in seconds east.
fn signed_offset(cursor: &mut Cursor<'_>) -> Option<i64> {
    let west = cursor.eat(b'-');
    if !west {
        cursor.expect(b'+')?;
    }
    let hours = cursor.digits::<2>()?;
    let mut ahead = *cursor;
    ahead.eat(b':');
    let minutes = match ahead.digits::<2>() {
        Some(minutes) => {
            *cursor = ahead;
            minutes
        }
        None => 0,
    };
    let total = i64::from(hours * 60 + minutes);
    let is_offset = minutes < 60 && minutes % 15 == 0 && total <= 14 * 60;
    is_offset.then_some(if west { -total * 60 } else { total * 60 })
}

/// `Z`, `UTC`, `PDT` and the like, and `GMT+0200` as JavaScript writes it.
fn named_offset(cursor: &mut Cursor<'_>) -> Option<Offset> {
    let rest = cursor.rest();
    let letters = rest.iter().take(6).take_while(|byte| byte.is_ascii_alphabetic()).count();
    let name = rest.get(..letters)?;
    cursor.skip(letters);
    match name {
        b"Z" | b"z" => Some(Offset::East(0)),
        b"UTC" | b"GMT" | b"UT" => {
            let mut ahead = *cursor;
            match signed_offset(&mut ahead) {
                Some(east) => {
                    *cursor = ahead;
                    Some(Offset::East(east))
                }
                None => Some(Offset::East(0)),
            }
        }
        _ => ZoneName::known(name).map(Offset::Named),
    }
}
