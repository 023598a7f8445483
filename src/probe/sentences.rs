//! Findings in words: what every format for people says, as sentences that are not escaped.

use chrono_tz::Tz;

use super::asked::Asked;
use super::finding::{Coverage, Finding, Findings, Retention};
use super::history::{Evidence, FoundAt, History, Run};
use super::kinds::Kind;
use super::now::{Facts, Listener, Now, PathFacts, Running, Traces, UnitFacts};
use super::verdict::Verdict;
use crate::render::cells::{entries, moment};
use crate::render::duration::duration;
use crate::render::gaps;
use crate::time::Timestamp;

/// So many processes, sockets and remains are named one by one.
const MAX_NAMED: usize = 8;
/// Of messages, so many kinds are shown, those with most entries.
const MAX_KINDS: usize = 5;
/// Of an example, so many characters are shown.
const MAX_EXAMPLE: usize = 160;

/// What is said about one finding, keyword by keyword, in the order of reading.
pub(super) fn of_finding(
    finding: &Finding,
    retention: &Retention,
    zone: Tz,
) -> Vec<(&'static str, String)> {
    let mut said = Vec::new();
    if finding.now != Now::NotAsked {
        said.push(("Now", now(&finding.now, zone)));
    }
    if matches!(retention, Retention::Covered(_)) {
        said.push(("Logs", logs(finding, zone)));
    }
    said.push(("Verdict", verdict(finding, retention, zone)));
    let limits = limits(finding, retention);
    if !limits.is_empty() {
        said.push(("Limits", limits.join(" ")));
    }
    said
}

/// The name of what was asked, with its kind.
pub(super) fn heading(asked: &Asked) -> String {
    format!("{} {}", asked.kind(), asked.name())
}

/// What is said about the logs as a whole.
pub(super) fn of_retention(findings: &Findings) -> Vec<(&'static str, String)> {
    let coverage = match &findings.retention {
        Retention::Unknown(why) => return vec![("Logs", format!("None: {why}."))],
        Retention::Covered(coverage) => coverage,
    };
    let timeline = &coverage.timeline;
    let mut said = Vec::new();
    let mut logs = entries(timeline.totals.entries);
    if let (Some(first), Some(last)) = (timeline.first, timeline.last) {
        logs.push_str(&format!(
            " from {} to {}, {}",
            moment(first, timeline.zone),
            moment(last, timeline.zone),
            duration(coverage.duration_us())
        ));
    }
    if !coverage.hosts.is_empty() {
        logs.push_str(&format!(", of {}", named(&coverage.hosts)));
    }
    said.push(("Logs", logs));
    match coverage.empty_days() {
        0 => {}
        1 => said.push(("Gaps", "one day without any entry".to_owned())),
        days => said.push(("Gaps", format!("{days} days without any entry"))),
    }
    said.extend(gaps::lines(timeline).into_iter().map(|line| ("Gaps", line)));
    said
}

fn now(now: &Now, zone: Tz) -> String {
    match now {
        Now::Present(Facts::Unit(facts)) => unit(facts, zone),
        Now::Present(Facts::Port(listeners)) => {
            let listeners: Vec<String> = listeners.iter().map(listener).collect();
            format!("Listening: {}.", named(&listeners))
        }
        Now::Present(Facts::Path(facts)) => path(facts, zone),
        Now::Present(Facts::Process(running)) => {
            let running: Vec<String> = running.iter().map(|one| process(one, zone)).collect();
            sentence(&named(&running))
        }
        Now::Absent(Traces { looked, left }) => {
            let mut said = sentence(looked);
            if !left.is_empty() {
                let left: Vec<String> =
                    left.iter().map(|path| path.to_string_lossy().into_owned()).collect();
                said.push_str(&format!(" Left of it: {}.", named(&left)));
            }
            said
        }
        Now::Unknown(why) => format!("Cannot be told: {why}."),
        Now::NotAsked => "Not asked.".to_owned(),
    }
}

fn unit(facts: &UnitFacts, zone: Tz) -> String {
    let UnitFacts { load_state, active_state, sub_state, file_state, since, file, .. } = facts;
    let mut said = match file_state {
        Some(state) if state != load_state => format!("{load_state}, {state}"),
        _ => load_state.clone(),
    };
    if let Some(active) = active_state {
        said.push_str(&format!(", {active}"));
        if let Some(sub) = sub_state {
            said.push_str(&format!(" ({sub})"));
        }
        if let Some(since) = since {
            said.push_str(&format!(" since {}", moment(*since, zone)));
        }
    }
    if let Some(file) = file {
        said.push_str(&format!("; its file is {}", file.display()));
    }
    if !facts.pids.is_empty() {
        let pids: Vec<String> = facts.pids.iter().map(i32::to_string).collect();
        said.push_str(&format!("; its processes are {}", named(&pids)));
    }
    let mut said = sentence(&said);
    if let Some(why) = &facts.why_no_systemd {
        said.push_str(&format!(" By its files: {why}."));
    }
    said
}

fn listener(listener: &Listener) -> String {
    let Listener { protocol, address, process } = listener;
    let holder = match process {
        Some((pid, name)) => format!(" ({name}, process {pid})"),
        None => " (whose process only root may see)".to_owned(),
    };
    format!("{protocol} {address}{holder}")
}

fn path(facts: &PathFacts, zone: Tz) -> String {
    let PathFacts { kind, owner, modified, leads_to, is_mount_point } = facts;
    let mut said = format!("a {kind} of {owner}");
    if let Some(modified) = modified {
        said.push_str(&format!(", modified {}", moment(*modified, zone)));
    }
    if *is_mount_point {
        said.push_str("; a file system is mounted there");
    }
    if let Some(leads_to) = leads_to {
        said.push_str(&format!("; it is at {}", leads_to.display()));
    }
    sentence(&said)
}

fn process(running: &Running, zone: Tz) -> String {
    let mut said = format!("process {}", running.pid);
    if let Some(program) = &running.program {
        said.push_str(&format!(" ({})", program.display()));
    }
    if let Some(since) = running.since {
        said.push_str(&format!(" since {}", moment(since, zone)));
    }
    said
}

fn logs(finding: &Finding, zone: Tz) -> String {
    let History { seen, mentioned, starts, stops, .. } = &finding.history;
    let mut said = String::new();
    if seen.is_empty() {
        said.push_str("No entry shows it.");
    } else {
        said.push_str(&format!("Shown by {}.", run(seen, zone)));
        let counted =
            [(*starts, "started"), (*stops, "stopped"), (finding.history.failures(), "failed")];
        let counted = counted.iter().filter(|(count, _)| *count > 0);
        let counted: Vec<String> =
            counted.map(|(count, what)| format!("{what} {}", times(*count))).collect();
        if !counted.is_empty() {
            said.push_str(&format!(" {}", sentence(&named(&counted))));
        }
    }
    if !mentioned.is_empty() {
        let only = if seen.is_empty() { "Only spoken of" } else { "Spoken of" };
        said.push_str(&format!(" {only} in {}.", run(mentioned, zone)));
    }
    said
}

/// How many entries there are, from when to when, and what they say.
fn run(run: &Run, zone: Tz) -> String {
    let mut said = entries(run.entries);
    match run.span() {
        Some((first, last)) if first != last => {
            said.push_str(&format!(" from {} to {}", moment(first, zone), moment(last, zone)));
        }
        Some((at, _)) => said.push_str(&format!(" at {}", moment(at, zone))),
        None => {}
    }
    if let Some(FoundAt::Line(path, line)) = run.first.as_ref().map(|first| &first.found_at) {
        said.push_str(&format!(" ({}:{line})", path.display()));
    }
    let kinds = run.kinds.by_number();
    let (told, more) = kinds.split_at(kinds.len().min(MAX_KINDS));
    let of_kind = |kind: &&Kind| {
        let first = kind.first.map(|at| format!(", first at {},", moment(at, zone)));
        let (count, first) = (times(kind.entries), first.unwrap_or_default());
        format!("{count}{first} “{}”", shortened(&kind.example))
    };
    let told: Vec<String> = told.iter().map(of_kind).collect();
    if !told.is_empty() {
        said.push_str(&format!(": {}", told.join("; ")));
    }
    let others = more.iter().map(|kind| kind.entries).fold(run.kinds.others, u64::saturating_add);
    if others > 0 {
        said.push_str(&format!("; and {others} of other kinds"));
    }
    said
}

fn shortened(message: &str) -> String {
    let mut short: String = message.chars().take(MAX_EXAMPLE).collect();
    if short.len() < message.len() {
        short.push('…');
    }
    short
}

fn verdict(finding: &Finding, retention: &Retention, zone: Tz) -> String {
    let history = &finding.history;
    let seen = || match history.seen.span() {
        Some((first, last)) => seen_words(first, last, zone),
        None => "seen, at no known time".to_owned(),
    };
    let said = match finding.verdict {
        Verdict::Present => "present".to_owned(),
        Verdict::AbsentButSeen => format!("absent now, but {}", seen()),
        Verdict::Seen => match &finding.now {
            Now::Unknown(why) => {
                format!("{}; whether it is there now cannot be told: {why}", seen())
            }
            _ => seen(),
        },
        Verdict::Never => never(finding, retention, zone),
        Verdict::CannotTell => cannot_tell(finding, retention),
    };
    sentence(&said)
}

fn seen_words(first: Timestamp, last: Timestamp, zone: Tz) -> String {
    if first == last {
        return format!("seen at {}", moment(first, zone));
    }
    format!("seen from {} to {}", moment(first, zone), moment(last, zone))
}

fn never(finding: &Finding, retention: &Retention, zone: Tz) -> String {
    let absent =
        if finding.now == Now::NotAsked { "never seen" } else { "absent now, and never seen" };
    let window = match retention {
        Retention::Covered(coverage) => window(coverage, zone),
        Retention::Unknown(_) => String::new(),
    };
    let spoken_of = if finding.history.mentioned.is_empty() {
        ""
    } else {
        "; that it was spoken of shows that somebody looked for it, not by itself that it was there"
    };
    format!("{absent}{window}{spoken_of}")
}

fn window(coverage: &Coverage, zone: Tz) -> String {
    match (coverage.timeline.first, coverage.timeline.last) {
        (Some(first), Some(last)) => format!(
            " in the {} from {} to {} that the logs cover",
            duration(coverage.duration_us()),
            moment(first, zone),
            moment(last, zone)
        ),
        _ => " in the logs, which carry no time".to_owned(),
    }
}

fn cannot_tell(finding: &Finding, retention: &Retention) -> String {
    let now = match &finding.now {
        Now::Unknown(why) => format!("whether it is there now cannot be told ({why})"),
        Now::Absent(_) => "absent now".to_owned(),
        Now::Present(_) | Now::NotAsked => "nobody asked what is there now".to_owned(),
    };
    let before = match retention {
        Retention::Covered(_) => "no entry shows it".to_owned(),
        Retention::Unknown(why) => format!("whether it ever was cannot be told ({why})"),
    };
    format!("{now}; {before}")
}

/// What keeps a verdict from being a proof, a sentence each.
pub(super) fn limits(finding: &Finding, retention: &Retention) -> Vec<String> {
    let Retention::Covered(coverage) = retention else { return Vec::new() };
    let mut limits = Vec::new();
    if coverage.is_foreign && finding.now != Now::NotAsked {
        limits.push("The logs are another machine's than this one.".to_owned());
    }
    if !matches!(finding.verdict, Verdict::Never | Verdict::CannotTell) {
        return limits;
    }
    limits.push(
        match finding.asked {
            Asked::Unit(_) => {
                "systemd logs every start of a unit; what was before the first entry is not known."
            }
            Asked::Port(_) => "A server need not log where it listens: no entry is no proof.",
            Asked::Path(_) => "Nothing logs which files exist: no entry is no proof.",
            Asked::Process(_) => "A program need not log anything: no entry is no proof.",
        }
        .to_owned(),
    );
    if !gaps::lines(&coverage.timeline).is_empty() || coverage.empty_days() > 0 {
        limits.push("The gaps below are not covered.".to_owned());
    }
    limits
}

fn times(count: u64) -> String {
    match count {
        1 => "once".to_owned(),
        2 => "twice".to_owned(),
        count => format!("{count} times"),
    }
}

/// A list in words; of a long one the beginning.
fn named(names: &[String]) -> String {
    let (shown, more) = names.split_at(names.len().min(MAX_NAMED));
    match (shown, more.len()) {
        ([one], 0) => one.clone(),
        ([most @ .., last], 0) => format!("{} and {last}", most.join(", ")),
        (shown, more) => format!("{} and {more} more", shown.join(", ")),
    }
}

/// A clause as a sentence.
fn sentence(clause: &str) -> String {
    let mut characters = clause.chars();
    match characters.next() {
        Some(first) => format!("{}{}.", first.to_uppercase(), characters.as_str()),
        None => String::new(),
    }
}

/// Where an entry can be found again, as text.
pub(super) fn place(evidence: &Evidence) -> String {
    match &evidence.found_at {
        FoundAt::Cursor(cursor) => cursor.to_string(),
        FoundAt::CursorText(text) => text.clone(),
        FoundAt::Line(path, line) => format!("{}:{line}", path.display()),
    }
}
