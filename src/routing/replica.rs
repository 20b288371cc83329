//! The order in which equal nodes take turns: primaries first, then replicas, as in node-redis.

use crate::topology::{NodeIndex, Shard};

/// The node of `shard` whose turn it is, its primary included.
///
/// `pick` is asked for a position among that many candidates; any number will do, it wraps.
pub(super) fn of_shard(shard: &Shard, pick: impl FnOnce(usize) -> usize) -> NodeIndex {
    let candidates = 1 + shard.replicas.len();
    match pick(candidates) % candidates {
        0 => shard.primary,
        turn => shard.replicas[turn - 1],
    }
}

/// The primary whose turn it is. `None` without shards.
pub(super) fn any_primary(
    shards: &[Shard],
    pick: impl FnOnce(usize) -> usize,
) -> Option<NodeIndex> {
    let candidates = shards.len();
    let turn = pick(candidates).checked_rem(candidates)?;
    Some(shards[turn].primary)
}

/// The node whose turn it is among all that hold slots: every primary, then every replica.
/// `None` without shards.
pub(super) fn any_node(shards: &[Shard], pick: impl FnOnce(usize) -> usize) -> Option<NodeIndex> {
    let primaries = shards.iter().map(|shard| shard.primary);
    let nodes = primaries.chain(shards.iter().flat_map(|shard| shard.replicas.iter().copied()));
    let candidates = nodes.clone().count();
    let turn = pick(candidates).checked_rem(candidates)?;
    nodes.into_iter().nth(turn)
}
