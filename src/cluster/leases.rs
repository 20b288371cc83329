//! Connections that one asker has for itself, by node, and who waits for one. What is done with them
//! is in `leasing.rs`.

use super::handover::LeaseId;
use super::lane::Parcel;
use super::node::Node;
use super::routes::NodeLink;
use super::tenants::Tenants;
use super::waits::Waiter;
use crate::connection::{Link, Tally};
use crate::error::Error;
use crate::node_addr::NodeAddr;
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;
use std::sync::Arc;
use tokio::task::AbortHandle;
use tokio::time::Instant;

/// One connection beside the one that a node's commands share.
#[derive(Debug)]
pub(super) struct Lease {
    pub(super) node: Rc<Node>,
    pub(super) link: NodeLink,
    pub(super) state: Cell<State>,
    /// The server's number for the connection, if it said it.
    pub(super) client_id: Cell<Option<i64>>,
    /// Why what it waits for is being given up: the server has been asked to end the waiting.
    pub(super) giving_up: RefCell<Option<Error>>,
    pub(super) task: RefCell<Option<AbortHandle>>,
}

/// What a lease does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// Being connected.
    Opening,
    /// Nothing, since then.
    Idle(Instant),
    /// It has one command, which may wait on the server.
    Busy,
    /// As its tenant likes.
    Lent(LeaseId),
    /// The server is about to close it.
    Leaving,
}

impl Lease {
    pub(super) fn new(node: Rc<Node>, tally: Tally) -> Self {
        Self {
            node,
            link: Arc::new(Link::new(tally)),
            state: Cell::new(State::Opening),
            client_id: Cell::new(None),
            giving_up: RefCell::new(None),
            task: RefCell::new(None),
        }
    }

    fn idle_since(&self) -> Option<Instant> {
        match self.state.get() {
            State::Idle(since) => Some(since),
            _ => None,
        }
    }
}

/// Who waits for a connection.
#[derive(Debug)]
pub(super) enum Wanted {
    Command(Parcel),
    Tenant(LeaseId),
}

/// One node's leases. Bounded by `maxBlockingConnections`; who waits, by the bytes of one node's
/// queue (`Dispatcher::hand_over`).
#[derive(Debug, Default)]
struct Pool {
    waiting: VecDeque<Wanted>,
    leases: Vec<Rc<Lease>>,
    /// Attempts to connect that failed since the last that did not.
    failures: u32,
    /// The last one failed just now: there is no other before its time has come.
    resting: bool,
}

/// What to do for those who wait.
#[derive(Debug)]
pub(super) enum Step {
    Give(Rc<Lease>, Wanted),
    Open,
    Wait,
}

/// All leases of a session.
#[derive(Debug, Default)]
pub(super) struct Leases {
    pools: BTreeMap<NodeAddr, Pool>,
    /// Commands that no server could run yet, by a number of their own.
    delayed: BTreeMap<u64, Waiter>,
    last_delayed: u64,
    pub(super) tenants: Tenants,
    /// Bytes of commands in `waiting`, `delayed` and `tenants`.
    bytes: usize,
    /// Nothing blocks any more.
    pub(super) closing: bool,
}

impl Leases {
    /// Bytes of commands that are on no connection.
    pub(super) fn byte_len(&self) -> usize {
        self.bytes + self.tenants.byte_len()
    }

    /// Adds to those that wait for a connection to `addr`.
    pub(super) fn want(&mut self, addr: &NodeAddr, wanted: Wanted) {
        self.bytes += wanted.byte_len();
        self.pools.entry(addr.clone()).or_default().waiting.push_back(wanted);
    }

    /// What is to be done next for those who wait for connections to `addr`.
    pub(super) fn next_step(&mut self, addr: &NodeAddr, may_open: bool, most: usize) -> Step {
        let Some(pool) = self.pools.get_mut(addr) else { return Step::Wait };
        if pool.waiting.is_empty() {
            return Step::Wait;
        }
        // The one used last: the others grow old and are closed.
        let idle = pool.leases.iter().filter(|lease| lease.idle_since().is_some());
        if let Some(lease) = idle.max_by_key(|lease| lease.idle_since()).cloned()
            && let Some(wanted) = pool.waiting.pop_front()
        {
            self.bytes -= wanted.byte_len();
            return Step::Give(lease, wanted);
        }
        let opening = pool.leases.iter().filter(|lease| lease.state.get() == State::Opening);
        // Where the last attempt failed, one at a time.
        let at_once = if pool.failures == 0 { pool.waiting.len() } else { 1 };
        let enough = opening.count() >= at_once || pool.leases.len() >= most;
        if enough || !may_open || pool.resting { Step::Wait } else { Step::Open }
    }

    /// Whether anybody waits for a connection to `addr`.
    pub(super) fn is_wanted(&self, addr: &NodeAddr) -> bool {
        self.pools.get(addr).is_some_and(|pool| !pool.waiting.is_empty())
    }

    /// Whether anybody waits for a connection to `addr`, or uses one.
    pub(super) fn is_used(&self, addr: &NodeAddr) -> bool {
        self.is_wanted(addr) || self.of(addr).iter().any(|lease| lease.is_in_use())
    }

    /// Whether any command is not answered.
    pub(super) fn is_busy(&self) -> bool {
        self.has_waiting() || self.all().iter().any(|lease| lease.link.any(|_| true))
    }

    pub(super) fn add(&mut self, lease: Rc<Lease>) {
        self.pools.entry(lease.node.addr.clone()).or_default().leases.push(lease);
    }

    pub(super) fn remove(&mut self, lease: &Rc<Lease>) {
        let Some(pool) = self.pools.get_mut(&lease.node.addr) else { return };
        pool.leases.retain(|known| !Rc::ptr_eq(known, lease));
        if pool.leases.is_empty() && pool.waiting.is_empty() && !pool.resting {
            self.pools.remove(&lease.node.addr);
        }
    }

    /// A connection to `addr` was made.
    pub(super) fn on_opened(&mut self, addr: &NodeAddr) {
        if let Some(pool) = self.pools.get_mut(addr) {
            pool.failures = 0;
        }
    }

    /// A connection to `addr` could not be made: no other is until [`Leases::on_rested`]. Returns how
    /// often in a row it has failed before; `None`: somebody sees to it already.
    pub(super) fn on_failed(&mut self, addr: &NodeAddr) -> Option<u32> {
        let pool = self.pools.entry(addr.clone()).or_default();
        if std::mem::replace(&mut pool.resting, true) {
            return None;
        }
        pool.failures = pool.failures.saturating_add(1);
        Some(pool.failures - 1)
    }

    pub(super) fn on_rested(&mut self, addr: &NodeAddr) {
        if let Some(pool) = self.pools.get_mut(addr) {
            pool.resting = false;
        }
    }

    /// All connections to `addr`.
    pub(super) fn of(&self, addr: &NodeAddr) -> Vec<Rc<Lease>> {
        self.pools.get(addr).map_or_else(Vec::new, |pool| pool.leases.clone())
    }

    /// All connections.
    pub(super) fn all(&self) -> Vec<Rc<Lease>> {
        self.pools.values().flat_map(|pool| pool.leases.iter().cloned()).collect()
    }

    /// Takes everybody out who waits for a connection to `addr`.
    pub(super) fn take_waiting(&mut self, addr: &NodeAddr) -> VecDeque<Wanted> {
        let waiting = self.pools.get_mut(addr).map(|pool| std::mem::take(&mut pool.waiting));
        let waiting = waiting.unwrap_or_default();
        self.bytes -= waiting.iter().map(Wanted::byte_len).sum::<usize>();
        waiting
    }

    /// Takes commands out that wait for a connection.
    pub(super) fn remove_waiting(&mut self, mut out: impl FnMut(&Parcel) -> bool) -> Vec<Parcel> {
        let mut removed = Vec::new();
        for pool in self.pools.values_mut() {
            for wanted in std::mem::take(&mut pool.waiting) {
                match wanted {
                    Wanted::Command(parcel) if out(&parcel) => removed.push(parcel),
                    other => pool.waiting.push_back(other),
                }
            }
        }
        self.bytes -= removed.iter().map(|(_, bytes)| bytes.len()).sum::<usize>();
        removed
    }

    /// A tenant does not want its connection any more.
    pub(super) fn forget_tenant(&mut self, id: LeaseId) {
        for pool in self.pools.values_mut() {
            pool.waiting.retain(|wanted| !matches!(wanted, Wanted::Tenant(other) if *other == id));
        }
    }

    /// Keeps a command that no server could run yet. Returns the number to ask for it.
    pub(super) fn delay(&mut self, waiter: Waiter) -> u64 {
        self.bytes += waiter.parcel.1.len();
        self.last_delayed += 1;
        self.delayed.insert(self.last_delayed, waiter);
        self.last_delayed
    }

    /// Takes a command whose time has come, if it is still there.
    pub(super) fn take_delayed(&mut self, number: u64) -> Option<Waiter> {
        let waiter = self.delayed.remove(&number)?;
        self.bytes -= waiter.parcel.1.len();
        Some(waiter)
    }

    /// Takes commands out that no server could run yet.
    pub(super) fn remove_delayed(&mut self, mut out: impl FnMut(&Parcel) -> bool) -> Vec<Waiter> {
        let found = self.delayed.iter().filter(|(_, waiter)| out(&waiter.parcel));
        let found: Vec<u64> = found.map(|(number, _)| *number).collect();
        found.into_iter().filter_map(|number| self.take_delayed(number)).collect()
    }

    /// Whether commands wait that are on no connection.
    pub(super) fn has_waiting(&self) -> bool {
        let is_command = |wanted: &Wanted| matches!(wanted, Wanted::Command(_));
        !self.delayed.is_empty()
            || self.pools.values().any(|pool| pool.waiting.iter().any(is_command))
            || self.tenants.has_waiting()
    }
}

impl Lease {
    /// Whether somebody waits for what it does.
    pub(super) fn is_in_use(&self) -> bool {
        matches!(self.state.get(), State::Busy | State::Lent(_)) || self.link.any(|_| true)
    }
}

impl Wanted {
    fn byte_len(&self) -> usize {
        match self {
            Self::Command((_, bytes)) => bytes.len(),
            Self::Tenant(_) => 0,
        }
    }
}
