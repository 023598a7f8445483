//! The legend: the texts of the marks, below the figure, in columns.

use chrono::{DateTime, Timelike};
use chrono_tz::Tz;

use super::canvas::Canvas;
use super::figure::Mark;
use super::font;
use super::marks::PlacedMark;
use super::scene::{Anchor, Area};
use crate::time::Timestamp;
use crate::timeline::calendar;

/// A text has no more lines than this.
const MAX_LINES: usize = 3;

/// Where the legend's columns are.
#[derive(Debug, Clone, Copy)]
pub(super) struct Columns {
    count: usize,
    width: i32,
    gap: i32,
    /// How many lines each may have.
    max_lines: usize,
}

/// The legend before it is drawn: how many lines each mark's text has, and each column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Plan {
    lines_per_text: usize,
    /// How many lines the longest column has.
    pub(super) lines: usize,
    /// How many marks are shown.
    pub(super) shown: usize,
}

impl Columns {
    pub(super) fn new(canvas: &Canvas, width: i32, max_height: i32) -> Self {
        let gap = canvas.px(24.0);
        let count = (width / canvas.px(360.0)).clamp(1, 3);
        let max_lines = (max_height / line_height(canvas)).max(0) as usize;
        Self { count: count as usize, width: (width - gap * (count - 1)) / count, gap, max_lines }
    }

    fn text_width(&self, canvas: &Canvas) -> i32 {
        self.width - canvas.tag_size(99).0 - canvas.px(6.0)
    }

    /// The columns that texts of so many lines fill one after another; `None` where there is not
    /// enough room.
    fn fill(&self, heights: &[usize]) -> Option<Vec<usize>> {
        let sum: usize = heights.iter().sum();
        let even = sum.div_ceil(self.count).max(heights.iter().copied().max().unwrap_or(0));
        (even..=self.max_lines).find_map(|limit| {
            let (mut columns, mut used) = (vec![0], 0);
            for (position, height) in heights.iter().enumerate() {
                if used + height > limit {
                    columns.push(position);
                    used = 0;
                }
                used += height;
            }
            (columns.len() <= self.count).then_some(columns)
        })
    }
}

/// How much of the legend there is room for, the marks given in the order of their importance.
/// `left_out` tells whether some are missing already.
pub(super) fn plan(
    canvas: &Canvas,
    columns: &Columns,
    marks: &[&Mark],
    zone: Tz,
    left_out: bool,
) -> Plan {
    let heights = |lines_per_text: usize, shown: usize| -> Vec<usize> {
        let mut shown_marks: Vec<&&Mark> = marks.iter().take(shown).collect();
        shown_marks.sort_by_key(|mark| (mark.start, mark.end));
        let height = |mark: &&Mark| match lines_per_text {
            // Cut off after a line, no text needs to be measured.
            1 => 1,
            most => lines(canvas, columns, mark, zone, most).len(),
        };
        let more = (left_out || shown < marks.len()).then_some(1);
        shown_marks.into_iter().map(height).chain(more).collect()
    };
    let fit = |lines_per_text: usize, shown: usize| {
        let heights = heights(lines_per_text, shown);
        let starts = columns.fill(&heights)?;
        let ends = starts.iter().skip(1).copied().chain([heights.len()]);
        let column = |(start, end): (&usize, usize)| -> usize {
            heights.get(*start..end).unwrap_or_default().iter().sum()
        };
        let lines = starts.iter().zip(ends).map(column).max().unwrap_or(0);
        Some(Plan { lines_per_text, lines, shown })
    };
    let all = marks.len();
    let whole = (1..=MAX_LINES).rev().find_map(|lines| fit(lines, all));
    let part = || (0..all).rev().find_map(|shown| fit(1, shown));
    whole.or_else(part).unwrap_or(Plan { lines_per_text: 1, lines: 0, shown: 0 })
}

/// Draws the legend from `top` on, and in its last line how many marks are not in it.
pub(super) fn draw(
    canvas: &mut Canvas,
    columns: &Columns,
    (plan, left_out): (Plan, usize),
    marks: &[PlacedMark<'_>],
    (left, top, zone): (i32, i32, Tz),
) {
    if plan.lines == 0 {
        return;
    }
    let style = canvas.style.body();
    let mut texts: Vec<Vec<String>> = marks
        .iter()
        .map(|placed| lines(canvas, columns, placed.mark, zone, plan.lines_per_text))
        .collect();
    if left_out > 0 {
        texts.push(vec![format!("and {left_out} more, for which there is no room")]);
    }
    let heights: Vec<usize> = texts.iter().map(Vec::len).collect();
    let starts = columns.fill(&heights).unwrap_or_default();
    let (tag_width, tag_height) = canvas.tag_size(99);
    let (mut x, mut y) = (left, top);
    for (position, text) in texts.into_iter().enumerate() {
        if position > 0 && starts.contains(&position) {
            (x, y) = (x + columns.width + columns.gap, top);
        }
        if let Some(placed) = marks.get(position) {
            let own_top = y + (line_height(canvas) - tag_height) / 2;
            let area = Area::new(x, own_top, x + tag_width, own_top + tag_height);
            canvas.tag(area, placed.number);
        }
        for line in text {
            let x = x + tag_width + canvas.px(6.0);
            canvas.write((Anchor::Left, x, y), style, line);
            y += line_height(canvas);
        }
    }
}

/// How high a line is.
pub(super) fn line_height(canvas: &Canvas) -> i32 {
    canvas.style.line(canvas.style.body()) + canvas.px(1.0)
}

fn lines(
    canvas: &Canvas,
    columns: &Columns,
    mark: &Mark,
    zone: Tz,
    lines_per_text: usize,
) -> Vec<String> {
    let text = format!("{}: {}", when(mark, zone), font::clean(&mark.text));
    let width = columns.text_width(canvas);
    canvas.wrap(&text, canvas.style.body(), width, lines_per_text)
}

/// The time of a mark: days, minutes, or from when to when.
fn when(mark: &Mark, zone: Tz) -> String {
    span(mark.start, mark.end, zone)
}

/// A time from its first instant to the first one after: `Apr 20`, `Apr 22–24`, `May 6 04:49`,
/// `May 6 04:49–17:14`.
pub(super) fn span(start: Timestamp, end: Timestamp, zone: Tz) -> String {
    let is_midnight = |at: &DateTime<Tz>| at.num_seconds_from_midnight() == 0;
    let (first, after) = (calendar::in_zone(start, zone), calendar::in_zone(end, zone));
    let last = Timestamp::from_micros(end.micros() - 1).unwrap_or(start);
    let last = calendar::in_zone(last, zone);
    let date = |at: &DateTime<Tz>| at.format("%b %-d").to_string();
    let minute = |at: &DateTime<Tz>| at.format("%b %-d %H:%M").to_string();
    if is_midnight(&first) && is_midnight(&after) && start < end {
        return match (date(&first), date(&last)) {
            (one, same) if one == same => one,
            (from, to) if from.get(..3) == to.get(..3) => {
                format!("{from}–{}", last.format("%-d"))
            }
            (from, to) => format!("{from}–{to}"),
        };
    }
    match (minute(&first), minute(&after)) {
        (one, same) if one == same => one,
        (from, _) if first.date_naive() == after.date_naive() => {
            format!("{from}–{}", after.format("%H:%M"))
        }
        (from, to) => format!("{from}–{to}"),
    }
}
