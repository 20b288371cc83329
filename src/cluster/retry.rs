//! Commands that a server could not run: they wait, are tried again in order, or are given up.

use super::chance::random_below;
use super::lane::Parcel;
use super::node::Node;
use super::request::Request;
use super::routes::NodeLink;
use super::session::Session;
use super::waits::Waiter;
use crate::error::Error;
use crate::resp::{ServerError, kind};
use crate::routing::{Attempt, Failure, Limits, Verdict, judge, retry_delay};
use crate::slot::Slot;
use std::collections::HashSet;
use std::rc::Rc;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// How soon commands that wait or are held are looked at again when no reply brings it about.
const HOLD_POLL: Duration = Duration::from_millis(1);
/// How often a command without a deadline waits: some four seconds, about as long as node-redis's
/// default deadline lets the others wait.
pub(super) const WAITS_WITHOUT_DEADLINE: u8 = 80;
/// For how long reads avoid a node that has no data to answer from. Doubled, a replica that has
/// loaded its data would be idle for two seconds.
const AVOID_FOR: Duration = Duration::from_secs(1);

impl Session {
    /// Lets a command wait, and with it what is younger of its slot; `said` is the reason that the node
    /// behind `refused_by` gave.
    pub(super) fn wait(
        self: &Rc<Self>,
        parcel: Parcel,
        said: Option<&str>,
        refused_by: Option<NodeLink>,
    ) {
        let (mut request, bytes) = parcel.0.unwrapped(parcel.1);
        let delay = retry_delay(request.waits, random_below(256) as u8);
        request.waits = request.waits.saturating_add(1);
        let waiter = Waiter { parcel: (request, bytes), said: said.map(Into::into) };
        if request.has(Request::LEASED) {
            self.refresh.notify_one();
            return self.delay(waiter, delay);
        }
        // First the lane, so that nothing younger goes by; then what is in the queue already.
        self.shared.lane.open();
        let first = self.holds.borrow_mut().wait(waiter, Instant::now() + delay, refused_by);
        if let Some(slot) = request.slot().filter(|_| first) {
            self.hold_back(slot);
        }
        self.refresh.notify_one();
        self.shared.queued.notify_one();
        self.watch_holds();
    }

    /// Takes commands of `slot` that are in a queue, but not written, behind those that wait.
    fn hold_back(&self, slot: Slot) {
        let routes = self.shared.routes.load();
        let owner = routes.topology.slots.primary(slot).and_then(|node| routes.link(node));
        let Some(link) = owner else { return };
        // Those that were sent there from elsewhere may be older than the one that waits.
        let younger = |r: &Request| r.slot() == Some(slot) && r.attempts == 0;
        let parcels = link.remove_unwritten(younger).into_iter();
        let parcels = parcels.map(|(request, bytes)| request.unwrapped(bytes)).collect();
        self.holds.borrow_mut().put_back(parcels);
    }

    /// Tries those again whose time has come. What is younger of their slots follows when they are
    /// answered.
    pub(super) fn resume(self: &Rc<Self>, due: Vec<Waiter>) {
        let slots: HashSet<Slot> = due.iter().filter_map(|waiter| waiter.parcel.0.slot()).collect();
        due.into_iter().for_each(|waiter| self.send(waiter.parcel));
        let routes = self.shared.routes.load();
        for (link, slots) in routes.by_primary(slots) {
            let mut holds = self.holds.borrow_mut();
            slots.iter().for_each(|slot| holds.on_tried(*slot, &link));
            holds.add(link, slots, None, Instant::now());
        }
    }

    /// A command whose slot has no owner.
    pub(super) fn on_unassigned(self: &Rc<Self>, parcel: Parcel) {
        let slot = parcel.0.slot().map_or(0, Slot::number);
        let where_to = format!("slot {slot}, which has no owner");
        let bound = self.shared.limits.check_held(where_to, self.holds.borrow().load());
        match (bound, self.judge(&Failure::NotNow, &parcel.0)) {
            (Err(error), _) => self.shared.fail(parcel.0.ticket, &error),
            (_, Verdict::Wait { .. }) => self.wait(parcel, None, None),
            _ => self.give_up(Waiter { parcel, said: None }),
        }
    }

    /// The caller gets what the last server said; that it went in circles, if it said where else to go.
    pub(super) fn give_up(&self, Waiter { parcel: (request, _), said }: Waiter) {
        match (said, request.slot()) {
            (Some(text), _) if ServerError::parse(text.as_bytes()).code == "MOVED" => {
                self.shared.fail(request.ticket, &Error::TooManyRedirects(text.into()));
            }
            (Some(text), _) => self
                .shared
                .answer(request.ticket, |tape| tape.push_text(kind::ERROR, text.as_bytes())),
            (None, Some(slot)) => {
                self.shared.fail(request.ticket, &Error::SlotUnassigned(slot.number()));
            }
            (None, None) => self.shared.fail(request.ticket, &Error::Closed),
        }
    }

    /// Sends a command to another node that can answer it, and others as well for a while.
    pub(super) fn ask_other_copy(self: &Rc<Self>, node: &Node, parcel: Parcel) {
        let (mut request, bytes) = parcel.0.unwrapped(parcel.1);
        request.waits = request.waits.saturating_add(1);
        self.avoid_for_a_while(node);
        self.send((request, bytes));
    }

    fn avoid_for_a_while(self: &Rc<Self>, node: &Node) {
        if node.link.is_avoided() {
            return;
        }
        node.link.avoid(true);
        let link = node.link.clone();
        self.spawn(async move {
            sleep(AVOID_FOR).await;
            // One that is not connected, or hangs, is avoided for that reason.
            if link.is_open() && !link.is_paused() {
                link.avoid(false);
            }
        });
    }

    /// Asks [`judge`] with what is known of the command.
    pub(super) fn judge(&self, failure: &Failure, request: &Request) -> Verdict {
        let attempt = Attempt {
            redirects: request.attempts,
            waits: request.waits,
            readonly: request.has(Request::READONLY),
            anywhere: self.is_movable(request),
            timed: request.is_timed(),
        };
        let max_redirects = self.shared.config.max_redirects;
        judge(failure, &attempt, &Limits { max_redirects, max_waits: WAITS_WITHOUT_DEADLINE })
    }

    /// Sees to it that commands that are held go on even if no reply comes by.
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
