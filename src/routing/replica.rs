//! The order in which equal nodes take turns: primaries first, then replicas, as in node-redis.
//! Nodes that cannot answer at the moment miss their turn.

use crate::topology::{NodeIndex, Shard};

/// Whose turn it is among nodes that could all answer.
pub(super) struct Turn<P, A> {
    /// Asked for a position among that many candidates; any number will do, it wraps.
    pub(super) pick: P,
    /// Whether a node misses its turn.
    pub(super) avoid: A,
}

impl<P: FnOnce(usize) -> usize, A: Fn(NodeIndex) -> bool> Turn<P, A> {
    /// The node of `shard`, its primary included. If all are to be avoided, the primary: what waits
    /// for it goes wherever the slot goes.
    pub(super) fn of_shard(self, shard: &Shard) -> NodeIndex {
        let nodes = std::iter::once(shard.primary).chain(shard.replicas.iter().copied());
        self.among(nodes, 1 + shard.replicas.len()).unwrap_or(shard.primary)
    }

    /// The primary whose turn it is. `None` without shards.
    pub(super) fn any_primary(self, shards: &[Shard]) -> Option<NodeIndex> {
        let primaries = shards.iter().map(|shard| shard.primary);
        let first = shards.first()?.primary;
        Some(self.among(primaries, shards.len()).unwrap_or(first))
    }

    /// The node whose turn it is among all that hold slots: every primary, then every replica.
    /// `None` without shards.
    pub(super) fn any_node(self, shards: &[Shard]) -> Option<NodeIndex> {
        let primaries = shards.iter().map(|shard| shard.primary);
        let replicas = shards.iter().flat_map(|shard| shard.replicas.iter().copied());
        let count = shards.iter().map(|shard| 1 + shard.replicas.len()).sum();
        let first = shards.first()?.primary;
        Some(self.among(primaries.chain(replicas), count).unwrap_or(first))
    }

    /// The node at the picked position, or the next one behind it that is not to be avoided.
    fn among(
        self,
        nodes: impl Iterator<Item = NodeIndex> + Clone,
        count: usize,
    ) -> Option<NodeIndex> {
        let turn = (self.pick)(count).checked_rem(count)?;
        let in_order = nodes.clone().skip(turn).chain(nodes.take(turn));
        in_order.into_iter().find(|&node| !(self.avoid)(node))
    }
}
