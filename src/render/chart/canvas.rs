//! A scene in the making, with the fonts and the style that it is drawn in.

use plotters::style::RGBAColor;

use super::font::{Fonts, Weight};
use super::scene::{Anchor, Area, Scene, TextStyle};
use super::theme::{Size, Style, Theme};
use super::{ChartError, font};

/// What the parts of a figure draw on.
pub(super) struct Canvas {
    pub(super) scene: Scene,
    pub(super) fonts: Fonts,
    pub(super) style: Style,
}

impl Canvas {
    pub(super) fn new(name: &str, size: Size, theme: Theme) -> Result<Self, ChartError> {
        let style = Style::new(theme, size);
        let scene = Scene {
            width: size.width() as i32,
            height: size.height() as i32,
            background: style.background,
            name: font::clean(name),
            shapes: Vec::new(),
            texts: Vec::new(),
        };
        Ok(Self { scene, fonts: Fonts::load()?, style })
    }

    /// A length in pixels.
    pub(super) fn px(&self, length: f32) -> i32 {
        self.style.px(length)
    }

    /// How wide a text is, rounded up.
    pub(super) fn width(&self, text: &str, style: TextStyle) -> i32 {
        self.fonts.width(text, style.weight, style.size).ceil() as i32
    }

    /// The text, or as much of it as `width` pixels hold.
    pub(super) fn fit(&self, text: &str, style: TextStyle, width: i32) -> String {
        self.fonts.fit(text, style.weight, style.size, width)
    }

    /// The text in lines of at most `width` pixels.
    pub(super) fn wrap(
        &self,
        text: &str,
        style: TextStyle,
        width: i32,
        max_lines: usize,
    ) -> Vec<String> {
        self.fonts.wrap(text, style.weight, style.size, width, max_lines)
    }

    /// Writes a line of text whose line begins at `top`.
    pub(super) fn write(
        &mut self,
        (anchor, x, top): (Anchor, i32, i32),
        style: TextStyle,
        content: impl Into<String>,
    ) {
        let baseline = top + self.style.ascent(style);
        self.scene.write(&self.fonts, (anchor, x, baseline), style, content);
    }

    /// Fills an area with a class's colour, with stripes where that is the second round of colours.
    pub(super) fn fill_class(&mut self, area: Area, (color, is_striped): (RGBAColor, bool)) {
        self.scene.fill(area, color);
        if is_striped {
            let (line, distance) = (self.px(1.0), self.px(4.0));
            let background = self.style.background;
            for top in (area.top + distance - line..area.bottom).step_by(distance as usize) {
                let bottom = (top + line).min(area.bottom);
                self.scene.fill(Area { top, bottom, ..area }, background);
            }
        }
    }

    /// The number of a mark in its tag.
    pub(super) fn tag(&mut self, area: Area, number: usize) {
        let style = self.style.number();
        self.scene.fill(area, self.style.mark);
        let top = area.top + (area.height() - self.style.line(style)) / 2;
        let middle = (area.left + area.right) / 2;
        self.write((Anchor::Middle, middle, top), style, number.to_string());
    }

    /// Width and height of a tag for numbers up to `highest`.
    pub(super) fn tag_size(&self, highest: usize) -> (i32, i32) {
        let style = TextStyle { weight: Weight::Bold, ..self.style.number() };
        let digits = "8".repeat(highest.to_string().len());
        let height = self.style.line(style);
        ((self.width(&digits, style) + self.px(6.0)).max(height), height)
    }
}
