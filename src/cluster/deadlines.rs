//! Answers commands whose time is over: not written within their `timeout`, or not answered within
//! their `responseTimeout`.

use super::request::Request;
use super::session::Session;
use crate::error::Error;
use std::rc::Rc;
use std::time::Duration;
use tokio::time::sleep;

/// How often deadlines are looked at while commands wait.
///
/// 10 ms: deadlines are seconds, and nobody can tell; a queue of 100,000 commands costs a
/// processor 1 % to look through that often.
const DEADLINE_TICK: Duration = Duration::from_millis(10);

impl Session {
    /// Looks at deadlines for as long as commands have any.
    pub(super) async fn keep_deadlines(self: Rc<Self>) {
        loop {
            self.shared.queued.notified().await;
            while self.expire_late() {
                sleep(DEADLINE_TICK).await;
            }
        }
    }

    /// Says whether commands still wait to be written, or for an answer that has a deadline.
    fn expire_late(self: &Rc<Self>) -> bool {
        let now = self.shared.now();
        let leased = self.expire_leased(now);
        let given_up = self.holds.borrow_mut().remove_waiting(|(request, _)| request.is_late(now));
        let mut late = self.holds.borrow_mut().remove(|(request, _)| request.is_late(now));
        let mut waiting = !self.holds.borrow().is_empty();
        let mut unanswered = Vec::new();
        for link in self.links() {
            late.extend(link.remove_unwritten(|request| request.is_late(now)));
            waiting |= link.has_unwritten();
            if link.any(Request::is_prompt) {
                link.update(|request| abandon_overdue(request, now, &mut unanswered));
                waiting |= link.any(Request::is_prompt);
            }
        }
        if !(late.is_empty() && unanswered.is_empty()) {
            // The sign of a node in trouble; its successor may be known to others.
            self.refresh.notify_one();
        }
        for (request, _) in late {
            let overdue = request.is_overdue(now);
            let error = if overdue { Error::ResponseTimeout } else { Error::Timeout };
            self.shared.fail(request.ticket, &error);
        }
        for ticket in unanswered {
            self.shared.fail(ticket, &Error::ResponseTimeout);
        }
        given_up.into_iter().for_each(|waiter| self.give_up(waiter));
        waiting || leased
    }
}

/// The answer is swallowed when it comes, and the connection goes on.
pub(super) fn abandon_overdue(request: &mut Request, now: u32, tickets: &mut Vec<u32>) {
    if request.is_overdue(now) {
        tickets.push(request.ticket);
        request.abandon();
    }
}
