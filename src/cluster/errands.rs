//! Commands of the engine's own over the connections that serve users' commands: asked in line with
//! theirs, answered to whoever asked.

use super::fanout;
use super::request::{Request, Ticket};
use super::routes::NodeLink;
use super::session::Session;
use crate::error::Error;
use crate::resp::{Tape, encode_command};
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::timeout;

/// Tickets from here on, up to [`fanout::FIRST`], are errands. No user's ticket has this bit.
pub(super) const FIRST: Ticket = crate::connection::OWN;

/// What a server said: a value, or the text of an error reply.
pub(super) type Answer = Result<Tape, String>;

/// Errands that are not answered yet. Bounded by the nodes: each is asked for few things at a time,
/// and each question has a time limit.
#[derive(Debug, Default)]
pub(super) struct Errands {
    last: Cell<u32>,
    askers: RefCell<BTreeMap<Ticket, oneshot::Sender<Answer>>>,
}

impl Errands {
    /// An errand's answer has come. Its asker may have given up.
    pub(super) fn on_answer(&self, ticket: Ticket, answer: Answer) {
        if let Some(asker) = self.askers.borrow_mut().remove(&ticket) {
            drop(asker.send(answer));
        }
    }

    fn begin(&self) -> (Ticket, oneshot::Receiver<Answer>) {
        let last = (self.last.get() + 1) % (fanout::FIRST - FIRST);
        self.last.set(last);
        let (asker, answer) = oneshot::channel();
        self.askers.borrow_mut().insert(FIRST + last, asker);
        (FIRST + last, answer)
    }
}

/// Whether a ticket is an errand's.
pub(super) fn is_errand(ticket: Ticket) -> bool {
    (FIRST..fanout::FIRST).contains(&ticket)
}

/// Somebody waits for an answer; gone, whatever ended it, when nobody does.
struct Asking<'a> {
    errands: &'a Errands,
    link: &'a NodeLink,
    ticket: Ticket,
}

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        if self.errands.askers.borrow_mut().remove(&self.ticket).is_some() {
            // Not answered: what still waits to be written need not be.
            self.link.remove_unwritten(|request| request.ticket == self.ticket);
        }
    }
}

impl Session {
    /// Puts a question in line behind what the node has been asked already.
    ///
    /// # Errors
    ///
    /// No answer within `limit`, or the server's refusal.
    pub(super) async fn ask(
        &self,
        link: &NodeLink,
        command: &[&str],
        limit: Duration,
    ) -> Result<Tape, Error> {
        let (ticket, answer) = self.errands.begin();
        let mut bytes = Vec::new();
        encode_command(&mut bytes, command);
        let request = Request::new(ticket, 0, None, bytes.len());
        let submitted = link.submit(bytes, [request], &mut Vec::new());
        if !submitted.refused.is_empty() {
            // The node has left. The question was for it, and no other node.
            self.errands.askers.borrow_mut().remove(&ticket);
            return Err(Error::SocketClosed);
        }
        self.shared.after_submit(submitted);
        let asking = Asking { errands: &self.errands, link, ticket };
        let answer = timeout(limit, answer).await;
        drop(asking);
        match answer {
            Ok(Ok(Ok(tape))) => Ok(tape),
            Ok(Ok(Err(text))) => Err(Error::Refused(text)),
            Ok(Err(_)) => Err(Error::SocketClosed),
            Err(_) => Err(Error::Timeout),
        }
    }
}
