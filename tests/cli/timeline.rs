//! `ebbline timeline`: buckets of one's own logs, in every format.

use crate::harness::{Folder, http_503_line, pool_timeout_line};

#[test]
fn a_day_without_any_entry_is_no_data_and_not_zero() {
    let folder = Folder::new();
    let log = [
        pool_timeout_line("2026-05-04 12:00:00,000"),
        pool_timeout_line("2026-05-06 12:00:00,000"),
    ];
    folder.write("app.log", log.concat());
    let document = folder.timeline(&["app.log"]);
    let buckets = document["buckets"].as_array().unwrap();
    assert_eq!(buckets.len(), 3);
    assert_eq!(buckets[1]["coverage"], "none");
    assert_eq!(buckets[1]["entries"], 0);
    let table = folder.run(&["timeline", "app.log"]).stdout;
    assert!(table.contains("no data"), "{table}");
}

#[test]
fn an_echo_has_its_class_in_events_and_is_not_counted() {
    let folder = Folder::new();
    folder.write(
        "mine.toml",
        "[[rule]]\nid = \"again\"\nclass = \"http_503\"\necho = true\npattern = 'Said again: /'\nsamples = [\"Said again: /x\"]\n",
    );
    let log = [
        http_503_line("06/May/2026:04:49:00 +0000"),
        "10.0.0.7 - - [06/May/2026:04:49:00 +0000] Said again: /x\n".to_owned(),
    ];
    folder.write("access.log", log.concat());
    let document = folder.timeline(&["access.log", "--rules", "mine.toml"]);
    assert_eq!(document["totals"]["counts"]["http_503"], 1);
    assert_eq!(document["totals"]["entries"], 2);
    let run = folder.run(&["events", "access.log", "--rules", "mine.toml", "-o", "ndjson"]);
    assert_eq!(run.records().len(), 2);
    assert_eq!(run.records()[1]["echo"], true);
}

#[test]
fn the_number_of_threads_does_not_change_the_output() {
    let folder = Folder::new();
    for file in 0..12 {
        let log: String = (0..50)
            .map(|n| pool_timeout_line(&format!("2026-05-{:02} 04:49:{n:02},000", 1 + file)))
            .collect();
        folder.write(&format!("{file}.log"), log);
    }
    let outputs: Vec<String> = ["1", "2", "7"]
        .map(|n| folder.run(&["timeline", ".", "-o", "json", "-j", n]).stdout)
        .to_vec();
    assert_eq!(outputs[0], outputs[1]);
    assert_eq!(outputs[0], outputs[2]);
    assert!(outputs[0].contains("\"pool_timeout\":600"), "{}", outputs[0]);
}

#[test]
fn hours_and_minutes_add_up_to_days() {
    let folder = Folder::new();
    let log: String = (0..24)
        .map(|hour| pool_timeout_line(&format!("2026-05-06 {hour:02}:{:02}:00,000", hour * 2)))
        .collect();
    folder.write("app.log", log);
    for (by, buckets) in [("day", 1), ("hour", 24), ("minute", 23 * 60 + 47)] {
        let document = folder.timeline(&["app.log", "--by", by]);
        let all = document["buckets"].as_array().unwrap();
        let sum: u64 =
            all.iter().map(|bucket| bucket["counts"]["pool_timeout"].as_u64().unwrap()).sum();
        assert_eq!((all.len(), sum), (buckets, 24), "{by}");
        assert_eq!(document["by"], by);
    }
}

/// Lines that are dated like their neighbour are counted without a look at the rest of them, but
/// only where no filter asks for it. So a filter that everything passes must change nothing.
#[test]
fn a_filter_that_everything_passes_changes_nothing() {
    let folder = Folder::new();
    let mut random = crate::journals::Random(503);
    for file in 0..20 {
        folder.write(&format!("{file}.log"), shuffled_log(&mut random));
    }
    for by in ["minute", "day"] {
        let all = folder.timeline(&[".", "--by", by]);
        let filtered = folder.timeline(&[".", "--by", by, "--host", "n*"]);
        assert_eq!(all["buckets"], filtered["buckets"]);
        assert_eq!(all["sources"], filtered["sources"]);
        assert!(all["totals"]["counts"]["pool_timeout"].as_u64().unwrap() > 100);
    }
}

/// Short-iso lines whose times jump, repeat, change their offset or do not exist, with
/// continuation lines between them.
fn shuffled_log(random: &mut crate::journals::Random) -> String {
    let mut log = "2026-05-06T04:49:00+00:00 north api[1]: start\n".to_owned();
    let (mut hour, mut minute) = (4, 49);
    for _ in 0..400 {
        match random.below(12) {
            0 => (hour, minute) = (random.below(24), random.below(60)),
            1 | 2 => minute = (minute + 1) % 60,
            _ => {}
        }
        let second = if random.below(40) == 0 { 60 + random.below(3) } else { random.below(60) };
        let offset = if random.below(10) == 0 {
            random.pick(&["-07:00", "+0530", "+05:45", "-0700"])
        } else {
            "+00:00"
        };
        let text = random.pick(&[
            "all is well",
            "couldn't get a connection after 30.00 sec",
            "status 503 bytes",
            "",
            "2026-05-06T09:09:09+00:00 inside",
        ]);
        log +=
            &format!("2026-05-06T{hour:02}:{minute:02}:{second:02}{offset} north api[1]: {text}\n");
        if random.below(6) == 0 {
            log += "    2026-05-06T23:00:00+00:00 north api[1]: indented\n\tat x.y(Z.java:503)\n";
        }
    }
    log
}
