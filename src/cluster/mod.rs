//! The engine: carries out what the pure modules decide.
//!
//! Two threads meet here. The submitting thread holds a [`Cluster`], sends commands and takes
//! answers; the I/O thread runs [`drive()`], which owns every task and socket. They share what is in
//! `shared.rs` and nothing else.

mod calls;
mod chance;
mod connect;
mod control;
mod deadlines;
mod describe;
mod destinations;
mod dial;
mod discover;
mod dispatch;
mod drive;
mod errands;
mod events;
mod fanout;
mod handover;
mod health;
mod holds;
mod keep;
mod lane;
mod learn;
mod lease;
mod lease_limits;
mod leases;
mod leasing;
mod limits;
mod lost;
mod node;
mod outbox;
mod recover;
mod request;
mod retry;
mod routes;
mod scatter;
mod serve;
mod session;
mod shared;
#[cfg(test)]
mod simulation;
mod suspects;
mod tasks;
mod tenants;
mod transaction;
mod upstream;
mod view;
mod waits;

pub use control::ReconnectDecision;
pub use drive::{Driver, drive};
pub use outbox::{EVENT, ReplySink};
pub use request::Ticket;

use crate::command::Command;
use crate::config::ClusterConfig;
use crate::error::Error;
use crate::node_addr::NodeAddr;
use crate::resp::Tape;
use control::Control;
use dispatch::Dispatcher;
use handover::{Handed, LEASE};
use shared::Shared;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// One cluster client, as its user's thread holds it.
pub struct Cluster {
    shared: Arc<Shared>,
    dispatcher: Dispatcher,
    /// Leases asked for so far.
    leases: u32,
}

impl Cluster {
    /// A closed client; `sink` is woken when answers wait. The driver must be run by [`drive()`] for
    /// anything to happen.
    pub fn new(config: ClusterConfig, sink: Box<dyn ReplySink>) -> (Self, Driver) {
        let shared = Arc::new(Shared::new(config, sink));
        let driver = Driver::new(Arc::clone(&shared));
        (Self { shared, dispatcher: Dispatcher::default(), leases: 0 }, driver)
    }

    /// Finds the cluster and connects to it. Answered when commands can be sent.
    pub fn connect(&self, ticket: Ticket) {
        self.shared.send(Control::Connect(ticket));
    }

    /// Sends one tick's commands on their way. Never waits and never fails: what goes wrong with a
    /// command becomes that command's answer.
    pub fn submit<'a>(&mut self, commands: impl Iterator<Item = (Ticket, Command<'a>)>) {
        self.dispatcher.run(&self.shared, commands);
    }

    /// The oldest batch of answers. Give it back with [`Cluster::recycle`]. When there is none and
    /// `sleep` is set, the sink is woken by the next answer; else the caller comes back by itself.
    pub fn take(&self, sleep: bool) -> Option<Tape> {
        self.shared.outbox.take(sleep)
    }

    /// Gives a batch's memory back.
    pub fn recycle(&self, tape: Tape) {
        self.shared.outbox.recycle(tape);
    }

    /// Answers a command with a failure.
    pub fn fail(&self, ticket: Ticket, error: &Error) {
        self.shared.fail(ticket, error);
    }

    /// Ends the session once all accepted commands are answered, or `within` has passed; answered then.
    pub fn close(&self, ticket: Ticket, within: Option<Duration>) {
        self.shared.send(Control::Close(ticket, within));
    }

    /// Ends the session at once; every command still waiting is answered before this returns.
    pub fn destroy(&self) {
        self.shared.cut_off(&Error::Disconnected);
        self.shared.send(Control::Destroyed);
    }

    /// The number of the node at an address, for [`Command::destination`].
    pub fn destination(&self, host: &str, port: u16) -> u32 {
        self.shared.destinations.number(&NodeAddr::new(host, port))
    }

    /// Asks for a connection of its own to the node with this number. The number that is returned can
    /// stand in [`Command::destination`] until it is given back with [`Cluster::release`].
    ///
    /// Commands wait until the connection is there. If it is lost, what was sent over it fails, written
    /// or not, as does what is sent later. Nothing is redirected.
    pub fn lease(&mut self, destination: u32) -> u32 {
        self.leases = self.leases.wrapping_add(1) % LEASE;
        let lease = LEASE | self.leases;
        if let Some(addr) = self.shared.destinations.addr(destination) {
            self.shared.hand_over(Handed::Lease(lease, addr));
        }
        lease
    }

    /// Gives a lease back, behind all commands that were submitted for it. `clean`: the connection is as
    /// it was and others may have it; else, or if something of it is not answered, it is closed.
    pub fn release(&mut self, lease: u32, clean: bool) {
        self.shared.hand_over(Handed::Release(lease, clean));
    }

    /// Gives up on a command, if it has not been written.
    pub fn cancel(&self, ticket: Ticket) {
        self.shared.send(Control::Cancel(ticket));
    }

    /// Learns the topology again, in the background.
    pub fn refresh(&self) {
        self.shared.send(Control::Refresh);
    }

    /// Answers a `map-address` event; `None` means as announced.
    pub fn address_mapped(&self, call: u32, to: Option<(String, u16)>) {
        self.shared.send(Control::AddressMapped { call, to });
    }

    /// Answers a `reconnect-strategy` event.
    pub fn reconnect_decided(&self, call: u32, decision: ReconnectDecision) {
        self.shared.send(Control::ReconnectDecided { call, decision });
    }

    /// The topology in force, as JSON.
    pub fn topology_json(&self) -> String {
        view::topology_json(&self.shared.routes.load().topology)
    }

    /// MOVED and ASK redirects followed since the last connect.
    pub fn redirects(&self) -> (u64, u64) {
        let redirects = &self.shared.redirects;
        (redirects.moved.load(Ordering::Relaxed), redirects.ask.load(Ordering::Relaxed))
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.destroy();
        self.shared.send(Control::Quit);
    }
}

#[cfg(test)]
mod tests;
