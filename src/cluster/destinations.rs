//! Nodes that commands name by number: those for which a caller wants exactly this node.

use crate::node_addr::NodeAddr;
use crate::topology::{NodeIndex, Topology};
use parking_lot::Mutex;

/// Numbers given so far. As many as nodes were ever asked for by name.
#[derive(Debug, Default)]
pub(crate) struct Destinations(Mutex<Vec<NodeAddr>>);

impl Destinations {
    /// The number of the node at `addr`: the same each time.
    pub(crate) fn number(&self, addr: &NodeAddr) -> u32 {
        let mut known = self.0.lock();
        let position = known.iter().position(|one| one == addr).unwrap_or_else(|| {
            known.push(addr.clone());
            known.len() - 1
        });
        position as u32
    }

    /// The address behind a number.
    pub(crate) fn addr(&self, number: u32) -> Option<NodeAddr> {
        self.0.lock().get(number as usize).cloned()
    }

    /// Where all of them stand in `topology`.
    fn places(&self, topology: &Topology) -> Vec<Option<NodeIndex>> {
        self.0.lock().iter().map(|addr| topology.find(addr)).collect()
    }
}

/// Where numbers lead in one topology: looked up once for each.
#[derive(Debug, Default)]
pub(super) struct DestinationCache {
    epoch: u64,
    places: Vec<Option<NodeIndex>>,
}

impl DestinationCache {
    /// The place of the node with this number. `None`: it is not in the topology.
    pub(super) fn place(
        &mut self,
        number: u32,
        topology: &Topology,
        all: &Destinations,
    ) -> Option<NodeIndex> {
        if self.epoch != topology.epoch || number as usize >= self.places.len() {
            self.epoch = topology.epoch;
            self.places = all.places(topology);
        }
        self.places.get(number as usize).copied().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::topology::testing::topology;

    #[test]
    fn numbers_lead_to_nodes_of_the_topology_in_force() {
        let all = Destinations::default();
        let mut cache = DestinationCache::default();
        let mut one = topology(&[(0, 9, &[1, 2]), (10, 19, &[3])]);
        one.epoch = 1;
        let addr = |index: u16, of: &Topology| of.node(NodeIndex(index)).unwrap().addr.clone();
        let (first, last) = (all.number(&addr(0, &one)), all.number(&addr(2, &one)));
        assert_eq!(all.number(&addr(0, &one)), first);
        assert_eq!(cache.place(last, &one, &all), Some(NodeIndex(2)));
        let middle = all.number(&addr(1, &one));
        assert_eq!(cache.place(middle, &one, &all), Some(NodeIndex(1)), "given since");
        let mut two = topology(&[(0, 19, &[3])]);
        two.epoch = 2;
        assert_eq!(cache.place(last, &two, &all), Some(NodeIndex(0)));
        assert_eq!((cache.place(first, &two, &all), cache.place(99, &two, &all)), (None, None));
    }
}
