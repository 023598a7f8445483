//! Scales: a linear axis from zero with round numbers.

/// A linear axis from zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Scale {
    /// The value at the upper end, a multiple of the step.
    pub(super) top: u64,
    /// The distance of two values that are labelled.
    pub(super) step: u64,
}

impl Scale {
    /// The axis for values up to `max`, with at most `steps` + 1 labelled values.
    pub(super) fn new(max: u64, steps: u64) -> Self {
        // Beyond that nothing is counted, and the calculation would overflow.
        let max = max.clamp(1, u64::MAX / 100);
        let least = max.div_ceil(steps.max(1));
        let mut power = 1;
        while power * 10 <= least {
            power *= 10;
        }
        let round = [1, 2, 5, 10].map(|factor| factor * power);
        let step = round.into_iter().find(|step| *step >= least).unwrap_or(power * 10);
        Self { top: max.div_ceil(step) * step, step }
    }

    /// The axis whose one labelled value beside zero is `max`.
    pub(super) fn exact(max: u64) -> Self {
        Self { top: max.max(1), step: max.max(1) }
    }

    /// How high above zero a value stands, where the axis is `height` pixels high. A value above
    /// zero is at least a pixel high, so that it is seen.
    pub(super) fn height(&self, value: u64, height: i32) -> i32 {
        let share = value as f64 / self.top as f64;
        let pixels = (share * f64::from(height)).round() as i32;
        if value > 0 { pixels.clamp(1, height.max(1)) } else { 0 }
    }

    /// The values that are labelled, zero included.
    pub(super) fn values(self) -> impl Iterator<Item = u64> {
        (0..=self.top / self.step).map(move |count| count * self.step)
    }
}

/// A number with its thousands set apart.
pub(super) fn number(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labelled_values_are_round_and_reach_the_highest() {
        let scale = |max, steps| Scale::new(max, steps);
        assert_eq!(scale(3024, 5), Scale { top: 4000, step: 1000 });
        assert_eq!(scale(0, 5), Scale { top: 1, step: 1 });
        assert_eq!(scale(7, 5), Scale { top: 8, step: 2 });
        assert_eq!(scale(20, 4), Scale { top: 20, step: 5 });
        for max in [1, 9, 10, 11, 99, 12_345, 1_000_001, u64::MAX] {
            let scale = scale(max, 6);
            assert!(scale.values().count() <= 7 && scale.top >= max.min(u64::MAX / 100));
        }
    }

    #[test]
    fn heights_are_in_proportion_and_nothing_above_zero_vanishes() {
        let scale = Scale::new(1000, 5);
        assert_eq!(scale.height(0, 200), 0);
        assert_eq!(scale.height(1, 200), 1);
        assert_eq!(scale.height(500, 200), 100);
        assert_eq!(scale.height(1000, 200), 200);
    }

    #[test]
    fn thousands_are_set_apart() {
        assert_eq!(number(7), "7");
        assert_eq!(number(27_879), "27,879");
        assert_eq!(number(1_000_000), "1,000,000");
    }
}
