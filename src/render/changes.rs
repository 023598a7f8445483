//! What changed in the time of a row: a few of the changes, the most telling first.
//!
//! What happens on most days (a job that fails every night, a restart by a timer) explains no day
//! in particular. It is left out where people read, so that what is out of the ordinary is seen.
//! Where a person wrote a note, that is the explanation: only changes that were asked for stand
//! behind it, not those that the log tells by itself.

use std::cmp::Reverse;
use std::collections::HashSet;
use std::ops::Range;

use super::escape;
use crate::timeline::calendar::{in_zone, rfc3339};
use crate::timeline::{Change, ChangeKind, Grain, Timeline, change};

/// So many changes of a row are told.
const MAX_TOLD: usize = 3;
/// So many changes of a bucket are listed for programs.
pub(super) const MAX_LISTED: usize = 20;
/// So many characters of a change are told.
const MAX_CHARS: usize = 60;

/// The changes of a timeline, ready to be told.
pub(super) struct Telling<'a> {
    timeline: &'a Timeline,
    usual: HashSet<(ChangeKind, &'a str)>,
    /// Whether the changes are of several machines.
    has_hosts: bool,
}

impl<'a> Telling<'a> {
    pub(super) fn new(timeline: &'a Timeline) -> Self {
        let hosts = timeline.changes.iter().filter_map(|change| change.host.as_deref());
        let hosts: HashSet<&str> = hosts.collect();
        Self { timeline, usual: change::usual(&timeline.changes), has_hosts: hosts.len() > 1 }
    }

    /// The changes within some buckets, the most telling first, and how many of them are out of
    /// the ordinary: these come first.
    pub(super) fn of(&self, buckets: &Range<usize>) -> (Vec<&'a Change>, usize) {
        let all = self.timeline.buckets.get(buckets.clone()).unwrap_or_default();
        let (Some(first), Some(last)) = (all.first(), all.last()) else { return (Vec::new(), 0) };
        let mut changes: Vec<&Change> =
            self.timeline.changes_between(first.start, last.end).iter().collect();
        let is_usual = |change: &Change| self.usual.contains(&(change.kind, change.subject()));
        changes.sort_by_key(|change| (is_usual(change), change.kind, Reverse(change.at)));
        let notable = changes.partition_point(|change| !is_usual(change));
        (changes, notable)
    }

    /// What a table says about some buckets; `None`: nothing out of the ordinary. `has_note`: a
    /// person has said something about them.
    pub(super) fn note(&self, buckets: &Range<usize>, has_note: bool) -> Option<String> {
        let (mut changes, notable) = self.of(buckets);
        changes.truncate(notable);
        changes.retain(|change| !has_note || change.kind.is_asked_for());
        let told = changes.iter().take(MAX_TOLD);
        let mut told: Vec<String> = told.map(|change| self.tell(change, buckets)).collect();
        match changes.len() - told.len() {
            0 => {}
            more => told.push(format!("and {more} more")),
        }
        (!told.is_empty()).then(|| told.join("; "))
    }

    /// One change, with its time as far as the row's label does not say it.
    fn tell(&self, change: &Change, buckets: &Range<usize>) -> String {
        let (zone, grain) = (self.timeline.zone, self.timeline.grain);
        let start = self.timeline.buckets.get(buckets.start);
        let end = self.timeline.buckets.get(buckets.end.saturating_sub(1));
        let date = |at| in_zone(at, zone).date_naive();
        let at = in_zone(change.at, zone);
        let is_one_day = start.map(|bucket| date(bucket.start)) == end.map(|b| date(b.start));
        let when = match (is_one_day, grain) {
            (true, Grain::Minute) if buckets.len() == 1 => at.format("%H:%M:%S"),
            (true, _) => at.format("%H:%M"),
            (false, _) => at.format("%b %-d %H:%M"),
        };
        let mut text = escape::one_line(&change.text());
        if let (true, Some(host)) =
            (self.has_hosts && change.kind != ChangeKind::Boot, &change.host)
        {
            text.push_str(&format!(" on {}", escape::one_line(host)));
        }
        format!("{when} {}", shortened(&text))
    }

    /// The changes of one bucket for a cell that a program reads, each with its whole time.
    pub(super) fn cell(&self, position: usize) -> String {
        let (changes, _) = self.of(&(position..position + 1));
        let told = changes.iter().take(MAX_LISTED).map(|change| {
            let at = rfc3339(change.at, self.timeline.zone);
            format!("{at} {}", shortened(&escape::one_line(&change.text())))
        });
        let mut told: Vec<String> = told.collect();
        match changes.len() - told.len() {
            0 => {}
            more => told.push(format!("and {more} more")),
        }
        told.join("; ")
    }
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(MAX_CHARS) {
        None => text.to_owned(),
        Some(_) => text.chars().take(MAX_CHARS - 1).chain(['…']).collect(),
    }
}
