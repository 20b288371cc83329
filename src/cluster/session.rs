//! The engine between connect and close: what the I/O thread knows and does.

use super::calls::Calls;
use super::control::{Control, ReconnectDecision};
use super::dispatch::Dispatcher;
use super::errands::Errands;
use super::holds::Holds;
use super::lane::Parcel;
use super::leases::Leases;
use super::node::Node;
use super::request::{Request, Ticket};
use super::routes::NodeLink;
use super::shared::Shared;
use super::tasks::Tasks;
use crate::connection::Scratch;
use crate::error::Error;
use crate::node_addr::NodeAddr;
use crate::slot::Slot;
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::future::Future;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep};

/// One session. Lives on the I/O thread; its tasks hold it, so it ends with [`Session::end`].
pub(crate) struct Session {
    pub(super) shared: Arc<Shared>,
    pub(super) scratch: Scratch,
    pub(super) tasks: Tasks,
    pub(super) nodes: RefCell<BTreeMap<NodeAddr, Rc<Node>>>,
    pub(super) dispatcher: RefCell<Dispatcher>,
    pub(super) holds: RefCell<Holds>,
    pub(super) calls: Calls,
    pub(super) errands: Errands,
    /// Connections that one command has for itself.
    pub(super) leases: RefCell<Leases>,
    /// Wakes who waits for first connections.
    pub(super) progress: Notify,
    /// Wakes the refresh.
    pub(super) refresh: Notify,
    /// The latest configuration that a view in force has told of.
    pub(super) config_epoch: Cell<u64>,
    /// The last MOVED, and when it came.
    pub(super) last_moved: RefCell<Option<(Slot, NodeAddr, Instant)>>,
    /// A task looks after held commands.
    pub(super) watching: Cell<bool>,
}

/// How often a closing session looks whether its queues are empty.
const CLOSE_POLL: Duration = Duration::from_millis(1);

impl Session {
    /// Begins a session; `ticket` is answered when the cluster can be used.
    pub(crate) fn start(shared: Arc<Shared>, scratch: Scratch, ticket: Ticket) -> Rc<Self> {
        shared.begin();
        let session = Rc::new(Self {
            shared,
            scratch,
            tasks: Tasks::default(),
            nodes: RefCell::default(),
            dispatcher: RefCell::default(),
            holds: RefCell::default(),
            calls: Calls::default(),
            errands: Errands::default(),
            leases: RefCell::default(),
            progress: Notify::new(),
            refresh: Notify::new(),
            config_epoch: Cell::new(0),
            last_moved: RefCell::default(),
            watching: Cell::new(false),
        });
        let connecting = Rc::clone(&session);
        session.spawn(async move {
            match connecting.connect().await {
                Ok(()) => connecting.shared.done(ticket),
                Err(error) => {
                    connecting.shared.send(Control::Destroyed);
                    connecting.shared.cut_off(&error);
                    connecting.shared.fail(ticket, &error);
                }
            }
        });
        session.spawn(Rc::clone(&session).keep_deadlines());
        session.spawn(Rc::clone(&session).keep_topology());
        session.spawn(Rc::clone(&session).keep_healthy());
        session
    }

    /// Starts a task of this session. A panic in it ends the session, with an answer for everyone.
    pub(super) fn spawn(self: &Rc<Self>, task: impl Future<Output = ()> + 'static) -> AbortHandle {
        let session = Rc::downgrade(self);
        self.tasks.spawn(task, move |message| {
            if let Some(session) = session.upgrade() {
                session.shared.send(Control::Destroyed);
                session.shared.break_down(message);
            }
        })
    }

    /// Ends all tasks, and answers what whoever cut the session off could not see.
    pub(crate) fn end(&self) {
        self.tasks.abort_all();
        self.shared.routes.store(Arc::default());
        let waiting = self.holds.borrow_mut().remove_waiting(|_| true);
        let mut left: Vec<_> = waiting.into_iter().map(|waiter| waiter.parcel).collect();
        left.extend(self.holds.borrow_mut().remove(|_| true));
        left.extend(self.shared.lane.take());
        for node in self.nodes.borrow().values() {
            let of_node = node.link.close().into_iter();
            left.extend(of_node.map(|(request, bytes, _)| (request, bytes)));
        }
        let left = left.into_iter().map(|(request, _)| request.ticket);
        for ticket in left.chain(self.end_all_leases()) {
            self.shared.fail(ticket, &Error::Disconnected);
        }
        self.shared.lane.close_if_empty();
    }

    /// Waits until all accepted commands are answered or `within` has passed, then ends the session
    /// and answers `ticket`. What waits on a server is not waited for.
    pub(crate) fn close(self: &Rc<Self>, ticket: Ticket, within: Option<Duration>) {
        let session = Rc::clone(self);
        let until = within.map(|within| Instant::now() + within);
        self.end_blocking();
        self.spawn(async move {
            while session.is_busy() && until.is_none_or(|until| Instant::now() < until) {
                sleep(CLOSE_POLL).await;
            }
            session.shared.send(Control::Destroyed);
            session.shared.cut_off(&Error::Disconnected);
            session.shared.done(ticket);
        });
    }

    fn is_busy(&self) -> bool {
        self.shared.lane.is_active()
            || self.links().iter().any(|link| link.waiting() > 0)
            || self.leases.borrow().is_busy()
    }

    /// Links of all nodes, those that are leaving included.
    pub(super) fn links(&self) -> Vec<NodeLink> {
        let mut links = self.shared.live_links();
        for node in self.nodes.borrow().values() {
            if !links.iter().any(|link| Arc::ptr_eq(link, &node.link)) {
                links.push(Arc::clone(&node.link));
            }
        }
        links
    }

    /// Gives up on a command. One that is being written already is not recalled, but not tried again
    /// either.
    pub(crate) fn cancel(self: &Rc<Self>, ticket: Ticket) {
        // It may have come just now.
        self.run_lane();
        self.run_handover();
        self.cancel_leased(ticket);
        let parts = self.shared.fanouts.parts_of(ticket);
        let is_its =
            |request: &Request| request.ticket == ticket || parts.contains(&request.ticket);
        let is_it = |(request, _): &Parcel| is_its(request);
        let waiting = self.holds.borrow_mut().remove_waiting(is_it);
        let mut removed: Vec<_> = waiting.into_iter().map(|waiter| waiter.parcel).collect();
        removed.extend(self.holds.borrow_mut().remove(is_it));
        for link in self.links() {
            removed.extend(link.remove_unwritten(is_its));
            if link.any(is_its) {
                link.update(|request| {
                    if is_its(request) {
                        request.cancel()
                    }
                });
            }
        }
        for (request, _) in removed {
            self.shared.fail(request.ticket, &Error::Aborted);
        }
    }

    /// The user's `nodeAddressMap` has answered.
    pub(crate) fn on_address(&self, call: u32, to: Option<(String, u16)>) {
        self.calls.on_address(call, to);
    }

    /// The user's `reconnectStrategy` has answered.
    pub(crate) fn on_reconnect(&self, call: u32, decision: ReconnectDecision) {
        self.calls.on_reconnect(call, decision);
    }

    /// Holds a new command if older ones of its slot are held, or sends it.
    fn hold_or_send(self: &Rc<Self>, parcel: Parcel) {
        if !self.holds.borrow().blocks(&parcel) {
            return self.send(parcel);
        }
        let routes = self.shared.routes.load();
        let owner = parcel.0.slot().and_then(|slot| routes.topology.slots.primary(slot));
        let (len, bytes) = self.holds.borrow().load();
        let check = |(link, addr, _): (&NodeLink, &NodeAddr, usize)| {
            let load = (len + link.waiting(), bytes + link.byte_len());
            self.shared.limits.check_held(addr, load)
        };
        let bound = match owner.and_then(|owner| routes.place(owner)) {
            Some(place) => check(place),
            None => self.shared.limits.check_held("slots without owner", (len, bytes)),
        };
        match bound {
            Ok(()) => drop(self.holds.borrow_mut().park(parcel)),
            Err(error) => self.shared.fail(parcel.0.ticket, &error),
        }
    }

    /// Moves commands along the lane: on, or aside while their slot is held.
    pub(crate) fn run_lane(self: &Rc<Self>) {
        while self.shared.lane.is_active() {
            let due = self.holds.borrow_mut().take_due(Instant::now());
            if !due.is_empty() {
                self.resume(due);
            }
            let released =
                self.holds.borrow_mut().release(self.shared.lane.dispatching(), Instant::now());
            released.into_iter().for_each(|parcel| self.send(parcel));
            for parcel in self.shared.lane.take() {
                self.hold_or_send(parcel);
            }
            self.shared.lane.note_held(self.holds.borrow().load().1);
            if !self.holds.borrow().is_empty() {
                // They wait to be written, and may be late before they can be.
                self.shared.queued.notify_one();
                return;
            }
            // Commands pushed meanwhile: once more.
            self.shared.lane.close_if_empty();
        }
    }
}
