//! What the next topology changes, as work to be done.

use super::{Node, Topology, find};
use crate::node_addr::NodeAddr;
use crate::slot::Slot;

/// The difference between two topologies. A node is its address: the same node at another address
/// needs another connection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Diff {
    /// Nodes that only the new topology names.
    pub(crate) added: Vec<NodeAddr>,
    /// Nodes that only the old topology names.
    pub(crate) gone: Vec<NodeAddr>,
    /// Slots whose primary is another one now, those that gained or lost theirs included.
    pub(crate) moved: Vec<Slot>,
}

impl Diff {
    /// Compares two topologies.
    pub(crate) fn between(old: &Topology, new: &Topology) -> Self {
        // Where each old node stands in the new topology, so that slots compare numbers.
        let renamed: Vec<_> = old.nodes.iter().map(|node| new.find(&node.addr)).collect();
        let moved = (0..Slot::COUNT as u16).filter_map(Slot::new).filter(|&slot| {
            let before = old.slots.primary(slot).map(|primary| renamed.get(primary.index()));
            let after = new.slots.primary(slot);
            match before {
                None => after.is_some(),
                // A primary that is gone has no new index, and no slot can be with it any more.
                Some(index) => index.copied().flatten().is_none_or(|index| Some(index) != after),
            }
        });
        Self {
            added: only_in(&new.nodes, &old.nodes),
            gone: only_in(&old.nodes, &new.nodes),
            moved: moved.collect(),
        }
    }
}

fn only_in(nodes: &[Node], others: &[Node]) -> Vec<NodeAddr> {
    let missing = nodes.iter().filter(|node| find(others, &node.addr).is_none());
    missing.map(|node| node.addr.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::topology::testing::topology;

    fn ports(addrs: &[NodeAddr]) -> Vec<u16> {
        addrs.iter().map(NodeAddr::port).collect()
    }

    fn numbers(slots: &[Slot]) -> Vec<u16> {
        slots.iter().map(|slot| slot.number()).collect()
    }

    #[test]
    fn names_what_changed() {
        type Shards<'a> = &'a [(u16, u16, &'a [u16])];
        let cases: &[(&str, Shards<'_>, Shards<'_>, [&[u16]; 3])] = &[
            ("nothing", &[(0, 9, &[1, 2])], &[(0, 9, &[1, 2])], [&[], &[], &[]]),
            (
                "order only",
                &[(0, 4, &[1]), (5, 9, &[2])],
                &[(5, 9, &[2]), (0, 4, &[1])],
                [&[], &[], &[]],
            ),
            ("replica added", &[(0, 9, &[1])], &[(0, 9, &[1, 2])], [&[2], &[], &[]]),
            ("failover", &[(0, 2, &[1, 2])], &[(0, 2, &[2])], [&[], &[1], &[0, 1, 2]]),
            ("roles swapped", &[(0, 1, &[1, 2])], &[(0, 1, &[2, 1])], [&[], &[], &[0, 1]]),
            (
                "slot moved",
                &[(0, 2, &[1]), (3, 4, &[2])],
                &[(0, 1, &[1]), (2, 4, &[2])],
                [&[], &[], &[2]],
            ),
            ("slot lost", &[(0, 2, &[1])], &[(0, 1, &[1])], [&[], &[], &[2]]),
            ("slot gained", &[(0, 1, &[1])], &[(0, 2, &[1])], [&[], &[], &[2]]),
            ("replaced", &[(0, 0, &[1])], &[(0, 0, &[2])], [&[2], &[1], &[0]]),
        ];
        for (name, old, new, [added, gone, moved]) in cases {
            let diff = Diff::between(&topology(old), &topology(new));
            let got = [ports(&diff.added), ports(&diff.gone), numbers(&diff.moved)];
            assert_eq!(got, [added.to_vec(), gone.to_vec(), moved.to_vec()], "{name}");
        }
    }
}
