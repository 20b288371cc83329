//! The I/O thread's side of one cluster: control messages in order, and the slow road kept moving.

use super::control::Control;
use super::session::Session;
use super::shared::Shared;
use super::tasks::catch;
use crate::connection::Scratch;
use crate::error::Error;
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

/// The other half of a [`Cluster`](super::Cluster), for the I/O thread.
pub struct Driver {
    shared: Arc<Shared>,
}

impl Driver {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }
}

/// Runs one cluster's side on the I/O thread, until its [`Cluster`](super::Cluster) is dropped.
/// Must be spawned on a `LocalSet`.
pub async fn drive(driver: Driver, scratch: Scratch) {
    let shared = driver.shared;
    let session = RefCell::new(None);
    while let Err(message) = catch(obey(&shared, &scratch, &session)).await {
        shared.break_down(&message);
        if let Some(broken) = session.take() {
            broken.end();
        }
    }
}

/// Returns when the client is dropped.
async fn obey(shared: &Arc<Shared>, scratch: &Scratch, session: &RefCell<Option<Rc<Session>>>) {
    loop {
        shared.signal.notified().await;
        while let Some(message) = shared.next_control() {
            if matches!(message, Control::Quit) {
                return;
            }
            // A copy: a panic in there must not take the session along.
            let mut running = session.borrow().clone();
            handle(message, shared, scratch, &mut running);
            session.replace(running);
        }
        let running = session.borrow().clone();
        if let Some(running) = running {
            running.run_lane();
            running.run_handover();
        }
    }
}

fn handle(
    message: Control,
    shared: &Arc<Shared>,
    scratch: &Scratch,
    session: &mut Option<Rc<Session>>,
) {
    match (message, &session) {
        (Control::Connect(ticket), None) => {
            *session = Some(Session::start(Arc::clone(shared), scratch.clone(), ticket));
        }
        (Control::Connect(ticket), Some(_)) => shared.fail(ticket, &Error::ClosedWhileConnecting),
        (Control::Close(ticket, _), None) => shared.done(ticket),
        (Control::Close(ticket, within), Some(session)) => session.close(ticket, within),
        (Control::Destroyed, Some(running)) => {
            running.end();
            *session = None;
        }
        (Control::AddressMapped { call, to }, Some(session)) => session.on_address(call, to),
        (Control::ReconnectDecided { call, decision }, Some(session)) => {
            session.on_reconnect(call, decision);
        }
        (Control::Refresh, Some(session)) => session.refresh.notify_one(),
        (Control::Cancel(ticket), Some(session)) => session.cancel(ticket),
        #[cfg(test)]
        (Control::Panic { in_task: true }, Some(session)) => {
            session.spawn(async { panic!("for the test") });
        }
        #[cfg(test)]
        (Control::Panic { .. }, _) => panic!("for the test"),
        // The session these were meant for is over.
        (_, _) => {}
    }
}
