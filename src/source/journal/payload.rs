//! Payloads of DATA objects: plain, or compressed with ZSTD, LZ4 or XZ.
//!
//! What a compressed payload grows to is bounded, so no file can make the reader run out of
//! memory. Contexts and buffers are kept from one object to the next.

use std::io;

use liblzma::stream::{Action, Status, Stream};
use zstd::stream::raw::{Decoder, InBuffer, Operation, OutBuffer};

use super::object::Compression;

/// Longer payloads are not read: no log message is this long.
pub(super) const MAX_PAYLOAD_BYTES: usize = 16 << 20;
/// All payloads of a file together may grow to this, whatever the file's size …
const MAX_GROWTH_BYTES: u64 = 64 << 20;
/// … and to so many times its size: beyond that, a file is made to cost time.
const MAX_GROWTH: u64 = 64;
/// Enough of a payload to know its field, and whether a filter's value can be meant.
const PEEK_BYTES: usize = 64;
/// XZ streams may ask for a dictionary of their own choice; journald's need far less.
const XZ_MEMORY_BYTES: u64 = 64 << 20;
/// Payloads up to here are decompressed at once; a peek into them would save nothing.
const SMALL_BYTES: usize = 128 << 10;

/// Decompresses payloads of one file, one after another.
#[derive(Default)]
pub(super) struct Decompressor {
    zstd: Option<zstd::bulk::Decompressor<'static>>,
    buffer: Vec<u8>,
    /// So much may still come out of all payloads together.
    left_bytes: u64,
}

impl Decompressor {
    /// For the payloads of a file of this size.
    pub(super) fn new(file_bytes: u64) -> Self {
        let left_bytes = file_bytes.saturating_mul(MAX_GROWTH).saturating_add(MAX_GROWTH_BYTES);
        Self { left_bytes, ..Self::default() }
    }

    /// The payload that `bytes` hold, at most [`MAX_PAYLOAD_BYTES`] of it; where `wanted` declines
    /// the payload's first bytes, those alone may be returned.
    ///
    /// Fails with the problem where the bytes are not what the object's flags say, or are more.
    pub(super) fn decompress(
        &mut self,
        compression: Compression,
        bytes: &[u8],
        wanted: impl Fn(&[u8]) -> bool,
    ) -> Result<&[u8], String> {
        if self.left_bytes == 0 {
            return Err("the file's payloads decompress to far more than its size".to_owned());
        }
        let length = match compression {
            Compression::Zstd => self.zstd(bytes, wanted),
            Compression::Lz4 => self.lz4(bytes),
            Compression::Xz => self.xz(bytes, wanted),
        }?;
        Ok(self.buffer.get(..length).unwrap_or_default())
    }

    fn zstd(&mut self, bytes: &[u8], wanted: impl Fn(&[u8]) -> bool) -> Result<usize, String> {
        let problem = |error: io::Error| format!("a ZSTD payload cannot be decompressed: {error}");
        let size = zstd::zstd_safe::get_frame_content_size(bytes).ok().flatten();
        match size.and_then(|size| usize::try_from(size).ok()) {
            Some(size) if size <= SMALL_BYTES => {
                self.make_room(size);
                self.spend(size);
                let zstd = match &mut self.zstd {
                    Some(zstd) => zstd,
                    none => none.insert(zstd::bulk::Decompressor::new().map_err(problem)?),
                };
                zstd.decompress_to_buffer(bytes, &mut self.buffer[..size]).map_err(problem)
            }
            Some(size) if size > MAX_PAYLOAD_BYTES => {
                // The first bytes still say whether it matters at all.
                let length = self.zstd_stream(bytes, PEEK_BYTES).map_err(problem)?;
                if wanted(&self.buffer[..length]) { Err(too_long()) } else { Ok(length) }
            }
            _ => {
                let length = self.zstd_stream(bytes, PEEK_BYTES).map_err(problem)?;
                if !wanted(&self.buffer[..length]) {
                    return Ok(length);
                }
                let length = self.zstd_stream(bytes, MAX_PAYLOAD_BYTES + 1).map_err(problem)?;
                if length > MAX_PAYLOAD_BYTES { Err(too_long()) } else { Ok(length) }
            }
        }
    }

    /// Decompresses until `limit_bytes` are there or the frame ends.
    fn zstd_stream(&mut self, bytes: &[u8], limit_bytes: usize) -> io::Result<usize> {
        let mut decoder = Decoder::new()?;
        let mut input = InBuffer::around(bytes);
        let mut length = 0;
        loop {
            self.make_room((2 * length).clamp(PEEK_BYTES, limit_bytes));
            let room = self.buffer.len().min(limit_bytes);
            let mut output = OutBuffer::around(&mut self.buffer[length..room]);
            let hint = decoder.run(&mut input, &mut output)?;
            let got = output.pos();
            length += got;
            self.spend(got);
            if hint == 0 || length >= limit_bytes {
                return Ok(length);
            }
            if got == 0 && input.pos() == bytes.len() {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }

    /// LZ4 blocks stand behind their decompressed size, 8 bytes.
    fn lz4(&mut self, bytes: &[u8]) -> Result<usize, String> {
        let broken = || "an LZ4 payload cannot be decompressed".to_owned();
        let (size, block) = bytes.split_first_chunk::<8>().ok_or_else(broken)?;
        let size = usize::try_from(u64::from_le_bytes(*size)).map_err(|_| broken())?;
        // A block cannot grow by more than a factor of 255, so this size is a lie.
        if size / 256 > block.len() {
            return Err(broken());
        }
        if size > MAX_PAYLOAD_BYTES {
            return Err(too_long());
        }
        self.make_room(size);
        self.spend(size);
        lz4_flex::block::decompress_into(block, &mut self.buffer[..size]).map_err(|_| broken())
    }

    fn xz(&mut self, bytes: &[u8], wanted: impl Fn(&[u8]) -> bool) -> Result<usize, String> {
        let problem = |error: liblzma::stream::Error| {
            format!("an XZ payload cannot be decompressed: {error}")
        };
        let mut stream = Stream::new_stream_decoder(XZ_MEMORY_BYTES, 0).map_err(problem)?;
        let mut length = 0;
        loop {
            self.make_room((2 * length).clamp(PEEK_BYTES, MAX_PAYLOAD_BYTES + 1));
            // The first step stops early, to see whether the payload matters at all.
            let room = if length == 0 { PEEK_BYTES } else { self.buffer.len() };
            let read = usize::try_from(stream.total_in()).unwrap_or(bytes.len());
            let rest = bytes.get(read..).unwrap_or_default();
            let before = stream.total_out();
            let status = stream
                .process(rest, &mut self.buffer[length..room], Action::Finish)
                .map_err(problem)?;
            let got = (stream.total_out() - before) as usize;
            let first = length == 0;
            length += got;
            self.spend(got);
            if matches!(status, Status::StreamEnd) {
                return Ok(length);
            }
            if got == 0 {
                return Err("an XZ payload is cut off".to_owned());
            }
            if first && !wanted(&self.buffer[..length]) {
                return Ok(length);
            }
            if length > MAX_PAYLOAD_BYTES {
                return Err(too_long());
            }
        }
    }

    fn spend(&mut self, bytes: usize) {
        self.left_bytes = self.left_bytes.saturating_sub(bytes as u64);
    }

    fn make_room(&mut self, size: usize) {
        if self.buffer.len() < size {
            self.buffer.resize(size, 0);
        }
    }
}

fn too_long() -> String {
    format!("a payload decompresses to more than {} MiB", MAX_PAYLOAD_BYTES >> 20)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_that_is_not_wanted_is_not_decompressed_to_its_end() {
        let large = [b"COREDUMP=".to_vec(), vec![7; 3 << 20]].concat();
        let frame = zstd::bulk::compress(&large, 1).unwrap();
        let mut decompressor = Decompressor::new(1 << 20);
        let peeked = decompressor.decompress(Compression::Zstd, &frame, |_| false).unwrap();
        assert!(peeked.starts_with(b"COREDUMP=") && peeked.len() < 200);
        let whole = decompressor.decompress(Compression::Zstd, &frame, |_| true).unwrap();
        assert!(whole == large);
    }

    #[test]
    fn bytes_that_are_no_frame_are_a_problem_and_no_panic() {
        for compression in [Compression::Zstd, Compression::Lz4, Compression::Xz] {
            for bytes in [&b""[..], b"1234567", b"\xff\xff\xff\xff\xff\xff\xff\xff12", &[0; 64]] {
                let mut decompressor = Decompressor::new(1 << 20);
                let result = decompressor.decompress(compression, bytes, |_| true);
                let empty = result.as_ref().is_ok_and(|payload| payload.is_empty());
                assert!(result.is_err() || empty, "{compression:?} {bytes:?}");
            }
        }
    }
}
