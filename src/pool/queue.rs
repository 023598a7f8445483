//! The callers of a pool in the order in which they asked, and the handing over of connections.
//!
//! sqlx lets every connection that comes back go through its shelf: it is asked whether it lives
//! when it is put there, and again when it is taken. While callers wait, once is enough: here the
//! one who has waited longest is handed the connection itself (docs/BENCHMARKS.md says what that
//! saves). A [`Permit`] is held from the moment when a caller may take a connection until that has
//! been cleaned, however long this takes: else who has one would wait for sqlx, behind a statement
//! that nobody waits for any more, while connections are handed to those who came after.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

/// The callers that wait for a `T`.
#[derive(Debug)]
pub(crate) struct Queue<T> {
    state: Mutex<State<T>>,
}

#[derive(Debug)]
struct State<T> {
    /// Permits that nobody holds; none while anybody waits.
    free: u32,
    next_number: u64,
    /// Those who wait, by the number that they drew.
    waiting: BTreeMap<u64, oneshot::Sender<Turn<T>>>,
}

/// What a caller gets when it is its turn.
#[derive(Debug)]
pub(crate) struct Turn<T> {
    pub(crate) permit: Permit<T>,
    /// What the one before handed over; without it the caller gets one by other means.
    pub(crate) handed: Option<T>,
}

/// The right to have one of as many as there may be. It goes to the next one when it is dropped.
#[derive(Debug)]
pub(crate) struct Permit<T> {
    /// Taken out when the permit was given on.
    queue: Option<Arc<Queue<T>>>,
}

/// A caller's place in the queue. It leaves it when it is dropped.
struct Place<'a, T> {
    queue: &'a Queue<T>,
    number: u64,
    turn: oneshot::Receiver<Turn<T>>,
}

impl<T> Queue<T> {
    /// A queue for so many permits.
    pub(crate) fn new(permits: u32) -> Arc<Self> {
        let state = State { free: permits, next_number: 0, waiting: BTreeMap::new() };
        Arc::new(Self { state: Mutex::new(state) })
    }

    /// A turn for whom nobody is ahead of.
    pub(crate) fn try_turn(self: &Arc<Self>) -> Option<Turn<T>> {
        let mut state = self.state();
        state.free = state.free.checked_sub(1)?;
        Some(Turn { permit: Permit { queue: Some(Arc::clone(self)) }, handed: None })
    }

    /// Waits for one's turn. Who is cancelled loses nothing: what he was handed goes on.
    pub(crate) async fn turn(self: &Arc<Self>) -> Turn<T> {
        loop {
            if let Some(turn) = self.try_turn() {
                return turn;
            }
            let Some(mut place) = self.draw_number() else { continue };
            // A sender is dropped without a word only together with the whole queue.
            if let Ok(turn) = (&mut place.turn).await {
                return turn;
            }
        }
    }

    /// `None` where a permit has become free.
    fn draw_number(&self) -> Option<Place<'_, T>> {
        let mut state = self.state();
        if state.free > 0 {
            return None;
        }
        let number = state.next_number;
        state.next_number += 1;
        let (sender, turn) = oneshot::channel();
        state.waiting.insert(number, sender);
        Some(Place { queue: self, number, turn })
    }

    /// Gives a turn to the one who has waited longest. Where nobody waits, the permit is free and
    /// what was to be handed over comes back.
    fn pass(self: Arc<Self>, mut handed: Option<T>) -> Option<T> {
        loop {
            let next = {
                let mut state = self.state();
                let next = state.waiting.pop_first();
                if next.is_none() {
                    state.free += 1;
                }
                next
            };
            let Some((_, next)) = next else { return handed };
            let permit = Permit { queue: Some(Arc::clone(&self)) };
            match next.send(Turn { permit, handed }) {
                Ok(()) => return None,
                // The caller was cancelled a moment ago.
                Err(mut turn) => {
                    turn.permit.queue = None;
                    handed = turn.handed.take();
                }
            }
        }
    }

    /// Every change is complete after each statement: a poisoned lock guards nothing half-done.
    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Permit<T> {
    /// Hands over to the one who has waited longest; what nobody waits for comes back. The permit
    /// is given on in either case.
    pub(crate) fn hand_over(mut self, handed: T) -> Option<T> {
        self.queue.take()?.pass(Some(handed))
    }
}

impl<T> Drop for Permit<T> {
    fn drop(&mut self) {
        if let Some(queue) = self.queue.take() {
            // Without anything handed over, nothing comes back.
            let _none = queue.pass(None);
        }
    }
}

impl<T> Drop for Place<'_, T> {
    fn drop(&mut self) {
        // Not there any more, the turn was given: it goes on when the receiver is dropped.
        self.queue.state().waiting.remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use super::*;

    fn poll<F: Future>(future: std::pin::Pin<&mut F>) -> Poll<F::Output> {
        future.poll(&mut Context::from_waker(Waker::noop()))
    }

    fn turn<T>(poll: Poll<Turn<T>>) -> Turn<T> {
        match poll {
            Poll::Ready(turn) => turn,
            Poll::Pending => panic!("it is nobody's turn"),
        }
    }

    #[test]
    fn who_asked_first_is_handed_it_first() {
        let queue = Queue::new(1);
        let first = queue.try_turn().unwrap();
        let (mut second, mut third) = (pin!(queue.turn()), pin!(queue.turn()));
        assert!(poll(second.as_mut()).is_pending());
        assert!(poll(third.as_mut()).is_pending());
        assert!(queue.try_turn().is_none());
        assert_eq!(first.permit.hand_over("a connection"), None);
        assert!(poll(third.as_mut()).is_pending());
        let second = turn(poll(second));
        assert_eq!(second.handed, Some("a connection"));
        drop(second.permit);
        assert_eq!(turn(poll(third)).handed, None);
        assert!(queue.state().waiting.is_empty());
    }

    #[test]
    fn what_nobody_waits_for_comes_back_and_its_permit_is_free() {
        let queue = Queue::new(1);
        let held = queue.try_turn().unwrap();
        assert_eq!(held.permit.hand_over(7), Some(7));
        assert!(queue.try_turn().is_some());
    }

    #[test]
    fn a_cancelled_caller_leaves_the_queue_and_what_it_was_given_goes_on() {
        let queue = Queue::new(1);
        let held = queue.try_turn().unwrap();
        let mut gives_up = Box::pin(queue.turn());
        let mut too_late = Box::pin(queue.turn());
        let mut stays = pin!(queue.turn());
        for waiting in [&mut gives_up, &mut too_late] {
            assert!(poll(waiting.as_mut()).is_pending());
        }
        assert!(poll(stays.as_mut()).is_pending());
        drop(gives_up);
        assert_eq!(queue.state().waiting.len(), 2);
        // It is given its turn, and dropped before it notices.
        assert_eq!(held.permit.hand_over(7), None);
        drop(too_late);
        let turn = turn(poll(stays));
        assert_eq!((turn.handed, queue.state().waiting.len()), (None, 0));
        drop(turn.permit);
        assert_eq!(queue.state().free, 1);
    }

    #[test]
    fn no_permit_is_lost_or_made_while_threads_take_hand_over_and_give_up() {
        let queue = Queue::new(3);
        let mut random = 0x9e37_79b9_7f4a_7c15_u64;
        let seeds: Vec<u64> = (0..4).map(|_| next(&mut random)).collect();
        std::thread::scope(|threads| {
            for mut random in seeds {
                let queue = Arc::clone(&queue);
                threads.spawn(move || {
                    for _ in 0..20_000 {
                        let mut waiting = Box::pin(queue.turn());
                        let Poll::Ready(turn) = poll(waiting.as_mut()) else { continue };
                        if next(&mut random).is_multiple_of(2) {
                            let _back = turn.permit.hand_over(());
                        }
                    }
                });
            }
        });
        let state = queue.state();
        assert_eq!((state.free, state.waiting.len()), (3, 0));
    }

    fn next(random: &mut u64) -> u64 {
        *random ^= *random << 13;
        *random ^= *random >> 7;
        *random ^= *random << 17;
        *random
    }
}
