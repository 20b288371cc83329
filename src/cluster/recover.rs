//! Carries out what [`judge`](crate::routing::judge) decides about error replies. Nothing else
//! decides.

use super::lane::Parcel;
use super::node::Node;
use super::request::Request;
use super::session::Session;
use crate::connection::{Payload, SWALLOWED};
use crate::error::Error;
use crate::node_addr::NodeAddr;
use crate::resp::ServerError;
use crate::routing::{Asked, Failure, Reason, Verdict, abort_reason, classify};
use crate::slot::Slot;
use std::rc::Rc;
use tokio::time::Instant;

impl Session {
    /// An error reply. Returns the word for its entry: the ticket, or [`SWALLOWED`].
    pub(super) fn on_error_reply(self: &Rc<Self>, node: &Node, parcel: Parcel, text: &[u8]) -> u32 {
        let request = parcel.0;
        if !request.is_users() {
            // Nobody waits for it: it must not be sent again, and has no place in another queue.
            return SWALLOWED;
        }
        if request.has(Request::PINNED) {
            // It is about this node: what the node says is the answer.
            return request.ticket;
        }
        let script = request.has(Request::SCRIPT);
        let asked = Asked { host: node.addr.host(), slot: request.slot(), script };
        let text_of_failure = if request.is_transaction() { abort_reason(text) } else { text };
        let failure = classify(ServerError::parse(text_of_failure), &asked);
        if request.has(Request::CANCELLED) && failure != Failure::Reply {
            // It has not run, and is not wanted any more.
            self.shared.fail(request.ticket, &Error::Aborted);
            return SWALLOWED;
        }
        match self.judge(&failure, &request) {
            Verdict::Deliver | Verdict::Fail(Reason::OutcomeUnknown) | Verdict::Redispatch => {
                return request.ticket;
            }
            Verdict::Fail(Reason::TooManyRedirects) => {
                let last = String::from_utf8_lossy(text).into_owned();
                self.shared.fail(request.ticket, &Error::TooManyRedirects(last));
            }
            Verdict::Follow { to, asking, moved } => {
                tracing::debug!(from = %node.addr, %to, asking, "redirect");
                self.shared.count_redirect(asking);
                if let Some(slot) = moved {
                    self.on_moved(slot, &to);
                }
                self.follow(parcel, &to, asking);
            }
            Verdict::OtherCopy => self.ask_other_copy(node, parcel),
            Verdict::Wait { moved } => {
                let mut parcel = parcel;
                if let Some((slot, to)) = moved {
                    self.shared.count_redirect(false);
                    self.on_moved(slot, &to);
                    parcel.0.attempts += 1;
                } else if parcel.0.has(Request::ASKING) {
                    // ASK and TRYAGAIN in turn, as long as the keys are on their way, is no circle.
                    parcel.0.attempts -= 1;
                }
                self.wait(parcel, Some(&String::from_utf8_lossy(text)), Some(node.link.clone()));
            }
        }
        SWALLOWED
    }

    /// A slot has a new owner: at once for all commands to come, and the rest of the map is
    /// looked at in the background.
    fn on_moved(self: &Rc<Self>, slot: Slot, to: &NodeAddr) {
        let topology = self.shared.routes.load().topology.clone();
        let owner = topology.slots.primary(slot).and_then(|primary| topology.node(primary));
        if owner.is_none_or(|owner| owner.addr != *to) {
            self.publish(topology.with_slot_moved(slot, to));
        }
        self.last_moved.replace(Some((slot, to.clone(), Instant::now())));
        self.refresh.notify_one();
    }

    fn follow(self: &Rc<Self>, parcel: Parcel, to: &NodeAddr, asking: bool) {
        let (mut request, mut bytes) = parcel.0.unwrapped(parcel.1);
        request.attempts += 1;
        if asking {
            (request, bytes) = request.behind_asking(&bytes);
        }
        if request.has(Request::LEASED) {
            return self.lease_at(to, (request, bytes));
        }
        let known = self.shared.routes.load().link_to(to).cloned();
        let link = known.unwrap_or_else(|| self.link_to(to, false));
        self.shared.after_submit(link.submit(bytes, [request], &mut Vec::new()));
    }
}
