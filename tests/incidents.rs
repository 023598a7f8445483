//! Incidents found in simulated services, of which the truth is known.
//!
//! `EBBLINE_SEED=N` simulates others; `EBBLINE_SHOW=1` prints what was missed, wrong or imprecise.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout)]

#[path = "support/journals.rs"]
mod journals;
#[path = "support/score.rs"]
mod score;
#[path = "support/simulator.rs"]
mod simulator;

use ebbline::timeline::incident::{MinuteCount, find};
use score::Score;
use simulator::{simulate, simulate_further};

#[test]
fn incidents_are_found_with_their_edges_and_little_else_is() {
    let score = Score::of(simulate, seed());
    println!("{score:?}");
    assert!(score.incidents > 500, "{score:?}");
    assert!(score.recall() >= 0.98, "{score:?}");
    assert!(score.false_in_1000_hours() <= 1.0, "{score:?}");
    assert!(score.edges_near() >= 0.95, "{score:?}");
    assert!(score.edges_exact() >= 0.95, "{score:?}");
}

#[test]
fn incidents_are_found_in_services_of_other_kinds_too() {
    let score = Score::of(simulate_further, seed());
    println!("{score:?}");
    assert!(score.incidents > 250, "{score:?}");
    assert!(score.recall() >= 0.96, "{score:?}");
    assert!(score.false_in_1000_hours() <= 1.0, "{score:?}");
    assert!(score.edges_near() >= 0.9, "{score:?}");
}

#[test]
fn a_busy_hour_with_the_same_share_of_errors_is_no_incident() {
    let mut minutes = vec![minute(100, 1); 3 * 1440];
    minutes[2000..2060].fill(minute(400, 4));
    assert_eq!(find(&minutes), []);
    minutes[2000..2060].fill(minute(100, 12));
    let windows = find(&minutes);
    assert_eq!(windows.len(), 1, "{windows:?}");
    assert_eq!(windows[0].minutes, 2000..=2059);
}

#[test]
fn an_outage_that_takes_most_of_what_was_read_is_none_the_less_one() {
    // Five hours of a service that is quiet and logs more the more it fails.
    let mut minutes = vec![minute(2, 0); 300];
    minutes[50..].fill(minute(6, 2));
    let windows = find(&minutes);
    assert_eq!(windows.len(), 1, "{windows:?}");
    assert_eq!(windows[0].minutes, 50..=299);
    // Where nothing but failures is logged, nobody knows what part of the requests they are.
    assert_eq!(find(&vec![minute(2, 2); 300]), []);
}

#[test]
fn an_incident_begins_with_its_first_event_in_the_last_second_of_a_minute() {
    // A thousand minutes with a failure now and then: one a thousand requests.
    let mut minutes: Vec<_> = (0..1000).map(|at| minute(20, u64::from(at % 50 == 7))).collect();
    let lone = |first_ms| MinuteCount { entries: 21, events: 1, first_ms, last_ms: first_ms };
    minutes[500..520].fill(minute(30, 10));
    (minutes[499], minutes[520]) = (lone(58_500), lone(1_200));
    let windows = find(&minutes);
    assert_eq!(windows.len(), 1, "{windows:?}");
    assert_eq!(windows[0].minutes, 499..=520);
    assert_eq!(windows[0].duration_ms, 20 * 60_000 + 60_000 - 58_500 + 1_200);
    // In the middle of those minutes they are like those that come every fifty minutes.
    (minutes[499], minutes[520]) = (lone(20_000), lone(40_000));
    assert_eq!(find(&minutes)[0].minutes, 500..=519);
}

#[test]
fn a_pause_of_ten_minutes_does_not_end_an_incident_and_one_of_eleven_does() {
    for (pause, expected) in [(10, vec![500..=529]), (11, vec![500..=509, 521..=530])] {
        let mut minutes = vec![minute(100, 0); 1440];
        minutes[500..510].fill(minute(150, 50));
        minutes[510 + pause..520 + pause].fill(minute(150, 50));
        let found: Vec<_> = find(&minutes).into_iter().map(|window| window.minutes).collect();
        assert_eq!(found, expected, "{pause} minutes");
    }
}

#[test]
fn what_is_over_within_a_minute_is_a_spike() {
    let mut minutes = vec![minute(100, 0); 1440];
    minutes[700] = MinuteCount { events: 50, first_ms: 1_000, last_ms: 40_000, entries: 150 };
    let windows = find(&minutes);
    assert_eq!(windows.iter().map(|window| window.is_spike).collect::<Vec<_>>(), [true]);
}

#[test]
fn nothing_is_found_where_nothing_is_known() {
    assert_eq!(find(&[]), []);
    assert_eq!(find(&[MinuteCount::default(); 600]), []);
    assert_eq!(find(&[minute(1, 0); 600]), []);
}

#[test]
fn three_years_of_minutes_with_a_million_events_are_read() {
    let mut minutes = vec![minute(60, 0); 3 * 366 * 1440];
    let failing = minutes.iter_mut().step_by(2).take(700_000);
    failing.for_each(|failing| *failing = minute(60, 1));
    minutes[900_000..900_300].fill(minute(60, 1000));
    let windows = find(&minutes);
    let long: Vec<_> = windows.iter().filter(|window| window.peak_per_minute == 1000).collect();
    assert_eq!(long.len(), 1, "{windows:?}");
    assert_eq!(long[0].minutes, 900_000..=900_299);
}

fn minute(entries: u64, events: u64) -> MinuteCount {
    MinuteCount { entries, events, first_ms: 0, last_ms: 59_999 }
}

fn seed() -> u64 {
    std::env::var("EBBLINE_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1)
}
