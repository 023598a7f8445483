//! What changed: units that started or failed, reboots, deployments, packages, commits.
//!
//! A post-mortem asks what was different just before. Sources tell changes as they meet them;
//! here is what they have in common.

use crate::time::Timestamp;

/// Something that was different from then on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// When.
    pub at: Timestamp,
    /// What sort of change.
    pub kind: ChangeKind,
    /// What changed, in a few words without a line feed: a unit's name, a package with both
    /// versions, a commit's id and subject. It may hold any other character.
    pub what: String,
    /// The machine, where it is known.
    pub host: Option<String>,
}

/// What sort of change. The order is that in which they tell: what explains an incident more often
/// stands first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ChangeKind {
    /// Somebody deployed something, by a rule of the user's.
    Deployment,
    /// The kernel killed a process for want of memory.
    OomKill,
    /// A unit failed.
    UnitFailed,
    /// The machine was booted.
    Boot,
    /// A unit was seen for the first time.
    UnitAppeared,
    /// A unit stopped and started.
    UnitRestarted,
    /// A unit stopped.
    UnitStopped,
    /// A unit started.
    UnitStarted,
    /// A package was installed, upgraded or removed.
    Package,
    /// A tag was put on a commit.
    Tag,
    /// Something was committed.
    Commit,
    /// A person noted it.
    Note,
    /// journald itself started, stopped or dropped entries, or the clock was set.
    Journal,
}

impl ChangeKind {
    /// The name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Deployment => "deployment",
            Self::OomKill => "oom_kill",
            Self::UnitFailed => "unit_failed",
            Self::Boot => "boot",
            Self::UnitAppeared => "unit_appeared",
            Self::UnitRestarted => "unit_restarted",
            Self::UnitStopped => "unit_stopped",
            Self::UnitStarted => "unit_started",
            Self::Package => "package",
            Self::Tag => "tag",
            Self::Commit => "commit",
            Self::Note => "note",
            Self::Journal => "journal",
        }
    }
}
