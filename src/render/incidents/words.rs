//! Words for times, rates and counts of incidents.

use chrono::Datelike;
use chrono_tz::Tz;

use crate::render::heading::heading;
use crate::time::Timestamp;
use crate::timeline::incident::{ClassPart, Incident};
use crate::timeline::{Timeline, calendar, label};

/// Writes the times of one report.
#[derive(Debug, Clone, Copy)]
pub(super) struct Times {
    zone: Tz,
    years: bool,
}

impl Times {
    pub(super) fn new(timeline: &Timeline) -> Self {
        let year = |at: Timestamp| calendar::in_zone(at, timeline.zone).year();
        Self { zone: timeline.zone, years: timeline.first.map(year) != timeline.last.map(year) }
    }

    /// `May 6 04:49:07`
    pub(super) fn second(&self, at: Timestamp) -> String {
        format!("{} {}", self.date(at), self.clock(at, "%H:%M:%S"))
    }

    /// `May 6 04:49:07`, or `17:14:31` where it is the day of `before`.
    pub(super) fn second_after(&self, before: Timestamp, at: Timestamp) -> String {
        if self.date(before) == self.date(at) {
            self.clock(at, "%H:%M:%S")
        } else {
            self.second(at)
        }
    }

    /// `May 6 04:49:07 – 17:14:31`
    pub(super) fn span(&self, from: Timestamp, to: Timestamp) -> String {
        format!("{} – {}", self.second(from), self.second_after(from, to))
    }

    /// `May 6 04:49–17:14`
    pub(super) fn short_span(&self, from: Timestamp, to: Timestamp) -> String {
        let end = self.clock(to, "%H:%M");
        if self.date(from) == self.date(to) {
            format!("{}–{end}", self.minute(from))
        } else {
            format!("{}–{} {end}", self.minute(from), self.date(to))
        }
    }

    /// `May 6 04:49`
    pub(super) fn minute(&self, at: Timestamp) -> String {
        format!("{} {}", self.date(at), self.clock(at, "%H:%M"))
    }

    /// The abbreviation of the zone at that time: `PDT`.
    pub(super) fn zone(&self, at: Timestamp) -> String {
        calendar::in_zone(at, self.zone).format("%Z").to_string()
    }

    /// To the microsecond, as `ebbline events` prints it.
    pub(super) fn exact(&self, at: Timestamp) -> String {
        calendar::rfc3339(at, self.zone)
    }

    fn date(&self, at: Timestamp) -> String {
        let format = if self.years { "%Y %b %-d" } else { "%b %-d" };
        calendar::in_zone(at, self.zone).format(format).to_string()
    }

    fn clock(&self, at: Timestamp, format: &str) -> String {
        label::clock(&calendar::in_zone(at, self.zone), format)
    }
}

/// A number of things in words: `1 spike`, `3 spikes`.
pub(super) fn number(count: usize, one: &str) -> String {
    if count == 1 { format!("1 {one}") } else { format!("{count} {one}s") }
}

/// `1120 pool timeouts`
pub(super) fn failures(part: &ClassPart) -> String {
    format!("{} {}", part.events, heading(&part.class.name))
}

/// All classes of an incident.
pub(super) fn all_failures(incident: &Incident) -> String {
    incident.classes.iter().map(failures).collect::<Vec<_>>().join(", ")
}

/// `outage`, `outage, ongoing`
pub(super) fn severity(incident: &Incident) -> String {
    let name = incident.severity.name();
    if incident.ongoing { format!("{name}, ongoing") } else { name.to_owned() }
}

/// A rate in a unit in which it is not 0.00: `0.4 a minute`, `1.2 a day`.
pub(super) fn rate(per_minute: f64) -> String {
    let units = [(1.0, "a minute"), (60.0, "an hour"), (1440.0, "a day"), (10_080.0, "a week")];
    let is_told = |(minutes, _): &&(f64, &str)| per_minute * minutes >= 0.95;
    let Some((minutes, unit)) = units.iter().find(is_told) else {
        return "hardly any".to_owned();
    };
    let count = per_minute * minutes;
    if count < 10.0 { format!("{count:.1} {unit}") } else { format!("{count:.0} {unit}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_has_a_unit_in_which_it_is_something() {
        let told = [25.0, 1.0, 0.1, 0.001, 0.000_1, 0.0].map(rate);
        let expected =
            ["25 a minute", "1.0 a minute", "6.0 an hour", "1.4 a day", "1.0 a week", "hardly any"];
        assert_eq!(told, expected);
    }
}
