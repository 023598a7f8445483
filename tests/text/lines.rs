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

pub fn minutes(of: &[(&str, u64)]) -> Vec<(String, u64)> {
    of.iter().map(|&(minute, count)| (minute.to_owned(), count)).collect()
}

#[test]
fn a_java_stack_trace_is_one_entry() {
    let log = "\
2026-05-06 04:49:00.123  WARN 7 --- [nio-8080-exec-1] o.h.engine.jdbc.spi.SqlExceptionHelper : SQL Error
java.sql.SQLTransientConnectionException: HikariPool-1 - Connection is not available
\tat com.zaxxer.hikari.pool.HikariPool.createTimeoutException(HikariPool.java:696)
Caused by: java.lang.IllegalStateException: couldn't get a connection after 30000ms
\tat com.example.Foo.bar(Foo.java:1)
\t... 12 more
2026-05-06 04:49:01.000  INFO 7 --- [main] c.e.App : ok
";
    let seen = ask(log);
    assert_eq!(seen.summary.entries, 2);
    assert!(seen.events[0].message.ends_with("... 12 more"));
}

#[test]
fn a_go_panic_is_one_entry() {
    let log = "\
2026/05/06 04:49:00 http: panic serving 10.0.0.1:4242: couldn't get a connection after 5s
goroutine 34 [running]:
net/http.(*conn).serve.func1()
\t/usr/local/go/src/net/http/server.go:1898 +0xbe
panic({0x1234, 0x5678})
\t/usr/local/go/src/runtime/panic.go:770 +0x132

2026/05/06 04:49:01 next
";
    let seen = ask(log);
    assert_eq!((seen.summary.entries, seen.events.len()), (2, 1));
}

#[test]
fn a_rails_request_is_one_entry_dated_at_its_end() {
    let log = "\
Started GET \"/orders\" for 10.0.0.1 at 2026-05-06 04:49:00 +0000
Processing by OrdersController#index as HTML
  Parameters: {\"from\"=>\"2026-05-01 00:00:00\"}
Completed 503 Service Unavailable in 5002ms (ActiveRecord: 0.0ms)

ActiveRecord::ConnectionTimeoutError (couldn't get a connection after 5.000 seconds):

app/controllers/orders_controller.rb:5:in `index'
Started GET \"/\" for 10.0.0.1 at 2026-05-06 04:50:00 +0000
";
    let seen = ask(log);
    let expected = minutes(&[("2026-05-06T04:49", 1), ("2026-05-06T04:50", 1)]);
    assert_eq!(seen.by_minute(), expected);
    assert_eq!(seen.events.len(), 1);
}

#[test]
fn lines_of_postgresql_are_dated_each_and_its_queries_are_continued() {
    let log = "\
2026-05-06 04:49:00.123 UTC [7] app@shop ERROR:  canceling statement due to timeout
2026-05-06 04:49:00.123 UTC [7] app@shop DETAIL:  since 2026-05-01 00:00:00
2026-05-06 04:49:00.123 UTC [7] app@shop STATEMENT:  SELECT *
\tFROM orders
\tWHERE created > '2026-05-01 00:00:00'
2026-05-06 04:49:01.123 UTC [8] LOG:  checkpoint starting: time
";
    let seen = ask(log);
    assert_eq!(seen.by_minute(), minutes(&[("2026-05-06T04:49", 4)]));
}

#[test]
fn pretty_json_continues_the_line_that_it_was_logged_with() {
    let log = "\
2026-05-06 04:49:00 INFO response {
  \"timestamp\": \"2026-01-01T00:00:00Z\",
  \"status\": 503
}
2026-05-06 04:49:01 INFO response:
{\"timestamp\": \"2026-01-01T00:00:00Z\", \"status\": 200}
2026-05-06 04:49:02 INFO next
";
    let seen = ask(log);
    assert_eq!(seen.by_minute(), minutes(&[("2026-05-06T04:49", 3)]));
    assert_eq!(seen.events.len(), 1);
}

#[test]
fn nginx_errors_and_access_lines_may_share_a_file() {
    let log = r#"2026/05/06 04:49:00 [error] 7#7: *1 upstream timed out, client: 10.0.0.1
10.0.0.1 - - [06/May/2026:04:49:01 +0000] "GET / HTTP/1.1" 503 0 "-" "curl"
10.0.0.1 - - [06/May/2026:04:50:01 +0000] "GET / HTTP/1.1" 200 0 "-" "curl"
"#;
    let seen = ask(log);
    let expected = minutes(&[("2026-05-06T04:49", 2), ("2026-05-06T04:50", 1)]);
    assert_eq!(seen.by_minute(), expected);
    assert_eq!(seen.events.len(), 1);
}

#[test]
fn a_log_without_any_time_is_counted_line_by_line() {
    let log = r#"INFO:     Started server process [1]
INFO:     127.0.0.1:5 - "GET / HTTP/1.1" 503 Service Unavailable
ERROR:    Exception in ASGI application
Traceback (most recent call last):
  File "a.py", line 1, in f
psycopg_pool.PoolTimeout: couldn't get a connection after 30.00 sec

The above exception was the direct cause of the following exception:

Traceback (most recent call last):
  File "b.py", line 1, in g
RuntimeError: x
INFO:     127.0.0.1:6 - "GET / HTTP/1.1" 200 OK
"#;
    let seen = ask(log);
    assert_eq!(seen.by_minute(), minutes(&[("-", 4)]));
    assert_eq!(seen.events.len(), 2);
    assert_eq!(seen.summary.undated, 4);
}

#[test]
fn lines_before_the_first_time_are_an_entry_without_one() {
    let log = "  File \"a.py\", line 2\nValueError: x\n2026-05-06 04:49:00 a\n";
    let seen = ask(log);
    assert_eq!(seen.by_minute(), minutes(&[("-", 1), ("2026-05-06T04:49", 1)]));
    let span = ebbline::time::Span { since: Some(instant("2026-05-01T00:00:00Z")), until: None };
    let limited = Question { span, ..Question::default() }.ask(log);
    assert_eq!(limited.by_minute(), minutes(&[("2026-05-06T04:49", 1)]));
    let told = "entries without a time that --since and --until leave out: 1";
    assert_eq!(limited.damage[0].problem, told);
}

#[test]
fn years_follow_from_the_order_of_lines_and_the_time_of_writing() {
    let log = "\
Dec 30 23:59:00 h a: 1
Dec 31 23:59:59 h a: 2
Jan  1 00:00:00 h a: 3
Feb  2 04:49:00 h a: couldn't get a connection after 30.00 sec
";
    let question = Question { modified: "2026-02-02T05:00:00Z", ..Question::default() };
    let expected = minutes(&[
        ("2025-12-30T23:59", 1),
        ("2025-12-31T23:59", 1),
        ("2026-01-01T00:00", 1),
        ("2026-02-02T04:49", 1),
    ]);
    assert_eq!(question.ask(log).by_minute(), expected);
    // A pipe can be opened once only.
    let mut opened = 0;
    let pipe = Question { can_reopen: false, ..question };
    let seen = pipe.ask_of(&mut || {
        opened += 1;
        assert_eq!(opened, 1);
        Ok(Box::new(log.as_bytes()))
    });
    assert_eq!(seen.by_minute(), expected);
    assert_eq!(seen.events.len(), 1);
}

#[test]
fn wall_clocks_are_read_in_the_zone_that_is_asked_for() {
    let log = "\
2026-11-01 00:59:59 PDT
2026-11-01 01:30:00 first
2026-11-01 01:59:59 first
2026-11-01 01:00:00 second
2026-11-01 01:30:00 second
2026-11-01 02:00:00 PST
2026-03-08 02:30:00 skipped
";
    let zone = chrono_tz::America::Los_Angeles;
    let seen = Question { zone, ..Question::default() }.ask(log);
    let expected = minutes(&[
        ("2026-03-08T10:30", 1),
        ("2026-11-01T07:59", 1),
        ("2026-11-01T08:30", 1),
        ("2026-11-01T08:59", 1),
        ("2026-11-01T09:00", 1),
        ("2026-11-01T09:30", 1),
        ("2026-11-01T10:00", 1),
    ]);
    assert_eq!(seen.by_minute(), expected);
}

#[test]
fn docker_lines_are_decoded_and_their_parts_joined() {
    let log = r#"{"log":"10.0.0.1 - \"GET / HTTP/1.1\" 503\n","stream":"stdout","time":"2026-05-06T04:49:00.123456789Z"}
{"log":"a long line: couldn't get ","stream":"stderr","time":"2026-05-06T04:49:01Z"}
{"log":"a connection after 30 sec\n","stream":"stderr","time":"2026-05-06T04:49:01Z"}
{"log":"ok\n","stream":"stdout","time":"2026-05-06T04:50:00Z"}
"#;
    let seen = ask(log);
    assert_eq!(seen.summary.kind, ebbline::source::SourceKind::Json);
    let expected = minutes(&[("2026-05-06T04:49", 2), ("2026-05-06T04:50", 1)]);
    assert_eq!(seen.by_minute(), expected);
    assert_eq!(
        seen.messages(),
        [
            "10.0.0.1 - \"GET / HTTP/1.1\" 503",
            "a long line: couldn't get a connection after 30 sec"
        ]
    );
    assert_eq!(seen.events[0].at.as_deref(), Some("2026-05-06T04:49:00.123456"));
}

#[test]
fn lines_of_kubernetes_lose_their_prefix_and_parts_are_joined() {
    let log = "\
2026-05-06T04:49:00.669794202Z stdout F GET /api 503 12ms
2026-05-06T04:49:01.669794202Z stderr P couldn't get a conn
2026-05-06T04:49:01.669794203Z stderr F ection after 30 sec
2026-05-06T04:50:00.669794202Z stdout F ok
";
    let seen = ask(log);
    let expected = minutes(&[("2026-05-06T04:49", 2), ("2026-05-06T04:50", 1)]);
    assert_eq!(seen.by_minute(), expected);
    let messages = ["GET /api 503 12ms", "couldn't get a connection after 30 sec"];
    assert_eq!(seen.messages(), messages);
}

#[test]
fn json_lines_are_dated_by_their_keys_and_classified_as_they_stand() {
    let log = r#"{"level":30,"time":1778043600000,"msg":"ok"}
{"level":30,"time":1778043660000,"res":{"status": 503}}
{"level":30,"msg":"no time"}
not json at all
"#;
    let seen = ask(log);
    let expected = minutes(&[("2026-05-06T05:00", 1), ("2026-05-06T05:01", 2)]);
    assert_eq!(seen.by_minute(), expected);
    assert!(seen.events[0].message.starts_with(r#"{"level":30,"time":1778043660000"#));

    // nginx's `$msec`, under its own name.
    let nginx = ask(r#"{"msec":1778043660.078,"status": 503}"#);
    assert_eq!(nginx.by_minute(), minutes(&[("2026-05-06T05:01", 1)]));
}

#[test]
fn w3c_logs_are_in_utc_whatever_the_zone() {
    let log = "\
#Software: Microsoft Internet Information Services 10.0
#Version: 1.0
#Date: 2026-05-06 04:49:00
#Fields: date time s-ip cs-method cs-uri-stem sc-status
2026-05-06 04:49:00 10.0.0.1 GET /api 503
2026-05-06 04:49:01 10.0.0.1 GET /api 200
";
    let zone = chrono_tz::America::Los_Angeles;
    let seen = Question { zone, ..Question::default() }.ask(log);
    assert_eq!(seen.by_minute(), minutes(&[("2026-05-06T04:49", 2)]));
}

#[test]
fn what_journalctl_remarks_is_no_entry() {
    let log = "\
-- Journal begins at Wed 2026-05-06 00:00:00 UTC, ends at Wed 2026-05-06 05:00:00 UTC. --
May 06 04:49:00 db1 api[42]: a
-- Boot f00dcafe00000000f00dcafe00000000 --
May 06 04:50:00 db1 api[42]: b
";
    assert_eq!(ask(log).summary.entries, 2);
    assert_eq!(ask("-- No entries --\n").summary.entries, 0);
}

#[test]
fn rfc_5424_lines_have_all_parts() {
    let log =
        "<34>1 2026-05-06T04:49:00.003Z web api 42 ID47 - couldn't get a connection after 1s\n";
    let event = &ask(log).events[0];
    assert_eq!(event.message, "couldn't get a connection after 1s");
    assert_eq!(event.priority, Some(2));
    assert_eq!(event.identifier.as_deref(), Some("api"));
}

#[test]
fn objects_of_several_lines_are_entries_with_a_time() {
    let log = r#"{
  "time": "2026-05-06T04:49:00Z",
  "status": 503
}
{
  "time": "2026-05-06T04:50:00Z",
  "nested": {
    "time": 0
  }
}
"#;
    let seen = ask(log);
    let expected = minutes(&[("2026-05-06T04:49", 1), ("2026-05-06T04:50", 1)]);
    assert_eq!(seen.by_minute(), expected);
    assert_eq!(seen.events.len(), 1);
}

#[test]
fn logs_whose_every_line_is_indented_are_read() {
    let log = "  2026-05-06 04:49:00 a\n  2026-05-06 04:50:00 b\nmore\n";
    let expected = minutes(&[("2026-05-06T04:49", 1), ("2026-05-06T04:50", 1)]);
    assert_eq!(ask(log).by_minute(), expected);
    assert_eq!(ask("  <-- GET /\n  --> GET / 200\n  --> GET / 503\n").summary.undated, 3);
}

#[test]
fn an_access_log_sent_through_syslog_has_both_headers() {
    let log = r#"May  6 04:49:00 web nginx: 10.0.0.1 - - [06/May/2025:04:49:00 -0700] "GET / HTTP/1.1" 503 0
May  6 04:50:00 web nginx: 10.0.0.1 - - [06/May/2025:04:50:00 -0700] "GET / HTTP/1.1" 200 0
"#;
    let seen = ask(log);
    assert_eq!(seen.by_minute(), minutes(&[("2025-05-06T11:49", 1), ("2025-05-06T11:50", 1)]));
    assert_eq!(seen.events[0].identifier.as_deref(), Some("nginx"));
    assert!(seen.events[0].message.starts_with("10.0.0.1 - - ["));
}

#[test]
fn lines_of_several_containers_are_told_apart() {
    let log = r#"api-1  | 2026-05-06 04:49:00,123 ERROR app failed
api-1  | Traceback (most recent call last):
api-1  |   File "a.py", line 1, in f
api-1  | psycopg_pool.PoolTimeout: couldn't get a connection after 30.00 sec
web-1  | {"level":"info","time":"2026-05-06T04:50:00Z","status": 503}
api-1  | INFO:     10.0.0.1:5 - "GET / HTTP/1.1" 503 Service Unavailable
"#;
    let seen = ask(log);
    let expected = minutes(&[("2026-05-06T04:49", 1), ("2026-05-06T04:50", 2)]);
    assert_eq!(seen.by_minute(), expected);
    assert_eq!(seen.events.len(), 3);
}

#[test]
fn a_number_that_continues_a_dated_line_is_no_time() {
    let log = "2026-05-06 04:49:00 INFO report:
1714990000 orders were shipped
2026-05-06 04:50:00 INFO next
";
    let expected = minutes(&[("2026-05-06T04:49", 1), ("2026-05-06T04:50", 1)]);
    assert_eq!(ask(log).by_minute(), expected);
    let squid = "1778043600.123    12 10.0.0.1 TCP_MISS/503 1 GET http://a/ - -\n";
    assert_eq!(ask(squid).by_minute(), minutes(&[("2026-05-06T05:00", 1)]));
    let compact = "20260506050000123 INFO x\n";
    assert_eq!(ask(compact).by_minute(), minutes(&[("2026-05-06T05:00", 1)]));
}

#[test]
fn undated_lines_are_entries_where_times_are_the_exception() {
    let start = "2026-05-06 04:49:00 listening\n";
    let failure = "orders: couldn't get a connection after 30.00 sec\n";
    let trace = "Traceback (most recent call last):\n  File \"a.py\", line 1\n\
                 PoolTimeout: couldn't get a connection after 30.00 sec\n\
                 (Background on this error at: https://sqlalche.me/e/20/3o7r)\n";

    // Only the start of the server is dated.
    let printed = ask(format!("{start}{}", failure.repeat(1000)));
    assert_eq!(printed.events.len(), 1000);
    assert_eq!(printed.by_minute(), minutes(&[("2026-05-06T04:49", 1001)]));
    let stacked = ask(format!("{start}{}", format!("{failure}{trace}").repeat(20)));
    assert_eq!(stacked.events.len(), 20, "a traceback names its exception again");

    // The times end somewhere behind the beginning of the file.
    let ended = ask(format!("{}{}", start.repeat(1000), failure.repeat(1000)));
    assert_eq!(ended.summary.entries, 1000 + 950);
    assert_eq!(ended.events.len(), 951);

    // A dated entry keeps its exception and what is said about it.
    let dated = ask(format!("{start}{trace}").repeat(20));
    assert_eq!((dated.summary.entries, dated.events.len()), (20, 20));
    let page = "<html>\n<head>\n</head>\n<h1>\" 503 Service Unavailable</h1>\n</html>\n";
    let paged = ask(format!("2026-05-06 04:49:00 answered \" 503\n{page}").repeat(20));
    assert_eq!((paged.summary.entries, paged.events.len()), (20, 20));
}

#[test]
fn what_rsyslog_says_it_repeated_counts_as_often() {
    let log = "\
May  6 04:49:00 db1 api[42]: couldn't get a connection after 30.00 sec
May  6 04:49:00 db1 api[42]: message repeated 4 times: [ couldn't get a connection after 30.00 sec]
May  6 04:49:01 db1 api[42]: #033[31mERROR#033[0m done
";
    let seen = ask(log);
    assert_eq!(seen.summary.entries, 6);
    assert_eq!(seen.events.iter().map(|event| event.times).collect::<Vec<_>>(), [1, 4]);
    assert_eq!(seen.messages()[1], "couldn't get a connection after 30.00 sec");
}

#[test]
fn the_frame_that_rich_draws_belongs_to_its_entry() {
    let entry = "\
2026-05-06 04:49:00 [error    ] request failed
╭──────────── Traceback (most recent call last) ────────────╮
│ /app.py:5 in get                                          │
│ ❱  5 │ raise PoolTimeout(\"couldn't get a connection after │
╰───────────────────────────────────────────────────────────╯
PoolTimeout: couldn't get a connection after 30.00 sec
";
    let seen = ask(entry.repeat(10));
    assert_eq!((seen.summary.entries, seen.events.len()), (10, 10));
}
