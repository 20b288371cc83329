//! The happy path down: one tick's commands to the links of their nodes.
//!
//! Runs on the submitting thread. No lock but each link's own, once per node and tick; no
//! allocation but what buffers need to grow; never waits.

use super::lane::Parcel;
use super::limits::Addition;
use super::request::{Request, Ticket};
use super::routes::Routes;
use super::shared::Shared;
use super::transaction;
use crate::command::{self, Command};
use crate::connection::Claim;
use crate::error::Error;
use crate::resp::{push_argument, push_header};
use crate::routing::{RouteError, Subject, route};
use crate::slot::Slot;
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
}

#[derive(Debug, Default)]
struct Stage {
    bytes: Vec<u8>,
    requests: Vec<Request>,
}

/// RESP around one argument: `$`, up to ten digits, two CRLF.
const ARGUMENT_OVERHEAD: usize = 15;

impl Dispatcher {
    /// Sends each command on its way. What cannot be sent is answered at once.
    pub(crate) fn run<'a>(
        &mut self,
        shared: &Shared,
        commands: impl Iterator<Item = (Ticket, Command<'a>)>,
    ) {
        let _dispatching = shared.lane.begin_dispatch();
        self.forget_broken_tick();
        if shared.lane.is_active() {
            for (ticket, command) in commands {
                self.detour(shared, ticket, &command);
            }
            shared.signal.notify_one();
            return;
        }
        let routes = shared.routes.load();
        self.waiting_bytes = shared.waiting_bytes();
        let now = shared.now();
        for (ticket, command) in commands {
            if let Err(error) = self.stage(shared, &routes, now, (ticket, &command)) {
                shared.fail(ticket, &error);
            }
        }
        self.flush(shared, &routes);
    }

    /// A panic in the middle of a tick leaves commands behind whose callers know of the panic.
    fn forget_broken_tick(&mut self) {
        for node in self.touched.drain(..) {
            self.stages[node.index()] = Stage::default();
        }
        self.prompt = false;
    }

    /// Routes one command and encodes it behind the others of its node.
    fn stage(
        &mut self,
        shared: &Shared,
        routes: &Routes,
        now: u32,
        (ticket, command): (Ticket, &Command<'_>),
    ) -> Result<(), Error> {
        let (subject, flags) = describe(command)?;
        let node = match self.route(shared, routes, subject) {
            Ok(node) => node,
            Err(Error::SlotUnassigned(_)) => {
                // The I/O thread lets it wait until the slot has an owner.
                shared.reroute(parcel(shared, ticket, command, (subject, flags)));
                return Ok(());
            }
            Err(error) => return Err(error),
        };
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
        shared.limits.check(routes.place(node).ok_or(Error::Closed)?, staged)?;
        if stage.requests.is_empty() {
            self.touched.push(node);
        }
        let wire_len = encode(&mut stage.bytes, command);
        let request = request(ticket, command, (subject, flags), wire_len, now);
        stage.requests.push(request);
        self.waiting_bytes += wire_len;
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
    fn detour(&mut self, shared: &Shared, ticket: Ticket, command: &Command<'_>) {
        let described = match self.check_detour(shared, command) {
            Ok(described) => described,
            Err(error) => return shared.fail(ticket, &error),
        };
        match shared.lane.push(parcel(shared, ticket, command, described)) {
            Ok(()) => {}
            // Closed between the look and the push: the routes are good again.
            Err(parcel) => {
                if let Some(homeless) = self.send(shared, parcel) {
                    shared.reroute(homeless);
                }
            }
        }
    }

    /// The bounds of the node that the command will probably go to. Returns what [`describe`] does.
    fn check_detour(
        &mut self,
        shared: &Shared,
        command: &Command<'_>,
    ) -> Result<(Subject, u16), Error> {
        let described = describe(command)?;
        let routes = shared.routes.load();
        let node = match self.route(shared, &routes, described.0) {
            Ok(node) => node,
            Err(Error::SlotUnassigned(_)) => return Ok(described),
            Err(error) => return Err(error),
        };
        let place = routes.place(node).ok_or(Error::Closed)?;
        let (requests, all_bytes) = (shared.lane.len(), shared.waiting_bytes());
        let staged = Addition { requests, bytes: 0, all_bytes };
        shared.limits.check(place, staged)?;
        Ok(described)
    }

    /// Sends one encoded command where it belongs now. Also what the I/O thread calls. Gives it
    /// back if its slot has no owner.
    pub(crate) fn send(&mut self, shared: &Shared, (request, bytes): Parcel) -> Option<Parcel> {
        let routes = shared.routes.load();
        let subject = Subject { slot: request.slot(), replica_safe: request.has(Request::REPLICA) };
        match self.route(shared, &routes, subject) {
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

/// A command with bytes of its own.
fn parcel(
    shared: &Shared,
    ticket: Ticket,
    command: &Command<'_>,
    described: (Subject, u16),
) -> Parcel {
    let mut bytes = Vec::new();
    let wire_len = encode(&mut bytes, command);
    (request(ticket, command, described, wire_len, shared.now()), bytes)
}

/// What routing and later decisions need to know.
fn describe(command: &Command<'_>) -> Result<(Subject, u16), Error> {
    if let Some(unit) = &command.unit {
        return transaction::describe(unit, command.key);
    }
    let Some(name) = command.args.get(0) else { return Err(nameless()) };
    let spec = command::lookup(name, command.args.get(1));
    let replica_safe = command::replica_safe(spec, command.readonly);
    let is = |fact: fn(command::Spec) -> bool| spec.is_some_and(fact);
    // A module may run users' code, and on threads of its own; commands of modules have a dot.
    let dotted = || name.contains(&b'.');
    let module = spec.map_or_else(dotted, command::Spec::module);
    let flags = if is(command::Spec::readonly) { Request::READONLY } else { 0 }
        | if module || spec.is_none() || is(command::Spec::script) { Request::SCRIPT } else { 0 }
        | if module || is(command::Spec::blocking) { Request::BLOCKING } else { 0 }
        | if replica_safe { Request::REPLICA } else { 0 };
    Ok((Subject { slot: command.key.map(Slot::of_key), replica_safe }, flags))
}

/// It would go out as nothing that a server answers.
pub(super) fn nameless() -> Error {
    Error::Refused("ERR a command needs a name".to_owned())
}

fn request(
    ticket: Ticket,
    command: &Command<'_>,
    (subject, flags): (Subject, u16),
    wire_len: usize,
    now: u32,
) -> Request {
    let mut request = Request::new(ticket, flags, subject.slot, wire_len);
    if let Some(unit) = &command.unit {
        request = request.in_steps(transaction::steps(unit));
    }
    if command.timeout_ms != 0 {
        request = request.until(now.wrapping_add(command.timeout_ms));
    }
    if command.response_timeout_ms != 0 {
        request = request.answered_by(now.wrapping_add(command.response_timeout_ms));
    }
    request
}

/// Appends the command; returns its length.
fn encode(out: &mut Vec<u8>, command: &Command<'_>) -> usize {
    if let Some(unit) = &command.unit {
        return transaction::encode(out, unit);
    }
    let start = out.len();
    out.reserve(command.args.byte_len() + ARGUMENT_OVERHEAD * (command.args.len() + 1));
    push_header(out, command.args.len());
    for argument in command.args.iter() {
        push_argument(out, argument);
    }
    out.len() - start
}

fn next_turn(turns: &mut Vec<usize>, group: usize) -> usize {
    if turns.len() <= group {
        turns.resize(group + 1, 0);
    }
    let turn = turns[group];
    turns[group] = turn.wrapping_add(1);
    turn
}
