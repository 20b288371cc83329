//! One lease from its connection to its end: connected like its node, used by one asker at a time,
//! closed when nobody has used it for long.

use super::chance::random_below;
use super::dial::{Role, close_failure, dial, greet, open_failure};
use super::leases::{Lease, State};
use super::node::Node;
use super::request::Request;
use super::session::Session;
use super::upstream::LeaseUpstream;
use crate::connection::{Exchange, SWALLOWED, Written, run};
use crate::error::Error;
use crate::resp::{Reply, ServerError, encode_command};
use crate::routing::{RECONNECT_JITTER_MS, reconnect_delay};
use std::rc::Rc;
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout};

/// Looks per time that a connection may be idle: it is closed at most a quarter late.
const IDLE_LOOKS: u32 = 4;
/// How long the server may take to end a waiting that it is asked to end, and to answer then. After
/// that the connection is closed. 1 s: a node that takes longer hangs. Halved, a busy machine would lose
/// elements; doubled, `close()` would take as long where a node hangs.
const UNBLOCK_WITHIN: Duration = Duration::from_secs(1);
const UNBLOCK_LOOK: Duration = Duration::from_millis(1);

impl Lease {
    /// Waits until nobody has used it for `limit`.
    async fn grown_old(&self, limit: Option<Duration>) {
        let Some(limit) = limit else { return std::future::pending().await };
        loop {
            sleep(limit / IDLE_LOOKS).await;
            if matches!(self.state.get(), State::Idle(since) if since.elapsed() >= limit) {
                return;
            }
        }
    }
}

impl Session {
    /// Makes one more connection to a node.
    pub(super) fn open_lease(self: &Rc<Self>, node: &Rc<Node>) {
        let lease = Rc::new(Lease::new(Rc::clone(node), self.shared.in_flight.clone()));
        self.leases.borrow_mut().add(Rc::clone(&lease));
        let task = self.spawn(Rc::clone(self).serve_lease(Rc::clone(&lease)));
        *lease.task.borrow_mut() = Some(task);
    }

    async fn serve_lease(self: Rc<Self>, lease: Rc<Lease>) {
        let node = &lease.node;
        let exchange = match self.connect_lease(&lease).await {
            Ok(exchange) => exchange,
            Err(error) => return self.on_lease_refused(&lease, &error),
        };
        self.leases.borrow_mut().on_opened(&node.addr);
        lease.state.set(State::Idle(Instant::now()));
        self.serve_waiting(node);
        let upstream = LeaseUpstream { session: Rc::clone(&self), lease: Rc::clone(&lease) };
        let serving = run(exchange.into_opened(), &lease.link, &upstream, &self.scratch);
        let cause = tokio::select! {
            biased;
            reason = serving => close_failure(&reason),
            () = lease.grown_old(self.shared.config.lease_idle_timeout) => Error::SocketClosed,
        };
        self.on_lease_lost(&lease, &cause);
    }

    async fn connect_lease(&self, lease: &Lease) -> Result<Exchange, Error> {
        let (config, node) = (&self.shared.config, &lease.node);
        let at = self.mapped(&node.addr).await;
        let mut exchange = dial(&at, &config.node, &self.scratch).await?;
        let reads = node.replica.get() && config.use_replicas;
        let role = if reads { Role::Replica } else { Role::Primary };
        let id = greet(&mut exchange, config, &config.node, role).await?;
        self.check_identity(node, id.as_deref())?;
        let mut question = Vec::new();
        encode_command(&mut question, &["CLIENT", "ID"]);
        let answer = exchange.ask(&question, config.node.connect_timeout).await;
        let answer = answer.map_err(open_failure)?;
        lease.client_id.set(Reply::read(&answer).as_ref().and_then(Reply::as_int));
        Ok(exchange)
    }

    /// There is no connection, and there is no other for a while.
    fn on_lease_refused(self: &Rc<Self>, lease: &Rc<Lease>, error: &Error) {
        tracing::warn!(node = %lease.node.addr, %error, "no connection for a command that blocks");
        let mut leases = self.leases.borrow_mut();
        let failed = leases.on_failed(&lease.node.addr);
        leases.remove(lease);
        drop(leases);
        let Some(retries) = failed else { return };
        let (session, node) = (Rc::clone(self), Rc::clone(&lease.node));
        let jitter = random_below(RECONNECT_JITTER_MS as usize) as u64;
        self.spawn(async move {
            sleep(reconnect_delay(retries, jitter)).await;
            session.leases.borrow_mut().on_rested(&node.addr);
            session.serve_waiting(&node);
        });
    }

    /// The connection is gone, and what was on it goes the way of all commands.
    pub(super) fn on_lease_lost(self: &Rc<Self>, lease: &Rc<Lease>, cause: &Error) {
        let lent = match lease.state.get() {
            State::Lent(id) => Some(id),
            _ => None,
        };
        let given_up = lease.giving_up.take();
        for (mut request, bytes, written) in self.drop_lease(lease) {
            if written != Written::No {
                request.attempts = request.attempts.saturating_add(1);
            }
            match &given_up {
                Some(error) => self.shared.fail(request.ticket, error),
                None if lent.is_some() => self.shared.fail(request.ticket, cause),
                None => self.send_again(&lease.node, (request, bytes, written), cause),
            }
        }
        if let Some(id) = lent {
            self.lose_tenancy(id, cause);
        }
        self.serve_waiting(&lease.node);
    }

    /// Closes a connection. Returns what was on it.
    pub(super) fn drop_lease(&self, lease: &Rc<Lease>) -> Vec<(Request, Vec<u8>, Written)> {
        self.leases.borrow_mut().remove(lease);
        lease.state.set(State::Leaving);
        if let Some(task) = lease.task.take() {
            task.abort();
        }
        lease.link.close()
    }

    /// Everything that was read has been delivered: the connection may be free again.
    pub(super) fn on_lease_answered(self: &Rc<Self>, lease: &Rc<Lease>) {
        // While the server may still be about to end a waiting, it must not be that of the next command.
        if lease.link.any(|_| true) || lease.giving_up.borrow().is_some() {
            return;
        }
        match lease.state.get() {
            State::Busy => lease.state.set(State::Idle(Instant::now())),
            State::Leaving => drop(self.drop_lease(lease)),
            State::Opening | State::Idle(_) | State::Lent(_) => return,
        }
        self.serve_waiting(&lease.node);
    }

    /// An error reply on a lease. Returns the word for its entry, as
    /// [`Session::on_error_reply`] does, which decides unless the connection is a tenant's or its
    /// command has been given up.
    pub(super) fn on_lease_error(
        self: &Rc<Self>,
        lease: &Rc<Lease>,
        (request, bytes): (Request, Vec<u8>),
        text: &[u8],
    ) -> u32 {
        if let State::Lent(_) = lease.state.get() {
            return request.ticket;
        }
        if let Some(error) = &*lease.giving_up.borrow() {
            self.shared.fail(request.ticket, error);
            return SWALLOWED;
        }
        if ServerError::parse(text).code == "UNBLOCKED" {
            // The server may be about to close the connection.
            lease.state.set(State::Leaving);
        }
        self.on_error_reply(&lease.node, (request, bytes), text)
    }

    /// Ends what the connection waits for, if it still does, because of `why`. What the server has
    /// answered by then is the answer.
    pub(super) fn unblock(self: &Rc<Self>, lease: &Rc<Lease>, why: Error) {
        for (request, _) in lease.link.remove_unwritten(|_| true) {
            self.shared.fail(request.ticket, &why);
        }
        if !lease.link.any(|_| true) {
            return self.on_lease_answered(lease);
        }
        if lease.giving_up.replace(Some(why)).is_some() {
            return;
        }
        let (session, lease) = (Rc::clone(self), Rc::clone(lease));
        self.spawn(async move {
            if session.ask_to_unblock(&lease).await {
                lease.giving_up.take();
                session.on_lease_answered(&lease);
            } else {
                session.on_lease_lost(&lease, &Error::SocketClosed);
            }
        });
    }

    /// Says whether the server has ended the waiting, and nothing of it is to come.
    async fn ask_to_unblock(&self, lease: &Lease) -> bool {
        let node = &lease.node;
        // Not over a link that is closed: the number means something else to other nodes.
        let Some(id) = lease.client_id.get().filter(|_| node.link.is_open()) else { return false };
        let command = ["CLIENT", "UNBLOCK", &id.to_string(), "ERROR"];
        let answered = async {
            while lease.link.any(|_| true) {
                sleep(UNBLOCK_LOOK).await;
            }
        };
        self.ask(&node.link, &command, UNBLOCK_WITHIN).await.is_ok()
            && timeout(UNBLOCK_WITHIN, answered).await.is_ok()
    }
}
