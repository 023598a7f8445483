//! Which files there are now: looks at the given paths and directories again where one of them
//! has changed.
//!
//! By `stat`, not by notifications: a look costs microseconds, and works on network file systems,
//! in containers and for files that do not exist yet.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use crate::source::discover::{self, Discovery};

/// Directories' times are this coarse at the worst: a change within it may not move them again.
const COARSEST_TIME: Duration = Duration::from_secs(2);

/// What is watched for new files.
pub(super) struct Watch {
    /// What the user named; empty: this machine's journal.
    paths: Vec<PathBuf>,
    folders: Vec<PathBuf>,
    seen: Vec<Option<Mark>>,
    /// Whether a change may have come too soon after the last look to be noticed.
    is_young: bool,
}

/// What tells that another file has taken a path's place, or that a directory has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Mark {
    device: u64,
    inode: u64,
    folder_changed: Option<SystemTime>,
}

impl Watch {
    /// Watches what a command line names, after it was found to be `discovery`.
    pub(super) fn new(paths: Vec<PathBuf>, discovery: &Discovery) -> Self {
        let folders = discovery.folders.clone();
        let mut watch = Self { paths, folders, seen: Vec::new(), is_young: true };
        watch.seen = watch.marks();
        watch
    }

    /// Whether files may appear in a directory.
    pub(super) fn has_folders(&self) -> bool {
        self.paths.is_empty() || !self.folders.is_empty()
    }

    /// Looks again. `None`: nothing has changed since the last look.
    pub(super) fn look(&mut self) -> Option<Discovery> {
        let marks = self.marks();
        if marks == self.seen && !self.is_young {
            return None;
        }
        let now = SystemTime::now();
        let is_young = |mark: &Mark| {
            mark.folder_changed.is_some_and(|changed| {
                now.duration_since(changed).is_ok_and(|age| age < COARSEST_TIME)
            })
        };
        self.is_young = marks.iter().flatten().any(is_young);
        let discovery = match self.paths.as_slice() {
            [] => discover::machine_journal(),
            paths => discover::discover(paths),
        };
        let is_same = self.folders == discovery.folders;
        self.folders.clone_from(&discovery.folders);
        // The marks were taken before the look: what changes during it is noticed by the next.
        self.seen = if is_same { marks } else { self.marks() };
        self.is_young |= !is_same;
        Some(discovery)
    }

    fn marks(&self) -> Vec<Option<Mark>> {
        let machine = if self.paths.is_empty() { &discover::machine_folders()[..] } else { &[] };
        let paths = self.paths.iter().chain(machine).chain(&self.folders);
        paths.map(|path| Mark::of(path)).collect()
    }
}

impl Mark {
    fn of(path: &std::path::Path) -> Option<Self> {
        let metadata = fs::metadata(path).ok()?;
        let changed = metadata.is_dir().then(|| metadata.modified().ok()).flatten();
        Some(Self { device: metadata.dev(), inode: metadata.ino(), folder_changed: changed })
    }
}
