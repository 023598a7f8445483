//! PNG: the scene as pixels.

use plotters::backend::BitMapBackend;
use plotters::drawing::IntoDrawingArea;

use super::ChartError;
use super::font::Fonts;
use super::scene::{Scene, Text};
use super::shapes::{self, Surfaces};

const BYTES_PER_PIXEL: usize = 3;

/// The scene as a PNG file.
pub(super) fn encode(scene: &Scene) -> Result<Vec<u8>, ChartError> {
    let (width, height) = (scene.width as u32, scene.height as u32);
    let mut pixels = vec![0; width as usize * height as usize * BYTES_PER_PIXEL];
    {
        let backend = BitMapBackend::with_buffer(&mut pixels, (width, height));
        shapes::draw(scene, &backend.into_drawing_area(), Surfaces::Rectangles)?;
    }
    let fonts = Fonts::load()?;
    for text in &scene.texts {
        write(&mut pixels, scene, &fonts, text);
    }
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, width, height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::Balanced);
    let written = encoder.write_header().and_then(|mut writer| writer.write_image_data(&pixels));
    written.map_err(|error| ChartError::Drawing(error.to_string()))?;
    Ok(file)
}

/// Draws a text, each pixel as far as glyphs cover it.
fn write(pixels: &mut [u8], scene: &Scene, fonts: &Fonts, text: &Text) {
    let style = text.style;
    let color = [style.color.0, style.color.1, style.color.2];
    for glyph in fonts.glyphs(&text.content, style.weight, style.size) {
        let place = (text.left + glyph.left, text.baseline as f32);
        let Some(outline) = fonts.outline(glyph.id, style.weight, style.size, place) else {
            continue;
        };
        let corner = outline.px_bounds().min;
        outline.draw(|x, y, covered| {
            let (x, y) = (corner.x as i32 + x as i32, corner.y as i32 + y as i32);
            if !(0..scene.width).contains(&x) || !(0..scene.height).contains(&y) {
                return;
            }
            let at = (y as usize * scene.width as usize + x as usize) * BYTES_PER_PIXEL;
            let pixel = pixels.get_mut(at..at + BYTES_PER_PIXEL).unwrap_or_default();
            for (part, ink) in pixel.iter_mut().zip(color) {
                let mixed = f32::from(*part) + (f32::from(ink) - f32::from(*part)) * covered;
                *part = mixed.round().clamp(0.0, 255.0) as u8;
            }
        });
    }
}
