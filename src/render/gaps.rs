//! What stands below a table about entries that were not logged: a few lines, the worst first.

use std::cmp::Reverse;

use chrono_tz::Tz;

use super::cells::{entries, moment};
use super::duration::duration;
use super::escape;
use crate::time::Timestamp;
use crate::timeline::not_logged::{Absence, What};
use crate::timeline::{NotLogged, Timeline};

/// So many absences of a kind are told one by one.
const MAX_TOLD: usize = 3;

/// A line for what was dropped, one for what is in no file, and one for each boot, pause and jump
/// of the clock; of many the longest.
///
/// Damage is left out: it is listed with its places.
pub fn lines(timeline: &Timeline) -> Vec<String> {
    let (not_logged, zone) = (&timeline.not_logged, timeline.zone);
    let mut lines: Vec<String> = dropped(not_logged, zone).into_iter().collect();
    lines.extend(sequence_gaps(not_logged, zone));
    let kinds = [
        (What::Boot, "boot", "boots"),
        (What::Stopped, "time without journald", "times without journald"),
        (What::ClockJump(0), "clock jump", "clock jumps"),
    ];
    for (kind, one, several) in kinds {
        let is_kind = |absence: &&Absence| absence.what.name() == kind.name();
        let of_kind = not_logged.absences.iter().filter(is_kind);
        let mut of_kind: Vec<&Absence> = of_kind.collect();
        let more = of_kind.len().saturating_sub(MAX_TOLD);
        of_kind.sort_by_key(|absence| Reverse(absence.duration_us()));
        of_kind.truncate(MAX_TOLD);
        of_kind.sort_by_key(|absence| absence.from);
        lines.extend(of_kind.into_iter().filter_map(|absence| line(absence, zone)));
        if more > 0 {
            lines.push(format!("and {more} more {}", if more == 1 { one } else { several }));
        }
    }
    lines
}

/// What a table says in the row of a bucket in which entries were dropped.
pub(super) fn note(dropped: u64) -> Option<String> {
    (dropped > 0).then(|| format!("{} dropped", entries(dropped)))
}

/// All that was dropped, and the most that was dropped at once.
fn dropped(not_logged: &NotLogged, zone: Tz) -> Option<String> {
    let dropped = not_logged.absences.iter().filter(|absence| absence.what.is_dropped());
    let worst = dropped.max_by_key(|absence| (absence.entries, Reverse(absence.from)))?;
    let (was, by) = if not_logged.dropped == 1 { ("was", "it") } else { ("were", "them") };
    let mut line = format!("{} {was} dropped", entries(not_logged.dropped));
    let count = worst.entries.unwrap_or(0);
    if count < not_logged.dropped {
        line.push_str(&format!(", {count} of {by}"));
    }
    if let Some(sender) = &worst.sender {
        line.push_str(&format!(" from {}", escape::terminal(sender)));
    }
    if let Some(at) = worst.from {
        line.push_str(&format!(" before {}", moment(at, zone)));
    }
    Some(line)
}

/// How many numbers no entry has, and where most of them are missing.
fn sequence_gaps(not_logged: &NotLogged, zone: Tz) -> Option<String> {
    let gaps = || not_logged.absences.iter().filter(|absence| absence.what == What::SequenceGap);
    let missing = |gap: &Absence| gap.entries.unwrap_or(0);
    let all = gaps().map(missing).fold(0, u64::saturating_add);
    let largest = gaps().max_by_key(|gap| (missing(gap), Reverse(gap.from)))?;
    let are = if all == 1 { "is" } else { "are" };
    let most = match gaps().count() {
        1 => String::new(),
        count => format!(": {count} gaps, the largest of {}", entries(missing(largest))),
    };
    let (from, to) = (moment(largest.from?, zone), moment(largest.to?, zone));
    Some(format!("{} {are} in no file that was read{most} from {from} to {to}", entries(all)))
}

fn line(absence: &Absence, zone: Tz) -> Option<String> {
    let to = absence.to?;
    let when = |at: Timestamp| moment(at, zone);
    let host = absence.host.as_deref().map_or("the machine".into(), escape::terminal);
    let lasted = duration(absence.duration_us());
    Some(match absence.what {
        What::Suppressed | What::Missed | What::SequenceGap | What::Damage => return None,
        What::Boot => format!("{host} was booted at {}, no entry for {lasted} before", when(to)),
        What::Stopped => format!("journald did not run until {}, for {lasted}", when(to)),
        What::ClockJump(by_us @ ..=0) => format!(
            "the clock was set back by {} at {}: times come twice",
            duration(by_us.unsigned_abs()),
            when(to)
        ),
        What::ClockJump(by_us) => format!(
            "the clock jumped {} to {}: it was set, or {host} slept",
            duration(by_us.unsigned_abs()),
            when(to)
        ),
    })
}
