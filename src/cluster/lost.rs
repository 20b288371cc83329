//! What becomes of a node's queue when its connection is lost.

use super::lane::Parcel;
use super::node::Node;
use super::request::Request;
use super::session::Session;
use crate::connection::{Payload, Written};
use crate::error::Error;
use crate::routing::{Failure, ReadPreference, Verdict};
use std::rc::Rc;

/// How often a command may be cut off in the middle of being written before it is given up.
const PARTLY_WRITTEN_MAX: u16 = 2;

/// What becomes of one command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// Its caller, who has given up on it, learns that it will not be tried again.
    Abort,
    /// Its caller learns that there is no answer.
    Fail,
    /// Another node can have it at once.
    Move,
    /// It stays in the queue, for the next connection or the slot's next owner.
    Stay,
}

impl Session {
    /// A connection is gone. What was not written, or may be sent twice, goes on: where it can be
    /// answered at once, or else with the next connection. The callers of the rest learn that the
    /// outcome is unknown. Says whether anything was written and not answered.
    pub(super) fn on_connection_lost(self: &Rc<Self>, node: &Node, cause: &Error) -> bool {
        let mut asked = false;
        node.link.avoid(true);
        let removed = node.link.detach(|request, written| {
            if written != Written::No {
                asked = true;
                request.attempts = request.attempts.saturating_add(1);
            }
            self.fate(node, request, written) == Fate::Stay
        });
        for (request, bytes, written) in removed {
            match self.fate(node, &request, written) {
                Fate::Move => self.send(request.unwrapped(bytes)),
                Fate::Abort => self.shared.fail(request.ticket, &Error::Aborted),
                Fate::Fail | Fate::Stay => self.shared.fail(request.ticket, cause),
            }
        }
        self.shared.queued.notify_one();
        self.run_lane();
        asked
    }

    /// A node has left for good: what it has not answered goes to the slots' owners, or fails.
    pub(super) fn on_node_left(self: &Rc<Self>, node: &Node, cause: &Error) {
        for left in node.link.close() {
            self.send_again(node, left, cause);
        }
    }

    /// Sends a command again that was on a connection which has ended, or lets it fail.
    pub(super) fn send_again(
        self: &Rc<Self>,
        node: &Node,
        (request, bytes, written): (Request, Vec<u8>, Written),
        cause: &Error,
    ) {
        match self.fate(node, &request, written) {
            Fate::Abort => self.shared.fail(request.ticket, &Error::Aborted),
            Fate::Fail => self.shared.fail(request.ticket, cause),
            Fate::Move | Fate::Stay
                if request.has(Request::LEASED) && request.has(Request::PINNED) =>
            {
                self.lease_pinned(&node.addr, (request, bytes));
            }
            Fate::Move | Fate::Stay => self.send(request.unwrapped(bytes)),
        }
    }

    fn fate(&self, node: &Node, request: &Request, written: Written) -> Fate {
        let failure = match written {
            Written::No | Written::Partly => Failure::NotSent,
            Written::Maybe => Failure::OutcomeUnknown,
        };
        // A server that hangs up in the middle of a command may not like the command.
        let disliked = written == Written::Partly && request.attempts > PARTLY_WRITTEN_MAX;
        let spent = disliked || request.attempts > self.shared.config.max_redirects;
        let unwanted = !request.is_users();
        if self.shared.config.node.disable_offline_queue || spent || unwanted {
            return Fate::Fail;
        }
        match self.judge(&failure, request) {
            Verdict::Redispatch if request.has(Request::CANCELLED) => Fate::Abort,
            // Behind ASKING it stays, too: if the key is elsewhere by then, this node says where; and
            // it must not get behind those that follow it here.
            Verdict::Redispatch if self.is_movable(request) || !self.is_owner(node, request) => {
                Fate::Move
            }
            Verdict::Redispatch => Fate::Stay,
            _ => Fate::Fail,
        }
    }

    /// Whether other nodes can answer the request, too.
    pub(super) fn is_movable(&self, request: &Request) -> bool {
        let spread = self.shared.reads == ReadPreference::Any;
        let anywhere = request.slot().is_none() || (spread && request.has(Request::REPLICA));
        anywhere && !request.has(Request::PINNED)
    }

    /// Whether the request's slot is the node's, as far as is known; or it has been sent there by a
    /// redirect.
    fn is_owner(&self, node: &Node, request: &Request) -> bool {
        let Some(slot) = request.slot() else { return true };
        let topology = &self.shared.routes.load().topology;
        let owner = topology.slots.primary(slot).and_then(|primary| topology.node(primary));
        request.has(Request::ASKING) || owner.is_none_or(|owner| owner.addr == node.addr)
    }

    /// Sends a command where it belongs now.
    pub(super) fn send(self: &Rc<Self>, parcel: Parcel) {
        if parcel.0.has(Request::LEASED) {
            return self.lease_for(parcel);
        }
        let homeless = self.dispatcher.borrow_mut().send(&self.shared, parcel);
        if let Some(parcel) = homeless {
            self.on_unassigned(parcel);
        }
    }
}
