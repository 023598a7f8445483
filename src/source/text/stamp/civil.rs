//! A date and a time of day as a wall calendar and a wall clock show them, and the instant that
//! they mean in a zone.

use chrono::{
    Datelike, MappedLocalTime, NaiveDate, NaiveDateTime, Offset as _, TimeDelta, TimeZone,
};
use chrono_tz::{OffsetName, Tz, TzOffset};

use super::zone_name::ZoneName;
use crate::time::Timestamp;

const MICROS_PER_SECOND: i64 = 1_000_000;
const MICROS_PER_HOUR: i64 = 3600 * MICROS_PER_SECOND;
const MICROS_PER_DAY: i64 = 86_400 * MICROS_PER_SECOND;
/// How far entries of one log may be out of order before a wall clock that stands earlier than
/// the entry before it is taken for the second pass through a repeated hour. Web servers log a
/// request's start when it ends, so minutes are normal.
const DISORDER_MICROS: i64 = 5 * 60 * MICROS_PER_SECOND;

/// A wall clock's reading: a date that exists, and a time of day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Civil {
    /// The year; `None` where the layout has none (RFC 3164, klog).
    pub year: Option<i32>,
    /// 1 to 12.
    pub month: u8,
    /// 1 to 31, and one that the month has. February has 29 days where the year is missing.
    pub day: u8,
    /// Microseconds since midnight; in a leap second at the day's end, a little more than a day.
    pub micros_of_day: i64,
    /// The abbreviated zone name behind the clock, such as `PDT`.
    pub zone_name: Option<ZoneName>,
}

impl Civil {
    /// The instant that this reading means on clocks of `zone`.
    ///
    /// A reading that carries a zone's abbreviation means that zone, if `zone` does not use the
    /// abbreviation itself and it means the same everywhere; in all other cases it is a reading
    /// in `zone`. A reading that occurs twice, as summer time ends, is the later one if the
    /// earlier would be out of order with `near`, the previous entry of the log. One that does
    /// not occur, as summer time begins, is moved forward by what the clocks skipped.
    ///
    /// `None`: the date does not exist in that year, or the instant is outside the years 1970 to
    /// 9999.
    pub fn resolve(
        self,
        zone: Tz,
        year_if_missing: i32,
        near: Option<Timestamp>,
    ) -> Option<Timestamp> {
        let clock = self.clock_micros(year_if_missing)?;
        let naive = chrono::DateTime::from_timestamp_micros(clock)?.naive_utc();
        let local = zone.offset_from_local_datetime(&naive);
        let east = match self.zone_name {
            None => seconds_east(zone, naive, &local, clock, near),
            Some(name) => {
                let own = own_seconds_east(&local, name);
                own.or_else(|| name.seconds_east())
                    .unwrap_or_else(|| seconds_east(zone, naive, &local, clock, near))
            }
        };
        Timestamp::from_micros(clock - east * MICROS_PER_SECOND)
    }

    /// Microseconds from 1970-01-01T00:00:00 on the same wall clock to this reading.
    pub(super) fn clock_micros(self, year_if_missing: i32) -> Option<i64> {
        let year = self.year.unwrap_or(year_if_missing);
        Some(days_since_epoch(year, self.month, self.day)? * MICROS_PER_DAY + self.micros_of_day)
    }
}

/// Resolves the readings of one log: [`Civil::resolve`] with a memory.
///
/// Nearly all hours have one offset from start to end, and nearly all lines are from the same
/// hour as the line before, so the zone's table is seldom asked.
#[derive(Debug, Clone)]
pub struct Resolver {
    zone: Tz,
    /// The last plain hour: hours since 1970 on the zone's clocks, and seconds east of UTC.
    plain_hour: Option<(i64, i64)>,
}

impl Resolver {
    /// A resolver for clocks of `zone`.
    pub fn new(zone: Tz) -> Self {
        Self { zone, plain_hour: None }
    }

    /// What [`Civil::resolve`] says in this zone.
    #[inline]
    pub fn resolve(
        &mut self,
        civil: Civil,
        year_if_missing: i32,
        near: Option<Timestamp>,
    ) -> Option<Timestamp> {
        let clock = civil.clock_micros(year_if_missing)?;
        let hour = clock.div_euclid(MICROS_PER_HOUR);
        match self.plain_hour {
            Some((plain, east)) if plain == hour && civil.zone_name.is_none() => {
                Timestamp::from_micros(clock - east * MICROS_PER_SECOND)
            }
            _ => {
                self.plain_hour = plain_hour(self.zone, hour).map(|east| (hour, east));
                civil.resolve(self.zone, year_if_missing, near)
            }
        }
    }
}

/// The offset of an hour on the zone's clocks, if every reading in it occurs once and has the same
/// offset. No zone changes its clocks twice within an hour.
fn plain_hour(zone: Tz, hour: i64) -> Option<i64> {
    let start = hour.checked_mul(MICROS_PER_HOUR)?;
    let [first, last] = [start, start + MICROS_PER_HOUR - 1].map(|micros| {
        let naive = chrono::DateTime::from_timestamp_micros(micros)?.naive_utc();
        zone.offset_from_local_datetime(&naive).single().map(|offset| east(&offset))
    });
    first.filter(|_| first == last)
}

/// Days from 1970-01-01 to a date, if it exists.
#[inline]
pub(super) fn days_since_epoch(year: i32, month: u8, day: u8) -> Option<i64> {
    const EPOCH_FROM_COMMON_ERA: i64 = 719_163;
    let date = NaiveDate::from_ymd_opt(year, u32::from(month), u32::from(day))?;
    Some(i64::from(date.num_days_from_ce()) - EPOCH_FROM_COMMON_ERA)
}

/// The offset of `zone` at a reading of its clocks.
fn seconds_east(
    zone: Tz,
    naive: NaiveDateTime,
    local: &MappedLocalTime<TzOffset>,
    clock: i64,
    near: Option<Timestamp>,
) -> i64 {
    match local {
        MappedLocalTime::Single(offset) => east(offset),
        MappedLocalTime::Ambiguous(first, second) => {
            let earlier = clock - east(first) * MICROS_PER_SECOND;
            let in_order = near.is_none_or(|near| earlier >= near.micros() - DISORDER_MICROS);
            east(if in_order { first } else { second })
        }
        MappedLocalTime::None => east_before_gap(zone, naive),
    }
}

/// The offset that was in force before the clocks skipped over `naive`.
///
/// Read with it, the reading comes out moved forward by the gap. The longest gap of all was a
/// day (Samoa, 2011).
fn east_before_gap(zone: Tz, naive: NaiveDateTime) -> i64 {
    [3, 25]
        .into_iter()
        .filter_map(|hours| naive.checked_sub_signed(TimeDelta::hours(hours)))
        .find_map(|before| zone.offset_from_local_datetime(&before).latest())
        .map_or(0, |offset| east(&offset))
}

/// The offset of the reading that the zone itself calls `name`.
fn own_seconds_east(local: &MappedLocalTime<TzOffset>, name: ZoneName) -> Option<i64> {
    let readings = match local {
        MappedLocalTime::None => [None, None],
        MappedLocalTime::Single(offset) => [Some(offset), None],
        MappedLocalTime::Ambiguous(first, second) => [Some(first), Some(second)],
    };
    readings
        .into_iter()
        .flatten()
        .find(|offset| offset.abbreviation() == Some(name.as_str()))
        .map(east)
}

fn east(offset: &TzOffset) -> i64 {
    i64::from(offset.fix().local_minus_utc())
}
