//! Nodes and their links: one for each the topology names, opened when they appear, left when they
//! are gone.

use super::events::Event;
use super::request::Request;
use super::routes::{NodeLink, Routes};
use super::session::Session;
use crate::connection::{Link, Payload};
use crate::error::Error;
use crate::node_addr::NodeAddr;
use crate::resp::encode_command;
use crate::slot::Slot;
use crate::topology::{Diff, NodeIndex, Topology};
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashSet};
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
    /// How the first attempt to connect went: not known yet, well, or not.
    pub(super) first: RefCell<Option<Result<(), Error>>>,
    task: RefCell<Option<AbortHandle>>,
}

/// How long a node that left the cluster may take to answer what it was sent.
const LEAVE_WITHIN: Duration = Duration::from_secs(5);
const LEAVE_POLL: Duration = Duration::from_millis(20);
/// A ticket nobody holds: the answer is dropped.
const NOBODY: u32 = crate::connection::SWALLOWED;

impl Session {
    /// Puts a topology in force: links for new nodes, goodbye to those that are gone, and order
    /// kept for slots that moved.
    pub(super) fn publish(self: &Rc<Self>, topology: Topology) {
        let old = self.shared.routes.load_full();
        let diff = Diff::between(&old.topology, &topology);
        let moved = self.moved_by_link(&old, &diff.moved);
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
            let mut holds = self.holds.borrow_mut();
            holds.add(link, slots, dispatch, Instant::now());
            early.into_iter().for_each(|parcel| drop(holds.park(parcel)));
            drop(holds);
            for (request, bytes) in older {
                self.send(request.unwrapped(bytes));
            }
        }
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
        if node.replica.replace(replica) != replica && replica {
            self.read_from_replica(&node);
        }
        Arc::clone(&node.link)
    }

    /// Waits until each node that is connected to at once has been tried.
    ///
    /// # Errors
    ///
    /// The first node's failure, if there is no node that can be used.
    pub(super) async fn first_connections(&self) -> Result<(), Error> {
        loop {
            let (mut waiting, mut usable, mut failure) = (false, false, None);
            for node in self.nodes.borrow().values() {
                match &*node.first.borrow() {
                    // A replica that is not read from is of no use to commands.
                    None if node.lazy.get() => usable |= self.shared.config.minimize_connections,
                    None => waiting = true,
                    Some(Ok(())) => usable = true,
                    Some(Err(error)) => failure = Some(error.clone()),
                }
            }
            match failure {
                _ if waiting => self.progress.notified().await,
                Some(error) if !usable => return Err(error),
                _ => return Ok(()),
            }
        }
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
            link: Arc::new(Link::new()),
            replica: Cell::new(replica),
            lazy: Cell::new(config.minimize_connections || idle),
            first: RefCell::new(None),
            task: RefCell::new(None),
        });
        let task = self.spawn(Rc::clone(self).supervise(Rc::clone(&node)));
        *node.task.borrow_mut() = Some(task);
        self.nodes.borrow_mut().insert(addr.clone(), Rc::clone(&node));
        node
    }

    /// A primary has become a replica: its connection may read there from now on.
    fn read_from_replica(&self, node: &Node) {
        if node.link.is_open() {
            let mut bytes = Vec::new();
            encode_command(&mut bytes, &["READONLY"]);
            let request = Request::new(NOBODY, 0, None, bytes.len());
            debug_assert_eq!(request.wire_len(), bytes.len());
            node.link.submit(bytes, [request], &mut Vec::new());
        }
    }

    /// Which of the slots that moved may still have commands with their old owner.
    fn moved_by_link(&self, old: &Routes, moved: &[Slot]) -> Vec<(NodeLink, HashSet<Slot>)> {
        let mut by_node: BTreeMap<NodeIndex, HashSet<Slot>> = BTreeMap::new();
        for slot in moved {
            if let Some(primary) = old.topology.slots.primary(*slot) {
                by_node.entry(primary).or_default().insert(*slot);
            }
        }
        let links = by_node.into_iter();
        links.filter_map(|(node, slots)| Some((old.link(node)?.clone(), slots))).collect()
    }

    /// Routes anew what a node has not been sent yet.
    fn send_elsewhere(&self, node: &Node) {
        for (request, bytes) in node.link.remove_unwritten(|_| true) {
            self.send(request.unwrapped(bytes));
        }
    }

    /// Leaves idle nodes that the topology does not name: redirects have led there, and no more.
    pub(super) fn leave_strangers(self: &Rc<Self>) {
        let topology = self.shared.routes.load().topology.clone();
        let nodes = self.nodes.borrow();
        let idle = nodes.values().filter(|node| node.link.waiting() == 0);
        let strangers: Vec<NodeAddr> = idle
            .filter(|node| topology.find(&node.addr).is_none())
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
        self.spawn(async move {
            let deadline = Instant::now() + LEAVE_WITHIN;
            // The submitting thread may still be using the routes of before, and a lost connection
            // puts back what may be sent again.
            let dispatch = session.shared.lane.dispatching();
            let dispatch_goes_on =
                || dispatch.is_some() && dispatch == session.shared.lane.dispatching();
            while (node.link.waiting() > 0 || dispatch_goes_on()) && Instant::now() < deadline {
                sleep(LEAVE_POLL).await;
                session.send_elsewhere(&node);
            }
            for (request, ..) in node.link.close() {
                session.shared.fail(request.ticket, &Error::SocketClosed);
            }
            if let Some(task) = node.task.borrow_mut().take() {
                task.abort();
            }
            if let Some(live) = session.shared.remove_live(&node.link) {
                session.shared.tell(&Event::NodeDisconnect(&live.at));
            }
        });
    }
}
