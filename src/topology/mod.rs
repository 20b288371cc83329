//! Who owns what: one immutable picture of the cluster. Names nodes, never holds connections.

mod agreement;
mod diff;
mod parse;
mod patch;
mod slot_map;

pub(crate) use agreement::{View, agree, is_same, is_unanimous};
pub(crate) use diff::Diff;
pub(crate) use parse::parse_slots;
pub(crate) use slot_map::{Shard, ShardIndex, SlotMap};

use crate::node_addr::NodeAddr;

/// The cluster as one node described it. Never edited: the next picture replaces it whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Topology {
    /// Every node that is named, each address once.
    pub(crate) nodes: Vec<Node>,
    /// Which shard owns which slot.
    pub(crate) slots: SlotMap,
    /// Grows with every picture that this client publishes. Not the cluster's config epoch.
    pub(crate) epoch: u64,
}

/// One node of the cluster.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Node {
    /// The cluster's own name for the node; empty while only a redirect has named it.
    pub(crate) id: Box<str>,
    /// Where it listens.
    pub(crate) addr: NodeAddr,
}

/// Position of a node in one topology. Meaningless in another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct NodeIndex(pub(crate) u16);

impl NodeIndex {
    /// The position as an index of [`Topology::nodes`].
    pub(crate) fn index(self) -> usize {
        usize::from(self.0)
    }
}

/// How many nodes one topology can name. Redis itself advises against more than 1000.
const MAX_NODES: usize = u16::MAX as usize;

impl Topology {
    /// The node at `index`. `None` if the index belongs to another topology.
    pub(crate) fn node(&self, index: NodeIndex) -> Option<&Node> {
        self.nodes.get(index.index())
    }

    /// Where the node with this address stands.
    pub(crate) fn find(&self, addr: &NodeAddr) -> Option<NodeIndex> {
        find(&self.nodes, addr)
    }

    /// Whether slots belong to the node at `addr`.
    pub(crate) fn is_primary(&self, addr: &NodeAddr) -> bool {
        let node = self.find(addr);
        self.slots.shards().iter().any(|shard| Some(shard.primary) == node)
    }
}

fn find(nodes: &[Node], addr: &NodeAddr) -> Option<NodeIndex> {
    let position = nodes.iter().position(|node| node.addr == *addr)?;
    u16::try_from(position).ok().map(NodeIndex)
}

/// Appends a node. `None` when there is no index left for it.
fn push(nodes: &mut Vec<Node>, node: Node) -> Option<NodeIndex> {
    if nodes.len() >= MAX_NODES {
        return None;
    }
    nodes.push(node);
    u16::try_from(nodes.len() - 1).ok().map(NodeIndex)
}

/// Topologies for the tests of this and other modules.
#[cfg(test)]
pub(crate) mod testing {
    use super::*;
    use crate::slot::Slot;

    /// Builds a topology from `(first slot, last slot, nodes)`; the first node of each is the
    /// primary. Nodes are ports of host `h`, their ids are `id<port>`.
    pub(crate) fn topology(shards: &[(u16, u16, &[u16])]) -> Topology {
        let mut nodes = Vec::new();
        let mut slots = SlotMap::default();
        for (first, last, ports) in shards {
            let indices: Vec<_> = ports.iter().map(|port| node(&mut nodes, *port)).collect();
            let shard = slots.shard_of_primary(indices[0]).unwrap_or_else(|| {
                let shard = Shard { primary: indices[0], replicas: indices[1..].into() };
                slots.push_shard(shard).unwrap()
            });
            (*first..=*last).for_each(|slot| slots.assign(Slot::new(slot).unwrap(), shard));
        }
        Topology { nodes, slots, epoch: 1 }
    }

    fn node(nodes: &mut Vec<Node>, port: u16) -> NodeIndex {
        let addr = NodeAddr::new("h", port);
        let id = format!("id{port}").into();
        find(nodes, &addr).unwrap_or_else(|| push(nodes, Node { id, addr }).unwrap())
    }
}
