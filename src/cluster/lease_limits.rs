//! When what waits on a connection of its own, or for one, is given up: deadlines and aborts.

use super::deadlines::abandon_overdue;
use super::lane::Parcel;
use super::leases::State;
use super::request::{Request, Ticket};
use super::session::Session;
use crate::error::Error;
use std::rc::Rc;

impl Session {
    /// Answers commands whose time is over. Says whether deadlines must be looked at again.
    pub(super) fn expire_leased(self: &Rc<Self>, now: u32) -> bool {
        let is_late = |(request, _): &Parcel| request.is_late(now);
        let mut leases = self.leases.borrow_mut();
        let given_up = leases.remove_delayed(is_late);
        let mut late = leases.remove_waiting(is_late);
        late.extend(leases.tenants.remove_waiting(is_late));
        let all = leases.all();
        drop(leases);
        let mut waiting = false;
        for lease in all {
            late.extend(lease.link.remove_unwritten(|request| request.is_late(now)));
            waiting |= lease.link.has_unwritten();
            if lease.link.any(Request::is_prompt) {
                let mut overdue = Vec::new();
                lease.link.update(|request| abandon_overdue(request, now, &mut overdue));
                waiting |= lease.link.any(Request::is_prompt);
                let is_over = !overdue.is_empty() && lease.state.get() == State::Busy;
                overdue.into_iter().for_each(|ticket| self.too_slow(ticket));
                if is_over {
                    // The server may wait for ever, and would keep what it gets then from others.
                    self.drop_lease(&lease);
                    self.serve_waiting(&lease.node);
                }
            }
        }
        for (request, _) in late {
            match request.is_overdue(now) {
                true => self.too_slow(request.ticket),
                false => self.shared.fail(request.ticket, &Error::Timeout),
            }
        }
        given_up.into_iter().for_each(|waiter| self.give_up(waiter));
        self.shared.handover.note_waiting(self.leases.borrow().byte_len());
        waiting || self.leases.borrow().has_waiting()
    }

    fn too_slow(&self, ticket: Ticket) {
        self.shared.fail(ticket, &Error::ResponseTimeout);
    }

    /// Gives up on a command. One that waits on the server is ended there.
    pub(super) fn cancel_leased(self: &Rc<Self>, ticket: Ticket) {
        let is_it = |(request, _): &Parcel| request.ticket == ticket;
        let mut leases = self.leases.borrow_mut();
        let mut removed = leases.remove_waiting(is_it);
        removed.extend(leases.remove_delayed(is_it).into_iter().map(|waiter| waiter.parcel));
        removed.extend(leases.tenants.remove_waiting(is_it));
        let all = leases.all();
        drop(leases);
        for lease in all.iter().filter(|lease| lease.link.any(|other| other.ticket == ticket)) {
            match lease.state.get() {
                State::Busy => self.unblock(lease, Error::Aborted),
                _ => {
                    removed.extend(lease.link.remove_unwritten(|request| request.ticket == ticket))
                }
            }
        }
        for (request, _) in removed {
            self.shared.fail(request.ticket, &Error::Aborted);
        }
        self.note_waiting();
    }
}
