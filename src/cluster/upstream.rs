//! First look at everything a node's connection receives.

use super::node::Node;
use super::request::Request;
use super::session::Session;
use crate::connection::Upstream;
use crate::resp::{Mark, Tape};
use std::cell::Cell;
use std::rc::Rc;

/// One node's connection, seen from the session.
pub(super) struct NodeUpstream {
    pub(super) session: Rc<Session>,
    pub(super) node: Rc<Node>,
    /// Whether anything has been answered.
    pub(super) answered: Rc<Cell<bool>>,
}

impl Upstream for NodeUpstream {
    type Request = Request;

    fn on_reply(&self, request: Request) -> u32 {
        request.ticket
    }

    fn on_error(&self, request: Request, bytes: Vec<u8>, text: &[u8]) -> u32 {
        self.session.on_error_reply(&self.node, (request, bytes), text)
    }

    fn deliver(&self, tape: &mut Tape, end: Mark) {
        self.answered.set(true);
        self.session.shared.outbox.deliver(tape, end);
        self.session.run_lane();
    }
}
