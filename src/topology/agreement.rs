//! Several nodes' views of the cluster, and which of them to believe.

use super::{NodeIndex, Topology};
use crate::slot::Slot;
use std::collections::{BTreeMap, BTreeSet};

/// What one node says of the cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct View {
    /// Who owns what, in its eyes.
    pub(crate) topology: Topology,
    /// `cluster_current_epoch`: the latest configuration it has heard of. 0 if it would not say.
    pub(crate) config_epoch: u64,
    /// Whether it may say anything: it was named by the user, not by an earlier view.
    pub(crate) is_seed: bool,
}

/// The view that most of `views` share; of those that as many share, the one of the latest
/// configuration. `None` if none can be used.
///
/// A node that knows none of the nodes known so far belongs to another cluster, unless the user has
/// named it.
pub(crate) fn agree<'a>(views: &'a [View], known: &Topology) -> Option<&'a View> {
    let usable = views.iter().filter(|view| view.is_seed || is_related(&view.topology, known));
    // Each opinion once, with its votes, its latest configuration, and who said so.
    let mut opinions: Vec<(usize, u64, &View)> = Vec::new();
    for view in usable {
        let same = opinions.iter_mut().find(|(.., other)| is_same(&view.topology, &other.topology));
        match same {
            Some((votes, epoch, _)) => {
                (*votes, *epoch) = (*votes + 1, view.config_epoch.max(*epoch));
            }
            None => opinions.push((1, view.config_epoch, view)),
        }
    }
    // Of equals the first: `max_by_key` would take the last.
    opinions.iter().rev().max_by_key(|(votes, epoch, _)| (*votes, *epoch)).map(|(.., view)| *view)
}

/// Whether everybody said the same, so that nobody else need be asked.
pub(crate) fn is_unanimous(views: &[View]) -> bool {
    views.windows(2).all(|pair| is_same(&pair[0].topology, &pair[1].topology))
}

/// Whether the two say the same: the same nodes, and for each slot the same primary and replicas, in
/// whatever order.
pub(crate) fn is_same(a: &Topology, b: &Topology) -> bool {
    let shards = |topology: &Topology| {
        let name = |index: &NodeIndex| topology.node(*index).cloned();
        let all = topology.slots.shards().iter();
        all.map(|shard| (name(&shard.primary), shard.replicas.iter().map(name).collect()))
            .collect::<BTreeMap<_, BTreeSet<_>>>()
    };
    let owner = |topology: &Topology, slot| {
        let primary = topology.slots.primary(slot)?;
        topology.node(primary).map(|node| node.addr.clone())
    };
    // Equal sets of shards, then slot by slot; whole runs of slots share a pair of owners.
    if shards(a) != shards(b) {
        return false;
    }
    let mut last = None;
    Slot::all().all(|slot| {
        let pair = (a.slots.primary(slot), b.slots.primary(slot));
        let same = last == Some(pair) || owner(a, slot) == owner(b, slot);
        last = Some(pair);
        same
    })
}

/// Whether a view is of the cluster that is known: it names one of its nodes. Where no ids are known
/// yet, any view is.
fn is_related(view: &Topology, known: &Topology) -> bool {
    let ids: BTreeSet<&str> = known.ids().collect();
    ids.is_empty() || view.ids().any(|id| ids.contains(id))
}

impl Topology {
    fn ids(&self) -> impl Iterator<Item = &str> {
        self.nodes.iter().map(|node| &*node.id).filter(|id| !id.is_empty())
    }

    /// This view, with the owners of `known` for slots of which it knows none: what was served is not
    /// forgotten because a node has not heard of it, or the cluster gives it up for a while.
    pub(crate) fn completed_by(mut self, known: &Self) -> Self {
        let missing = |slot: &Slot| self.slots.shard(*slot).is_none();
        let gaps: Vec<Slot> = Slot::all().filter(missing).collect();
        for slot in gaps {
            let owner = known.slots.primary(slot).and_then(|primary| known.node(primary));
            if let Some(owner) = owner {
                self.give_slot(slot, owner);
            }
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::topology::testing::topology;

    type Shards<'a> = &'a [(u16, u16, &'a [u16])];

    fn view(shards: Shards<'_>, config_epoch: u64) -> View {
        View { topology: topology(shards), config_epoch, is_seed: false }
    }

    #[test]
    fn order_does_not_matter() {
        let base = topology(&[(0, 4, &[1, 2, 3]), (5, 9, &[4])]);
        let cases: &[(Shards<'_>, bool)] = &[
            (&[(0, 4, &[1, 2, 3]), (5, 9, &[4])], true),
            (&[(5, 9, &[4]), (0, 4, &[1, 3, 2])], true),
            (&[(0, 2, &[1, 2, 3]), (3, 4, &[1]), (5, 9, &[4])], true),
            (&[(0, 4, &[2, 1, 3]), (5, 9, &[4])], false),
            (&[(0, 4, &[1, 2]), (5, 9, &[4])], false),
            (&[(0, 5, &[1, 2, 3]), (6, 9, &[4])], false),
            (&[(0, 4, &[1, 2, 3]), (5, 8, &[4])], false),
            (&[(0, 4, &[4]), (5, 9, &[1, 2, 3])], false),
        ];
        for (shards, same) in cases {
            assert_eq!(is_same(&base, &topology(shards)), *same, "{shards:?}");
        }
    }

    #[test]
    fn the_majority_is_believed_and_the_epoch_breaks_ties() {
        let known = topology(&[(0, 9, &[1])]);
        let (old, new): (Shards<'_>, Shards<'_>) = (&[(0, 9, &[1, 2])], &[(0, 9, &[2, 1])]);
        let cases = [
            // views -> the one that is believed
            (vec![view(old, 1), view(new, 2), view(new, 2)], Some(1)),
            (vec![view(old, 3), view(old, 1), view(new, 9)], Some(0)),
            (vec![view(old, 1), view(new, 2)], Some(1)),
            (vec![view(new, 1), view(old, 1)], Some(0)),
            (vec![], None),
        ];
        for (views, want) in cases {
            let want = want.map(|index: usize| &views[index].topology);
            assert_eq!(agree(&views, &known).map(|view| &view.topology), want);
        }
        assert!(is_unanimous(&[view(old, 1), view(old, 2)]));
        assert!(!is_unanimous(&[view(old, 1), view(new, 1)]));
    }

    #[test]
    fn another_cluster_is_believed_only_if_the_user_named_it() {
        let known = topology(&[(0, 9, &[1, 2])]);
        let foreign = view(&[(0, 9, &[8, 9])], 99);
        let own = view(&[(0, 9, &[2])], 1);
        assert_eq!(agree(std::slice::from_ref(&foreign), &known), None);
        let both = [foreign.clone(), foreign.clone(), own.clone()];
        assert_eq!(agree(&both, &known), Some(&own));
        let named = [View { is_seed: true, ..foreign }];
        assert_eq!(agree(&named, &known), Some(&named[0]));
        assert!(agree(&both, &Topology::default()).is_some());
    }

    #[test]
    fn a_gap_keeps_its_last_owner() {
        let known = topology(&[(0, 9, &[1]), (10, 19, &[2, 3])]);
        let got = topology(&[(0, 9, &[4])]).completed_by(&known);
        let owner = |number| {
            let primary = got.slots.primary(Slot::new(number)?)?;
            got.node(primary).map(|node| node.addr.port())
        };
        assert_eq!([owner(9), owner(10), owner(19), owner(20)], [Some(4), Some(2), Some(2), None]);
        let whole = topology(&[(0, 19, &[1])]);
        assert!(is_same(&whole.clone().completed_by(&known), &whole));
    }
}
