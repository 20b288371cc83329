//! The happy path down: one tick's commands to the links of their nodes.
//!
//! Runs on the submitting thread. No lock but each link's own, once per node and tick; no
//! allocation but what buffers need to grow; never waits.

use super::describe::{Piece, describe};
use super::destinations::DestinationCache;
use super::handover::is_lease;
use super::lane::Parcel;
use super::limits::Addition;
use super::request::{Request, Ticket};
use super::routes::Routes;
use super::shared::Shared;
use crate::command::Command;
use crate::connection::{Claim, Payload};
use crate::error::Error;
use crate::node_addr::NodeAddr;
use crate::routing::{RouteError, Subject, route};
use crate::topology::NodeIndex;

/// What the submitting thread keeps from tick to tick.
#[derive(Debug, Default)]
pub(crate) struct Dispatcher {
    /// One batch per node of the topology.
    stages: Vec<Stage>,
    /// Nodes with something in their batch, in order of first use.
    touched: Vec<NodeIndex>,
    claims: Vec<Claim>,
    /// Whose turn it is, for each shard and for commands without a key.
    turns: Vec<usize>,
    /// Bytes that wait for all nodes, this tick's included.
    waiting_bytes: usize,
    /// Some of this tick's answers have deadlines.
    prompt: bool,
    destinations: DestinationCache,
}

/// What all commands of one tick are sent by.
pub(super) struct Tick<'a> {
    pub(super) shared: &'a Shared,
    pub(super) routes: &'a Routes,
    pub(super) now: u32,
    /// Commands with a slot go to the I/O thread.
    detour: bool,
}

#[derive(Debug, Default)]
struct Stage {
    bytes: Vec<u8>,
    requests: Vec<Request>,
}

impl Dispatcher {
    /// Sends each command on its way. What cannot be sent is answered at once.
    pub(crate) fn run<'a>(
        &mut self,
        shared: &Shared,
        commands: impl Iterator<Item = (Ticket, Command<'a>)>,
    ) {
        let _dispatching = shared.lane.begin_dispatch();
        self.forget_broken_tick();
        let detour = shared.lane.is_active();
        let routes = &*shared.routes.load();
        self.waiting_bytes = shared.waiting_bytes();
        let tick = Tick { shared, routes, now: shared.now(), detour };
        for (ticket, command) in commands {
            if let Err(error) = self.begin(&tick, ticket, &command) {
                shared.fail(ticket, &error);
            }
        }
        if detour {
            shared.signal.notify_one();
        }
        self.flush(shared, routes);
    }

    /// A panic in the middle of a tick leaves commands behind whose callers know of the panic.
    fn forget_broken_tick(&mut self) {
        for node in self.touched.drain(..) {
            self.stages[node.index()] = Stage::default();
        }
        self.prompt = false;
    }

    /// Sends a command to the node it names, to those its policy names, or to the one that has its key.
    fn begin(
        &mut self,
        tick: &Tick<'_>,
        ticket: Ticket,
        command: &Command<'_>,
    ) -> Result<(), Error> {
        let (subject, flags, policy) = describe(command)?;
        let piece = Piece { ticket, subject, flags, command, part: None };
        match (command.destination, policy) {
            _ if flags & Request::LEASED != 0 => Self::hand_over(tick, &piece),
            (Some(number), _) if is_lease(number) => Self::hand_over(tick, &piece),
            (Some(number), _) => {
                let (all, topology) = (&tick.shared.destinations, &tick.routes.topology);
                match self.destinations.place(number, topology, all) {
                    Some(node) => self.pin(tick, node, piece),
                    None if topology.nodes.is_empty() => Err(tick.shared.nowhere()),
                    None => Err(Error::Closed),
                }
            }
            (None, Some(policy)) => self.scatter(tick, piece, policy),
            (None, None) => self.place(tick, piece),
        }
    }

    /// Sends a command, or a part of one, to the node that has its key.
    pub(super) fn place(&mut self, tick: &Tick<'_>, piece: Piece<'_>) -> Result<(), Error> {
        if tick.detour {
            return self.detour(tick, piece);
        }
        match self.route(tick.shared, tick.routes, piece.subject) {
            Ok(node) => self.stage(tick, node, &piece),
            Err(Error::SlotUnassigned(_)) => {
                // The I/O thread lets it wait until the slot has an owner.
                tick.shared.reroute(piece.into_parcel(tick.now));
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    /// Encodes a command behind the others of its node.
    pub(super) fn stage(
        &mut self,
        tick: &Tick<'_>,
        node: NodeIndex,
        piece: &Piece<'_>,
    ) -> Result<(), Error> {
        let index = node.index();
        if self.stages.len() <= index {
            self.stages.resize_with(index + 1, Stage::default);
        }
        let stage = &mut self.stages[index];
        let staged = Addition {
            requests: stage.requests.len(),
            bytes: stage.bytes.len(),
            all_bytes: self.waiting_bytes,
        };
        tick.shared.limits.check(tick.routes.place(node).ok_or(Error::Closed)?, staged)?;
        if stage.requests.is_empty() {
            self.touched.push(node);
        }
        let request = piece.encode(&mut stage.bytes, tick.now);
        stage.requests.push(request);
        self.waiting_bytes += request.wire_len();
        self.prompt |= request.is_prompt();
        Ok(())
    }

    fn route(
        &mut self,
        shared: &Shared,
        routes: &Routes,
        subject: Subject,
    ) -> Result<NodeIndex, Error> {
        let topology = &routes.topology;
        let turns = &mut self.turns;
        let take_turn = |_| {
            let shard = subject.slot.and_then(|slot| topology.slots.primary(slot));
            next_turn(turns, shard.map_or(0, |primary| 1 + primary.index()))
        };
        let avoid = |node| routes.link(node).is_none_or(|link| link.is_avoided());
        route(subject, topology, shared.reads, take_turn, avoid).map_err(|error| match error {
            RouteError::NoNodes => shared.nowhere(),
            RouteError::SlotUnassigned(_) if topology.nodes.is_empty() => shared.nowhere(),
            RouteError::SlotUnassigned(slot) => Error::SlotUnassigned(slot.number()),
        })
    }

    /// Gives each node its batch.
    fn flush(&mut self, shared: &Shared, routes: &Routes) {
        for node in self.touched.drain(..) {
            let stage = &mut self.stages[node.index()];
            let Some(link) = routes.link(node) else {
                stage.bytes.clear();
                stage.requests.drain(..).for_each(|r| shared.fail(r.ticket, &Error::Closed));
                continue;
            };
            let bytes = std::mem::take(&mut stage.bytes);
            let mut submitted = link.submit(bytes, stage.requests.drain(..), &mut self.claims);
            stage.bytes = std::mem::take(&mut submitted.spare);
            shared.after_submit(submitted);
        }
        if std::mem::take(&mut self.prompt) {
            shared.queued.notify_one();
        }
    }

    /// Gives a command to the I/O thread, behind those that wait there already.
    fn detour(&mut self, tick: &Tick<'_>, piece: Piece<'_>) -> Result<(), Error> {
        self.check_detour(tick, piece.subject)?;
        // Closed between the look and the push: the routes are good again.
        if let Err(parcel) = tick.shared.lane.push(piece.into_parcel(tick.now))
            && let Some(homeless) = self.send(tick.shared, parcel)
        {
            tick.shared.reroute(homeless);
        }
        Ok(())
    }

    /// The bounds of the node that the command will probably go to.
    fn check_detour(&mut self, tick: &Tick<'_>, subject: Subject) -> Result<(), Error> {
        let shared = tick.shared;
        let node = match self.route(shared, tick.routes, subject) {
            Ok(node) => node,
            Err(Error::SlotUnassigned(_)) => return Ok(()),
            Err(error) => return Err(error),
        };
        let place = tick.routes.place(node).ok_or(Error::Closed)?;
        let (requests, all_bytes) = (shared.lane.len(), shared.waiting_bytes());
        let staged = Addition { requests, bytes: 0, all_bytes };
        shared.limits.check(place, staged)
    }

    /// The address of the node to which a request belongs now.
    ///
    /// # Errors
    ///
    /// [`Error::SlotUnassigned`]; there are no nodes.
    pub(crate) fn address(
        &mut self,
        shared: &Shared,
        request: &Request,
    ) -> Result<NodeAddr, Error> {
        let routes = shared.routes.load();
        let node = self.route(shared, &routes, subject_of(request))?;
        routes.place(node).map(|(_, addr, _)| addr.clone()).ok_or(Error::Closed)
    }

    /// Sends one encoded command where it belongs now. Also what the I/O thread calls. Gives it
    /// back if its slot has no owner.
    pub(crate) fn send(&mut self, shared: &Shared, (request, bytes): Parcel) -> Option<Parcel> {
        if request.has(Request::PINNED) {
            // It was for a node that has left. The client itself is not closed.
            shared.fail(request.ticket, &shared.node_has_left());
            return None;
        }
        let routes = shared.routes.load();
        match self.route(shared, &routes, subject_of(&request)) {
            Err(Error::SlotUnassigned(_)) => return Some((request, bytes)),
            Err(error) => shared.fail(request.ticket, &error),
            Ok(node) => match routes.link(node) {
                Some(link) => {
                    shared.after_submit(link.submit(bytes, [request], &mut self.claims));
                    if request.is_prompt() {
                        shared.queued.notify_one();
                    }
                }
                None => shared.fail(request.ticket, &Error::Closed),
            },
        }
        None
    }
}

fn subject_of(request: &Request) -> Subject {
    Subject { slot: request.slot(), replica_safe: request.has(Request::REPLICA) }
}

fn next_turn(turns: &mut Vec<usize>, group: usize) -> usize {
    if turns.len() <= group {
        turns.resize(group + 1, 0);
    }
    let turn = turns[group];
    turns[group] = turn.wrapping_add(1);
    turn
}
