//! Plain logs: which lines are entries, and when they were logged.

use super::support::*;

#[test]
fn a_traceback_belongs_to_the_dated_line_before_it() {
    let log = "\
2026-05-06 04:49:00,123 ERROR app Exception in request
Traceback (most recent call last):
  File \"/app/db.py\", line 12, in get
    raise PoolTimeout(
psycopg_pool.PoolTimeout: couldn't get a connection after 30.00 sec
2026-05-06 04:50:00,000 INFO app next
";
    let seen = ask(log);
    assert_eq!(seen.by_minute(), [("2026-05-06T04:49".into(), 1), ("2026-05-06T04:50".into(), 1)]);
    assert_eq!(seen.events.len(), 1);
    assert!(seen.events[0].message.ends_with("couldn't get a connection after 30.00 sec"));
    assert_eq!(seen.events[0].at.as_deref(), Some("2026-05-06T04:49:00.123000"));
    assert_eq!(seen.events[0].origin, "line 1");
}

#[test]
fn undated_access_lines_among_dated_ones_are_entries_at_the_time_before() {
    let log = r#"2026-05-06 04:49:00,123 INFO app starting
INFO:     127.0.0.1:55032 - "GET /api HTTP/1.1" 503 Service Unavailable
INFO:     127.0.0.1:55033 - "GET /api HTTP/1.1" 503 Service Unavailable
2026-05-06 04:50:00,000 INFO app next
"#;
    let seen = ask(log);
    assert_eq!(seen.by_minute(), [("2026-05-06T04:49".into(), 3), ("2026-05-06T04:50".into(), 1)]);
    assert_eq!(seen.events.len(), 2);
    assert_eq!(seen.events[1].at.as_deref(), Some("2026-05-06T04:49:00.123000"));
    assert_eq!(seen.events[1].origin, "line 3");
}

#[test]
fn a_syslog_line_has_host_tag_and_pid() {
    let log = "May  6 04:49:00 db1 api[42]: couldn't get a connection after 30.00 sec\n\
               May  6 04:49:59 db1 api[42]: ok\n";
    let seen = ask(log);
    let event = &seen.events[0];
    assert_eq!(event.message, "couldn't get a connection after 30.00 sec");
    assert_eq!(
        (event.host.as_deref(), event.identifier.as_deref(), event.pid.as_deref()),
        (Some("db1"), Some("api"), Some("42"))
    );
    assert_eq!(seen.by_minute(), [("2026-05-06T04:49".into(), 2)]);
}
