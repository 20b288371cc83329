//! The slow road: commands that must wait for earlier ones of their slot.
//!
//! When a slot moves, commands sent to its old owner come back one after the other and go on to
//! the new owner. A younger command of that slot must not overtake them. So while any slot is held,
//! the submitting thread gives its commands to the lane instead of to the links, and the I/O thread
//! sends them on in order.

use super::request::Request;
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

/// A command and its bytes.
pub(crate) type Parcel = (Request, Vec<u8>);

/// Commands on the slow road. Bounded by the commands in flight.
#[derive(Debug, Default)]
pub(crate) struct Lane {
    active: AtomicBool,
    queue: Mutex<VecDeque<Parcel>>,
    /// Bytes of the commands in `queue`.
    bytes: AtomicUsize,
    /// Bytes of those that were taken off it and are held.
    held_bytes: AtomicUsize,
    /// Odd while the submitting thread is between looking at the routes and the last link.
    dispatches: AtomicU64,
}

impl Lane {
    /// Marks that commands are being dispatched; the returned guard marks the end.
    ///
    /// Who closes the road first ([`Lane::open`]) and then finds [`Lane::dispatching`] even knows
    /// that no command went or will go by the routes of before.
    pub(crate) fn begin_dispatch(&self) -> Dispatching<'_> {
        self.dispatches.fetch_add(1, Ordering::SeqCst);
        Dispatching(self)
    }

    /// The number of the dispatch going on; `None` if there is none.
    pub(crate) fn dispatching(&self) -> Option<u64> {
        let count = self.dispatches.load(Ordering::SeqCst);
        (count % 2 == 1).then_some(count)
    }

    /// Says whether commands must take the lane.
    pub(crate) fn is_active(&self) -> bool {
        self.active.load(Ordering::SeqCst)
    }

    /// Sends all commands from now on over the lane.
    pub(crate) fn open(&self) {
        self.active.store(true, Ordering::SeqCst);
    }

    /// Adds a command behind the others. Gives it back when the lane has been closed meanwhile.
    pub(crate) fn push(&self, parcel: Parcel) -> Result<(), Parcel> {
        let mut queue = self.queue.lock();
        if !self.is_active() {
            return Err(parcel);
        }
        self.bytes.fetch_add(parcel.1.len(), Ordering::Relaxed);
        queue.push_back(parcel);
        Ok(())
    }

    /// Commands on the lane.
    pub(crate) fn len(&self) -> usize {
        self.queue.lock().len()
    }

    /// Takes everything off the lane.
    pub(crate) fn take(&self) -> VecDeque<Parcel> {
        let mut queue = self.queue.lock();
        self.bytes.store(0, Ordering::Relaxed);
        std::mem::take(&mut *queue)
    }

    /// Bytes of the commands on the lane, and of those that are held.
    pub(crate) fn byte_len(&self) -> usize {
        self.bytes.load(Ordering::Relaxed) + self.held_bytes.load(Ordering::Relaxed)
    }

    /// Says how many bytes are held.
    pub(crate) fn note_held(&self, bytes: usize) {
        self.held_bytes.store(bytes, Ordering::Relaxed);
    }

    /// Ends the detour, unless commands are still on it.
    pub(crate) fn close_if_empty(&self) -> bool {
        let queue = self.queue.lock();
        if queue.is_empty() {
            self.active.store(false, Ordering::SeqCst);
        }
        queue.is_empty()
    }
}

/// See [`Lane::begin_dispatch`].
pub(crate) struct Dispatching<'a>(&'a Lane);

impl Drop for Dispatching<'_> {
    fn drop(&mut self) {
        self.0.dispatches.fetch_add(1, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_closed_lane_gives_commands_back() {
        let lane = Lane::default();
        let parcel = || (Request::new(1, 0, None, 0), Vec::new());
        assert!(lane.push(parcel()).is_err());
        lane.open();
        assert!(lane.push(parcel()).is_ok());
        assert!(!lane.close_if_empty());
        assert_eq!(lane.take().len(), 1);
        assert!(lane.close_if_empty());
        assert!(lane.push(parcel()).is_err());
    }

    #[test]
    fn a_dispatch_is_seen_while_it_lasts() {
        let lane = Lane::default();
        let dispatching = lane.begin_dispatch();
        let seen = lane.dispatching();
        assert!(seen.is_some());
        drop(dispatching);
        assert_eq!(lane.dispatching(), None);
        let _next = lane.begin_dispatch();
        assert_ne!(lane.dispatching(), seen);
    }
}
