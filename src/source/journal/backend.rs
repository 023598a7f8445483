//! Which of the two readers answers: the native one, or libsystemd.

use std::path::Path;

use super::{Duplicates, JournalError, JournalFile};
use crate::source::filter::Filter;
use crate::source::{Damage, Event, Progress, Query, Sink, Summary};
use crate::time::{Minute, Span};

/// The reader that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    /// The native reader, and libsystemd for what the native one does not know.
    Auto,
    /// The native reader only.
    Native,
    /// libsystemd, and the native reader for damaged files.
    Libsystemd,
}

impl Backend {
    /// Whether this build can use libsystemd.
    pub const HAS_LIBSYSTEMD: bool = cfg!(feature = "systemd");

    /// Whether a file that the native reader does not know may be given to libsystemd.
    pub fn may_use_libsystemd(self) -> bool {
        Self::HAS_LIBSYSTEMD && self != Self::Native
    }
}

/// Answers `query` from a journal file with the reader that `backend` says.
///
/// libsystemd aborts the whole process on some damaged files, so the native reader looks at a
/// file first, and reads it where it finds damage.
pub fn read(
    journal: &JournalFile,
    backend: Backend,
    query: &Query<'_>,
    duplicates: &Duplicates,
    sink: &mut dyn Sink,
) -> Summary {
    if backend == Backend::Libsystemd
        && !is_damaged(journal, query)
        && let Ok(summary) = read_foreign(journal.path(), query, duplicates, sink)
    {
        return summary;
    }
    journal.sweep(query, duplicates, sink)
}

/// Answers `query` with libsystemd from a file that the native reader does not know.
#[cfg(feature = "systemd")]
pub fn read_foreign(
    path: &Path,
    query: &Query<'_>,
    duplicates: &Duplicates,
    sink: &mut dyn Sink,
) -> Result<Summary, JournalError> {
    super::libsystemd::read_file(path, query, duplicates, sink)
}

/// This build has no libsystemd.
#[cfg(not(feature = "systemd"))]
pub fn read_foreign(
    path: &Path,
    _query: &Query<'_>,
    _duplicates: &Duplicates,
    _sink: &mut dyn Sink,
) -> Result<Summary, JournalError> {
    let detail = "this build has no libsystemd".to_owned();
    Err(JournalError::Libsystemd { path: path.to_owned(), detail })
}

/// Whether the native reader finds anything wrong with the file.
fn is_damaged(journal: &JournalFile, query: &Query<'_>) -> bool {
    #[derive(Default)]
    struct AnyDamage(bool);
    impl Sink for AnyDamage {
        fn entries(&mut self, _minute: Option<Minute>, _count: u64) {}
        fn event(&mut self, _event: &Event<'_>) -> std::ops::ControlFlow<()> {
            std::ops::ControlFlow::Continue(())
        }
        fn damage(&mut self, _damage: Damage) {
            self.0 = true;
        }
    }
    let everything = Query {
        filter: &Filter::default(),
        span: Span::default(),
        watch: None,
        progress: &Progress::default(),
        ..*query
    };
    let mut any = AnyDamage::default();
    journal.sweep(&everything, &Duplicates::new([]), &mut any);
    any.0
}
