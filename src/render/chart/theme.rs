//! Colours and sizes.
//!
//! The colours are those of Okabe and Ito (<https://jfly.uni-koeln.de/color/>), which people tell
//! apart whatever colours they see; in the order here, the first ones differ in lightness too, so
//! that they can be told apart in a black-and-white print. Where the colours come round again the
//! bars are striped.

use plotters::style::RGBAColor;

use super::font::Weight;
use super::scene::{Hatch, TextStyle};

/// The background that a figure is made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Theme {
    /// White, as paper.
    #[default]
    Light,
    /// Nearly black, as a screen at night.
    Dark,
}

/// How large a figure is, in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    width: u32,
    height: u32,
}

/// What the drawing takes its colours and lengths from.
#[derive(Debug)]
pub(super) struct Style {
    /// Pixels for a length of 1 in a figure of 1200×800.
    unit: f32,
    pub(super) background: RGBAColor,
    pub(super) ink: RGBAColor,
    pub(super) faint_ink: RGBAColor,
    pub(super) grid: RGBAColor,
    pub(super) axis: RGBAColor,
    pub(super) mark: RGBAColor,
    pub(super) mark_ink: RGBAColor,
    pub(super) incident: RGBAColor,
    pub(super) incident_edge: RGBAColor,
    pub(super) in_use: RGBAColor,
    pub(super) idle: RGBAColor,
    pub(super) waiting: RGBAColor,
    no_data: RGBAColor,
    partial: RGBAColor,
    classes: [RGBAColor; 6],
}

impl Size {
    /// Nothing can be read in a smaller figure.
    pub const MIN: Self = Self { width: 480, height: 320 };
    /// A larger figure would need more memory than a chart is worth.
    pub const MAX: Self = Self { width: 8000, height: 8000 };

    /// A size from [`Self::MIN`] to [`Self::MAX`], or `None`.
    pub fn new(width: u32, height: u32) -> Option<Self> {
        let fits = (Self::MIN.width..=Self::MAX.width).contains(&width)
            && (Self::MIN.height..=Self::MAX.height).contains(&height);
        fits.then_some(Self { width, height })
    }

    /// In pixels.
    pub fn width(self) -> u32 {
        self.width
    }

    /// In pixels.
    pub fn height(self) -> u32 {
        self.height
    }
}

impl Default for Size {
    fn default() -> Self {
        Self { width: 1200, height: 800 }
    }
}

impl Style {
    pub(super) fn new(theme: Theme, size: Size) -> Self {
        let unit = (size.width as f32 / 1200.0).min(size.height as f32 / 800.0).clamp(0.8, 8.0);
        match theme {
            Theme::Light => Self::light(unit),
            Theme::Dark => Self::dark(unit),
        }
    }

    fn light(unit: f32) -> Self {
        Self {
            unit,
            background: rgb(0xffffff),
            ink: rgb(0x1b1f24),
            faint_ink: rgb(0x57606a),
            grid: rgb(0xe4e7eb),
            axis: rgb(0x57606a),
            mark: rgb(0x3d444d),
            mark_ink: rgb(0xffffff),
            incident: RGBAColor(0xd5, 0x5e, 0x00, 0.12),
            incident_edge: RGBAColor(0xd5, 0x5e, 0x00, 0.7),
            in_use: rgb(0x3f8fc5),
            idle: rgb(0xcfe4f2),
            waiting: rgb(0xd55e00),
            no_data: rgb(0x9aa2ab),
            partial: rgb(0xd5d9de),
            classes: [0x0072b2, 0xe69f00, 0x009e73, 0xcc79a7, 0x56b4e9, 0x000000].map(rgb),
        }
    }

    fn dark(unit: f32) -> Self {
        Self {
            unit,
            background: rgb(0x14171c),
            ink: rgb(0xe8eaed),
            faint_ink: rgb(0xa9b1ba),
            grid: rgb(0x2b3038),
            axis: rgb(0xa9b1ba),
            mark: rgb(0xd0d5db),
            mark_ink: rgb(0x14171c),
            incident: RGBAColor(0xff, 0x8c, 0x3a, 0.17),
            incident_edge: RGBAColor(0xff, 0x8c, 0x3a, 0.8),
            in_use: rgb(0x4a9fd8),
            idle: rgb(0x28465c),
            waiting: rgb(0xff8c3a),
            no_data: rgb(0x6b737d),
            partial: rgb(0x39404a),
            classes: [0x2b8fd0, 0xf0c04a, 0x1fb58c, 0xe29cc4, 0x8fd0f5, 0xf0f0f0].map(rgb),
        }
    }

    /// A length in pixels, at least 1.
    pub(super) fn px(&self, length: f32) -> i32 {
        ((length * self.unit).round() as i32).max(1)
    }

    /// How wide a thin line is.
    pub(super) fn hair(&self) -> i32 {
        self.px(1.0)
    }

    /// Text of the figure's title.
    pub(super) fn title(&self) -> TextStyle {
        self.text(20.0, Weight::Bold, self.ink)
    }

    /// Text that heads a panel.
    pub(super) fn heading(&self) -> TextStyle {
        self.text(12.0, Weight::Bold, self.ink)
    }

    /// Text that is to be read.
    pub(super) fn body(&self) -> TextStyle {
        self.text(12.0, Weight::Regular, self.ink)
    }

    /// Text beside the matter: axes.
    pub(super) fn small(&self) -> TextStyle {
        self.text(11.0, Weight::Regular, self.faint_ink)
    }

    /// The number of a mark.
    pub(super) fn number(&self) -> TextStyle {
        self.text(10.5, Weight::Bold, self.mark_ink)
    }

    fn text(&self, size: f32, weight: Weight, color: RGBAColor) -> TextStyle {
        TextStyle { size: (size * self.unit).max(8.5), weight, color }
    }

    /// The height of a line of text.
    pub(super) fn line(&self, text: TextStyle) -> i32 {
        (text.size * 1.35).ceil() as i32
    }

    /// How far below the upper end of its line a text stands.
    pub(super) fn ascent(&self, text: TextStyle) -> i32 {
        (text.size * 1.02).round() as i32
    }

    /// The colour of the class at `position`, and whether its bars are striped.
    pub(super) fn class(&self, position: usize) -> (RGBAColor, bool) {
        let color = self.classes.get(position % self.classes.len()).copied();
        (color.unwrap_or(self.ink), position >= self.classes.len())
    }

    /// How time without any entry is drawn.
    pub(super) fn no_data(&self) -> Hatch {
        Hatch { color: self.no_data, distance: self.px(7.0), stroke: self.hair() }
    }

    /// How time is drawn that was logged in part.
    pub(super) fn partial(&self) -> Hatch {
        Hatch { color: self.partial, distance: self.px(14.0), stroke: self.hair() }
    }
}

fn rgb(hex: u32) -> RGBAColor {
    let [_, red, green, blue] = hex.to_be_bytes();
    RGBAColor(red, green, blue, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The relative luminance of WCAG 2.
    fn luminance(color: RGBAColor) -> f64 {
        let linear = |part: u8| {
            let part = f64::from(part) / 255.0;
            if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * linear(color.0) + 0.7152 * linear(color.1) + 0.0722 * linear(color.2)
    }

    fn contrast(a: RGBAColor, b: RGBAColor) -> f64 {
        let (a, b) = (luminance(a), luminance(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    #[test]
    fn everything_can_be_told_from_the_background() {
        for theme in [Theme::Light, Theme::Dark] {
            let style = Style::new(theme, Size::default());
            for text in [style.ink, style.faint_ink] {
                assert!(contrast(text, style.background) >= 5.5, "{theme:?} {text:?}");
            }
            assert!(contrast(style.mark, style.mark_ink) >= 7.0);
            for shape in style.classes.into_iter().chain([style.in_use, style.waiting]) {
                assert!(contrast(shape, style.background) >= 2.0, "{theme:?} {shape:?}");
            }
        }
    }

    #[test]
    fn the_first_classes_differ_in_a_black_and_white_print() {
        for theme in [Theme::Light, Theme::Dark] {
            let style = Style::new(theme, Size::default());
            let [first, second, ..] = style.classes;
            assert!(contrast(first, second) >= 2.0, "{theme:?}");
            assert!(contrast(style.in_use, style.idle) >= 2.0, "{theme:?}");
        }
    }

    #[test]
    fn a_size_is_bounded() {
        assert_eq!(Size::new(1200, 800), Some(Size::default()));
        assert_eq!(Size::new(479, 800), None);
        assert_eq!(Size::new(1200, 8001), None);
    }
}
