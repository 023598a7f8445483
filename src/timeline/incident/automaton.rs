//! The most likely course of states.
//!
//! An automaton after Kleinberg, "Bursty and hierarchical structure in streams" (2002): in the
//! normal state events are Poisson distributed with the expectation of the baseline, in each bad
//! state with a multiple of it. To become bad costs, to become normal again costs, to become bad
//! otherwise costs little. Viterbi's algorithm finds the cheapest course in one pass.
//!
//! Nothing is computed where no bad state can come to be: nothing bad is worth going on with, and
//! the events are too few to begin.

use super::baseline::Baseline;
use super::stretches::Stretch;

/// How much more than usual each bad state has.
const MULTIPLES: [f32; BAD] = [4.0, 10.0, 30.0, 100.0, 300.0, 1e3, 3e3, 1e4, 3e4, 1e5, 3e5, 1e6];
const BAD: usize = 12;

/// What it costs to become bad, in nats: a minute in three thousand would begin an incident.
const BEGINNING: f32 = 8.0;
/// What it costs to become normal again.
const END: f32 = 3.0;
/// What it costs to become bad otherwise.
const CHANGE: f32 = 4.0;

/// A course of states.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Course {
    /// The bad stretches: their positions, and one of [`MULTIPLES`] by position.
    pub(super) bad: Vec<(u32, u8)>,
    /// How much likelier the course is than one that is normal throughout, in nats, less what its
    /// changes cost.
    pub(super) gain: f64,
}

/// The most likely course.
pub(super) fn course(stretches: &[Stretch], baseline: &Baseline) -> Course {
    let model = Model::new(baseline);
    // Where events are fewer than this times what is expected, no bad state is likelier than the
    // normal one.
    let least_ratio = model.excess[0] / model.logarithms[0];
    let mut course = Course::default();
    let mut scores = Scores::CALM;
    // Where bad states began to be worth going on with, and whether one came to be normal again.
    let (mut start, mut has_end) = (0, false);
    for (position, stretch) in stretches.iter().enumerate() {
        if scores.is_calm() {
            if stretch.events <= least_ratio * baseline.expected(stretch) {
                continue;
            }
            (start, has_end) = (position, false);
        }
        has_end |= scores.best - END > scores.normal;
        course.gain += f64::from(model.step(&mut scores, stretch));
        if has_end && scores.is_calm() {
            let inside = stretches.get(start..=position).unwrap_or_default();
            model.trace(inside, start, None, &mut course.bad);
        }
    }
    course.gain += f64::from(scores.normal.max(scores.best));
    if !scores.is_calm() {
        let last = (scores.best > scores.normal).then(|| place(scores.best, &scores.bad));
        model.trace(stretches.get(start..).unwrap_or_default(), start, last, &mut course.bad);
    }
    course
}

/// The logarithms of how likely the states are, relative to a sum that is kept apart.
struct Scores {
    normal: f32,
    bad: [f32; BAD],
    best: f32,
}

impl Scores {
    /// Where no bad state is worth going on with.
    const CALM: Self = Self { normal: 0.0, bad: [f32::NEG_INFINITY; BAD], best: f32::NEG_INFINITY };

    fn is_calm(&self) -> bool {
        self.best == f32::NEG_INFINITY
    }
}

/// How the states of one stretch came to be.
struct Arrival {
    /// Bad states that were not so before, one bit each.
    new: u16,
    /// The likeliest bad state before.
    best: u8,
    /// Whether the new bad states were normal before; they were [`Self::best`] otherwise.
    is_beginning: bool,
    /// Whether the normal state was [`Self::best`] before.
    is_end: bool,
}

impl Arrival {
    fn after(scores: &Scores) -> Self {
        let beginning = scores.normal - BEGINNING;
        let change = scores.best - CHANGE;
        let other = higher(beginning, change);
        let is_new =
            scores.bad.iter().zip(0..).map(|(&bad, state)| u16::from(other > bad) << state);
        Self {
            new: is_new.sum(),
            best: place(scores.best, &scores.bad),
            is_beginning: beginning >= change,
            is_end: scores.best - END > scores.normal,
        }
    }
}

/// What the multiples make of events.
struct Model<'a> {
    baseline: &'a Baseline,
    logarithms: [f32; BAD],
    excess: [f32; BAD],
}

impl<'a> Model<'a> {
    fn new(baseline: &'a Baseline) -> Self {
        let per_nat = 1.0 / baseline.dispersion as f32;
        Self {
            baseline,
            logarithms: MULTIPLES.map(|multiple| multiple.ln() * per_nat),
            excess: MULTIPLES.map(|multiple| (multiple - 1.0) * per_nat),
        }
    }

    /// Goes on by one stretch, and returns what the scores are now relative to.
    #[inline]
    fn step(&self, scores: &mut Scores, stretch: &Stretch) -> f32 {
        let (events, expected) = (stretch.events, self.baseline.expected(stretch));
        // All scores are near the highest, so that 32 bits are enough for what they differ by.
        let highest = higher(scores.normal, scores.best);
        let other = higher(scores.normal - BEGINNING, scores.best - CHANGE);
        for ((score, logarithm), excess) in
            scores.bad.iter_mut().zip(&self.logarithms).zip(&self.excess)
        {
            *score = (higher(*score, other) - highest) + (events * logarithm - expected * excess);
        }
        scores.normal = higher(scores.normal, scores.best - END) - highest;
        scores.best = highest_of(&scores.bad);
        if scores.best > scores.normal - BEGINNING {
            return highest;
        }
        let normal = scores.normal;
        *scores = Scores::CALM;
        highest + normal
    }

    /// Finds the bad stretches between two calm moments, in a course that ends in the bad state
    /// `last`, or in the normal one. The first of them stands at `start`.
    fn trace(
        &self,
        stretches: &[Stretch],
        start: usize,
        last: Option<u8>,
        bad: &mut Vec<(u32, u8)>,
    ) {
        let mut scores = Scores::CALM;
        let mut arrivals = Vec::with_capacity(stretches.len());
        for stretch in stretches {
            arrivals.push(Arrival::after(&scores));
            self.step(&mut scores, stretch);
        }
        let before = bad.len();
        let mut state = last;
        for (offset, arrival) in arrivals.iter().enumerate().rev() {
            match state {
                Some(here) => {
                    bad.push(((start + offset) as u32, here));
                    if arrival.new & (1 << here) != 0 {
                        state = (!arrival.is_beginning).then_some(arrival.best);
                    }
                }
                None if arrival.is_end => state = Some(arrival.best),
                None => {}
            }
        }
        bad.get_mut(before..).unwrap_or_default().reverse();
    }
}

/// The higher of two numbers; a comparison alone, which takes one instruction.
fn higher(a: f32, b: f32) -> f32 {
    if a > b { a } else { b }
}

/// The highest score; in four lanes, because the processor has them.
fn highest_of(scores: &[f32; BAD]) -> f32 {
    let mut lanes = [f32::NEG_INFINITY; 4];
    for four in scores.as_chunks::<4>().0 {
        for (lane, &score) in lanes.iter_mut().zip(four) {
            *lane = higher(*lane, score);
        }
    }
    higher(higher(lanes[0], lanes[1]), higher(lanes[2], lanes[3]))
}

fn place(score: f32, scores: &[f32; BAD]) -> u8 {
    scores.iter().position(|&other| other == score).unwrap_or(0) as u8
}

/// How much likelier events are in a bad state than in the normal one.
pub(super) fn gain(state: u8, events: f32, expected: f32, dispersion: f64) -> f32 {
    let multiple = MULTIPLES.get(usize::from(state)).copied().unwrap_or(1.0);
    (events * multiple.ln() - expected * (multiple - 1.0)) / dispersion as f32
}
