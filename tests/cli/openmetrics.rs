//! `ebbline timeline -o openmetrics` and `ebbline pool -o openmetrics`: what Prometheus' own tool and VictoriaMetrics make of it.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::harness::{Folder, http_503_line, pool_timeout_line};

const SAMPLE: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/sample-logs/outage-2026-05/journal/atlas.journal.xz");

/// Series → time in milliseconds → value.
type Dump = BTreeMap<String, BTreeMap<i64, String>>;

/// Has promtool make blocks of a database of the text, and dump that database.
fn through_promtool(folder: &Folder, openmetrics: &str) -> Dump {
    let file = folder.write("timeline.om", openmetrics);
    let promtool = |words: &[&str]| {
        let run = Command::new("promtool").args(words).current_dir(folder.path()).output();
        let run = run.expect("promtool is missing: install Debian's package prometheus");
        assert!(run.status.success(), "{words:?}: {}", String::from_utf8_lossy(&run.stderr));
        String::from_utf8(run.stdout).unwrap()
    };
    let file = file.to_str().unwrap();
    promtool(&["tsdb", "create-blocks-from", "openmetrics", file, "blocks"]);
    // A database that has taken nothing in has one too; to look into it, promtool wants it there.
    std::fs::create_dir_all(folder.path().join("blocks/wal")).unwrap();
    let mut dump = Dump::new();
    for line in promtool(&["tsdb", "dump", "blocks"]).lines() {
        let mut words = line.rsplitn(3, ' ');
        let (at, value) = (words.next().unwrap().parse().unwrap(), words.next().unwrap());
        let series = words.next().unwrap().to_owned();
        assert_eq!(dump.entry(series).or_default().insert(at, value.to_owned()), None, "{line}");
    }
    dump
}

/// What the database must hold, from the JSON of the same timeline.
fn expected(document: &Value) -> Dump {
    let mut dump = Dump::new();
    for bucket in document["buckets"].as_array().unwrap() {
        let end = chrono::DateTime::parse_from_rfc3339(bucket["end"].as_str().unwrap()).unwrap();
        let mut put = |series: String, value: &Value| {
            dump.entry(series).or_default().insert(end.timestamp_millis(), value.to_string());
        };
        let is_known = bucket["coverage"] != "none";
        if is_known {
            for (class, count) in bucket["counts"].as_object().unwrap() {
                put(format!("{{__name__=\"ebbline_events\", class=\"{class}\"}}"), count);
            }
            put("{__name__=\"ebbline_entries\"}".to_owned(), &bucket["entries"]);
        }
        if is_known || bucket["suppressed"].as_u64() > Some(0) {
            put("{__name__=\"ebbline_suppressed_entries\"}".to_owned(), &bucket["suppressed"]);
        }
    }
    dump
}

#[test]
fn prometheus_gets_back_every_value_of_the_sample_outage() {
    let folder = Folder::new();
    let common = ["--tz", "America/Los_Angeles", "--by", "hour", "--since", "2026-05-05"];
    let words = |format| [&["timeline", SAMPLE, "-o", format], &common[..]].concat();
    let document = folder.timeline(&[&[SAMPLE], &common[..]].concat());
    let run = folder.run(&words("openmetrics"));
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let dump = through_promtool(&folder, &run.stdout);
    assert_eq!(dump, expected(&document));
    let outage = &dump["{__name__=\"ebbline_events\", class=\"http_503\"}"];
    let sum: u64 = outage.values().map(|value| value.parse::<u64>().unwrap()).sum();
    assert_eq!(sum, 1128);
}

#[test]
fn prometheus_gets_back_every_snapshot_of_the_sample_outage_s_pools() {
    let folder = Folder::new();
    let run = |format| folder.run(&["pool", SAMPLE, "--tz", "UTC", "-o", format]);
    let document: Value = serde_json::from_str(&run("json").stdout).unwrap();
    let dump = through_promtool(&folder, &run("openmetrics").stdout);
    let mut samples = 0;
    for series in document["series"].as_array().unwrap() {
        let label = |name: &str| series[name].as_str().unwrap_or_default().to_owned();
        let (pool, host, unit) = (label("pool"), label("host"), label("unit"));
        let format = label("format");
        for state in ["idle", "in_use"] {
            // promtool writes labels in the order of their names.
            let name = format!(
                "{{__name__=\"ebbline_pool_connections\", format=\"{format}\", host=\"{host}\", \
                 pool=\"{pool}\", state=\"{state}\", unit=\"{unit}\"}}"
            );
            let points = series["points"].as_array().unwrap().iter();
            let expected: BTreeMap<i64, String> = points
                .filter(|point| !point[state].is_null())
                .map(|point| {
                    let at = chrono::DateTime::parse_from_rfc3339(point["at"].as_str().unwrap());
                    (at.unwrap().timestamp_millis(), point[state].to_string())
                })
                .collect();
            samples += expected.len();
            assert_eq!(dump.get(&name).cloned().unwrap_or_default(), expected, "{name}");
        }
    }
    // Each minute of a day has a line with the primary's pool and one for reading, in two states.
    assert_eq!(samples, 1_440 * 2 * 2);
}

#[test]
fn no_data_is_a_gap_and_nothing_at_all_is_a_document() {
    let folder = Folder::new();
    let log =
        [pool_timeout_line("2026-05-06 12:00:00,000"), http_503_line("06/May/2026:12:03:59 +0000")];
    folder.write("app.log", log.concat());
    let minutes = ["timeline", "app.log", "--by", "minute", "-o", "openmetrics"];
    let dump = through_promtool(&folder, &folder.run(&minutes).stdout);
    let at = 1_778_068_860_000;
    for class in ["pool_timeout", "http_503"] {
        let series = &dump[&format!("{{__name__=\"ebbline_events\", class=\"{class}\"}}")];
        assert_eq!(series.keys().copied().collect::<Vec<_>>(), [at, at + 180_000], "{class}");
    }
    let none = folder.run(&[&minutes[..], &["--until", "2026-05-01"]].concat());
    assert_eq!(none.code, Some(0), "{}", none.stderr);
    assert!(none.stdout.ends_with("# EOF\n"), "{}", none.stdout);
}

/// A VictoriaMetrics of its own, which ends with the value.
struct VictoriaMetrics {
    process: std::process::Child,
    address: String,
}

impl VictoriaMetrics {
    fn start(folder: &Folder) -> Self {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = free.local_addr().unwrap().to_string();
        drop(free);
        let process = Command::new("victoria-metrics")
            .args(["-retentionPeriod=100y", "-storageDataPath=data"])
            .arg(format!("-httpListenAddr={address}"))
            .current_dir(folder.path())
            .stderr(Stdio::null())
            .spawn()
            .expect("victoria-metrics is missing: install Debian's package of that name");
        let mut database = Self { process, address };
        while TcpStream::connect(&database.address).is_err() {
            assert_eq!(database.process.try_wait().unwrap(), None, "it ended at once");
            std::thread::sleep(Duration::from_millis(20));
        }
        database
    }

    /// The body of the answer, which must be a good one.
    fn ask(&self, method: &str, target: &str, body: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let (address, length) = (&self.address, body.len());
        let head = format!("{method} {target} HTTP/1.0\r\nHost: {address}\r\n");
        write!(stream, "{head}Content-Length: {length}\r\n\r\n{body}").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.0 20") || head.starts_with("HTTP/1.1 20"), "{answer}");
        body.to_owned()
    }
}

impl Drop for VictoriaMetrics {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

#[test]
fn victoriametrics_takes_it_in_and_adds_hours_up_to_the_day() {
    let folder = Folder::new();
    let words = ["timeline", SAMPLE, "-o", "openmetrics", "--by", "hour"];
    let run = folder.run(&[&words[..], &["--tz", "America/Los_Angeles"]].concat());
    let database = VictoriaMetrics::start(&folder);
    database.ask("POST", "/api/v1/import/prometheus", &run.stdout);
    database.ask("GET", "/internal/force_flush", "");
    // Percent-encoded: sum_over_time(ebbline_events{class="http_503"}[24h]).
    let query = "sum_over_time(ebbline_events%7Bclass%3D%22http_503%22%7D%5B24h%5D)";
    let midnight = "2026-05-07T07:00:00Z";
    let target = format!("/api/v1/query?query={query}&time={midnight}");
    let answer: Value = serde_json::from_str(&database.ask("GET", &target, "")).unwrap();
    assert_eq!(answer["data"]["result"][0]["value"][1], "1119", "{answer}");
}
