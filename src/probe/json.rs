//! Findings as one JSON document, schema `ebbline.probe/1`.

use std::io;
use std::path::Path;

use chrono_tz::Tz;
use serde_json::{Map, Value, json};

use super::finding::{Coverage, Finding, Findings, Retention};
use super::history::{Evidence, FoundAt, Run};
use super::kinds::Kind;
use super::now::{Facts, Now};
use super::sentences;
use crate::render::{escape, json};
use crate::time::Timestamp;
use crate::timeline::calendar::rfc3339;

/// Writes the document and a line feed.
pub fn render(findings: &Findings, zone: Tz, out: &mut dyn io::Write) -> io::Result<()> {
    let list = findings.findings.iter().map(|one| finding(one, &findings.retention, zone));
    let document = json!({
        "schema": "ebbline.probe/1",
        "timezone": zone.name(),
        "coverage": match &findings.retention {
            Retention::Covered(coverage) => self::coverage(coverage, zone)?,
            Retention::Unknown(_) => Value::Null,
        },
        "no_coverage": match &findings.retention {
            Retention::Covered(_) => Value::Null,
            Retention::Unknown(why) => why.as_str().into(),
        },
        "findings": list.collect::<Vec<_>>(),
    });
    out.write_all(&escape::json(&document)?)?;
    out.write_all(b"\n")
}

fn finding(finding: &Finding, retention: &Retention, zone: Tz) -> Value {
    let history = &finding.history;
    json!({
        "kind": finding.asked.kind(),
        "name": finding.asked.name(),
        "verdict": finding.verdict.name(),
        "now": now(&finding.now, zone),
        "seen": run(&history.seen, zone),
        "mentioned": run(&history.mentioned, zone),
        "starts": history.starts,
        "stops": history.stops,
        "failures": history.failures(),
        "limits": sentences::limits(finding, retention),
    })
}

fn now(now: &Now, zone: Tz) -> Value {
    let (state, mut fields) = match now {
        Now::Present(facts) => ("present", facts_of(facts, zone)),
        Now::Absent(traces) => {
            let left: Vec<String> = traces.left.iter().map(|path| text(path)).collect();
            ("absent", object(json!({"looked": traces.looked, "left": left})))
        }
        Now::Unknown(why) => ("unknown", object(json!({"why": why}))),
        Now::NotAsked => ("not_asked", Map::new()),
    };
    fields.insert("state".to_owned(), state.into());
    Value::Object(fields)
}

fn facts_of(facts: &Facts, zone: Tz) -> Map<String, Value> {
    let time = |at: Option<Timestamp>| at.map(|at| rfc3339(at, zone));
    object(match facts {
        Facts::Unit(unit) => json!({
            "load_state": unit.load_state,
            "active_state": unit.active_state,
            "sub_state": unit.sub_state,
            "file_state": unit.file_state,
            "since": time(unit.since),
            "file": unit.file.as_deref().map(text),
            "pids": unit.pids,
            "by": if unit.why_no_systemd.is_none() { "systemd" } else { "files" },
        }),
        Facts::Port(listeners) => {
            let listeners = listeners.iter().map(|listener| {
                json!({
                    "protocol": listener.protocol,
                    "address": listener.address.to_string(),
                    "pid": listener.process.as_ref().map(|(pid, _)| pid),
                    "process": listener.process.as_ref().map(|(_, name)| name),
                })
            });
            json!({"listeners": listeners.collect::<Vec<_>>()})
        }
        Facts::Path(path) => json!({
            "type": path.kind,
            "owner": path.owner,
            "modified": time(path.modified),
            "leads_to": path.leads_to.as_deref().map(text),
            "is_mount_point": path.is_mount_point,
        }),
        Facts::Process(running) => {
            let running = running.iter().map(|process| {
                json!({
                    "pid": process.pid,
                    "since": time(process.since),
                    "program": process.program.as_deref().map(text),
                })
            });
            json!({"processes": running.collect::<Vec<_>>()})
        }
    })
}

fn run(run: &Run, zone: Tz) -> Value {
    if run.is_empty() {
        return Value::Null;
    }
    let kind = |kind: &Kind| {
        json!({
            "entries": kind.entries,
            "first": kind.first.map(|at| rfc3339(at, zone)),
            "example": kind.example,
        })
    };
    let evidence = |evidence: &Evidence| {
        json!({
            "at": evidence.at.map(|at| rfc3339(at, zone)),
            "origin": match &evidence.found_at {
                FoundAt::Line(path, line) => json!({"path": text(path), "line": line}),
                _ => json!({"cursor": sentences::place(evidence)}),
            },
            "message": evidence.message,
        })
    };
    json!({
        "entries": run.entries,
        "first": run.first.as_ref().map(evidence),
        "last": run.last.as_ref().map(evidence),
        "kinds": run.kinds.by_number().into_iter().map(kind).collect::<Vec<_>>(),
        "of_other_kinds": run.kinds.others,
    })
}

fn coverage(coverage: &Coverage, zone: Tz) -> io::Result<Value> {
    let timeline = &coverage.timeline;
    let time = |at: Option<Timestamp>| at.map(|at| rfc3339(at, zone));
    let absences = json::absences(timeline).map(serde_json::to_value);
    Ok(json!({
        "first": time(timeline.first),
        "last": time(timeline.last),
        "duration_s": coverage.duration_us() as f64 / 1e6,
        "entries": timeline.totals.entries,
        "hosts": coverage.hosts,
        "is_foreign": coverage.is_foreign,
        "empty_days": coverage.empty_days(),
        "not_logged": absences.collect::<Result<Vec<_>, _>>()?,
        "more_not_logged": timeline.not_logged.more,
    }))
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}
