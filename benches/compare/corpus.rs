//! The corpus: the same seeded entries as journals of the usual size, as many small journals, and
//! as one text file, with the counts that are to be found in them.
//!
//! systemd's own programs write the files: `systemd-journal-remote` the journals, `journalctl`
//! the text. What is to be found is known from the generator alone.

use std::fs::{self, File};
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use serde::{Deserialize, Serialize};

use crate::entries::{self, BLOCK_ENTRIES, Counts};

const JOURNAL_REMOTE: &str = "/lib/systemd/systemd-journal-remote";
/// Blocks of entries in a journal of the size at which journald starts a new file.
const BLOCKS_PER_LARGE: u64 = 114;
/// Blocks of entries in a journal of 8 MB, the smallest that journal-remote writes.
const BLOCKS_PER_SMALL: u64 = 7;
/// More small journals than this would show nothing else.
const MAX_SMALL: u64 = 200;
/// Raised whenever the generator makes other entries: what was built before is not reused.
const VERSION: u32 = 3;

/// A corpus on disk.
pub(crate) struct Corpus {
    /// Journals of the size that journald and journal-remote write.
    pub(crate) large: PathBuf,
    /// The same entries, or the first of them, in the smallest journals that there are.
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
    /// Those in the small journals.
    pub(crate) in_small: Counts,
}

impl Corpus {
    /// The corpus of at least this many entries below `target`; built unless it is there already.
    pub(crate) fn ready(target: &Path, wanted_entries: u64) -> io::Result<Self> {
        let blocks = wanted_entries.div_ceil(BLOCK_ENTRIES).max(1);
        let top = target.join("bench").join((blocks * BLOCK_ENTRIES).to_string());
        let manifest = top.join("facts.json");
        let corpus = |facts| Self {
            large: top.join("large"),
            small: top.join("small"),
            text: top.join("messages.log"),
            facts,
        };
        let known = fs::read(&manifest).ok().and_then(|json| serde_json::from_slice(&json).ok());
        if let Some(facts) = known.filter(|facts: &Facts| facts.version == VERSION) {
            eprintln!("bench: the corpus is in {}", top.display());
            return Ok(corpus(facts));
        }
        if top.exists() {
            fs::remove_dir_all(&top)?;
        }
        eprintln!("bench: building the corpus in {}", top.display());
        let corpus = corpus(expected(blocks));
        write_journals(&corpus.large, blocks, blocks, BLOCKS_PER_LARGE)?;
        write_journals(&corpus.small, blocks_in_small(blocks), blocks, BLOCKS_PER_SMALL)?;
        write_text(&corpus.large, &corpus.text)?;
        fs::write(manifest, serde_json::to_vec_pretty(&corpus.facts)?)?;
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
        if block == blocks_in_small(blocks) {
            facts.in_small = facts.all.clone();
        }
        for entry in entries::block(block, blocks) {
            facts.all.add(&entry);
            if entry.unit == entries::UNIT {
                facts.of_unit.add(&entry);
            }
        }
    }
    if blocks_in_small(blocks) == blocks {
        facts.in_small = facts.all.clone();
    }
    facts
}

fn blocks_in_small(blocks: u64) -> u64 {
    blocks.min(MAX_SMALL * BLOCKS_PER_SMALL)
}

/// Writes the first `own` blocks of the corpus into journals of `blocks_per_file`, several files
/// at a time.
fn write_journals(directory: &Path, own: u64, blocks: u64, blocks_per_file: u64) -> io::Result<()> {
    fs::create_dir_all(directory)?;
    let files = own.div_ceil(blocks_per_file) as usize;
    let next = AtomicUsize::new(0);
    let writer = || -> io::Result<()> {
        loop {
            let file = next.fetch_add(1, Ordering::Relaxed);
            if file >= files {
                return Ok(());
            }
            let first = file as u64 * blocks_per_file;
            let last = (first + blocks_per_file).min(own);
            write_journal(&directory.join(format!("{file:05}.journal")), first..last, blocks)?;
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

fn write_journal(path: &Path, own: std::ops::Range<u64>, blocks: u64) -> io::Result<()> {
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
    for block in own {
        for entry in entries::block(block, blocks) {
            entry.export(&mut input)?;
        }
    }
    drop(input.into_inner()?);
    succeed(JOURNAL_REMOTE, child.wait()?)
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
