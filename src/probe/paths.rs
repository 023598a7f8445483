//! Files and directories: whether they are there, and if not, how far the way leads.

use std::fs::Metadata;
use std::io::ErrorKind;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use super::now::{Facts, Now, PathFacts, Traces, owner};
use super::place::{Looked, Place};
use crate::time::Timestamp;

pub(super) fn look(place: &Place, path: &Path) -> Now {
    match place.look(path) {
        Looked::Found { inside, metadata } => {
            Now::Present(Facts::Path(facts(place, path, inside, &metadata)))
        }
        Looked::Unknown { at, error } => Now::Unknown(match error.kind() {
            ErrorKind::PermissionDenied => {
                format!("no permission to look at {}; root may", at.display())
            }
            _ => format!("{}: {error}", at.display()),
        }),
        Looked::Missing { deepest, link } => match unmounted(place, path) {
            Some(point) => Now::Unknown(format!(
                "{} is a file system of /etc/fstab that is not mounted",
                point.display()
            )),
            None => Now::Absent(missing(path, &deepest, link)),
        },
    }
}

fn facts(place: &Place, asked: &Path, inside: PathBuf, metadata: &Metadata) -> PathFacts {
    let kind = metadata.file_type();
    let kind = match () {
        () if kind.is_dir() => "directory",
        () if kind.is_file() => "file",
        () if kind.is_socket() => "socket",
        () if kind.is_fifo() => "pipe",
        () if kind.is_block_device() => "block device",
        () if kind.is_char_device() => "character device",
        () => "file of an unknown kind",
    };
    PathFacts {
        kind,
        owner: owner(place, metadata.uid()),
        modified: metadata.modified().ok().and_then(|at| Timestamp::from_utc(at.into())),
        is_mount_point: metadata.is_dir() && place.is_mount_point(&inside),
        leads_to: Some(inside).filter(|inside| inside != asked),
    }
}

/// What was found instead: a link to nothing, or how much of the way there is.
fn missing(path: &Path, deepest: &Path, link: Option<(PathBuf, PathBuf)>) -> Traces {
    let parent = path.parent().unwrap_or(path);
    if let Some((link, target)) = link {
        let looked =
            format!("no such file or directory: {} leads to {}", link.display(), target.display());
        return Traces { looked, left: vec![link] };
    }
    let looked = if deepest == parent {
        format!("no such file or directory in {}", deepest.display())
    } else {
        format!("no such file or directory; of its way only {} exists", deepest.display())
    };
    Traces { looked, left: Vec::new() }
}

/// The file system that the path lies in by /etc/fstab, if it is not mounted: what is on it cannot
/// be seen.
fn unmounted(place: &Place, path: &Path) -> Option<PathBuf> {
    let table = place.text("/etc/fstab");
    let points = table.lines().filter(|line| !line.trim_start().starts_with('#'));
    let points = points.filter_map(|line| line.split_whitespace().nth(1));
    let points = points.map(|point| PathBuf::from(point.replace("\\040", " ")));
    let on_the_way = points.filter(|point| point.parent().is_some() && path.starts_with(point));
    let deepest = on_the_way.max_by_key(|point| point.components().count())?;
    let is_mounted = place.find(&deepest).is_some_and(|inside| place.is_mount_point(&inside));
    (!is_mounted).then_some(deepest)
}
