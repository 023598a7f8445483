//! Work that is done again and again beside the application, on a thread of its own.
//!
//! A thread and not a task: what it writes is evidence, and it is wanted most when the
//! application's runtime is stuck. A panic in the work ends that one round of it.

use std::io;
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

/// How long stopping waits for a round that is under way. It may hang in a log's full pipe.
const ROUND_MAY_TAKE: Duration = Duration::from_secs(1);

/// One round of work; how long to wait before the next.
pub(crate) type Work = Box<dyn FnMut() -> Duration + Send>;

/// Runs its work until it is dropped.
#[derive(Debug)]
pub(crate) struct Background {
    shared: Arc<Shared>,
    thread: ThreadId,
}

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    stopping: bool,
    /// Whether nobody takes the work back from a round that is under way.
    abandoned: bool,
    /// Absent while a round is under way, and when all is over.
    work: Option<Work>,
}

impl Background {
    /// Starts a thread of this name (15 bytes of it are seen in `ps`), which waits before its
    /// first round.
    pub(crate) fn start(name: &str, first: Duration, work: Work) -> io::Result<Self> {
        let state = Mutex::new(State { stopping: false, abandoned: false, work: Some(work) });
        let shared = Arc::new(Shared { state, changed: Condvar::new() });
        let its = Arc::clone(&shared);
        let thread = thread::Builder::new().name(name.to_owned()).spawn(move || its.run(first))?;
        Ok(Self { shared, thread: thread.thread().id() })
    }

    /// Ends the work, and gives it back if its last round came to an end within a second. No
    /// round begins after this was called.
    pub(crate) fn stop(&self) -> Option<Work> {
        let mut state = self.shared.state();
        let was_stopping = std::mem::replace(&mut state.stopping, true);
        self.shared.changed.notify_all();
        if was_stopping {
            return None;
        }
        let itself = thread::current().id() == self.thread;
        let patience = if itself { Duration::ZERO } else { ROUND_MAY_TAKE };
        let working = |state: &mut State| state.work.is_none();
        let waited = self.shared.changed.wait_timeout_while(state, patience, working);
        let mut state = waited.unwrap_or_else(PoisonError::into_inner).0;
        state.abandoned = state.work.is_none();
        state.work.take()
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self, first: Duration) {
        let mut wait = first;
        while let Some(mut work) = self.next_round(wait) {
            // The work is used again after a panic: what it keeps is not more than where it is.
            wait = panic::catch_unwind(AssertUnwindSafe(&mut work)).unwrap_or(wait);
            let mut state = self.state();
            if state.abandoned {
                return;
            }
            state.work = Some(work);
            self.changed.notify_all();
        }
    }

    /// The work, when it is time for it; `None` when it is over.
    fn next_round(&self, wait: Duration) -> Option<Work> {
        let begun = Instant::now();
        let mut state = self.state();
        loop {
            let left = wait.saturating_sub(begun.elapsed());
            if state.stopping {
                return None;
            }
            if left.is_zero() {
                return state.work.take();
            }
            let woken = self.changed.wait_timeout(state, left);
            state = woken.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::sync::mpsc;

    const SOON: Duration = Duration::from_millis(1);

    #[test]
    fn rounds_follow_one_another_until_it_is_stopped() {
        let (done, rounds) = mpsc::channel();
        let work: Work = Box::new(move || {
            done.send(()).unwrap();
            SOON
        });
        let background = Background::start("rounds", SOON, work).unwrap();
        (0..3).for_each(|_| rounds.recv().unwrap());
        assert!(background.stop().is_some(), "the work is given back");
        while rounds.try_recv().is_ok() {}
        assert_eq!(rounds.recv(), Err(mpsc::RecvError), "the work was dropped");
        assert!(background.stop().is_none());
    }

    #[test]
    fn a_panic_ends_its_round_only() {
        let (done, rounds) = mpsc::channel();
        let work: Work = Box::new(move || {
            done.send(()).unwrap();
            panic::resume_unwind(Box::new("a subscriber fails"));
        });
        let background = Background::start("panics", SOON, work).unwrap();
        (0..3).for_each(|_| rounds.recv().unwrap());
        assert!(background.stop().is_some());
    }

    #[test]
    fn it_ends_with_its_owner_also_when_that_is_dropped_by_the_work_itself() {
        let (give, take) = mpsc::channel::<Background>();
        let rounds = Arc::new(AtomicU32::new(0));
        let counted = Arc::clone(&rounds);
        let work: Work = Box::new(move || {
            drop(take.recv().unwrap());
            counted.fetch_add(1, Ordering::SeqCst);
            SOON
        });
        give.send(Background::start("own end", SOON, work).unwrap()).unwrap();
        while Arc::strong_count(&rounds) > 1 {
            thread::yield_now();
        }
        assert_eq!(rounds.load(Ordering::SeqCst), 1);
    }

    #[test]
    fn work_that_hangs_does_not_hang_its_owner() {
        let (release, hang) = mpsc::channel::<()>();
        let (begin, begun) = mpsc::channel();
        let work: Work = Box::new(move || {
            begin.send(()).unwrap();
            hang.recv().unwrap();
            SOON
        });
        let background = Background::start("hangs", SOON, work).unwrap();
        begun.recv().unwrap();
        assert!(background.stop().is_none());
        release.send(()).unwrap();
        assert_eq!(begun.recv(), Err(mpsc::RecvError), "no round follows");
    }
}
