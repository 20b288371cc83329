//! What is looked at all the time: the topology in force, and how much the engine does.

use super::expected::EXPECTED;
use super::world::World;
use crate::topology::Topology;

/// Connections that may be attempted in one second, besides one or two to each node. Those that
/// fail follow each other in 50 ms and more for each node; those that succeed only the network
/// cuts.
const DIALS: u64 = 300;
/// Bytes of the longest command.
const LONGEST: usize = 101_000;
/// Reads and writes in one second: some for each part of what the network carries.
const CALLS: u64 = 60_000;

/// The last state that was seen.
#[derive(Debug, Default)]
pub(super) struct Watch {
    epoch: u64,
    covered: usize,
    second: u64,
    dials: u64,
    calls: u64,
}

impl Watch {
    /// A new session begins with a topology of its own.
    pub(super) fn forget_topology(&mut self) {
        (self.epoch, self.covered) = (0, 0);
    }

    /// The topology in force: its epoch grows, and no slot loses its owner.
    pub(super) fn look_at(&mut self, topology: &Topology) -> Option<String> {
        if topology.epoch == self.epoch || topology.nodes.is_empty() {
            return None;
        }
        let (epoch, covered) = (topology.epoch, topology.slots.covered());
        let problem = if epoch < self.epoch {
            Some(format!("the topology's epoch fell from {} to {epoch}", self.epoch))
        } else if covered < self.covered {
            Some(format!("the topology covered {} slots, and covers {covered}", self.covered))
        } else {
            None
        };
        (self.epoch, self.covered) = (epoch, covered);
        problem
    }

    /// The engine's work in each second, and the memory of its queues (I9).
    pub(super) fn look_around(&mut self, world: &World) -> Option<String> {
        let second = world.now / 1_000;
        let (dials, calls) = (world.network.dials, world.network.calls);
        if second != self.second {
            (self.second, self.dials, self.calls) = (second, dials, calls);
        }
        let (dialed, called) = (dials - self.dials, calls - self.calls);
        let nodes = world.servers.nodes.len() as u64;
        if dialed > DIALS + 2 * nodes {
            return Some(format!("{dialed} attempts to connect within a second"));
        }
        if called > CALLS + 100 * nodes {
            return Some(format!("{called} reads and writes within a second"));
        }
        // Each node's queue, and what is held back; each may be exceeded by its last command.
        let queues = world.servers.nodes.len() + 1;
        let bound = world.ledger.queue_bytes.filter(|_| EXPECTED.bytes_are_bounded)?;
        let held = world.ledger.open_bytes;
        let most = queues * (bound + LONGEST);
        (held > most).then(|| format!("I9: {held} bytes wait for answers"))
    }
}
