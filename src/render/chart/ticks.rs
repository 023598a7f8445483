//! The labels of the time axis: borders of the zone's calendar, as fine as their labels fit.
//!
//! Two rows: `04:00 08:00 12:00` above the date, days above the month, months above the year. The
//! lower row is written where it changes.

use std::ops::Range;

use chrono::{DateTime, Datelike, NaiveDate, TimeZone, Timelike};
use chrono_tz::{OffsetName, Tz};

use super::frame::Frame;
use crate::time::Timestamp;
use crate::timeline::Grain;
use crate::timeline::calendar;

/// A labelled instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tick {
    pub(super) at: Timestamp,
    /// What stands in the upper row.
    pub(super) label: String,
    /// What stands in the lower row, if it is not what the tick before has.
    pub(super) context: Option<String>,
}

/// How far ticks are apart on the calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    Minutes(u32),
    Hours(u32),
    Days,
    /// From Monday to Monday.
    Weeks(i32),
    Months(u32),
    Years(i32),
}

/// From the finest to the coarsest.
const STEPS: [Step; 25] = [
    Step::Minutes(1),
    Step::Minutes(2),
    Step::Minutes(5),
    Step::Minutes(10),
    Step::Minutes(15),
    Step::Minutes(30),
    Step::Hours(1),
    Step::Hours(2),
    Step::Hours(3),
    Step::Hours(4),
    Step::Hours(6),
    Step::Hours(12),
    Step::Days,
    Step::Weeks(1),
    Step::Weeks(2),
    Step::Months(1),
    Step::Months(2),
    Step::Months(3),
    Step::Months(6),
    Step::Years(1),
    Step::Years(2),
    Step::Years(5),
    Step::Years(10),
    Step::Years(100),
    Step::Years(1000),
];

impl Step {
    /// Its usual length, in microseconds.
    fn micros(self) -> i64 {
        const MINUTE: i64 = 60_000_000;
        const DAY: i64 = 24 * 60 * MINUTE;
        match self {
            Self::Minutes(count) => i64::from(count) * MINUTE,
            Self::Hours(count) => i64::from(count) * 60 * MINUTE,
            Self::Days => DAY,
            Self::Weeks(count) => i64::from(count) * 7 * DAY,
            Self::Months(count) => i64::from(count) * 30 * DAY,
            Self::Years(count) => i64::from(count) * 365 * DAY,
        }
    }

    /// Whether ticks so far apart lie on borders of such buckets.
    pub(super) fn is_of(self, grain: Grain) -> bool {
        match grain {
            Grain::Minute => true,
            Grain::Hour => !matches!(self, Self::Minutes(_)),
            Grain::Day => !matches!(self, Self::Minutes(_) | Self::Hours(_)),
        }
    }

    /// Whether it is a matter of days, so that a label may stand below the middle of its day.
    pub(super) fn is_of_days(self) -> bool {
        matches!(self, Self::Days | Self::Weeks(_))
    }

    fn instants(self, zone: Tz, time: &Range<Timestamp>) -> Vec<Timestamp> {
        let starts = |grain, holds: &dyn Fn(&DateTime<Tz>) -> bool| -> Vec<Timestamp> {
            calendar::buckets(grain, zone, time.start, time.end)
                .map(|(start, _)| start)
                .filter(|start| holds(&calendar::in_zone(*start, zone)))
                .collect()
        };
        let day_number = |at: &DateTime<Tz>| at.num_days_from_ce();
        let mut instants = match self {
            Self::Minutes(count) => {
                starts(Grain::Minute, &|at| at.second() == 0 && at.minute() % count == 0)
            }
            Self::Hours(count) => {
                starts(Grain::Hour, &|at| at.minute() == 0 && at.hour() % count == 0)
            }
            Self::Days => starts(Grain::Day, &|_| true),
            // Day 1 of the common era was a Monday.
            Self::Weeks(count) => starts(Grain::Day, &|at| day_number(at) % (7 * count) == 1),
            Self::Months(_) | Self::Years(_) => self.first_days(zone, time),
        };
        instants.retain(|at| time.contains(at));
        instants
    }

    /// The first instants of months or years.
    fn first_days(self, zone: Tz, time: &Range<Timestamp>) -> Vec<Timestamp> {
        let year = |at: Timestamp| calendar::in_zone(at, zone).year();
        let (every_years, every_months) = match self {
            Self::Years(count) => (count, 12),
            Self::Months(count) => (1, count),
            _ => return Vec::new(),
        };
        let years = (year(time.start)..=year(time.end)).filter(|year| year % every_years == 0);
        let dates = years.flat_map(|year| {
            let months = (1..=12).step_by(every_months as usize);
            months.filter_map(move |month| NaiveDate::from_ymd_opt(year, month, 1))
        });
        dates.map(|date| calendar::start_of_day(zone, date)).collect()
    }

    fn label(self, at: &DateTime<Tz>) -> String {
        match self {
            Self::Minutes(_) | Self::Hours(_) => clock(at),
            Self::Days | Self::Weeks(_) => at.format("%-d").to_string(),
            Self::Months(_) => at.format("%b").to_string(),
            Self::Years(_) => at.format("%Y").to_string(),
        }
    }

    fn context(self, at: &DateTime<Tz>) -> Option<String> {
        let format = match self {
            Self::Minutes(_) | Self::Hours(_) => "%b %-d, %Y",
            Self::Days | Self::Weeks(_) => "%b %Y",
            Self::Months(_) => "%Y",
            Self::Years(_) => return None,
        };
        Some(at.format(format).to_string())
    }
}

/// The finest ticks of which `fit` says that their labels have room; none where none have.
pub(super) fn ticks(
    zone: Tz,
    time: &Range<Timestamp>,
    frame: &Frame,
    fit: impl Fn(Step, &[Tick]) -> bool,
) -> Option<(Step, Vec<Tick>)> {
    // No label is narrower than this, so what is closer together need not be tried.
    const LEAST_PIXELS: i64 = 12;
    let most = i64::from(frame.width()) / LEAST_PIXELS;
    let possible = STEPS.into_iter().filter(|step| frame.duration_us() / step.micros() <= most);
    possible.map(|step| (step, of_step(step, zone, time))).find(|(step, ticks)| fit(*step, ticks))
}

fn of_step(step: Step, zone: Tz, time: &Range<Timestamp>) -> Vec<Tick> {
    let mut last = None;
    let tick = |at| {
        let local = calendar::in_zone(at, zone);
        let context = step.context(&local);
        let is_new = context != last;
        last.clone_from(&context);
        Tick { at, label: step.label(&local), context: context.filter(|_| is_new) }
    };
    step.instants(zone, time).into_iter().map(tick).collect()
}

/// Hour and minute, told apart where clocks show them twice.
fn clock(at: &DateTime<Tz>) -> String {
    let time = at.format("%H:%M");
    let shown = at.timezone().from_local_datetime(&at.naive_local());
    match at.offset().abbreviation() {
        Some(zone) if matches!(shown, chrono::LocalResult::Ambiguous(..)) => {
            format!("{time} {zone}")
        }
        _ => time.to_string(),
    }
}

/// The zone and how far it is from UTC, for the axis: `America/Los_Angeles (PDT, UTC−07:00)`.
pub(super) fn zone_name(zone: Tz, time: &Range<Timestamp>) -> String {
    let offset = |at: Timestamp| {
        let local = calendar::in_zone(at, zone);
        let distance = local.format("%:z").to_string().replace('-', "−");
        // Zones without a name of their own are abbreviated by their distance.
        match local.offset().abbreviation().filter(|name| !name.starts_with(['+', '-'])) {
            Some("UTC") => "UTC".to_owned(),
            Some(name) => format!("{name}, UTC{distance}"),
            None => format!("UTC{distance}"),
        }
    };
    let last = Timestamp::from_micros(time.end.micros() - 1).unwrap_or(time.end);
    match (offset(time.start), offset(last)) {
        (first, _) if first == zone.name() => first,
        (first, last) if first == last => format!("{} ({first})", zone.name()),
        (first, last) => format!("{} ({first}; at the end {last})", zone.name()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::from_utc(DateTime::parse_from_rfc3339(text).unwrap().to_utc()).unwrap()
    }

    /// The labels of a figure of 1000 pixels whose labels take 40 each.
    fn labels(from: &str, to: &str, zone: Tz) -> (Step, Vec<String>) {
        let time = at(from)..at(to);
        let frame = Frame::new(&time, 0, 1000);
        let apart = |_: Step, ticks: &[Tick]| {
            ticks.windows(2).all(|two| frame.x(two[1].at) - frame.x(two[0].at) >= 40)
        };
        let (step, ticks) = ticks(zone, &time, &frame, apart).unwrap();
        let label = |tick: Tick| match tick.context {
            Some(context) => format!("{}/{context}", tick.label),
            None => tick.label,
        };
        (step, ticks.into_iter().map(label).collect())
    }

    const LOS_ANGELES: Tz = Tz::America__Los_Angeles;

    #[test]
    fn a_day_has_hours_and_its_date() {
        let day = ("2026-05-06T00:00:00-07:00", "2026-05-07T00:00:00-07:00");
        let (step, labels) = labels(day.0, day.1, LOS_ANGELES);
        assert_eq!(step, Step::Hours(1));
        assert_eq!(labels[..2], ["00:00/May 6, 2026", "01:00"]);
        assert_eq!(labels.len(), 24);
    }

    #[test]
    fn a_day_on_which_clocks_are_put_forward_has_no_third_hour() {
        let day = ("2026-03-08T00:00:00-08:00", "2026-03-09T00:00:00-07:00");
        let (_, labels) = labels(day.0, day.1, LOS_ANGELES);
        assert_eq!(labels[..3], ["00:00/Mar 8, 2026", "01:00", "03:00"]);
        assert_eq!(labels.len(), 23);
    }

    #[test]
    fn an_hour_that_comes_twice_is_told_apart() {
        let day = ("2026-11-01T00:00:00-07:00", "2026-11-02T00:00:00-08:00");
        let (_, labels) = labels(day.0, day.1, LOS_ANGELES);
        assert_eq!(labels[1..4], ["01:00 PDT", "01:00 PST", "02:00"]);
    }

    #[test]
    fn longer_times_have_days_weeks_months_and_years() {
        let (step, days) = labels("2026-04-19T00:00:00Z", "2026-05-07T00:00:00Z", Tz::UTC);
        assert_eq!(step, Step::Days);
        assert_eq!((days[0].as_str(), days[12].as_str()), ("19/Apr 2026", "1/May 2026"));
        let (step, weeks) = labels("2026-02-06T00:00:00Z", "2026-05-07T00:00:00Z", Tz::UTC);
        assert_eq!(step, Step::Weeks(1));
        assert_eq!(weeks[..4], ["9/Feb 2026", "16", "23", "2/Mar 2026"]);
        let (step, months) = labels("2025-09-14T00:00:00Z", "2026-10-07T00:00:00Z", Tz::UTC);
        assert_eq!(step, Step::Months(1));
        assert_eq!(months[..4], ["Oct/2025", "Nov", "Dec", "Jan/2026"]);
        let (step, years) = labels("1970-01-01T00:00:00Z", "9999-12-31T00:00:00Z", Tz::UTC);
        assert_eq!((step, years.len()), (Step::Years(1000), 8));
    }

    #[test]
    fn the_zone_is_named_with_its_distance_from_utc() {
        let name = |zone, from, to| zone_name(zone, &(at(from)..at(to)));
        let (may, june) = ("2026-05-01T00:00:00Z", "2026-06-01T00:00:00Z");
        assert_eq!(name(LOS_ANGELES, may, june), "America/Los_Angeles (PDT, UTC−07:00)");
        assert_eq!(name(Tz::UTC, may, june), "UTC");
        assert_eq!(name(Tz::America__Sao_Paulo, may, june), "America/Sao_Paulo (UTC−03:00)");
        let winter = "2026-12-01T00:00:00Z";
        assert_eq!(
            name(Tz::Europe__Berlin, may, winter),
            "Europe/Berlin (CEST, UTC+02:00; at the end CET, UTC+01:00)"
        );
    }
}
