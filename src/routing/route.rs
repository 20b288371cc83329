//! Where a command goes.

use thiserror::Error;

use super::replica::Turn;
use crate::slot::Slot;
use crate::topology::{NodeIndex, Topology};

/// What routing needs to know of a command, and nothing more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Subject {
    /// The slot of its keys. `None`: it has none, and any node can run it.
    pub(crate) slot: Option<Slot>,
    /// Whether a replica can answer it ([`crate::command::replica_safe`]).
    pub(crate) replica_safe: bool,
}

/// Where reads may go. node-redis's `useReplicas`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ReadPreference {
    /// To the primary and each of its replicas in turn. An answer may be a moment old.
    Any,
    /// To the primary only.
    Primary,
}

/// Why a command has nowhere to go.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub(crate) enum RouteError {
    /// The topology names no node.
    #[error("the cluster has no nodes")]
    NoNodes,
    /// The cluster has no owner for the slot.
    #[error("no node owns slot {}", .0.number())]
    SlotUnassigned(Slot),
}

/// Decides where a command goes. No clock, no lock, no random source of its own.
///
/// `pick` is given the number of equal candidates and names one. Any number will do, it wraps; a
/// counter makes the candidates take turns. Candidates that `avoid` names (not connected, loading)
/// miss their turn. Neither is asked where there is no choice.
///
/// Commands that a replica may not answer never go to one. (node-redis sends keyless writes to
/// replicas too when `useReplicas` is on, where they fail.)
///
/// # Errors
///
/// [`RouteError`] while the topology knows no owner.
pub(crate) fn route(
    subject: Subject,
    topology: &Topology,
    reads: ReadPreference,
    pick: impl FnOnce(usize) -> usize,
    avoid: impl Fn(NodeIndex) -> bool,
) -> Result<NodeIndex, RouteError> {
    let turn = Turn { pick, avoid };
    let spread = subject.replica_safe && reads == ReadPreference::Any;
    let Some(slot) = subject.slot else {
        let shards = topology.slots.shards();
        let node = if spread { turn.any_node(shards) } else { turn.any_primary(shards) };
        return node.ok_or(RouteError::NoNodes);
    };
    let shard = topology.slots.shard(slot).ok_or(RouteError::SlotUnassigned(slot))?;
    if spread && !shard.replicas.is_empty() { Ok(turn.of_shard(shard)) } else { Ok(shard.primary) }
}

#[cfg(test)]
mod tests {
    use super::ReadPreference::{Any, Primary};
    use super::*;
    use crate::topology::testing::topology;

    fn slot(number: u16) -> Option<Slot> {
        Some(Slot::new(number).unwrap())
    }

    #[test]
    fn reads_take_turns_and_writes_never_leave_the_primary() {
        // Nodes in order of their index: primary 0 with replicas 1 and 2, primary 3 without,
        // primary 4 with replica 5.
        let topology = topology(&[(0, 9, &[1, 2, 3]), (10, 19, &[4]), (20, 29, &[5, 6])]);
        let cases: &[(Option<Slot>, bool, ReadPreference, &[u16])] = &[
            // slot, replica safe, preference -> node of each turn
            (slot(7), false, Primary, &[0, 0, 0, 0]),
            (slot(7), false, Any, &[0, 0, 0, 0]),
            (slot(7), true, Primary, &[0, 0, 0, 0]),
            (slot(7), true, Any, &[0, 1, 2, 0]),
            (slot(10), true, Any, &[3, 3]),
            (slot(29), true, Any, &[4, 5, 4]),
            (None, false, Primary, &[0, 3, 4, 0]),
            (None, false, Any, &[0, 3, 4, 0]),
            (None, true, Primary, &[0, 3, 4, 0]),
            (None, true, Any, &[0, 3, 4, 1, 2, 5, 0]),
        ];
        for (slot, replica_safe, reads, want) in cases {
            let subject = Subject { slot: *slot, replica_safe: *replica_safe };
            let turns = 0..want.len();
            let got: Vec<_> = turns
                .map(|turn| route(subject, &topology, *reads, |_| turn, |_| false).unwrap().0)
                .collect();
            assert_eq!(got, *want, "{subject:?} {reads:?}");
        }
    }

    #[test]
    fn nodes_that_cannot_answer_miss_their_turn() {
        // Primary 0 with replicas 1 and 2, primary 3 with replica 4.
        let topology = topology(&[(0, 9, &[1, 2, 3]), (10, 19, &[4, 5])]);
        type Case<'a> = (Option<Slot>, bool, &'a [u16], &'a [u16]);
        let cases: &[Case<'_>] = &[
            // slot, replica safe, avoided -> node of each turn
            (slot(7), true, &[1], &[0, 2, 2, 0]),
            (slot(7), true, &[0, 2], &[1, 1, 1, 1]),
            (slot(7), true, &[0, 1, 2], &[0, 0, 0]),
            (slot(7), false, &[0], &[0, 0]),
            (None, false, &[0], &[3, 3]),
            (None, false, &[0, 3], &[0, 0]),
            (None, true, &[0, 4], &[3, 3, 1, 2, 3]),
        ];
        for (slot, replica_safe, avoided, want) in cases {
            let subject = Subject { slot: *slot, replica_safe: *replica_safe };
            let avoid = |node: NodeIndex| avoided.contains(&node.0);
            let got: Vec<_> = (0..want.len())
                .map(|turn| route(subject, &topology, Any, |_| turn, avoid).unwrap().0)
                .collect();
            assert_eq!(got, *want, "{subject:?} without {avoided:?}");
        }
    }

    #[test]
    fn picks_are_asked_with_the_number_of_candidates() {
        let topology = topology(&[(0, 9, &[1, 2, 3]), (10, 19, &[4])]);
        for (slot, want) in [(slot(0), 3), (None, 4)] {
            let subject = Subject { slot, replica_safe: true };
            let mut asked = None;
            route(subject, &topology, Any, |candidates| *asked.insert(candidates), |_| false)
                .unwrap();
            assert_eq!(asked, Some(want));
        }
    }

    #[test]
    fn nowhere_to_go_is_an_error_not_a_guess() {
        let gap = topology(&[(0, 9, &[1])]);
        let none = topology(&[]);
        let unassigned = RouteError::SlotUnassigned(Slot::new(10).unwrap());
        for reads in [Any, Primary] {
            let route = |slot, topology| {
                route(
                    Subject { slot, replica_safe: true },
                    topology,
                    reads,
                    |_| usize::MAX,
                    |_| false,
                )
            };
            assert_eq!(route(slot(10), &gap), Err(unassigned));
            assert_eq!(route(slot(10), &none), Err(unassigned));
            assert_eq!(route(None, &none), Err(RouteError::NoNodes));
        }
    }
}
