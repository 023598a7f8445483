//! A large text in parts, for several threads.
//!
//! A part begins with a line that says by itself that an entry begins there and when it was
//! logged: an instant with year and offset, written like that of the text's first line. From
//! such a line on, a text is read as if nothing stood before it. Where a reader meets a line
//! whose meaning depends on more than that (a time without an offset, a container's stream), it
//! says so, and the text is to be read by one reader after all.

use std::cell::Cell;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::rc::Rc;

use super::Counting;
use super::assemble::Assembler;
use super::dating::Dating;
use super::detect::{self, Form, LineTraits};
use super::neighbour::Neighbour;
use super::record::Recorder;
use super::stamp;
use super::starts::Starts;
use super::style::Style;
use super::window::{Lines, Window};
use crate::source::compression::Compression;
use crate::source::{Detail, Query, Sink, Summary};

/// No part is smaller: the threads of a small text would wait for one another.
const PART_BYTES: u64 = 8 << 20;
/// No more parts than this, each of which has a tally of its own.
const MAX_PARTS: u64 = 512;
/// So many bytes are searched for a line to begin with.
const SEARCHED_BYTES: usize = 256 << 10;

/// A part of a text that can be read apart from the others.
#[derive(Debug, Clone)]
pub(in crate::source) struct Part {
    traits: LineTraits,
    range: Range<u64>,
}

/// Divides a text; `None` where one reader must read it.
pub(in crate::source) fn divide(
    path: &Path,
    bytes: u64,
    query: &Query<'_>,
    threads: usize,
) -> Option<Vec<Part>> {
    let may_be_divided = query.detail != Detail::Entries && query.filter.is_empty();
    if !may_be_divided || threads < 2 || bytes < 2 * PART_BYTES {
        return None;
    }
    let file = File::open(path).ok()?;
    let mut buffer = vec![0; SEARCHED_BYTES];
    let (traits, first) = first_line(read_at(&file, &mut buffer, 0)?)?;
    let part_bytes = PART_BYTES.max(bytes / MAX_PARTS);
    let mut parts = Vec::new();
    let mut start = 0;
    let mut wanted = part_bytes;
    while wanted < bytes {
        if let Some(border) = find_border(read_at(&file, &mut buffer, wanted)?, &first) {
            let border = wanted + border as u64;
            parts.push(Part { traits, range: start..border });
            start = border;
        }
        wanted += part_bytes;
    }
    // The last reader goes on as long as the text has grown meanwhile.
    parts.push(Part { traits, range: start..u64::MAX });
    (parts.len() > 1).then_some(parts)
}

/// Reads one part; also says how many lines it has. `None`: what it means depends on what stands
/// before it.
pub(in crate::source) fn read(
    part: &Part,
    path: &Path,
    query: &Query<'_>,
    sink: &mut dyn Sink,
) -> Option<io::Result<(Summary, u64)>> {
    let Part { traits, range } = part;
    let bytes = Rc::new(Cell::new(0));
    let inner = match open_at(path, range) {
        Ok(file) => Box::new(file),
        Err(error) => return Some(Err(error)),
    };
    let reader = Counting { inner, progress: query.progress, bytes: Rc::clone(&bytes) };
    let mut lines = Lines::new(Window::starting_at(range.start, Box::new(reader)));
    let kind = Form::Lines(*traits).kind();
    let mut recorder = Recorder::new(query, sink, path.to_owned(), kind);
    let starts = Starts::new(*traits, Dating::new(query.zone, None, None));
    let starts = Assembler::new(&mut lines, starts, traits.style, &mut recorder, path).run();
    if !starts.is_independent() {
        return None;
    }
    if let Some((offset, error)) = lines.take_error() {
        recorder.damage(offset, error.to_string());
    }
    Some(Ok((recorder.finish(bytes.get()), lines.number())))
}

fn open_at(path: &Path, range: &Range<u64>) -> io::Result<impl Read + use<>> {
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(range.start))?;
    Ok(file.take(range.end - range.start))
}

/// What the text is, and the timestamp of its first line, if both are such that it can be
/// divided.
fn first_line(head: &[u8]) -> Option<(LineTraits, Neighbour)> {
    let head = head.get(..detect::HEAD_BYTES).unwrap_or(head);
    if Compression::of(head).is_some() {
        return None;
    }
    match detect::form(head, false) {
        Form::Lines(traits) if matches!(traits.style, Style::Plain | Style::Syslog) => {
            Some((traits, instant_of(head)?))
        }
        _ => None,
    }
}

/// The timestamp at the beginning of `line`, if it is all that is needed to date it.
fn instant_of(line: &[u8]) -> Option<Neighbour> {
    let line = line.split(|byte| *byte == b'\n').next()?;
    Neighbour::new(line, &stamp::find(line)?)
}

/// Where the first line begins that is dated like `first`, behind the first break in `bytes`.
fn find_border(bytes: &[u8], first: &Neighbour) -> Option<usize> {
    let starts = memchr::memchr_iter(b'\n', bytes).map(|at| at + 1);
    starts.take(1000).find(|&start| {
        let line = bytes.get(start..).and_then(instant_of);
        line.is_some_and(|line| line.is_written_like(first))
    })
}

fn read_at<'b>(file: &File, buffer: &'b mut [u8], offset: u64) -> Option<&'b [u8]> {
    let count = file.read_at(buffer, offset).ok()?;
    buffer.get(..count)
}
