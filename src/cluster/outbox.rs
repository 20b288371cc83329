//! Answers and events on their way out: tapes that collect until somebody takes them.

use super::request::Ticket;
use crate::resp::{Mark, Tape};
use parking_lot::Mutex;
use std::collections::VecDeque;

/// The ticket of entries that answer nobody: events.
pub const EVENT: Ticket = u32::MAX;

/// A batch is closed at this many words or bytes, so that it fits the usual buffers on the other
/// side (`js/channel.js`). Only a single entry can make one longer.
const SEGMENT_WORDS: usize = 64 << 10;
const SEGMENT_BYTES: usize = 1 << 20;
/// Large strings in one batch, in bytes. What JavaScript makes of a batch holds its event loop, and
/// a megabyte takes it a millisecond or more.
const SEGMENT_LARGE_BYTES: usize = 1 << 20;
/// Empty tapes kept for reuse, and the most memory each may keep.
const SPARE_TAPES: usize = 2;
const SPARE_CAPACITY: usize = 4 << 20;

/// Whoever is to take the answers. Called on any thread; must not block.
pub trait ReplySink: Send + Sync {
    /// Something is there to be taken. Called once until all of it has been taken.
    fn wake(&self);
}

/// Where answers wait. Bounded by the commands in flight: each has one answer.
pub(crate) struct Outbox {
    inner: Mutex<Inner>,
    sink: Box<dyn ReplySink>,
}

#[derive(Default)]
struct Inner {
    segments: VecDeque<Tape>,
    spare: Vec<Tape>,
    awake: bool,
}

impl Outbox {
    pub(crate) fn new(sink: Box<dyn ReplySink>) -> Self {
        Self { inner: Mutex::default(), sink }
    }

    /// Moves the entries before `end` from `tape` to those that wait.
    pub(crate) fn deliver(&self, tape: &mut Tape, end: Mark) {
        let mut inner = self.inner.lock();
        let whole = end == tape.mark();
        let target = inner.segment(tape, end);
        if whole && target.is_empty() {
            std::mem::swap(tape, target);
        } else {
            tape.drain_into(end, target);
        }
        let wake = !std::mem::replace(&mut inner.awake, true);
        drop(inner);
        if wake {
            self.sink.wake();
        }
    }

    /// Adds one entry, written by `write`.
    pub(crate) fn post(&self, ticket: Ticket, write: impl FnOnce(&mut Tape)) {
        let mut tape = Tape::default();
        tape.words.push(ticket);
        write(&mut tape);
        let end = tape.mark();
        self.deliver(&mut tape, end);
    }

    /// The oldest batch. `None`: nothing waits. With `sleep`, the next answer wakes the sink again
    /// after that; without, the taker has said that it will come back by itself.
    pub(crate) fn take(&self, sleep: bool) -> Option<Tape> {
        let mut inner = self.inner.lock();
        let segment = inner.segments.pop_front();
        if segment.is_none() && sleep {
            inner.awake = false;
        }
        segment
    }

    /// Gives a batch's memory back for the next ones.
    pub(crate) fn recycle(&self, mut tape: Tape) {
        if tape.capacity() <= SPARE_CAPACITY {
            tape.clear();
            let mut inner = self.inner.lock();
            if inner.spare.len() < SPARE_TAPES {
                inner.spare.push(tape);
            }
        }
    }
}

impl Inner {
    /// The batch to add to: the last one, unless the addition would make it too long.
    fn segment(&mut self, tape: &Tape, addition: Mark) -> &mut Tape {
        let room = self.segments.back().is_some_and(|last| {
            let mark = last.mark();
            mark.words + addition.words <= SEGMENT_WORDS
                && mark.bytes + addition.bytes <= SEGMENT_BYTES
                && total(&last.large) + total(&tape.large[..addition.large]) <= SEGMENT_LARGE_BYTES
        });
        if !room {
            self.segments.push_back(self.spare.pop().unwrap_or_default());
        }
        let last = self.segments.len() - 1;
        &mut self.segments[last]
    }
}

/// There are at most sixteen in a batch: each has 64 KiB or more.
fn total(large: &[Vec<u8>]) -> usize {
    large.iter().map(Vec::len).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resp::kind;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    struct Count(Arc<AtomicUsize>);

    impl ReplySink for Count {
        fn wake(&self) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn one_wake_until_all_is_taken() {
        let wakes = Arc::new(AtomicUsize::new(0));
        let outbox = Outbox::new(Box::new(Count(wakes.clone())));
        for ticket in 0..3 {
            outbox.post(ticket, |tape| tape.push_int(5));
        }
        assert_eq!(wakes.load(Ordering::Relaxed), 1);
        let batch = outbox.take(true).unwrap();
        assert_eq!(batch.words, [0, kind::INT, 5, 1, kind::INT, 5, 2, kind::INT, 5]);
        outbox.post(9, |tape| tape.push_int(1));
        assert_eq!(wakes.load(Ordering::Relaxed), 1, "the taker comes back for more anyway");
        assert!(outbox.take(true).is_some());
        assert!(outbox.take(false).is_none());
        outbox.post(9, |tape| tape.push_int(1));
        assert_eq!(wakes.load(Ordering::Relaxed), 1, "the taker said that it would come back");
        assert!(outbox.take(true).is_some());
        assert!(outbox.take(true).is_none());
        outbox.post(9, |tape| tape.push_int(1));
        assert_eq!(wakes.load(Ordering::Relaxed), 2);
    }

    #[test]
    fn long_batches_are_split_between_entries() {
        let outbox = Outbox::new(Box::new(Count(Arc::default())));
        for ticket in 0..40 {
            outbox.post(ticket, |tape| tape.push_string(kind::BLOB, &[b'x'; 60_000]));
        }
        let (mut batches, mut entries) = (0, 0);
        while let Some(batch) = outbox.take(true) {
            assert!(batch.bytes.len() <= SEGMENT_BYTES);
            entries += batch.words.len() / 2;
            batches += 1;
            outbox.recycle(batch);
        }
        assert_eq!((batches, entries), (3, 40));
    }

    #[test]
    fn large_strings_are_spread_over_batches() {
        let outbox = Outbox::new(Box::new(Count(Arc::default())));
        for ticket in 0..8 {
            outbox.post(ticket, |tape| tape.push_string(kind::BLOB, &[b'x'; 600_000]));
            outbox.post(ticket, |tape| tape.push_int(1));
        }
        let batches: Vec<_> = std::iter::from_fn(|| outbox.take(true)).collect();
        assert!(batches.iter().all(|batch| batch.large.len() == 1), "more than 1 MiB in a batch");
        assert_eq!(batches.len(), 8);
    }
}
