//! Decompression of whole files, by the magic bytes at their start.
//!
//! Everything streams: memory is bounded by the decoders' own windows, however large the content
//! is. All formats may be several streams one after another, as `cat a.gz b.gz` and log rotation
//! make them. What can be decoded before an error is handed out before the error.

use std::io::{self, BufReader, Read};

use liblzma::stream::{CONCATENATED, Stream};

/// An xz stream may ask for a dictionary of gigabytes. `xz -9` needs 65 MiB.
const XZ_MEMORY_BYTES: u64 = 100 << 20;

/// How a file is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// gzip, RFC 1952.
    Gzip,
    /// Zstandard, RFC 8878.
    Zstd,
    /// xz, <https://tukaani.org/xz/xz-file-format.txt>.
    Xz,
    /// bzip2.
    Bzip2,
    /// LZ4 frames, <https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md>.
    Lz4,
}

impl Compression {
    /// So many bytes of a file's start decide.
    pub const MAGIC_BYTES: usize = 6;

    /// The compression that the first bytes of a file show; `None`: not compressed.
    pub fn of(head: &[u8]) -> Option<Self> {
        match head {
            [0x1f, 0x8b, 8, ..] => Some(Self::Gzip),
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Some(Self::Zstd),
            // A skippable frame, which pzstd and seekable files may begin with.
            [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Some(Self::Zstd),
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Some(Self::Xz),
            [b'B', b'Z', b'h', b'1'..=b'9', ..] => Some(Self::Bzip2),
            [0x04, 0x22, 0x4d, 0x18, ..] => Some(Self::Lz4),
            _ => None,
        }
    }

    /// The name in messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
            Self::Xz => "xz",
            Self::Bzip2 => "bzip2",
            Self::Lz4 => "lz4",
        }
    }
}

/// The content of `reader`: decompressed, or as it is where it is not compressed.
///
/// Fails only where a decoder cannot be set up. Errors of reading come from the returned reader, as
/// `truncated gzip stream` where the input ends too early and `damaged gzip stream: …` otherwise;
/// errors of `reader` itself are passed on as they are.
pub fn decompress<'a>(reader: impl Read + 'a) -> io::Result<Box<dyn Read + 'a>> {
    let (head, reader) = peek(reader, Compression::MAGIC_BYTES);
    let Some(compression) = Compression::of(&head) else { return Ok(Box::new(reader)) };
    let inner: Box<dyn Read + 'a> = match compression {
        Compression::Gzip => Box::new(flate2::read::MultiGzDecoder::new(reader)),
        Compression::Zstd => Box::new(zstd::Decoder::new(reader)?),
        Compression::Xz => {
            let stream = Stream::new_stream_decoder(XZ_MEMORY_BYTES, CONCATENATED)?;
            Box::new(liblzma::read::XzDecoder::new_stream(reader, stream))
        }
        Compression::Bzip2 => Box::new(bzip2::read::MultiBzDecoder::new(reader)),
        Compression::Lz4 => Box::new(Lz4Frames::new(reader)),
    };
    Ok(Box::new(Decoder { compression, inner }))
}

/// Names the compression in what goes wrong with it.
struct Decoder<'a> {
    compression: Compression,
    inner: Box<dyn Read + 'a>,
}

impl Read for Decoder<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.inner.read(buffer).map_err(|error| {
            let name = self.compression.name();
            match error.kind() {
                _ if is_memory_limit(&error) => {
                    let problem = format!(
                        "the {name} stream needs more than {} MiB of memory: unpack it first",
                        XZ_MEMORY_BYTES >> 20
                    );
                    io::Error::new(io::ErrorKind::InvalidData, problem)
                }
                // The disk's own errors carry the operating system's number.
                _ if error.raw_os_error().is_some() => error,
                io::ErrorKind::Interrupted => error,
                io::ErrorKind::UnexpectedEof => {
                    io::Error::new(error.kind(), format!("truncated {name} stream"))
                }
                _ => io::Error::new(
                    io::ErrorKind::InvalidData,
                    format!("damaged {name} stream: {error}"),
                ),
            }
        })
    }
}

fn is_memory_limit(error: &io::Error) -> bool {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<liblzma::stream::Error>());
    inner.is_some_and(|inner| matches!(inner, liblzma::stream::Error::MemLimit))
}

/// LZ4 frames one after another.
///
/// `lz4_flex` ends its stream at the end of each frame and also where the input ends between two
/// blocks of a frame; this tells the two apart.
struct Lz4Frames<R: Read> {
    decoder: lz4_flex::frame::FrameDecoder<Watched<R>>,
    in_frame: bool,
}

impl<R: Read> Lz4Frames<R> {
    fn new(reader: R) -> Self {
        let input = Watched { inner: BufReader::new(reader), bytes: 0, ended: false };
        Self { decoder: lz4_flex::frame::FrameDecoder::new(input), in_frame: false }
    }
}

impl<R: Read> Read for Lz4Frames<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            let before = self.decoder.get_ref().bytes;
            let count = self.decoder.read(buffer)?;
            if count > 0 {
                self.in_frame = true;
                return Ok(count);
            }
            let input = self.decoder.get_ref();
            match (input.ended, self.in_frame || input.bytes > before) {
                (false, _) => self.in_frame = false,
                (true, false) => return Ok(0),
                (true, true) => return Err(io::ErrorKind::UnexpectedEof.into()),
            }
        }
    }
}

/// Remembers how much was read and whether the end was met.
struct Watched<R> {
    inner: BufReader<R>,
    bytes: u64,
    ended: bool,
}

impl<R: Read> Read for Watched<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.bytes += count as u64;
        self.ended |= count == 0 && !buffer.is_empty();
        Ok(count)
    }
}

/// Reads up to `count` bytes ahead: these bytes, and a reader that still gives them first.
///
/// An error met on the way is given by that reader, after the bytes before it.
pub(super) fn peek<R: Read>(mut reader: R, count: usize) -> (Vec<u8>, Peeked<R>) {
    let mut head = vec![0; count];
    let mut length = 0;
    let mut error = None;
    while let Some(free @ [_, ..]) = head.get_mut(length..) {
        match reader.read(free) {
            Ok(0) => break,
            Ok(more) => length += more,
            Err(failure) if failure.kind() == io::ErrorKind::Interrupted => {}
            Err(failure) => {
                error = Some(failure);
                break;
            }
        }
    }
    head.truncate(length);
    (head.clone(), Peeked { head: io::Cursor::new(head), error, rest: reader })
}

/// A reader whose beginning has been looked at.
pub(super) struct Peeked<R> {
    head: io::Cursor<Vec<u8>>,
    error: Option<io::Error>,
    rest: R,
}

impl<R: Read> Read for Peeked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.head.read(buffer)?;
        if count > 0 || buffer.is_empty() {
            return Ok(count);
        }
        match self.error.take() {
            Some(error) => Err(error),
            None => self.rest.read(buffer),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_passes_unchanged_however_short() {
        for text in ["", "a", "2026-05-06 04:49:00 a line\n"] {
            let mut content = String::new();
            decompress(text.as_bytes()).unwrap().read_to_string(&mut content).unwrap();
            assert_eq!(content, text);
        }
    }

    #[test]
    fn an_lz4_frame_cut_between_blocks_is_truncated() {
        // A frame header without any block: descriptor 0x40 0x40 and its checksum byte.
        let header: &[u8] = &[0x04, 0x22, 0x4d, 0x18, 0x40, 0x40, 0xc0];
        let mut content = Vec::new();
        let error = decompress(header).unwrap().read_to_end(&mut content).unwrap_err();
        assert_eq!(error.to_string(), "truncated lz4 stream");
    }
}
