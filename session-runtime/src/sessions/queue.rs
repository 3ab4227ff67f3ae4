//! Commits of one key take turns within a process, so that overlap costs one more round trip and not a storm.

use std::collections::VecDeque;
use std::collections::hash_map::{Entry, HashMap};
use std::hash::BuildHasherDefault;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::oneshot;

use crate::store::{KeyHasher, shard_of};

/// How many locks the queues are spread over.
const SHARDS: usize = 64;

/// The queues of all keys that are being committed.
#[derive(Debug)]
pub(crate) struct Queues {
    shards: Box<[Mutex<Shard>]>,
}

/// By hash of the key: two keys of one hash would only take turns needlessly.
type Shard = HashMap<u64, Waiting, BuildHasherDefault<KeyHasher>>;

type Waiting = VecDeque<oneshot::Sender<Turn>>;

/// The right to commit to a key. Dropping it passes it on.
#[derive(Debug)]
pub(crate) struct Turn {
    /// `None` once it was passed on.
    queues: Option<Arc<Queues>>,
    hash: u64,
}

impl Queues {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self { shards: (0..SHARDS).map(|_| Mutex::default()).collect() })
    }

    /// Waits for its turn at the key with this hash.
    pub(crate) async fn enter(self: &Arc<Self>, hash: u64) -> Turn {
        let turn = match self.with(hash, |queues| match queues.entry(hash) {
            Entry::Vacant(vacant) => {
                vacant.insert(Waiting::new());
                None
            }
            Entry::Occupied(mut occupied) => {
                let (sender, receiver) = oneshot::channel();
                occupied.get_mut().push_back(sender);
                Some(receiver)
            }
        }) {
            // A turn is never dropped without being passed on, so the wait ends with one.
            Some(receiver) => receiver.await.ok(),
            None => None,
        };
        turn.unwrap_or_else(|| Turn { queues: Some(self.clone()), hash })
    }

    fn with<R>(&self, hash: u64, look: impl FnOnce(&mut Shard) -> R) -> R {
        let shard = &self.shards[shard_of(hash, SHARDS)];
        look(&mut shard.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let Some(queues) = self.queues.take() else { return };
        let mut next = Self { queues: None, hash: self.hash };
        loop {
            let sender = queues.with(self.hash, |queues| {
                let Entry::Occupied(mut waiting) = queues.entry(self.hash) else { return None };
                let sender = waiting.get_mut().pop_front();
                if sender.is_none() {
                    waiting.remove();
                }
                sender
            });
            let Some(sender) = sender else { return };
            next.queues = Some(queues.clone());
            match sender.send(next) {
                Ok(()) => return,
                // The one who waited is gone.
                Err(mut unused) => {
                    unused.queues = None;
                    next = unused;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use super::*;

    fn poll<F: Future>(future: std::pin::Pin<&mut F>) -> Poll<F::Output> {
        future.poll(&mut Context::from_waker(Waker::noop()))
    }

    #[test]
    fn turns_are_taken_in_order_and_passed_over_whoever_left() {
        let queues = Queues::new();
        let Poll::Ready(first) = poll(pin!(queues.enter(1))) else { panic!("the first waits for nobody") };
        let mut gone = Box::pin(queues.enter(1));
        let mut third = Box::pin(queues.enter(1));
        let mut last = Box::pin(queues.enter(1));
        for waiting in [&mut gone, &mut third, &mut last] {
            assert!(poll(waiting.as_mut()).is_pending());
        }
        assert!(poll(pin!(queues.enter(2))).is_ready(), "another key has its own queue");

        drop(gone);
        drop(first);
        assert!(poll(last.as_mut()).is_pending(), "it came after the third");
        let Poll::Ready(third) = poll(third.as_mut()) else { panic!("the turn is passed on") };
        drop(third);
        let Poll::Ready(last) = poll(last.as_mut()) else { panic!("the turn is passed on") };
        drop(last);
        assert!(queues.shards.iter().all(|shard| shard.lock().expect("no panic").is_empty()));
    }

    #[test]
    fn a_turn_that_nobody_takes_up_is_passed_on() {
        let queues = Queues::new();
        let Poll::Ready(first) = poll(pin!(queues.enter(1))) else { panic!("the first waits for nobody") };
        let mut second = Box::pin(queues.enter(1));
        let mut third = Box::pin(queues.enter(1));
        assert!(poll(second.as_mut()).is_pending());
        assert!(poll(third.as_mut()).is_pending());
        drop(first); // the second has the turn now, and is dropped before it looks
        drop(second);
        assert!(poll(third.as_mut()).is_ready());
    }
}
