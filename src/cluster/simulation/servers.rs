//! All simulated nodes, and the truth about the cluster that each of them learns in its own time.

use super::agenda::NodeId;
use super::keyspace::{Keyspace, Value};
use super::random::Random;
use super::view::{Group, View};
use super::wire::Said;
use crate::slot::Slot;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Whether a node does anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// Its process is not there: connections are refused.
    Down,
    /// Its process stands still: the system takes connections and bytes for it.
    Hung,
    /// It reads its data from the disk and refuses to touch it.
    Loading,
    /// It keeps its clients waiting until it has handed over to its successor.
    Paused,
    Up,
}

/// One node.
#[derive(Debug)]
pub(super) struct Node {
    /// Its id in the cluster.
    pub(super) name: String,
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) state: State,
    pub(super) view: Arc<View>,
    pub(super) data: Keyspace,
    /// Slots on their way here, and the group they come from.
    pub(super) importing: BTreeMap<u16, usize>,
    /// Slots on their way to another group.
    pub(super) migrating: BTreeMap<u16, usize>,
    /// The primary it has a copy of, up to the last write.
    pub(super) follows: Option<NodeId>,
    /// It belongs to another cluster.
    pub(super) foreign: bool,
    /// It hears nothing from the other nodes.
    pub(super) isolated: bool,
    /// It has been told that it is no primary any more, and not yet who is.
    pub(super) demoted: bool,
    /// Since when most others know that it is no primary, and have sent no client to it.
    /// [`u64::MAX`]: they do not.
    pub(super) known_replaced: u64,
}

/// How nodes are reached and what they leave unsaid.
#[derive(Clone, Copy, Debug)]
pub(super) struct Manners {
    /// All nodes are on one host, and nodes may leave out the host of their answers.
    pub(super) one_host: bool,
    /// A cluster with a failed part serves nothing at all.
    pub(super) full_coverage: bool,
    /// A replica without its primary refuses reads.
    pub(super) masterdown: bool,
    /// Servers know CLIENT SETINFO.
    pub(super) setinfo: bool,
}

#[derive(Debug)]
pub(super) struct Servers {
    pub(super) nodes: Vec<Node>,
    pub(super) truth: Arc<View>,
    pub(super) manners: Manners,
    /// Nodes that were primaries once.
    pub(super) replaced: BTreeSet<NodeId>,
    /// Nodes that the user names.
    pub(super) seeds: BTreeSet<NodeId>,
    /// Primaries that the others hold for failed.
    pub(super) failed: BTreeSet<NodeId>,
}

impl Servers {
    /// `shards` shards of `copies` nodes each.
    pub(super) fn new(shards: usize, copies: usize, manners: Manners) -> Self {
        let group = |shard: usize| Group {
            primary: shard * copies,
            replicas: (1..copies).map(|copy| shard * copies + copy).collect(),
        };
        let truth = Arc::new(View::new((0..shards).map(group).collect()));
        let mut servers = Self {
            nodes: Vec::new(),
            truth,
            manners,
            failed: BTreeSet::default(),
            replaced: BTreeSet::default(),
            seeds: BTreeSet::default(),
        };
        for id in 0..shards * copies {
            servers.add_node();
            servers.nodes[id].follows = Some(id - id % copies).filter(|primary| *primary != id);
        }
        servers
    }

    /// A new node at an address of its own, which knows what everybody knows.
    pub(super) fn add_node(&mut self) -> NodeId {
        let id = self.nodes.len();
        let (host, port) = match self.manners.one_host {
            true => ("127.0.0.1".to_owned(), 7_000 + id as u16),
            false => (format!("10.0.{}.{}", id / 250, 1 + id % 250), 6_379),
        };
        self.nodes.push(Node {
            name: format!("{:040x}", id + 1),
            host,
            port,
            state: State::Up,
            view: Arc::clone(&self.truth),
            data: Keyspace::default(),
            importing: BTreeMap::new(),
            migrating: BTreeMap::new(),
            follows: None,
            foreign: false,
            isolated: false,
            demoted: false,
            known_replaced: u64::MAX,
        });
        id
    }

    /// The node that listens at an address now; the youngest, if an address was used again.
    pub(super) fn find(&self, host: &str, port: u16) -> Option<NodeId> {
        self.nodes.iter().rposition(|node| node.host == host && node.port == port)
    }

    /// Who rightfully has the data of a key at this moment.
    pub(super) fn rightful(&self, slot: Slot) -> Option<NodeId> {
        Some(self.truth.groups[self.truth.group(slot)?].primary)
    }

    /// Says whether a node takes part in the work: it runs and knows what it is.
    pub(super) fn works(&self, id: NodeId) -> bool {
        self.nodes[id].state == State::Up && !self.nodes[id].demoted
    }

    /// Nodes that could take over from a primary without losing anything.
    pub(super) fn heirs(&self, primary: NodeId) -> Vec<NodeId> {
        let replicas = self.truth.led_by(primary).map(|group| &self.truth.groups[group].replicas);
        let replicas = replicas.into_iter().flatten().copied();
        let can = |id: &NodeId| {
            let node = &self.nodes[*id];
            self.works(*id) && !node.isolated && node.follows == Some(primary)
        };
        replicas.filter(can).collect()
    }

    /// Somebody has heard news: perhaps most know now who has been replaced.
    pub(super) fn spread_news(&mut self, now: u64) {
        let groups = self.truth.groups.iter();
        let members: Vec<NodeId> = groups
            .flat_map(|group| group.replicas.iter().copied().chain([group.primary]))
            .collect();
        for id in self.replaced.clone() {
            let knows = |other: &&NodeId| {
                let other = &self.nodes[**other];
                other.state == State::Up && other.view.led_by(id).is_none()
            };
            let most = members.iter().filter(knows).count() * 2 > members.len();
            let known = self.nodes[id].known_replaced.min(now);
            self.nodes[id].known_replaced = if most { known } else { u64::MAX };
        }
    }

    /// Those that follow a primary do what it has done.
    pub(super) fn repeat(&mut self, primary: NodeId, command: &[String]) {
        for node in self.followers(primary) {
            node.data.run(command);
        }
    }

    /// Those that follow a primary get its value of a key, or lose the key.
    pub(super) fn replicate(&mut self, primary: NodeId, key: &str) {
        let value: Option<Value> = self.nodes[primary].data.value(key).cloned();
        for node in self.followers(primary) {
            node.data.put(key, value.clone());
        }
    }

    fn followers(&mut self, primary: NodeId) -> impl Iterator<Item = &mut Node> {
        let nodes = self.nodes.iter_mut();
        nodes.filter(move |node| node.follows == Some(primary) && node.state == State::Up)
    }

    /// What `asked` says to `CLUSTER SLOTS`.
    pub(super) fn slots(&self, asked: NodeId, random: &mut Random) -> Said {
        let unsaid = self.manners.one_host && random.one_in(3);
        let null = random.one_in(2);
        self.nodes[asked].view.slots(|id| {
            let node = &self.nodes[id];
            let endpoint = match (unsaid, null) {
                (true, true) => Said::Null,
                (true, false) => Said::text(""),
                _ => Said::text(&node.host),
            };
            (endpoint, node.port, node.name.clone())
        })
    }

    /// `host:port` of a node as redirects give it.
    pub(super) fn endpoint(&self, id: NodeId, random: &mut Random) -> String {
        let node = &self.nodes[id];
        match self.manners.one_host && random.one_in(3) {
            true => format!(":{}", node.port),
            false => format!("{}:{}", node.host, node.port),
        }
    }
}
