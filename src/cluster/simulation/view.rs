//! What one node believes of the cluster at one moment.

use super::agenda::NodeId;
use super::wire::Said;
use crate::slot::Slot;

/// A shard as a node sees it.
#[derive(Clone, Debug)]
pub(super) struct Group {
    pub(super) primary: NodeId,
    /// Those that are not known to have failed.
    pub(super) replicas: Vec<NodeId>,
}

/// One picture of the cluster. Nodes hold the same picture, or older ones.
#[derive(Clone)]
pub(super) struct View {
    /// The config epoch: pictures with a greater one are newer.
    pub(super) epoch: u64,
    pub(super) groups: Vec<Group>,
    /// Which group owns each slot.
    pub(super) owner: Vec<u16>,
    /// The cluster does not serve: a part of it has failed.
    pub(super) down: bool,
}

/// The owner of a slot that nobody owns.
pub(super) const UNOWNED: u16 = u16::MAX;

impl View {
    /// Slots spread evenly over `groups`.
    pub(super) fn new(groups: Vec<Group>) -> Self {
        let count = groups.len();
        let owner = (0..Slot::COUNT).map(|slot| (slot * count / Slot::COUNT) as u16).collect();
        Self { epoch: 1, groups, owner, down: false }
    }

    /// What a node knows that was reset, or has met only a part of the cluster: nothing from slot
    /// `known` on.
    pub(super) fn only_up_to(&self, known: usize) -> Self {
        let mut view = Self { epoch: 0, ..self.clone() };
        view.owner[known..].fill(UNOWNED);
        view
    }

    /// Who owns a slot.
    pub(super) fn group(&self, slot: Slot) -> Option<usize> {
        Some(usize::from(self.owner[slot.index()])).filter(|group| *group < self.groups.len())
    }

    /// The group that a node belongs to.
    pub(super) fn group_of(&self, node: NodeId) -> Option<usize> {
        self.groups.iter().position(|g| g.primary == node || g.replicas.contains(&node))
    }

    /// The group that a node is the primary of.
    pub(super) fn led_by(&self, node: NodeId) -> Option<usize> {
        self.groups.iter().position(|group| group.primary == node)
    }

    /// The reply to `CLUSTER SLOTS`; `name` gives a node's endpoint, port and id.
    pub(super) fn slots(&self, name: impl Fn(NodeId) -> (Said, u16, String)) -> Said {
        let node = |id: &NodeId| {
            let (endpoint, port, id) = name(*id);
            let metadata = Said::List(Vec::new());
            Said::List(vec![endpoint, Said::Int(i64::from(port)), Said::Text(id), metadata])
        };
        let (mut first, mut ranges) = (0, Vec::new());
        for run in self.owner.chunk_by(|one, next| one == next) {
            if let Some(group) = self.groups.get(usize::from(run[0])) {
                let mut range = vec![Said::Int(first), Said::Int(first + run.len() as i64 - 1)];
                range.push(node(&group.primary));
                range.extend(group.replicas.iter().map(node));
                ranges.push(Said::List(range));
            }
            first += run.len() as i64;
        }
        Said::List(ranges)
    }
}

/// Short: a picture has thousands of slots.
impl std::fmt::Debug for View {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let primaries: Vec<_> = self.groups.iter().map(|group| group.primary).collect();
        write!(f, "epoch {} primaries {primaries:?} down {}", self.epoch, self.down)
    }
}
