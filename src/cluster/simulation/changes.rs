//! How the simulated cluster changes: who takes over, who moves where, and who hears of it when.

use super::agenda::{Event, NodeId};
use super::keyspace::Keyspace;
use super::servers::State;
use super::view::View;
use super::world::World;
use crate::slot::Slot;
use std::sync::Arc;

/// How long the news of a change may take to a node, in milliseconds.
const GOSSIP: u64 = 600;
/// How soon what could not be done is tried again, in milliseconds.
const AGAIN: u64 = 150;

impl World {
    /// Changes the truth. `first` know at once, all others hear of it.
    pub(super) fn announce(&mut self, first: &[NodeId], edit: impl FnOnce(&mut View)) {
        let mut view = View::clone(&self.servers.truth);
        edit(&mut view);
        view.epoch += 1;
        let view = Arc::new(view);
        self.servers.truth = Arc::clone(&view);
        self.note(format_args!("truth: {view:?}"));
        first.iter().for_each(|id| self.learn(*id, &view));
        for id in 0..self.servers.nodes.len() {
            if !first.contains(&id) && !self.servers.nodes[id].foreign {
                let delay = self.random.within(1, GOSSIP);
                self.later(delay, Event::Learn(id, Arc::clone(&view)));
            }
        }
    }

    /// A node hears of a view.
    pub(super) fn learn(&mut self, id: NodeId, view: &Arc<View>) {
        let node = &self.servers.nodes[id];
        let deaf = node.isolated || matches!(node.state, State::Down | State::Hung);
        if deaf || view.epoch < node.view.epoch {
            return;
        }
        let Some(group) = view.group_of(id) else { return };
        let primary = view.groups[group].primary;
        let stepped_down = node.demoted || node.state == State::Paused;
        if primary == id && stepped_down && view.epoch < self.servers.truth.epoch {
            // Old news: it knows that it is no primary any more.
            return;
        }
        let leader = &self.servers.nodes[primary];
        let led =
            primary == id || self.servers.works(primary) && leader.view.led_by(primary).is_some();
        if !led {
            // There is nobody to copy from yet. But one that leads leads no longer.
            let node = &mut self.servers.nodes[id];
            node.demoted |= node.view.led_by(id).is_some() && node.state == State::Up;
            return self.later(AGAIN, Event::Learn(id, Arc::clone(view)));
        }
        let has_copy = primary == id || node.follows == Some(primary);
        let copy: Option<Keyspace> = (!has_copy).then(|| leader.data.clone());
        let node = &mut self.servers.nodes[id];
        node.view = Arc::clone(view);
        node.follows = Some(primary).filter(|primary| *primary != id);
        node.data = copy.unwrap_or_else(|| std::mem::take(&mut node.data));
        (node.demoted, node.state) = (false, State::Up);
        let mine = |slot: u16| Slot::new(slot).and_then(|slot| view.group(slot)) == Some(group);
        let leads = primary == id;
        node.migrating.retain(|slot, _| leads && mine(*slot));
        node.importing.retain(|slot, _| leads && !mine(*slot));
        self.servers.spread_news(self.now);
        self.note(format_args!("node {id} learns {view:?}"));
        self.serve_all(id);
    }

    /// A replica that has everything takes over from `primary`. Says whether there was one.
    pub(super) fn promote(&mut self, primary: NodeId) -> bool {
        let (Some(group), heirs) =
            (self.servers.truth.led_by(primary), self.servers.heirs(primary))
        else {
            return false;
        };
        let Some(heir) = self.random.pick(&heirs) else { return false };
        self.ledger.see("failover");
        let old = &mut self.servers.nodes[primary];
        let on_the_move = (old.importing.clone(), old.migrating.clone());
        let node = &mut self.servers.nodes[heir];
        (node.importing, node.migrating) = on_the_move;
        node.follows = None;
        self.servers.failed.remove(&primary);
        self.servers.replaced.insert(primary);
        let down = self.is_down();
        self.announce(&[heir], |view| {
            let group = &mut view.groups[group];
            group.replicas.retain(|id| *id != heir);
            group.replicas.push(primary);
            group.primary = heir;
            view.down = down;
        });
        true
    }

    /// A primary has been silent for so long that the others hold it for failed.
    pub(super) fn elect(&mut self, primary: NodeId) {
        let works = self.servers.works(primary);
        if works || self.servers.truth.led_by(primary).is_none() {
            self.servers.failed.remove(&primary);
            return self.announce_state();
        }
        if self.servers.failed.insert(primary) {
            self.announce_state();
            let delay = self.random.within(20, 400);
            return self.later(delay, Event::Elect(primary));
        }
        if !self.promote(primary) {
            self.later(AGAIN, Event::Elect(primary));
        }
    }

    /// Tells the nodes if the cluster as a whole has begun, or ceased, to serve.
    pub(super) fn announce_state(&mut self) {
        let down = self.is_down();
        if self.servers.truth.down != down {
            self.announce(&[], |view| view.down = down);
        }
    }

    fn is_down(&self) -> bool {
        self.servers.manners.full_coverage && !self.servers.failed.is_empty()
    }

    /// The next step of moving a slot to another group; the last one makes it that group's.
    pub(super) fn migrate(&mut self, number: u16) {
        let Some(slot) = Slot::new(number) else { return };
        let Some(from) = self.servers.rightful(slot) else { return };
        let target = self.servers.nodes[from].migrating.get(&number).copied();
        let Some(target) = target else { return };
        let to = self.servers.truth.groups[target].primary;
        let ready = [from, to].iter().all(|id| self.can_migrate(*id));
        let delay = self.random.within(3, 120);
        let moving = |key: &str| Slot::of_key(key.as_bytes()) == slot;
        if !ready {
            return self.later(AGAIN, Event::Migrate(number));
        }
        self.servers.nodes[to].importing.entry(number).or_insert(target);
        if let Some(key) = self.servers.nodes[from].data.find(moving).first() {
            let value = self.servers.nodes[from].data.take(key);
            self.servers.nodes[to].data.put(key, value);
            self.servers.replicate(from, key);
            self.servers.replicate(to, key);
            self.note(format_args!("key {key} moves from node {from} to node {to}"));
            return self.later(delay, Event::Migrate(number));
        }
        self.ledger.see("slot migrated");
        self.announce(&[to], |view| view.owner[slot.index()] = target as u16);
        let soon = self.random.below(20);
        let view = Arc::clone(&self.servers.truth);
        self.later(soon, Event::Learn(from, view));
    }

    fn can_migrate(&self, id: NodeId) -> bool {
        self.servers.works(id) && self.servers.nodes[id].view.led_by(id).is_some()
    }
}
