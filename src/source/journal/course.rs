//! How a journal file runs: its numbers, boots and clock, followed entry by entry.
//!
//! An ordinary entry has the next number, is of the same boot, and its two clocks have gone on
//! alike: three comparisons of what is in its head. Only the others are looked at.

use std::collections::HashMap;

use super::header::Facts;
use super::object::EntryView;
use crate::entry::Cursor;
use crate::source::not_logged::{BootPart, ClockJump, Course, Moment, Numbers, ServiceEvent};
use crate::time::Timestamp;

/// Runs of numbers that are kept of one file. Files of one journald interleave (the system's and
/// the users'), so that there may be as many as entries; then neighbours are joined.
const MAX_NUMBERS: usize = 1024;
/// A machine boots a few times in the life of a file. A file of many machines has more.
const MAX_BOOTS: usize = 1024;
/// Clock jumps, starts and pieces of damage that are kept of one file, of each.
const MAX_KEPT: usize = 256;

/// The place of a boot that is left out.
const FORGOTTEN: usize = usize::MAX;

/// What the head of an entry says of its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Head {
    seqnum: u64,
    boot: [u8; 16],
    realtime_us: u64,
    monotonic_us: u64,
}

impl Head {
    #[inline]
    pub(super) fn of(entry: &EntryView<'_>) -> Self {
        Self {
            seqnum: entry.seqnum(),
            boot: entry.boot_id(),
            realtime_us: entry.realtime_us(),
            monotonic_us: entry.monotonic_us(),
        }
    }

    /// When the machine was booted, if the clock was right; the clocks' distance in any case.
    #[inline]
    fn clocks_apart_us(&self) -> u64 {
        self.realtime_us.wrapping_sub(self.monotonic_us)
    }

    fn at(&self) -> Option<Timestamp> {
        Timestamp::from_micros(i64::try_from(self.realtime_us).ok()?)
    }

    fn moment(&self) -> Option<Moment> {
        Some(Moment { at: self.at()?, monotonic_us: self.monotonic_us })
    }
}

impl From<&Cursor> for Head {
    fn from(cursor: &Cursor) -> Self {
        Self {
            seqnum: cursor.seqnum,
            boot: cursor.boot_id,
            realtime_us: cursor.realtime_us,
            monotonic_us: cursor.monotonic_us,
        }
    }
}

/// Follows the entries of one file.
#[derive(Debug, Clone)]
pub(super) struct CourseLog {
    /// The number that the next entry should have; 0: the next entry is to be looked at.
    next_seqnum: u64,
    /// The last entry's boot, its time, and how far apart its clocks were.
    boot: [u8; 16],
    realtime_us: u64,
    clocks_apart_us: u64,
    /// The number of the last entry, where `next_seqnum` does not say it.
    last_seqnum: u64,
    course: Course,
    /// Places in `course.boots`.
    places: HashMap<[u8; 16], usize>,
    /// The place of the last entry's boot.
    place: Option<usize>,
    /// Something could not be read since this time; `None` inside: since the beginning.
    damaged_since: Option<Option<Timestamp>>,
    /// Entries come out of order from here on.
    is_unordered: bool,
}

impl CourseLog {
    /// Nothing was read yet of a file whose entries are numbered in this sequence.
    pub(super) fn new(seqnum_id: [u8; 16]) -> Self {
        let course = Course { seqnum_id, ..Course::default() };
        Self {
            next_seqnum: 0,
            boot: [0; 16],
            realtime_us: 0,
            clocks_apart_us: 0,
            last_seqnum: 0,
            course,
            places: HashMap::new(),
            place: None,
            damaged_since: None,
            is_unordered: false,
        }
    }

    /// Takes the next entry. True where it is the first of its boot: then
    /// [`describe_boot`](Self::describe_boot) is to be called.
    #[inline]
    pub(super) fn entry(&mut self, head: Head) -> bool {
        let clocks_apart_us = head.clocks_apart_us();
        let drift_us = clocks_apart_us.wrapping_sub(self.clocks_apart_us);
        let is_ordinary = (head.seqnum == self.next_seqnum)
            & (head.boot == self.boot)
            & (drift_us.wrapping_add(ClockJump::TOLERATED_US) <= 2 * ClockJump::TOLERATED_US);
        let is_first_of_boot = if is_ordinary { false } else { self.turn(head) };
        self.next_seqnum = head.seqnum.wrapping_add(1);
        self.realtime_us = head.realtime_us;
        self.clocks_apart_us = clocks_apart_us;
        is_first_of_boot
    }

    /// The last entry.
    fn last(&self) -> Head {
        Head {
            seqnum: if self.next_seqnum == 0 { self.last_seqnum } else { self.next_seqnum - 1 },
            boot: self.boot,
            realtime_us: self.realtime_us,
            monotonic_us: self.realtime_us.wrapping_sub(self.clocks_apart_us),
        }
    }

    /// Has the next entry looked at.
    fn look_at_next(&mut self) {
        self.last_seqnum = self.last().seqnum;
        self.next_seqnum = 0;
    }

    /// Takes an entry that does not follow on the one before it as entries do.
    #[cold]
    fn turn(&mut self, head: Head) -> bool {
        let last = self.last();
        let is_same_boot = head.boot == last.boot;
        self.boot = head.boot;
        let Some(moment) = head.moment() else { return false };
        self.end_damage(moment.at);
        self.end_numbers(last);
        if head.seqnum != last.seqnum.wrapping_add(1) || self.course.numbers.is_empty() {
            self.begin_numbers(head.seqnum, moment.at);
        }
        if !is_same_boot {
            self.end_boot_part(last);
        }
        let before = match self.place {
            Some(_) if is_same_boot => last.moment(),
            _ => self.part_of(head.boot).map(|part| part.last),
        };
        if let Some(before) = before
            && !self.is_unordered
            && let Some(jump) = ClockJump::between(head.boot, before, moment)
        {
            self.jump(jump);
        }
        if is_same_boot && self.place.is_some() {
            false
        } else {
            self.begin_boot(head.boot, moment)
        }
    }

    fn part_of(&self, boot: [u8; 16]) -> Option<&BootPart> {
        self.course.boots.get(*self.places.get(&boot)?)
    }

    fn jump(&mut self, jump: ClockJump) {
        if self.course.jumps.len() < MAX_KEPT {
            self.course.jumps.push(jump);
        } else {
            self.course.more_jumps += 1;
        }
    }

    fn begin_numbers(&mut self, seqnum: u64, at: Timestamp) {
        if self.course.numbers.len() >= MAX_NUMBERS {
            let pairs = self.course.numbers.chunks(2);
            self.course.numbers = pairs.map(joined).collect();
        }
        let run = Numbers { first: seqnum, last: seqnum, entries: 0, first_at: at, last_at: at };
        self.course.numbers.push(run);
    }

    /// Brings the last run up to the last entry.
    fn end_numbers(&mut self, last: Head) {
        let (Some(run), Some(at)) = (self.course.numbers.last_mut(), last.at()) else { return };
        let last = last.seqnum.max(run.last);
        let more = (last - run.last).saturating_add(u64::from(run.entries == 0));
        run.entries = run.entries.saturating_add(more);
        (run.last, run.last_at) = (last, at);
    }

    fn end_boot_part(&mut self, last: Head) {
        let part = self.place.and_then(|place| self.course.boots.get_mut(place));
        let (Some(part), Some(last)) = (part, last.moment()) else { return };
        if last.monotonic_us >= part.last.monotonic_us {
            part.last = last;
        }
    }

    /// Goes over to another boot. True where it is met for the first time.
    fn begin_boot(&mut self, boot: [u8; 16], moment: Moment) -> bool {
        self.place = self.places.get(&boot).copied();
        if self.place.is_some() || self.course.boots.len() >= MAX_BOOTS {
            return false;
        }
        let place = self.course.boots.len();
        self.places.insert(boot, place);
        self.place = Some(place);
        let part = BootPart { boot, machine: [0; 16], host: None, first: moment, last: moment };
        self.course.boots.push(part);
        true
    }

    /// Says which machine was booted, for the boot of the entry that was just taken.
    pub(super) fn describe_boot(&mut self, machine: [u8; 16], host: Option<String>) {
        if let Some(part) = self.place.and_then(|place| self.course.boots.get_mut(place)) {
            (part.machine, part.host) = (machine, host);
        }
    }

    /// Leaves out the boot of the entry that was just taken: it is of a machine that was not
    /// asked about.
    pub(super) fn forget_boot(&mut self) {
        if let Some(part) = self.course.boots.pop() {
            self.places.insert(part.boot, FORGOTTEN);
            self.place = Some(FORGOTTEN);
        }
    }

    /// Notes that journald started or stopped, in the entry that is taken next.
    pub(super) fn service(&mut self, head: Head, is_start: bool, namespace: Option<String>) {
        let Some(at) = head.at().filter(|_| self.course.service.len() < MAX_KEPT) else { return };
        let last = self.last();
        let previous = last.at().filter(|_| last.boot == head.boot);
        self.course.service.push(ServiceEvent {
            boot: head.boot,
            namespace,
            is_start,
            at,
            previous,
        });
    }

    /// Something could not be read between the last entry and the next.
    pub(super) fn damage(&mut self) {
        if self.is_unordered {
            return;
        }
        let last = self.last();
        self.damaged_since.get_or_insert(last.at().filter(|_| last.seqnum > 0));
        // The next entry ends the damage.
        self.look_at_next();
    }

    fn end_damage(&mut self, at: Timestamp) {
        if let Some(since) = self.damaged_since.take()
            && self.course.damage.len() < MAX_KEPT
        {
            self.course.damage.push((since, Some(at)));
        }
    }

    /// From here on entries come that were passed over before.
    pub(super) fn go_back(&mut self, facts: &Facts) {
        self.end(facts.tail_realtime);
        self.is_unordered = true;
        self.look_at_next();
    }

    /// Ends what is open, in a file that claims to end at `tail`.
    fn end(&mut self, tail: Option<Timestamp>) {
        let last = self.last();
        self.end_numbers(last);
        self.end_boot_part(last);
        if let Some(since) = self.damaged_since.take() {
            let until = tail.filter(|until| since.is_none_or(|since| since <= *until));
            self.course.damage.push((since, until.or(since)));
        }
    }

    /// The course of the file, of which the reading is over. `facts`: what its header says, as far
    /// as it is known; `max_entries`: how many entries it has room for.
    pub(super) fn finish(mut self, facts: Option<&Facts>, max_entries: u64) -> Course {
        self.end(facts.and_then(|facts| facts.tail_realtime));
        let last = self.course.numbers.iter().map(|run| run.last).max().unwrap_or(0);
        let runs = self.course.numbers.iter();
        let read = runs.map(|run| run.entries).fold(0, u64::saturating_add);
        // A number is given to an entry shortly before the entry counts: a writer may be at it.
        if let Some(facts) = facts
            && let Some(at) = facts.tail_realtime
            && facts.n_entries > read
            && facts.tail_seqnum > last
            && facts.tail_seqnum - last <= max_entries
        {
            self.course.claimed_end = Some((facts.tail_seqnum, at));
        }
        let Course { boots, jumps, service, .. } = &mut self.course;
        let is_kept = |boot| boots.iter().any(|part| part.boot == boot);
        jumps.retain(|jump| is_kept(jump.boot));
        service.retain(|event| is_kept(event.boot));
        self.course
    }
}

/// One run for one or two that follow each other.
fn joined(pair: &[Numbers]) -> Numbers {
    let (first, last) = (pair[0], pair[pair.len() - 1]);
    Numbers {
        first: first.first.min(last.first),
        last: first.last.max(last.last),
        entries: pair.iter().map(|run| run.entries).fold(0, u64::saturating_add),
        first_at: first.first_at,
        last_at: last.last_at,
    }
}
