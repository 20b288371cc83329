//! What the submitting thread looks at: the topology, and the link of each of its nodes.

use super::request::Request;
use crate::connection::Link;
use crate::node_addr::NodeAddr;
use crate::slot::Slot;
use crate::topology::{NodeIndex, Topology};
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

/// The link of a node.
pub(crate) type NodeLink = Arc<Link<Request>>;

/// One immutable picture; the I/O thread publishes the next one whole.
#[derive(Debug, Default)]
pub(crate) struct Routes {
    pub(crate) topology: Arc<Topology>,
    /// By [`NodeIndex`] of the topology.
    links: Vec<NodeLink>,
}

impl Routes {
    /// Pairs a topology with the links of its nodes, in the order of its nodes.
    pub(crate) fn new(topology: Arc<Topology>, links: Vec<NodeLink>) -> Self {
        debug_assert_eq!(topology.nodes.len(), links.len());
        Self { topology, links }
    }

    pub(crate) fn link(&self, node: NodeIndex) -> Option<&NodeLink> {
        self.links.get(node.index())
    }

    /// A node's link and address, and of how many nodes it is one.
    pub(crate) fn place(&self, node: NodeIndex) -> Option<(&NodeLink, &NodeAddr, usize)> {
        let link = self.links.get(node.index())?;
        Some((link, &self.topology.node(node)?.addr, self.links.len()))
    }

    /// Links of the slots' primaries, each with its slots.
    pub(crate) fn by_primary(
        &self,
        slots: impl IntoIterator<Item = Slot>,
    ) -> Vec<(NodeLink, HashSet<Slot>)> {
        let mut by_node: BTreeMap<NodeIndex, HashSet<Slot>> = BTreeMap::new();
        for slot in slots {
            if let Some(primary) = self.topology.slots.primary(slot) {
                by_node.entry(primary).or_default().insert(slot);
            }
        }
        let links = by_node.into_iter();
        links.filter_map(|(node, slots)| Some((self.link(node)?.clone(), slots))).collect()
    }

    /// The link to the node at `addr`, if the topology names it.
    pub(crate) fn link_to(&self, addr: &NodeAddr) -> Option<&NodeLink> {
        self.link(self.topology.find(addr)?)
    }
}
