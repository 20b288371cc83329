//! What the submitting thread and the I/O thread have in common.

use super::control::Control;
use super::destinations::Destinations;
use super::fanout::{Fanouts, is_part, write_outcome};
use super::handover::{Handed, Handover};
use super::lane::{Lane, Parcel};
use super::limits::QueueLimits;
use super::outbox::{EVENT, Outbox, ReplySink};
use super::request::{Request, Ticket};
use super::routes::{NodeLink, Routes};
use super::{events, events::Event};
use crate::config::ClusterConfig;
use crate::connection::{Submission, Tally};
use crate::error::{Error, PARTIAL_FAILURE};
use crate::node_addr::NodeAddr;
use crate::resp::Tape;
use crate::routing::{Entry, ReadPreference};
use arc_swap::ArcSwap;
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use tokio::sync::Notify;
use tokio::time::Instant;

/// The common ground of both threads. Locks here are held for a few instructions only.
pub(crate) struct Shared {
    pub(crate) config: ClusterConfig,
    pub(crate) reads: ReadPreference,
    pub(crate) limits: QueueLimits,
    pub(crate) routes: ArcSwap<Routes>,
    pub(crate) outbox: Outbox,
    pub(crate) lane: Lane,
    pub(crate) fanouts: Fanouts,
    pub(crate) destinations: Destinations,
    pub(crate) handover: Handover,
    /// Wakes the I/O thread: commands on the lane, or control messages.
    pub(crate) signal: Notify,
    /// Wakes the keeper of deadlines: something could not be written at once.
    pub(crate) queued: Notify,
    pub(crate) redirects: Redirects,
    /// Bytes of all commands that are not answered.
    pub(crate) in_flight: Tally,
    /// Bounded by the caller: one message per call, and one per abort of a command in flight.
    control: Mutex<VecDeque<Control>>,
    /// Nodes with a task, oldest first.
    live: Mutex<Vec<LiveNode>>,
    /// The session is over: nothing will be sent any more.
    ended: AtomicBool,
    started: Instant,
}

/// Redirects followed since the last connect.
#[derive(Debug, Default)]
pub(crate) struct Redirects {
    pub(crate) moved: AtomicU64,
    pub(crate) ask: AtomicU64,
}

/// A node that events are told of.
#[derive(Clone, Debug)]
pub(crate) struct LiveNode {
    pub(crate) link: NodeLink,
    /// Where it is connected to, mapped by `nodeAddressMap`.
    pub(crate) at: NodeAddr,
}

impl Shared {
    pub(crate) fn new(config: ClusterConfig, sink: Box<dyn ReplySink>) -> Self {
        let reads = if config.use_replicas { ReadPreference::Any } else { ReadPreference::Primary };
        Self {
            limits: QueueLimits::of(&config),
            config,
            reads,
            routes: ArcSwap::default(),
            outbox: Outbox::new(sink),
            lane: Lane::default(),
            fanouts: Fanouts::default(),
            destinations: Destinations::default(),
            handover: Handover::default(),
            signal: Notify::new(),
            queued: Notify::new(),
            redirects: Redirects::default(),
            in_flight: Tally::default(),
            control: Mutex::default(),
            live: Mutex::default(),
            ended: AtomicBool::new(false),
            started: Instant::now(),
        }
    }

    /// A new session begins.
    pub(crate) fn begin(&self) {
        self.ended.store(false, Ordering::SeqCst);
        // After a defect some may be left for which nothing comes any more.
        self.fanouts.clear();
        self.handover.open();
        self.redirects.moved.store(0, Ordering::Relaxed);
        self.redirects.ask.store(0, Ordering::Relaxed);
    }

    /// Milliseconds on this cluster's clock; goes round after 49 days.
    pub(crate) fn now(&self) -> u32 {
        self.started.elapsed().as_millis() as u32
    }

    /// Answers a command: there is no answer, and why.
    pub(crate) fn fail(&self, ticket: Ticket, error: &Error) {
        self.answer(ticket, |tape| events::write_failure(tape, error));
    }

    /// Answers a command: with what `write` writes.
    pub(crate) fn answer(&self, ticket: Ticket, write: impl FnOnce(&mut Tape)) {
        if is_part(ticket) {
            let mut tape = Tape::default();
            write(&mut tape);
            let Tape { words, bytes, large } = &mut tape;
            self.answer_part(ticket, Entry { words, bytes, large });
        } else if ticket < super::errands::FIRST {
            self.outbox.post(ticket, write);
        }
        // Else it is nobody's; or the engine's own, whose asker does not wait for ever.
    }

    /// Answers a part of a command.
    pub(crate) fn answer_part(&self, ticket: Ticket, entry: Entry<'_>) {
        if let Some((whole, outcome)) = self.fanouts.on_answer(ticket, entry) {
            self.outbox.post(whole, |tape| write_outcome(tape, outcome, PARTIAL_FAILURE));
        }
    }

    /// Why a command has no node to go to: there are none before the first connection, and after the
    /// last.
    pub(crate) fn nowhere(&self) -> Error {
        if self.ended.load(Ordering::SeqCst) { Error::Disconnected } else { Error::Closed }
    }

    /// Why a command is not sent that was meant for one node, which is gone.
    pub(crate) fn node_has_left(&self) -> Error {
        let ended = self.ended.load(Ordering::SeqCst);
        if ended { Error::Disconnected } else { Error::SocketClosed }
    }

    /// Bytes of all commands that are not answered, held ones included.
    pub(crate) fn waiting_bytes(&self) -> usize {
        let in_flight = self.in_flight.load(Ordering::Relaxed);
        in_flight + self.lane.byte_len() + self.handover.byte_len()
    }

    /// Answers a call that has no value to return.
    pub(crate) fn done(&self, ticket: Ticket) {
        self.outbox.post(ticket, |tape| tape.push_word(crate::resp::kind::NULL, 0));
    }

    /// Tells the outside.
    pub(crate) fn tell(&self, event: &Event<'_>) {
        self.outbox.post(EVENT, |tape: &mut Tape| event.write(tape));
    }

    /// What follows every submission to a link.
    pub(crate) fn after_submit(&self, submitted: Submission<Request>) {
        if !submitted.written {
            self.queued.notify_one();
        }
        for parcel in submitted.refused {
            self.reroute(parcel);
        }
    }

    /// A link was closed before it took this command: its node has left, or everything is over.
    pub(crate) fn reroute(&self, mut parcel: Parcel) {
        while !self.ended.load(Ordering::SeqCst) {
            self.lane.open();
            match self.lane.push(parcel) {
                Ok(()) => return self.signal.notify_one(),
                Err(again) => parcel = again,
            }
        }
        self.fail(parcel.0.ticket, &Error::Disconnected);
    }

    /// Gives the I/O thread what needs a connection of its own.
    pub(crate) fn hand_over(&self, handed: Handed) {
        match self.handover.push(handed) {
            Ok(()) => self.signal.notify_one(),
            Err(handed) => {
                if let Some(ticket) = handed.ticket() {
                    self.fail(ticket, &self.nowhere());
                }
            }
        }
    }

    /// Gives the I/O thread a message.
    pub(crate) fn send(&self, message: Control) {
        self.control.lock().push_back(message);
        self.signal.notify_one();
    }

    /// The oldest message for the I/O thread.
    pub(crate) fn next_control(&self) -> Option<Control> {
        self.control.lock().pop_front()
    }

    /// A node has got a task.
    pub(crate) fn add_live(&self, node: LiveNode) {
        self.live.lock().push(node);
    }

    /// A node's task is over. `None`: somebody else has said so already.
    pub(crate) fn remove_live(&self, link: &NodeLink) -> Option<LiveNode> {
        let mut live = self.live.lock();
        let position = live.iter().position(|node| Arc::ptr_eq(&node.link, link))?;
        Some(live.remove(position))
    }

    /// All nodes that have a task, and from now on have none.
    pub(crate) fn take_live(&self) -> Vec<LiveNode> {
        std::mem::take(&mut *self.live.lock())
    }

    /// Links of all nodes that have a task.
    pub(crate) fn live_links(&self) -> Vec<NodeLink> {
        self.live.lock().iter().map(|node| Arc::clone(&node.link)).collect()
    }

    /// Ends everything at once, on the calling thread: commands are answered, nodes are gone.
    pub(crate) fn cut_off(&self, error: &Error) {
        self.ended.store(true, Ordering::SeqCst);
        self.routes.store(Arc::default());
        let nodes = self.take_live();
        for node in &nodes {
            for (request, ..) in node.link.close() {
                self.fail(request.ticket, error);
            }
        }
        for (request, _) in self.lane.take() {
            self.fail(request.ticket, error);
        }
        for ticket in self.handover.close().iter().filter_map(Handed::ticket) {
            self.fail(ticket, error);
        }
        for node in &nodes {
            self.tell(&Event::NodeDisconnect(&node.at));
        }
    }

    /// A defect was met: everything is answered, and those outside are told that answers may be
    /// missing.
    pub(crate) fn break_down(&self, message: &str) {
        tracing::error!(message, "the engine panicked");
        self.cut_off(&Error::Internal(message.to_owned()));
        self.tell(&Event::Fatal(message));
    }

    pub(crate) fn count_redirect(&self, asking: bool) {
        let counter = if asking { &self.redirects.ask } else { &self.redirects.moved };
        counter.fetch_add(1, Ordering::Relaxed);
    }
}
