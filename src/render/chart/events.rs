//! The panel of events: stacked bars, one a bucket, over a linear scale.

use std::ops::Range;

use super::canvas::Canvas;
use super::figure::Events;
use super::frame::Frame;
use super::scale::{Scale, number};
use super::scene::{Anchor, Area};
use crate::rules::ClassIndex;
use crate::timeline::{Bucket, Coverage};

/// So many classes are told apart; what there is beyond is one layer.
const MAX_LAYERS: usize = 12;

/// What is stacked: a class, or the rest of them.
pub(super) struct Layer {
    /// What the key calls it.
    pub(super) name: String,
    classes: Vec<ClassIndex>,
}

/// A bar: its pixels on the time axis, and how many events each layer has.
struct Bar {
    pixels: Range<i32>,
    counts: Vec<u64>,
}

impl Layer {
    /// The layers of a figure, from the lowest to the uppermost.
    pub(super) fn of(events: &Events<'_>) -> Vec<Self> {
        let layer = |class: &&crate::timeline::Class| Self {
            name: super::heading(&class.name).into_owned(),
            classes: vec![class.index],
        };
        if events.classes.len() <= MAX_LAYERS {
            return events.classes.iter().map(layer).collect();
        }
        let (own, rest) = events.classes.split_at(MAX_LAYERS - 1);
        let mut layers: Vec<Self> = own.iter().map(layer).collect();
        let name = format!("{} other classes", rest.len());
        layers.push(Self { name, classes: rest.iter().map(|class| class.index).collect() });
        layers
    }

    /// How many events a bucket has of it.
    pub(super) fn count(&self, bucket: &Bucket) -> u64 {
        let counts = self.classes.iter().map(|class| bucket.counts.of(*class));
        counts.fold(0, u64::saturating_add)
    }
}

/// The scale that the highest bar needs.
pub(super) fn scale(events: &Events<'_>, steps: u64) -> Scale {
    let layers = Layer::of(events);
    let highest = events.buckets.iter().map(|bucket| total(&layers, bucket)).max();
    Scale::new(highest.unwrap_or(0), steps)
}

/// Where nothing, or only a part, is known of the time: pixels on the time axis.
pub(super) fn uncovered(events: &Events<'_>, frame: &Frame) -> Vec<(Range<i32>, Coverage)> {
    let mut runs: Vec<(Range<i32>, Coverage)> = Vec::new();
    for bucket in events.buckets.iter().filter(|bucket| bucket.coverage != Coverage::Full) {
        let pixels = frame.pixels(bucket.start, bucket.end);
        match runs.last_mut() {
            Some((last, coverage)) if *coverage == bucket.coverage && pixels.start <= last.end => {
                last.end = last.end.max(pixels.end);
            }
            _ => runs.push((pixels, bucket.coverage)),
        }
    }
    runs
}

/// Draws grid, labels and bars into `area`.
pub(super) fn draw(
    canvas: &mut Canvas,
    frame: &Frame,
    area: Area,
    events: &Events<'_>,
    scale: Scale,
) {
    draw_grid(canvas, area, scale);
    let (layers, hair) = (Layer::of(events), canvas.style.hair());
    for bar in bars(events, &layers, frame) {
        let gap = match bar.pixels.len() as i32 {
            0..4 => 0,
            width => (width / 6).clamp(1, canvas.px(8.0)),
        };
        let (left, right) = (bar.pixels.start + gap / 2, bar.pixels.end - (gap - gap / 2));
        let mut sum: u64 = 0;
        let mut top = area.bottom;
        for (position, count) in bar.counts.into_iter().enumerate() {
            if count == 0 {
                continue;
            }
            sum = sum.saturating_add(count);
            // What is rare beside what is frequent is a pixel high at least.
            let below = top;
            let own_top = area.bottom - scale.height(sum, area.height());
            top = own_top.min(below - 1).max(area.top);
            // A line of background tells layers apart where colours do not.
            let is_high = below < area.bottom && below - top > 3 * hair;
            let bottom = if is_high { below - hair } else { below };
            canvas.fill_class(Area::new(left, top, right, bottom), canvas.style.class(position));
        }
    }
    let line = Area::new(area.left, area.bottom, area.right, area.bottom + canvas.style.hair());
    canvas.scene.fill(line, canvas.style.axis);
}

/// Lines at the labelled values, and the values beside them.
fn draw_grid(canvas: &mut Canvas, area: Area, scale: Scale) {
    let (style, hair) = (canvas.style.small(), canvas.style.hair());
    for value in scale.values() {
        let y = area.bottom - scale.height(value, area.height());
        if value > 0 {
            canvas.scene.fill(Area::new(area.left, y, area.right, y + hair), canvas.style.grid);
        }
        let top = y - canvas.style.line(style) / 2;
        let x = area.left - canvas.px(6.0);
        canvas.write((Anchor::Right, x, top), style, number(value));
    }
}

/// The bars, at most one a pixel: of several the highest.
fn bars(events: &Events<'_>, layers: &[Layer], frame: &Frame) -> Vec<Bar> {
    let mut highest: Vec<(Range<i32>, u64, &Bucket)> = Vec::new();
    for bucket in events.buckets {
        let (pixels, total) = (frame.pixels(bucket.start, bucket.end), total(layers, bucket));
        match highest.last_mut() {
            Some(last) if last.0 == pixels => {
                if total > last.1 {
                    *last = (pixels, total, bucket);
                }
            }
            _ => highest.push((pixels, total, bucket)),
        }
    }
    let bar = |(pixels, _, bucket): (Range<i32>, u64, &Bucket)| Bar {
        pixels,
        counts: layers.iter().map(|layer| layer.count(bucket)).collect(),
    };
    highest.into_iter().map(bar).collect()
}

fn total(layers: &[Layer], bucket: &Bucket) -> u64 {
    layers.iter().map(|layer| layer.count(bucket)).fold(0, u64::saturating_add)
}
