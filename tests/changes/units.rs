//! What is said about a unit, and what changed: from the facts of sources to changes.

use ebbline::source::change::Happened;
use ebbline::source::not_logged::Remarks;
use ebbline::source::{ChangeLog, FoundChange};
use ebbline::time::Timestamp;
use ebbline::timeline::change::{lasting, of_log, usual};
use ebbline::timeline::{Change, ChangeKind};

fn at(second: i64) -> Timestamp {
    Timestamp::from_micros(1_777_939_200_000_000 + second * 1_000_000).unwrap()
}

fn said(second: i64, happened: Happened) -> FoundChange {
    FoundChange::once(at(second), happened, "api.service".to_owned())
}

fn log(said: impl IntoIterator<Item = FoundChange>) -> ChangeLog {
    let mut log = ChangeLog::default();
    said.into_iter().for_each(|change| log.push(change));
    log
}

fn told(log: &ChangeLog) -> Vec<String> {
    of_log(log, &Remarks::default()).iter().map(Change::text).collect()
}

#[test]
fn a_unit_that_flaps_ten_thousand_times_is_one_change() {
    let flaps = (0..10_000).flat_map(|flap| {
        let second = flap * 5;
        [
            FoundChange { detail: Some("exit-code".to_owned()), ..said(second, Happened::Failed) },
            said(second + 1, Happened::RestartScheduled),
            said(second + 1, Happened::Stopped),
            said(second + 1, Happened::Started),
        ]
    });
    let log = log(flaps);
    assert!(log.found().len() <= 4 * ChangeLog::MAX_OF_SUBJECT);
    assert_eq!(told(&log), ["failed api (exit-code) 10000 times in 14 h, restarted"]);
}

#[test]
fn a_stop_and_a_start_are_a_restart_only_within_a_minute() {
    let near = [said(0, Happened::Stopped), said(59, Happened::Started)];
    assert_eq!(told(&log(near)), ["restarted api"]);
    let far = [said(0, Happened::Stopped), said(61, Happened::Started)];
    assert_eq!(told(&log(far)), ["stopped api", "started api"]);
}

#[test]
fn a_service_that_ends_by_itself_after_hours_has_stopped() {
    let daemon = [said(0, Happened::Started), said(8000, Happened::Ended)];
    assert_eq!(told(&log(daemon)), ["started api", "stopped api"]);
    let job = [said(0, Happened::Started), said(800, Happened::Ended)];
    assert_eq!(told(&log(job)), Vec::<String>::new());
    let exited = [
        said(0, Happened::Started),
        said(800, Happened::Ended),
        said(801, Happened::RestartScheduled),
        said(801, Happened::Started),
    ];
    assert_eq!(told(&log(exited)), ["started api", "restarted api"]);
}

#[test]
fn what_a_unit_failed_of_is_not_told_twice() {
    let crash = FoundChange {
        detail: Some("api.service".to_owned()),
        ..FoundChange::once(at(0), Happened::Crashed, "python3".to_owned())
    };
    let failed = FoundChange { detail: Some("core-dump".to_owned()), ..said(1, Happened::Failed) };
    assert_eq!(told(&log([crash.clone(), failed])), ["failed api (core-dump)"]);
    assert_eq!(told(&log([crash])), ["crashed python3 (api.service)"]);
    let killed = FoundChange { detail: Some("oom-kill".to_owned()), ..said(1, Happened::Failed) };
    let kernel = FoundChange::once(at(0), Happened::OutOfMemory, "python3".to_owned());
    let all = [kernel, said(0, Happened::UnitOutOfMemory), killed];
    assert_eq!(told(&log(all)), ["out of memory, killed python3", "failed api (oom-kill)"]);
}

#[test]
fn what_two_sources_say_is_one_change() {
    let mut journal = log([said(0, Happened::Stopped), said(2, Happened::Started)]);
    let in_text = |change: FoundChange| FoundChange { host: Some("north".to_owned()), ..change };
    let named = |host: &str| {
        let host = Some(host.to_owned());
        log([said(0, Happened::Failed)].map(|change| FoundChange { host: host.clone(), ..change }))
    };
    let mut both = named("north.example");
    both.merge(named("north"));
    assert_eq!(told(&both), ["failed api"]);
    both.merge(named("south"));
    assert_eq!(told(&both), ["failed api", "failed api"]);
    journal.merge(log([in_text(said(500, Happened::Reloaded))]));
    assert_eq!(told(&journal), ["restarted api", "reloaded api"]);
}

#[test]
fn a_service_that_goes_on_refusing_is_told_again_for_who_looks_at_an_hour_only() {
    let refused = |second| FoundChange::once(at(second), Happened::Refused, "db1:5432".to_owned());
    let log = log((0..100).map(|minute| refused(minute * 60)).chain([refused(20_000)]));
    let once =
        ["connection refused by db1:5432 100 times in 99 min", "connection refused by db1:5432"];
    assert_eq!(told(&log), once);
    let again: Vec<String> = lasting(&log).iter().map(Change::text).collect();
    let expected = [30, 60, 90].map(|min| format!("connection refused by db1:5432, for {min} min"));
    assert_eq!(again, expected);
}

#[test]
fn what_happens_on_most_days_is_usual() {
    let change = |day: i64, what: &str| Change {
        at: at(day * 86_400),
        kind: ChangeKind::UnitFailed,
        what: what.to_owned(),
        host: None,
    };
    let nightly = (0..10).map(|day| change(day, "job.service (timeout)"));
    let rare = (0..4).map(|day| change(day * 3, "api.service"));
    let changes: Vec<Change> = nightly.chain(rare).collect();
    let usual = usual(&changes);
    assert_eq!(usual.into_iter().collect::<Vec<_>>(), [(ChangeKind::UnitFailed, "job.service")]);
    assert_eq!(ebbline::timeline::change::usual(&changes[..3]).len(), 0);
}
