//! Times as people type them (`--since`, `--until`): what journalctl accepts, and RFC 3339.

use chrono::{
    DateTime, Days, Months, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, TimeZone, Utc,
};
use chrono_tz::Tz;

use crate::time::Timestamp;

/// Reads a time as of `now`, civil times in `zone`. The error says what is accepted.
pub(super) fn parse(text: &str, now: DateTime<Utc>, zone: Tz) -> Result<Timestamp, String> {
    let text = without_weekday(text.trim());
    let time = keyword(text, now, zone)
        .or_else(|| epoch(text))
        .or_else(|| relative(text, now, zone))
        .or_else(|| DateTime::parse_from_rfc3339(text).ok().map(|time| time.to_utc()))
        .or_else(|| civil(text, now, zone));
    time.and_then(Timestamp::from_utc).ok_or_else(|| {
        format!(
            "`{text}` is not a time.\nWrite `2026-05-06`, `2026-05-06 04:49`, `04:49`, \
             `yesterday`, `-3h`, `2 days ago`, `@1778068140` or RFC 3339."
        )
    })
}

/// What stands behind the day of the week that systemd prints before a date.
fn without_weekday(text: &str) -> &str {
    const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
    let rest = DAYS.iter().find_map(|day| text.strip_prefix(day)?.strip_prefix(' '));
    rest.unwrap_or(text)
}

fn keyword(text: &str, now: DateTime<Utc>, zone: Tz) -> Option<DateTime<Utc>> {
    let today = now.with_timezone(&zone).date_naive();
    let day = match text {
        "now" => return Some(now),
        "today" => today,
        "yesterday" => today.pred_opt()?,
        "tomorrow" => today.succ_opt()?,
        _ => return None,
    };
    in_zone(day.and_time(NaiveTime::MIN), zone)
}

fn epoch(text: &str) -> Option<DateTime<Utc>> {
    let (seconds, fraction) = match text.strip_prefix('@')?.split_once('.') {
        Some((seconds, fraction)) => (seconds, fraction),
        None => (text.strip_prefix('@')?, ""),
    };
    if !fraction.bytes().all(|byte| byte.is_ascii_digit()) || fraction.len() > 9 {
        return None;
    }
    let nanos: u32 = format!("{fraction:0<9}").parse().ok()?;
    DateTime::from_timestamp(seconds.parse().ok()?, nanos)
}

/// `-3h`, `+1h 30min`, `2 days ago`.
fn relative(text: &str, now: DateTime<Utc>, zone: Tz) -> Option<DateTime<Utc>> {
    let (amounts, into_past) = if let Some(rest) = text.strip_suffix("ago") {
        (rest, true)
    } else if let Some(rest) = text.strip_prefix('-') {
        (rest, true)
    } else {
        (text.strip_prefix('+')?, false)
    };
    let mut time = now;
    let mut rest = amounts.trim();
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let count: u32 = rest[..digits].parse().ok()?;
        let unit_on = rest[digits..].trim_start();
        let letters = unit_on.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(unit_on.len());
        time = shift(time, zone, count, &unit_on[..letters], into_past)?;
        rest = unit_on[letters..].trim_start();
    }
    Some(time)
}

/// Moves by a count of units. Days and more are steps of the calendar, so `-1d` is the same
/// time of day also where a day has 23 or 25 hours.
fn shift(
    time: DateTime<Utc>,
    zone: Tz,
    count: u32,
    unit: &str,
    into_past: bool,
) -> Option<DateTime<Utc>> {
    let seconds = match unit {
        "s" | "sec" | "secs" | "second" | "seconds" => 1,
        "m" | "min" | "mins" | "minute" | "minutes" => 60,
        "h" | "hr" | "hrs" | "hour" | "hours" => 3600,
        _ => return shift_calendar(time, zone, count, unit, into_past),
    };
    let delta = TimeDelta::seconds(i64::from(count) * seconds);
    if into_past { time.checked_sub_signed(delta) } else { time.checked_add_signed(delta) }
}

fn shift_calendar(
    time: DateTime<Utc>,
    zone: Tz,
    count: u32,
    unit: &str,
    into_past: bool,
) -> Option<DateTime<Utc>> {
    let civil = time.with_timezone(&zone).naive_local();
    let days = |per_unit: u64| Days::new(u64::from(count) * per_unit);
    let moved = match (unit, into_past) {
        ("d" | "day" | "days", true) => civil.checked_sub_days(days(1)),
        ("d" | "day" | "days", false) => civil.checked_add_days(days(1)),
        ("w" | "week" | "weeks", true) => civil.checked_sub_days(days(7)),
        ("w" | "week" | "weeks", false) => civil.checked_add_days(days(7)),
        ("M" | "month" | "months", true) => civil.checked_sub_months(Months::new(count)),
        ("M" | "month" | "months", false) => civil.checked_add_months(Months::new(count)),
        ("y" | "year" | "years", true) => {
            civil.checked_sub_months(Months::new(count.checked_mul(12)?))
        }
        ("y" | "year" | "years", false) => {
            civil.checked_add_months(Months::new(count.checked_mul(12)?))
        }
        _ => None,
    };
    in_zone(moved?, zone)
}

/// A date, a date and a time of day, or a time of today; a zone may follow.
fn civil(text: &str, now: DateTime<Utc>, zone: Tz) -> Option<DateTime<Utc>> {
    if let Some((head, name)) = text.rsplit_once(' ')
        && let Ok(named) = name.parse::<Tz>()
    {
        return civil(head, now, named);
    }
    // The zone's own name for its time, as ebbline prints it behind a time.
    if let Some((head, name)) = text.rsplit_once(' ')
        && let Some(time) = civil(head, now, zone)
        && time.with_timezone(&zone).format("%Z").to_string() == name
    {
        return Some(time);
    }
    if let Ok(day) = NaiveDate::parse_from_str(text, "%Y-%m-%d") {
        return in_zone(day.and_time(NaiveTime::MIN), zone);
    }
    if let Some(time) = time_of_day(text) {
        return in_zone(now.with_timezone(&zone).date_naive().and_time(time), zone);
    }
    let (day, time) = text.split_once([' ', 'T'])?;
    let day = NaiveDate::parse_from_str(day, "%Y-%m-%d").ok()?;
    in_zone(day.and_time(time_of_day(time.trim())?), zone)
}

fn time_of_day(text: &str) -> Option<NaiveTime> {
    ["%H:%M", "%H:%M:%S", "%H:%M:%S%.f"]
        .iter()
        .find_map(|format| NaiveTime::parse_from_str(text, format).ok())
}

/// The instant of a wall clock: the earlier of two, and the end of the gap for one that a zone
/// skipped.
fn in_zone(civil: NaiveDateTime, zone: Tz) -> Option<DateTime<Utc>> {
    use chrono::LocalResult::{Ambiguous, None as Skipped, Single};
    match zone.from_local_datetime(&civil) {
        Single(time) | Ambiguous(time, _) => Some(time.to_utc()),
        Skipped => {
            // The offset of the day before, applied to the clock that was skipped, gives the
            // same instant that a clock not put forward would show.
            let before = civil.checked_sub_days(Days::new(1))?;
            let shown = zone.from_local_datetime(&before).earliest()?;
            Some(shown.to_utc() + TimeDelta::days(1))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str, zone: &str) -> Result<String, String> {
        let now = "2026-05-06T12:00:00Z".parse().unwrap();
        parse(text, now, zone.parse().unwrap()).map(|time| time.to_utc().to_rfc3339())
    }

    #[test]
    fn what_journalctl_accepts_is_accepted() {
        for (text, expected) in [
            ("now", "2026-05-06T12:00:00+00:00"),
            ("today", "2026-05-06T07:00:00+00:00"),
            ("yesterday", "2026-05-05T07:00:00+00:00"),
            ("04:49", "2026-05-06T11:49:00+00:00"),
            ("04:49:30", "2026-05-06T11:49:30+00:00"),
            ("2026-05-06", "2026-05-06T07:00:00+00:00"),
            ("2026-05-06 04:49", "2026-05-06T11:49:00+00:00"),
            ("2026-05-06 04:49:01.5", "2026-05-06T11:49:01.500+00:00"),
            ("2026-05-06 04:49 UTC", "2026-05-06T04:49:00+00:00"),
            ("2026-05-06T04:49:00+02:00", "2026-05-06T02:49:00+00:00"),
            ("Wed 2026-05-06 04:49 UTC", "2026-05-06T04:49:00+00:00"),
            ("2026-05-06 04:49:00 PDT", "2026-05-06T11:49:00+00:00"),
            ("-1M", "2026-04-06T12:00:00+00:00"),
            ("-3h", "2026-05-06T09:00:00+00:00"),
            ("-1h 30min", "2026-05-06T10:30:00+00:00"),
            ("2 days ago", "2026-05-04T12:00:00+00:00"),
            ("+1d", "2026-05-07T12:00:00+00:00"),
            ("@0", "1970-01-01T00:00:00+00:00"),
            ("@1778068140.25", "2026-05-06T11:49:00.250+00:00"),
        ] {
            assert_eq!(at(text, "America/Los_Angeles").as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn a_day_ago_is_the_same_time_of_day_across_a_clock_change() {
        let now = "2026-03-08T20:00:00Z".parse().unwrap();
        let time = parse("-1d", now, chrono_tz::America::Los_Angeles).unwrap();
        assert_eq!(time.to_utc().to_rfc3339(), "2026-03-07T21:00:00+00:00");
    }

    #[test]
    fn a_time_that_the_zone_skipped_is_moved_behind_the_gap() {
        assert_eq!(
            at("2026-03-08 02:30", "America/Los_Angeles").as_deref(),
            Ok("2026-03-08T10:30:00+00:00")
        );
    }

    #[test]
    fn nonsense_is_refused_with_a_remedy() {
        for text in [
            "",
            "soon",
            "-3",
            "-3 parsecs",
            "ago",
            "2026-13-01",
            "2026-05-06 04:49 PST",
            "Wed",
            "@x",
            "@1.5e3",
            "-",
        ] {
            assert!(at(text, "UTC").unwrap_err().contains("Write `2026-05-06`"), "{text}");
        }
    }
}
