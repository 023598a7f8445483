//! Shapes: the scene's, drawn on a backend of plotters.
//!
//! The backends agree on rectangles, whose lower right corner is the first point outside, and on
//! nothing else to the pixel: so everything but a hatching is made of rectangles.

use plotters::backend::DrawingBackend;
use plotters::coord::Shift;
use plotters::drawing::{DrawingArea, DrawingAreaErrorKind};
use plotters::element::{PathElement, Polygon, Rectangle};
use plotters::style::{Color, RGBAColor};

use super::ChartError;
use super::scene::{Area, Hatch, Scene, Shape};

/// How a surface of many rectangles is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Surfaces {
    /// Each rectangle by itself: pixels have no seams.
    Rectangles,
    /// One outline, so that no seam shows where a picture is enlarged.
    Outline,
}

/// Draws background and shapes of a scene.
pub(super) fn draw<B: DrawingBackend>(
    scene: &Scene,
    area: &DrawingArea<B, Shift>,
    surfaces: Surfaces,
) -> Result<(), ChartError> {
    let draw = Drawing { area, surfaces };
    let all = Area::new(0, 0, scene.width, scene.height);
    draw.fill(all, scene.background).map_err(failure)?;
    for shape in &scene.shapes {
        match shape {
            Shape::Fill(area, color) => draw.fill(*area, *color),
            Shape::Surface(areas, color) => draw.surface(areas, *color),
            Shape::Hatching(area, hatch) => draw.hatching(*area, *hatch),
        }
        .map_err(failure)?;
    }
    area.present().map_err(failure)
}

fn failure<E: std::error::Error + Send + Sync>(error: DrawingAreaErrorKind<E>) -> ChartError {
    ChartError::Drawing(error.to_string())
}

struct Drawing<'a, B: DrawingBackend> {
    area: &'a DrawingArea<B, Shift>,
    surfaces: Surfaces,
}

impl<B: DrawingBackend> Drawing<'_, B> {
    fn fill(&self, area: Area, color: RGBAColor) -> Result<(), DrawingAreaErrorKind<B::ErrorType>> {
        let corners = [(area.left, area.top), (area.right, area.bottom)];
        self.area.draw(&Rectangle::new(corners, color.filled()))
    }

    fn surface(
        &self,
        areas: &[Area],
        color: RGBAColor,
    ) -> Result<(), DrawingAreaErrorKind<B::ErrorType>> {
        if self.surfaces == Surfaces::Rectangles {
            return areas.iter().try_for_each(|area| self.fill(*area, color));
        }
        let above = areas.iter().flat_map(|area| [(area.left, area.top), (area.right, area.top)]);
        let below = areas
            .iter()
            .rev()
            .flat_map(|area| [(area.right, area.bottom), (area.left, area.bottom)]);
        let mut outline: Vec<(i32, i32)> = above.chain(below).collect();
        outline.dedup();
        self.area.draw(&Polygon::new(outline, color))
    }

    /// Lines from lower left to upper right, clipped to the area. They lie on a grid of the whole
    /// picture, so that hatchings side by side continue one another.
    fn hatching(&self, area: Area, hatch: Hatch) -> Result<(), DrawingAreaErrorKind<B::ErrorType>> {
        let distance = hatch.distance.max(2);
        let first = (area.left + area.top).div_euclid(distance) * distance;
        // On a line, x + y is the same everywhere.
        for sum in (first..area.right + area.bottom).step_by(distance as usize) {
            let left = area.left.max(sum - area.bottom + 1);
            let right = (area.right - 1).min(sum - area.top);
            if left < right {
                let ends = [(left, sum - left), (right, sum - right)];
                let style = hatch.color.stroke_width(hatch.stroke.max(1) as u32);
                self.area.draw(&PathElement::new(ends, style))?;
            }
        }
        Ok(())
    }
}
