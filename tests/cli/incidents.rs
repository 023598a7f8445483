//! `ebbline incidents`: on the sample outage, and on logs whose incidents are known to the minute.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::harness::{Folder, http_503_line};

const LOS_ANGELES: [&str; 2] = ["--tz", "America/Los_Angeles"];

fn sample(part: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("sample-logs/outage-2026-05").join(part)
}

/// The document of `incidents -o json`; the run must succeed.
fn document(folder: &Folder, words: &[&str]) -> Value {
    let run = folder.run(&[&["incidents", "-o", "json"], words].concat());
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    serde_json::from_str(&run.stdout).unwrap()
}

fn incidents(folder: &Folder, words: &[&str]) -> Vec<Value> {
    document(folder, words)["incidents"].as_array().unwrap().clone()
}

/// An access log from midnight on: in each minute, as many 200s and as many 503s as `load` says.
fn access_log(minutes: u32, load: impl Fn(u32) -> (u32, u32)) -> String {
    let mut log = String::new();
    for minute in 0..minutes {
        let (good, bad) = load(minute);
        let (day, hour, minute) = (6 + minute / 1440, minute / 60 % 24, minute % 60);
        for number in 0..good + bad {
            let second = number * 60 / (good + bad);
            let at = format!("{day:02}/May/2026:{hour:02}:{minute:02}:{second:02} +0000");
            let line = http_503_line(&at);
            // The good ones last, so that a bad minute begins with a failure.
            let is_bad = number < bad;
            log += &if is_bad { line } else { line.replace("\" 503 34", "\" 200 512") };
        }
    }
    log
}

/// Six hours with a minute-long half hour of failures from 03:00 to 03:29.
fn half_hour(good: u32, bad: u32) -> Folder {
    let folder = Folder::new();
    let load = |minute| if (180..210).contains(&minute) { (good, bad) } else { (10, 0) };
    folder.write("access.log", access_log(360, load));
    folder
}

#[test]
fn the_sample_has_its_incidents_from_the_journal_and_from_the_text() {
    let folder = Folder::new();
    let of = |part: &str| {
        incidents(&folder, &[&LOS_ANGELES[..], &[sample(part).to_str().unwrap()]].concat())
    };
    let from_journal = of("journal");
    let edges = |incidents: &[Value]| -> Vec<Value> {
        let field = |incident: &Value| {
            json!([incident["start"], incident["end"], incident["severity"], incident["events"]])
        };
        incidents.iter().map(field).collect()
    };
    let found = edges(&from_journal);
    assert_eq!(found, edges(&of("text")));
    let start = |incident: &Value| incident[0].as_str().unwrap()[..19].to_owned();
    let end = |incident: &Value| incident[1].as_str().unwrap()[..19].to_owned();
    let spans: Vec<_> = found.iter().map(|found| (start(found), end(found))).collect();
    let is = |span: (&str, &str)| spans.contains(&(span.0.to_owned(), span.1.to_owned()));
    assert!(is(("2026-04-20T19:20:41", "2026-04-21T05:50:58")), "{spans:?}");
    assert!(is(("2026-05-05T20:41:18", "2026-05-05T22:57:40")), "{spans:?}");
    assert!(is(("2026-05-06T04:49:07", "2026-05-06T17:14:31")), "{spans:?}");
    assert_eq!(found.len(), 3, "{spans:?}");
    let severities: Vec<_> = found.iter().map(|found| found[2].clone()).collect();
    assert_eq!(severities, ["outage", "degraded", "outage"]);
    assert_eq!(from_journal[2]["events"], 1120);
    assert_eq!(from_journal[2]["duration_s"], 12 * 3600 + 25 * 60 + 23);
    assert_eq!(from_journal[2]["ongoing"], false);
}

#[test]
fn what_changed_before_and_at_the_end_stands_beside_the_sample_s_incidents() {
    let path = sample("journal");
    let found = incidents(&Folder::new(), &[&LOS_ANGELES[..], &[path.to_str().unwrap()]].concat());
    let kinds = |incident: usize, field: &str| -> Vec<(String, String)> {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let changes = found[incident][field].as_array().unwrap().iter();
        changes
            .map(|change| (text(&change["kind"]), text(&change["at"])[..19].to_owned()))
            .collect()
    };
    let is = |kind: &str, at: &str| (kind.to_owned(), at.to_owned());
    let restarted = is("unit_restarted", "2026-04-20T19:19:42");
    assert_eq!(kinds(0, "preceded_by")[0], restarted);
    assert_eq!(kinds(1, "preceded_by"), [is("unreachable", "2026-05-05T20:35:12")]);
    // The replica had refused connections for more than an hour, and still did.
    assert_eq!(kinds(2, "preceded_by"), [is("unreachable", "2026-05-06T03:30:15")]);
    assert_eq!(kinds(2, "changes_before_end"), [is("unit_restarted", "2026-05-06T17:14:36")]);
}

#[test]
fn the_evidence_is_the_events_at_the_edges() {
    for part in ["journal", "text"] {
        let path = sample(part);
        let words = [&LOS_ANGELES[..], &[path.to_str().unwrap()]].concat();
        let folder = Folder::new();
        let found = incidents(&folder, &words);
        let of_may_6 = ["events", "-o", "ndjson", "--since", "2026-05-06"];
        let events = folder.run(&[&of_may_6[..], &words].concat()).records();
        let (first, last) = (&events[0], events.last().unwrap());
        assert_eq!(found[2]["start"], first["at"], "{part}");
        assert_eq!(found[2]["first_evidence"], first["origin"]);
        assert_eq!(found[2]["end"], last["at"]);
        assert_eq!(found[2]["last_evidence"], last["origin"]);
    }
}

#[test]
fn the_document_has_the_fields_of_the_contract_and_a_timeline_has_the_same_list() {
    let folder = half_hour(5, 20);
    let document = document(&folder, &["access.log"]);
    assert_eq!(document["schema"], "ebbline.incidents/1");
    let incident = &document["incidents"][0];
    let expected = json!({
        "class": "http_503",
        "start": "2026-05-06T03:00:00+00:00",
        "end": "2026-05-06T03:29:45+00:00",
        "duration_s": 1785,
        "events": 600,
        "peak_per_minute": 20,
        "severity": "outage",
        "ongoing": false,
        "first_evidence": {"path": "access.log", "line": 1801},
        "preceded_by": [],
        "minutes": 30,
        "bad_minutes": 30,
    });
    for (field, value) in expected.as_object().unwrap() {
        assert_eq!(&incident[field], value, "{field} of {incident}");
    }
    assert!(incident["baseline_per_minute"].is_f64(), "{incident}");
    assert_eq!(incident["last_evidence"]["path"], "access.log");
    let share = incident["failing_share"].as_f64().unwrap();
    assert!((share - 0.8).abs() < 0.01, "{share}");
    let timeline = folder.timeline(&["access.log"]);
    assert_eq!(timeline["incidents"], document["incidents"]);
}

#[test]
fn most_requests_failing_is_an_outage_and_some_failing_is_a_degradation() {
    for (good, bad, severity) in [(1, 9, "outage"), (8, 2, "degraded"), (0, 4, "outage")] {
        let found = incidents(&half_hour(good, bad), &["access.log"]);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0]["severity"], severity, "{good} good, {bad} bad");
    }
}

#[test]
fn a_log_that_ends_while_requests_fail_has_an_incident_that_goes_on() {
    let folder = half_hour(5, 20);
    let ongoing = |until: &str| {
        let found = incidents(&folder, &["access.log", "--until", until]);
        assert_eq!(found.len(), 1);
        found[0]["ongoing"].clone()
    };
    assert_eq!(ongoing("2026-05-06 03:20"), true);
    assert_eq!(ongoing("2026-05-06 03:30"), true);
    assert_eq!(ongoing("2026-05-06 03:40"), false);
    let words = ["incidents", "access.log", "--until", "2026-05-06 03:20"];
    let table = folder.run(&words).stdout;
    assert!(table.starts_with("The service has been degraded for 19 min"), "{table}");
    assert!(table.contains("since May 6 03:00 UTC"), "{table}");
    assert!(table.contains("May 6 03:00:00  ongoing"), "{table}");
}

#[test]
fn pauses_do_not_end_an_incident_and_are_no_bad_minutes() {
    let folder = Folder::new();
    // On for three minutes, off for five.
    let is_bad = |minute: u32| (180..260).contains(&minute) && (minute - 180) % 8 < 3;
    let load = |minute| if is_bad(minute) { (5, 15) } else { (20, 0) };
    folder.write("access.log", access_log(720, load));
    let found = incidents(&folder, &["access.log"]);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!((&found[0]["minutes"], &found[0]["bad_minutes"]), (&json!(75), &json!(30)));
}

#[test]
fn classes_that_fail_together_are_one_incident_and_the_leading_one_names_it() {
    let folder = half_hour(5, 20);
    let app: String = (0..360)
        .map(|minute| {
            let at = format!("2026-05-06 {:02}:{:02}:30,500", minute / 60, minute % 60);
            let is_bad = (175..225).contains(&minute);
            let message = "ERROR app.db: query failed: couldn't get a connection after 30.00 sec";
            format!("{at} {}\n", if is_bad { message } else { "INFO app: all is well" })
        })
        .collect();
    folder.write("app.log", app);
    let found = incidents(&folder, &["access.log", "app.log"]);
    assert_eq!(found.len(), 1, "{found:?}");
    let incident = &found[0];
    assert_eq!(incident["class"], "http_503");
    assert_eq!(incident["events"], 600);
    assert_eq!(incident["start"], "2026-05-06T02:55:30.500+00:00");
    assert_eq!(incident["end"], "2026-05-06T03:44:30.500+00:00");
    assert_eq!(incident["first_evidence"], json!({"path": "app.log", "line": 176}));
    let classes = incident["classes"].as_array().unwrap();
    let names: Vec<_> = classes.iter().map(|class| &class["class"]).collect();
    assert_eq!(names, ["http_503", "pool_timeout"]);
    assert_eq!(classes[1]["events"], 50);
    assert_eq!(classes[0]["first"], "2026-05-06T03:00:00+00:00");
    let one = incidents(&folder, &["access.log", "app.log", "--class", "pool_timeout"]);
    assert_eq!((one.len(), &one[0]["class"]), (1, &json!("pool_timeout")));
    assert_eq!(one[0]["classes"].as_array().unwrap().len(), 1);
}

#[test]
fn a_spike_is_listed_and_is_no_incident() {
    let folder = Folder::new();
    let load = |minute| if minute == 200 { (10, 40) } else { (10, 0) };
    folder.write("access.log", access_log(360, load));
    let document = document(&folder, &["access.log"]);
    assert_eq!(document["incidents"], json!([]));
    assert_eq!(document["spikes"][0]["events"], 40);
    assert_eq!(document["spikes"].as_array().unwrap().len(), 1);
    let run = folder.run(&["incidents", "access.log"]);
    let table = run.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    let sentence = "No incident in the 5 h 59 min from 2026-05-06 00:00:00 UTC to 2026-05-06 \
                    05:59:54 UTC; 40 failures, 1 spike.";
    assert!(table.starts_with(sentence), "{table}");
    assert!(table.contains("Spikes May 6 03:20:00 (46 s), 40 503 responses"), "{table}");
    let check = |condition| folder.run(&["timeline", "access.log", "--fail-if", condition]).code;
    assert_eq!(check("incidents>0"), Some(0));
    assert_eq!(check("incidents=0"), Some(3));
}

#[test]
fn a_timeline_names_its_incidents_and_fails_where_it_should() {
    let folder = half_hour(5, 20);
    let run = folder.run(&["timeline", "access.log", "--fail-if", "incidents>0"]);
    assert_eq!(run.code, Some(3));
    assert!(run.stderr.contains("--fail-if 'incidents>0': the number is 1"), "{}", run.stderr);
    let line = "May 6 03:00:00 – 03:29:45 (29 min 45 s), outage, 503 responses";
    assert!(run.stdout.contains(&format!("Incidents  {line}\n")), "{}", run.stdout);
    let markdown = folder.run(&["timeline", "access.log", "-o", "markdown"]).stdout;
    assert!(markdown.contains(&format!("- Incident: {line}\n")), "{markdown}");
}

#[test]
fn no_entry_is_told_apart_from_no_incident() {
    let folder = half_hour(10, 0);
    let quiet = folder.run(&["incidents", "access.log"]).stdout;
    assert!(quiet.starts_with("No incident in the 5 h 59 min from"), "{quiet}");
    assert!(quiet.contains("; no failure."), "{quiet}");
    let empty = folder.run(&["incidents", "access.log", "--since", "2026-05-07"]);
    assert_eq!(empty.code, Some(0));
    let sentence = "No entry was found, so nothing is known about incidents.\n";
    assert!(empty.stdout.starts_with(sentence), "{}", empty.stdout);
    let document = document(&folder, &["access.log", "--since", "2026-05-07"]);
    assert_eq!(document["first"], Value::Null);
}

#[test]
fn what_the_log_does_not_know_about_an_edge_is_told() {
    let folder = half_hour(5, 20);
    let caveats = |words: &[&str]| {
        let found = incidents(&folder, &[&["access.log"], words].concat());
        assert_eq!(found.len(), 1);
        found[0]["caveats"].clone()
    };
    assert_eq!(caveats(&[]), json!([]));
    let begins = caveats(&["--since", "2026-05-06 03:05"]);
    assert_eq!(begins[0]["kind"], "log_begins");
    // An hour without any line before the failures.
    let log = std::fs::read_to_string(folder.path().join("access.log")).unwrap();
    let silent = |line: &&str| !line.contains(":02:");
    folder.write("access.log", log.lines().filter(silent).collect::<Vec<_>>().join("\n"));
    let gap = caveats(&[]);
    assert_eq!(gap[0]["kind"], "gap_before");
    assert_eq!(gap[0]["from"], "2026-05-06T02:00:00+00:00");
    assert_eq!(gap[0]["to"], "2026-05-06T03:00:00+00:00");
    let table = folder.run(&["incidents", "access.log"]).stdout;
    let table = table.split_whitespace().collect::<Vec<_>>().join(" ");
    let sentence = "caveat the log has a gap from May 6 02:00:00 to 03:00:00, so the true start \
                    may be earlier";
    assert!(table.contains(sentence), "{table}");
}

#[test]
fn a_note_about_the_hour_before_is_a_change_and_one_about_the_time_is_a_note() {
    let folder = half_hour(5, 20);
    folder.write(
        "notes.toml",
        "[[note]]\nat = 2026-05-06T02:40:00\ntext = \"new pool size\"\n\
         [[note]]\nat = 2026-05-06T01:40:00\ntext = \"too early\"\n\
         [[note]]\nday = 2026-05-06\ntext = \"a bad | day\"\n",
    );
    let found = incidents(&folder, &["access.log", "--notes", "notes.toml"]);
    let before = json!([{
        "at": "2026-05-06T02:40:00+00:00", "kind": "note", "what": "new pool size", "host": null
    }]);
    assert_eq!(found[0]["preceded_by"], before);
    assert_eq!(found[0]["notes"], json!(["a bad | day"]));
    let words = ["incidents", "access.log", "--notes", "notes.toml"];
    let table = folder.run(&words).stdout;
    assert!(table.contains("  before    02:40:00  new pool size (20 min before)\n"), "{table}");
    let markdown = folder.run(&[&words[..], &["-o", "markdown"]].concat()).stdout;
    assert!(markdown.contains("- note: a bad \\| day\n"), "{markdown}");
}

#[test]
fn hostile_messages_and_paths_stay_text() {
    let folder = Folder::new();
    let log: String = (0..360)
        .map(|minute| {
            let at = format!("2026-05-06 {:02}:{:02}:30,500", minute / 60, minute % 60);
            let is_bad = (180..210).contains(&minute);
            let bad = "ERROR \x1b[2J`x` | <b>\u{202e} couldn't get a connection after 30.00 sec";
            format!("{at} {}\n", if is_bad { bad } else { "INFO app: all is well" })
        })
        .collect();
    let name = "a `b`\x1b[31m|\nc.log";
    folder.write(name, log);
    for format in ["table", "markdown", "json"] {
        let run = folder.run(&["incidents", name, "--explain", "-o", format]);
        assert_eq!(run.code, Some(0), "{}", run.stderr);
        let is_hazard = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
        assert!(!run.stdout.contains(is_hazard), "{format}: {:?}", run.stdout);
        assert!(run.stdout.contains("30.00 sec"), "{format}: {}", run.stdout);
        assert!(!run.stdout.contains("|\nc.log"), "{format}: {}", run.stdout);
    }
    let explained = incidents(&folder, &[name, "--explain"]);
    assert_eq!(explained[0]["first_evidence"]["path"], name);
    assert!(explained[0]["first_message"].as_str().unwrap().contains("\x1b[2J`x` | <b>"));
    assert_eq!(explained[0]["first_shown_by"], format!("{name}:181"));
}

/// Runs the commands that `--explain` gives, and gives what they print.
fn shown_by(folder: &Folder, path: &str) -> [String; 2] {
    let words = [&LOS_ANGELES[..], &["--explain", "--", path]].concat();
    let found = incidents(folder, &words);
    ["first_shown_by", "last_shown_by"].map(|field| {
        let command = found[2][field].as_str().unwrap();
        let binary = Path::new(env!("CARGO_BIN_EXE_ebbline")).parent().unwrap();
        let path = format!("{}:{}", binary.display(), std::env::var("PATH").unwrap());
        let run = Command::new("bash")
            .args(["-c", command])
            .current_dir(folder.path())
            .env("PATH", path)
            .env("TZ", "UTC")
            .output()
            .unwrap();
        assert!(run.status.success(), "{command}: {}", String::from_utf8_lossy(&run.stderr));
        String::from_utf8(run.stdout).unwrap()
    })
}

#[test]
fn the_commands_show_exactly_the_evidence() {
    let compressed = sample("journal/atlas.journal.xz");
    let plain = Command::new("xz").arg("-dc").arg(&compressed).output().unwrap().stdout;
    let folder = Folder::new();
    for name in ["-it's [a] *.journal", "plain.journal"] {
        folder.write(&format!("logs/{name}"), &plain);
    }
    let name = "logs/-it's [a] *.journal";
    for path in ["logs/plain.journal", name, "logs", compressed.to_str().unwrap()] {
        let [first, last] = shown_by(&folder, path);
        assert_eq!(first.matches("request failed: POST /api/annotations").count(), 1, "{first}");
        assert_eq!(last.lines().count(), 1, "{last}");
        assert!(last.contains("10.0.0.21:61204 - \"POST /api/annotations"), "{last}");
    }
}
