//! A large text is read by several threads, and gives what one reader gives: at the borders of
//! its parts there may be anything.

use crate::harness::Folder;

/// A text is divided from 16 MiB on.
const BYTES: usize = 20 << 20;

/// A log of about that size, of which `record` writes one entry each.
fn log(mut record: impl FnMut(&mut String, usize, &str)) -> String {
    let mut text = String::with_capacity(BYTES + (1 << 20));
    let mut number = 0;
    while text.len() < BYTES {
        // Two entries a second from 2026-05-05 22:00:00 on, so that days and minutes change.
        let second = 22 * 3600 + number / 2;
        let (day, second) = (5 + second / 86_400, second % 86_400);
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        let at = format!("2026-05-{day:02}T{hour:02}:{minute:02}:{second:02}+0200");
        record(&mut text, number, &at);
        number += 1;
    }
    text
}

fn usual(text: &mut String, number: usize, at: &str) {
    let entry = match number % 50 {
        7 => "app[3]: GET /orders -> 200 in 503 ms",
        9 => "uvicorn[3]: INFO:     10.0.0.2:9999 - \"GET /api HTTP/1.1\" 503 Service Unavailable",
        11 => "app[3]: couldn't get a connection after 30.00 sec",
        13 => {
            "app[3]: Traceback (most recent call last):\n  File \"pool.py\", line 3, in get\n\
             \x20   raise PoolTimeout\npsycopg_pool.PoolTimeout: couldn't get a connection after 30.00 sec"
        }
        _ => "app[3]: nothing to see here, but that the text has to become a little longer somehow",
    };
    text.push_str(&format!("{at} atlas {entry}\n"));
}

fn assert_same_with_threads(text: &str) {
    let folder = Folder::new();
    folder.write("app.log", text);
    let with = |threads: &str| folder.timeline(&["--by", "minute", "-j", threads, "app.log"]);
    let one = with("1");
    assert!(one["totals"]["counts"]["pool_timeout"].as_u64().unwrap() > 1000);
    assert_eq!(with("2"), one);
    assert_eq!(with("5"), one);
}

#[test]
fn entries_of_several_lines_lie_across_the_borders() {
    assert_same_with_threads(&log(usual));
}

/// What journald and rsyslog say that they dropped is added up part by part, and so many of their
/// statements are kept as of a text that is read at once.
#[test]
fn statements_of_what_was_dropped_are_those_of_one_reader() {
    let text = log(|text, number, at| {
        usual(text, number, at);
        let statement = match number % 7 {
            3 => format!("systemd-journald[1]: Suppressed {number} messages from api.service"),
            5 => "rsyslogd: imuxsock lost 12 messages from pid 9 due to rate-limiting".to_owned(),
            _ => return,
        };
        text.push_str(&format!("{at} atlas {statement}\n"));
    });
    let folder = Folder::new();
    folder.write("app.log", &text);
    let with = |threads: &str| folder.timeline(&["--by", "minute", "-j", threads, "app.log"]);
    let one = with("1");
    assert!(one["more_not_logged"].as_u64().unwrap() > 9000, "{}", one["more_not_logged"]);
    assert_eq!(with("2"), one);
}

#[test]
fn a_line_longer_than_an_entry_may_be_lies_across_a_border() {
    let text = log(|text, number, at| {
        usual(text, number, at);
        if number % 70_000 == 60_000 {
            let long = "x".repeat(3 << 20);
            text.push_str(&format!("{at} atlas app[3]: {long}\n  continued {long}\n"));
        }
    });
    assert_same_with_threads(&text);
}

/// Where a line's time depends on the lines before it, one reader reads everything.
#[test]
fn an_hour_that_occurs_twice_is_told_apart_as_by_one_reader() {
    let text = log(|text, number, at| {
        usual(text, number, at);
        if number >= 150_000 {
            let second = number / 50 % 3600;
            let at = format!("2026-10-25 02:{:02}:{:02}", second / 60, second % 60);
            text.push_str(&format!("{at} app: couldn't get a connection after 30.00 sec\n"));
        }
    });
    let folder = Folder::new();
    folder.write("app.log", &text);
    let with = |threads: &str| {
        folder.timeline(&["--tz", "Europe/Berlin", "--by", "hour", "-j", threads, "app.log"])
    };
    assert_eq!(with("2"), with("1"));
}

/// A container's lines belong together although each is dated.
#[test]
fn the_streams_of_a_container_are_told_apart_as_by_one_reader() {
    let text = log(|text, number, at| {
        match number {
        0..100_000 => usual(text, number, at),
        _ => text.push_str(&format!(
            "{at} stderr F Traceback (most recent call last):\n{at} stderr F   File \"x.py\"\n\
             {at} stdout F ready\n{at} stderr F PoolTimeout: couldn't get a connection after 3.0 sec\n"
        )),
    }
    });
    assert_same_with_threads(&text);
}

#[test]
fn damage_is_told_at_its_place_in_the_file() {
    let text = log(|text, number, at| {
        usual(text, number, at);
        if number == 120_000 {
            text.push_str(&format!("{at} atlas app[3]: {}\n", "y".repeat(2 << 20)));
        }
    });
    let folder = Folder::new();
    folder.write("app.log", &text);
    let with = |threads: &str| folder.timeline(&["-j", threads, "app.log"]);
    let one = with("1");
    let offset = one["sources"][0]["damage"][0]["offset"].as_u64().unwrap();
    assert!(text[offset as usize..].starts_with("2026-05-"), "{offset}");
    assert_eq!(with("2"), one);
}
