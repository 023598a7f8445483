//! `--chart`: figures written to files.

use std::fs::Permissions;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::args::{ChartArgs, ThemeArg};
use super::error::CliError;
use super::shown;
use crate::render::chart::{self, Figure, Size, Theme};

/// The charts that were asked for.
pub(super) struct Charts<'a> {
    files: Vec<(&'a Path, Format)>,
    size: Size,
    theme: Theme,
}

#[derive(Debug, Clone, Copy)]
enum Format {
    Png,
    Svg,
}

impl<'a> Charts<'a> {
    /// What the options ask for; an error before anything is read where it cannot be meant.
    pub(super) fn new(args: &'a ChartArgs) -> Result<Self, CliError> {
        let file = |path: &'a PathBuf| Ok((path.as_path(), format(path)?));
        Ok(Self {
            files: args.chart.iter().map(file).collect::<Result<_, CliError>>()?,
            size: args.size.as_deref().map_or(Ok(Size::default()), size)?,
            theme: match args.theme {
                ThemeArg::Light => Theme::Light,
                ThemeArg::Dark => Theme::Dark,
            },
        })
    }

    /// Whether there are any.
    pub(super) fn are_wanted(&self) -> bool {
        !self.files.is_empty()
    }

    /// Draws the figure into each of the files. `figure` is asked only where there are any.
    pub(super) fn write<'f>(
        &self,
        figure: impl FnOnce() -> Option<Figure<'f>>,
    ) -> Result<(), CliError> {
        let Some((first, _)) = self.files.first() else { return Ok(()) };
        let figure = figure().ok_or_else(|| {
            CliError::Failed(format!(
                "{}: there is no time to draw: nothing was read\n\
                 Read other sources, or say with --since and --until what time to draw.",
                shown(first)
            ))
        })?;
        for (path, format) in &self.files {
            let drawn = match format {
                Format::Png => chart::png(&figure, self.size, self.theme),
                Format::Svg => chart::svg(&figure, self.size, self.theme).map(String::into_bytes),
            };
            let bytes =
                drawn.map_err(|error| CliError::Failed(format!("{}: {error}", shown(path))))?;
            replace(path, &bytes).map_err(|error| {
                CliError::Failed(format!(
                    "{}: the chart could not be written: {error}\n\
                     Name a file in a directory that exists and that you may write to.",
                    shown(path)
                ))
            })?;
        }
        Ok(())
    }
}

/// The format that a file's name asks for.
fn format(path: &Path) -> Result<Format, CliError> {
    let suffix = path.extension().map(|suffix| suffix.to_ascii_lowercase());
    match suffix.as_ref().and_then(|suffix| suffix.to_str()) {
        Some("png") => Ok(Format::Png),
        Some("svg") => Ok(Format::Svg),
        _ => Err(CliError::Usage(format!(
            "--chart {}: the name says no format\nLet it end in .png or .svg.",
            shown(path)
        ))),
    }
}

/// A size as people write it: `1200x800`.
fn size(text: &str) -> Result<Size, CliError> {
    let (width, height) = text.split_once(['x', 'X', '×']).unwrap_or((text, ""));
    let number = |text: &str| text.trim().parse().ok();
    let size =
        number(width).zip(number(height)).and_then(|(width, height)| Size::new(width, height));
    size.ok_or_else(|| {
        let (min, max) = (Size::MIN, Size::MAX);
        CliError::Usage(format!(
            "--size {text}: not a size\nWrite width and height in pixels, from {}x{} to {}x{}: \
             1200x800.",
            min.width(),
            min.height(),
            max.width(),
            max.height()
        ))
    })
}

/// Writes a file as a whole: who reads it meanwhile sees the old one or the new one.
fn replace(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let mut file = tempfile::Builder::new()
        .prefix(".ebbline-chart-")
        // The process's umask takes away what it does not grant.
        .permissions(Permissions::from_mode(0o666))
        .tempfile_in(folder.unwrap_or(Path::new(".")))?;
    file.write_all(bytes)?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}
