//! Incident windows: shaded over all panels, with their times above.

use std::ops::Range;

use chrono_tz::Tz;

use super::canvas::Canvas;
use super::frame::Frame;
use super::legend::span;
use super::scene::{Anchor, Area};
use crate::render::duration::lasted;
use crate::time::Timestamp;

/// The label of a window, and where it begins.
#[derive(Debug)]
pub(super) struct Label {
    left: i32,
    text: String,
}

/// The labels for which one line has room, the longest windows first.
pub(super) fn labels(
    canvas: &Canvas,
    frame: &Frame,
    windows: &[Range<Timestamp>],
    zone: Tz,
) -> Vec<Label> {
    let style = canvas.style.small();
    let mut by_length: Vec<&Range<Timestamp>> = windows.iter().collect();
    by_length.sort_by_key(|window| window.start.micros() - window.end.micros());
    let mut taken: Vec<Range<i32>> = Vec::new();
    let mut labels = Vec::new();
    for window in by_length {
        let pixels = frame.pixels(window.start, window.end);
        let micros = window.end.micros() - window.start.micros();
        let duration = lasted(micros.unsigned_abs());
        let time = span(window.start, window.end, zone);
        for text in [format!("{time}, {duration}"), time, duration] {
            let width = canvas.width(&text, style);
            let middle = (pixels.start + pixels.end - width) / 2;
            let left = middle.min(frame.right - width).max(frame.left);
            let extent = left..left + width + canvas.px(10.0);
            let is_free =
                taken.iter().all(|other| extent.end <= other.start || other.end <= extent.start);
            if is_free && extent.start + width <= frame.right {
                taken.push(extent);
                labels.push(Label { left, text });
                break;
            }
        }
    }
    labels
}

/// Shades the windows from `top` to `bottom`.
pub(super) fn shade(
    canvas: &mut Canvas,
    frame: &Frame,
    windows: &[Range<Timestamp>],
    (top, bottom): (i32, i32),
) {
    for window in windows {
        let pixels = frame.pixels(window.start, window.end);
        let area = Area::new(pixels.start, top, pixels.end, bottom);
        canvas.scene.fill(area, canvas.style.incident);
    }
}

/// Draws a line at the beginning and at the end of each window.
pub(super) fn draw_edges(
    canvas: &mut Canvas,
    frame: &Frame,
    windows: &[Range<Timestamp>],
    (top, bottom): (i32, i32),
) {
    let hair = canvas.style.hair();
    for window in windows {
        let pixels = frame.pixels(window.start, window.end);
        let area = Area::new(pixels.start, top, pixels.end, bottom);
        for left in [area.left, area.right - hair] {
            let edge = Area { left, right: left + hair, ..area };
            canvas.scene.dashes_down(edge, canvas.px(4.0), canvas.style.incident_edge);
        }
    }
}

/// Writes the labels.
pub(super) fn write(canvas: &mut Canvas, labels: Vec<Label>, top: i32) {
    for label in labels {
        let mut style = canvas.style.small();
        style.color = canvas.style.ink;
        canvas.write((Anchor::Left, label.left, top), style, label.text);
    }
}
