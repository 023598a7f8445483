//! Lengths of time in words.

const MINUTE_US: u64 = 60_000_000;
const HOUR_US: u64 = 60 * MINUTE_US;
/// Up to here hours are not made days: 25 hours are more easily compared with 12 than a day is.
const MAX_HOURS: u64 = 72;

/// A duration in its two largest units.
pub fn duration(micros: u64) -> String {
    let seconds = micros / 1_000_000;
    let units = [(86_400, "d"), (3600, "h"), (60, "min"), (1, "s")];
    let place = units.iter().position(|(size, _)| seconds >= *size).unwrap_or(3);
    let mut rest = seconds;
    let parts = units.iter().skip(place).take(2).map(|(size, name)| {
        let count = rest / size;
        rest %= size;
        (count, name)
    });
    let parts: Vec<_> = parts.collect();
    let is_told = |(position, (count, _)): &(usize, &(u64, &&str))| *position == 0 || *count > 0;
    let told = parts.iter().enumerate().filter(is_told);
    told.map(|(_, (count, name))| format!("{count} {name}")).collect::<Vec<_>>().join(" ")
}

/// A duration in its two largest units, in hours up to three days: `12 h 25 min`.
pub fn lasted(micros: u64) -> String {
    let hours = micros / HOUR_US;
    if (1..MAX_HOURS).contains(&hours) {
        match micros % HOUR_US / MINUTE_US {
            0 => format!("{hours} h"),
            minutes => format!("{hours} h {minutes} min"),
        }
    } else {
        duration(micros)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_has_its_two_largest_units() {
        let told = [0, 59, 60, 100, 7200, 90_061].map(|seconds| duration(seconds * 1_000_000));
        assert_eq!(told, ["0 s", "59 s", "1 min", "1 min 40 s", "2 h", "1 d 1 h"]);
    }

    #[test]
    fn hours_stay_hours_for_three_days() {
        let told = [75, 3600, 44_723, 90_720, 259_200].map(|seconds| lasted(seconds * 1_000_000));
        assert_eq!(told, ["1 min 15 s", "1 h", "12 h 25 min", "25 h 12 min", "3 d"]);
    }
}
