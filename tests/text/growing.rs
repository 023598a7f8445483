//! A text that is read as it grows gives what it gives when it is read at once.

use ebbline::source::text::growing::Pause;

use super::support::*;

/// The beginning of a log of each form, and what comes later.
#[rustfmt::skip]
const LOGS: [(&str, &str, &str); 8] = [
    (
        "plain, with a traceback",
        "2026-05-06 04:49:00,123 INFO app ok\n",
        "2026-05-06 04:49:30,000 ERROR failed\nTraceback (most recent call last):\n  File \"a.py\"\n\
         PoolTimeout: couldn't get a connection after 30 sec\n2026-05-06 04:50:00,000 INFO ok\n\
         2026-05-06 04:51:00,000 ERROR couldn't get a connection after 5 sec\n",
    ),
    (
        "syslog without a year",
        "May  6 04:49:00 db1 api[42]: ok\n",
        "May  6 04:50:00 db1 api[42]: couldn't get a connection after 5 sec\n\
         May  6 04:50:09 db1 api[42]: message repeated 3 times: [ couldn't get a connection after 5 sec]\n\
         Jan  1 00:00:00 db1 api[42]: couldn't get a connection after 6 sec\n",
    ),
    (
        "undated",
        "INFO:     start\n",
        "ERROR:    failed\nTraceback (most recent call last):\n  File \"a.py\"\nValueError: \
         couldn't get a connection after\nGET /a 503 1 ms\nGET /b 200 1 ms\n",
    ),
    (
        "Docker's JSON",
        "{\"log\":\"ok\\n\",\"stream\":\"stdout\",\"time\":\"2026-05-06T04:52:00Z\"}\n",
        "{\"log\":\"couldn't get \",\"stream\":\"stdout\",\"time\":\"2026-05-06T04:53:00Z\"}\n\
         {\"log\":\"a connection after\\n\",\"stream\":\"stdout\",\"time\":\"2026-05-06T04:53:00Z\"}\n\
         {\"log\":\"ok\\n\",\"stream\":\"stdout\",\"time\":\"2026-05-06T04:54:00Z\"}\n",
    ),
    (
        "CRI",
        "2026-05-06T04:54:00.669794202Z stdout F ok\n",
        "2026-05-06T04:54:01.669794202Z stdout P couldn't get a \n\
         2026-05-06T04:54:01.669794203Z stdout F connection after\n\
         2026-05-06T04:55:00.669794202Z stdout F ok\n",
    ),
    (
        "the journal's export",
        "__CURSOR=a\n__REALTIME_TIMESTAMP=1778043600000000\nMESSAGE=ok\n\n",
        "__CURSOR=b\n__REALTIME_TIMESTAMP=1778043601000000\nMESSAGE\n\x25\0\0\0\0\0\0\0couldn't get a \
         connection after\n\n1 sec, _\nPRIORITY=3\n\n__CURSOR=c\n__REALTIME_TIMESTAMP=1778043602000000\n\
         MESSAGE=couldn't get a connection after 9 sec\n\n",
    ),
    (
        "the journal's JSON",
        "{\"__CURSOR\":\"a\",\"__REALTIME_TIMESTAMP\":\"1778043600000000\",\"MESSAGE\":\"ok\"}\n",
        "{\n\t\"__CURSOR\" : \"b\",\n\t\"__REALTIME_TIMESTAMP\" : \"1778043601000000\",\n\t\"MESSAGE\" : \
         \"couldn't get a connection after 9 sec\"\n}\n{\"__CURSOR\":\"c\",\"__REALTIME_TIMESTAMP\":\
         \"1778043602000000\",\"MESSAGE\":\"couldn't get a connection after\"}\n",
    ),
    (
        "journalctl -o verbose",
        "Wed 2026-05-06 05:00:00.000000 UTC [s=1;i=1;b=2;m=3;t=6511d5a2c6c00;x=5]\n    MESSAGE=ok\n",
        "Wed 2026-05-06 05:00:01.000000 UTC [s=1;i=2;b=2;m=3;t=6511d5a3bae40;x=6]\n    \
         MESSAGE=couldn't get\n            a connection after\n    _PID=7\n\
         Wed 2026-05-06 05:00:02.000000 UTC [s=1;i=3;b=2;m=3;t=6511d5a4af080;x=7]\n    \
         MESSAGE=couldn't get a connection after 9\n",
    ),
];

#[test]
fn a_log_that_grows_gives_what_the_whole_log_gives() {
    for (name, start, later) in LOGS {
        let whole = ask(format!("{start}{later}"));
        assert!(!whole.events.is_empty(), "{name}");
        for size in [1, 2, 3, 7, 30, 64, 1000] {
            let mut parts = vec![(start.as_bytes(), Pause::Long)];
            parts.extend(later.as_bytes().chunks(size).map(|part| (part, Pause::Short)));
            parts.push((&[], Pause::End));
            let grown = Question::default().ask_as_it_grows(&parts);
            assert_eq!(grown.events, whole.events, "{name} in parts of {size} bytes");
            assert_eq!(grown.minutes, whole.minutes, "{name} in parts of {size} bytes");
            assert_eq!(grown.damage, whole.damage, "{name} in parts of {size} bytes");
            assert_eq!(grown.summary.kind, whole.summary.kind, "{name}");
        }
    }
}

const ENTRY: &[u8] = b"2026-05-06 04:49:00,000 ERROR couldn't get a connection after 5 sec\n";

fn count_after(parts: &[(&[u8], Pause)]) -> usize {
    Question::default().ask_as_it_grows(parts).events.len()
}

#[test]
fn the_last_entry_is_whole_after_a_long_pause_and_its_line_after_a_line_feed() {
    let unended = &ENTRY[..ENTRY.len() - 1];
    assert_eq!(count_after(&[(ENTRY, Pause::Short)]), 0);
    assert_eq!(count_after(&[(ENTRY, Pause::Long)]), 1);
    assert_eq!(count_after(&[(unended, Pause::Long)]), 0);
    assert_eq!(count_after(&[(unended, Pause::Long), (b"\n", Pause::Long)]), 1);
    assert_eq!(count_after(&[(unended, Pause::End)]), 1);
    assert_eq!(count_after(&[(ENTRY, Pause::Long), (b"", Pause::End)]), 1);
}

#[test]
fn what_continues_an_entry_after_a_long_pause_is_an_entry_of_the_same_time() {
    let late = b"    couldn't get a connection after 1 sec\n";
    let grown = Question::default().ask_as_it_grows(&[
        (b"2026-05-06 04:49:00,000 ERROR failed\n", Pause::Long),
        (late, Pause::Long),
    ]);
    assert_eq!(grown.by_minute(), [("2026-05-06T04:49".to_owned(), 2)]);
    assert_eq!(grown.events.len(), 1);
    assert_eq!(grown.events[0].origin, "line 2");
}

#[test]
fn lines_unlike_the_first_ones_are_read_as_what_most_are() {
    let object = b"{\"level\":\"info\",\"time\":1778043600000,\"status\": 503}\n";
    let grown = Question::default().ask_as_it_grows(&[
        (b"listening on port 8000\n", Pause::Long),
        (&object.repeat(3), Pause::Long),
        (object, Pause::Long),
    ]);
    assert_eq!(grown.events.len(), 4);
    assert_eq!(grown.by_minute()[1], ("2026-05-06T05:00".to_owned(), 4));
}

#[test]
fn a_hole_alone_is_no_text_as_where_it_is_read_at_once() {
    let (hole, question) = ([0; 3], Question::default());
    let grown = question.ask_as_it_grows(&[(&hole, Pause::Short), (b"", Pause::End)]);
    assert_eq!(grown.damage.len(), 1);
    assert_eq!(grown.damage[0].problem, "not text: nothing was read");
    assert_eq!(grown.summary, question.ask(hole).summary);
}

#[test]
fn a_hole_before_the_first_line_is_passed_over() {
    let hole = vec![0; 300_000];
    let grown = Question::default().ask_as_it_grows(&[
        (&hole, Pause::Short),
        (&hole, Pause::Long),
        (ENTRY, Pause::Long),
    ]);
    assert_eq!(grown.events.len(), 1);
    assert_eq!(grown.damage.len(), 1);
    assert_eq!(grown.damage[0].problem, "600000 NUL bytes before the first line");
}
