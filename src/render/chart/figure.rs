//! The figure: what a chart is to show, whatever size and format it is drawn in.

use std::ops::Range;

use chrono_tz::Tz;

use crate::render::changes::Telling;
use crate::report::{PoolReport, Report};
use crate::series::{Gauge, Point, Series};
use crate::time::Timestamp;
use crate::timeline::{Bucket, Change, Class, Grain, Timeline};

/// What a chart shows.
#[derive(Debug, Clone)]
pub struct Figure<'a> {
    /// What stands above it.
    pub title: String,
    /// The zone of the time axis.
    pub zone: Tz,
    /// From when to when it goes.
    pub time: Range<Timestamp>,
    /// The events; `None` for a figure of pools alone.
    pub events: Option<Events<'a>>,
    /// When the service was failing.
    pub incidents: Vec<Range<Timestamp>>,
    /// What happened besides.
    pub marks: Vec<Mark>,
    /// The pools, each drawn in a panel of its own.
    pub pools: Vec<Pool<'a>>,
}

/// The events of each bucket.
#[derive(Debug, Clone)]
pub struct Events<'a> {
    /// The length of the buckets.
    pub grain: Grain,
    /// The classes in the order in which they are stacked, from below.
    pub classes: Vec<&'a Class>,
    /// The buckets in the order of time, each beginning where the one before it ends.
    pub buckets: &'a [Bucket],
}

/// A note or a change: a number on the figure, a text below it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// The first instant that it is about.
    pub start: Timestamp,
    /// The first instant after.
    pub end: Timestamp,
    /// What to say; it may hold any character.
    pub text: String,
    /// Of too many, those with the lowest rank are shown.
    pub rank: u32,
}

/// How full a pool was.
#[derive(Debug, Clone)]
pub struct Pool<'a> {
    /// Its name; it may hold any character.
    pub name: String,
    /// Where it was, as far as that is known: host, unit.
    pub place: String,
    /// What the log says of it.
    pub points: &'a dyn PoolPoints,
}

/// Snapshots of a pool in the order of time, wherever they are kept: there may be millions.
pub trait PoolPoints: std::fmt::Debug {
    /// How many there are.
    fn count(&self) -> usize;

    /// The one at a position.
    fn get(&self, position: usize) -> Option<PoolPoint>;
}

impl PoolPoints for Vec<PoolPoint> {
    fn count(&self) -> usize {
        self.len()
    }

    fn get(&self, position: usize) -> Option<PoolPoint> {
        self.as_slice().get(position).copied()
    }
}

/// A snapshot of a pool; what the log does not say is `None`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolPoint {
    /// When.
    pub at: Timestamp,
    /// Connections that the pool may open.
    pub max: Option<u64>,
    /// Connections that are open.
    pub size: Option<u64>,
    /// Connections that callers hold.
    pub in_use: Option<u64>,
    /// Callers that wait for a connection.
    pub waiting: Option<u64>,
}

impl PoolPoints for Series {
    fn count(&self) -> usize {
        self.points().len()
    }

    fn get(&self, position: usize) -> Option<PoolPoint> {
        let point = self.points().get(position)?;
        Some(PoolPoint {
            at: point.at(),
            // A `max` of 0 is no limit.
            max: point.get(Gauge::Max).filter(|max| *max > 0),
            size: point.get(Gauge::Size),
            in_use: point.get(Gauge::InUse),
            waiting: point.get(Gauge::Waiting),
        })
    }
}

impl<'a> Pool<'a> {
    fn of(series: &'a Series) -> Self {
        let key = &series.key;
        let program = key.unit.as_ref().or(key.identifier.as_ref());
        let place: Vec<&str> = key.host.iter().chain(program).map(String::as_str).collect();
        Self { name: key.pool.clone(), place: place.join(", "), points: series }
    }
}

impl dyn PoolPoints + '_ {
    /// The snapshots from first to last.
    pub(super) fn iter(&self) -> impl Iterator<Item = PoolPoint> {
        (0..self.count()).filter_map(|position| self.get(position))
    }
}

impl<'a> Figure<'a> {
    /// The figure of a timeline, or `None` where it has no bucket.
    pub fn of(report: &'a Report, title: Option<&str>) -> Option<Self> {
        let timeline = &report.timeline;
        let time = timeline.buckets.first()?.start..timeline.buckets.last()?.end;
        let classes = report.shown_classes();
        let note = |placed: &crate::timeline::PlacedNote| Mark {
            start: placed.note.start,
            end: placed.note.end,
            text: placed.note.text.clone(),
            rank: 0,
        };
        Some(Self {
            title: title.map_or_else(|| usual_title(&classes, timeline.grain), str::to_owned),
            zone: timeline.zone,
            time,
            marks: timeline.notes.iter().map(note).chain(changes(timeline)).collect(),
            events: Some(Events { grain: timeline.grain, classes, buckets: &timeline.buckets }),
            incidents: incidents(report),
            pools: Vec::new(),
        })
    }

    /// The figure of a report on pools, or `None` where it has no snapshot.
    pub fn of_pools(report: &'a PoolReport, title: Option<&str>) -> Option<Self> {
        let drawn = || report.series.iter().filter(|series| series.points().iter().any(is_drawn));
        let points = || drawn().flat_map(|series| series.points());
        let start = points().map(Point::at).min()?;
        let end = points().map(Point::at).max()?;
        // The last snapshot holds for a while too.
        let usual = drawn().filter_map(Series::usual_interval_us).min();
        let end = Timestamp::from_micros(end.micros() + usual.unwrap_or(0).max(1));
        let figure = Self {
            title: title.unwrap_or("Connection pools").to_owned(),
            zone: report.zone,
            time: start..end?,
            events: None,
            incidents: Vec::new(),
            marks: Vec::new(),
            pools: Vec::new(),
        };
        Some(figure.with_pools(&report.series))
    }

    /// The figure with the pools of which there is a snapshot in its time.
    pub fn with_pools(mut self, series: &'a [Series]) -> Self {
        let time = self.time.clone();
        let is_shown = |series: &&Series| {
            let own = series.points().iter();
            own.filter(|point| time.contains(&point.at())).any(is_drawn)
        };
        self.pools = series.iter().filter(is_shown).map(Pool::of).collect();
        self
    }

    /// The incidents on the figure, those that overlap as one.
    pub(super) fn incident_windows(&self) -> Vec<Range<Timestamp>> {
        let is_shown = |window: &&Range<Timestamp>| {
            window.start < self.time.end && self.time.start < window.end
        };
        let mut sorted: Vec<_> = self.incidents.iter().filter(is_shown).cloned().collect();
        sorted.sort_by_key(|window| window.start);
        let mut joined: Vec<Range<Timestamp>> = Vec::with_capacity(sorted.len());
        for window in sorted {
            match joined.last_mut() {
                Some(last) if window.start <= last.end => last.end = last.end.max(window.end),
                _ => joined.push(window),
            }
        }
        joined
    }
}

/// The changes that are out of the ordinary, the most telling first.
fn changes(timeline: &Timeline) -> Vec<Mark> {
    let (changes, notable) = Telling::new(timeline).of(&(0..timeline.buckets.len()));
    let mark = |(change, rank): (&Change, u32)| Mark {
        start: change.at,
        end: change.at,
        text: change.text(),
        rank,
    };
    changes.into_iter().take(notable).zip(1..).map(mark).collect()
}

/// From the first failure of each incident to its last.
fn incidents(report: &Report) -> Vec<Range<Timestamp>> {
    let found = report.incidents.iter().flat_map(|found| &found.incidents);
    found.map(|incident| incident.first.at..incident.last.at).collect()
}

/// Whether a snapshot says something that a chart shows; some say only how long callers waited.
fn is_drawn(point: &Point) -> bool {
    [Gauge::Size, Gauge::InUse, Gauge::Waiting].iter().any(|gauge| point.get(*gauge).is_some())
}

fn usual_title(classes: &[&Class], grain: Grain) -> String {
    let names: Vec<_> = classes.iter().map(|class| super::heading(&class.name)).collect();
    let what = match names.as_slice() {
        [] => "Events".to_owned(),
        [one] => one.to_string(),
        [several @ .., last] if several.len() < 3 => {
            format!("{} and {last}", several.join(", "))
        }
        _ => "Events".to_owned(),
    };
    let mut letters = what.chars();
    let first = letters.next().map(|letter| letter.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{} by {}", letters.as_str(), grain.name())
}
