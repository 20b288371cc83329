//! Nodes that may hang.
//!
//! A node that was asked and has sent nothing for `hangTimeout` is a suspect: nothing more is written
//! to it, so that what waits can go to its successor; reads that others can answer avoid it; the
//! topology is looked at. It is probed on a second connection meanwhile. If that one is answered
//! and the first stays silent for long, the first is dead, and is replaced.

use super::dial::{Role, dial, greet, open_failure};
use super::health::LOOKS_PER_TIMEOUT;
use super::node::Node;
use super::request::Request;
use super::routes::NodeLink;
use super::session::Session;
use crate::error::Error;
use crate::resp::encode_command;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// A connection that is silent for this many times `hangTimeout`, while a second one is answered, is
/// dead. Not at once: a server may keep back one client's answers and no other's (CLIENT PAUSE, a
/// failover that is on its way), and most dead connections are found by the system before.
const GIVE_UP_FACTOR: u32 = 5;

impl Session {
    /// The node may hang, or wait on purpose: it is a suspect if it does not answer others either.
    pub(super) fn doubt(self: &Rc<Self>, node: &Rc<Node>, limit: Duration) {
        let now = Instant::now();
        let recently = |at: Instant| now - at < limit * GIVE_UP_FACTOR;
        if node.health.doubted.get().is_some_and(recently) {
            return;
        }
        node.health.doubted.set(Some(now));
        let (session, node) = (Rc::clone(self), Rc::clone(node));
        self.spawn(async move {
            let answered = tokio::time::timeout(limit, session.probe(&node)).await;
            let silent = node.health.heard.get().is_some_and(|heard| heard.elapsed() >= limit);
            if !matches!(answered, Ok(Ok(()))) && silent && node.link.is_open() {
                session.suspect(&node, limit);
            }
        });
    }

    /// The node may hang.
    pub(super) fn suspect(self: &Rc<Self>, node: &Rc<Node>, limit: Duration) {
        if node.health.suspect.replace(true) {
            return;
        }
        tracing::warn!(node = %node.addr, "nothing comes back");
        node.link.avoid(true);
        node.link.pause(true);
        self.refresh.notify_one();
        let mut owes_writes = false;
        node.link.progress(|request| owes_writes |= !request.has(Request::READONLY));
        let topology = self.shared.routes.load().topology.clone();
        if owes_writes && !topology.is_primary(&node.addr) {
            // It was replaced before anybody noticed that it hangs.
            self.give_up_if_dead(Rc::clone(node));
        }
        let (session, node) = (Rc::clone(self), Rc::clone(node));
        self.spawn(async move { session.probe_while_suspect(&node, limit).await });
    }

    /// Slots of a node have a new owner. If it hangs it is not waited for any more.
    pub(super) fn give_up_if_suspect(self: &Rc<Self>, link: &NodeLink) {
        let nodes = self.nodes.borrow();
        let node = nodes.values().find(|node| Arc::ptr_eq(&node.link, link)).cloned();
        drop(nodes);
        if let Some(node) = node.filter(|node| node.health.is_suspect()) {
            self.give_up_if_dead(node);
        }
    }

    /// A node that was replaced is given up, if it does not answer others either: a primary that was
    /// told to hand over keeps writes back, and says MOVED when it is done.
    fn give_up_if_dead(self: &Rc<Self>, node: Rc<Node>) {
        let session = Rc::clone(self);
        let limit = self.shared.config.node.hang_timeout.unwrap_or_default() / LOOKS_PER_TIMEOUT;
        self.spawn(async move {
            let answered = tokio::time::timeout(limit, session.probe(&node)).await;
            if !matches!(answered, Ok(Ok(()))) && node.health.is_suspect() {
                node.health.end(session.hung());
            }
        });
    }

    /// Why the connection of a node that hangs is given up.
    pub(super) fn hung(&self) -> Error {
        let limit = self.shared.config.node.hang_timeout.unwrap_or_default();
        Error::Hung(limit.as_millis() as u32)
    }

    /// The node answers.
    pub(super) fn clear(&self, node: &Node) {
        if node.health.suspect.replace(false) {
            tracing::info!(node = %node.addr, "answers again");
            node.link.pause(false);
            node.link.avoid(false);
        }
    }

    async fn probe_while_suspect(self: &Rc<Self>, node: &Rc<Node>, limit: Duration) {
        let give_up = limit * GIVE_UP_FACTOR;
        while node.health.is_suspect() && node.link.is_open() {
            let began = Instant::now();
            let answered = tokio::time::timeout(limit, self.probe(node)).await;
            let silence = node.health.heard.get().map_or(Duration::ZERO, |heard| heard.elapsed());
            let mut on_purpose = false;
            node.link.progress(|request| on_purpose |= request.has(Request::BLOCKING));
            if matches!(answered, Ok(Ok(()))) && on_purpose {
                // It serves others, and keeps back what it was asked to.
                self.clear(node);
                return;
            }
            if matches!(answered, Ok(Ok(()))) && node.health.is_suspect() && silence >= give_up {
                node.health.end(Error::Hung(give_up.as_millis() as u32));
                return;
            }
            sleep(limit.saturating_sub(began.elapsed())).await;
        }
    }

    /// Asks the node on a connection of its own.
    async fn probe(&self, node: &Node) -> Result<(), Error> {
        let config = &self.shared.config;
        let at = self.mapped(&node.addr).await;
        let mut exchange = dial(&at, &config.node, &self.scratch).await?;
        greet(&mut exchange, config, &config.node, Role::Source).await?;
        let mut question = Vec::new();
        encode_command(&mut question, &["PING"]);
        exchange.ask(&question, None).await.map_err(open_failure)?;
        Ok(())
    }
}
