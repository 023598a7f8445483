//! Puts events of many sources into the order of their time, in bounded memory: what does not
//! fit is written to temporary files in sorted runs, which are merged at the end.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, Write};

use crate::time::Timestamp;

/// Records held in memory before a run is written.
const RUN_BYTES: usize = 64 << 20;
/// What a record costs beside its text.
const RECORD_OVERHEAD_BYTES: usize = 64;

/// An event's place in the order: undated ones last, then by time, source and place in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    undated: bool,
    micros: i64,
    source: u32,
    sequence: u64,
}

impl Key {
    /// The place of the `sequence`th event of a source.
    pub(super) fn new(at: Option<Timestamp>, source: u32, sequence: u64) -> Self {
        let micros = at.map_or(0, Timestamp::micros);
        Self { undated: at.is_none(), micros, source, sequence }
    }

    /// The source that the event came from.
    pub(super) fn source(&self) -> u32 {
        self.source
    }

    /// Its number among the events of its source.
    pub(super) fn sequence(&self) -> u64 {
        self.sequence
    }

    /// When the event was logged.
    pub(super) fn at(&self) -> Option<Timestamp> {
        if self.undated { None } else { Timestamp::from_micros(self.micros) }
    }
}

/// Collects records in any order and gives them back sorted.
pub(super) struct Sorter {
    records: Vec<(Key, Box<[u8]>)>,
    held_bytes: usize,
    run_bytes: usize,
    runs: Vec<File>,
}

impl Sorter {
    pub(super) fn new() -> Self {
        Self::with_run_bytes(RUN_BYTES)
    }

    fn with_run_bytes(run_bytes: usize) -> Self {
        Self { records: Vec::new(), held_bytes: 0, run_bytes, runs: Vec::new() }
    }

    /// Takes one record. Fails where a temporary file cannot be written.
    pub(super) fn push(&mut self, key: Key, text: &[u8]) -> io::Result<()> {
        self.held_bytes += text.len() + RECORD_OVERHEAD_BYTES;
        self.records.push((key, text.into()));
        if self.held_bytes >= self.run_bytes {
            self.write_run()?;
        }
        Ok(())
    }

    fn write_run(&mut self) -> io::Result<()> {
        self.records.sort_unstable_by_key(|(key, _)| *key);
        let mut out = BufWriter::new(tempfile::tempfile()?);
        for (key, text) in self.records.drain(..) {
            out.write_all(&[u8::from(key.undated)])?;
            out.write_all(&key.micros.to_le_bytes())?;
            out.write_all(&key.source.to_le_bytes())?;
            out.write_all(&key.sequence.to_le_bytes())?;
            out.write_all(&(text.len() as u64).to_le_bytes())?;
            out.write_all(&text)?;
        }
        let mut file = out.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.rewind()?;
        self.runs.push(file);
        self.held_bytes = 0;
        Ok(())
    }

    /// Gives every record to `take`, in order.
    pub(super) fn drain<E: From<io::Error>>(
        mut self,
        mut take: impl FnMut(Key, &[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        self.records.sort_unstable_by_key(|(key, _)| *key);
        let mut runs: Vec<BufReader<File>> = self.runs.into_iter().map(BufReader::new).collect();
        let mut heads = BinaryHeap::new();
        for (index, run) in runs.iter_mut().enumerate() {
            heads.extend(read_record(run)?.map(|(key, text)| Reverse((key, index, text))));
        }
        for (key, text) in self.records {
            while let Some(Reverse((head, _, _))) = heads.peek()
                && *head < key
            {
                take_head(&mut heads, &mut runs, &mut take)?;
            }
            take(key, &text)?;
        }
        while !heads.is_empty() {
            take_head(&mut heads, &mut runs, &mut take)?;
        }
        Ok(())
    }
}

type Heads = BinaryHeap<Reverse<(Key, usize, Vec<u8>)>>;

fn take_head<E: From<io::Error>>(
    heads: &mut Heads,
    runs: &mut [BufReader<File>],
    take: &mut impl FnMut(Key, &[u8]) -> Result<(), E>,
) -> Result<(), E> {
    let Some(Reverse((key, index, text))) = heads.pop() else { return Ok(()) };
    take(key, &text)?;
    heads.extend(read_record(&mut runs[index])?.map(|(key, text)| Reverse((key, index, text))));
    Ok(())
}

fn read_record(run: &mut BufReader<File>) -> io::Result<Option<(Key, Vec<u8>)>> {
    let mut undated = [0];
    if run.read(&mut undated)? == 0 {
        return Ok(None);
    }
    let micros = i64::from_le_bytes(read_array(run)?);
    let source = u32::from_le_bytes(read_array(run)?);
    let sequence = u64::from_le_bytes(read_array(run)?);
    let length = u64::from_le_bytes(read_array(run)?);
    let mut text = vec![0; length as usize];
    run.read_exact(&mut text)?;
    Ok(Some((Key { undated: undated[0] != 0, micros, source, sequence }, text)))
}

fn read_array<const N: usize>(run: &mut BufReader<File>) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    run.read_exact(&mut bytes).map(|()| bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_come_back_in_order_whether_they_fit_in_memory_or_not() {
        for run_bytes in [1, 300, 1 << 20] {
            let mut sorter = Sorter::with_run_bytes(run_bytes);
            for number in 0..100_u64 {
                let micros = i64::try_from(number * 7919 % 100).unwrap();
                let at = (number != 50).then(|| Timestamp::from_micros(micros)).flatten();
                sorter.push(Key::new(at, 0, number), number.to_string().as_bytes()).unwrap();
            }
            let mut got = Vec::new();
            sorter
                .drain(|key, text| {
                    got.push((key, String::from_utf8_lossy(text).into_owned()));
                    Ok::<(), io::Error>(())
                })
                .unwrap();
            assert_eq!(got.len(), 100, "runs of {run_bytes} bytes");
            assert!(got.is_sorted_by_key(|(key, _)| *key), "runs of {run_bytes} bytes");
            assert_eq!(got[99].1, "50", "what has no time comes last");
        }
    }
}
