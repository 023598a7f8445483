//! Charts: a figure as PNG or SVG, from one drawing.
//!
//! A [`Figure`] says what is to be shown. `layout` makes a `scene` of it, where every shape and text
//! has its place; `png` and `svg` write that down. Shapes are drawn by plotters. Texts are drawn
//! with a font that the program carries, also into SVG, so that a chart looks the same on a machine
//! without fonts and nothing that fits here overlaps there.

mod axis;
mod canvas;
mod course;
mod events;
mod figure;
mod font;
mod frame;
mod key;
mod layout;
mod legend;
mod marks;
mod png;
mod pools;
mod scale;
mod scene;
mod shapes;
mod svg;
mod theme;
mod ticks;
mod windows;

use super::heading::heading;

pub use figure::{Events, Figure, Mark, Pool, PoolPoint, PoolPoints};
pub use theme::{Size, Theme};

/// Why a chart could not be drawn.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChartError {
    /// The font that the program carries cannot be read.
    #[error("the built-in font is unreadable\nThe program was built wrongly: build it again.")]
    Font,
    /// A shape could not be drawn.
    #[error("the chart could not be drawn: {0}\nTry another --size.")]
    Drawing(String),
}

/// The figure as a PNG file.
pub fn png(figure: &Figure<'_>, size: Size, theme: Theme) -> Result<Vec<u8>, ChartError> {
    png::encode(&layout::scene(figure, size, theme)?)
}

/// The figure as an SVG file.
pub fn svg(figure: &Figure<'_>, size: Size, theme: Theme) -> Result<String, ChartError> {
    svg::encode(&layout::scene(figure, size, theme)?)
}
