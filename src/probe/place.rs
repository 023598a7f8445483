//! The file system that is examined: this machine's, or an image of another one's under a
//! directory.
//!
//! A link in an image means a path in that image: an absolute one begins at its root, and no `..`
//! leads out of it. So paths are resolved here, part by part, and not by the kernel.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::fs::{self, Metadata};
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};

/// The kernel follows no more links either (path_resolution(7)).
const MAX_LINKS: usize = 40;

/// The root of what is examined.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    folder: Option<PathBuf>,
}

/// What stands at a path.
#[derive(Debug)]
pub enum Looked {
    /// Something.
    Found {
        /// Where it is, within the root, when all links are followed.
        inside: PathBuf,
        /// What the system says of it.
        metadata: Metadata,
    },
    /// Nothing.
    Missing {
        /// The deepest directory on the way that exists, within the root.
        deepest: PathBuf,
        /// The last link on the way, and what it leads to.
        link: Option<(PathBuf, PathBuf)>,
    },
    /// The system does not say.
    Unknown {
        /// How far it let us look.
        at: PathBuf,
        /// Why no further.
        error: io::Error,
    },
}

impl Place {
    /// This machine.
    pub fn machine() -> Self {
        Self { folder: None }
    }

    /// The image under `folder`.
    pub fn image(folder: &Path) -> Self {
        Self { folder: Some(folder.to_owned()) }
    }

    /// Whether it is an image, and so nothing in it runs.
    pub fn is_image(&self) -> bool {
        self.folder.is_some()
    }

    /// Where a path that is free of links lies in this machine's file system.
    pub fn real(&self, inside: &Path) -> PathBuf {
        match &self.folder {
            None => inside.to_owned(),
            Some(folder) => folder.join(inside.strip_prefix("/").unwrap_or(inside)),
        }
    }

    /// Looks at a path, and follows all links.
    pub fn look(&self, path: &Path) -> Looked {
        let mut parts: VecDeque<OsString> = names(path).collect();
        let mut at = PathBuf::from("/");
        let (mut links, mut link) = (0, None);
        while let Some(part) = parts.pop_front() {
            if part == ".." {
                at.pop();
                continue;
            }
            let next = at.join(&part);
            let real = self.real(&next);
            let metadata = match fs::symlink_metadata(&real) {
                Ok(metadata) => metadata,
                Err(error) if is_missing(&error) => return Looked::Missing { deepest: at, link },
                Err(error) => return Looked::Unknown { at: next, error },
            };
            if !metadata.is_symlink() {
                at = next;
                continue;
            }
            let target = match fs::read_link(&real) {
                Ok(target) => target,
                Err(error) => return Looked::Unknown { at: next, error },
            };
            links += 1;
            if links > MAX_LINKS {
                return Looked::Missing { deepest: at, link: Some((next, target)) };
            }
            for name in names(&target).collect::<Vec<_>>().into_iter().rev() {
                parts.push_front(name);
            }
            if target.is_absolute() {
                at = PathBuf::from("/");
            }
            link = Some((next, target));
        }
        match fs::symlink_metadata(self.real(&at)) {
            Ok(metadata) => Looked::Found { inside: at, metadata },
            Err(error) => Looked::Unknown { at, error },
        }
    }

    /// The path within the root, free of links, if something is there.
    pub fn find(&self, path: &Path) -> Option<PathBuf> {
        match self.look(path) {
            Looked::Found { inside, .. } => Some(inside),
            Looked::Missing { .. } | Looked::Unknown { .. } => None,
        }
    }

    /// The names in a directory, sorted; none where there is no such directory.
    pub fn list(&self, folder: &Path) -> Vec<OsString> {
        let entries = self.find(folder).and_then(|inside| fs::read_dir(self.real(&inside)).ok());
        let names = entries.into_iter().flatten().flatten().map(|entry| entry.file_name());
        let mut names: Vec<_> = names.collect();
        names.sort();
        names
    }

    /// What a link leads to, if `path` is one. Links on the way to it are followed.
    pub fn link(&self, path: &Path) -> Option<PathBuf> {
        let folder = self.find(path.parent()?)?;
        fs::read_link(self.real(&folder.join(path.file_name()?))).ok()
    }

    /// Whether a directory is where a file system is mounted.
    pub fn is_mount_point(&self, inside: &Path) -> bool {
        let mounts = || procfs::process::Process::myself().ok()?.mountinfo().ok();
        // A directory of the same file system may be mounted: the kernel's table says so.
        if !self.is_image()
            && let Some(mounts) = mounts()
        {
            return mounts.into_iter().any(|mount| mount.mount_point == inside);
        }
        let device = |path: &Path| fs::symlink_metadata(self.real(path)).ok().map(|own| own.dev());
        let own = device(inside);
        inside.parent().is_some_and(|parent| own.is_some() && device(parent) != own)
    }

    /// A text file of the examined system; empty where there is none.
    pub fn text(&self, path: &str) -> String {
        /// No configuration that is looked at is larger.
        const MAX_BYTES: u64 = 4 << 20;
        // To open a pipe would wait for its writer.
        let real = match self.look(Path::new(path)) {
            Looked::Found { inside, metadata } if metadata.is_file() => self.real(&inside),
            _ => return String::new(),
        };
        let file = fs::File::open(real).ok();
        let mut text = Vec::new();
        if let Some(file) = file {
            // What could be read counts.
            let _ = io::Read::read_to_end(&mut io::Read::take(file, MAX_BYTES), &mut text);
        }
        String::from_utf8_lossy(&text).into_owned()
    }
}

/// The parts of a path, without those that mean nothing.
fn names(path: &Path) -> impl Iterator<Item = OsString> + '_ {
    path.components().filter_map(|part| match part {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some(OsString::from("..")),
        Component::RootDir | Component::CurDir | Component::Prefix(_) => None,
    })
}

fn is_missing(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::NotFound | ErrorKind::NotADirectory | ErrorKind::InvalidFilename
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn image() -> (tempfile::TempDir, Place) {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("srv/pg")).unwrap();
        symlink("/srv", folder.path().join("data")).unwrap();
        symlink("../../../../srv", folder.path().join("up")).unwrap();
        symlink("/gone", folder.path().join("dangling")).unwrap();
        symlink("loop", folder.path().join("loop")).unwrap();
        let place = Place::image(folder.path());
        (folder, place)
    }

    #[test]
    fn links_of_an_image_stay_in_it() {
        let (folder, place) = image();
        for path in ["/data/pg", "/up/pg", "/../../srv/pg", "/data/../srv/./pg"] {
            let found = place.find(Path::new(path)).unwrap();
            assert_eq!(found, Path::new("/srv/pg"), "{path}");
            assert_eq!(place.real(&found), folder.path().join("srv/pg"));
        }
        symlink("/etc/hostname", folder.path().join("host")).unwrap();
        assert_eq!(place.find(Path::new("/host")), None, "the machine's own file was found");
    }

    #[test]
    fn what_is_missing_is_told_with_what_is_left_of_the_way() {
        let (_folder, place) = image();
        let missing = |path: &str| match place.look(Path::new(path)) {
            Looked::Missing { deepest, link } => (deepest.display().to_string(), link.is_some()),
            other => panic!("{other:?}"),
        };
        assert_eq!(missing("/data/other/deep"), ("/srv".to_owned(), true));
        assert_eq!(missing("/no/such"), ("/".to_owned(), false));
        assert_eq!(missing("/dangling"), ("/".to_owned(), true));
        assert_eq!(missing("/loop"), ("/".to_owned(), true));
    }
}
