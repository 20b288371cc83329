//! What will happen in a simulated world, and when.

use super::mishaps::Mishap;
use super::random::Random;
use super::recoveries::Recovery;
use super::view::View;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Number of a node, for its whole life; addresses may be used again, numbers are not.
pub(super) type NodeId = usize;
/// Number of a connection.
pub(super) type ConnectionId = usize;

/// Something that is due at some time.
#[derive(Clone, Debug)]
pub(super) enum Event {
    /// Bytes reach the client's end.
    ArriveAtClient(ConnectionId),
    /// Bytes reach the node's end.
    ArriveAtNode(ConnectionId),
    /// The caller gives up on a command.
    Cancel(u32),
    /// The client connects again.
    Connect,
    /// The client is destroyed, or closed.
    End { orderly: bool },
    /// A failed primary's replica takes over, if the primary is still failed.
    Elect(NodeId),
    /// The client's system gives a connection up.
    Forget(ConnectionId),
    /// A node hears of a newer view.
    Learn(NodeId, Arc<View>),
    /// A migration goes on.
    Migrate(u16),
    /// Something goes wrong.
    Mishap(Mishap),
    /// Something that went wrong is over.
    Recover(Recovery),
    /// The user asks for a refresh.
    Refresh,
    /// The workload looks whether it has something to do.
    Work,
}

/// Events by time. Those of one millisecond come in an order that is left to chance.
#[derive(Debug, Default)]
pub(super) struct Agenda {
    events: BTreeMap<(u64, u64, u64), Event>,
    count: u64,
    /// Something is due sooner than anything before.
    pub(super) sooner: bool,
}

impl Agenda {
    pub(super) fn add(&mut self, at: u64, event: Event, random: &mut Random) {
        self.count += 1;
        self.sooner |= self.next_time().is_none_or(|next| at < next);
        self.events.insert((at, random.below(1 << 16), self.count), event);
    }

    /// When the next event is due.
    pub(super) fn next_time(&self) -> Option<u64> {
        self.events.first_key_value().map(|((at, ..), _)| *at)
    }

    /// The next event, if it is due.
    pub(super) fn take_due(&mut self, now: u64) -> Option<Event> {
        if self.next_time()? > now {
            return None;
        }
        self.events.pop_first().map(|(_, event)| event)
    }

    /// Forgets events that are not to happen any more.
    pub(super) fn retain(&mut self, mut keep: impl FnMut(&Event) -> bool) {
        self.events.retain(|_, event| keep(event));
    }
}
