//! A scene: the shapes and texts of a figure, placed to the pixel, before any format.
//!
//! Every shape but a hatching has borders between pixels, so that it looks the same as pixels and
//! as vectors.

use plotters::style::RGBAColor;

use super::font::{Fonts, Weight};

/// All that is to be drawn, in pixels from the upper left corner.
#[derive(Debug)]
pub(super) struct Scene {
    pub(super) width: i32,
    pub(super) height: i32,
    pub(super) background: RGBAColor,
    /// What a reader of the screen is told that the picture is.
    pub(super) name: String,
    /// From the lowest to the uppermost.
    pub(super) shapes: Vec<Shape>,
    /// Texts lie above all shapes.
    pub(super) texts: Vec<Text>,
}

/// A rectangle with borders between pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Area {
    pub(super) left: i32,
    pub(super) top: i32,
    /// The first pixel to the right of it.
    pub(super) right: i32,
    /// The first pixel below.
    pub(super) bottom: i32,
}

/// Something other than text.
#[derive(Debug)]
pub(super) enum Shape {
    /// A filled rectangle.
    Fill(Area, RGBAColor),
    /// Rectangles side by side that make one surface, from left to right without a gap.
    Surface(Vec<Area>, RGBAColor),
    /// Oblique lines.
    Hatching(Area, Hatch),
}

/// How a hatching looks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hatch {
    pub(super) color: RGBAColor,
    /// The distance of two lines, in pixels to the right.
    pub(super) distance: i32,
    /// The width of a line.
    pub(super) stroke: i32,
}

/// One line of text.
#[derive(Debug)]
pub(super) struct Text {
    /// Where the first letter begins.
    pub(super) left: f32,
    /// Where letters stand.
    pub(super) baseline: i32,
    pub(super) style: TextStyle,
    /// What is written; it has no control character.
    pub(super) content: String,
    /// How wide it is drawn.
    pub(super) width: f32,
}

/// How text looks.
#[derive(Debug, Clone, Copy)]
pub(super) struct TextStyle {
    /// The size of the em, in pixels.
    pub(super) size: f32,
    pub(super) weight: Weight,
    pub(super) color: RGBAColor,
}

/// What of a text stands where it is put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Anchor {
    Left,
    Middle,
    Right,
}

impl Area {
    pub(super) fn new(left: i32, top: i32, right: i32, bottom: i32) -> Self {
        Self { left, top, right, bottom }
    }

    pub(super) fn width(&self) -> i32 {
        self.right - self.left
    }

    pub(super) fn height(&self) -> i32 {
        self.bottom - self.top
    }

    pub(super) fn is_empty(&self) -> bool {
        self.width() <= 0 || self.height() <= 0
    }

    fn overlaps(&self, other: &Self) -> bool {
        self.left < other.right
            && other.left < self.right
            && self.top < other.bottom
            && other.top < self.bottom
    }
}

impl Text {
    /// What it covers: capitals and descenders.
    fn area(&self) -> Area {
        Area::new(
            self.left.floor() as i32,
            self.baseline - (self.style.size * 0.76).ceil() as i32,
            (self.left + self.width).ceil() as i32,
            self.baseline + (self.style.size * 0.24).ceil() as i32,
        )
    }
}

impl Scene {
    /// Adds a filled rectangle; nothing where it is empty.
    pub(super) fn fill(&mut self, area: Area, color: RGBAColor) {
        if !area.is_empty() {
            self.shapes.push(Shape::Fill(area, color));
        }
    }

    /// Adds the surface that rectangles side by side make.
    pub(super) fn surface(&mut self, areas: Vec<Area>, color: RGBAColor) {
        if !areas.is_empty() {
            self.shapes.push(Shape::Surface(areas, color));
        }
    }

    /// Adds a hatching.
    pub(super) fn hatch(&mut self, area: Area, hatch: Hatch) {
        if !area.is_empty() {
            self.shapes.push(Shape::Hatching(area, hatch));
        }
    }

    /// Adds a horizontal line of dashes, each as long as the gap behind it.
    pub(super) fn dashes_across(&mut self, area: Area, dash: i32, color: RGBAColor) {
        let dash = dash.max(1);
        for left in (area.left..area.right).step_by(2 * dash as usize) {
            self.fill(Area { left, right: (left + dash).min(area.right), ..area }, color);
        }
    }

    /// Adds a vertical line of dashes, which spares the texts that are there already.
    pub(super) fn dashes_down(&mut self, area: Area, dash: i32, color: RGBAColor) {
        let dash = dash.max(1);
        let beside = Area { left: area.left - dash, right: area.right + dash, ..area };
        let in_the_way = self.texts.iter().map(Text::area).filter(|text| text.overlaps(&beside));
        let in_the_way: Vec<Area> = in_the_way.collect();
        for top in (area.top..area.bottom).step_by(2 * dash as usize) {
            let dash = Area { top, bottom: (top + dash).min(area.bottom), ..area };
            let near = Area { left: beside.left, right: beside.right, ..dash };
            if !in_the_way.iter().any(|text| text.overlaps(&near)) {
                self.fill(dash, color);
            }
        }
    }

    /// Adds a line of text.
    pub(super) fn write(
        &mut self,
        fonts: &Fonts,
        (anchor, x, baseline): (Anchor, i32, i32),
        style: TextStyle,
        content: impl Into<String>,
    ) {
        let content = content.into();
        let width = fonts.width(&content, style.weight, style.size);
        let left = match anchor {
            Anchor::Left => x as f32,
            Anchor::Middle => (x as f32 - width / 2.0).round(),
            Anchor::Right => (x as f32 - width).round(),
        };
        self.texts.push(Text { left, baseline, style, content, width });
    }
}
