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
use std::collections::{HashMap, HashSet};
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
            // What was sent there from elsewhere stays: what follows it will come there, too.
            let is_early =
                |r: &Request| r.attempts == 0 && r.slot().is_some_and(|s| slots.contains(&s));
            let early = link.remove_unwritten(is_early);
            let mut holds = self.holds.borrow_mut();
            holds.add(link, slots, dispatch);
            early.into_iter().for_each(|parcel| drop(holds.park(parcel)));
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
        let mut by_node: HashMap<NodeIndex, HashSet<Slot>> = HashMap::new();
        for slot in moved {
            if let Some(primary) = old.topology.slots.primary(*slot) {
                by_node.entry(primary).or_default().insert(*slot);
            }
        }
        let links = by_node.into_iter();
        links.filter_map(|(node, slots)| Some((old.link(node)?.clone(), slots))).collect()
    }

    /// Sends what a node that is gone has not been sent to the new owners, lets it answer the rest,
    /// and closes its connection.
    fn leave(self: &Rc<Self>, addr: &NodeAddr) {
        let Some(node) = self.nodes.borrow_mut().remove(addr) else { return };
        for (request, bytes) in node.link.remove_unwritten(|_| true) {
            self.send(request.unwrapped(bytes));
        }
        let session = Rc::clone(self);
        self.spawn(async move {
            let deadline = Instant::now() + LEAVE_WITHIN;
            while node.link.waiting() > 0 && Instant::now() < deadline {
                sleep(LEAVE_POLL).await;
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
