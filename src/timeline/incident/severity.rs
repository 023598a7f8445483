//! Severity: whether most requests failed, or some.
//!
//! A log seldom says how many requests there were. It says how many entries there were, and which
//! of them are failures. Where a third of what was logged in some half hour of an incident were
//! failures, it was an outage. A third, and not half: much of a log is no request, and a request
//! that succeeds often leaves more lines than one that fails. Half an hour, because ten bad
//! minutes at the end of a slow decline are no outage, and one bad hour in a bad day is.
//!
//! A failure counts once there, though a pool timeout and a 503 may tell of the same request: of
//! each minute, the class that has the most.

/// An outage has a stretch of so many minutes, or is shorter, in which most requests failed.
const WORST_MINUTES: i64 = 30;
/// That much of what was logged then were failures.
const LEAST_SHARE: f64 = 1.0 / 3.0;
/// So many failures, or it was no outage but a few requests in the night.
const LEAST_FAILURES: u64 = 10;
/// Where a log holds nothing but failures, no share can be told. Then it is an outage where so
/// many failed in each minute of the stretch,
const LEAST_PER_MINUTE: f64 = 10.0;
/// and so many times as many as usual.
const LEAST_MULTIPLE: f64 = 100.0;

/// How bad an incident was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Some requests failed.
    Degraded,
    /// Most requests failed, for half an hour or all of a shorter incident.
    Outage,
}

impl Severity {
    /// The name in tables and JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Degraded => "degraded",
            Self::Outage => "outage",
        }
    }
}

/// What was logged in one minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Load {
    /// The minute, since the epoch.
    pub(super) minute: i64,
    /// Failures, each once.
    pub(super) failures: u64,
    /// Entries that are no failures.
    pub(super) others: u64,
}

/// The severity of an incident, and the share of failures among what was logged in its worst
/// stretch; no share where the log holds nothing but failures.
///
/// `loads` are the minutes of the incident of which something is known, in the order of time;
/// `baseline_per_minute` how many failures are usual. `tells_others`: the log holds more than
/// failures.
pub(super) fn severity(
    loads: &[Load],
    baseline_per_minute: f64,
    tells_others: bool,
) -> (Severity, Option<f64>) {
    let mut is_outage = false;
    let mut worst_share = 0.0_f64;
    let (mut from, mut failures, mut others) = (0, 0, 0);
    let span = match loads {
        [first, .., last] => (last.minute - first.minute + 1).min(WORST_MINUTES),
        _ => 1,
    };
    for (position, load) in loads.iter().enumerate() {
        failures += load.failures;
        others += load.others;
        while let Some(earliest) = loads.get(from)
            && load.minute - earliest.minute >= WORST_MINUTES
        {
            failures -= earliest.failures;
            others -= earliest.others;
            from += 1;
        }
        let is_whole = loads.first().is_some_and(|first| load.minute - first.minute + 1 >= span);
        if !is_whole && position + 1 < loads.len() {
            continue;
        }
        let share = failures as f64 / ((failures + others) as f64).max(1.0);
        worst_share = worst_share.max(share);
        let per_minute = failures as f64 / span as f64;
        let is_most = if tells_others {
            share >= LEAST_SHARE
        } else {
            per_minute >= LEAST_PER_MINUTE && per_minute >= LEAST_MULTIPLE * baseline_per_minute
        };
        is_outage |= is_most && failures >= LEAST_FAILURES;
    }
    let severity = if is_outage { Severity::Outage } else { Severity::Degraded };
    (severity, tells_others.then_some(worst_share))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn loads(minutes: i64, failures: u64, others: u64) -> Vec<Load> {
        (0..minutes).map(|minute| Load { minute, failures, others }).collect()
    }

    fn of(loads: &[Load]) -> Severity {
        severity(loads, 0.01, true).0
    }

    #[test]
    fn an_outage_fails_most_and_a_degradation_some() {
        assert_eq!(of(&loads(60, 5, 10)), Severity::Outage);
        assert_eq!(of(&loads(60, 4, 10)), Severity::Degraded);
        assert_eq!(of(&loads(2, 40, 20)), Severity::Outage);
        assert_eq!(of(&loads(2, 3, 0)), Severity::Degraded);
        assert_eq!(severity(&[], 0.0, true).0, Severity::Degraded);
    }

    #[test]
    fn a_bad_half_hour_in_a_long_decline_is_an_outage_and_ten_bad_minutes_are_none() {
        let with_bad = |bad: usize| {
            let mut decline = loads(600, 1, 30);
            decline[300..300 + bad].fill(Load { minute: 0, failures: 16, others: 30 });
            for (minute, load) in decline.iter_mut().enumerate() {
                load.minute = minute as i64;
            }
            decline
        };
        assert_eq!(of(&with_bad(30)), Severity::Outage);
        assert_eq!(of(&with_bad(10)), Severity::Degraded);
    }

    #[test]
    fn minutes_of_which_nothing_is_known_do_not_stretch_the_half_hour() {
        let mut apart = loads(40, 1, 3);
        apart.extend((0..30).map(|minute| Load { minute: 500 + minute, failures: 3, others: 3 }));
        assert_eq!(of(&apart), Severity::Outage);
    }

    #[test]
    fn a_log_of_failures_alone_is_judged_by_their_rate() {
        let many = severity(&loads(60, 12, 0), 0.1, false);
        assert_eq!(many, (Severity::Outage, None));
        assert_eq!(severity(&loads(60, 12, 0), 0.2, false).0, Severity::Degraded);
        assert_eq!(severity(&loads(60, 2, 0), 0.0, false).0, Severity::Degraded);
    }
}
