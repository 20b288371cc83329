//! Whether a simulated node carries out a command: the rules of a Redis Cluster node.

use super::agenda::NodeId;
use super::servers::State;
use super::wire::Said;
use super::world::World;
use crate::slot::Slot;

impl World {
    /// `asking`: the client was sent here by ASK. `may_read`: the command reads, and the client has
    /// said READONLY.
    ///
    /// Source: `getNodeByQuery` in Redis, and the errors that come before and after it.
    ///
    /// # Errors
    ///
    /// What the node says instead.
    pub(super) fn admit(
        &mut self,
        id: NodeId,
        slot: Slot,
        keys: &[String],
        (asking, may_read): (bool, bool),
    ) -> Result<(), Said> {
        let node = &self.servers.nodes[id];
        let view = &node.view;
        let refuse = |what: &'static str, text: &str| (what, Said::error(text));
        let number = slot.number();
        let own = view.group_of(id);
        let (what, said) = if node.state == State::Loading {
            refuse("LOADING", "LOADING Redis is loading the dataset in memory")
        } else if view.down {
            refuse("CLUSTERDOWN", "CLUSTERDOWN The cluster is down")
        } else if node.demoted {
            refuse("READONLY", "READONLY You can't write against a read only replica.")
        } else if let Some(owner) = view.group(slot) {
            let leads = view.led_by(id).is_some();
            let missing = keys.iter().filter(|key| !node.data.has(key)).count();
            if own == Some(owner) && leads {
                match node.migrating.get(&number) {
                    Some(target) if missing == keys.len() => {
                        let to = view.groups[*target].primary;
                        ("ASK", self.redirect("ASK", slot, to))
                    }
                    Some(_) if missing > 0 => refuse("TRYAGAIN", TRYAGAIN),
                    _ => return Ok(()),
                }
            } else if asking && leads && node.importing.contains_key(&number) {
                if keys.len() == 1 || missing == 0 {
                    return Ok(());
                }
                refuse("TRYAGAIN", TRYAGAIN)
            } else if own == Some(owner) && may_read {
                let primary = node.follows.is_some_and(|id| self.servers.works(id));
                if primary || !self.servers.manners.masterdown {
                    return Ok(());
                }
                refuse("MASTERDOWN", "MASTERDOWN Link with MASTER is down")
            } else {
                let to = view.groups[owner].primary;
                ("MOVED", self.redirect("MOVED", slot, to))
            }
        } else {
            refuse("CLUSTERDOWN", "CLUSTERDOWN Hash slot not served")
        };
        self.ledger.see(what);
        Err(said)
    }

    fn redirect(&mut self, kind: &str, slot: Slot, to: NodeId) -> Said {
        if self.servers.rightful(slot) != Some(to) {
            let known = &mut self.servers.nodes[to].known_replaced;
            *known = (*known).max(self.now);
        }
        let endpoint = self.servers.endpoint(to, &mut self.random);
        Said::error(format!("{kind} {} {endpoint}", slot.number()))
    }
}

const TRYAGAIN: &str = "TRYAGAIN Multiple keys request during rehashing of slot";
