//! Slot to shard in one array read.

use std::fmt;

use super::NodeIndex;
use crate::slot::Slot;

/// Nodes that hold copies of the same slots.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Shard {
    /// The node that takes writes. It identifies the shard: no two shards have the same.
    pub(crate) primary: NodeIndex,
    /// The nodes that copy from it, each once, in the server's order.
    pub(crate) replicas: Box<[NodeIndex]>,
}

/// Position of a shard in one slot map. Meaningless in another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ShardIndex(pub(crate) u16);

/// Slots `first` to `last`, both included, of one shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SlotRange {
    /// Lowest slot.
    pub(crate) first: Slot,
    /// Highest slot.
    pub(crate) last: Slot,
    /// Their owner.
    pub(crate) shard: ShardIndex,
}

/// Which shard owns each slot.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct SlotMap {
    /// Index of the owner in `shards`, or [`UNASSIGNED`].
    owner: Box<[u16; Slot::COUNT]>,
    /// At most `UNASSIGNED` many, so that no index is taken for it.
    shards: Vec<Shard>,
}

/// Marks a slot without owner. Always past the end of the shards, so looking it up finds nothing.
const UNASSIGNED: u16 = u16::MAX;

impl Default for SlotMap {
    fn default() -> Self {
        Self { owner: Box::new([UNASSIGNED; Slot::COUNT]), shards: Vec::new() }
    }
}

impl SlotMap {
    /// The shard that owns `slot`, if any does.
    pub(crate) fn shard(&self, slot: Slot) -> Option<&Shard> {
        self.shards.get(usize::from(self.owner[slot.index()]))
    }

    /// The node that takes writes for `slot`.
    pub(crate) fn primary(&self, slot: Slot) -> Option<NodeIndex> {
        self.shard(slot).map(|shard| shard.primary)
    }

    /// All shards; a [`ShardIndex`] is a position in it. One may have lost its last slot.
    pub(crate) fn shards(&self) -> &[Shard] {
        &self.shards
    }

    /// How many slots have an owner.
    pub(crate) fn covered(&self) -> usize {
        self.owner.iter().filter(|&&owner| owner != UNASSIGNED).count()
    }

    /// The assigned slots as ranges, lowest first, each as long as it can be.
    pub(crate) fn ranges(&self) -> impl Iterator<Item = SlotRange> {
        let runs = self.owner.chunk_by(|one, next| one == next);
        let ends = runs.scan(0u16, |first, run| {
            let start = *first;
            *first += run.len() as u16;
            Some((start, *first - 1, run[0]))
        });
        ends.filter(|&(.., owner)| owner != UNASSIGNED).filter_map(|(first, last, owner)| {
            let (first, last) = (Slot::new(first)?, Slot::new(last)?);
            Some(SlotRange { first, last, shard: ShardIndex(owner) })
        })
    }

    /// The shard whose primary is `primary`.
    pub(super) fn shard_of_primary(&self, primary: NodeIndex) -> Option<ShardIndex> {
        let position = self.shards.iter().position(|shard| shard.primary == primary)?;
        u16::try_from(position).ok().map(ShardIndex)
    }

    /// Appends a shard without slots. `None` when there is no index left for it.
    pub(super) fn push_shard(&mut self, shard: Shard) -> Option<ShardIndex> {
        let index = u16::try_from(self.shards.len()).ok().filter(|&index| index != UNASSIGNED)?;
        self.shards.push(shard);
        Some(ShardIndex(index))
    }

    /// Adds replicas that the shard does not name yet.
    pub(super) fn add_replicas(&mut self, shard: ShardIndex, replicas: &[NodeIndex]) {
        let Some(shard) = self.shards.get_mut(usize::from(shard.0)) else {
            return;
        };
        let mut all = shard.replicas.to_vec();
        for replica in replicas {
            if *replica != shard.primary && !all.contains(replica) {
                all.push(*replica);
            }
        }
        shard.replicas = all.into();
    }

    /// Gives `slot` to `shard`.
    pub(super) fn assign(&mut self, slot: Slot, shard: ShardIndex) {
        self.owner[slot.index()] = shard.0;
    }
}

impl fmt::Debug for SlotMap {
    /// Ranges instead of 16384 numbers.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ranges: Vec<_> = self.ranges().collect();
        f.debug_struct("SlotMap").field("ranges", &ranges).field("shards", &self.shards).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::topology::testing::topology;

    fn slot(number: u16) -> Slot {
        Slot::new(number).unwrap()
    }

    #[test]
    fn a_slot_leads_to_its_shard() {
        let slots = topology(&[(0, 99, &[1, 2]), (200, 16_383, &[3])]).slots;
        let primaries = [(0, Some(0)), (99, Some(0)), (100, None), (199, None), (16_383, Some(2))];
        for (number, primary) in primaries {
            assert_eq!(slots.primary(slot(number)), primary.map(NodeIndex), "slot {number}");
        }
        assert_eq!(slots.shard(slot(5)).unwrap().replicas[..], [NodeIndex(1)]);
        assert_eq!(slots.covered(), 100 + 16_184);
    }

    #[test]
    fn ranges_are_as_long_as_can_be() {
        let parts: &[(u16, u16, &[u16])] =
            &[(0, 0, &[1]), (1, 9, &[1]), (10, 19, &[2]), (30, 30, &[1]), (16_000, 16_383, &[2])];
        let got: Vec<_> = topology(parts)
            .slots
            .ranges()
            .map(|range| (range.first.number(), range.last.number(), range.shard.0))
            .collect();
        assert_eq!(got, [(0, 9, 0), (10, 19, 1), (30, 30, 0), (16_000, 16_383, 1)]);
        assert_eq!(SlotMap::default().ranges().count(), 0);
    }

    #[test]
    fn the_mark_for_no_owner_is_never_an_index() {
        let mut slots = SlotMap::default();
        let shard = Shard { primary: NodeIndex(0), replicas: Box::default() };
        for index in 0..UNASSIGNED {
            assert_eq!(slots.push_shard(shard.clone()), Some(ShardIndex(index)));
        }
        assert_eq!(slots.push_shard(shard), None);
        assert_eq!(slots.shard(slot(0)), None);
    }
}
