//! What the logs say: held against journalctl, on the sample outage and on journals made for it.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::probe;
use crate::harness::Folder;
use crate::journals::{START_US, TestEntry, write_journal};

fn sample() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("sample-logs/outage-2026-05")
}

/// The sample's journal, unpacked, as journalctl can read it.
fn unpacked(folder: &Folder) -> PathBuf {
    let packed = sample().join("journal/atlas.journal.xz");
    let unpacked = Command::new("xz").arg("-dc").arg(packed).output().unwrap();
    assert!(unpacked.status.success());
    folder.write("atlas.journal", unpacked.stdout)
}

fn journalctl(journal: &Path, words: &[&str]) -> Vec<u8> {
    let run = Command::new("journalctl").arg("--file").arg(journal).args(words).output().unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    run.stdout
}

#[test]
fn the_replica_of_the_post_mortem_was_never_there() {
    let journal = sample().join("journal");
    let asked = [
        "--unit",
        "scidex-pg-replica.service",
        "--port",
        "5433",
        "--path",
        "/data/postgres-replica",
        "--logs-only",
        "--tz",
        "America/Los_Angeles",
        journal.to_str().unwrap(),
    ];
    let document = probe(&Folder::new(), 3, &asked);
    for finding in document["findings"].as_array().unwrap() {
        assert_eq!(finding["verdict"], "never", "{finding}");
        assert_eq!(finding["seen"], Value::Null, "{finding}");
        assert_ne!(finding["limits"], serde_json::json!([]), "{finding}");
    }
    let coverage = &document["coverage"];
    assert_eq!(coverage["first"], "2026-04-19T00:00:05.064165-07:00");
    assert_eq!(coverage["entries"], 27879);
    assert_eq!(coverage["not_logged"][0]["kind"], "boot");
    let run = Folder::new().run(&[&["probe"], &asked[..]].concat());
    let told = run.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    for words in [
        "unit scidex-pg-replica.service Logs No entry shows it. Verdict Never seen in the 17 d 23 h \
         from 2026-04-19 00:00:05 PDT to 2026-05-06 23:54:32 PDT that the logs cover.",
        "that it was spoken of shows that somebody looked for it, not by itself that it was there",
        "atlas was booted at 2026-04-28 03:11:24 PDT, no entry for 51 s before",
    ] {
        assert!(told.contains(words), "{words}\n{told}");
    }
}

#[test]
fn a_unit_has_the_entries_that_journalctl_gives_it() {
    let folder = Folder::new();
    let journal = unpacked(&folder);
    for unit in ["scidex-api.service", "scidex-indexer.service", "scidex-feeds.service"] {
        let theirs = journalctl(&journal, &["-u", unit, "-o", "json"]);
        let theirs: Vec<Value> = serde_json::Deserializer::from_slice(&theirs)
            .into_iter()
            .collect::<Result<_, _>>()
            .unwrap();
        let (first, last) = (theirs.first().unwrap(), theirs.last().unwrap());
        let acts = |id: &str| theirs.iter().filter(|entry| entry["MESSAGE_ID"] == id).count();
        for reader in ["native", "libsystemd"] {
            let document = probe(
                &folder,
                0,
                &["--logs-only", "--unit", unit, "--reader", reader, "atlas.journal"],
            );
            let finding = &document["findings"][0];
            assert_eq!(finding["verdict"], "seen");
            assert_eq!(finding["seen"]["entries"], theirs.len(), "{unit}");
            assert_eq!(finding["seen"]["first"]["origin"]["cursor"], first["__CURSOR"]);
            assert_eq!(finding["seen"]["last"]["origin"]["cursor"], last["__CURSOR"]);
            assert_eq!(finding["starts"], acts("39f53479d3a045ac8e11786248231fbf"));
            assert_eq!(finding["stops"], acts("9d1aaa27d60140bd96365438aad20286"));
            assert_eq!(finding["failures"], acts("d9b373ed55a64feb8242e02dbe79a49c"));
        }
    }
}

#[test]
fn dumps_and_the_text_beside_the_journal_say_the_same() {
    let folder = Folder::new();
    let journal = unpacked(&folder);
    folder.write("atlas.export", journalctl(&journal, &["-o", "export"]));
    folder.write("atlas.json", journalctl(&journal, &["-o", "json"]));
    let words = ["--logs-only", "--unit", "scidex-indexer", "--port", "5433", "--process", "sshd"];
    let ask = |source: &str| {
        let mut document = probe(&folder, 3, &[&words[..], &[source]].concat());
        for finding in document["findings"].as_array_mut().unwrap() {
            // A dump does not say what was not logged.
            finding["limits"].take();
            for run in ["seen", "mentioned"] {
                for end in ["first", "last"] {
                    // A text has no cursor.
                    finding[run][end].as_object_mut().map(|evidence| evidence.remove("origin"));
                }
            }
        }
        document["findings"].clone()
    };
    let all = ask("atlas.journal");
    assert_eq!(all[0]["failures"], 18);
    assert_eq!(all[1]["verdict"], "never");
    let journalctl_says =
        journalctl(&journal, &["--grep", "port 5433|DPT=5433|:5433", "-o", "json"]);
    let mentions = journalctl_says.iter().filter(|&&byte| byte == b'\n').count();
    assert_eq!(all[1]["mentioned"]["entries"], mentions);
    // What a client says of a connection that it got is not lost among those that it did not.
    let kinds = all[1]["mentioned"]["kinds"].as_array().unwrap();
    let rare = kinds.last().unwrap();
    assert_eq!(rare["example"], "INFO:scidex.db:read-only pool ready on 127.0.0.1:5433");
    assert_eq!(rare["entries"], 3);
    assert!(rare["first"].as_str().unwrap().starts_with("2026-04-2"), "{rare}");
    assert_eq!(all[2]["seen"]["entries"], 1017);
    for source in ["atlas.export", "atlas.json", sample().join("text").to_str().unwrap()] {
        assert_eq!(ask(source), all, "{source}");
    }
    // The text repeats the journal: both together say no more.
    assert_eq!(ask(sample().to_str().unwrap()), all);
}

/// Entries of the manager about a unit, and what others say of it.
fn manager(second: u64, id: &str, message: &str) -> TestEntry {
    TestEntry::new(START_US + second * 1_000_000, message.as_bytes())
        .with("_PID", "1")
        .with("_UID", "0")
        .with("SYSLOG_IDENTIFIER", "systemd")
        .with("UNIT", "pg-replica.service")
        .with("MESSAGE_ID", id)
}

#[test]
fn a_unit_that_only_failed_to_start_was_there_and_failed_once() {
    let folder = Folder::new();
    let entries = [
        manager(0, "be02cf6855d2428ba40df7e9d022f03d", "Failed to start Replica."),
        manager(0, "d9b373ed55a64feb8242e02dbe79a49c", "pg-replica.service: Failed with result"),
        // Anybody can write UNIT=; only process 1 is believed.
        TestEntry::new(START_US + 9_000_000, b"started")
            .with("_PID", "77")
            .with("UNIT", "other.service")
            .with("MESSAGE_ID", "39f53479d3a045ac8e11786248231fbf"),
        TestEntry::new(START_US + 10_000_000, b"COMMAND=/usr/bin/systemctl start pg-replica")
            .with("SYSLOG_IDENTIFIER", "sudo"),
    ];
    write_journal(&folder.path().join("j.journal"), &entries);
    let words = ["--logs-only", "--unit", "pg-replica", "--unit", "other", "j.journal"];
    let document = probe(&folder, 3, &words);
    let replica = &document["findings"][0];
    assert_eq!(replica["verdict"], "seen");
    assert_eq!((&replica["starts"], &replica["failures"]), (&0.into(), &1.into()));
    assert_eq!(replica["seen"]["entries"], 2);
    assert_eq!(replica["mentioned"]["entries"], 1);
    assert_eq!(document["findings"][1]["verdict"], "never");
}

#[test]
fn a_server_that_says_where_it_listens_was_there() {
    let folder = Folder::new();
    folder.write(
        "pg.log",
        "2026-05-06T04:00:00Z LOG:  listening on IPv4 address \"0.0.0.0\", port 5433\n\
         2026-05-06T04:10:00Z connection to server at \"db1\", port 5433 failed\n\
         2026-05-06T04:20:00Z Is the server running on that host and accepting connections on \
         port 5434?\n\
         2026-05-06T04:30:00Z nothing is listening on port 5434\n",
    );
    let words = ["--logs-only", "--port", "5433", "--port", "5434", "pg.log"];
    let document = probe(&folder, 3, &words);
    let [seen, asked_for] = [&document["findings"][0], &document["findings"][1]];
    assert_eq!(seen["verdict"], "seen");
    assert_eq!(seen["seen"]["first"]["origin"]["line"], 1);
    assert_eq!(seen["mentioned"]["entries"], 1);
    assert_eq!(asked_for["verdict"], "never");
    assert_eq!(asked_for["mentioned"]["entries"], 2);
}

#[test]
fn what_a_log_says_does_not_reach_the_terminal_raw() {
    let folder = Folder::new();
    folder.write("a.log", "2026-05-06T04:00:00Z \u{1b}[31m/data/x\u{202e} is <b>gone</b>\n");
    for format in ["table", "markdown", "json"] {
        let words =
            ["probe", "--logs-only", "--path", "/data/x", "--process", "a\u{1b}b", "-o", format];
        let run = folder.run(&[&words[..], &["a.log"]].concat());
        assert_eq!(run.code, Some(3), "{}", run.stderr);
        assert!(run.stdout.contains("/data/x"), "{}", run.stdout);
        assert!(!run.stdout.contains(['\u{1b}', '\u{202e}']), "{format}: {}", run.stdout);
    }
    let markdown =
        folder.run(&["probe", "--logs-only", "--path", "/data/x", "-o", "markdown", "a.log"]);
    assert!(markdown.stdout.contains("&lt;b&gt;"), "{}", markdown.stdout);
}

#[test]
fn what_cannot_be_asked_is_a_usage_error_with_a_remedy() {
    let folder = Folder::new();
    for (words, remedy) in [
        (&["probe"][..], "--unit"),
        (&["probe", "--unit", "pg*"], "without a glob"),
        (&["probe", "--unit", "../x"], "Give the name"),
        (&["probe", "--port", "0"], "from 1 to 65535"),
        (&["probe", "--port", "http"], "from 1 to 65535"),
        (&["probe", "--process", "/bin/x"], "without its directory"),
        (&["probe", "--root", "/", "--logs-only", "--port", "1"], "--logs-only"),
    ] {
        let run = folder.run(words);
        assert_eq!(run.code, Some(2), "{words:?}");
        assert!(run.stderr.contains(remedy), "{words:?}: {}", run.stderr);
    }
}

#[test]
fn logs_that_cannot_be_read_are_an_error() {
    let run = Folder::new().run(&["probe", "--logs-only", "--port", "5433", "missing.journal"]);
    assert_eq!(run.code, Some(1));
    assert!(run.stderr.contains("missing.journal: no such file"), "{}", run.stderr);
}
