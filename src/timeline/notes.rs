//! Notes: what people know about a day, a span or an instant, from a TOML file.
//!
//! ```toml
//! [[note]]
//! day = 2026-04-19                  # one day
//! text = "pre-replica baseline"
//!
//! [[note]]
//! from = 2026-04-22                 # days, the last one included; or instants
//! to = 2026-04-24
//! text = "quiet, replica online"
//!
//! [[note]]
//! at = 2026-05-06T04:49:00-07:00    # an instant
//! text = "page fires"
//! ```
//!
//! Days, and times without an offset, are those of the timeline's zone. TOML's own dates need no
//! quotes; the same in quotes is understood.

use std::path::{Path, PathBuf};

use chrono::{FixedOffset, NaiveDate, NaiveTime};
use chrono_tz::Tz;
use toml::Spanned;
use toml::de::{DeTable, DeValue};
use toml::value::{Datetime, Offset};

use super::calendar;
use crate::time::Timestamp;

/// A text about a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// The first instant that the note is about.
    pub start: Timestamp,
    /// The first instant after; later than `start`.
    pub end: Timestamp,
    /// What to say, as it was written: it may hold any character.
    pub text: String,
}

/// What is wrong with a notes file: which file, where in it, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}:{line}:{column}: {problem}\n{remedy}", path.display())]
pub struct NotesError {
    /// The notes file.
    pub path: PathBuf,
    /// The line, counted from 1.
    pub line: usize,
    /// The column in characters, counted from 1.
    pub column: usize,
    /// What is wrong there.
    pub problem: String,
    /// What to do about it.
    pub remedy: &'static str,
}

/// Reads the notes in `text`, the content of the file at `path`, in the order of the file.
///
/// Days and local times are those of `zone`. A local time that clocks show twice is taken for the
/// earlier instant, one that they leave out for the end of the gap.
pub fn parse(text: &str, path: &Path, zone: Tz) -> Result<Vec<Note>, NotesError> {
    let file = NotesFile { text, path, zone };
    let root = DeTable::parse(text).map_err(|error| {
        file.error(error.span().map_or(0, |span| span.start), error.message(), REMEDY_SYNTAX)
    })?;
    let mut notes = Vec::new();
    for (key, value) in root.get_ref() {
        if key.get_ref() != "note" {
            let problem = format!("unknown key {}", quoted(key.get_ref()));
            return Err(file.error(key.span().start, &problem, REMEDY_TABLE));
        }
        let tables = value.get_ref().as_array().ok_or_else(|| {
            file.error(value.span().start, "`note` is not a list of notes", REMEDY_TABLE)
        })?;
        for item in tables.iter() {
            notes.push(file.note(item)?);
        }
    }
    Ok(notes)
}

const REMEDY_SYNTAX: &str = "Correct the TOML there; a text needs quotes, a date does not.";
const REMEDY_TABLE: &str = "Write each note as a [[note]] table.";
const REMEDY_KEYS: &str = "A note has `text`, and one of `day`, `at`, or `from` with `to`.";
const REMEDY_TIME: &str =
    "Write a day as 2026-04-19, an instant as 2026-05-06T04:49:00 or 2026-05-06T04:49:00-07:00.";
const REMEDY_ORDER: &str = "Exchange them, or correct the one that is wrong.";

struct NotesFile<'a> {
    text: &'a str,
    path: &'a Path,
    zone: Tz,
}

/// A point in a notes file: a whole day, or an instant.
#[derive(Clone, Copy)]
enum Moment {
    Day(NaiveDate),
    Instant(Timestamp),
}

type Value<'i> = Spanned<DeValue<'i>>;

impl NotesFile<'_> {
    fn note(&self, item: &Value<'_>) -> Result<Note, NotesError> {
        let at = item.span().start;
        let table = item
            .get_ref()
            .as_table()
            .ok_or_else(|| self.error(at, "a note is not a table", REMEDY_TABLE))?;
        let known = ["text", "day", "at", "from", "to"];
        if let Some(key) = table.keys().find(|key| !known.contains(&key.get_ref().as_ref())) {
            let problem = format!("a note has no key {}", quoted(key.get_ref()));
            return Err(self.error(key.span().start, &problem, REMEDY_KEYS));
        }
        let text = table
            .get("text")
            .ok_or_else(|| self.error(at, "the note has no `text`", REMEDY_KEYS))?;
        let written = text.get_ref().as_str().filter(|text| !text.trim().is_empty());
        let written = written
            .ok_or_else(|| self.error(text.span().start, "`text` says nothing", REMEDY_KEYS))?;
        let (start, end) = self.extent(at, table)?;
        Ok(Note { start, end, text: written.to_owned() })
    }

    /// The first instant of a note and the first instant after it.
    fn extent(&self, at: usize, table: &DeTable<'_>) -> Result<(Timestamp, Timestamp), NotesError> {
        let (from, to) = self.borders(at, table)?;
        let (first, last) = (self.moment(from)?, self.moment(to)?);
        let start = self.start(first);
        let end = self.end(last, start);
        if start < end {
            return Ok((start, end));
        }
        let place = to.span().start;
        match (first, last) {
            (Moment::Day(day), Moment::Day(same)) if day == same => {
                let problem = format!("{} had no {day}", self.zone.name());
                Err(self.error(place, &problem, "Name another day."))
            }
            _ => Err(self.error(place, "`to` is before `from`", REMEDY_ORDER)),
        }
    }

    /// The values that say when a note begins and ends, which may be one and the same.
    fn borders<'v, 'i>(
        &self,
        at: usize,
        table: &'v DeTable<'i>,
    ) -> Result<(&'v Value<'i>, &'v Value<'i>), NotesError> {
        match ["day", "at", "from", "to"].map(|key| table.get(key)) {
            [Some(day), None, None, None] => match self.moment(day)? {
                Moment::Day(_) => Ok((day, day)),
                Moment::Instant(_) => {
                    let remedy = "Leave the time away, or call it `at`.";
                    Err(self.error(day.span().start, "`day` has a time of day", remedy))
                }
            },
            [None, Some(instant), None, None] => match self.moment(instant)? {
                Moment::Instant(_) => Ok((instant, instant)),
                Moment::Day(_) => {
                    let remedy = "Add the time, or call it `day`.";
                    Err(self.error(instant.span().start, "`at` has no time of day", remedy))
                }
            },
            [None, None, Some(from), Some(to)] => Ok((from, to)),
            [None, None, Some(from), None] => {
                Err(self.error(from.span().start, "`from` without `to`", REMEDY_KEYS))
            }
            [None, None, None, Some(to)] => {
                Err(self.error(to.span().start, "`to` without `from`", REMEDY_KEYS))
            }
            [None, None, None, None] => {
                Err(self.error(at, "the note does not say when", REMEDY_KEYS))
            }
            _ => Err(self.error(at, "the note says twice when it was", REMEDY_KEYS)),
        }
    }

    fn start(&self, first: Moment) -> Timestamp {
        match first {
            Moment::Day(date) => calendar::start_of_day(self.zone, date),
            Moment::Instant(instant) => instant,
        }
    }

    /// The first instant after `last`, where the note begins at `start`. A span of instants that
    /// is empty is its instant.
    fn end(&self, last: Moment, start: Timestamp) -> Timestamp {
        match last {
            Moment::Day(date) => match date.succ_opt() {
                Some(next) => calendar::start_of_day(self.zone, next),
                None => Timestamp::END,
            },
            Moment::Instant(instant) if instant == start => {
                Timestamp::from_micros(instant.micros() + 1).unwrap_or(Timestamp::END)
            }
            Moment::Instant(instant) => instant,
        }
    }

    fn moment(&self, value: &Value<'_>) -> Result<Moment, NotesError> {
        let at = value.span().start;
        let written = match value.get_ref() {
            DeValue::Datetime(written) => *written,
            DeValue::String(text) => text.trim().parse().map_err(|_| {
                self.error(at, &format!("{} is not a date", quoted(text)), REMEDY_TIME)
            })?,
            _ => return Err(self.error(at, "this is not a date", REMEDY_TIME)),
        };
        if written.date.is_none() {
            return Err(self.error(at, "a time of day without a date", REMEDY_TIME));
        }
        let moment = read(&written, self.zone)
            .ok_or_else(|| self.error(at, &format!("there is no {written}"), REMEDY_TIME))?;
        let instant = self.start(moment);
        if instant == Timestamp::MIN || instant == Timestamp::END {
            let problem = format!("{written} is outside of the years 1970 to 9999");
            return Err(self.error(at, &problem, "Correct the year."));
        }
        Ok(moment)
    }

    fn error(&self, offset: usize, problem: &str, remedy: &'static str) -> NotesError {
        let before = self.text.get(..offset).unwrap_or(self.text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        NotesError {
            path: self.path.to_owned(),
            line: before.matches('\n').count() + 1,
            column: before.get(line_start..).unwrap_or("").chars().count() + 1,
            problem: problem.to_owned(),
            remedy,
        }
    }
}

/// What a TOML date-time means in `zone`; `None` where no calendar or clock shows it.
fn read(written: &Datetime, zone: Tz) -> Option<Moment> {
    let date = written.date?;
    let date = NaiveDate::from_ymd_opt(date.year.into(), date.month.into(), date.day.into())?;
    let Some(time) = written.time else { return Some(Moment::Day(date)) };
    let time = NaiveTime::from_hms_nano_opt(
        time.hour.into(),
        time.minute.into(),
        time.second.unwrap_or(0).into(),
        time.nanosecond.unwrap_or(0),
    )?;
    let local = date.and_time(time);
    let instant = match written.offset {
        None => calendar::at_local(zone, local),
        Some(offset) => {
            let minutes = match offset {
                Offset::Z => 0,
                Offset::Custom { minutes } => i32::from(minutes),
            };
            let offset = FixedOffset::east_opt(minutes * 60)?;
            let at = local.and_local_timezone(offset).single()?;
            Timestamp::from_utc(at.to_utc()).unwrap_or(Timestamp::MIN)
        }
    };
    Some(Moment::Instant(instant))
}

/// A name from the file, in quotes and with its control characters spelt out.
fn quoted(text: &str) -> String {
    format!("`{}`", text.escape_debug())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse_in_los_angeles(text: &str) -> Result<Vec<Note>, NotesError> {
        parse(text, Path::new("notes.toml"), Tz::America__Los_Angeles)
    }

    fn error(text: &str) -> String {
        parse_in_los_angeles(text).unwrap_err().to_string()
    }

    fn extent(text: &str) -> (String, String) {
        let notes = parse_in_los_angeles(&format!("[[note]]\n{text}\ntext = 'x'")).unwrap();
        let written = |at: Timestamp| at.to_utc().to_rfc3339();
        (written(notes[0].start), written(notes[0].end))
    }

    #[test]
    fn a_day_lasts_from_midnight_to_midnight_in_the_zone() {
        let day = ("2026-04-19T07:00:00+00:00".to_owned(), "2026-04-20T07:00:00+00:00".to_owned());
        assert_eq!(extent("day = 2026-04-19"), day);
        assert_eq!(extent("day = '2026-04-19'"), day);
    }

    #[test]
    fn a_span_of_days_includes_the_last_one_and_a_span_of_instants_does_not() {
        let days = extent("from = 2026-10-31\nto = 2026-11-01");
        assert_eq!(days.0, "2026-10-31T07:00:00+00:00");
        assert_eq!(days.1, "2026-11-02T08:00:00+00:00");
        let instants = extent("from = 2026-05-06T04:49:00\nto = 2026-05-06T17:14:00-07:00");
        assert_eq!(instants.0, "2026-05-06T11:49:00+00:00");
        assert_eq!(instants.1, "2026-05-07T00:14:00+00:00");
    }

    #[test]
    fn an_instant_is_a_microsecond_long() {
        let instant = extent("at = 2026-05-06 04:49:00.5");
        assert_eq!(instant.0, "2026-05-06T11:49:00.500+00:00");
        assert_eq!(instant.1, "2026-05-06T11:49:00.500001+00:00");
        let minute = "2026-05-06T11:49:00+00:00";
        assert_eq!(extent("at = 2026-05-06T04:49").0, minute);
        assert_eq!(extent("at = '2026-05-06 04:49'").0, minute);
    }

    #[test]
    fn errors_say_where_and_what_to_do() {
        assert_eq!(
            error("[[note]]\nday = 2026-04-19\ntext = 'a'\nwhen = 3\n"),
            "notes.toml:4:1: a note has no key `when`\n\
             A note has `text`, and one of `day`, `at`, or `from` with `to`."
        );
        assert_eq!(
            error("[[note]]\nfrom = 2026-04-24\nto = 2026-04-22\ntext = 'a'\n"),
            "notes.toml:3:6: `to` is before `from`\n\
             Exchange them, or correct the one that is wrong."
        );
        for (text, problem) in [
            ("[[note]]\nday = 2026-04-19\n", "notes.toml:1:1: the note has no `text`"),
            ("[[note]]\ntext = 'a'\n", "notes.toml:1:1: the note does not say when"),
            ("[[note]]\ntext = ' '\nday = 2026-04-19\n", "notes.toml:2:8: `text` says nothing"),
            ("[[note]]\nday=2026-04-19\nat=2026-04-19\ntext='a'", "1:1: the note says twice"),
            ("[[note]]\nfrom=2026-04-19\ntext='a'", "2:6: `from` without `to`"),
            ("[[note]]\nday='Tuesday'\ntext='a'", "2:5: `Tuesday` is not a date"),
            ("[[note]]\nday=2026-04-19T10:00:00\ntext='a'", "2:5: `day` has a time of day"),
            ("[[note]]\nat=2026-04-19\ntext='a'", "2:4: `at` has no time of day"),
            ("[[note]]\nat=10:00:00\ntext='a'", "2:4: a time of day without a date"),
            ("[[note]]\nday=1066-10-14\ntext='a'", "outside of the years 1970 to 9999"),
            ("[note]\nday=2026-04-19\ntext='a'", "`note` is not a list of notes"),
            ("[[notes]]\nday=2026-04-19\ntext='a'", "1:3: unknown key `notes`"),
            ("note = [3]", "1:9: a note is not a table"),
            ("\"\\u001b[2J\" = 1", "unknown key `\\u{1b}[2J`"),
        ] {
            let error = error(text);
            assert!(error.contains(problem), "{error:?} does not say {problem:?}");
        }
    }

    #[test]
    fn broken_toml_has_a_position() {
        let error = error("[[note]]\nday = 2026-04-19\ntext = pre-replica\n");
        assert!(error.starts_with("notes.toml:3:8: "), "{error}");
        assert!(error.ends_with(REMEDY_SYNTAX), "{error}");
    }

    #[test]
    fn a_day_that_the_zone_left_out_is_refused() {
        let text = "[[note]]\nday = 2011-12-30\ntext = 'a'\n";
        let error = parse(text, Path::new("n"), Tz::Pacific__Apia).unwrap_err().to_string();
        assert!(error.starts_with("n:2:7: Pacific/Apia had no 2011-12-30\n"), "{error}");
    }
}
