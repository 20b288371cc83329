//! What goes wrong in a simulated world.

use super::agenda::{Event, NodeId};
use super::expected::EXPECTED;
use super::network::Muted;
use super::recoveries::Recovery;
use super::servers::State;
use super::view::Group;
use super::world::World;
use std::sync::Arc;

/// A kind of mishap. Whom it befalls is decided when it happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mishap {
    /// A connection is cut at some byte.
    Cut,
    /// All connections of a node are cut.
    CutNode,
    /// A primary and a replica change places, as an operator wants it.
    Failover,
    /// A node stands still.
    Hang,
    /// A replica hears nothing from the others: its view gets old.
    Isolate,
    /// A process is killed, and started again.
    Kill,
    /// Slots move to another shard.
    Migrate,
    /// Nothing gets through to a node, or from it, or both.
    Mute,
    /// The address of a node that is gone is given to a node of another cluster.
    Recycle,
    /// A replica is replaced by a new node at a new address.
    Replace,
    /// A replica is reset: it knows nothing, then a part, then all.
    Reset,
    /// A connection is lost without a word.
    Vanish,
}

/// Everything that may happen to this engine, common things more than once.
pub(super) fn possible() -> Vec<Mishap> {
    use Mishap::*;
    let mut all = vec![
        Cut, Cut, Cut, CutNode, CutNode, Failover, Failover, Hang, Hang, Isolate, Kill, Kill,
        Migrate, Migrate, Migrate, Migrate, Mute, Mute, Replace, Reset,
    ];
    if EXPECTED.identity {
        all.extend([Recycle, Recycle]);
    }
    if EXPECTED.probes {
        all.extend([Vanish, Vanish]);
    }
    all
}

/// When the others hold a silent primary for failed, in milliseconds from its last word.
const FAILED_AFTER: (u64, u64) = if EXPECTED.probes { (2_500, 4_000) } else { (400, 1_500) };

impl World {
    pub(super) fn mishap(&mut self, mishap: Mishap) {
        self.note(format_args!("mishap {mishap:?}"));
        match mishap {
            Mishap::Cut | Mishap::Vanish => {
                let Some(id) = self.random.pick(&self.network.of(None)) else { return };
                if mishap == Mishap::Cut { self.cut(id) } else { self.vanish(id) }
            }
            Mishap::CutNode => {
                let Some(node) = self.some_node(|_| true) else { return };
                self.network.of(Some(node)).into_iter().for_each(|id| self.cut(id));
            }
            Mishap::Failover => self.fail_over_in_order(),
            Mishap::Hang => self.hang(),
            Mishap::Isolate => {
                let Some(node) = self.some_node(|w| !w.leads) else { return };
                self.servers.nodes[node].isolated = true;
                let delay = self.random.within(500, 5_000);
                self.later(delay, Event::Recover(Recovery::Join(node)));
            }
            Mishap::Kill => {
                let Some(node) = self.some_node(|_| true) else { return };
                self.kill(node);
                let delay = self.random.within(50, 4_000);
                self.later(delay, Event::Recover(Recovery::Restart(node)));
            }
            Mishap::Migrate => self.begin_migration(),
            Mishap::Mute => {
                let Some(node) = self.some_node(|_| true) else { return };
                let (to_client, to_node) = self
                    .random
                    .pick(&[(true, false), (false, true), (true, true)])
                    .unwrap_or_default();
                self.mute(node, Muted { to_client, to_node });
                let delay = self.random.within(20, 4_000);
                self.later(delay, Event::Recover(Recovery::Unmute(node)));
            }
            Mishap::Recycle => self.recycle(),
            Mishap::Replace => self.replace(),
            Mishap::Reset => self.reset(),
        }
    }

    /// A node of the cluster that is well, for which `wanted` holds.
    fn some_node(&mut self, wanted: impl Fn(Role) -> bool) -> Option<NodeId> {
        let truth = &self.servers.truth;
        let members = truth.groups.iter().flat_map(|Group { primary, replicas }| {
            let replicas = replicas.iter().map(|id| (*id, false));
            std::iter::once((*primary, true)).chain(replicas)
        });
        let well =
            members.filter(|(id, _)| self.servers.works(*id) && !self.servers.nodes[*id].isolated);
        let wanted: Vec<_> = well.filter(|(_, leads)| wanted(Role { leads: *leads })).collect();
        self.random.pick(&wanted).map(|(id, _)| id)
    }

    fn fail_over_in_order(&mut self) {
        let Some(primary) = self.some_node(|role| role.leads) else { return };
        // It stops serving first, so that nothing is lost; some tell their clients.
        let demoted = self.random.one_in(3);
        if self.promote(primary) {
            let node = &mut self.servers.nodes[primary];
            (node.demoted, node.state) = (demoted, if demoted { State::Up } else { State::Paused });
            let delay = self.random.within(1, 200);
            self.later(delay, Event::Recover(Recovery::Join(primary)));
        }
    }

    fn hang(&mut self) {
        let Some(node) = self.some_node(|_| true) else { return };
        self.servers.nodes[node].state = State::Hung;
        self.lose_touch(node);
        let delay = self.random.within(20, 6_000);
        self.later(delay, Event::Recover(Recovery::Wake(node)));
    }

    pub(super) fn kill(&mut self, node: NodeId) {
        self.servers.nodes[node].state = State::Down;
        self.kill_connections(node);
        self.lose_touch(node);
    }

    /// A node does not answer the others any more.
    fn lose_touch(&mut self, node: NodeId) {
        self.servers.nodes[node].follows = None;
        if self.servers.truth.led_by(node).is_some() {
            let delay = self.random.within(FAILED_AFTER.0, FAILED_AFTER.1);
            self.later(delay, Event::Elect(node));
        }
    }

    fn begin_migration(&mut self) {
        let slots = self.ledger.slots.clone();
        let Some(slot) = self.random.pick(&slots) else { return };
        let group = self.servers.truth.group(slot);
        let others = (0..self.servers.truth.groups.len()).filter(|other| Some(*other) != group);
        let Some(target) = self.random.pick(&others.collect::<Vec<_>>()) else { return };
        let Some(from) = self.servers.rightful(slot) else { return };
        if self.servers.works(from) {
            self.servers.nodes[from].migrating.entry(slot.number()).or_insert(target);
            self.later(0, Event::Migrate(slot.number()));
        }
    }

    fn replace(&mut self) {
        let Some(old) = self.some_node(|role| !role.leads) else { return };
        let Some(group) = self.servers.truth.group_of(old) else { return };
        let is_member = |id: &NodeId| self.servers.truth.group_of(*id).is_some();
        let mut other_seeds = self.servers.seeds.iter().filter(|id| **id != old);
        if !other_seeds.any(is_member) {
            // Nobody could come back through them.
            return;
        }
        self.ledger.see("node replaced");
        self.kill(old);
        let new = self.servers.add_node();
        self.servers.nodes[new].view = Arc::new(self.servers.truth.only_up_to(0));
        self.announce(&[], |view| {
            view.groups[group].replicas.retain(|id| *id != old);
            view.groups[group].replicas.push(new);
        });
        if EXPECTED.identity && self.random.one_in(2) {
            let delay = self.random.below(2_000);
            self.later(delay, Event::Mishap(Mishap::Recycle));
        }
    }

    fn reset(&mut self) {
        let Some(node) = self.some_node(|role| !role.leads) else { return };
        let here = &mut self.servers.nodes[node];
        here.view = Arc::new(self.servers.truth.only_up_to(0));
        here.follows = None;
        let delay = self.random.within(50, 1_500);
        self.later(delay, Event::Recover(Recovery::LearnPart(node)));
    }

    fn recycle(&mut self) {
        let truth = &self.servers.truth;
        let gone = |id: &NodeId| {
            // An address that the user names leads wherever the user says.
            let named = self.servers.seeds.contains(id);
            truth.group_of(*id).is_none() && !self.servers.nodes[*id].foreign && !named
        };
        let gone: Vec<_> = (0..self.servers.nodes.len()).filter(gone).collect();
        let Some(old) = self.random.pick(&gone) else { return };
        self.ledger.see("address recycled");
        let foreign = self.servers.add_node();
        let (host, port) = (self.servers.nodes[old].host.clone(), self.servers.nodes[old].port);
        let node = &mut self.servers.nodes[foreign];
        (node.host, node.port, node.foreign) = (host, port, true);
        let mut view =
            super::view::View::new(vec![Group { primary: foreign, replicas: Vec::new() }]);
        // A busier cluster than ours: its epoch is greater.
        view.epoch = 1_000;
        node.view = Arc::new(view);
    }
}

/// What a node is at this moment.
struct Role {
    leads: bool,
}
