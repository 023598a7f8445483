//! Marks: numbered tags above the panels for notes and changes, in as many lanes as they need.

use std::ops::Range;

use super::canvas::Canvas;
use super::figure::{Figure, Mark};
use super::frame::Frame;
use super::scene::Area;

/// No more lanes than this; what finds no place in them is left out.
const MAX_LANES: usize = 3;
/// No more marks than this are considered.
const MAX_MARKS: usize = 99;

/// A mark in its place.
pub(super) struct PlacedMark<'a> {
    pub(super) mark: &'a Mark,
    /// Its number: marks are counted from 1 in the order of time.
    pub(super) number: usize,
    lane: usize,
    /// What its time takes on the time axis.
    pixels: Range<i32>,
    /// Where the tag begins.
    tag: i32,
}

/// The marks of the figure's time, the most important ones first, and how many there are.
pub(super) fn candidates<'a>(figure: &'a Figure<'_>) -> (Vec<&'a Mark>, usize) {
    let time = &figure.time;
    let is_shown =
        |mark: &&Mark| mark.start < time.end && (time.start <= mark.start || time.start < mark.end);
    let mut marks: Vec<&Mark> = figure.marks.iter().filter(is_shown).collect();
    let count = marks.len();
    marks.sort_by_key(|mark| (mark.rank, mark.start, mark.end));
    marks.truncate(MAX_MARKS);
    (marks, count)
}

/// The marks that find a place, in the order of the list.
pub(super) fn placeable<'a>(canvas: &Canvas, frame: &Frame, marks: Vec<&'a Mark>) -> Vec<&'a Mark> {
    let mut lanes = Lanes::default();
    let tag_width = canvas.tag_size(marks.len()).0;
    let has_place = |mark: &&Mark| lanes.take(&extent(frame, mark, tag_width).0).is_some();
    marks.into_iter().filter(has_place).collect()
}

/// The marks with their numbers and lanes, and how many lanes there are. All of them must be
/// placeable.
pub(super) fn place<'a>(
    canvas: &Canvas,
    frame: &Frame,
    mut marks: Vec<&'a Mark>,
) -> (Vec<PlacedMark<'a>>, usize) {
    marks.sort_by_key(|mark| (mark.start, mark.end));
    let tag_width = canvas.tag_size(marks.len()).0;
    let mut lanes = Lanes::default();
    let mut placed = Vec::with_capacity(marks.len());
    for mark in marks {
        let (extent, pixels, tag) = extent(frame, mark, tag_width);
        if let Some(lane) = lanes.take(&extent) {
            placed.push(PlacedMark { mark, number: placed.len() + 1, lane, pixels, tag });
        }
    }
    (placed, lanes.taken.len())
}

/// Draws the marks: tags in lanes from `top` on, and below those of instants a line as far as
/// `bottom`.
pub(super) fn draw(canvas: &mut Canvas, marks: &[PlacedMark<'_>], (top, bottom): (i32, i32)) {
    let (width, height) = canvas.tag_size(marks.len());
    let (hair, bar) = (canvas.style.hair(), canvas.px(3.0));
    let color = canvas.style.mark;
    for mark in marks {
        let lane_top = top + mark.lane as i32 * lane_height(canvas);
        let pixels = &mark.pixels;
        if mark.is_instant() {
            let line = Area::new(pixels.start, lane_top + height, pixels.start + hair, bottom);
            canvas.scene.dashes_down(line, canvas.px(2.0), color);
        } else {
            let middle = lane_top + (height - bar) / 2;
            let (left, right) = (pixels.start + hair, pixels.end - hair);
            canvas.scene.fill(Area::new(left, middle, right, middle + bar), color);
            for x in [left, right - hair] {
                let end = Area::new(x, lane_top + height / 5, x + hair, lane_top + height * 4 / 5);
                canvas.scene.fill(end, color);
            }
        }
    }
    for mark in marks {
        let lane_top = top + mark.lane as i32 * lane_height(canvas);
        let area = Area::new(mark.tag, lane_top, mark.tag + width, lane_top + height);
        canvas.tag(area, mark.number);
    }
}

/// How high a lane is.
pub(super) fn lane_height(canvas: &Canvas) -> i32 {
    canvas.tag_size(0).1 + canvas.px(3.0)
}

impl PlacedMark<'_> {
    /// Whether it is too short to be shown as a span.
    fn is_instant(&self) -> bool {
        self.pixels.len() < 6
    }
}

/// What a mark takes of a lane, what its time takes, and where its tag begins.
fn extent(frame: &Frame, mark: &Mark, tag_width: i32) -> (Range<i32>, Range<i32>, i32) {
    let pixels = frame.pixels(mark.start, mark.end);
    let middle = (pixels.start + pixels.end - tag_width) / 2;
    let tag = middle.min(frame.right - tag_width).max(frame.left);
    // A pixel on either side keeps tags apart.
    (pixels.start.min(tag - 1)..pixels.end.max(tag + tag_width + 1), pixels, tag)
}

/// What is taken of each lane.
#[derive(Default)]
struct Lanes {
    taken: Vec<Vec<Range<i32>>>,
}

impl Lanes {
    /// Takes a place in the first lane that has it; which one that is.
    fn take(&mut self, extent: &Range<i32>) -> Option<usize> {
        let is_free = |lane: &Vec<Range<i32>>| {
            lane.iter().all(|other| extent.end <= other.start || other.end <= extent.start)
        };
        let lane = self.taken.iter().position(is_free).unwrap_or(self.taken.len());
        if lane == MAX_LANES {
            return None;
        }
        if lane == self.taken.len() {
            self.taken.push(Vec::new());
        }
        self.taken.get_mut(lane)?.push(extent.clone());
        Some(lane)
    }
}
