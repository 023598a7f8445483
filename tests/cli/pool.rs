//! `ebbline pool`: the series of a log's snapshots, as a user and a script meet them.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::harness::Folder;
use crate::journals::{TestEntry, write_journal};

/// 2026-05-06T04:00:00Z.
const START_S: u64 = 1_778_040_000;

fn document(folder: &Folder, words: &[&str]) -> Value {
    let run = folder.run(&[&["pool", "-o", "json"], words].concat());
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    serde_json::from_str(&run.stdout).unwrap()
}

fn sample(part: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("sample-logs/outage-2026-05").join(part)
}

fn series<'d>(document: &'d Value, pool: &str) -> &'d Value {
    let all = document["series"].as_array().unwrap();
    all.iter().find(|series| series["pool"] == pool).unwrap_or_else(|| panic!("no {pool}"))
}

fn points<'d>(document: &'d Value, pool: &str) -> &'d [Value] {
    series(document, pool)["points"].as_array().unwrap()
}

/// One value of each point of a pool.
fn values(document: &Value, pool: &str, value: &str) -> Vec<Value> {
    points(document, pool).iter().map(|point| point[value].clone()).collect()
}

fn time(seconds: u64) -> String {
    let at = chrono::DateTime::from_timestamp(i64::try_from(START_S + seconds).unwrap(), 0);
    at.unwrap().format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn hikari(seconds: u64, in_use: u64, waiting: u64) -> String {
    let idle = 10 - in_use;
    let state = format!("total=10, active={in_use}, idle={idle}, waiting={waiting}");
    format!(
        "{} DEBUG com.zaxxer.hikari.pool.HikariPool - orders - Pool stats ({state})\n",
        time(seconds)
    )
}

#[test]
fn the_sample_outage_shows_the_fill_up_before_the_first_timeout() {
    let journal = sample("journal");
    let words = [journal.to_str().unwrap(), "--tz", "America/Los_Angeles"];
    let document = document(&Folder::new(), &words);
    let lead = document["leads"].as_array().unwrap().iter().find(|lead| {
        lead["pool"] == "primary" && lead["first_timeout"].as_str().unwrap() > "2026-05-06T04"
    });
    let lead = lead.expect("the primary's lead");
    assert!(lead["first_timeout"].as_str().unwrap().starts_with("2026-05-06T04:49:07."));
    assert!(lead["full_since"].as_str().unwrap().starts_with("2026-05-06T04:36:07."));
    assert!((779.0..781.0).contains(&lead["lead_s"].as_f64().unwrap()), "{lead}");
    assert_eq!(lead["full_in_use"], 20);
    let speed = lead["connections_per_minute"].as_f64().unwrap();
    assert!((0.1..0.5).contains(&speed), "{speed}");
    let windows = document["saturation"].as_array().unwrap();
    let longest = windows.iter().filter(|window| window["pool"] == "primary").next_back().unwrap();
    assert!(longest["end"].as_str().unwrap().starts_with("2026-05-06T17:14:07."), "{longest}");
    assert!(longest["peak_waiting"].as_u64().unwrap() > 8);
    assert_eq!(document["unparsed"], 0);
}

#[test]
fn the_sample_gives_the_same_points_from_journal_and_text_and_once_from_both() {
    let documents = ["journal", "text", ""]
        .map(|part| document(&Folder::new(), &[sample(part).to_str().unwrap()]));
    for pool in ["primary", "ro", "ro_fallthrough"] {
        let expected = points(&documents[0], pool);
        assert!(expected.len() > 40, "{pool}");
        for document in &documents[1..] {
            assert_eq!(points(document, pool), expected, "{pool}");
        }
    }
    for document in &documents {
        let pools: Vec<_> = document["series"].as_array().unwrap().iter().collect();
        assert_eq!(pools.len(), 4, "three pools and the pooler's statistics");
        assert_eq!(series(document, "primary")["host"], "atlas");
    }
}

#[test]
fn the_table_fits_and_says_what_happened() {
    let journal = sample("journal");
    let words = ["pool", journal.to_str().unwrap(), "--tz", "America/Los_Angeles"];
    let run = Folder::new().run(&words);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    for line in run.stdout.lines() {
        assert!(line.chars().count() <= 80, "{line}");
    }
    for part in ["in use 3–20 of 20", "█", "2026-05-06 04:36:07", "primary was full 13 min before"]
    {
        assert!(run.stdout.contains(part), "no {part} in\n{}", run.stdout);
    }
    assert!(!run.stdout.contains('\x1b'));
    let colored = Folder::new().run(&[&words[..], &["--color", "always"]].concat());
    assert!(colored.stdout.contains("\x1b[31m"), "saturated columns are red");
}

#[test]
fn gaps_stay_gaps_and_counters_that_restart_do_not_run_backwards() {
    let folder = Folder::new();
    let mut log = String::new();
    for (seconds, timeouts) in [(0, 5), (60, 7), (120, 9), (3600, 1), (3660, 4)] {
        log += &format!(
            "{} INFO pool_snapshot v=1 a.max=4 a.size=4 a.idle=0 a.in_use=4 a.waiting=2 \
             a.acquires=9 a.timeouts={timeouts} a.peak_in_use=4 a.peak_waiting=2\n",
            time(seconds)
        );
    }
    folder.write("app.log", log);
    let document = document(&folder, &["app.log"]);
    let windows = document["saturation"].as_array().unwrap();
    assert_eq!(windows.len(), 2, "{windows:?}");
    assert_eq!(windows[0]["end"], "2026-05-06T04:02:00+00:00");
    assert_eq!(windows[1]["start"], "2026-05-06T05:00:00+00:00");
    let csv = folder.run(&["pool", "app.log", "--by", "hour", "-o", "csv"]);
    let new_timeouts: Vec<_> =
        csv.stdout.lines().skip(1).map(|row| row.rsplit(',').next().unwrap()).collect();
    // 7-5 and 9-7; then the process was started again: 1, and 4-1.
    assert_eq!(new_timeouts, ["4", "4"], "{}", csv.stdout);
    let table = folder.run(&["pool", "app.log", "--by", "minute"]);
    assert!(table.stdout.contains("no data"), "{}", table.stdout);
}

#[test]
fn buckets_have_the_least_the_most_and_the_last() {
    let folder = Folder::new();
    folder.write(
        "app.log",
        [(0, 7), (60, 2), (120, 9), (180, 4)].map(|(s, n)| hikari(s, n, 0)).concat(),
    );
    let run = folder.run(&["pool", "app.log", "--by", "hour", "-o", "csv"]);
    let rows: Vec<Vec<&str>> = run.stdout.lines().map(|row| row.split(',').collect()).collect();
    let column = |name: &str| rows[0].iter().position(|heading| *heading == name).unwrap();
    let cells = ["in_use_min", "in_use_max", "in_use_last", "idle_last", "max_last", "snapshots"];
    assert_eq!(cells.map(|name| rows[1][column(name)]), ["2", "9", "4", "6", "", "4"]);
    assert_eq!(rows.len(), 2);
}

#[test]
fn a_timeout_that_tells_the_counts_is_an_event_and_a_point() {
    let folder = Folder::new();
    folder.write(
        "app.log",
        hikari(0, 10, 3)
            + &format!(
                "{} ERROR orders - Connection is not available, request timed out after 30001ms \
                 (total=10, active=10, idle=0, waiting=12)\n",
                time(20)
            ),
    );
    let document = document(&folder, &["app.log"]);
    assert_eq!(values(&document, "orders", "waiting"), [3, 12]);
    assert_eq!(folder.timeline(&["app.log"])["totals"]["counts"]["pool_timeout"], 1);
}

#[test]
fn snapshots_are_no_events() {
    let folder = Folder::new();
    folder.write("app.log", hikari(0, 10, 3));
    folder.write(
        "mine.toml",
        "[[rule]]\nid = \"mine\"\nclass = \"pool_snapshot\"\npattern = 'Pool stats .total=(?<size>\\d+)'\n\
         samples = [\"Pool stats (total=1\"]\n",
    );
    for rules in [&[][..], &["--rules", "mine.toml"]] {
        let timeline = folder.timeline(&[&["app.log"], rules].concat());
        assert_eq!(timeline["totals"]["entries"], 1);
        assert!(!timeline["classes"].to_string().contains("pool_snapshot"), "{timeline}");
        let events = folder.run(&[&["events", "app.log"], rules].concat());
        assert_eq!(events.stdout, "");
    }
    let disabled = "disable = [\"hikaricp\"]\n";
    folder.write("off.toml", disabled);
    assert_eq!(folder.run(&["timeline", "app.log", "--rules", "off.toml"]).code, Some(0));
}

#[test]
fn a_users_rule_reads_a_format_of_their_own() {
    let folder = Folder::new();
    folder.write(
        "mine.toml",
        r#"
[[rule]]
id = "shop"
class = "pool_snapshot"
pattern = 'OrderPool (?<pool>\w+): (?<in_use>\d+)/(?<max>\d+), (?<waiting>\d+) queued'
samples = ["OrderPool eu: 7/20, 0 queued"]
"#,
    );
    folder.write("app.log", format!("{} INFO shop: OrderPool eu: 7/20, 2 queued\n", time(0)));
    let document = document(&folder, &["app.log", "--rules", "mine.toml"]);
    assert_eq!(series(&document, "eu")["format"], "shop");
    let point = &points(&document, "eu")[0];
    assert_eq!(
        (&point["in_use"], &point["max"], &point["waiting"]),
        (&7.into(), &20.into(), &2.into())
    );
    assert_eq!(point["idle"], Value::Null, "not said is not 0");
    let run = folder.run(&["rules", "test", "mine.toml"]);
    assert_eq!(run.code, Some(0), "{}", run.stdout);
}

#[test]
fn a_users_rule_without_a_value_is_refused() {
    let folder = Folder::new();
    for (rule, problem) in [
        ("class = \"pool_snapshot\"\npattern = 'pool is fine'", "names a value of the pool"),
        ("class = \"mine\"\nreader = \"pairs\"\npattern = 'pool is fine'", "`reader` in a rule"),
    ] {
        folder.write("mine.toml", format!("[[rule]]\nid = \"mine\"\n{rule}\n"));
        let run = folder.run(&["pool", "--rules", "mine.toml", "."]);
        assert_eq!(run.code, Some(2));
        assert!(run.stderr.contains(problem), "{}", run.stderr);
    }
}

const SHOW_POOLS: &str = "\
 database |  user  | cl_active | cl_waiting | sv_active | sv_idle | sv_used | sv_new | maxwait | pool_mode
----------+--------+-----------+------------+-----------+---------+---------+--------+---------+-----------
 shop     | app    |        15 |          4 |        18 |       0 |       1 |      1 |       2 | session
 shop     | report |         2 |          0 |         1 |       3 |       0 |      0 |       0 | session
(2 rows)
";

#[test]
fn show_pools_is_read_by_its_heading_in_one_entry_and_over_several() {
    let folder = Folder::new();
    folder.write("pools.log", format!("{} pgbouncer pools:\n{SHOW_POOLS}", time(0)));
    let entries: Vec<TestEntry> = SHOW_POOLS
        .lines()
        .enumerate()
        .map(|(number, line)| {
            TestEntry::new((START_S * 1_000_000) + number as u64, line.as_bytes())
                .with("SYSLOG_IDENTIFIER", "pools")
                .with("_HOSTNAME", "north")
        })
        .collect();
    write_journal(&folder.path().join("north.journal"), &entries);
    for source in ["pools.log", "north.journal"] {
        let document = document(&folder, &[source]);
        let state = |pool: &str| {
            ["size", "in_use", "idle", "waiting"]
                .map(|name| values(&document, pool, name)[0].clone())
        };
        assert_eq!(state("shop/app"), [20, 18, 0, 4], "{source}");
        assert_eq!(state("shop/report"), [4, 1, 3, 0], "{source}");
        assert_eq!(document["unparsed"], 0, "{source}");
    }
}

#[test]
fn a_copy_of_a_log_adds_nothing_and_metrics_of_one_instant_are_one_point() {
    let folder = Folder::new();
    let at = time(0);
    let mut log = hikari(0, 7, 0) + &hikari(60, 9, 1);
    for (name, value) in [("hikaricp_connections_active", 7), ("hikaricp_connections_idle", 3)] {
        log += &format!("{at} {name}{{pool=\"cart\",}} {value}.0\n");
    }
    folder.write("app.log", &log);
    let journal: Vec<TestEntry> = (0..2)
        .map(|_| {
            let message = b"pool orders - Pool stats (total=10, active=3, idle=7, waiting=0)";
            TestEntry::new(START_S * 1_000_000, message).with("_SYSTEMD_UNIT", "app.service")
        })
        .collect();
    write_journal(&folder.path().join("a.journal"), &journal);
    let document = document(&folder, &["app.log", "a.journal"]);
    assert_eq!(values(&document, "cart", "in_use"), [7]);
    assert_eq!(values(&document, "cart", "size"), [Value::Null]);
    let of_journal = document["series"].as_array().unwrap().iter();
    let of_journal: Vec<_> = of_journal.filter(|s| s["unit"] == "app.service").collect();
    assert_eq!(of_journal.len(), 1);
    assert_eq!(of_journal[0]["points"].as_array().unwrap().len(), 1);
}

#[test]
fn only_the_pools_that_are_asked_for_are_shown() {
    let folder = Folder::new();
    folder.write("app.log", hikari(0, 7, 0) + &hikari(60, 7, 0).replace("orders", "cart"));
    for (pattern, found) in [("orders", 1), ("*r*", 2), ("none", 0)] {
        let document = document(&folder, &["app.log", "--pool", pattern]);
        assert_eq!(document["series"].as_array().unwrap().len(), found, "{pattern}");
    }
    assert_eq!(folder.run(&["pool", "app.log", "--pool", "a[", "-q"]).code, Some(2));
}

#[test]
fn what_cannot_be_a_point_is_counted_and_a_log_without_any_says_what_to_log() {
    let folder = Folder::new();
    let cut = "pool_snapshot v=1 a.max=4 a.size=4 a.idle=";
    let huge = "total=99999999999, active=1, idle=1, waiting=0";
    folder.write("app.log", format!("{} {cut}\n{} x - Pool stats ({huge})\n", time(0), time(1)));
    let read = document(&folder, &["app.log"]);
    assert_eq!((&read["unparsed"], &read["series"]), (&2.into(), &Value::Array(Vec::new())));
    folder.write("undated.log", "orders - Pool stats (total=10, active=3, idle=7, waiting=0)\n");
    assert_eq!(document(&folder, &["undated.log"])["undated"], 1);
    folder.write("calm.log", format!("{} all is well\n", time(0)));
    let run = folder.run(&["pool", "calm.log"]);
    assert_eq!(run.code, Some(0));
    assert!(run.stderr.contains("docs/SNAPSHOTS.md"), "{}", run.stderr);
    assert!(run.stdout.contains("No pool snapshot"), "{}", run.stdout);
}

#[test]
fn names_cannot_command_the_terminal_nor_grow_without_bound() {
    let folder = Folder::new();
    let mut log = format!("{} db pool=\"@a\x1b[2J\u{202e}\" in_use=1 idle=2\n", time(0));
    log += &format!("{} db pool={} in_use=1 idle=2\n", time(0), "x".repeat(100_000));
    for number in 0..10_010 {
        log += &format!("{} db pool=\"p{number}\" in_use=1 idle=2\n", time(number));
    }
    folder.write("app.log", log);
    for format in ["table", "csv", "json", "openmetrics"] {
        let run = folder.run(&["pool", "app.log", "-o", format]);
        assert_eq!(run.code, Some(0), "{}", run.stderr);
        assert!(!run.stdout.contains(['\x1b', '\u{202e}']), "{format}");
        assert!(run.stderr.contains("left out"), "{}", run.stderr);
        assert!(!run.stdout.contains(&"x".repeat(200)), "{format}");
    }
    assert_eq!(document(&folder, &["app.log"])["series"].as_array().unwrap().len(), 10_000);
}

#[test]
fn openmetrics_has_every_point_with_its_time() {
    let folder = Folder::new();
    folder.write("app.log", hikari(0, 7, 0) + &hikari(60, 9, 2));
    let run = folder.run(&["pool", "app.log", "-o", "openmetrics"]);
    let labels = "pool=\"orders\",format=\"hikaricp\"";
    for line in [
        format!("ebbline_pool_connections{{{labels},state=\"idle\"}} 3 1778040000"),
        format!("ebbline_pool_connections{{{labels},state=\"in_use\"}} 9 1778040060"),
        format!("ebbline_pool_waiting{{{labels}}} 2 1778040060"),
    ] {
        assert!(run.stdout.lines().any(|other| other == line), "{line}\n{}", run.stdout);
    }
    assert!(run.stdout.ends_with("# EOF\n"));
}

#[test]
fn classify_shows_what_was_read() {
    let folder = Folder::new();
    let lines = "Pool size: 5  Connections in pool: 2 Current Overflow: -1 Current Checked out connections: 2\n\
                 pool_snapshot v=1 a.max=4 a.size=4 a.idle=1 a.in_use=3 a.waiting=0 a.acquires=9 a.timeouts=0 a.peak_in_use=4 a.peak_waiting=2 \
                 b.max=9 b.size=4 b.idle=1 b.in_use=3 b.waiting=0 b.acquires=9 b.timeouts=0 b.peak_in_use=4 b.peak_waiting=2\n";
    let records = folder.run_with_stdin(&["classify"], lines.as_bytes()).records();
    assert_eq!(records[0]["class"], "pool_snapshot");
    assert_eq!(records[0]["fields"]["size"], "4");
    assert_eq!(records[0]["fields"]["in_use"], "2");
    assert_eq!(records[1]["fields"]["b.max"], "9");
}
