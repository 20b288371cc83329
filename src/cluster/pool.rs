//! One node's leases, and who waits for one.

use super::handover::LeaseId;
use super::lane::Parcel;
use super::node::Node;
use super::routes::NodeLink;
use crate::connection::{Link, Tally};
use crate::error::Error;
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
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

    /// Whether somebody waits for what it does.
    pub(super) fn is_in_use(&self) -> bool {
        matches!(self.state.get(), State::Busy | State::Lent(_)) || self.link.any(|_| true)
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
pub(super) struct Pool {
    pub(super) waiting: VecDeque<Wanted>,
    pub(super) leases: Vec<Rc<Lease>>,
    /// Attempts to connect that failed since the last that did not.
    pub(super) failures: u32,
    /// The last one failed just now: there is no other before its time has come.
    pub(super) resting: bool,
}

/// What to do for those who wait.
#[derive(Debug)]
pub(super) enum Step {
    Give(Rc<Lease>, Wanted),
    Open,
    Wait,
}

impl Pool {
    /// What is to be done next for those who wait.
    pub(super) fn next_step(&mut self, may_open: bool, most: usize) -> Step {
        if self.waiting.is_empty() {
            return Step::Wait;
        }
        // The one used last: the others grow old and are closed.
        let idle = self.leases.iter().filter(|lease| lease.idle_since().is_some());
        if let Some(lease) = idle.max_by_key(|lease| lease.idle_since()).cloned()
            && let Some(wanted) = self.waiting.pop_front()
        {
            return Step::Give(lease, wanted);
        }
        let opening = self.leases.iter().filter(|lease| lease.state.get() == State::Opening);
        // Where the last attempt failed, one at a time.
        let at_once = if self.failures == 0 { self.waiting.len() } else { 1 };
        let enough = opening.count() >= at_once || self.leases.len() >= most;
        if enough || !may_open || self.resting { Step::Wait } else { Step::Open }
    }

    /// Nobody has anything to do with it.
    pub(super) fn is_over(&self) -> bool {
        self.leases.is_empty() && self.waiting.is_empty() && !self.resting
    }
}

impl Wanted {
    pub(super) fn byte_len(&self) -> usize {
        match self {
            Self::Command((_, bytes)) => bytes.len(),
            Self::Tenant(_) => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::request::Request;
    use crate::node_addr::NodeAddr;
    use std::time::Duration;

    fn add(pool: &mut Pool, state: State) -> Rc<Lease> {
        let node = Rc::new(Node::new(NodeAddr::new("h", 1), Tally::default()));
        let lease = Rc::new(Lease::new(node, Tally::default()));
        lease.state.set(state);
        pool.leases.push(Rc::clone(&lease));
        lease
    }

    fn want(pool: &mut Pool, ticket: u32) {
        let parcel = (Request::new(ticket, 0, None, 0), Vec::new());
        pool.waiting.push_back(Wanted::Command(parcel));
    }

    fn given(step: Step) -> (Rc<Lease>, u32) {
        match step {
            Step::Give(lease, Wanted::Command((request, _))) => (lease, request.ticket),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn who_waits_longest_gets_the_connection_used_last() {
        let (mut pool, now) = (Pool::default(), Instant::now());
        let old = add(&mut pool, State::Idle(now));
        let young = add(&mut pool, State::Idle(now + Duration::from_secs(1)));
        assert!(matches!(pool.next_step(true, 9), Step::Wait));
        [1, 2, 3].into_iter().for_each(|ticket| want(&mut pool, ticket));
        let (lease, ticket) = given(pool.next_step(true, 9));
        assert!(Rc::ptr_eq(&lease, &young) && ticket == 1);
        lease.state.set(State::Busy);
        let (lease, ticket) = given(pool.next_step(false, 2));
        assert!(Rc::ptr_eq(&lease, &old) && ticket == 2);
        lease.state.set(State::Lent(5));
        assert!(matches!(pool.next_step(true, 2), Step::Wait), "no more than two");
        assert!(matches!(pool.next_step(false, 9), Step::Wait), "the node is not connected");
        assert!(matches!(pool.next_step(true, 9), Step::Open));
    }

    #[test]
    fn as_many_are_made_as_are_waited_for_unless_the_last_one_failed() {
        let mut pool = Pool::default();
        [1, 2].into_iter().for_each(|ticket| want(&mut pool, ticket));
        for _ in 0..2 {
            assert!(matches!(pool.next_step(true, 9), Step::Open));
            add(&mut pool, State::Opening);
        }
        assert!(matches!(pool.next_step(true, 9), Step::Wait));
        pool.leases.clear();
        (pool.failures, pool.resting) = (1, true);
        assert!(matches!(pool.next_step(true, 9), Step::Wait));
        pool.resting = false;
        assert!(matches!(pool.next_step(true, 9), Step::Open));
        add(&mut pool, State::Opening);
        assert!(matches!(pool.next_step(true, 9), Step::Wait), "one at a time");
    }
}
