//! Commands that need a connection of their own, on their way from the submitting thread to the I/O
//! thread, and what is said about such connections between them.

use super::describe::Piece;
use super::dispatch::{Dispatcher, Tick};
use super::lane::Parcel;
use super::request::{Request, Ticket};
use crate::error::Error;
use crate::node_addr::NodeAddr;
use crate::routing::Subject;
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The number of a lease that the submitting thread has asked for.
pub(crate) type LeaseId = u32;

/// The highest bit of a destination: it is not the number of a node but of a lease.
pub(super) const LEASE: u32 = 1 << 31;

/// Whether a destination is a lease.
pub(super) fn is_lease(destination: u32) -> bool {
    destination & LEASE != 0
}

/// One thing that is handed over.
#[derive(Debug)]
pub(crate) enum Handed {
    /// A command that may wait on its server, for any connection that is free: to the node it names, if
    /// it names one.
    Command(Option<NodeAddr>, Parcel),
    /// A connection to this node is asked for.
    Lease(LeaseId, NodeAddr),
    /// A command for a connection that was asked for.
    OnLease(LeaseId, Parcel),
    /// The connection is given back: as it was, or not.
    Release(LeaseId, bool),
}

impl Handed {
    fn byte_len(&self) -> usize {
        match self {
            Self::Command(_, (_, bytes)) | Self::OnLease(_, (_, bytes)) => bytes.len(),
            Self::Lease(..) | Self::Release(..) => 0,
        }
    }

    /// Whose command it is, if it is one.
    pub(crate) fn ticket(&self) -> Option<Ticket> {
        match self {
            Self::Command(_, (request, _)) | Self::OnLease(_, (request, _)) => Some(request.ticket),
            Self::Lease(..) | Self::Release(..) => None,
        }
    }
}

/// What has been handed over and not taken. Bounded like one node's queue, in bytes: see
/// `Dispatcher::hand_over`.
#[derive(Debug, Default)]
pub(crate) struct Handover {
    /// `None`: nobody will take anything.
    queue: Mutex<Option<VecDeque<Handed>>>,
    /// Bytes of the commands in `queue`.
    bytes: AtomicUsize,
    /// Bytes of those that were taken and wait for a connection.
    waiting_bytes: AtomicUsize,
}

impl Handover {
    /// From now on somebody takes what is handed over.
    pub(crate) fn open(&self) {
        *self.queue.lock() = Some(VecDeque::new());
    }

    /// Nobody does any more. Returns what was not taken.
    pub(crate) fn close(&self) -> VecDeque<Handed> {
        let mut queue = self.queue.lock();
        self.bytes.store(0, Ordering::Relaxed);
        self.waiting_bytes.store(0, Ordering::Relaxed);
        queue.take().unwrap_or_default()
    }

    /// Hands over, behind all that was. Gives it back if nobody would take it.
    pub(crate) fn push(&self, handed: Handed) -> Result<(), Handed> {
        let mut queue = self.queue.lock();
        let Some(queue) = &mut *queue else { return Err(handed) };
        self.bytes.fetch_add(handed.byte_len(), Ordering::Relaxed);
        queue.push_back(handed);
        Ok(())
    }

    /// Takes all.
    pub(crate) fn take(&self) -> VecDeque<Handed> {
        let mut queue = self.queue.lock();
        self.bytes.store(0, Ordering::Relaxed);
        queue.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// Bytes of the commands that were handed over and are not on a connection yet.
    pub(crate) fn byte_len(&self) -> usize {
        self.bytes.load(Ordering::Relaxed) + self.waiting_bytes.load(Ordering::Relaxed)
    }

    /// Says how many bytes were taken and wait for a connection.
    pub(crate) fn note_waiting(&self, bytes: usize) {
        self.waiting_bytes.store(bytes, Ordering::Relaxed);
    }
}

impl Dispatcher {
    /// Gives a command that needs a connection of its own to the I/O thread.
    pub(super) fn hand_over(tick: &Tick<'_>, piece: &Piece<'_>) -> Result<(), Error> {
        let shared = tick.shared;
        shared.limits.check_handover(shared.handover.byte_len(), shared.waiting_bytes())?;
        let pinned = |flags| {
            let subject = Subject { slot: None, ..piece.subject };
            Piece { subject, flags: flags | Request::PINNED, ..*piece }.into_parcel(tick.now)
        };
        shared.hand_over(match piece.command.destination {
            None => Handed::Command(None, piece.into_parcel(tick.now)),
            Some(lease) if is_lease(lease) => {
                Handed::OnLease(lease, pinned(piece.flags & !Request::LEASED))
            }
            Some(number) => {
                let addr = shared.destinations.addr(number).ok_or(Error::Closed)?;
                Handed::Command(Some(addr), pinned(piece.flags))
            }
        });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_left_where_nobody_would_take_it() {
        let handover = Handover::default();
        let command =
            |ticket| Handed::Command(None, (Request::new(ticket, 0, None, 3), vec![0; 3]));
        assert!(handover.push(command(1)).is_err());
        handover.open();
        assert!(handover.push(command(2)).is_ok());
        assert!(handover.push(Handed::Release(1, true)).is_ok());
        assert_eq!(handover.byte_len(), 3);
        let taken: Vec<_> = handover.take().iter().map(Handed::ticket).collect();
        assert_eq!(taken, [Some(2), None]);
        assert!(handover.push(command(3)).is_ok());
        handover.note_waiting(9);
        assert_eq!(handover.byte_len(), 12);
        assert_eq!(handover.close().len(), 1);
        assert_eq!(handover.byte_len(), 0);
        assert!(handover.push(command(4)).is_err());
    }
}
