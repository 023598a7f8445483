//! Minutes, hours and days on the clocks of difficult zones.
//!
//! The instants at which clocks change are those of the IANA database, worked out by hand.
#![allow(clippy::unwrap_used)]

use chrono::DateTime;
use chrono_tz::Tz;
use ebbline::time::Timestamp;
use ebbline::timeline::calendar::{buckets, rfc3339};
use ebbline::timeline::{By, Grain};

fn at(written: &str) -> Timestamp {
    Timestamp::from_utc(DateTime::parse_from_rfc3339(written).unwrap().to_utc()).unwrap()
}

/// The starts of the buckets between two instants, and the end of the last one.
fn borders(grain: Grain, zone: Tz, from: &str, to: &str) -> Vec<String> {
    let all: Vec<_> = buckets(grain, zone, at(from), at(to)).collect();
    for pair in all.windows(2) {
        assert_eq!(pair[0].1, pair[1].0, "a gap between buckets");
    }
    let starts = all.iter().map(|(start, _)| rfc3339(*start, zone));
    starts.chain(all.last().map(|(_, end)| rfc3339(*end, zone))).collect()
}

fn hours(buckets: &[(Timestamp, Timestamp)]) -> Vec<i64> {
    buckets.iter().map(|(start, end)| (end.micros() - start.micros()) / 3_600_000_000).collect()
}

#[test]
fn days_have_23_and_25_hours_where_clocks_are_changed() {
    for (zone, from, to, expected) in [
        (Tz::America__Los_Angeles, "2026-03-07T08:00:00Z", "2026-03-10T07:00:00Z", [24, 23, 24]),
        (Tz::America__Los_Angeles, "2026-10-31T07:00:00Z", "2026-11-03T08:00:00Z", [24, 25, 24]),
        (Tz::Europe__Berlin, "2026-03-27T23:00:00Z", "2026-03-30T22:00:00Z", [24, 23, 24]),
        (Tz::Europe__Berlin, "2026-10-23T22:00:00Z", "2026-10-26T23:00:00Z", [24, 25, 24]),
        (Tz::Pacific__Chatham, "2026-04-03T10:15:00Z", "2026-04-06T11:15:00Z", [24, 25, 24]),
        (Tz::America__Havana, "2026-10-31T04:00:00Z", "2026-11-03T05:00:00Z", [24, 25, 24]),
    ] {
        let days: Vec<_> = buckets(Grain::Day, zone, at(from), at(to)).collect();
        assert_eq!(hours(&days), expected, "{zone}");
        assert_eq!((days[0].0, days[2].1), (at(from), at(to)), "{zone}");
    }
}

#[test]
fn an_hour_that_comes_twice_makes_two_buckets_and_one_left_out_none() {
    assert_eq!(
        borders(
            Grain::Hour,
            Tz::America__Los_Angeles,
            "2026-11-01T00:30:00-07:00",
            "2026-11-01T02:00:01-08:00"
        ),
        [
            "2026-11-01T00:00:00-07:00",
            "2026-11-01T01:00:00-07:00",
            "2026-11-01T01:00:00-08:00",
            "2026-11-01T02:00:00-08:00",
            "2026-11-01T03:00:00-08:00",
        ]
    );
    assert_eq!(
        borders(
            Grain::Hour,
            Tz::Europe__Berlin,
            "2026-03-29T01:00:00+01:00",
            "2026-03-29T04:00:00+02:00"
        ),
        ["2026-03-29T01:00:00+01:00", "2026-03-29T03:00:00+02:00", "2026-03-29T04:00:00+02:00"]
    );
}

#[test]
fn hours_and_days_follow_offsets_of_45_minutes() {
    assert_eq!(
        borders(Grain::Day, Tz::Asia__Kathmandu, "2026-05-06T18:14:59Z", "2026-05-06T18:15:01Z"),
        ["2026-05-06T00:00:00+05:45", "2026-05-07T00:00:00+05:45", "2026-05-08T00:00:00+05:45"]
    );
    assert_eq!(
        borders(Grain::Hour, Tz::Asia__Kathmandu, "2026-05-06T00:00:00Z", "2026-05-06T00:15:01Z"),
        ["2026-05-06T05:00:00+05:45", "2026-05-06T06:00:00+05:45", "2026-05-06T07:00:00+05:45"]
    );
    // 03:45 becomes 02:45: three quarters of an hour, the quarter again, and a whole one.
    assert_eq!(
        borders(Grain::Hour, Tz::Pacific__Chatham, "2026-04-04T13:30:00Z", "2026-04-04T15:00:00Z"),
        [
            "2026-04-05T03:00:00+13:45",
            "2026-04-05T02:45:00+12:45",
            "2026-04-05T03:00:00+12:45",
            "2026-04-05T04:00:00+12:45",
        ]
    );
}

#[test]
fn a_change_by_half_an_hour_makes_a_short_hour() {
    assert_eq!(
        borders(
            Grain::Hour,
            Tz::Australia__Lord_Howe,
            "2026-04-04T14:00:00Z",
            "2026-04-04T15:31:00Z"
        ),
        [
            "2026-04-05T01:00:00+11:00",
            "2026-04-05T01:30:00+10:30",
            "2026-04-05T02:00:00+10:30",
            "2026-04-05T03:00:00+10:30",
        ]
    );
}

#[test]
fn a_day_without_midnight_begins_with_its_first_instant() {
    assert_eq!(
        borders(
            Grain::Day,
            Tz::America__Sao_Paulo,
            "2018-11-03T12:00:00-03:00",
            "2018-11-04T12:00:00-02:00"
        ),
        ["2018-11-03T00:00:00-03:00", "2018-11-04T01:00:00-02:00", "2018-11-05T00:00:00-02:00"]
    );
    assert_eq!(
        borders(Grain::Day, Tz::Asia__Beirut, "2026-03-28T12:00:00Z", "2026-03-29T12:00:00Z"),
        ["2026-03-28T00:00:00+02:00", "2026-03-29T01:00:00+03:00", "2026-03-30T00:00:00+03:00"]
    );
}

#[test]
fn clocks_put_back_over_midnight_do_not_end_the_day_twice() {
    assert_eq!(
        borders(
            Grain::Day,
            Tz::America__Sao_Paulo,
            "2018-02-17T12:00:00-02:00",
            "2018-02-18T12:00:00-03:00"
        ),
        ["2018-02-17T00:00:00-02:00", "2018-02-18T00:00:00-03:00", "2018-02-19T00:00:00-03:00"]
    );
    // In Newfoundland 00:01 became 23:01: the first minute of Sunday still belongs to Saturday.
    let days =
        ["2010-11-06T00:00:00-02:30", "2010-11-07T00:00:00-03:30", "2010-11-08T00:00:00-03:30"];
    let zone = Tz::America__St_Johns;
    assert_eq!(borders(Grain::Day, zone, "2010-11-07T02:30:30Z", "2010-11-07T03:30:01Z"), days);
    assert_eq!(borders(Grain::Day, zone, "2010-11-07T02:45:00Z", "2010-11-07T03:30:01Z"), days);
}

#[test]
fn the_day_that_samoa_left_out_has_no_bucket() {
    assert_eq!(
        borders(Grain::Day, Tz::Pacific__Apia, "2011-12-29T12:00:00Z", "2011-12-30T12:00:00Z"),
        ["2011-12-29T00:00:00-10:00", "2011-12-31T00:00:00+14:00", "2012-01-01T00:00:00+14:00"]
    );
    assert_eq!(
        borders(Grain::Hour, Tz::Pacific__Apia, "2011-12-30T09:30:00Z", "2011-12-30T10:30:00Z"),
        ["2011-12-29T23:00:00-10:00", "2011-12-31T00:00:00+14:00", "2011-12-31T01:00:00+14:00"]
    );
}

#[test]
fn an_offset_with_seconds_is_followed_and_written_in_utc() {
    let zone = Tz::Africa__Monrovia;
    let days =
        ["1972-01-06T00:44:30+00:00", "1972-01-07T00:44:30+00:00", "1972-01-08T00:00:00+00:00"];
    assert_eq!(borders(Grain::Day, zone, "1972-01-06T12:00:00Z", "1972-01-07T12:00:00Z"), days);
    let minutes = borders(Grain::Minute, zone, "1972-01-07T00:43:31Z", "1972-01-07T00:45:30Z");
    assert_eq!(
        minutes,
        [
            "1972-01-07T00:43:30+00:00",
            "1972-01-07T00:44:30+00:00",
            "1972-01-07T00:45:00+00:00",
            "1972-01-07T00:46:00+00:00"
        ]
    );
}

#[test]
fn the_first_and_the_last_instant_have_buckets() {
    for zone in [Tz::Pacific__Kiritimati, Tz::UTC, Tz::Pacific__Pago_Pago] {
        for grain in [Grain::Minute, Grain::Hour, Grain::Day] {
            let first: Vec<_> =
                buckets(grain, zone, Timestamp::MIN, at("1970-01-01T00:00:01Z")).collect();
            assert_eq!((first.len(), first[0].0), (1, Timestamp::MIN));
            let last = at("9999-12-31T23:59:59Z");
            let last: Vec<_> = buckets(grain, zone, last, Timestamp::END).collect();
            assert_eq!((last.len(), last[0].1), (1, Timestamp::END));
        }
    }
}

#[test]
fn auto_takes_the_finest_grain_that_stays_readable() {
    let from = at("2026-05-06T00:00:00Z");
    let grain = |to: &str| By::Auto.grain(from, at(to));
    assert_eq!(grain("2026-05-06T01:12:00Z"), Grain::Minute);
    assert_eq!(grain("2026-05-06T01:12:01Z"), Grain::Hour);
    assert_eq!(grain("2026-05-09T00:00:00Z"), Grain::Hour);
    assert_eq!(grain("2026-05-09T00:00:01Z"), Grain::Day);
}
