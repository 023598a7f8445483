//! The time axis: ticks through all panels, two rows of labels, the zone.

use super::canvas::Canvas;
use super::figure::Figure;
use super::frame::Frame;
use super::scene::{Anchor, Area, TextStyle};
use super::ticks::{Step, Tick, ticks, zone_name};
use crate::timeline::Grain;

/// The time axis before it is drawn.
pub(super) struct Axis {
    ticks: Vec<Tick>,
    /// Where each tick's label begins.
    lefts: Vec<i32>,
}

impl Axis {
    /// The finest axis whose labels have room.
    pub(super) fn new(canvas: &Canvas, frame: &Frame, figure: &Figure<'_>) -> Self {
        let style = canvas.style.small();
        let gap = canvas.px(9.0);
        let place = |step: Step, ticks: &[Tick]| lefts(canvas, frame, figure, (step, ticks), style);
        let grain = figure.events.as_ref().map_or(Grain::Minute, |events| events.grain);
        let fits = |step: Step, ticks: &[Tick]| {
            let lefts = place(step, ticks);
            let ends = ticks
                .iter()
                .zip(&lefts)
                .map(|(tick, left)| left + canvas.width(&tick.label, style));
            step.is_of(grain)
                && ends.zip(lefts.iter().skip(1)).all(|(end, next)| end + gap <= *next)
        };
        match ticks(figure.zone, &figure.time, frame, fits) {
            Some((step, ticks)) => Self { lefts: place(step, &ticks), ticks },
            None => Self { ticks: Vec::new(), lefts: Vec::new() },
        }
    }

    /// How much room the labels need below the panels.
    pub(super) fn height(canvas: &Canvas) -> i32 {
        canvas.px(6.0) + 3 * canvas.style.line(canvas.style.small())
    }

    /// Draws a line at each tick through a panel.
    pub(super) fn draw_grid(&self, canvas: &mut Canvas, frame: &Frame, panel: Area) {
        let hair = canvas.style.hair();
        for tick in &self.ticks {
            let x = frame.x(tick.at).min(frame.right - hair);
            let line = Area::new(x, panel.top, x + hair, panel.bottom);
            canvas.scene.fill(line, canvas.style.grid);
        }
    }

    /// Draws ticks and labels below `top`.
    pub(super) fn draw(&self, canvas: &mut Canvas, frame: &Frame, figure: &Figure<'_>, top: i32) {
        let (style, hair) = (canvas.style.small(), canvas.style.hair());
        let line = canvas.style.line(style);
        let labels_top = top + canvas.px(5.0);
        for (tick, left) in self.ticks.iter().zip(&self.lefts) {
            let x = frame.x(tick.at).min(frame.right - hair);
            canvas.scene.fill(Area::new(x, top, x + hair, labels_top), canvas.style.axis);
            canvas.write((Anchor::Left, *left, labels_top), style, tick.label.clone());
        }
        for (left, context) in self.contexts(canvas, frame, style) {
            canvas.write((Anchor::Left, left, labels_top + line), style, context);
        }
        let zone = format!("Time zone: {}", zone_name(figure.zone, &figure.time));
        let zone = canvas.fit(&zone, style, frame.width());
        canvas.write((Anchor::Right, frame.right, labels_top + 2 * line), style, zone);
    }

    /// The lower row: where two would overlap, the first one, of which the least is shown, is left
    /// out.
    fn contexts(&self, canvas: &Canvas, frame: &Frame, style: TextStyle) -> Vec<(i32, String)> {
        let mut kept: Vec<(i32, i32, String)> = Vec::new();
        for (tick, left) in self.ticks.iter().zip(&self.lefts) {
            let Some(context) = &tick.context else { continue };
            let width = canvas.width(context, style);
            let left = (*left).min(frame.right - width);
            if kept.last().is_some_and(|(_, end, _)| left < end + canvas.px(9.0)) {
                if kept.len() > 1 {
                    continue;
                }
                kept.pop();
            }
            kept.push((left, left + width, context.clone()));
        }
        kept.into_iter().map(|(left, _, context)| (left, context)).collect()
    }
}

/// Where the labels begin: below their instants, or below the middle of their days where a day is
/// a bar; never beyond the panels' ends by more than half of the label.
fn lefts(
    canvas: &Canvas,
    frame: &Frame,
    figure: &Figure<'_>,
    (step, ticks): (Step, &[Tick]),
    style: TextStyle,
) -> Vec<i32> {
    let bars_are_days = figure.events.as_ref().is_some_and(|events| events.grain == Grain::Day);
    let day = 86_400_000_000.0 / frame.duration_us() as f64 * f64::from(frame.width());
    let offset = if bars_are_days && step.is_of_days() { (day / 2.0) as i32 } else { 0 };
    let left = |tick: &Tick| {
        let width = canvas.width(&tick.label, style);
        (frame.x(tick.at) + offset - width / 2).min(canvas.scene.width - width - canvas.px(4.0))
    };
    ticks.iter().map(left).collect()
}
