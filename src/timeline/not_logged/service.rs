//! Times in which journald was not running.

use std::collections::BTreeMap;

use super::{Absence, What};
use crate::source::not_logged::{Course, ServiceEvent};
use crate::time::Timestamp;

/// The service manager keeps journald's sockets open while it is restarted: what is sent to them
/// within this many microseconds waits.
const RESTART_US: i64 = 1_000_000;

/// The times between an end of journald and its next start within a boot.
pub(super) fn pauses(courses: &[Course]) -> Vec<Absence> {
    let mut runs: BTreeMap<([u8; 16], &Option<String>), Vec<&ServiceEvent>> = BTreeMap::new();
    for event in courses.iter().flat_map(|course| &course.service) {
        runs.entry((event.boot, &event.namespace)).or_default().push(event);
    }
    let mut pauses = Vec::new();
    for mut events in runs.into_values() {
        // What two copies of a file say counts once.
        events.sort_by_key(|event| (event.at, event.is_start, event.previous));
        events.dedup_by_key(|event| (event.at, event.is_start));
        for pair in events.windows(2).filter(|pair| pair[1].is_start) {
            let [before, start] = pair else { continue };
            let end =
                if before.is_start { last_sign(courses, start, before.at) } else { before.at };
            if start.at.micros() - end.micros() >= RESTART_US {
                pauses.push(Absence::between(What::Stopped, end, start.at));
            }
        }
    }
    pauses
}

/// The last entry before a start that no stop comes before: journald was killed after it.
fn last_sign(courses: &[Course], start: &ServiceEvent, earlier_start: Timestamp) -> Timestamp {
    let parts = courses.iter().flat_map(|course| &course.boots);
    let ends = parts.filter(|part| part.boot == start.boot).map(|part| part.last.at);
    let signs = ends.chain(start.previous).filter(|at| *at < start.at);
    signs.max().unwrap_or(earlier_start).max(earlier_start)
}
