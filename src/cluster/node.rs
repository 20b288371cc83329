//! Nodes and their links: one for each the topology names, opened when they appear, left when they
//! are gone.

use super::events::Event;
use super::health::Health;
use super::request::{NOBODY, Request};
use super::routes::{NodeLink, Routes};
use super::session::Session;
use crate::connection::{Link, Payload};
use crate::error::Error;
use crate::node_addr::NodeAddr;
use crate::resp::encode_command;
use crate::topology::{Diff, NodeIndex, Topology};
use std::cell::{Cell, RefCell};
use std::collections::HashSet;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep};

/// One node as the I/O thread sees it.
#[derive(Debug)]
pub(super) struct Node {
    /// As servers announce it.
    pub(super) addr: NodeAddr,
    pub(super) link: NodeLink,
    /// Connections to it are for reading from a replica.
    pub(super) replica: Cell<bool>,
    /// Connect only when a command waits.
    pub(super) lazy: Cell<bool>,
    /// Its connection is there.
    pub(super) connected: Cell<bool>,
    /// Somebody waits for a lease.
    pub(super) wanted: Cell<bool>,
    /// What its connection does, or does not.
    pub(super) health: Health,
    /// How the first attempt to connect went: not known yet, well, or not.
    pub(super) first: RefCell<Option<Result<(), Error>>>,
    task: RefCell<Option<AbortHandle>>,
}

impl Node {
    /// Nobody asks for it, so it is not connected.
    pub(super) fn is_resting(&self) -> bool {
        self.lazy.get() && self.link.waiting() == 0 && !self.wanted.get()
    }

    /// Asks for its connection on behalf of somebody who needs another one.
    pub(super) fn want(&self) {
        self.wanted.set(true);
        self.link.wake();
    }
}

/// How long a node that left the cluster may take to answer what it was sent.
const LEAVE_WITHIN: Duration = Duration::from_secs(5);
const LEAVE_POLL: Duration = Duration::from_millis(20);

impl Session {
    /// Puts a topology in force: links for new nodes, goodbye to those that are gone, and order
    /// kept for slots that moved.
    pub(super) fn publish(self: &Rc<Self>, mut topology: Topology) {
        let old = self.shared.routes.load_full();
        // A MOVED may have changed the picture since this one was asked for.
        topology.epoch = topology.epoch.max(old.topology.epoch + 1);
        let diff = Diff::between(&old.topology, &topology);
        // Which of the slots may still have commands with their old owner.
        let moved = old.by_primary(diff.moved.iter().copied());
        if !moved.is_empty() {
            self.shared.lane.open();
        }
        let epoch = topology.epoch;
        let links = self.links_for(&topology);
        self.shared.routes.store(Arc::new(Routes::new(Arc::new(topology), links)));
        for (link, slots) in moved {
            // Behind the store: what the submitting thread does from here on takes the lane.
            let dispatch = self.shared.lane.dispatching();
            let of_slots = |r: &Request| r.slot().is_some_and(|slot| slots.contains(&slot));
            // What was sent there from elsewhere is older than all that waits: it stays, as what
            // follows it will come there, too; but nothing waits for a node that is not there.
            let older = match link.is_open() {
                true => Vec::new(),
                false => link.remove_unwritten(|r| r.attempts > 0 && of_slots(r)),
            };
            let early = link.remove_unwritten(|r| r.attempts == 0 && of_slots(r));
            self.give_up_if_suspect(&link);
            let mut holds = self.holds.borrow_mut();
            holds.add(link, slots, dispatch, Instant::now());
            holds.put_back(early);
            drop(holds);
            for (request, bytes) in older {
                self.send(request.unwrapped(bytes));
            }
        }
        self.move_waiting(&diff.moved);
        for addr in &diff.gone {
            self.leave(addr);
        }
        tracing::info!(epoch, added = diff.added.len(), gone = diff.gone.len(), "topology");
        self.shared.tell(&Event::Topology { epoch });
        self.watch_holds();
    }

    /// The link to `addr`, opened if there is none yet.
    pub(super) fn link_to(self: &Rc<Self>, addr: &NodeAddr, replica: bool) -> NodeLink {
        let known = self.nodes.borrow().get(addr).cloned();
        let node = known.unwrap_or_else(|| self.add_node(addr, replica));
        if node.replica.replace(replica) != replica && self.shared.config.use_replicas {
            self.tell_role(&node, if replica { "READONLY" } else { "READWRITE" });
        }
        Arc::clone(&node.link)
    }

    /// The node at `addr`, known from now on if it was not.
    pub(super) fn node_at(self: &Rc<Self>, addr: &NodeAddr) -> Rc<Node> {
        let known = self.nodes.borrow().get(addr).cloned();
        known.unwrap_or_else(|| self.add_node(addr, false))
    }

    fn links_for(self: &Rc<Self>, topology: &Topology) -> Vec<NodeLink> {
        let primaries: HashSet<NodeIndex> =
            topology.slots.shards().iter().map(|shard| shard.primary).collect();
        let nodes = topology.nodes.iter().enumerate();
        nodes
            .map(|(index, node)| {
                let replica = !primaries.contains(&NodeIndex(index as u16));
                self.link_to(&node.addr, replica)
            })
            .collect()
    }

    fn add_node(self: &Rc<Self>, addr: &NodeAddr, replica: bool) -> Rc<Node> {
        let config = &self.shared.config;
        let idle = replica && !config.use_replicas;
        let node = Rc::new(Node {
            addr: addr.clone(),
            link: Arc::new(Link::new(Arc::clone(&self.shared.in_flight))),
            replica: Cell::new(replica),
            lazy: Cell::new(config.minimize_connections || idle),
            connected: Cell::new(false),
            wanted: Cell::new(false),
            health: Health::default(),
            first: RefCell::new(None),
            task: RefCell::new(None),
        });
        let task = self.spawn(Rc::clone(self).supervise(Rc::clone(&node)));
        *node.task.borrow_mut() = Some(task);
        self.nodes.borrow_mut().insert(addr.clone(), Rc::clone(&node));
        node
    }

    /// A primary has become a replica, and its connection may read there from now on; or the other way
    /// round.
    fn tell_role(&self, node: &Node, command: &str) {
        if node.link.is_open() {
            // At once: the reads that follow need it. If it is lost, the next connection begins with it.
            let mut bytes = Vec::new();
            encode_command(&mut bytes, &[command]);
            let request = Request::new(NOBODY, 0, None, bytes.len());
            self.shared.after_submit(node.link.submit(bytes, [request], &mut Vec::new()));
        }
    }

    /// Routes anew what a node has not been sent yet.
    fn send_elsewhere(self: &Rc<Self>, node: &Node) {
        for (request, bytes) in node.link.remove_unwritten(|_| true) {
            // Questions of the engine's own were meant for this node.
            if request.is_users() {
                self.send(request.unwrapped(bytes));
            }
        }
    }

    /// Leaves idle nodes that the topology does not name: redirects have led there, and no more.
    pub(super) fn leave_strangers(self: &Rc<Self>) {
        let topology = self.shared.routes.load().topology.clone();
        let nodes = self.nodes.borrow();
        let idle = nodes.values().filter(|node| node.link.waiting() == 0);
        let strangers: Vec<NodeAddr> = idle
            .filter(|node| topology.find(&node.addr).is_none())
            .filter(|node| !self.leases.borrow().is_used(&node.addr))
            .map(|node| node.addr.clone())
            .collect();
        drop(nodes);
        for addr in &strangers {
            self.leave(addr);
        }
    }

    /// Sends what a node that is gone has not been sent to the new owners, lets it answer the rest,
    /// and closes its connection.
    fn leave(self: &Rc<Self>, addr: &NodeAddr) {
        let Some(node) = self.nodes.borrow_mut().remove(addr) else { return };
        let session = Rc::clone(self);
        self.send_elsewhere(&node);
        node.connected.set(false);
        self.leave_waiting(addr);
        self.spawn(async move {
            let deadline = Instant::now() + LEAVE_WITHIN;
            // The submitting thread may still be using the routes of before, and a lost connection
            // puts back what may be sent again.
            let dispatch = session.shared.lane.dispatching();
            let dispatch_goes_on =
                || dispatch.is_some() && dispatch == session.shared.lane.dispatching();
            let in_use = || session.leases.borrow().is_used(&node.addr);
            let waited_for = || (node.link.waiting() > 0 || in_use()) && !node.health.is_suspect();
            while (waited_for() || dispatch_goes_on()) && Instant::now() < deadline {
                sleep(LEAVE_POLL).await;
                session.send_elsewhere(&node);
            }
            let cause = if node.health.is_suspect() { session.hung() } else { Error::SocketClosed };
            session.on_node_left(&node, &cause);
            session.end_leases(&node, &cause);
            if let Some(task) = node.task.borrow_mut().take() {
                task.abort();
            }
            if let Some(live) = session.shared.remove_live(&node.link) {
                session.shared.tell(&Event::NodeDisconnect(&live.at));
            }
        });
    }
}
