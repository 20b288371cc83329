//! Keeps one node connected: connect, greet, serve, and again.

use super::control::ReconnectDecision;
use super::dial::{Role, close_failure, dial, greet};
use super::events::Event;
use super::node::Node;
use super::session::Session;
use super::shared::LiveNode;
use super::upstream::NodeUpstream;
use crate::connection::{Exchange, run};
use crate::error::Error;
use crate::node_addr::NodeAddr;
use std::cell::Cell;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use tokio::time::{sleep, timeout};

impl Session {
    /// The task of a node. Ends only with the session, or when the node leaves the cluster.
    pub(super) async fn supervise(self: Rc<Self>, node: Rc<Node>) {
        loop {
            while node.is_resting() {
                node.link.woken().await;
            }
            let at = self.mapped(&node.addr).await;
            self.shared.add_live(LiveNode { link: Arc::clone(&node.link), at: at.clone() });
            let cause = self.serve(&node, &at).await;
            // The strategy has given up. The next command for this node tries once more.
            self.shared.remove_live(&node.link);
            for (request, ..) in node.link.detach(|_, _| false) {
                self.shared.fail(request.ticket, &cause);
            }
            node.wanted.set(false);
            self.fail_waiting(&node.addr, &cause);
            // An idle connection was closed as the user wished: the node is as good as any.
            node.link.avoid(!matches!(cause, Error::SocketTimeout(_)));
            node.first.borrow_mut().get_or_insert(Err(cause));
            self.progress.notify_one();
            node.lazy.set(true);
        }
    }

    /// Serves the node until the reconnect strategy gives up; returns why.
    async fn serve(self: &Rc<Self>, node: &Rc<Node>, at: &NodeAddr) -> Error {
        let mut retries = 0;
        loop {
            let (cause, was_useful) = match self.open_in_time(node, at).await {
                Err(cause) => (cause, false),
                Ok(exchange) => self.serve_once(node, exchange).await,
            };
            if was_useful {
                // As in node-redis: the first repetition follows at once.
                retries = 0;
            }
            // Told before the question, so that what the strategy throws comes behind it.
            self.shared.tell(&Event::NodeError(&cause, at));
            let decision = self.reconnect_decision(retries, &cause, at).await;
            retries += 1;
            match decision {
                ReconnectDecision::GiveUp(None) => return cause,
                ReconnectDecision::GiveUp(Some(text)) => {
                    return Error::ReconnectStrategy { text, cause: Box::new(cause) };
                }
                ReconnectDecision::After(_) if was_useful => {}
                ReconnectDecision::After(delay) => {
                    self.after_failed_attempt(node, &cause);
                    sleep(delay).await;
                }
            }
            self.shared.tell(&Event::NodeReconnecting(at));
        }
    }

    /// Opens a connection. A node that takes it and says nothing hangs like any other: it has as long as
    /// `connectTimeout` says, but is thought to be missing meanwhile.
    async fn open_in_time(&self, node: &Node, at: &NodeAddr) -> Result<Exchange, Error> {
        let mut opening = pin!(self.open(node, at));
        if let Some(limit) = self.shared.config.node.hang_timeout {
            if let Ok(opened) = timeout(limit, opening.as_mut()).await {
                return opened;
            }
            node.link.avoid(true);
            self.refresh.notify_one();
        }
        opening.await
    }

    async fn open(&self, node: &Node, at: &NodeAddr) -> Result<Exchange, Error> {
        let config = &self.shared.config;
        let mut exchange = dial(at, &config.node, &self.scratch).await?;
        self.shared.tell(&Event::NodeConnect(at));
        let reads = node.replica.get() && config.use_replicas;
        let role = if reads { Role::Replica } else { Role::Primary };
        let id = greet(&mut exchange, config, &config.node, role).await?;
        self.check_identity(node, id.as_deref())?;
        *node.first.borrow_mut() = Some(Ok(()));
        self.progress.notify_one();
        self.shared.tell(&Event::NodeReady(at));
        tracing::info!(node = %node.addr, "connected");
        Ok(exchange)
    }

    /// Serves the node until the connection is lost. Returns why, and whether the connection was of
    /// use: one that took commands and answered none is no better than none, and to make the next
    /// one at once would be a hot loop.
    async fn serve_once(self: &Rc<Self>, node: &Rc<Node>, exchange: Exchange) -> (Error, bool) {
        let answered = Rc::new(Cell::new(false));
        let upstream = NodeUpstream {
            session: Rc::clone(self),
            node: Rc::clone(node),
            answered: Rc::clone(&answered),
        };
        node.health.begin();
        node.connected.set(true);
        node.wanted.set(false);
        self.serve_waiting(node);
        let serving = run(exchange.into_opened(), &node.link, &upstream, &self.scratch);
        let cause = tokio::select! {
            biased;
            reason = serving => close_failure(&reason),
            error = node.health.ended() => error,
        };
        node.connected.set(false);
        if matches!(cause, Error::Hung(_))
            && !self.shared.routes.load().topology.is_primary(&node.addr)
        {
            // Nobody hears that it does not wait for anything any more.
            self.end_leases(node, &cause);
        }
        tracing::info!(node = %node.addr, %cause, "connection lost");
        let asked = self.on_connection_lost(node, &cause);
        if self.shared.config.refresh_on_reconnect {
            self.refresh.notify_one();
        }
        (cause, answered.get() || !asked)
    }

    /// Whether the server is the node that the topology names. Addresses are used again: what is meant
    /// for one cluster must not be written to another.
    pub(super) fn check_identity(&self, node: &Node, id: Option<&str>) -> Result<(), Error> {
        let topology = &self.shared.routes.load().topology;
        let known = topology.find(&node.addr).and_then(|index| topology.node(index));
        match (known.map(|known| &*known.id), id) {
            (Some(expected), Some(got)) if is_node_id(expected) && is_node_id(got) => {
                if expected == got {
                    return Ok(());
                }
                let (expected, got) = (expected.to_owned(), got.to_owned());
                Err(Error::WrongNode { expected, got })
            }
            // Named by a redirect only, or it will not say.
            _ => Ok(()),
        }
    }

    /// One dead node must not hold `connect()`: the first failure of a node counts as its answer.
    fn after_failed_attempt(&self, node: &Node, cause: &Error) {
        node.link.avoid(true);
        node.first.borrow_mut().get_or_insert_with(|| Err(cause.clone()));
        self.progress.notify_one();
        if self.shared.config.refresh_on_reconnect {
            self.refresh.notify_one();
        }
    }
}

/// Forty hexadecimal digits, as every server makes them.
fn is_node_id(text: &str) -> bool {
    text.len() == 40 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}
