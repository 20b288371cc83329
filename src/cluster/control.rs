//! What the submitting thread asks of the I/O thread, apart from commands.

use super::request::Ticket;
use std::time::Duration;

/// One message. Handled in order.
#[derive(Debug)]
pub(crate) enum Control {
    /// The user's `nodeAddressMap` has answered; `None` means as announced.
    AddressMapped { call: u32, to: Option<(String, u16)> },
    /// The user gives up on a command.
    Cancel(Ticket),
    /// Finish what was accepted, within a time if one is given, then end.
    Close(Ticket, Option<Duration>),
    /// Find the cluster and connect to it.
    Connect(Ticket),
    /// End the tasks of a session that has been cut off.
    Destroyed,
    /// Meet a defect, in a task of the session or outside of it.
    #[cfg(test)]
    Panic { in_task: bool },
    /// The client is dropped: nothing more will come.
    Quit,
    /// Learn the topology again.
    Refresh,
    /// The user's `reconnectStrategy` has answered.
    ReconnectDecided { call: u32, decision: ReconnectDecision },
}

/// What a `reconnectStrategy` may answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReconnectDecision {
    /// Try again after this time.
    After(Duration),
    /// Give up; the strategy's own error, if it returned one.
    GiveUp(Option<String>),
}
