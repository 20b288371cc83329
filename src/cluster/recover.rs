//! Carries out what [`judge`] decides about failed attempts. Nothing else decides.

use super::lane::Parcel;
use super::node::Node;
use super::request::Request;
use super::session::Session;
use crate::connection::{SWALLOWED, Written};
use crate::error::Error;
use crate::node_addr::NodeAddr;
use crate::resp::ServerError;
use crate::routing::{Attempt, Failure, Limits, Reason, Verdict, classify, judge};
use crate::slot::Slot;
use std::rc::Rc;
use std::time::Duration;
use tokio::time::sleep;

/// How often a command may be cut off in the middle of being written before it is given up.
const PARTLY_WRITTEN_MAX: u16 = 2;
/// How soon held commands are looked at again when no reply brings it about.
const HOLD_POLL: Duration = Duration::from_millis(1);

impl Session {
    /// An error reply. Returns the word for its entry: the ticket, or [`SWALLOWED`].
    pub(super) fn on_error_reply(
        self: &Rc<Self>,
        node: &Node,
        (request, bytes): Parcel,
        text: &[u8],
    ) -> u32 {
        let failure = classify(ServerError::parse(text), node.addr.host(), request.slot());
        match self.judge(&failure, &request) {
            Verdict::Deliver | Verdict::Fail(Reason::OutcomeUnknown) | Verdict::Redispatch => {
                request.ticket
            }
            Verdict::Fail(Reason::TooManyRedirects) => {
                let last = String::from_utf8_lossy(text).into_owned();
                self.shared.fail(request.ticket, &Error::TooManyRedirects(last));
                SWALLOWED
            }
            Verdict::Follow { to, asking, moved } => {
                tracing::debug!(from = %node.addr, %to, asking, "redirect");
                self.shared.count_redirect(asking);
                if let Some(slot) = moved {
                    self.on_moved(slot, &to);
                }
                self.follow((request, bytes), &to, asking);
                SWALLOWED
            }
        }
    }

    /// A connection is gone. What was not written, or may be sent twice, stays in the queue for the
    /// next one; the callers of the rest learn that the outcome is unknown. Says whether anything
    /// was written and not answered.
    pub(super) fn on_connection_lost(self: &Rc<Self>, node: &Node, cause: &Error) -> bool {
        let mut asked = false;
        let keep_offline = !self.shared.config.node.disable_offline_queue;
        let removed = node.link.detach(|request, written| {
            let failure = match written {
                Written::No | Written::Partly => Failure::NotSent,
                Written::Maybe => Failure::OutcomeUnknown,
            };
            if written != Written::No {
                asked = true;
                request.attempts = request.attempts.saturating_add(1);
            }
            // A server that hangs up in the middle of a command may not like the command.
            let disliked = written == Written::Partly && request.attempts > PARTLY_WRITTEN_MAX;
            let spent = disliked || request.attempts > self.shared.config.max_redirects;
            // Behind ASKING as well: if the key is elsewhere by then, this node says where; and it
            // must not get behind those that follow it here.
            keep_offline && self.judge(&failure, request) == Verdict::Redispatch && !spent
        });
        for (request, ..) in removed {
            self.shared.fail(request.ticket, cause);
        }
        self.shared.queued.notify_one();
        self.run_lane();
        asked
    }

    fn judge(&self, failure: &Failure, request: &Request) -> Verdict {
        let attempt =
            Attempt { redirects: request.attempts, readonly: request.has(Request::READONLY) };
        judge(failure, &attempt, &Limits { max_redirects: self.shared.config.max_redirects })
    }

    /// A slot has a new owner: at once for all commands to come, and the rest of the map is
    /// looked at in the background.
    fn on_moved(self: &Rc<Self>, slot: Slot, to: &NodeAddr) {
        let topology = self.shared.routes.load().topology.clone();
        let owner = topology.slots.primary(slot).and_then(|primary| topology.node(primary));
        if owner.is_none_or(|owner| owner.addr != *to) {
            self.publish(topology.with_slot_moved(slot, to));
        }
        self.refresh.notify_one();
    }

    fn follow(self: &Rc<Self>, parcel: Parcel, to: &NodeAddr, asking: bool) {
        let (mut request, mut bytes) = parcel.0.unwrapped(parcel.1);
        request.attempts += 1;
        if asking {
            (request, bytes) = request.behind_asking(&bytes);
        }
        let known = self.shared.routes.load().link_to(to).cloned();
        let link = known.unwrap_or_else(|| self.link_to(to, false));
        self.shared.after_submit(link.submit(bytes, [request], &mut Vec::new()));
    }

    /// Sees to it that held commands go on even if no reply comes by.
    pub(super) fn watch_holds(self: &Rc<Self>) {
        if self.holds.borrow().is_empty() {
            self.run_lane();
            return;
        }
        if self.watching.replace(true) {
            return;
        }
        let session = Rc::clone(self);
        self.spawn(async move {
            while session.shared.lane.is_active() {
                session.run_lane();
                sleep(HOLD_POLL).await;
            }
            session.watching.set(false);
        });
    }
}
