//! Boots, and jumps of the clock within them.

use std::collections::BTreeMap;

use super::{Absence, What};
use crate::source::not_logged::{BootPart, ClockJump, Course};

/// The times between a machine's boots: it was down, or what it logged last is lost.
pub(super) fn boots(courses: &[Course]) -> Vec<Absence> {
    let mut whole: BTreeMap<([u8; 16], [u8; 16]), BootPart> = BTreeMap::new();
    for part in courses.iter().flat_map(|course| &course.boots) {
        let boot = whole.entry((part.machine, part.boot)).or_insert_with(|| part.clone());
        if part.first.monotonic_us < boot.first.monotonic_us {
            boot.first = part.first;
        }
        if part.last.monotonic_us > boot.last.monotonic_us {
            boot.last = part.last;
        }
    }
    let mut boots: Vec<BootPart> = whole.into_values().collect();
    boots.sort_by_key(|boot| (boot.machine, boot.first.at));
    let pairs = boots.windows(2).filter(|pair| pair[0].machine == pair[1].machine);
    pairs.filter_map(|pair| between(&pair[0], &pair[1])).collect()
}

/// The time between two boots that follow each other.
fn between(before: &BootPart, after: &BootPart) -> Option<Absence> {
    let (end, start) = (before.last.at, after.first.at);
    if start < end && before.host != after.host {
        // Two machines that do not say which they are.
        return None;
    }
    // Where the new boot's clock was slow, nothing is known about the time between.
    let mut absence = Absence::between(What::Boot, end.min(start), start);
    absence.host.clone_from(&after.host);
    Some(absence)
}

/// Where clocks jumped, each jump once: the files of one machine see the same ones.
pub(super) fn jumps(courses: &[Course]) -> Vec<Absence> {
    let mut found: Vec<ClockJump> =
        courses.iter().flat_map(|course| &course.jumps).copied().collect();
    found.extend(jumps_between_files(courses));
    found.sort_by_key(|jump| (jump.after.monotonic_us - jump.before.monotonic_us, jump.boot));
    // A file with few entries sees the jumps late, and several as one: the shortest ones are right.
    let mut known: BTreeMap<([u8; 16], u64), ClockJump> = BTreeMap::new();
    for jump in found {
        let within = (jump.boot, jump.before.monotonic_us)..=(jump.boot, jump.after.monotonic_us);
        let is_inside = |other: &&ClockJump| other.before.monotonic_us >= jump.before.monotonic_us;
        let others = known.range(within).map(|(_, other)| other).filter(is_inside);
        let explained = others.map(ClockJump::by_us).fold(0, i64::wrapping_add);
        let rest = jump.by_us().wrapping_sub(explained);
        if rest.unsigned_abs() > ClockJump::TOLERATED_US {
            known.insert((jump.boot, jump.after.monotonic_us), jump);
        }
    }
    let hosts: BTreeMap<[u8; 16], &Option<String>> = courses
        .iter()
        .flat_map(|course| &course.boots)
        .map(|part| (part.boot, &part.host))
        .collect();
    let absence = |jump: &ClockJump| {
        let what = What::ClockJump(jump.by_us());
        let mut absence = Absence::between(what, jump.before.at, jump.after.at);
        absence.host = hosts.get(&jump.boot).and_then(|host| (*host).clone());
        absence
    };
    known.values().map(absence).collect()
}

/// Jumps between the last entry of a boot in one file and the first in the next.
fn jumps_between_files(courses: &[Course]) -> Vec<ClockJump> {
    let mut parts: Vec<&BootPart> = courses.iter().flat_map(|course| &course.boots).collect();
    parts.sort_by_key(|part| (part.boot, part.first.monotonic_us));
    let pairs = parts.windows(2).filter(|pair| pair[0].boot == pair[1].boot);
    pairs.filter_map(|pair| ClockJump::between(pair[0].boot, pair[0].last, pair[1].first)).collect()
}
