//! The verdict: what the machine says now and what the logs said before, put together.

/// Whether it is there now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Present {
    /// It is.
    Yes,
    /// It is not.
    No,
    /// That cannot be told.
    Unknown,
    /// Nobody asked: the logs are another machine's.
    NotAsked,
}

/// Whether the logs show that it was there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Past {
    /// They do.
    Seen,
    /// They cover some time, and in it there is no entry that shows it.
    NotSeen,
    /// There are none.
    Unknown,
}

/// Was it ever there?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is there now.
    Present,
    /// It is not there now, and was seen before.
    AbsentButSeen,
    /// It was seen. Whether it is there now is not known.
    Seen,
    /// It is not there now, as far as that was asked, and was not seen in the time that the logs
    /// cover.
    Never,
    /// Neither is known well enough.
    CannotTell,
}

impl Verdict {
    /// The verdict that follows.
    pub fn new(present: Present, past: Past) -> Self {
        match (present, past) {
            (Present::Yes, _) => Self::Present,
            (Present::No, Past::Seen) => Self::AbsentButSeen,
            (Present::Unknown | Present::NotAsked, Past::Seen) => Self::Seen,
            (Present::No | Present::NotAsked, Past::NotSeen) => Self::Never,
            (Present::Unknown, Past::NotSeen) | (_, Past::Unknown) => Self::CannotTell,
        }
    }

    /// The name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Present => "present",
            Self::AbsentButSeen => "absent_but_seen",
            Self::Seen => "seen",
            Self::Never => "never",
            Self::CannotTell => "cannot_tell",
        }
    }

    /// Whether something that was asked for is not there, or never was.
    pub fn is_negative(self) -> bool {
        matches!(self, Self::AbsentButSeen | Self::Never)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_verdict_follows_from_now_and_before() {
        let table = [
            (Present::Yes, [Verdict::Present, Verdict::Present, Verdict::Present]),
            (Present::No, [Verdict::AbsentButSeen, Verdict::Never, Verdict::CannotTell]),
            (Present::Unknown, [Verdict::Seen, Verdict::CannotTell, Verdict::CannotTell]),
            (Present::NotAsked, [Verdict::Seen, Verdict::Never, Verdict::CannotTell]),
        ];
        for (present, verdicts) in table {
            let pasts = [Past::Seen, Past::NotSeen, Past::Unknown];
            assert_eq!(pasts.map(|past| Verdict::new(present, past)), verdicts, "{present:?}");
        }
    }
}
