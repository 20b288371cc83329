//! The simulated network: connections between the client and the nodes, and what befalls them.

use super::agenda::{ConnectionId, Event, NodeId};
use super::pipe::{End, Pipe};
use super::random::Random;
use super::transactions::Transaction;
use super::world::World;
use std::collections::BTreeMap;
use std::task::Waker;

/// How fast and how roomy the network of one world is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Speed {
    /// Bytes of one direction that are under way or unread.
    pub(super) capacity: usize,
    /// Longest delay of a part, in milliseconds.
    pub(super) delay: u64,
}

/// How long the client's system waits for confirmations, in milliseconds: ten times the engine's
/// `hangTimeout` (`TCP_USER_TIMEOUT`).
const UNCONFIRMED: u64 = 10_000;

/// One connection.
#[derive(Debug, Default)]
pub(super) struct Connection {
    pub(super) node: NodeId,
    pub(super) to_client: Pipe,
    pub(super) to_node: Pipe,
    pub(super) reader: Option<Waker>,
    pub(super) writer: Option<Waker>,
    /// What the node has read and not understood yet.
    pub(super) input: Vec<u8>,
    pub(super) resp3: bool,
    /// When the node greeted the client.
    pub(super) greeted: u64,
    /// It may read from a replica.
    pub(super) readonly: bool,
    /// ASKING was said, and counts for the next command.
    pub(super) asking: bool,
    /// What was begun with MULTI.
    pub(super) transaction: Option<Transaction>,
    /// It was lost without a word: nothing arrives any more, ever.
    pub(super) vanished: bool,
}

/// Which directions to and from a node let nothing through.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Muted {
    pub(super) to_client: bool,
    pub(super) to_node: bool,
}

#[derive(Debug)]
pub(super) struct Network {
    pub(super) speed: Speed,
    connections: BTreeMap<ConnectionId, Connection>,
    muted: BTreeMap<NodeId, Muted>,
    next: ConnectionId,
    /// Attempts to connect, connections made or not.
    pub(super) dials: u64,
    /// Bytes sent to the client.
    pub(super) received: u64,
    /// Connections that the client has not closed.
    pub(super) sockets: usize,
    /// Reads and writes of the client.
    pub(super) calls: u64,
}

impl Network {
    pub(super) fn new(speed: Speed) -> Self {
        let (connections, muted) = (BTreeMap::new(), BTreeMap::new());
        Self { speed, connections, muted, next: 0, dials: 0, received: 0, sockets: 0, calls: 0 }
    }

    /// A connection that one end or both still have.
    pub(super) fn get(&mut self, id: ConnectionId) -> Option<&mut Connection> {
        self.connections.get_mut(&id)
    }

    /// A new connection to `node`.
    pub(super) fn open(&mut self, node: NodeId) -> ConnectionId {
        self.next += 1;
        self.sockets += 1;
        self.connections.insert(self.next, Connection { node, ..Connection::default() });
        self.next
    }

    pub(super) fn remove(&mut self, id: ConnectionId) {
        self.connections.remove(&id);
    }

    /// All connections, or those of one node.
    pub(super) fn of(&self, node: Option<NodeId>) -> Vec<ConnectionId> {
        let wanted = self.connections.iter().filter(|(_, c)| node.is_none_or(|n| n == c.node));
        wanted.map(|(id, _)| *id).collect()
    }

    pub(super) fn muted(&self, node: NodeId) -> Muted {
        self.muted.get(&node).copied().unwrap_or_default()
    }

    pub(super) fn delay(&self, random: &mut Random) -> u64 {
        // Most parts are quick, some are not.
        let longest = if random.one_in(4) { self.speed.delay } else { self.speed.delay / 4 };
        random.below(longest + 1)
    }
}

impl World {
    /// A node sends bytes: in parts, each of which takes its own time.
    pub(super) fn send_to_client(&mut self, id: ConnectionId, bytes: &[u8]) {
        self.network.received += bytes.len() as u64;
        let Some(connection) = self.network.connections.get_mut(&id) else { return };
        let mut rest = bytes;
        while !rest.is_empty() {
            let whole = !self.random.one_in(4);
            let length = if whole { rest.len() } else { 1 + self.random.index(rest.len()) };
            let (part, behind) = rest.split_at(length);
            let longest = self.network.speed.delay + 1;
            let at = self.now + self.random.below(longest);
            if let Some(at) = connection.to_client.send(at, part) {
                self.agenda.add(at, Event::ArriveAtClient(id), &mut self.random);
            }
            rest = behind;
        }
    }

    pub(super) fn arrive_at_client(&mut self, id: ConnectionId) {
        let Some(connection) = self.network.connections.get_mut(&id) else { return };
        connection.to_client.arrive(self.now);
        let ended = connection.to_client.reached_end().is_some();
        if connection.to_client.ready() > 0 || ended {
            self.wakers.extend(connection.reader.take());
        }
        if ended {
            self.wakers.extend(connection.writer.take());
        }
    }

    pub(super) fn arrive_at_node(&mut self, id: ConnectionId) {
        let Some(connection) = self.network.connections.get_mut(&id) else { return };
        connection.to_node.arrive(self.now);
        self.serve(id);
    }

    /// A connection ends, at any byte.
    pub(super) fn cut(&mut self, id: ConnectionId) {
        let Some(connection) = self.network.connections.get_mut(&id) else { return };
        let end = if self.random.one_in(2) { End::Finished } else { End::Reset };
        connection.to_node.cut(End::Reset, &mut self.random);
        connection.to_client.cut(end, &mut self.random);
        self.note(format_args!("connection {id} is cut: {end:?}"));
        self.wake_both_ends(id);
    }

    /// The process at the other end is gone: what it had not read is lost.
    pub(super) fn kill_connections(&mut self, node: NodeId) {
        for id in self.network.of(Some(node)) {
            let Some(connection) = self.network.get(id) else { continue };
            connection.to_node.cut_short(End::Reset);
            connection.to_node.forget();
            connection.to_client.finish(End::Reset);
            self.wake_both_ends(id);
        }
    }

    /// The connection is lost, and neither end hears of it, until the client's system has waited
    /// for a confirmation for too long.
    pub(super) fn vanish(&mut self, id: ConnectionId) {
        let Some(connection) = self.network.get(id) else { return };
        connection.vanished = true;
        connection.to_client.hold(true);
        connection.to_node.hold(true);
        self.note(format_args!("connection {id} vanishes"));
        self.later(UNCONFIRMED, Event::Forget(id));
    }

    /// The client's system gives a connection up that vanished.
    pub(super) fn forget(&mut self, id: ConnectionId) {
        let Some(connection) = self.network.get(id) else { return };
        connection.to_client.cut_short(End::Reset);
        connection.to_client.hold(false);
        self.arrive_at_client(id);
    }

    /// Nothing gets through to a node, or from it, until further notice.
    pub(super) fn mute(&mut self, node: NodeId, muted: Muted) {
        self.note(format_args!("node {node} {muted:?}"));
        self.network.muted.insert(node, muted);
        for id in self.network.of(Some(node)) {
            let Some(connection) = self.network.get(id) else { continue };
            if !connection.vanished {
                connection.to_client.hold(muted.to_client);
                connection.to_node.hold(muted.to_node);
            }
            // Some connections do not survive that.
            if muted == Muted::default() {
                if self.random.one_in(3) {
                    self.cut(id);
                }
                self.wake_both_ends(id);
            }
        }
    }

    /// Lets what is due at both ends arrive, in its own time.
    fn wake_both_ends(&mut self, id: ConnectionId) {
        let Some(connection) = self.network.get(id) else { return };
        let to_client = connection.to_client.next_arrival().unwrap_or(0);
        let to_node = connection.to_node.next_arrival().unwrap_or(0);
        let soon = self.now + self.network.delay(&mut self.random);
        let soon_too = self.now + self.network.delay(&mut self.random);
        let [to_client, to_node] = [to_client.max(soon), to_node.max(soon_too)];
        self.agenda.add(to_client, Event::ArriveAtClient(id), &mut self.random);
        self.agenda.add(to_node, Event::ArriveAtNode(id), &mut self.random);
    }
}
