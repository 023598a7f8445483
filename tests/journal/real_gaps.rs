//! What a real systemd-journald does not log: what its rate limit holds back, files that are
//! gone, and the time in which it does not run.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use crate::command::ebbline;
use crate::journald::Journald;
use crate::oracle::{journalctl, open};

const RATE_LIMIT: &str = "RateLimitIntervalSec=2s\nRateLimitBurst=20\n";
/// The message id of journald's statement, from sd-messages.h.
const DROPPED: &str = "a596d6fe7bfa4994828e72309e95d61e";

fn names(files: &[PathBuf]) -> Vec<&str> {
    files.iter().map(|file| file.to_str().unwrap()).collect()
}

fn timeline(files: &[PathBuf], arguments: &[&str]) -> Value {
    let common = ["-o", "json", "--tz", "UTC", "--by", "minute"];
    ebbline(&[&common, arguments, &names(files)].concat())
}

fn of_kind<'a>(document: &'a Value, kind: &str) -> Vec<&'a Value> {
    let all = document["not_logged"].as_array().unwrap();
    all.iter().filter(|absence| absence["kind"] == kind).collect()
}

fn micros(time: &Value) -> i64 {
    chrono::DateTime::parse_from_rfc3339(time.as_str().unwrap()).unwrap().timestamp_micros()
}

/// What was dropped in each minute that anything was dropped in.
fn suppressed(document: &Value) -> BTreeMap<String, u64> {
    let buckets = document["buckets"].as_array().unwrap().iter();
    let minute = |bucket: &Value| {
        let start = bucket["start"].as_str().unwrap()[..16].to_owned();
        (start, bucket["suppressed"].as_u64().unwrap())
    };
    buckets.map(minute).filter(|(_, count)| *count > 0).collect()
}

/// The same by journalctl: the sums of N_DROPPED.
fn oracle(files: &[PathBuf]) -> BTreeMap<String, u64> {
    let files = names(files);
    let files = files.iter().flat_map(|file| ["--file", file]);
    let id = format!("MESSAGE_ID={DROPPED}");
    let arguments: Vec<&str> = files.chain(["_TRANSPORT=driver", id.as_str()]).collect();
    let mut minutes = BTreeMap::new();
    for entry in journalctl(&arguments) {
        let at = chrono::DateTime::from_timestamp_micros(entry.realtime_us as i64).unwrap();
        let count = String::from_utf8(entry.values("N_DROPPED").next().unwrap().to_vec()).unwrap();
        let minute = at.format("%Y-%m-%dT%H:%M").to_string();
        *minutes.entry(minute).or_default() += count.parse::<u64>().unwrap();
    }
    minutes
}

#[test]
fn what_a_rate_limit_held_back_is_in_the_buckets_and_told_of_its_unit() {
    let journald = Journald::configured("limit", RATE_LIMIT);
    let lines: Vec<String> = (0..400).map(|index| format!("line {index}")).collect();
    let unit = "ebbline-loud.service";
    journald.log_from_unit(unit, &lines, |journald| !oracle(&journald.files()).is_empty());
    // Anybody can send this, but not as the driver.
    let forged = format!("MESSAGE=Suppressed 5000 messages from {unit}\nMESSAGE_ID={DROPPED}\n");
    journald.log_fields(&(forged + "SYSLOG_IDENTIFIER=systemd-journald\nN_DROPPED=5000\n"));
    let files = journald.files();
    let expected = oracle(&files);
    let total: u64 = expected.values().sum();
    assert!(total > 100, "journald dropped {total}");

    let document = timeline(&files, &[]);
    assert_eq!(suppressed(&document), expected);
    assert_eq!(document["suppressed"], total);
    assert!(of_kind(&document, "suppressed").iter().all(|absence| absence["sender"] == unit));
    let own = timeline(&files, &["-u", unit]);
    assert_eq!(suppressed(&own), expected);
    assert!(suppressed(&timeline(&files, &["-u", "other"])).is_empty());
    if cfg!(feature = "systemd") {
        assert_eq!(suppressed(&timeline(&files, &["--reader", "libsystemd"])), expected);
    }
    let table = Command::new(env!("CARGO_BIN_EXE_ebbline"))
        .args(["timeline", "--tz", "UTC", "--by", "minute"])
        .args(&files)
        .output()
        .unwrap();
    let table = String::from_utf8(table.stdout).unwrap();
    assert!(table.contains(&format!("Gaps       {total} entries were dropped")), "{table}");
}

#[test]
fn dumps_of_a_journal_say_what_was_dropped_too_and_beside_it_nothing_twice() {
    let journald = Journald::configured("dumped", RATE_LIMIT);
    let lines: Vec<String> = (0..300).map(|index| format!("line {index}")).collect();
    let unit = "ebbline-dumped.service";
    journald.log_from_unit(unit, &lines, |journald| !oracle(&journald.files()).is_empty());
    let files = journald.files();
    let expected = oracle(&files);
    let folder = tempfile::tempdir().unwrap();
    let file_options = names(&files).into_iter().flat_map(|file| ["--file", file]);
    let file_options: Vec<&str> = file_options.collect();
    for format in ["export", "json", "verbose", "short-iso-precise", "short-unix"] {
        let output = Command::new("journalctl")
            .args(["--all", "--utc", "-o", format])
            .args(&file_options)
            .output()
            .unwrap();
        let path = folder.path().join(format);
        std::fs::write(&path, output.stdout).unwrap();
        let dump = [path.clone()];
        assert_eq!(suppressed(&timeline(&dump, &[])), expected, "{format}");
        assert!(suppressed(&timeline(&dump, &["-u", "other"])).is_empty(), "{format}");
        assert_eq!(suppressed(&timeline(&dump, &["-u", unit])), expected, "{format}");
        let both = [files.as_slice(), &[path]].concat();
        assert_eq!(suppressed(&timeline(&both, &[])), expected, "{format} and the journal");
    }
}

#[test]
fn a_file_that_is_gone_from_a_rotated_set_is_a_gap_of_its_entries() {
    let journald = Journald::start("rotated");
    for round in 0..4 {
        journald.log((0..150).map(|index| format!("round {round} entry {index}")));
        journald.rotate();
    }
    let files = journald.files();
    let whole = timeline(&files, &[]);
    assert!(of_kind(&whole, "sequence_gap").is_empty(), "{whole}");
    let mut archived = files.clone();
    archived.sort_by_key(|file| open(file).facts().head_seqnum);
    let (head, gone) = (&archived[0], &archived[1]);
    let lost = open(gone).facts().clone();
    let before = open(head).facts().clone();
    journald.remove(gone);

    let files = journald.files();
    let nobodys = timeline(&files, &["-t", "nobody"]);
    assert_eq!(of_kind(&nobodys, "sequence_gap").len(), 1, "not one entry was asked for");
    let rest = timeline(&files, &[]);
    let gaps = of_kind(&rest, "sequence_gap");
    assert_eq!(gaps.len(), 1, "{rest}");
    assert_eq!(gaps[0]["entries"], lost.n_entries);
    assert_eq!(micros(&gaps[0]["from"]), before.tail_realtime.unwrap().micros());
    assert!(micros(&gaps[0]["to"]) >= lost.tail_realtime.unwrap().micros());
    // The oldest file of all is no gap: there the journal begins.
    journald.remove(head);
    assert!(of_kind(&timeline(&journald.files(), &[]), "sequence_gap").is_empty());
}

#[test]
fn a_killed_and_a_stopped_journald_leave_a_pause() {
    let mut journald = Journald::start("pauses");
    journald.log(["before".to_owned()]);
    journald.kill();
    std::thread::sleep(Duration::from_millis(1500));
    journald.run();
    journald.log(["between".to_owned()]);
    journald.stop();
    std::thread::sleep(Duration::from_millis(1500));
    journald.run();
    journald.log(["after".to_owned()]);
    let files = journald.files();
    let said = |id: &str| -> Vec<i64> {
        let files = names(&files).into_iter().flat_map(|file| ["--file", file]);
        let id = format!("MESSAGE_ID={id}");
        let arguments: Vec<&str> = files.chain([id.as_str()]).collect();
        journalctl(&arguments).iter().map(|entry| entry.realtime_us as i64).collect()
    };
    let started = said("f77379a8490b408bbe5f6940505a777b");
    let stopped = said("d93fb3c9c24d451a97cea615ce59c00b");
    assert_eq!((started.len(), stopped.len()), (3, 1));
    for reader in ["native", "libsystemd"] {
        if reader == "libsystemd" && !cfg!(feature = "systemd") {
            continue;
        }
        let document = timeline(&files, &["--reader", reader]);
        let pauses = of_kind(&document, "stopped");
        let ends: Vec<i64> = pauses.iter().map(|pause| micros(&pause["to"])).collect();
        assert_eq!(ends, started[1..], "{reader}: {document}");
        // Nobody said when the first one was killed; the last entry before is what is known.
        let first = micros(&pauses[0]["from"]);
        assert!(first >= started[0] && first < started[1] - 1_000_000, "{reader}");
        assert_eq!(micros(&pauses[1]["from"]), stopped[0], "{reader}");
    }
}

#[test]
fn files_of_users_fill_the_numbers_of_the_systems_files() {
    const USER: &str = "4242";
    let journald = Journald::start("users");
    for round in 0..4 {
        journald.log((0..20).map(|index| format!("system {round} {index}")));
        journald.log_as_user(USER, 30);
        if round == 1 {
            journald.rotate();
        }
    }
    journald.log(["the last one".to_owned()]);
    let files = journald.files();
    let is_users = |file: &&PathBuf| file.to_string_lossy().contains(&format!("user-{USER}"));
    let (users, systems): (Vec<PathBuf>, Vec<PathBuf>) =
        files.iter().cloned().partition(|file| is_users(&file));
    assert_eq!((users.len(), systems.len()), (2, 2), "{files:?}");
    let missing = |files: &[PathBuf]| -> u64 {
        let document = timeline(files, &[]);
        let gaps = of_kind(&document, "sequence_gap");
        gaps.iter().map(|gap| gap["entries"].as_u64().unwrap()).sum()
    };
    assert_eq!(missing(&files), 0);
    // The user's entries all lie between two of the system's.
    assert_eq!(missing(&systems), 120);
    assert!(missing(&users) >= 60);
}
