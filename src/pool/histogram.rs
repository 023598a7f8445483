//! How long things took: a histogram of durations, bounded in memory, written by many at once.
//!
//! The buckets are fixed (1, 2.5 and 5 of each decade from 10 µs to 10 s, then 30 s, 1, 5 and 30
//! minutes), so that recording is one addition, histograms of several processes can be added, and
//! each is a Prometheus or OpenTelemetry histogram as it is.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The upper edges of the buckets, inclusive, ascending. One more bucket holds what took longer.
pub const BOUNDS: [Duration; 23] = [
    Duration::from_micros(10),
    Duration::from_micros(25),
    Duration::from_micros(50),
    Duration::from_micros(100),
    Duration::from_micros(250),
    Duration::from_micros(500),
    Duration::from_millis(1),
    Duration::from_micros(2_500),
    Duration::from_millis(5),
    Duration::from_millis(10),
    Duration::from_millis(25),
    Duration::from_millis(50),
    Duration::from_millis(100),
    Duration::from_millis(250),
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_millis(2_500),
    Duration::from_secs(5),
    Duration::from_secs(10),
    Duration::from_secs(30),
    Duration::from_secs(60),
    Duration::from_secs(300),
    Duration::from_secs(1_800),
];

const BUCKETS: usize = BOUNDS.len() + 1;

/// A histogram that is being written.
#[derive(Debug)]
pub(crate) struct Histogram {
    buckets: [AtomicU64; BUCKETS],
    /// Nanoseconds would overflow after half a year of a thousand callers that wait.
    sum_us: AtomicU64,
}

/// A histogram at one instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Durations {
    buckets: [u64; BUCKETS],
    sum: Duration,
}

impl Histogram {
    pub(crate) fn new() -> Self {
        Self { buckets: [const { AtomicU64::new(0) }; BUCKETS], sum_us: AtomicU64::new(0) }
    }

    pub(crate) fn record(&self, took: Duration) {
        if let Some(bucket) = self.buckets.get(BOUNDS.partition_point(|bound| *bound < took)) {
            bucket.fetch_add(1, Ordering::Relaxed);
        }
        self.sum_us.fetch_add(rounded_us(took), Ordering::Relaxed);
    }

    /// What was recorded. The buckets are read one after another: while others record, the sum
    /// may hold a duration that no bucket holds yet, or the other way round.
    pub(crate) fn read(&self) -> Durations {
        Durations {
            buckets: std::array::from_fn(|index| {
                self.buckets.get(index).map_or(0, |bucket| bucket.load(Ordering::Relaxed))
            }),
            sum: Duration::from_micros(self.sum_us.load(Ordering::Relaxed)),
        }
    }
}

/// Rounded to the nearest, so that the sum of many short durations has no bias.
fn rounded_us(duration: Duration) -> u64 {
    let us = duration.saturating_add(Duration::from_nanos(500)).as_micros();
    u64::try_from(us).unwrap_or(u64::MAX)
}

impl Durations {
    /// How many durations there are.
    pub fn count(&self) -> u64 {
        self.buckets.iter().sum()
    }

    /// All durations together, to the microsecond.
    pub fn sum(&self) -> Duration {
        self.sum
    }

    /// Each bucket's upper edge (inclusive) with the number of durations in it, not cumulated.
    /// The last one has no edge.
    pub fn buckets(&self) -> impl Iterator<Item = (Option<Duration>, u64)> {
        let edges = BOUNDS.iter().copied().map(Some).chain([None]);
        edges.zip(self.buckets)
    }

    /// The upper edge of the bucket that holds the given share (0.0 to 1.0) of the durations,
    /// counted from the shortest: at least that share took no longer. `None` where there are no
    /// durations, or where the bucket has no edge.
    pub fn at_most(&self, share: f64) -> Option<Duration> {
        let count = self.count();
        let wanted = (share.clamp(0.0, 1.0) * count as f64).ceil().max(1.0) as u64;
        let mut seen = 0;
        let reached = self.buckets().find(|(_, durations)| {
            seen += durations;
            seen >= wanted
        });
        reached.and_then(|(edge, _)| edge)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bounds_ascend_and_a_duration_on_an_edge_lies_below_it() {
        assert!(BOUNDS.is_sorted_by(|a, b| a < b));
        for (index, bound) in BOUNDS.into_iter().enumerate() {
            let histogram = Histogram::new();
            histogram.record(bound);
            histogram.record(bound + Duration::from_nanos(1));
            let counts: Vec<u64> = histogram.read().buckets().map(|(_, count)| count).collect();
            assert_eq!((counts[index], counts[index + 1]), (1, 1), "{bound:?}");
        }
    }

    #[test]
    fn nothing_overflows_and_nothing_is_lost_at_the_extremes() {
        let histogram = Histogram::new();
        histogram.record(Duration::ZERO);
        histogram.record(Duration::from_secs(86_400));
        let read = histogram.read();
        assert_eq!((read.count(), read.sum()), (2, Duration::from_secs(86_400)));
        assert_eq!(read.buckets().last(), Some((None, 1)));
        histogram.record(Duration::MAX);
        assert_eq!(histogram.read().count(), 3);
    }

    #[test]
    fn a_share_of_the_durations_is_bounded_by_an_edge() {
        let histogram = Histogram::new();
        assert_eq!(histogram.read().at_most(0.5), None);
        for _ in 0..99 {
            histogram.record(Duration::from_micros(14));
        }
        histogram.record(Duration::from_secs(3));
        let read = histogram.read();
        assert_eq!(read.at_most(0.5), Some(Duration::from_micros(25)));
        assert_eq!(read.at_most(0.99), Some(Duration::from_micros(25)));
        assert_eq!(read.at_most(1.0), Some(Duration::from_secs(5)));
        assert_eq!(read.sum(), Duration::from_micros(99 * 14 + 3_000_000));
    }

    #[test]
    fn threads_that_record_at_once_lose_nothing() {
        let histogram = Histogram::new();
        std::thread::scope(|threads| {
            for _ in 0..4 {
                threads.spawn(|| {
                    (0..10_000).for_each(|us| {
                        histogram.record(Duration::from_micros(us));
                    })
                });
            }
        });
        let read = histogram.read();
        assert_eq!(read.count(), 40_000);
        assert_eq!(read.sum(), Duration::from_micros(4 * (9_999 * 10_000 / 2)));
    }
}
