//! The font of the figures, which the program carries: how wide a text is, where it is broken, and
//! the glyphs that it is drawn with.
//!
//! DejaVu has Latin, Greek and Cyrillic letters, arrows and signs. A character that it lacks is
//! drawn as a box.

use ab_glyph::{Font, FontRef, Glyph, GlyphId, OutlinedGlyph, PxScale, point};

use super::ChartError;
use crate::render::escape;

/// No text of a figure is longer: it would not fit into any.
const MAX_CHARACTERS: usize = 600;

/// How bold text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Weight {
    Regular,
    Bold,
}

/// The font in its weights.
pub(super) struct Fonts {
    regular: FontRef<'static>,
    bold: FontRef<'static>,
}

/// A glyph of a text, and where it begins.
#[derive(Debug, Clone, Copy)]
pub(super) struct PlacedGlyph {
    pub(super) id: GlyphId,
    /// From the text's left end, in pixels.
    pub(super) left: f32,
}

impl Fonts {
    /// The fonts that the program carries.
    pub(super) fn load() -> Result<Self, ChartError> {
        let read = |bytes| FontRef::try_from_slice(bytes).map_err(|_| ChartError::Font);
        Ok(Self {
            regular: read(dejavu::sans_condensed::regular())?,
            bold: read(dejavu::sans_condensed::bold())?,
        })
    }

    /// The font of a weight.
    pub(super) fn of(&self, weight: Weight) -> &FontRef<'static> {
        match weight {
            Weight::Regular => &self.regular,
            Weight::Bold => &self.bold,
        }
    }

    /// Pixels for a unit of the font's own grid.
    pub(super) fn pixels_per_unit(&self, weight: Weight, size: f32) -> f32 {
        size / self.of(weight).units_per_em().unwrap_or(2048.0)
    }

    /// The glyphs of a text from left to right.
    pub(super) fn glyphs(&self, text: &str, weight: Weight, size: f32) -> Vec<PlacedGlyph> {
        let scale = self.pixels_per_unit(weight, size);
        let font = self.of(weight);
        let mut left = 0.0;
        let place = |character| {
            let id = font.glyph_id(character);
            let glyph = PlacedGlyph { id, left };
            left += font.h_advance_unscaled(id) * scale;
            glyph
        };
        text.chars().map(place).collect()
    }

    /// The outline of a glyph at a place; `None` where it has none, as a space.
    pub(super) fn outline(
        &self,
        id: GlyphId,
        weight: Weight,
        size: f32,
        (x, y): (f32, f32),
    ) -> Option<OutlinedGlyph> {
        let font = self.of(weight);
        // The crate's scale is that of the line's height, not of the em.
        let scale = font.height_unscaled() * self.pixels_per_unit(weight, size);
        font.outline_glyph(Glyph { id, scale: PxScale::from(scale), position: point(x, y) })
    }

    /// How wide a text is, in pixels.
    pub(super) fn width(&self, text: &str, weight: Weight, size: f32) -> f32 {
        let font = self.of(weight);
        let advance = |character| font.h_advance_unscaled(font.glyph_id(character));
        text.chars().map(advance).sum::<f32>() * self.pixels_per_unit(weight, size)
    }

    /// The text, or as many of its words as fit, with an ellipsis behind them.
    pub(super) fn fit(&self, text: &str, weight: Weight, size: f32, width: i32) -> String {
        self.wrap(text, weight, size, width, 1).pop().unwrap_or_default()
    }

    /// The text in at most `max_lines` lines, broken between words where that is possible; the last
    /// line ends with an ellipsis where something was left out.
    pub(super) fn wrap(
        &self,
        text: &str,
        weight: Weight,
        size: f32,
        width: i32,
        max_lines: usize,
    ) -> Vec<String> {
        let fits = |line: &str| self.width(line, weight, size) <= width as f32;
        let mut lines = Vec::new();
        let mut rest = text.trim();
        while !rest.is_empty() && lines.len() < max_lines {
            let is_last = lines.len() + 1 == max_lines;
            let taken = longest(rest, "", &fits);
            if taken == rest.len() {
                lines.push(rest.to_owned());
                break;
            }
            let taken = if is_last { longest(rest, "…", &fits) } else { taken };
            let taken = word_border(rest, taken);
            let (line, behind) = rest.split_at(taken);
            let line = line.trim_end();
            lines.push(if is_last { format!("{line}…") } else { line.to_owned() });
            rest = behind.trim_start();
        }
        lines
    }
}

/// Text from a log, a note or an argument: on one line, without control characters, bounded.
pub(super) fn clean(text: &str) -> String {
    let mut characters = text.chars();
    let bounded: String = characters.by_ref().take(MAX_CHARACTERS).collect();
    let more = if characters.next().is_some() { "…" } else { "" };
    let line = escape::one_line(&bounded);
    // The last two are no characters in XML.
    escape::terminal(&line).replace(['\u{fffe}', '\u{ffff}'], "\u{fffd}") + more
}

/// How many bytes of the text fit with `end` behind them, at least a character.
fn longest(text: &str, end: &str, fits: &impl Fn(&str) -> bool) -> usize {
    let borders: Vec<usize> =
        text.char_indices().skip(1).map(|(at, _)| at).chain([text.len()]).collect();
    let count = borders.partition_point(|border| {
        let start = text.get(..*border).unwrap_or(text);
        fits(&format!("{}{end}", start.trim_end()))
    });
    borders.get(count.saturating_sub(1)).copied().unwrap_or(text.len())
}

/// The last border of a word within the first `taken` bytes; `taken` where a word would have to be
/// longer than half of the line to be moved to the next one.
fn word_border(text: &str, taken: usize) -> usize {
    let (line, behind) = text.split_at(taken);
    if behind.starts_with(' ') {
        return taken;
    }
    match line.rfind(' ') {
        Some(space) if space >= taken / 2 => space,
        _ => taken,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_broken_between_words_and_ends_with_an_ellipsis() {
        let fonts = Fonts::load().unwrap();
        let text = "replica systemd unit added 19:19 PDT (commit 03f91a907); broke immediately";
        let lines = fonts.wrap(text, Weight::Regular, 12.0, 200, 9);
        assert_eq!(lines.join(" "), text);
        assert!(lines.len() > 1);
        for line in &lines {
            assert!(fonts.width(line, Weight::Regular, 12.0) <= 200.0, "{line}");
        }
        let two = fonts.wrap(text, Weight::Regular, 12.0, 150, 2);
        assert_eq!(two.len(), 2);
        let (kept, dots) = two[1].split_at(two[1].len() - "…".len());
        assert_eq!(dots, "…");
        assert!(text.contains(&format!("{} {kept} ", two[0])), "{two:?}");
        assert!(fonts.width(&two[1], Weight::Regular, 12.0) <= 150.0);
        assert_eq!(fonts.fit("short", Weight::Bold, 12.0, 100), "short");
    }

    #[test]
    fn a_word_that_is_wider_than_the_line_is_cut() {
        let fonts = Fonts::load().unwrap();
        let lines = fonts.wrap(&"W".repeat(100), Weight::Regular, 12.0, 100, 3);
        assert_eq!(lines.len(), 3);
        assert!(lines[2].ends_with("W…"), "{lines:?}");
    }

    #[test]
    fn what_a_viewer_would_obey_is_spelt_out() {
        assert_eq!(clean("a\nb\t\u{1b}[2J \u{202e}x\u{ffff}"), "a b \\x1b[2J \\u{202e}x\u{fffd}");
        let long = clean(&"x".repeat(5000));
        assert_eq!(long.chars().count(), MAX_CHARACTERS + 1);
        assert!(long.ends_with("x…"));
    }
}
