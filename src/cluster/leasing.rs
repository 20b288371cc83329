//! Commands that may wait on their server: each gets a connection of its own for as long as it takes,
//! so that nothing waits behind it.

use super::handover::Handed;
use super::lane::Parcel;
use super::leases::{Lease, Leases, State, Step, Wanted};
use super::node::Node;
use super::request::{Request, Ticket};
use super::session::Session;
use super::waits::Waiter;
use crate::error::Error;
use crate::node_addr::NodeAddr;
use crate::slot::Slot;
use std::collections::HashSet;
use std::rc::Rc;
use std::time::Duration;
use tokio::time::sleep;

impl Session {
    /// Takes over what the submitting thread has handed over, in order.
    pub(crate) fn run_handover(self: &Rc<Self>) {
        for handed in self.shared.handover.take() {
            match handed {
                Handed::Command(None, parcel) => self.lease_for(parcel),
                Handed::Command(Some(addr), parcel) => self.lease_pinned(&addr, parcel),
                Handed::Lease(id, addr) => self.lend(id, &addr),
                Handed::OnLease(id, parcel) => self.send_on_lease(id, parcel),
                Handed::Release(id, clean) => self.take_back(id, clean),
            }
        }
    }

    /// Finds a connection for a command that may wait, at the node where it belongs now.
    pub(super) fn lease_for(self: &Rc<Self>, parcel: Parcel) {
        if parcel.0.has(Request::PINNED) {
            // It was for a node that has left.
            return self.shared.fail(parcel.0.ticket, &self.shared.nowhere());
        }
        let addr = self.dispatcher.borrow_mut().address(&self.shared, &parcel.0);
        match addr {
            Ok(addr) => self.lease_at(&addr, parcel),
            Err(Error::SlotUnassigned(_)) => self.on_unassigned(parcel),
            Err(error) => self.shared.fail(parcel.0.ticket, &error),
        }
    }

    /// Finds a connection for a command that is meant for one node, if that is there.
    pub(super) fn lease_pinned(self: &Rc<Self>, addr: &NodeAddr, parcel: Parcel) {
        if self.nodes.borrow().contains_key(addr) {
            self.lease_at(addr, parcel);
        } else {
            self.shared.fail(parcel.0.ticket, &self.shared.nowhere());
        }
    }

    /// Finds a connection to the node at `addr` for a command that may wait.
    pub(super) fn lease_at(self: &Rc<Self>, addr: &NodeAddr, parcel: Parcel) {
        if self.leases.borrow().closing {
            return self.shared.fail(parcel.0.ticket, &Error::Closed);
        }
        let node = self.node_at(addr);
        if self.shared.config.node.disable_offline_queue && !node.link.is_open() {
            return self.shared.fail(parcel.0.ticket, &Error::Offline);
        }
        self.leases.borrow_mut().want(addr, Wanted::Command(parcel));
        self.serve_waiting(&node);
    }

    /// Gives connections to those who wait for one to `node`, and makes new ones for the rest.
    pub(super) fn serve_waiting(self: &Rc<Self>, node: &Rc<Node>) {
        let (connected, most) = (node.connected.get(), self.shared.config.max_leases);
        loop {
            let step = self.leases.borrow_mut().next_step(&node.addr, connected, most);
            match step {
                Step::Wait => break,
                Step::Open => self.open_lease(node),
                Step::Give(lease, Wanted::Tenant(id)) => self.give_to_tenant(&lease, id),
                Step::Give(lease, Wanted::Command(parcel)) => {
                    lease.state.set(State::Busy);
                    self.put_on(&lease, parcel);
                }
            }
        }
        if !connected && self.leases.borrow().is_wanted(&node.addr) {
            node.want();
        }
        self.note_waiting();
    }

    /// Sends a command over a connection.
    pub(super) fn put_on(&self, lease: &Lease, (request, bytes): Parcel) {
        self.shared.after_submit(lease.link.submit(bytes, [request], &mut Vec::new()));
        if request.is_prompt() {
            self.shared.queued.notify_one();
        }
    }

    /// After every change of what waits.
    pub(super) fn note_waiting(&self) {
        let leases = self.leases.borrow();
        self.shared.handover.note_waiting(leases.byte_len());
        if leases.has_waiting() {
            self.shared.queued.notify_one();
        }
    }

    /// Lets a command that no server could run be tried again after `delay`. Nothing waits behind it.
    pub(super) fn delay(self: &Rc<Self>, waiter: Waiter, delay: Duration) {
        let number = self.leases.borrow_mut().delay(waiter);
        self.note_waiting();
        let session = Rc::clone(self);
        self.spawn(async move {
            sleep(delay).await;
            let waiter = session.leases.borrow_mut().take_delayed(number);
            if let Some(waiter) = waiter {
                session.lease_for(waiter.parcel);
            }
        });
    }

    /// Slots have new owners: what waits for connections to the old ones goes there.
    pub(super) fn move_waiting(self: &Rc<Self>, slots: &[Slot]) {
        let slots: HashSet<Slot> = slots.iter().copied().collect();
        let moves =
            |(request, _): &Parcel| request.slot().is_some_and(|slot| slots.contains(&slot));
        let moved = self.leases.borrow_mut().remove_waiting(moves);
        for (request, bytes) in moved {
            self.lease_for(request.unwrapped(bytes));
        }
    }

    /// The node at `addr` has left: who waits for a connection to it looks elsewhere.
    pub(super) fn leave_waiting(self: &Rc<Self>, addr: &NodeAddr) {
        let waiting = self.leases.borrow_mut().take_waiting(addr);
        for wanted in waiting {
            match wanted {
                Wanted::Command((request, bytes)) => self.lease_for(request.unwrapped(bytes)),
                Wanted::Tenant(id) => self.lose_tenancy(id, &Error::Closed),
            }
        }
        self.note_waiting();
    }

    /// There will be no connection to the node at `addr`.
    pub(super) fn fail_waiting(&self, addr: &NodeAddr, cause: &Error) {
        let waiting = self.leases.borrow_mut().take_waiting(addr);
        for wanted in waiting {
            match wanted {
                Wanted::Command((request, _)) => self.shared.fail(request.ticket, cause),
                Wanted::Tenant(id) => self.lose_tenancy(id, cause),
            }
        }
        self.note_waiting();
    }

    /// Ends all connections to a node, because of `cause`.
    pub(super) fn end_leases(self: &Rc<Self>, node: &Rc<Node>, cause: &Error) {
        let leases = self.leases.borrow().of(&node.addr);
        for lease in leases.iter().filter(|lease| Rc::ptr_eq(&lease.node, node)) {
            self.on_lease_lost(lease, cause);
        }
    }

    /// Nothing may wait any longer: what does is ended, with the answer that it has got by then.
    pub(super) fn end_blocking(self: &Rc<Self>) {
        self.run_handover();
        let mut leases = self.leases.borrow_mut();
        leases.closing = true;
        let mut ended = leases.remove_waiting(|_| true);
        ended.extend(leases.remove_delayed(|_| true).into_iter().map(|waiter| waiter.parcel));
        let all = leases.all();
        drop(leases);
        for (request, _) in ended {
            self.shared.fail(request.ticket, &Error::Closed);
        }
        for lease in all.iter().filter(|lease| lease.state.get() == State::Busy) {
            self.unblock(lease, Error::Closed);
        }
        self.note_waiting();
    }

    /// Everything is over: returns what nobody will answer.
    pub(super) fn end_all_leases(&self) -> Vec<Ticket> {
        let handed = self.shared.handover.close();
        let mut left: Vec<Ticket> = handed.iter().filter_map(Handed::ticket).collect();
        let mut leases = self.leases.borrow_mut();
        let waiting = leases.remove_waiting(|_| true).into_iter();
        let delayed = leases.remove_delayed(|_| true).into_iter().map(|waiter| waiter.parcel);
        let of_tenants = leases.tenants.remove_waiting(|_| true).into_iter();
        left.extend(of_tenants.map(|(request, _)| request.ticket));
        left.extend(waiting.chain(delayed).map(|(request, _)| request.ticket));
        for lease in leases.all() {
            left.extend(lease.link.close().into_iter().map(|(request, ..)| request.ticket));
        }
        *leases = Leases::default();
        left
    }
}
