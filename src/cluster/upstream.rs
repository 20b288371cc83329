//! First look at everything that connections receive.

use super::errands::is_errand;
use super::leases::Lease;
use super::node::Node;
use super::request::Request;
use super::session::Session;
use crate::connection::{SWALLOWED, Upstream};
use crate::resp::{Mark, Tape, kind};
use crate::routing::Entry;
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

    fn on_own_reply(&self, word: u32, words: &[u32], bytes: &[u8], large: &mut Vec<Vec<u8>>) {
        self.answered.set(true);
        let entry = Entry { words, bytes, large };
        if is_errand(word) {
            self.session.errands.on_answer(word, Ok(entry.into_tape()));
        } else {
            self.session.shared.answer_part(word, entry);
        }
    }

    fn on_error(&self, request: Request, bytes: Vec<u8>, text: &[u8]) -> u32 {
        if is_errand(request.ticket) {
            let text = String::from_utf8_lossy(text).into_owned();
            self.session.errands.on_answer(request.ticket, Err(text));
            return SWALLOWED;
        }
        self.session.on_error_reply(&self.node, (request, bytes), text)
    }

    fn on_refused(&self, request: Request, bytes: Option<Vec<u8>>, text: &[u8]) {
        let word = match bytes {
            Some(bytes) => self.session.on_error_reply(&self.node, (request, bytes), text),
            None => request.ticket,
        };
        deliver_error(&self.session, word, text);
    }

    fn on_bytes(&self) {
        self.node.health.on_bytes();
    }

    fn deliver(&self, tape: &mut Tape, end: Mark) {
        self.answered.set(true);
        self.session.shared.outbox.deliver(tape, end);
        self.session.run_lane();
    }
}

/// An error reply that is not the one on the tape.
fn deliver_error(session: &Session, word: u32, text: &[u8]) {
    if word != SWALLOWED {
        session.shared.outbox.post(word, |tape| tape.push_text(kind::ERROR, text));
    }
}

/// One lease, seen from the session.
pub(super) struct LeaseUpstream {
    pub(super) session: Rc<Session>,
    pub(super) lease: Rc<Lease>,
}

impl Upstream for LeaseUpstream {
    type Request = Request;

    fn on_reply(&self, request: Request) -> u32 {
        request.ticket
    }

    /// The engine asks nothing here.
    fn on_own_reply(&self, _: u32, _: &[u32], _: &[u8], _: &mut Vec<Vec<u8>>) {}

    fn on_error(&self, request: Request, bytes: Vec<u8>, text: &[u8]) -> u32 {
        self.session.on_lease_error(&self.lease, (request, bytes), text)
    }

    fn on_refused(&self, request: Request, bytes: Option<Vec<u8>>, text: &[u8]) {
        let word = match bytes {
            Some(bytes) => self.session.on_lease_error(&self.lease, (request, bytes), text),
            None => request.ticket,
        };
        deliver_error(&self.session, word, text);
    }

    fn on_bytes(&self) {}

    fn deliver(&self, tape: &mut Tape, end: Mark) {
        self.session.shared.outbox.deliver(tape, end);
        self.session.on_lease_answered(&self.lease);
    }
}
