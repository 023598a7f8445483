//! The table of layouts: what each looks like, and who writes it.
//!
//! A layout is read at one place in a line. No text is read by two of them, so a reader that
//! knows the layout of the line before may try that one alone.

use super::civil::{Civil, days_since_epoch};
use super::clock::{self, Offset};
use super::cursor::Cursor;
use super::zone_name::ZoneName;
use super::{Found, Stamp, epoch, named, numeric};
use crate::time::Timestamp;

/// How a timestamp is written. Separators, fractions and offsets may differ within one layout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Layout {
    /// `2026-05-06T04:49:00.123456-07:00`, `2026-05-06 04:49:00,123`, `2026/05/06 04:49:00`: ISO
    /// 8601 and its cousins. RFC 5424 §6.2.3, Python `logging`, logback, PostgreSQL `%m`, Docker
    /// and CRI, nginx's error log, Go's `log`, W3C extended logs, and most others.
    Iso,
    /// `20260506T044900`, `20260506 04:49:00`, `20260506044900123`: ISO 8601's basic format,
    /// log4j's `COMPACT`.
    Compact,
    /// `260506 10:11:12`: MySQL before 5.7, Tornado's `LogFormatter`.
    TwoDigitYear,
    /// `26/05/06 04:49:00`: Spark's and Hadoop's log4j default (`yy/MM/dd HH:mm:ss`).
    TwoDigitYearSlashed,
    /// `06/May/2026:04:49:00 -0700`: the Common Log Format of Apache (`%t`), nginx
    /// (`$time_local`) and many others; Django's and Werkzeug's servers with a space before the
    /// time; HAProxy (`%tr`) with milliseconds and no offset.
    Clf,
    /// `06-May-2026 04:49:00.123`, `06 May 2026 04:49:00,123`, `6-May-2026::04:49:00`: Tomcat,
    /// BIND, PHP's error log, Oracle's listener, Redis, log4j's `DATE`, Erlang's SASL reports;
    /// `06 May 10:11:12.123` of Redis before 4 and Odyssey has no year.
    DayFirst,
    /// `06.05.2026 04:49:00`: German and Russian configurations, day first.
    Dotted,
    /// `5/6/2026 4:49:00 AM`: Windows and .NET. The month comes first, unless the first number
    /// is greater than 12.
    Slashed,
    /// `May  6 04:49:00`: RFC 3164, journalctl `-o short` and `short-precise`.
    Syslog,
    /// `May 06, 2026 4:49:00 AM` of `java.util.logging`, `May 06 2026 04:49:00` of Cisco.
    MonthFirst,
    /// `Wed May  6 04:49:00.123456 2026`: `ctime(3)`, Apache's error log, `date(1)`, JavaScript's
    /// `Date`; MongoDB before 2.6 has no year.
    Ctime,
    /// `Wed, 06 May 2026 04:49:00 GMT`: RFC 5322 and RFC 9110 dates.
    Rfc5322,
    /// `Wed 2026-05-06 04:49:00 PDT`: journalctl `-o short-full`, `with-unit` and `verbose`.
    WeekdayIso,
    /// `I0506 04:49:00.123456` and `I20260506 04:49:00.123456`: klog, glog, Abseil.
    Klog,
    /// `05-06 04:49:00.123`: Android's logcat and vLLM; no year.
    MonthDay,
    /// `1714990000.123`, and milliseconds, microseconds or nanoseconds since 1970: Squid,
    /// journalctl `-o short-unix`, Nagios, auditd, zap.
    Epoch,
}

impl Layout {
    /// Reads a timestamp of this layout that starts at `at`.
    #[inline]
    pub(super) fn read(self, line: &[u8], at: usize) -> Option<Found> {
        let mut cursor = Cursor::new(line, at);
        let stamp = match self {
            Self::Iso => numeric::iso(&mut cursor),
            Self::Compact => numeric::compact(&mut cursor),
            Self::TwoDigitYear => numeric::two_digit_year(&mut cursor),
            Self::TwoDigitYearSlashed => numeric::two_digit_year_slashed(&mut cursor),
            Self::Clf => numeric::clf(&mut cursor),
            Self::DayFirst => numeric::day_first(&mut cursor),
            Self::Dotted => numeric::dotted(&mut cursor),
            Self::Slashed => numeric::slashed(&mut cursor),
            Self::MonthDay => numeric::month_day(&mut cursor),
            Self::Epoch => epoch::epoch(&mut cursor),
            Self::Syslog => named::syslog(&mut cursor),
            Self::MonthFirst => named::month_first(&mut cursor),
            Self::Ctime => named::ctime(&mut cursor),
            Self::Rfc5322 => named::rfc5322(&mut cursor),
            Self::WeekdayIso => named::weekday_iso(&mut cursor),
            Self::Klog => named::klog(&mut cursor),
        }?;
        cursor.at_boundary().then(|| Found { stamp, range: at..cursor.at(), layout: self })
    }
}

/// Layouts that start with a letter.
const NAMED: &[Layout] = &[
    Layout::Syslog,
    Layout::MonthFirst,
    Layout::Ctime,
    Layout::Rfc5322,
    Layout::WeekdayIso,
    Layout::Klog,
];

/// The layouts that text which starts with a digit may have, by where its first separator is.
///
/// Most lines that start with a digit and no timestamp are addresses, and are known here already.
#[inline]
fn numeric_candidates(text: &[u8]) -> &'static [Layout] {
    match text {
        [_, _, _, _, b'-' | b'/', ..] => &[Layout::Iso],
        [_, _, b'/', ..] => &[Layout::Clf, Layout::TwoDigitYearSlashed, Layout::Slashed],
        [_, _, b'-', ..] => &[Layout::DayFirst, Layout::MonthDay],
        [_, _, b'.', ..] => &[Layout::Dotted],
        [_, b'/', ..] => &[Layout::Slashed],
        [_, _, b' ', ..] | [_, b' ' | b'-', ..] => &[Layout::DayFirst],
        [_, b'.', ..] => &[Layout::Epoch],
        [_, b'0'..=b'9', b'0'..=b'9', b'0'..=b'9', b'0'..=b'9', ..] => {
            &[Layout::Epoch, Layout::Compact, Layout::TwoDigitYear]
        }
        _ => &[],
    }
}

/// Reads the timestamp that starts at `at`, whatever its layout.
#[inline]
pub(super) fn read_any(line: &[u8], at: usize) -> Option<Found> {
    let text = line.get(at..)?;
    let candidates = match text.first()? {
        b'0'..=b'9' => numeric_candidates(text),
        b'A'..=b'Z' | b'a'..=b'z' => NAMED,
        _ => return None,
    };
    candidates.iter().find_map(|layout| layout.read(line, at))
}

/// A calendar date as a layout writes it, not yet known to exist.
#[derive(Debug, Clone, Copy)]
pub(super) struct Date {
    pub(super) year: Option<i32>,
    pub(super) month: u32,
    pub(super) day: u32,
}

impl Date {
    /// A date with its year.
    #[inline]
    pub(super) fn full(year: u32, month: u32, day: u32) -> Self {
        Self { year: i32::try_from(year).ok(), month, day }
    }

    /// The date with a time of day and an offset: the timestamp, if there is such a day in the
    /// years 1970 to 2100. Other years in a log are data, not times.
    #[inline]
    pub(super) fn at(self, micros_of_day: i64, offset: Offset) -> Option<Stamp> {
        let month = u8::try_from(self.month).ok()?;
        let day = u8::try_from(self.day).ok()?;
        if self.year.is_some_and(|year| !(1970..=2100).contains(&year)) {
            return None;
        }
        const SOME_LEAP_YEAR: i32 = 2000;
        let days = days_since_epoch(self.year.unwrap_or(SOME_LEAP_YEAR), month, day)?;
        if let (Offset::East(east), Some(_)) = (offset, self.year) {
            let micros = (days * 86_400 - east) * 1_000_000 + micros_of_day;
            return Timestamp::from_micros(micros).map(Stamp::Instant);
        }
        let zone_name = match offset {
            Offset::Named(name) => Some(name),
            Offset::East(0) => Some(ZoneName::UTC),
            // No program is known that leaves out the year and writes another offset in digits.
            Offset::East(_) | Offset::Unknown => None,
        };
        Some(Stamp::Civil(Civil { year: self.year, month, day, micros_of_day, zone_name }))
    }

    /// Reads an offset behind the time of day and puts the timestamp together.
    #[inline]
    pub(super) fn at_with_offset(
        self,
        micros_of_day: i64,
        cursor: &mut Cursor<'_>,
    ) -> Option<Stamp> {
        let offset = clock::offset(cursor);
        self.at(micros_of_day, offset)
    }
}
