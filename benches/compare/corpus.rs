//! The corpus: the same seeded entries as journals of the usual size, as many small journals, and
//! as one text file, with the counts that are to be found in them.
//!
//! systemd's own programs write the files: `systemd-journal-remote` the journals, `journalctl`
//! the text. The smallest journal that the former makes has 8 MB, of which half is a hash table,
//! so the small ones come from the tests' writer, and `journalctl --verify` checks one of them.
//! What is to be found is known from the generator alone.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use serde::{Deserialize, Serialize};

use crate::entries::{self, BLOCK_ENTRIES, Counts};
use crate::writer;

const JOURNAL_REMOTE: &str = "/lib/systemd/systemd-journal-remote";
/// Blocks of entries in a journal of the size at which journald starts a new file.
const BLOCKS_PER_LARGE: u64 = 114;
/// Blocks of entries in a journal of some 2 MB.
const BLOCKS_PER_SMALL: u64 = 3;
/// Raised whenever the generator makes other entries: what was built before is not reused.
const VERSION: u32 = 3;

/// A corpus on disk.
pub(crate) struct Corpus {
    /// Journals of the size that journald and journal-remote write.
    pub(crate) large: PathBuf,
    /// The same entries in journals of some 2 MB.
    pub(crate) small: PathBuf,
    /// The same messages as `journalctl -o short-iso` prints them.
    pub(crate) text: PathBuf,
    /// What is in it.
    pub(crate) facts: Facts,
}

/// What the generator put into a corpus.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Facts {
    version: u32,
    /// All entries.
    pub(crate) all: Counts,
    /// Those of the unit [`entries::UNIT`].
    pub(crate) of_unit: Counts,
    /// Those of each large journal, in the order of their names.
    #[serde(default)]
    pub(crate) by_large: Vec<Counts>,
}

impl Corpus {
    /// The corpus of at least this many entries below `target`; built unless it is there already.
    pub(crate) fn ready(target: &Path, wanted_entries: u64) -> io::Result<Self> {
        let blocks = wanted_entries.div_ceil(BLOCK_ENTRIES).max(1);
        let top = target.join("bench").join((blocks * BLOCK_ENTRIES).to_string());
        let mut corpus = Self {
            large: top.join("large"),
            small: top.join("small-2mb"),
            text: top.join("messages.log"),
            facts: Facts::default(),
        };
        let manifest = top.join("facts.json");
        let known = fs::read(&manifest).ok().and_then(|json| serde_json::from_slice(&json).ok());
        match known.filter(|facts: &Facts| facts.version == VERSION) {
            Some(facts) if !facts.by_large.is_empty() => corpus.facts = facts,
            known => {
                if known.is_none() && top.exists() {
                    fs::remove_dir_all(&top)?;
                }
                if known.is_none() {
                    eprintln!("bench: building the corpus in {}", top.display());
                    write_journals(&corpus.large, blocks, BLOCKS_PER_LARGE, write_large)?;
                    write_text(&corpus.large, &corpus.text)?;
                }
                corpus.facts = expected(blocks);
                fs::write(manifest, serde_json::to_vec_pretty(&corpus.facts)?)?;
            }
        }
        if !corpus.small.exists() {
            // Under its name it is complete.
            eprintln!("bench: building the small journals in {}", top.display());
            let part = top.join("part");
            write_journals(&part, blocks, BLOCKS_PER_SMALL, write_small)?;
            verify(&part.join(file_name(0)))?;
            fs::rename(part, &corpus.small)?;
        }
        Ok(corpus)
    }

    /// The large journals, by name.
    pub(crate) fn files(&self) -> io::Result<Vec<PathBuf>> {
        files_in(&self.large)
    }

    /// The size of all files in a directory, or of one file, in bytes.
    pub(crate) fn bytes_of(path: &Path) -> io::Result<u64> {
        let files = if path.is_dir() { files_in(path)? } else { vec![path.to_owned()] };
        files.iter().map(|file| Ok(file.metadata()?.len())).sum()
    }
}

fn files_in(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files: Vec<PathBuf> =
        fs::read_dir(directory)?.map(|file| Ok(file?.path())).collect::<io::Result<_>>()?;
    files.sort();
    Ok(files)
}

fn expected(blocks: u64) -> Facts {
    let mut facts = Facts { version: VERSION, ..Facts::default() };
    for block in 0..blocks {
        if block.is_multiple_of(BLOCKS_PER_LARGE) {
            facts.by_large.push(Counts::default());
        }
        for entry in entries::block(block, blocks) {
            facts.all.add(&entry);
            facts.by_large.last_mut().into_iter().for_each(|counts| counts.add(&entry));
            if entry.unit == entries::UNIT {
                facts.of_unit.add(&entry);
            }
        }
    }
    facts
}

fn file_name(number: u64) -> String {
    format!("{number:05}.journal")
}

/// Writes a journal of some of all blocks.
type WriteJournal = fn(&Path, Range<u64>, u64) -> io::Result<()>;

/// Writes the corpus into journals of `blocks_per_file`, several files at a time.
fn write_journals(
    directory: &Path,
    blocks: u64,
    blocks_per_file: u64,
    write: WriteJournal,
) -> io::Result<()> {
    fs::create_dir_all(directory)?;
    let files = blocks.div_ceil(blocks_per_file);
    let next = AtomicU64::new(0);
    let writer = || -> io::Result<()> {
        loop {
            let file = next.fetch_add(1, Ordering::Relaxed);
            if file >= files {
                return Ok(());
            }
            let first = file * blocks_per_file;
            let last = (first + blocks_per_file).min(blocks);
            write(&directory.join(file_name(file)), first..last, blocks)?;
            if files < 100 || file.is_multiple_of(100) {
                eprintln!("bench: journal {} of {files}", file + 1);
            }
        }
    };
    let threads = thread::available_parallelism()?.get();
    thread::scope(|scope| {
        let writers: Vec<_> = (0..threads).map(|_| scope.spawn(writer)).collect();
        writers.into_iter().try_for_each(|writer| match writer.join() {
            Ok(result) => result,
            Err(_) => Err(io::Error::other("a writer panicked")),
        })
    })
}

fn write_large(path: &Path, own: Range<u64>, blocks: u64) -> io::Result<()> {
    let mut child = Command::new(JOURNAL_REMOTE)
        .arg("-o")
        .arg(path)
        .arg("-")
        .stdin(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| named(JOURNAL_REMOTE, &error))?;
    let input = child.stdin.take().ok_or(io::ErrorKind::BrokenPipe)?;
    let mut input = BufWriter::with_capacity(1 << 20, input);
    let mut exported = Vec::new();
    for entry in own.flat_map(|block| entries::block(block, blocks)) {
        exported.clear();
        entry.logged.export(&mut exported);
        input.write_all(&exported)?;
    }
    drop(input.into_inner()?);
    succeed(JOURNAL_REMOTE, child.wait()?)
}

fn write_small(path: &Path, own: Range<u64>, blocks: u64) -> io::Result<()> {
    let id = u128::from(own.start) + 1;
    let entries = own.flat_map(|block| entries::block(block, blocks)).map(|entry| entry.logged);
    fs::write(path, writer::journal_bytes_with_id(&entries.collect::<Vec<_>>(), id))
}

/// Has systemd look whether a file is a journal.
fn verify(journal: &Path) -> io::Result<()> {
    let mut command = Command::new("journalctl");
    let output = command.args(["--quiet", "--verify", "--file"]).arg(journal).output();
    let output = output.map_err(|error| named("journalctl", &error))?;
    if output.status.success() {
        return Ok(());
    }
    Err(io::Error::other(String::from_utf8_lossy(&output.stderr).into_owned()))
}

fn write_text(journals: &Path, path: &Path) -> io::Result<()> {
    eprintln!("bench: the text of the same messages");
    let status = Command::new("journalctl")
        .args(["--quiet", "--output", "short-iso", "--directory"])
        .arg(journals)
        .env("TZ", "UTC")
        .stdout(File::create(path)?)
        .status()
        .map_err(|error| named("journalctl", &error))?;
    succeed("journalctl", status)
}

fn succeed(program: &str, status: std::process::ExitStatus) -> io::Result<()> {
    if status.success() { Ok(()) } else { Err(io::Error::other(format!("{program}: {status}"))) }
}

fn named(program: &str, error: &io::Error) -> io::Error {
    io::Error::other(format!("{program}: {error}\nInstall what `.ci/setup test` installs."))
}
