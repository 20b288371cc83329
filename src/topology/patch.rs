//! What one `MOVED` changes: one slot, at once, until the next whole picture arrives.

use super::{Node, NodeIndex, Shard, ShardIndex, Topology, push};
use crate::node_addr::NodeAddr;
use crate::slot::Slot;

impl Topology {
    /// This topology with `slot` owned by the node at `to`, one epoch later.
    ///
    /// The slot joins the shard whose primary is `to`. If there is none (a promoted replica, or a
    /// node never heard of) `to` becomes the primary of a new shard without replicas. A topology
    /// that has no index left for another node stays as it is: no real cluster comes near, and the
    /// refresh that follows every `MOVED` brings a whole picture.
    pub(crate) fn with_slot_moved(&self, slot: Slot, to: &NodeAddr) -> Self {
        let mut next = Self { epoch: self.epoch + 1, ..self.clone() };
        if let Some(shard) = next.shard_of(to) {
            next.slots.assign(slot, shard);
        }
        next
    }

    /// Gives `slot` to a node of another picture, which is added if need be.
    pub(super) fn give_slot(&mut self, slot: Slot, owner: &Node) {
        if self.find(&owner.addr).is_none() && push(&mut self.nodes, owner.clone()).is_none() {
            return;
        }
        if let Some(shard) = self.shard_of(&owner.addr) {
            self.slots.assign(slot, shard);
        }
    }

    fn shard_of(&mut self, addr: &NodeAddr) -> Option<ShardIndex> {
        let primary = self.find_or_push(addr)?;
        self.slots
            .shard_of_primary(primary)
            .or_else(|| self.slots.push_shard(Shard { primary, replicas: Box::default() }))
    }

    fn find_or_push(&mut self, addr: &NodeAddr) -> Option<NodeIndex> {
        let named_by_redirect = || Node { id: Box::default(), addr: addr.clone() };
        self.find(addr).or_else(|| push(&mut self.nodes, named_by_redirect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::topology::MAX_NODES;
    use crate::topology::testing::topology;

    #[test]
    fn the_slot_and_nothing_else_moves() {
        // what `to` was -> (nodes, shards) afterwards
        let cases = [("a primary", 3, (3, 2)), ("a replica", 2, (3, 3)), ("unknown", 9, (4, 3))];
        let before = topology(&[(0, 99, &[1, 2]), (100, 16_383, &[3])]);
        let slot = Slot::new(7).unwrap();
        for (was, port, sizes) in cases {
            let to = NodeAddr::new("h", port);
            let after = before.with_slot_moved(slot, &to);
            assert_eq!((after.nodes.len(), after.slots.shards().len()), sizes, "{was}");
            let primary = after.slots.primary(slot).unwrap();
            assert_eq!(after.node(primary).unwrap().addr, to, "{was}");
            assert_eq!(after.epoch, before.epoch + 1, "{was}");
            for other in (0..Slot::COUNT as u16).filter(|&number| number != 7) {
                let other = Slot::new(other).unwrap();
                assert_eq!(after.slots.primary(other), before.slots.primary(other), "{was}");
            }
        }
    }

    #[test]
    fn a_second_move_to_a_new_node_uses_its_shard() {
        let before = topology(&[(0, 16_383, &[1])]);
        let to = NodeAddr::new("h", 9);
        let [one, two] = [1, 2].map(|number| Slot::new(number).unwrap());
        let after = before.with_slot_moved(one, &to).with_slot_moved(two, &to);
        assert_eq!(after.slots.shards().len(), 2);
        assert_eq!(after.slots.primary(one), after.slots.primary(two));
        assert_eq!(&*after.nodes[1].id, "");
    }

    #[test]
    fn a_full_topology_stays_as_it_is() {
        let mut full = topology(&[(0, 16_383, &[1])]);
        let node = full.nodes[0].clone();
        full.nodes.resize(MAX_NODES, node);
        let after = full.with_slot_moved(Slot::new(0).unwrap(), &NodeAddr::new("other", 1));
        assert_eq!((after.nodes.len(), after.slots), (MAX_NODES, full.slots));
    }
}
