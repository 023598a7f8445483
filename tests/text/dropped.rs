//! What syslog daemons and journald say in text logs about entries that they dropped.

use ebbline::source::Filter;
use ebbline::source::filter::Pattern;
use ebbline::time::Span;

use super::support::*;

const LOG: &str = "\
2026-05-06T04:50:00+00:00 db1 api[42]: GET /a 200
2026-05-06T04:50:01+00:00 db1 systemd-journald[7]: Suppressed 25 messages from api.service
2026-05-06T04:50:02+00:00 db1 api[42]: GET /b 200
2026-05-06T04:50:03+00:00 db1 api[42]: Suppressed 1000 messages from api.service
2026-05-06T04:50:03+00:00 db1 rsyslogd: imjournal: begin to drop messages due to rate-limiting
2026-05-06T04:51:04+00:00 db1 rsyslogd: imjournal: 4567 messages lost due to rate-limiting
2026-05-06T04:51:05+00:00 db2 systemd-journald[7]: Missed 8 kernel messages
2026-05-06T04:51:06+00:00 db1 systemd-journald[7]: Suppressed 3 messages from web.service
";

fn dropped(filter: Filter, span: Span) -> Vec<(u64, Option<String>)> {
    Question { filter, span, ..Question::default() }.ask(LOG).dropped
}

fn from(sender: &str) -> Option<String> {
    Some(sender.to_owned())
}

#[test]
fn daemons_statements_are_told_and_count_as_entries_like_any_other() {
    let recording = ask(LOG);
    let expected =
        [(25, from("api.service")), (4567, None), (8, from("kernel")), (3, from("web.service"))];
    assert_eq!(recording.dropped, expected);
    assert_eq!(recording.summary.entries, 8);
    assert_eq!(recording.events, []);
}

#[test]
fn a_filter_keeps_the_statements_that_concern_what_it_asks_for() {
    let api = || Filter { units: vec![Pattern::unit("api").unwrap()], ..Filter::default() };
    let about_api = [(25, from("api.service")), (4567, None), (8, from("kernel"))];
    assert_eq!(dropped(api(), Span::default()), about_api);
    let hosts = vec![Pattern::new("db2").unwrap()];
    let other_host = Filter { hosts, ..Filter::default() };
    assert_eq!(dropped(other_host, Span::default()), [(8, from("kernel"))]);
    let nginx = Filter { identifiers: vec![Pattern::new("nginx").unwrap()], ..Filter::default() };
    assert_eq!(dropped(nginx, Span::default()).len(), 4);
    let since = Some(instant("2026-05-06T04:51:05Z"));
    assert_eq!(dropped(Filter::default(), Span { since, until: None }).len(), 2);
}
