//! Healthy files of every variant of the format, small and rich in structure, to be damaged.

use std::collections::BTreeSet;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;

use crate::journald::Journald;
use crate::journals::{Random, mixed_entries, write_journal_with};
use crate::reader::Readers;
use crate::real_journald::{go_online, messages};
use crate::writer::{Codec, journal_bytes};

const ENTRIES: usize = 300;

/// A file that can be damaged, looked at, and made whole again.
pub(crate) struct Patient {
    pub(crate) name: String,
    pub(crate) path: PathBuf,
    /// Its bytes up to the last that is not zero.
    pub(crate) original: Vec<u8>,
    /// How many entries it has.
    pub(crate) entries: u64,
    /// The cursors of its entries.
    pub(crate) cursors: BTreeSet<String>,
    /// Where its objects begin, in their order.
    pub(crate) objects: Vec<usize>,
    /// Its size; what `original` lacks of it is zeros.
    pub(crate) size: usize,
    file: File,
}

impl Patient {
    fn new(folder: &Path, healthy: &Original) -> Self {
        let name = healthy.name.clone();
        let path = folder.join(&name);
        let file = File::create(&path).unwrap();
        let (original, size) = (healthy.bytes.clone(), healthy.size);
        file.write_all_at(&original, 0).unwrap();
        file.set_len(size as u64).unwrap();
        let objects = objects_of(&original);
        let entries = objects.iter().filter(|&&offset| original[offset] == 3).count() as u64;
        let cursors = healthy.cursors.clone();
        Self { name, path, original, entries, cursors, objects, size, file }
    }

    /// Writes over the file, lets `look` see it, and takes the changes back.
    pub(crate) fn with<T>(&self, edits: &[(usize, &[u8])], look: impl FnOnce(&Path) -> T) -> T {
        for (at, bytes) in edits {
            self.file.write_all_at(bytes, *at as u64).unwrap();
        }
        let seen = look(&self.path);
        for (at, bytes) in edits {
            let before = &self.original[*at..*at + bytes.len()];
            self.file.write_all_at(before, *at as u64).unwrap();
        }
        seen
    }

    /// Cuts the file off, lets `look` see it, and puts the rest back.
    pub(crate) fn cut<T>(&self, length: usize, look: impl FnOnce(&Path) -> T) -> T {
        self.file.set_len(length as u64).unwrap();
        let seen = look(&self.path);
        let rest = self.original.get(length..).unwrap_or_default();
        self.file.write_all_at(rest, length as u64).unwrap();
        self.file.set_len(self.size as u64).unwrap();
        seen
    }

    /// A place of the file: in the header, in the head or the items of an object, or anywhere.
    pub(crate) fn place(&self, random: &mut Random) -> usize {
        let used = self.original.len();
        let object = self.objects[random.below(self.objects.len() as u64) as usize];
        let at = match random.below(8) {
            0 | 1 => random.below(272) as usize,
            2 | 3 => object + random.below(24) as usize,
            4 | 5 => object + random.below(128) as usize,
            6 => used - 1 - random.below(used.min(100_000) as u64) as usize,
            _ => random.below(used as u64) as usize,
        };
        at.min(used - 1)
    }
}

/// Where the objects of a healthy file begin.
fn objects_of(bytes: &[u8]) -> Vec<usize> {
    let number = |at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap()) as usize;
    let mut objects = vec![number(88)];
    let tail_object = number(136);
    loop {
        let last = objects[objects.len() - 1];
        assert!(matches!(bytes[last], 1..=7), "no object at {last}");
        if last == tail_object {
            return objects;
        }
        objects.push((last + number(last + 8)).next_multiple_of(8));
    }
}

/// A healthy file's bytes up to the last that is not zero, and its size.
struct Original {
    name: String,
    bytes: Vec<u8>,
    size: usize,
    cursors: BTreeSet<String>,
}

impl Original {
    fn new(name: &str, mut bytes: Vec<u8>) -> Self {
        let size = bytes.len();
        let scratch = tempfile::tempdir().unwrap();
        let path = scratch.path().join(name);
        std::fs::write(&path, &bytes).unwrap();
        let cursors = Readers::start().cursors(&path);
        bytes.truncate(bytes.iter().rposition(|&byte| byte != 0).unwrap() + 1);
        Self { name: name.to_owned(), bytes, size, cursors }
    }
}

/// One file of each variant, in this folder.
pub(crate) fn patients(folder: &Path) -> Vec<Patient> {
    static ORIGINALS: OnceLock<Vec<Original>> = OnceLock::new();
    let originals = ORIGINALS.get_or_init(originals);
    originals.iter().map(|original| Patient::new(folder, original)).collect()
}

fn originals() -> Vec<Original> {
    let scratch = tempfile::tempdir().unwrap();
    let entries = mixed_entries(ENTRIES, 77);
    let regular = ("SYSTEMD_JOURNAL_COMPACT", "0");
    let unkeyed = ("SYSTEMD_JOURNAL_KEYED_HASH", "0");
    let variants = [
        ("compact.journal", &[][..]),
        ("regular.journal", &[regular]),
        ("compact-unkeyed.journal", &[unkeyed]),
        ("regular-unkeyed.journal", &[regular, unkeyed]),
    ];
    let mut originals = Vec::new();
    for (name, environment) in variants {
        let path = scratch.path().join(name);
        write_journal_with(&path, &entries, environment);
        originals.push(Original::new(name, std::fs::read(&path).unwrap()));
    }
    for codec in [Codec::None, Codec::Xz, Codec::Lz4, Codec::Zstd] {
        for (layout, compact) in [("regular", false), ("compact", true)] {
            let bytes = journal_bytes(&entries, codec, compact);
            originals.push(Original::new(&format!("{codec:?}-{layout}.journal"), bytes));
        }
    }
    originals.extend(of_a_real_journald());
    originals
}

/// What a killed journald leaves behind, as it is and as the next start names it, and a sealed
/// file.
fn of_a_real_journald() -> [Original; 3] {
    let mut journald = Journald::start("patient");
    journald.log(messages(ENTRIES));
    go_online(&journald);
    journald.kill();
    let online = std::fs::read(&journald.files()[0]).unwrap();
    journald.run();
    journald.log(messages(1));
    let unclean = journald.files().into_iter().find(|path| path.extension().unwrap() == "journal~");
    let unclean = std::fs::read(unclean.unwrap()).unwrap();

    let journald = Journald::start_sealed("sealed-patient");
    journald.log(messages(ENTRIES / 2));
    std::thread::sleep(Duration::from_millis(1100));
    journald.log(messages(ENTRIES / 2));
    let sealed = std::fs::read(&journald.files()[0]).unwrap();
    [
        Original::new("online.journal", online),
        Original::new("unclean.journal~", unclean),
        Original::new("sealed.journal", sealed),
    ]
}
