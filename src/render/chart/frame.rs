//! The time axis that all panels of a figure share: from instants to pixels.

use std::ops::Range;

use crate::time::Timestamp;

/// From when to when a figure goes, and where on it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Frame {
    from: i64,
    duration: i64,
    /// The first pixel of the panels.
    pub(super) left: i32,
    /// The first pixel to the right of them.
    pub(super) right: i32,
}

impl Frame {
    pub(super) fn new(time: &Range<Timestamp>, left: i32, right: i32) -> Self {
        let (from, to) = (time.start.micros(), time.end.micros());
        Self { from, duration: (to - from).max(1), left, right: right.max(left + 1) }
    }

    /// The pixels from the left end to the right end.
    pub(super) fn width(&self) -> i32 {
        self.right - self.left
    }

    /// Whether some of a time is on the figure.
    pub(super) fn holds_some(&self, start: Timestamp, end: Timestamp) -> bool {
        let after = end.micros().max(start.micros() + 1);
        start.micros() < self.from + self.duration && self.from < after
    }

    /// The border between pixels that is nearest to an instant; an end of the axis for what lies
    /// beyond.
    pub(super) fn x(&self, at: Timestamp) -> i32 {
        let share = (at.micros() - self.from) as f64 / self.duration as f64;
        let pixels = (share * f64::from(self.width())).round();
        self.left + pixels.clamp(0.0, f64::from(self.width())) as i32
    }

    /// The pixels of a time that lies on the figure in part at least: one or more.
    pub(super) fn pixels(&self, start: Timestamp, end: Timestamp) -> Range<i32> {
        let (left, right) = (self.x(start).min(self.right - 1), self.x(end));
        left..right.max(left + 1)
    }

    /// The duration in microseconds.
    pub(super) fn duration_us(&self) -> i64 {
        self.duration
    }
}
