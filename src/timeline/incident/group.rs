//! Groups: windows of several classes that belong to one incident.
//!
//! One trouble fails in several ways. A caller that gets no connection is a pool timeout in one
//! entry and a 503 in the next. So windows of different classes that overlap, or that are no
//! further apart than a pause, are one incident.
//!
//! A class may be too rare at the edges of an incident to be told from chance, and all of them
//! together are not. So windows of all classes together reach further where one class has an
//! incident. By themselves they are none: what makes an incident is a class that has one.

use super::{MAX_PAUSE_MINUTES, Window};

/// A window of one class.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct ClassWindow {
    /// The position of the class among those that were asked about; `None`: all together.
    pub(super) class: Option<usize>,
    /// The first minute, in minutes since the epoch.
    pub(super) first: i64,
    /// The last minute.
    pub(super) last: i64,
    /// What was found.
    pub(super) window: Window,
}

/// Windows that belong together.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Group {
    /// The first minute of all.
    pub(super) first: i64,
    /// The last minute of all.
    pub(super) last: i64,
    /// The windows, in the order of their beginnings.
    pub(super) windows: Vec<ClassWindow>,
}

impl Group {
    /// Whether there is nothing but spikes in it.
    pub(super) fn is_spike(&self) -> bool {
        self.windows.iter().all(|own| own.window.is_spike)
    }

    /// Whether a window that does not begin earlier belongs here.
    fn takes(&self, next: &ClassWindow) -> bool {
        // A spike says nothing about the minutes around it, so it must touch.
        let is_spike = next.window.is_spike || self.is_spike();
        let pause = if is_spike { 0 } else { MAX_PAUSE_MINUTES as i64 };
        next.first - self.last - 1 <= pause
    }

    fn add(&mut self, next: ClassWindow) {
        self.last = self.last.max(next.last);
        self.windows.push(next);
    }
}

/// Groups windows of all classes; the groups come in the order of time, and do not overlap.
pub(super) fn groups(mut windows: Vec<ClassWindow>) -> Vec<Group> {
    windows.sort_by_key(|window| (window.first, window.class));
    let mut groups: Vec<Group> = Vec::new();
    for window in windows {
        match groups.last_mut().filter(|group| group.takes(&window)) {
            Some(group) => group.add(window),
            None => {
                let (first, last) = (window.first, window.last);
                groups.push(Group { first, last, windows: vec![window] });
            }
        }
    }
    groups.retain(|group| group.windows.iter().any(|window| window.class.is_some()));
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(
        class: impl Into<Option<usize>>,
        first: i64,
        last: i64,
        is_spike: bool,
    ) -> ClassWindow {
        let minutes = first as usize..=last as usize;
        let window = Window {
            minutes,
            duration_ms: (last - first + 1) as u64 * 60_000,
            is_spike,
            bad_minutes: 1,
            events: 1,
            expected: 0.0,
            peak_per_minute: 1,
            evidence: 20.0,
        };
        ClassWindow { class: class.into(), first, last, window }
    }

    fn spans(windows: Vec<ClassWindow>) -> Vec<(i64, i64, usize)> {
        let groups = groups(windows);
        groups.iter().map(|group| (group.first, group.last, group.windows.len())).collect()
    }

    #[test]
    fn classes_that_overlap_or_pause_for_ten_minutes_are_one() {
        let both = vec![window(1, 103, 140, false), window(0, 100, 120, false)];
        assert_eq!(spans(both), [(100, 140, 2)]);
        let paused =
            |minutes: i64| vec![window(0, 100, 120, false), window(1, 121 + minutes, 150, false)];
        assert_eq!(spans(paused(10)), [(100, 150, 2)]);
        assert_eq!(spans(paused(11)).len(), 2);
        // One that lasts joins two that do not meet.
        let long = vec![window(0, 0, 9, false), window(0, 90, 99, false), window(1, 5, 95, false)];
        assert_eq!(spans(long), [(0, 99, 3)]);
    }

    #[test]
    fn windows_of_all_classes_together_widen_an_incident_and_are_none() {
        let all = None::<usize>;
        let both = vec![window(0, 100, 120, false), window(all, 95, 150, false)];
        assert_eq!(spans(both), [(95, 150, 2)]);
        assert_eq!(spans(vec![window(all, 95, 150, false)]), []);
    }

    #[test]
    fn a_spike_belongs_to_an_incident_only_where_it_touches() {
        let beside = |at| vec![window(0, 100, 120, false), window(1, at, at, true)];
        assert_eq!(spans(beside(110)), [(100, 120, 2)]);
        assert_eq!(spans(beside(121)), [(100, 121, 2)]);
        assert_eq!(spans(beside(122)), [(100, 120, 1), (122, 122, 1)]);
        assert_eq!(spans(beside(99)), [(99, 120, 2)]);
        let spikes = vec![window(0, 100, 100, true), window(1, 100, 101, true)];
        assert_eq!(spans(spikes), [(100, 101, 2)]);
    }
}
