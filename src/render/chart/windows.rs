//! Incident windows: shaded over all panels, with their times above.

use std::ops::Range;

use chrono_tz::Tz;

use super::canvas::Canvas;
use super::frame::Frame;
use super::legend::span;
use super::scene::{Anchor, Area};
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
        let duration = duration(window);
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

/// `12 h 25 min`, `3 d 4 h`, `90 s`.
fn duration(window: &Range<Timestamp>) -> String {
    let seconds = (window.end.micros() - window.start.micros()) / 1_000_000;
    let minutes = (seconds + 30) / 60;
    match minutes {
        0..3 => format!("{seconds} s"),
        3..60 => format!("{minutes} min"),
        60..2880 if minutes % 60 == 0 => format!("{} h", minutes / 60),
        60..2880 => format!("{} h {} min", minutes / 60, minutes % 60),
        _ => format!("{} d {} h", minutes / 1440, minutes % 1440 / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_as_exact_as_they_are_long() {
        let text = |seconds: i64| {
            let at = |micros| Timestamp::from_micros(micros).unwrap();
            duration(&(at(0)..at(seconds * 1_000_000)))
        };
        assert_eq!(text(90), "90 s");
        assert_eq!(text(1800), "30 min");
        assert_eq!(text(12 * 3600 + 25 * 60 + 24), "12 h 25 min");
        assert_eq!(text(7200), "2 h");
        assert_eq!(text(76 * 3600), "3 d 4 h");
    }
}
