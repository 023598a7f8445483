//! A writer of journal files for the variants that the systemd of today no longer writes: LZ4 and
//! XZ payloads, and none compressed at all. Unkeyed hashes, in the regular and the compact layout.
//!
//! It writes a whole file at once: first all fields and entries, then the entry arrays. That what
//! it writes is a journal is for `journalctl --verify` to say.
#![allow(dead_code)]

use std::collections::BTreeMap;
use std::io::Write;

use crate::journals::TestEntry;

const HEADER_BYTES: usize = 256;
/// Buckets of the hash tables; journald makes more of them for a file of 2 MB.
const FEW_BUCKETS: u64 = 101;
const MANY_BUCKETS: u64 = 3640;

/// How the writer compresses payloads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Codec {
    None,
    Xz,
    Lz4,
    Zstd,
}

impl Codec {
    fn object_flag(self) -> u8 {
        match self {
            Self::None => 0,
            Self::Xz => 1,
            Self::Lz4 => 2,
            Self::Zstd => 4,
        }
    }

    fn header_flag(self) -> u32 {
        match self {
            Self::Zstd => 8,
            other => u32::from(other.object_flag()),
        }
    }

    fn compress(self, bytes: &[u8]) -> Vec<u8> {
        match self {
            Self::None => bytes.to_vec(),
            Self::Xz => {
                let mut encoder = liblzma::write::XzEncoder::new(Vec::new(), 0);
                encoder.write_all(bytes).unwrap();
                encoder.finish().unwrap()
            }
            Self::Lz4 => {
                let block = lz4_flex::block::compress(bytes);
                [&(bytes.len() as u64).to_le_bytes(), block.as_slice()].concat()
            }
            Self::Zstd => zstd::bulk::compress(bytes, 3).unwrap(),
        }
    }
}

/// The bytes of a journal file with these entries.
pub(crate) fn journal_bytes(entries: &[TestEntry], codec: Codec, compact: bool) -> Vec<u8> {
    write(Writer::new(codec, compact), entries)
}

/// The bytes of a journal file with these entries, as large as a journald of today writes it: with
/// tables of its sizes, room in its arrays, and nothing short compressed. The file and its
/// sequence have this id.
pub(crate) fn journal_bytes_with_id(entries: &[TestEntry], id: u128) -> Vec<u8> {
    let mut writer = Writer::with_buckets(Codec::Zstd, true, MANY_BUCKETS);
    writer.compressed_from_bytes = 512;
    writer.has_room = true;
    writer.id = Some(id);
    write(writer, entries)
}

fn write(mut writer: Writer, entries: &[TestEntry]) -> Vec<u8> {
    for entry in entries {
        writer.entry(entry);
    }
    writer.finish()
}

struct Writer {
    codec: Codec,
    /// Payloads of this size and more.
    compressed_from_bytes: usize,
    compact: bool,
    buckets: u64,
    /// Whether arrays have room for more entries, as journald leaves it.
    has_room: bool,
    /// The id of the file and of the sequence; `None`: the same ones for every file.
    id: Option<u128>,
    out: Vec<u8>,
    field_table: u64,
    data_table: u64,
    fields: BTreeMap<Vec<u8>, u64>,
    data: BTreeMap<Vec<u8>, Data>,
    entries: Vec<u64>,
    objects: u64,
    tail_object: u64,
    arrays: u64,
}

#[derive(Default)]
struct Data {
    offset: u64,
    hash: u64,
    entries: Vec<u64>,
}

impl Writer {
    fn new(codec: Codec, compact: bool) -> Self {
        Self::with_buckets(codec, compact, FEW_BUCKETS)
    }

    fn with_buckets(codec: Codec, compact: bool, buckets: u64) -> Self {
        let mut writer = Self {
            codec,
            compressed_from_bytes: 64,
            compact,
            buckets,
            has_room: false,
            id: None,
            out: vec![0; HEADER_BYTES],
            field_table: 0,
            data_table: 0,
            fields: BTreeMap::new(),
            data: BTreeMap::new(),
            entries: Vec::new(),
            objects: 0,
            tail_object: 0,
            arrays: 0,
        };
        writer.field_table = writer.object(5, 0, &vec![0; buckets as usize * 16]) + 16;
        writer.data_table = writer.object(4, 0, &vec![0; buckets as usize * 16]) + 16;
        writer.put(8, &0u32.to_le_bytes());
        let flags = codec.header_flag() | if compact { 16 } else { 0 };
        writer.put(12, &flags.to_le_bytes());
        writer
    }

    /// Appends an object and returns its offset.
    fn object(&mut self, kind: u8, flags: u8, body: &[u8]) -> u64 {
        self.out.resize(self.out.len().next_multiple_of(8), 0);
        let offset = self.out.len() as u64;
        self.out.extend_from_slice(&[kind, flags, 0, 0, 0, 0, 0, 0]);
        self.out.extend_from_slice(&(16 + body.len() as u64).to_le_bytes());
        self.out.extend_from_slice(body);
        self.objects += 1;
        self.tail_object = offset;
        offset
    }

    fn put(&mut self, offset: u64, bytes: &[u8]) {
        self.out[offset as usize..offset as usize + bytes.len()].copy_from_slice(bytes);
    }

    fn put_u64(&mut self, offset: u64, value: u64) {
        self.put(offset, &value.to_le_bytes());
    }

    fn u64_at(&self, offset: u64) -> u64 {
        u64::from_le_bytes(self.out[offset as usize..][..8].try_into().unwrap())
    }

    /// Appends an object to the chain of its bucket.
    fn link(&mut self, table: u64, hash: u64, offset: u64) {
        let bucket = table + hash % self.buckets * 16;
        let tail = self.u64_at(bucket + 8);
        if tail == 0 {
            self.put_u64(bucket, offset);
        } else {
            self.put_u64(tail + 24, offset);
        }
        self.put_u64(bucket + 8, offset);
    }

    /// The DATA object of a field, written when first needed: its offset and hash.
    fn data(&mut self, field: &[u8]) -> (u64, u64) {
        if let Some(data) = self.data.get(field) {
            return (data.offset, data.hash);
        }
        let hash = jenkins_hash64(field);
        let is_long = field.len() >= self.compressed_from_bytes;
        let codec = if is_long { self.codec } else { Codec::None };
        let (flags, payload) = (codec.object_flag(), codec.compress(field));
        let mut body = hash.to_le_bytes().to_vec();
        body.resize(if self.compact { 56 } else { 48 }, 0);
        body.extend_from_slice(&payload);
        let offset = self.object(1, flags, &body);
        self.link(self.data_table, hash, offset);
        let name = field.split(|&byte| byte == b'=').next().unwrap().to_vec();
        let of_field = match self.fields.get(&name) {
            Some(&of_field) => of_field,
            None => self.field(&name),
        };
        let next = self.u64_at(of_field + 32);
        self.put_u64(offset + 32, next);
        self.put_u64(of_field + 32, offset);
        self.data.insert(field.to_vec(), Data { offset, hash, entries: Vec::new() });
        (offset, hash)
    }

    fn field(&mut self, name: &[u8]) -> u64 {
        let hash = jenkins_hash64(name);
        let mut body = hash.to_le_bytes().to_vec();
        body.resize(24, 0);
        body.extend_from_slice(name);
        let offset = self.object(2, 0, &body);
        self.link(self.field_table, hash, offset);
        self.fields.insert(name.to_vec(), offset);
        offset
    }

    fn entry(&mut self, entry: &TestEntry) {
        let boot = format!("_BOOT_ID={:032x}", entry.boot).into_bytes();
        let fields = entry
            .fields
            .iter()
            .map(|(name, value)| [name.as_bytes(), b"=", value.as_slice()].concat());
        let fields: Vec<Vec<u8>> = fields.chain([boot]).collect();
        let mut items: Vec<(u64, u64)> = fields.iter().map(|field| self.data(field)).collect();
        items.sort_unstable();
        items.dedup();
        let xor_hash = items.iter().fold(0, |xor, (_, hash)| xor ^ hash);
        let seqnum = self.entries.len() as u64 + 1;
        let mut body = Vec::new();
        for number in [seqnum, entry.realtime_us, entry.monotonic_us] {
            body.extend_from_slice(&number.to_le_bytes());
        }
        body.extend_from_slice(&entry.boot.to_be_bytes());
        body.extend_from_slice(&xor_hash.to_le_bytes());
        for (offset, hash) in items {
            if self.compact {
                body.extend_from_slice(&(offset as u32).to_le_bytes());
            } else {
                body.extend_from_slice(&offset.to_le_bytes());
                body.extend_from_slice(&hash.to_le_bytes());
            }
        }
        let offset = self.object(3, 0, &body);
        self.entries.push(offset);
        for field in fields {
            let entries = &mut self.data.get_mut(&field).unwrap().entries;
            if entries.last() != Some(&offset) {
                entries.push(offset);
            }
        }
        self.put_u64(160, seqnum);
        self.put_u64(168, 1);
        if seqnum == 1 {
            self.put_u64(184, entry.realtime_us);
        }
        self.put_u64(192, entry.realtime_us);
        self.put_u64(200, entry.monotonic_us);
        self.put(56, &entry.boot.to_be_bytes());
    }

    /// Appends an array of entries, or a chain of them, and returns the first one's offset.
    fn array(&mut self, entries: &[u64]) -> u64 {
        let (mut first, mut last, mut room) = (0, 0, 0);
        let mut rest = entries;
        while !rest.is_empty() {
            // `link_entry_into_array` in systemd's journal-file.c.
            let grown = if room == 0 { 4 } else { (room + 1) * 2 };
            let size = if self.has_room { grown } else { rest.len() };
            let (items, others) = rest.split_at(size.min(rest.len()));
            let offset = self.one_array(items, size);
            if first == 0 {
                first = offset;
            } else {
                self.put_u64(last + 16, offset);
            }
            (last, room, rest) = (offset, room + size, others);
        }
        first
    }

    fn one_array(&mut self, entries: &[u64], size: usize) -> u64 {
        let item_bytes = if self.compact { 4 } else { 8 };
        let mut body = vec![0; 8];
        for &entry in entries {
            body.extend_from_slice(&entry.to_le_bytes()[..item_bytes]);
        }
        body.resize(8 + size * item_bytes, 0);
        self.arrays += 1;
        self.object(6, 0, &body)
    }

    fn finish(mut self) -> Vec<u8> {
        for data in std::mem::take(&mut self.data).into_values() {
            self.put_u64(data.offset + 40, data.entries[0]);
            if data.entries.len() > 1 {
                let array = self.array(&data.entries[1..]);
                self.put_u64(data.offset + 48, array);
            }
            self.put_u64(data.offset + 56, data.entries.len() as u64);
            self.put_u64(208, self.u64_at(208) + 1);
        }
        let entries = self.entries.clone();
        let array = self.array(&entries);
        self.out.resize(self.out.len().next_multiple_of(8), 0);
        let arena = (self.out.len() - HEADER_BYTES) as u64;
        self.put(0, b"LPKSHHRH");
        for id in [24, 40, 72] {
            self.put(id, &self.id.map_or([id as u8; 16], u128::to_be_bytes));
        }
        let numbers = [
            (88, HEADER_BYTES as u64),
            (96, arena),
            (104, self.data_table),
            (112, self.buckets * 16),
            (120, self.field_table),
            (128, self.buckets * 16),
            (136, self.tail_object),
            (144, self.objects),
            (152, entries.len() as u64),
            (176, array),
            (216, self.fields.len() as u64),
            (232, self.arrays),
        ];
        for (offset, number) in numbers {
            self.put_u64(offset, number);
        }
        self.out
    }
}

/// Bob Jenkins' `hashlittle2` (lookup3.c, 2006) as journald joins its two halves.
fn jenkins_hash64(bytes: &[u8]) -> u64 {
    let start = 0xdead_beef_u32.wrapping_add(bytes.len() as u32);
    let [mut a, mut b, mut c] = [start; 3];
    if bytes.is_empty() {
        return u64::from(c) << 32 | u64::from(b);
    }
    let mut rest = bytes;
    loop {
        let mut block = [0; 12];
        let taken = rest.len().min(12);
        block[..taken].copy_from_slice(&rest[..taken]);
        let word = |at: usize| u32::from_le_bytes(block[at..at + 4].try_into().unwrap());
        a = a.wrapping_add(word(0));
        b = b.wrapping_add(word(4));
        c = c.wrapping_add(word(8));
        rest = &rest[taken..];
        if rest.is_empty() {
            break;
        }
        for (turn, bits) in [4, 6, 8, 16, 19, 4].into_iter().enumerate() {
            match turn % 3 {
                0 => {
                    a = a.wrapping_sub(c) ^ c.rotate_left(bits);
                    c = c.wrapping_add(b);
                }
                1 => {
                    b = b.wrapping_sub(a) ^ a.rotate_left(bits);
                    a = a.wrapping_add(c);
                }
                _ => {
                    c = c.wrapping_sub(b) ^ b.rotate_left(bits);
                    b = b.wrapping_add(a);
                }
            }
        }
    }
    for (turn, bits) in [14, 11, 25, 16, 4, 14, 24].into_iter().enumerate() {
        match turn % 3 {
            0 => c = (c ^ b).wrapping_sub(b.rotate_left(bits)),
            1 => a = (a ^ c).wrapping_sub(c.rotate_left(bits)),
            _ => b = (b ^ a).wrapping_sub(a.rotate_left(bits)),
        }
    }
    u64::from(c) << 32 | u64::from(b)
}
