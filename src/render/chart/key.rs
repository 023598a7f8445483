//! The key: what each colour and pattern means, in rows that are filled from left to right.

use plotters::style::RGBAColor;

use super::canvas::Canvas;
use super::scene::{Anchor, Area, Hatch};

/// A pattern, and what it means.
pub(super) struct KeyItem {
    pub(super) swatch: Swatch,
    pub(super) text: String,
}

/// A sample of what stands in the figure.
#[derive(Debug, Clone, Copy)]
pub(super) enum Swatch {
    /// A class's colour, and whether it is striped.
    Class((RGBAColor, bool)),
    Color(RGBAColor),
    Hatching(Hatch),
    /// A horizontal line of dashes.
    Dashes(RGBAColor),
    /// A colour between two edges.
    Window(RGBAColor, RGBAColor),
}

/// An item in its place.
struct PlacedItem {
    swatch: Swatch,
    text: String,
    left: i32,
    /// Below the first row's.
    row: i32,
}

/// How high the key is between `left` and `right`.
pub(super) fn height(canvas: &Canvas, items: &[KeyItem], (left, right): (i32, i32)) -> i32 {
    let rows = place(canvas, items, (left, right)).last().map_or(0, |item| item.row + 1);
    rows * row_height(canvas)
}

/// Draws the key between `left` and `right` from `top` on.
pub(super) fn draw(canvas: &mut Canvas, items: &[KeyItem], (left, right): (i32, i32), top: i32) {
    let (row_height, height) = (row_height(canvas), canvas.px(10.0));
    let (width, gap) = (swatch_width(canvas), canvas.px(5.0));
    for item in place(canvas, items, (left, right)) {
        let top = top + item.row * row_height;
        let own_top = top + (row_height - height) / 2;
        let area = Area::new(item.left, own_top, item.left + width, own_top + height);
        item.swatch.draw(canvas, area);
        let style = canvas.style.body();
        canvas.write((Anchor::Left, item.left + width + gap, top), style, item.text);
    }
}

/// From left to right, and in the next row what has no place in the first.
fn place(canvas: &Canvas, items: &[KeyItem], (left, right): (i32, i32)) -> Vec<PlacedItem> {
    let style = canvas.style.body();
    let (swatch, gap, between) = (swatch_width(canvas), canvas.px(5.0), canvas.px(18.0));
    let (mut x, mut row) = (left, 0);
    let place = |item: &KeyItem| {
        let text = canvas.fit(&item.text, style, right - left - swatch - gap);
        let width = swatch + gap + canvas.width(&text, style);
        if x > left && x + width > right {
            (x, row) = (left, row + 1);
        }
        let placed = PlacedItem { swatch: item.swatch, text, left: x, row };
        x += width + between;
        placed
    };
    items.iter().map(place).collect()
}

fn swatch_width(canvas: &Canvas) -> i32 {
    canvas.px(14.0)
}

fn row_height(canvas: &Canvas) -> i32 {
    canvas.style.line(canvas.style.body()) + canvas.px(2.0)
}

impl Swatch {
    fn draw(self, canvas: &mut Canvas, area: Area) {
        let hair = canvas.style.hair();
        match self {
            Self::Class(class) => canvas.fill_class(area, class),
            Self::Color(color) => canvas.scene.fill(area, color),
            Self::Hatching(hatch) => {
                let hatch = Hatch { distance: hatch.distance.min(area.width() / 2), ..hatch };
                canvas.scene.hatch(area, hatch);
                for (top, bottom) in
                    [(area.top, area.top + hair), (area.bottom - hair, area.bottom)]
                {
                    canvas.scene.fill(Area { top, bottom, ..area }, hatch.color);
                }
            }
            Self::Dashes(color) => {
                let top = (area.top + area.bottom - hair) / 2;
                let line = Area { top, bottom: top + hair, ..area };
                canvas.scene.dashes_across(line, canvas.px(3.0), color);
            }
            Self::Window(color, edge) => {
                canvas.scene.fill(area, color);
                canvas.scene.fill(Area { right: area.left + hair, ..area }, edge);
                canvas.scene.fill(Area { left: area.right - hair, ..area }, edge);
            }
        }
    }
}
