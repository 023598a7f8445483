//! Numbers that no entry has.
//!
//! journald numbers its entries one after another, over all files of a sequence, so a number
//! between two that were read belongs to an entry that was not: it was in a file that is gone or
//! was not given, or in bytes that are damaged. Where no entry comes before, nothing is missing:
//! that is where the journal begins.
//!
//! journald before version 254 gives the files of users sequences of their own but takes the
//! numbers from one counter. So a number is not missing if another sequence of the same boots
//! used it about that time.

use std::collections::{BTreeMap, HashMap};

use super::{Absence, What};
use crate::source::not_logged::{Course, Numbers};
use crate::time::Timestamp;

/// Where there are more gaps than this, neighbours are told as one.
const MAX_GAPS: usize = 1000;
/// So many runs of other sequences are compared with gaps; then these count as filled.
const MAX_COMPARED: usize = 10_000_000;
/// A counter that was started again may repeat the numbers of the last while.
const REUSED_US: i64 = 24 * 3_600_000_000;

/// Numbers of a sequence that were not met, and the times of the entries around them.
#[derive(Debug, Clone, Copy)]
struct Gap {
    sequence: [u8; 16],
    first: u64,
    last: u64,
    entries: u64,
    from: Timestamp,
    to: Timestamp,
}

/// The gaps in the numbers of all sequences.
pub(super) fn gaps(courses: &[Course]) -> Vec<Absence> {
    let mut sequences: BTreeMap<[u8; 16], Vec<Numbers>> = BTreeMap::new();
    for course in courses {
        let runs = sequences.entry(course.seqnum_id).or_default();
        runs.extend(&course.numbers);
        // A claimed end is an entry that is known to have been there, and was not read.
        runs.extend(course.claimed_end.map(|(number, at)| Numbers {
            first: number.saturating_add(1),
            last: number,
            entries: 0,
            first_at: at,
            last_at: at,
        }));
    }
    let mut gaps = Vec::new();
    for (sequence, runs) in &mut sequences {
        runs.sort_by_key(|run| (run.first, run.entries == 0));
        find(*sequence, runs, &mut gaps);
    }
    if gaps.is_empty() {
        return Vec::new();
    }
    let mut others = Others::new(&sequences, courses);
    for gap in &mut gaps {
        gap.entries = gap.entries.saturating_sub(others.used(gap));
    }
    gaps.retain(|gap| gap.entries > 0);
    gaps.sort_by_key(|gap| (gap.sequence, gap.first));
    while gaps.len() > MAX_GAPS {
        let count = gaps.len();
        gaps = gaps.chunks(2).flat_map(joined).collect();
        if gaps.len() == count {
            break;
        }
    }
    let absence = |gap: &Gap| {
        let mut absence = Absence::between(What::SequenceGap, gap.from, gap.to);
        absence.entries = Some(gap.entries);
        absence
    };
    gaps.iter().map(absence).collect()
}

/// One gap for two of a sequence that follow each other.
fn joined(pair: &[Gap]) -> Vec<Gap> {
    match pair {
        [one, two] if one.sequence == two.sequence => {
            let entries = one.entries.saturating_add(two.entries);
            vec![Gap { last: two.last, entries, to: two.to, ..*one }]
        }
        _ => pair.to_vec(),
    }
}

/// Finds the gaps between the runs of one sequence, in the order of their first numbers.
fn find(sequence: [u8; 16], runs: &[Numbers], gaps: &mut Vec<Gap>) {
    let mut cluster: Option<Cluster> = None;
    for run in runs {
        match &mut cluster {
            Some(cluster) if run.first <= cluster.last.saturating_add(1) => cluster.add(run),
            Some(before) => {
                gaps.push(Gap {
                    sequence,
                    first: before.last + 1,
                    last: run.first - 1,
                    entries: run.first - 1 - before.last,
                    from: before.last_at,
                    to: run.first_at,
                });
                gaps.extend(before.inner_gap(sequence));
                cluster = Some(Cluster::new(run));
            }
            None => cluster = Some(Cluster::new(run)),
        }
    }
    gaps.extend(cluster.and_then(|cluster| cluster.inner_gap(sequence)));
}

/// Runs that overlap or follow one another.
struct Cluster {
    first: u64,
    last: u64,
    first_at: Timestamp,
    last_at: Timestamp,
    /// The entries of all runs, and whether one of them lacks some in between.
    entries: u64,
    is_sparse: bool,
}

impl Cluster {
    fn new(run: &Numbers) -> Self {
        Self {
            first: run.first,
            last: run.last,
            first_at: run.first_at,
            last_at: run.last_at,
            entries: run.entries,
            is_sparse: run.is_sparse(),
        }
    }

    fn add(&mut self, run: &Numbers) {
        self.entries = self.entries.saturating_add(run.entries);
        self.is_sparse |= run.is_sparse();
        if run.last >= self.last {
            (self.last, self.last_at) = (run.last, run.last_at);
        }
    }

    /// What is missing within sparse runs, somewhere.
    fn inner_gap(&self, sequence: [u8; 16]) -> Option<Gap> {
        let Self { first, last, first_at: from, last_at: to, .. } = *self;
        // Where an end was only claimed, there is no number.
        let numbers = last.checked_sub(first).filter(|_| self.is_sparse)?.saturating_add(1);
        let entries = numbers.checked_sub(self.entries).filter(|missing| *missing > 0)?;
        Some(Gap { sequence, first, last, entries, from, to })
    }
}

/// The runs of all sequences, to be asked which numbers others use.
struct Others {
    /// In the order of their first numbers.
    runs: Vec<(Numbers, [u8; 16])>,
    /// The highest number of each run and those before it.
    reach: Vec<u64>,
    /// Sequences that have boots in common have the same family.
    families: HashMap<[u8; 16], usize>,
    /// How many runs were compared so far.
    compared: usize,
}

impl Others {
    fn new(sequences: &BTreeMap<[u8; 16], Vec<Numbers>>, courses: &[Course]) -> Self {
        let runs = sequences.iter().flat_map(|(id, runs)| runs.iter().map(|run| (*run, *id)));
        let mut runs: Vec<(Numbers, [u8; 16])> = runs.filter(|(run, _)| run.entries > 0).collect();
        runs.sort_by_key(|(run, _)| run.first);
        let mut highest = 0;
        let reach = runs.iter().map(|(run, _)| {
            highest = highest.max(run.last);
            highest
        });
        let reach = reach.collect();
        Self { runs, reach, families: families(courses), compared: 0 }
    }

    /// How many numbers of a gap other sequences of its family use about that time.
    fn used(&mut self, gap: &Gap) -> u64 {
        let start = self.reach.partition_point(|reach| *reach < gap.first);
        let end = self.runs.partition_point(|(run, _)| run.first <= gap.last);
        self.compared = self.compared.saturating_add(end.saturating_sub(start));
        if self.compared > MAX_COMPARED {
            return gap.entries;
        }
        let family = self.families.get(&gap.sequence);
        let (mut used, mut reached) = (0, gap.first);
        for (run, sequence) in self.runs.get(start..end).unwrap_or_default() {
            let is_other = *sequence != gap.sequence && self.families.get(sequence) == family;
            let is_then =
                run.first_at <= gap.to && run.last_at.micros() >= gap.from.micros() - REUSED_US;
            let (first, last) = (run.first.max(reached), run.last.min(gap.last));
            if is_other && is_then && first <= last {
                used += run.share(last - first + 1);
                reached = last.saturating_add(1);
            }
        }
        used
    }
}

/// Groups sequences by the boots that they have in common.
fn families(courses: &[Course]) -> HashMap<[u8; 16], usize> {
    let mut of_boot: HashMap<[u8; 16], usize> = HashMap::new();
    let mut of_sequence: HashMap<[u8; 16], usize> = HashMap::new();
    let mut parents: Vec<usize> = Vec::new();
    for course in courses {
        let next = parents.len();
        let own = *of_sequence.entry(course.seqnum_id).or_insert(next);
        if own == next {
            parents.push(next);
        }
        for part in &course.boots {
            let other = *of_boot.entry(part.boot).or_insert(own);
            let (own, other) = (root(&mut parents, own), root(&mut parents, other));
            parents[own.max(other)] = own.min(other);
        }
    }
    of_sequence.into_iter().map(|(id, place)| (id, root(&mut parents, place))).collect()
}

/// The family that a sequence was joined to.
fn root(parents: &mut [usize], mut place: usize) -> usize {
    while parents[place] != place {
        parents[place] = parents[parents[place]];
        place = parents[place];
    }
    place
}
