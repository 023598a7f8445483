//! The panels of pools: for each one how many connections are in use and idle, how many it may
//! open, and in a track above, with a scale of its own, how many callers wait.
//!
//! Snapshots are drawn from what is lowest and highest within each pixel, so that no spike
//! vanishes, however many there are.

use super::canvas::Canvas;
use super::course::{Course, Extremes};
use super::font;
use super::frame::Frame;
use super::scale::{Scale, number};
use super::scene::{Anchor, Area};

/// A pool that is to be drawn.
pub(super) struct PoolPanel {
    /// Its place among the figure's pools.
    pub(super) position: usize,
    /// What heads the panel.
    pub(super) name: String,
    pub(super) place: String,
    pub(super) course: Course,
}

/// Where the parts of a panel are.
struct Tracks {
    heading: i32,
    waiting: Option<Area>,
    connections: Area,
}

impl PoolPanel {
    fn tracks(&self, canvas: &Canvas, panel: Area) -> Tracks {
        let heading = canvas.style.line(canvas.style.heading());
        let top = panel.top + heading;
        let height = panel.bottom - top;
        if self.course.peaks.waiting.unwrap_or(0) == 0 {
            let connections = Area { top, ..panel };
            return Tracks { heading: panel.top, waiting: None, connections };
        }
        let border = top + height * 2 / 5;
        let gap = canvas.px(2.0);
        Tracks {
            heading: panel.top,
            waiting: Some(Area { top, bottom: border - gap, ..panel }),
            connections: Area { top: border, ..panel },
        }
    }

    /// What the panel's heading says of the pool as a whole.
    fn summary(&self) -> String {
        let peaks = &self.course.peaks;
        let mut parts = Vec::new();
        match (peaks.in_use, peaks.max) {
            (Some(in_use), Some(max)) => {
                parts.push(format!("at most {} of {} in use", number(in_use), number(max)));
            }
            (Some(in_use), None) => parts.push(format!("at most {} in use", number(in_use))),
            (None, _) => {}
        }
        match peaks.waiting {
            Some(0) => parts.push("nobody waiting".to_owned()),
            Some(waiting) => parts.push(format!("at most {} waiting", number(waiting))),
            None => {}
        }
        if parts.is_empty() { "no snapshot in this time".to_owned() } else { parts.join(" · ") }
    }

    /// Draws the panel's tracks, not what lies behind them.
    pub(super) fn draw(&self, canvas: &mut Canvas, frame: &Frame, panel: Area) {
        let tracks = self.tracks(canvas, panel);
        self.write_heading(canvas, frame, tracks.heading);
        let (style, hair) = (&canvas.style, canvas.style.hair());
        let (in_use, idle, waiting, axis) = (style.in_use, style.idle, style.waiting, style.axis);
        let peaks = &self.course.peaks;
        let highest = [peaks.max, peaks.size, peaks.in_use].into_iter().flatten().max();
        let scale = Scale::exact(highest.unwrap_or(1));
        let area = tracks.connections;
        let up = |value: u64| area.bottom - scale.height(value, area.height());
        let runs = |of: fn(&Extremes) -> Option<(u64, u64)>| self.course.runs(of);
        let surface = |(pixels, (low, high)): (std::ops::Range<i32>, (u64, u64))| {
            Area::new(frame.left + pixels.start, up(high), frame.left + pixels.end, up(low))
        };
        let from_zero = |(pixels, (_, high))| surface((pixels, (0, high)));
        add_surfaces(canvas, runs(|at| at.size).into_iter().map(from_zero), idle);
        let mut faint = in_use;
        faint.3 = 0.6;
        add_surfaces(canvas, runs(|at| at.in_use).into_iter().map(surface), faint);
        let to_low = |(pixels, (low, _))| surface((pixels, (0, low)));
        add_surfaces(canvas, runs(|at| at.in_use).into_iter().map(to_low), in_use);
        for (pixels, (_, max)) in runs(|at| at.max) {
            let (left, right) = (frame.left + pixels.start, frame.left + pixels.end);
            let line = Area::new(left, up(max), right, up(max) + hair);
            canvas.scene.dashes_across(line, canvas.px(4.0), canvas.style.ink);
        }
        canvas.scene.fill(Area::new(area.left, area.bottom, area.right, area.bottom + hair), axis);
        let mut labels = vec![(area.top, scale.top)];
        if let Some(area) = tracks.waiting {
            let scale = Scale::exact(peaks.waiting.unwrap_or(1));
            let bar = |(pixels, (_, high)): (std::ops::Range<i32>, (u64, u64))| {
                let top = area.bottom - scale.height(high, area.height());
                Area::new(frame.left + pixels.start, top, frame.left + pixels.end, area.bottom)
            };
            add_surfaces(canvas, runs(|at| at.waiting).into_iter().map(bar), waiting);
            let base = Area::new(area.left, area.bottom, area.right, area.bottom + hair);
            canvas.scene.fill(base, canvas.style.grid);
            labels.push((area.top, scale.top));
        }
        write_labels(canvas, frame, labels, area.bottom);
    }

    fn write_heading(&self, canvas: &mut Canvas, frame: &Frame, top: i32) {
        let (bold, plain) = (canvas.style.heading(), canvas.style.small());
        let (gap, width) = (canvas.px(8.0), frame.width());
        let summary = canvas.fit(&self.summary(), plain, width * 3 / 5);
        let summary_width = canvas.width(&summary, plain);
        let room = width - summary_width - gap;
        let name = canvas.fit(&font::clean(&self.name), bold, room);
        let name_width = canvas.width(&name, bold);
        canvas.write((Anchor::Left, frame.left, top), bold, name);
        let place = font::clean(&self.place);
        let room = room - name_width - gap;
        if !place.is_empty() && room > canvas.px(30.0) {
            let place = canvas.fit(&place, plain, room);
            canvas.write((Anchor::Left, frame.left + name_width + gap, top), plain, place);
        }
        canvas.write((Anchor::Right, frame.right, top), plain, summary);
    }
}

/// Writes the highest value of each track beside it, and zero where there is room.
fn write_labels(canvas: &mut Canvas, frame: &Frame, tracks: Vec<(i32, u64)>, bottom: i32) {
    let style = canvas.style.small();
    let line = canvas.style.line(style);
    let mut taken: Vec<i32> = Vec::new();
    let zero = (bottom - line / 2, 0);
    for (top, value) in tracks.into_iter().map(|(top, value)| (top - line / 4, value)).chain([zero])
    {
        if taken.iter().all(|other: &i32| (other - top).abs() >= line) {
            taken.push(top);
            let x = frame.left - canvas.px(6.0);
            canvas.write((Anchor::Right, x, top), style, number(value));
        }
    }
}

/// Adds surfaces of the areas, which come from left to right: where they touch they are one.
fn add_surfaces(
    canvas: &mut Canvas,
    areas: impl Iterator<Item = Area>,
    color: plotters::style::RGBAColor,
) {
    let mut surface: Vec<Area> = Vec::new();
    for area in areas.filter(|area| !area.is_empty()) {
        if surface.last().is_some_and(|last| last.right != area.left) {
            canvas.scene.surface(std::mem::take(&mut surface), color);
        }
        surface.push(area);
    }
    canvas.scene.surface(surface, color);
}
