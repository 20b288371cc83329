//! Notices nodes that hang, connections that lead nowhere, and connections that are idle. What becomes
//! of those that may hang is in `suspects.rs`.

use super::node::Node;
use super::request::Request;
use super::session::Session;
use crate::error::Error;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep};

/// Parts of a timeout between two looks: it is noticed at most this much late.
pub(super) const LOOKS_PER_TIMEOUT: u32 = 4;
/// No more often than this, whatever the timeouts.
const SHORTEST_LOOK: Duration = Duration::from_millis(5);

/// What is known of a node's connection.
#[derive(Debug, Default)]
pub(super) struct Health {
    /// Counts reads.
    reads: Cell<u64>,
    /// What the last look saw, and when a look last saw a change.
    seen: Cell<Option<(Look, Instant)>>,
    /// When there last was a sign of life, or nothing was owed.
    pub(super) heard: Cell<Option<Instant>>,
    pub(super) suspect: Cell<bool>,
    /// When it was last asked whether it hangs or waits on purpose.
    pub(super) doubted: Cell<Option<Instant>>,
    pinging: Cell<bool>,
    /// Why the connection is to be ended.
    verdict: RefCell<Option<Error>>,
    ended: Notify,
}

/// What one look sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Look {
    reads: u64,
    written: u64,
    answered: u64,
    /// Bytes wait for room in the socket.
    backlog: bool,
}

impl Health {
    /// Something was read.
    pub(super) fn on_bytes(&self) {
        self.reads.set(self.reads.get().wrapping_add(1));
    }

    /// A new connection begins.
    pub(super) fn begin(&self) {
        self.seen.set(None);
        self.heard.set(None);
        self.suspect.set(false);
        self.doubted.set(None);
        self.verdict.take();
    }

    /// Whether the node is thought to hang.
    pub(super) fn is_suspect(&self) -> bool {
        self.suspect.get()
    }

    /// Ends the connection because of `error`.
    pub(super) fn end(&self, error: Error) {
        *self.verdict.borrow_mut() = Some(error);
        self.ended.notify_one();
    }

    /// Waits until the connection is to be ended; returns why.
    pub(super) async fn ended(&self) -> Error {
        loop {
            if let Some(error) = self.verdict.take() {
                return error;
            }
            self.ended.notified().await;
        }
    }
}

impl Session {
    /// Looks at all nodes again and again.
    pub(super) async fn keep_healthy(self: Rc<Self>) {
        let config = &self.shared.config.node;
        let times = [config.hang_timeout, config.socket_timeout, config.ping_interval];
        let Some(shortest) = times.into_iter().flatten().min() else { return };
        let pause = (shortest / LOOKS_PER_TIMEOUT).max(SHORTEST_LOOK);
        loop {
            sleep(pause).await;
            let nodes: Vec<_> = self.nodes.borrow().values().cloned().collect();
            for node in nodes.iter().filter(|node| node.link.is_open()) {
                self.look_at(node);
            }
        }
    }

    fn look_at(self: &Rc<Self>, node: &Rc<Node>) {
        let (now, health) = (Instant::now(), &node.health);
        let mut blocking = false;
        let (written, answered) =
            node.link.progress(|request| blocking |= request.has(Request::BLOCKING));
        let (reads, backlog) = (health.reads.get(), node.link.has_unwritten());
        let look = Look { reads, written, answered, backlog };
        let (before, since) = health.seen.get().unwrap_or((look, now));
        let since = if before == look { since } else { now };
        health.seen.set(Some((look, since)));
        // Where bytes waited for room, room is a sign of life: a large value takes its time.
        let takes = before.backlog && before.written != written;
        let heard_now = before.reads != reads || written == answered || takes;
        let heard = health.heard.get().filter(|_| !heard_now).unwrap_or(now);
        health.heard.set(Some(heard));

        let config = &self.shared.config.node;
        let silence = now - since;
        match config.socket_timeout {
            Some(limit) if silence >= limit => {
                health.end(Error::SocketTimeout(limit.as_millis() as u32));
            }
            _ => {}
        }
        match config.hang_timeout {
            Some(limit) if now - heard >= limit && blocking && !health.is_suspect() => {
                self.doubt(node, limit);
            }
            Some(limit) if now - heard >= limit => self.suspect(node, limit),
            Some(_) if heard_now => self.clear(node),
            _ => {}
        }
        if config.ping_interval.is_some_and(|interval| silence >= interval) {
            self.ping(node);
        }
    }

    /// Pings an idle connection (node-redis's `pingInterval`).
    fn ping(self: &Rc<Self>, node: &Rc<Node>) {
        if node.health.pinging.replace(true) {
            return;
        }
        let (session, node) = (Rc::clone(self), Rc::clone(node));
        self.spawn(async move {
            let limit = session.shared.config.node.ping_interval.unwrap_or(Duration::MAX);
            // Silence is the business of others: what matters is that something was sent.
            drop(session.ask(&node.link, &["PING"], limit).await);
            node.health.pinging.set(false);
        });
    }
}
