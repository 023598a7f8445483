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

/// Draws the key between `left` and `right` from `top` on; where its last row ends.
pub(super) fn draw(
    canvas: &mut Canvas,
    items: &[KeyItem],
    (left, right): (i32, i32),
    top: i32,
) -> i32 {
    let style = canvas.style.body();
    let (swatch, gap, between) = (canvas.px(14.0), canvas.px(5.0), canvas.px(18.0));
    let line = canvas.style.line(style) + canvas.px(2.0);
    let (mut x, mut y) = (left, top);
    for item in items {
        let text = canvas.fit(&item.text, style, right - left - swatch - gap);
        let width = swatch + gap + canvas.width(&text, style);
        if x > left && x + width > right {
            (x, y) = (left, y + line);
        }
        let height = canvas.px(10.0);
        let own_top = y + (line - height) / 2;
        item.swatch.draw(canvas, Area::new(x, own_top, x + swatch, own_top + height));
        canvas.write((Anchor::Left, x + swatch + gap, y), style, text);
        x += width + between;
    }
    if items.is_empty() { top } else { y + line }
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
