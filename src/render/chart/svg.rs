//! SVG: the scene as vectors.
//!
//! Letters are drawn as outlines, so that they look the same whatever fonts a viewer has. Above
//! them lie the same texts as text, stretched to the same width and not painted, so that they can be
//! selected, searched and read aloud.

use std::collections::BTreeMap;
use std::fmt::Write;

use ab_glyph::{Font, GlyphId, OutlineCurve};
use plotters::backend::SVGBackend;
use plotters::drawing::IntoDrawingArea;

use super::ChartError;
use super::font::{Fonts, Weight};
use super::scene::{Scene, Text};
use super::shapes::{self, Surfaces};

/// The glyphs that a picture uses, and the names that it gives them.
#[derive(Default)]
struct Names(BTreeMap<(Weight, GlyphId), usize>);

/// The scene as an SVG file.
pub(super) fn encode(scene: &Scene) -> Result<String, ChartError> {
    let mut file = String::new();
    {
        let backend = SVGBackend::with_string(&mut file, (scene.width as u32, scene.height as u32));
        shapes::draw(scene, &backend.into_drawing_area(), Surfaces::Outline)?;
    }
    let fonts = Fonts::load()?;
    let mut names = Names::default();
    let (mut drawn, mut readable) = (String::new(), String::new());
    for text in &scene.texts {
        add_drawn(&mut drawn, &fonts, &mut names, text);
        add_readable(&mut readable, text);
    }
    let outlines = names.outlines(&fonts);
    let head_end = file.find('\n').map_or(0, |end| end + 1);
    let shapes_end = file.rfind("</svg>").unwrap_or(file.len());
    let (head, rest) = file.split_at(head_end);
    let shapes = rest.get(..shapes_end - head_end).unwrap_or(rest);
    Ok(format!(
        "{head}<title>{}</title>\n<defs>\n{outlines}</defs>\n{shapes}\
         <g aria-hidden=\"true\">\n{drawn}</g>\n\
         <g font-family=\"sans-serif\" fill-opacity=\"0\">\n{readable}</g>\n</svg>\n",
        escaped(&scene.name)
    ))
}

/// The text as glyphs in their places.
fn add_drawn(out: &mut String, fonts: &Fonts, names: &mut Names, text: &Text) {
    let style = text.style;
    let scale = fonts.pixels_per_unit(style.weight, style.size);
    let color = hex(text);
    push(
        out,
        format_args!(
            "<g transform=\"translate({} {}) scale({scale:.6} -{scale:.6})\" fill=\"{color}\">",
            text.left, text.baseline
        ),
    );
    for glyph in fonts.glyphs(&text.content, style.weight, style.size) {
        if fonts.of(style.weight).outline(glyph.id).is_some() {
            let name = names.of(style.weight, glyph.id);
            let left = (glyph.left / scale).round();
            push(out, format_args!("<use href=\"#g{name}\" x=\"{left}\"/>"));
        }
    }
    out.push_str("</g>\n");
}

/// The same as text.
fn add_readable(out: &mut String, text: &Text) {
    let (size, width) = (text.style.size, text.width);
    push(
        out,
        format_args!(
            "<text x=\"{}\" y=\"{}\" font-size=\"{size}\" textLength=\"{width:.2}\" \
             lengthAdjust=\"spacingAndGlyphs\">{}</text>\n",
            text.left,
            text.baseline,
            escaped(&text.content)
        ),
    );
}

impl Names {
    fn of(&mut self, weight: Weight, id: GlyphId) -> usize {
        let next = self.0.len();
        *self.0.entry((weight, id)).or_insert(next)
    }

    /// The outlines of the glyphs in the font's own grid, in which up is positive.
    fn outlines(&self, fonts: &Fonts) -> String {
        let mut out = String::new();
        for ((weight, id), name) in &self.0 {
            let Some(outline) = fonts.of(*weight).outline(*id) else { continue };
            push(
                &mut out,
                format_args!("<path id=\"g{name}\" d=\"{}\"/>\n", path(&outline.curves)),
            );
        }
        out
    }
}

fn path(curves: &[OutlineCurve]) -> String {
    let mut path = String::new();
    let mut pen = None;
    for curve in curves {
        let (start, end) = match curve {
            OutlineCurve::Line(a, b) => (a, b),
            OutlineCurve::Quad(a, _, b) => (a, b),
            OutlineCurve::Cubic(a, _, _, b) => (a, b),
        };
        if pen != Some(*start) {
            push(&mut path, format_args!("M{} {}", start.x, start.y));
        }
        match curve {
            OutlineCurve::Line(..) => push(&mut path, format_args!("L{} {}", end.x, end.y)),
            OutlineCurve::Quad(_, c, _) => {
                push(&mut path, format_args!("Q{} {} {} {}", c.x, c.y, end.x, end.y));
            }
            OutlineCurve::Cubic(_, c, d, _) => push(
                &mut path,
                format_args!("C{} {} {} {} {} {}", c.x, c.y, d.x, d.y, end.x, end.y),
            ),
        }
        pen = Some(*end);
    }
    path
}

fn hex(text: &Text) -> String {
    let color = text.style.color;
    format!("#{:02x}{:02x}{:02x}", color.0, color.1, color.2)
}

/// Text without anything that XML takes for markup.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn push(text: &mut String, formatted: std::fmt::Arguments<'_>) {
    // Writing to a string cannot fail.
    let _ = text.write_fmt(formatted);
}
