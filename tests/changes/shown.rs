//! How a timeline shows changes: bounded, in every format, without breaking its rows.

use std::path::Path;
use std::process::Command;

use crate::journals::write_journal;
use crate::told::{failed, started, stopped, timeline};

fn shown(path: &Path, arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_ebbline"))
        .args(["timeline", "--tz", "UTC"])
        .args(arguments)
        .arg(path)
        .env("COLUMNS", "100")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Six days: a job that fails every night, a day on which much changes, and a quiet end.
fn journal(folder: &Path) -> std::path::PathBuf {
    let mut entries = Vec::new();
    for day in 0..6 {
        entries.push(failed(day * 86_400 + 7200, "nightly.service"));
    }
    for (number, name) in ["a", "b", "c", "d", "e"].iter().enumerate() {
        entries.push(stopped(86_400 + number as u64 * 100, &format!("{name}.service")));
    }
    entries.push(failed(86_400 + 900, "db.service"));
    entries.push(started(3 * 86_400 + 60, "\u{1b}[31mred\u{202e}.service"));
    entries.sort_by_key(|entry| entry.realtime_us);
    let path = folder.join("system.journal");
    write_journal(&path, &entries);
    path
}

#[test]
fn the_most_telling_changes_stand_in_the_notes_and_quiet_days_stay_folded() {
    let folder = tempfile::tempdir().unwrap();
    let path = journal(folder.path());
    let table = shown(&path, &[]);
    let rows: Vec<&str> = table.lines().skip(2).take_while(|line| !line.contains('─')).collect();
    let text = rows.join(" ").split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(
        text,
        "May 5–10 0 0 May 6 00:15 failed db (exit-code); May 6 00:06 stopped e; \
         May 6 00:05 stopped d; and 4 more",
        "{table}"
    );
    let markdown = shown(&path, &["-o", "markdown", "--all"]);
    let day = markdown.lines().find(|line| line.starts_with("| May 6 |")).unwrap();
    assert_eq!(
        day,
        "| May 6 | 0 | 0 | 00:15 failed db (exit-code); 00:06 stopped e; 00:05 stopped d; and 3 more |"
    );
}

#[test]
fn where_a_person_wrote_a_note_only_what_was_asked_for_stands_behind_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = journal(folder.path());
    let notes = folder.path().join("notes.toml");
    let text = "[[note]]\nfrom = 2026-05-05\nto = 2026-05-10\ntext = 'the week of the move'\n";
    std::fs::write(&notes, text).unwrap();
    let rules = folder.path().join("rules.toml");
    let rule = "[[rule]]\nid = 'deploy'\nclass = 'deployment'\n\
                pattern = 'Stopped (?<what>c)[.]service'\nsamples = ['Stopped c.service']\n";
    std::fs::write(&rules, rule).unwrap();
    let words = ["-o", "markdown", "--notes", notes.to_str().unwrap()];
    let row = |markdown: String| markdown.lines().nth(2).unwrap().to_owned();
    assert_eq!(row(shown(&path, &words)), "| May 5–10 | 0 | 0 | the week of the move |");
    let with_rule = [&words[..], &["--rules", rules.to_str().unwrap()]].concat();
    assert_eq!(
        row(shown(&path, &with_rule)),
        "| May 5–10 | 0 | 0 | the week of the move; May 6 00:03 deployed c |"
    );
}

#[test]
fn programs_get_all_changes_and_a_terminal_no_control_character() {
    let folder = tempfile::tempdir().unwrap();
    let path = journal(folder.path());
    let document = timeline(&[&path], &[]);
    let bucket = &document["buckets"][1];
    assert_eq!(bucket["notes"], serde_json::json!([]));
    assert_eq!(
        (bucket["changes"].as_array().unwrap().len(), &bucket["more_changes"]),
        (7, &0.into())
    );
    assert_eq!(
        bucket["changes"][0],
        serde_json::json!({
            "at": "2026-05-06T00:15:00+00:00", "kind": "unit_failed",
            "what": "db.service (exit-code)", "host": "north",
        })
    );
    // What happens every night stands last.
    assert_eq!(bucket["changes"][6]["what"], "nightly.service (exit-code)");
    let csv = shown(&path, &["-o", "csv"]);
    assert!(csv.starts_with("start,end,entries,coverage,suppressed,"));
    assert!(csv.lines().next().unwrap().ends_with(",notes,changes"), "{csv}");
    assert!(csv.contains("2026-05-06T00:15:00+00:00 failed db (exit-code); "), "{csv}");
    for output in [csv, shown(&path, &["--all"]), shown(&path, &["-o", "markdown", "--all"])] {
        assert!(!output.contains(['\u{1b}', '\u{202e}']), "{output:?}");
        assert!(output.contains("\\x1b"), "{output}");
    }
}

/// What `incidents -o json` says of the sample's last incident.
fn last_incident_of_the_sample(source: &str) -> serde_json::Value {
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("sample-logs/outage-2026-05");
    let output = Command::new(env!("CARGO_BIN_EXE_ebbline"))
        .args(["incidents", "-o", "json", "--tz", "America/Los_Angeles"])
        .arg(sample.join(source))
        .output()
        .unwrap();
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    document["incidents"].as_array().unwrap().last().unwrap().clone()
}

#[test]
fn before_the_samples_outage_the_replica_refuses_connections() {
    for source in ["journal", "text"] {
        let incident = last_incident_of_the_sample(source);
        let is_of = |list: &str, kind: &str, what: &str| {
            incident[list].as_array().unwrap().iter().any(|change| {
                change["kind"] == kind && change["what"].as_str().unwrap().starts_with(what)
            })
        };
        assert!(is_of("preceded_by", "unreachable", "127.0.0.1:5433 204 times in "), "{incident}");
        assert!(is_of("changes_before_end", "unit_restarted", "scidex-api.service"), "{incident}");
    }
}
