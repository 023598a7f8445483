//! `ebbline events`: every classified entry, in the order of time.

use std::collections::{HashMap, VecDeque};
use std::io::{self, BufWriter, Stdout, Write};
use std::ops::ControlFlow;
use std::process::ExitCode;
use std::sync::Mutex;

use chrono::SecondsFormat;
use chrono_tz::Tz;
use serde_json::{Map, Value};
use unicode_width::UnicodeWidthChar;

use super::Console;
use super::args::{EventsArgs, EventsFormat};
use super::ask::{Ask, Besides};
use super::error::CliError;
use super::follow::{self, Phase, Round, Viewer};
use super::sorted::{Key, Sorter};
use super::telling::Damaged;
use crate::entry::{Entry, Origin};
use crate::render::escape;
use crate::rules::{Classifier, RuleSet};
use crate::source::scan::Outcome;
use crate::source::{Damage, DamageList, Detail, Event, Merge, Sink};
use crate::time::{Minute, Timestamp};
use crate::timeline::Class;

/// A source hands its events over in portions of this size, so that threads seldom meet.
const PORTION_BYTES: usize = 256 << 10;

/// So many events from before are shown when sources are followed, as journalctl and tail do.
const FOLLOWED_FROM: usize = 10;

pub(super) fn run(args: &EventsArgs, console: &Console) -> Result<ExitCode, CliError> {
    let mut ask = Ask::new(&args.source, console, Besides::Absences)?;
    let rules = ask.classifier.rules().clone();
    let wanted = match args.class.as_slice() {
        [] => Class::all(&rules),
        names => Class::select(&rules, names).map_err(|e| CliError::Usage(e.to_string()))?,
    };
    let zone = ask.zone;
    let sorter = Mutex::new((Sorter::new(), None));
    let new_sink = |_: &Classifier, place| EventSink {
        rules: &rules,
        wanted: &wanted,
        zone,
        sorter: &sorter,
        place: u32::try_from(place).unwrap_or(u32::MAX),
        sequence: 0,
        portion: Vec::new(),
        portion_bytes: 0,
        damage: DamageList::default(),
    };
    let mut printer = Printer::new(args.output, console);
    if args.follow {
        let only_last = ask.span.since.is_none().then_some(FOLLOWED_FROM);
        let mut following = Following { sorter: &sorter, printer, only_last };
        let has_failed = follow::run(&mut ask, console, Detail::Entries, new_sink, &mut following)?;
        return Ok(if has_failed { ExitCode::FAILURE } else { ExitCode::SUCCESS });
    }
    let answer = ask.read(Detail::Entries, new_sink)?;
    let has_failed = answer.has_failed;
    print_new(answer.outcomes, &sorter, |text| printer.print(text))?;
    printer.finish()?;
    if printer.count == 0 {
        console.note("no entry was matched by a rule");
    }
    Ok(if has_failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// The events of followed sources: those of a round are printed in the order of their time.
struct Following<'a> {
    sorter: &'a Shared,
    printer: Printer<'a>,
    /// How many events of the first round are shown; `None`: all of them.
    only_last: Option<usize>,
}

impl Viewer<EventSink<'_>> for Following<'_> {
    fn take(&mut self, round: Round<EventSink<'_>>) -> Result<(), CliError> {
        let outcomes = round.outcomes.into_iter().map(|(_, outcome)| outcome);
        match self.only_last.filter(|_| round.phase == Phase::First) {
            None => print_new(outcomes, self.sorter, |text| self.printer.print(text))?,
            Some(count) => {
                let mut last = VecDeque::new();
                print_new(outcomes, self.sorter, |text| {
                    if last.len() == count {
                        last.pop_front();
                    }
                    last.push_back(text.to_vec());
                    Ok(())
                })?;
                last.iter().try_for_each(|text| self.printer.print(text))?;
            }
        }
        if round.phase == Phase::Last { self.printer.finish() } else { self.printer.flush() }
    }

    fn make_way(&mut self) -> Result<(), CliError> {
        Ok(())
    }
}

/// Gives the events that `sorter` was handed to `print` in the order of their time, those left out
/// that one source repeats of another.
fn print_new<'a>(
    outcomes: impl IntoIterator<Item = Outcome<EventSink<'a>>>,
    shared: &Shared,
    mut print: impl FnMut(&[u8]) -> Result<(), CliError>,
) -> Result<(), CliError> {
    let mut repeats = HashMap::new();
    for outcome in outcomes {
        let place = outcome.sink.place;
        repeats.extend(outcome.repeats.map(|repeats| (place, repeats)));
        outcome.sink.finish();
    }
    let mut shared = shared.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let (sorter, problem) = std::mem::replace(&mut *shared, (Sorter::new(), None));
    if let Some(error) = problem {
        return Err(CliError::Failed(format!(
            "cannot write a temporary file: {error}\nMake room, or set TMPDIR."
        )));
    }
    sorter.drain(|key, text| {
        let repeats = repeats.get(&key.source());
        if repeats.is_some_and(|repeats| repeats.contains(key.sequence(), key.at())) {
            Ok(())
        } else {
            print(text)
        }
    })
}

type Shared = Mutex<(Sorter, Option<io::Error>)>;

/// Turns events into JSON records and hands them to the sorter.
struct EventSink<'a> {
    rules: &'a RuleSet,
    wanted: &'a [Class],
    zone: Tz,
    sorter: &'a Shared,
    place: u32,
    sequence: u64,
    portion: Vec<(Key, Vec<u8>)>,
    portion_bytes: usize,
    damage: DamageList,
}

impl EventSink<'_> {
    fn hand_over(&mut self) {
        let mut shared = self.sorter.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        self.portion_bytes = 0;
        for (key, text) in self.portion.drain(..) {
            if shared.1.is_none()
                && let Err(error) = shared.0.push(key, &text)
            {
                shared.1 = Some(error);
            }
        }
    }

    fn finish(mut self) {
        self.hand_over();
    }
}

impl Merge for EventSink<'_> {
    /// A source whose entries are asked for has one reader.
    fn merge(&mut self, mut later: Self, _lines_before: u64) {
        later.hand_over();
        self.damage.merge(later.damage);
    }
}

impl Sink for EventSink<'_> {
    fn entries(&mut self, _minute: Option<Minute>, _count: u64) {}

    fn event(&mut self, event: &Event<'_>) -> ControlFlow<()> {
        let key = Key::new(event.entry.at, self.place, self.sequence);
        self.sequence += 1;
        let class = self.rules.class_of(event.rule);
        if !self.wanted.iter().any(|wanted| wanted.index == class) {
            return ControlFlow::Continue(());
        }
        // Writing into memory does not fail.
        let record = escape::json(&record(event, self.rules, self.zone)).unwrap_or_default();
        self.portion_bytes += record.len();
        self.portion.push((key, record));
        if self.portion_bytes >= PORTION_BYTES {
            self.hand_over();
        }
        ControlFlow::Continue(())
    }

    fn damage(&mut self, damage: Damage) {
        self.damage.push(damage);
    }
}

impl Damaged for EventSink<'_> {
    fn damage(&self) -> &DamageList {
        &self.damage
    }
}

/// One event as the contract's record.
fn record(event: &Event<'_>, rules: &RuleSet, zone: Tz) -> Value {
    let Entry { at, unit, host, message, origin, .. } = event.entry;
    let rule = rules.rule(event.rule);
    let text = |bytes: &[u8]| Value::from(String::from_utf8_lossy(bytes).into_owned());
    let optional = |bytes: &Option<&[u8]>| bytes.map_or(Value::Null, text);
    let mut record = Map::new();
    record.insert("at".into(), at.map_or(Value::Null, |at| rfc3339(at, zone).into()));
    record.insert("class".into(), rule.class.clone().into());
    record.insert("rule".into(), rule.id.clone().into());
    record.insert("unit".into(), optional(unit));
    record.insert("host".into(), optional(host));
    record.insert("message".into(), text(message));
    record.insert("echo".into(), rule.echo.into());
    if event.times > 1 {
        record.insert("times".into(), event.times.into());
    }
    let origin = match origin {
        Origin::Cursor(cursor) => serde_json::json!({"cursor": cursor.to_string()}),
        Origin::CursorText(cursor) => serde_json::json!({"cursor": text(cursor)}),
        Origin::Line { path, line } => {
            serde_json::json!({"path": path.to_string_lossy(), "line": line})
        }
    };
    record.insert("origin".into(), origin);
    Value::Object(record)
}

fn rfc3339(at: Timestamp, zone: Tz) -> String {
    at.to_utc().with_timezone(&zone).to_rfc3339_opts(SecondsFormat::Micros, false)
}

/// Writes events one after another.
struct Printer<'a> {
    format: EventsFormat,
    console: &'a Console,
    out: BufWriter<Stdout>,
    has_begun: bool,
    count: u64,
}

impl<'a> Printer<'a> {
    fn new(format: EventsFormat, console: &'a Console) -> Self {
        Self { format, console, out: BufWriter::new(io::stdout()), has_begun: false, count: 0 }
    }

    /// Writes what stands before the first event. Where nothing could be read there is no output.
    fn begin(&mut self) -> Result<(), CliError> {
        if std::mem::replace(&mut self.has_begun, true) {
            return Ok(());
        }
        let out = &mut self.out;
        match self.format {
            EventsFormat::Json => {
                out.write_all(b"{\"schema\":\"ebbline.events/1\",\"events\":[")?
            }
            EventsFormat::Csv => {
                out.write_all(b"at,class,rule,unit,host,message,echo,origin\r\n")?
            }
            EventsFormat::Ndjson | EventsFormat::Table => {}
        }
        Ok(())
    }

    /// Writes one event, given as its record.
    fn print(&mut self, record: &[u8]) -> Result<(), CliError> {
        self.begin()?;
        self.count += 1;
        let out = &mut self.out;
        match self.format {
            EventsFormat::Ndjson => {
                out.write_all(record)?;
                out.write_all(b"\n")?;
            }
            EventsFormat::Json => {
                out.write_all(if self.count > 1 { b",\n" } else { b"\n" })?;
                out.write_all(record)?;
            }
            EventsFormat::Csv => out.write_all(csv_row(record).as_bytes())?,
            EventsFormat::Table => writeln!(out, "{}", table_row(record, self.console))?,
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), CliError> {
        self.begin()?;
        Ok(self.out.flush()?)
    }

    /// Ends the document.
    fn finish(&mut self) -> Result<(), CliError> {
        self.begin()?;
        if self.format == EventsFormat::Json {
            self.out.write_all(b"\n]}\n")?;
        }
        self.flush()
    }
}

/// The parts of a record, as text.
fn parts(record: &[u8]) -> [String; 8] {
    let record: Value = serde_json::from_slice(record).unwrap_or_default();
    let part = |value: &Value| match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let origin = &record["origin"];
    let place = match origin.get("cursor") {
        Some(cursor) => part(cursor),
        None => format!("{}:{}", part(&origin["path"]), part(&origin["line"])),
    };
    let names = ["at", "class", "rule", "unit", "host", "message", "echo"];
    let [at, class, rule, unit, host, message, echo] = names.map(|name| part(&record[name]));
    [at, class, rule, unit, host, message, echo, place]
}

fn csv_row(record: &[u8]) -> String {
    let cells: Vec<String> = parts(record).iter().map(|part| escape::csv(part)).collect();
    format!("{}\r\n", cells.join(","))
}

/// One line: time, class, rule, unit, and the message's first line.
///
/// On a terminal the line is cut to its width, and the time is short: the zone was chosen there.
/// A terminal too narrow for the message leaves the rule out.
fn table_row(record: &[u8], console: &Console) -> String {
    let [at, class, rule, unit, _, message, echo, _] = parts(record);
    let at = if at.is_empty() { "no date" } else { &at };
    let class = if echo == "true" { format!("{class}*") } else { class };
    let unit = if unit.is_empty() { "-" } else { &unit };
    let mut lines = message.lines();
    let first = lines.next().unwrap_or_default().trim_end();
    let more = match lines.count() {
        0 => String::new(),
        1 => " (+1 line)".to_owned(),
        count => format!(" (+{count} lines)"),
    };
    if !console.is_terminal {
        let row = format!("{at:32}  {class:13}  {rule:24}  {unit:20}  {first}{more}");
        return escape::terminal(&row).into_owned();
    }
    let at = at.get(..19).unwrap_or(at).replace('T', " ");
    let unit = unit.strip_suffix(".service").unwrap_or(unit);
    let rule = if console.width >= WIDE { format!("{rule:24}  ") } else { String::new() };
    let row = format!("{at:19}  {class:12}  {rule}{unit:12}  {first}{more}");
    cut(&escape::terminal(&row), console.width).to_owned()
}

/// A terminal of this many columns has room for the rule's name.
const WIDE: u16 = 120;

/// As much of the text as fits into `columns` of a terminal, wide characters counted twice.
fn cut(text: &str, columns: u16) -> &str {
    let mut used = 0;
    for (at, character) in text.char_indices() {
        used += character.width().unwrap_or(0);
        if used > usize::from(columns) {
            return &text[..at];
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_line_is_never_wider_than_the_terminal() {
        assert_eq!(cut("abc", 3), "abc");
        assert_eq!(cut("abcd", 3), "abc");
        assert_eq!(cut("a接接", 4), "a接");
        assert_eq!(cut("", 0), "");
    }
}
