//! What the timeline concludes from the facts that sources told: gaps in the numbers over several
//! files, clocks, and what was dropped; and how it is shown.
#![allow(clippy::unwrap_used)]

mod outage;

use chrono_tz::Tz;
use ebbline::render::table::Style;
use ebbline::render::{markdown, table};
use ebbline::report::{Columns, Report};
use ebbline::source::Remark;
use ebbline::source::not_logged::{
    BootPart, ClockJump, Course, DropKind, Dropped, Moment, Numbers,
};
use ebbline::time::{Span, Timestamp};
use ebbline::timeline::fold::Folding;
use ebbline::timeline::not_logged::{Absence, What};
use ebbline::timeline::{By, Coverage, Timeline};
use outage::{Log, at};

/// Seconds after the first of May.
fn after(seconds: u64) -> Timestamp {
    Timestamp::from_micros(at("2026-05-01T00:00:00Z").micros() + seconds as i64 * 1_000_000)
        .unwrap()
}

/// Entries numbered from `first` to `last`, one a second: number n in second n.
fn run(first: u64, last: u64) -> Numbers {
    let (first_at, last_at) = (after(first), after(last));
    Numbers { first, last, entries: last - first + 1, first_at, last_at }
}

/// A file of a sequence and a boot.
fn file(sequence: u8, boot: u8, numbers: Vec<Numbers>) -> Course {
    let moment =
        |at: Timestamp| Moment { at, monotonic_us: (at.micros() - after(0).micros()) as u64 };
    let part = BootPart {
        boot: [boot; 16],
        machine: [1; 16],
        host: None,
        first: moment(numbers[0].first_at),
        last: moment(numbers[numbers.len() - 1].last_at),
    };
    Course { seqnum_id: [sequence; 16], numbers, boots: vec![part], ..Course::default() }
}

fn log_of(remarks: impl IntoIterator<Item = Remark>) -> Log {
    let mut log = Log::default();
    for seconds in [0, 4000] {
        log.add(after(seconds), 1, 0, 0);
    }
    for minute in 1..66 {
        log.add(after(minute * 60), 1, 0, 0);
    }
    remarks.into_iter().for_each(|remark| log.tally.remarks.push(remark));
    log
}

fn timeline(remarks: impl IntoIterator<Item = Remark>) -> Timeline {
    log_of(remarks).timeline(By::Minute, Tz::UTC, Span::default(), Vec::new())
}

fn courses(files: impl IntoIterator<Item = Course>) -> Timeline {
    timeline(files.into_iter().map(|file| Remark::Course(Box::new(file))))
}

/// The gaps as entries, from and to in seconds.
fn gaps(timeline: &Timeline) -> Vec<(u64, u64, u64)> {
    let seconds =
        |at: Option<Timestamp>| ((at.unwrap().micros() - after(0).micros()) / 1_000_000) as u64;
    let absences = timeline.not_logged.absences.iter();
    let gaps = absences.filter(|absence| absence.what == What::SequenceGap);
    gaps.map(|gap| (gap.entries.unwrap(), seconds(gap.from), seconds(gap.to))).collect()
}

fn dropped(seconds: u64, entries: u64, sender: &str, is_from_journal: bool) -> Remark {
    Remark::Dropped(Dropped {
        at: Some(after(seconds)),
        kind: DropKind::Suppressed,
        entries,
        sender: Some(sender.to_owned()),
        host: None,
        is_from_journal,
    })
}

#[test]
fn a_number_is_missing_only_if_no_file_of_its_sequence_has_it() {
    let one = || file(1, 1, vec![run(10, 100), run(151, 200)]);
    let other = || file(1, 1, vec![run(101, 120), run(140, 150)]);
    assert_eq!(gaps(&courses([one()])), [(50, 100, 151)]);
    assert_eq!(gaps(&courses([one(), other()])), [(19, 120, 140)]);
    assert_eq!(gaps(&courses([other(), one(), one()])), [(19, 120, 140)]);
    let filler = file(1, 1, vec![run(115, 145)]);
    assert_eq!(gaps(&courses([one(), filler.clone(), other()])), []);
    // Another machine's sequence may use the same numbers at the same time.
    let foreign = file(2, 2, vec![run(1, 400)]);
    assert_eq!(gaps(&courses([one(), other(), foreign])), [(19, 120, 140)]);
    // Before systemd 254, users' files have sequences of their own and share the counter.
    let user = Course { seqnum_id: [3; 16], ..filler };
    assert_eq!(gaps(&courses([one(), other(), user])), []);
}

#[test]
fn minutes_within_a_gap_are_covered_in_part() {
    let timeline = courses([file(1, 1, vec![run(1, 130), run(310, 4000)])]);
    let coverage: Vec<Coverage> = timeline.buckets.iter().map(|bucket| bucket.coverage).collect();
    let partial: Vec<usize> =
        (0..coverage.len()).filter(|place| coverage[*place] == Coverage::Partial).collect();
    // The last minute ends after the last entry.
    assert_eq!(partial, [2, 3, 4, 5, 66]);
}

#[test]
fn runs_that_had_to_be_joined_still_say_how_many_entries_are_missing() {
    let mut sparse = run(1000, 2000);
    sparse.entries = 600;
    assert_eq!(gaps(&courses([file(1, 1, vec![sparse])])), [(401, 1000, 2000)]);
    let mut rest = run(1001, 1999);
    rest.entries = 401;
    let whole = [file(1, 1, vec![sparse]), file(1, 1, vec![rest])];
    assert_eq!(gaps(&courses(whole)), []);
}

#[test]
fn a_jump_that_two_files_see_is_one_jump() {
    let moment = |clock: u64, monotonic: u64| Moment {
        at: after(clock),
        monotonic_us: monotonic * 1_000_000,
    };
    let jump = |before, after| ClockJump::between([1; 16], before, after).unwrap();
    // The busy file sees two jumps, the quiet one their sum.
    let mut busy = file(1, 1, vec![run(1, 50)]);
    busy.jumps =
        vec![jump(moment(100, 100), moment(701, 101)), jump(moment(800, 200), moment(701, 201))];
    let mut quiet = file(2, 1, vec![run(1, 50)]);
    quiet.jumps = vec![jump(moment(90, 90), moment(800, 300))];
    let timeline = courses([quiet, busy]);
    let absences = timeline.not_logged.absences.iter().map(|absence| absence.what);
    let jumps: Vec<What> = absences.filter(|what| matches!(what, What::ClockJump(_))).collect();
    assert_eq!(jumps, [What::ClockJump(600_000_000), What::ClockJump(-100_000_000)]);
    assert_eq!(ClockJump::between([1; 16], moment(1, 1), moment(3603, 3601)), None);
    // All entries with one monotonic time: a program that does not know it.
    assert_eq!(ClockJump::between([1; 16], moment(1, 1), moment(3603, 1)), None);
}

#[test]
fn what_a_text_repeats_of_a_journal_is_dropped_once() {
    let timeline = timeline([
        dropped(70, 5, "a.service", false),
        dropped(130, 7, "a.service", true),
        dropped(71, 5, "a.service", true),
        dropped(131, 7, "b.service", false),
        dropped(130, 7, "a.service", false),
        dropped(130, 7, "a.service", false),
    ]);
    let suppressed: Vec<u64> = timeline.buckets.iter().map(|bucket| bucket.suppressed).collect();
    assert_eq!(suppressed[..4], [0, 5, 21, 0]);
    assert_eq!(timeline.not_logged.dropped, 26);
}

#[test]
fn what_two_texts_of_a_host_say_is_dropped_once() {
    let on = |host: &str, second, sender: &str| match dropped(second, 5, sender, false) {
        Remark::Dropped(dropped) => Remark::Dropped(Dropped { host: Some(host.into()), ..dropped }),
        other => other,
    };
    let timeline = timeline([
        on("atlas", 70, "a.service"),
        on("atlas", 100, "a.service"),
        on("atlas", 70, "a.service"),
        on("borea", 70, "a.service"),
        on("atlas", 70, "b.service"),
    ]);
    assert_eq!(timeline.not_logged.dropped, 20);
}

#[test]
fn a_gap_in_the_last_bucket_stays_one_however_long_one_reads_on() {
    // Three minutes of entries, and numbers that are missing in the last of them.
    let file = file(1, 1, vec![run(10, 130), run(151, 170)]);
    let read = |remarks: Vec<Remark>| {
        let mut log = Log::default();
        [0, 60, 130, 170].iter().for_each(|&seconds| log.add(after(seconds), 1, 0, 0));
        remarks.into_iter().for_each(|remark| log.tally.remarks.push(remark));
        let mut timeline = log.timeline(By::Minute, Tz::UTC, Span::default(), Vec::new());
        timeline.read_until(after(600));
        timeline.buckets.last().unwrap().coverage
    };
    assert_eq!(read(Vec::new()), Coverage::Full);
    assert_eq!(read(vec![Remark::Course(Box::new(file))]), Coverage::Partial);
}

#[test]
fn statements_without_end_are_added_up() {
    let many = (0..30_000_u64).map(|index| dropped(index % 4000, 1, "a.service", true));
    let timeline = timeline(many.chain([dropped(9, u64::MAX, "a.service", true)]));
    let sum: u64 = timeline.buckets.iter().skip(1).map(|bucket| bucket.suppressed).sum();
    // Of 30,000, those of the first minute are eight times 60.
    assert_eq!(sum, 29_520);
    assert_eq!(timeline.not_logged.dropped, u64::MAX);
    assert_eq!(timeline.not_logged.absences.len(), 1000);
    assert!(timeline.not_logged.more > 9000);
}

fn report(remarks: Vec<Remark>) -> Report {
    let log = log_of(remarks);
    let timeline = log.timeline(By::Hour, Tz::UTC, Span::default(), Vec::new());
    Report {
        timeline,
        span: Span::default(),
        sources: Vec::new(),
        columns: Columns::Occurring,
        incidents: None,
    }
}

fn table_of(report: &Report) -> String {
    let mut out = Vec::new();
    let style = Style { width: 100, color: false, unicode: true };
    table::render(report, Folding::QuietRuns, style, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn a_table_says_what_is_missing_in_few_lines() {
    let boots = (1..8).map(|boot| {
        let start = u64::from(boot) * 500;
        Remark::Course(Box::new(file(boot, boot, vec![run(start, start + 440)])))
    });
    let gap = file(1, 1, vec![run(100, 200), run(250, 300)]);
    let mut remarks: Vec<Remark> = boots.collect();
    remarks.push(Remark::Course(Box::new(gap)));
    remarks.push(dropped(80, 11, "api\u{1b}[31m.service", true));
    remarks.push(dropped(90, 3, "web.service", true));
    let report = report(remarks);
    assert_eq!(
        table_of(&report),
        "\
Hour         pool timeouts  503 responses  Notes
────────────────────────────────────────────────────────────────────────────────────────────────────
May 1 00:00              0              0  14 entries dropped; 00:58 booted; 00:50 booted; 00:41
                                           booted; and 3 more
May 1 01:00              0              0
────────────────────────────────────────────────────────────────────────────────────────────────────
Total                    0              0

Entries    67
First      2026-05-01 00:00:00 UTC
Last       2026-05-01 01:06:40 UTC
Time zone  UTC
Gaps       14 entries were dropped, 11 of them from api\\x1b[31m.service before 2026-05-01 00:01:20 UTC
           248 entries are in no file that was read: 2 gaps, the largest of 199 entries from 2026-05-01 00:05:00 UTC to 2026-05-01 00:08:20 UTC
           the machine was booted at 2026-05-01 00:16:40 UTC, no entry for 1 min before
           the machine was booted at 2026-05-01 00:25:00 UTC, no entry for 1 min before
           the machine was booted at 2026-05-01 00:33:20 UTC, no entry for 1 min before
           and 3 more boots
"
    );
    let mut out = Vec::new();
    markdown::render(&report, Folding::QuietRuns, &mut out).unwrap();
    let text = String::from_utf8(out).unwrap();
    assert!(text.contains("\n- 14 entries were dropped, 11 of them"), "{text}");
}

#[test]
fn an_absence_without_a_time_is_kept_and_one_outside_is_not() {
    let undated = Remark::Dropped(Dropped {
        at: None,
        kind: DropKind::Missed,
        entries: 3,
        sender: None,
        host: None,
        is_from_journal: false,
    });
    let late = file(1, 1, vec![run(5000, 5010), run(5050, 5060)]);
    let timeline = timeline([undated, Remark::Course(Box::new(late))]);
    let absences: Vec<&Absence> = timeline.not_logged.absences.iter().collect();
    assert_eq!(absences.len(), 1);
    assert_eq!((absences[0].what, absences[0].entries), (What::Missed, Some(3)));
}

#[test]
fn an_end_that_a_header_claims_is_a_gap_up_to_the_next_file() {
    let mut cut = file(1, 1, vec![run(10, 100)]);
    cut.claimed_end = Some((150, after(150)));
    assert_eq!(gaps(&courses([cut.clone()])), [(50, 100, 150)]);
    let next = file(1, 1, vec![run(151, 200)]);
    assert_eq!(gaps(&courses([cut.clone(), next])), [(50, 100, 151)]);
    let later = file(1, 1, vec![run(161, 200)]);
    assert_eq!(gaps(&courses([cut.clone(), later])), [(50, 100, 150), (10, 150, 161)]);
    // A copy from before the end was cut off.
    let whole = file(1, 1, vec![run(10, 150)]);
    assert_eq!(gaps(&courses([cut, whole])), []);
}

#[test]
fn a_text_with_endless_statements_repeats_its_journal_all_the_same() {
    let statements = |is_from_journal| {
        (0..12_000_u64).map(move |index| dropped(index / 3, 2, "a.service", is_from_journal))
    };
    let alone = timeline(statements(true));
    let journal_first = timeline(statements(true).chain(statements(false)));
    let text_first = timeline(statements(false).chain(statements(true)));
    assert_eq!(alone.not_logged.dropped, 24_000);
    for both in [journal_first, text_first] {
        assert_eq!(both.not_logged.dropped, 24_000);
        assert_eq!(both.buckets, alone.buckets);
    }
}
