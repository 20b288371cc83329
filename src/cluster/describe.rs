//! A command on its way into a queue: what must be known of it, and its bytes.

use super::lane::Parcel;
use super::request::{Request, Ticket};
use super::transaction;
use crate::command::{self, Args, Command, Groups, Policy};
use crate::error::Error;
use crate::resp::{push_argument, push_header};
use crate::routing::{Subject, part_args};
use crate::slot::Slot;

/// RESP around one argument: `$`, up to ten digits, two CRLF.
pub(super) const ARGUMENT_OVERHEAD: usize = 15;

/// A command, or a part of one.
#[derive(Clone, Copy)]
pub(super) struct Piece<'a> {
    pub(super) ticket: Ticket,
    pub(super) subject: Subject,
    pub(super) flags: u16,
    /// The whole command.
    pub(super) command: &'a Command<'a>,
    pub(super) part: Option<Part<'a>>,
}

/// Some of a command's groups.
#[derive(Clone, Copy)]
pub(super) struct Part<'a> {
    /// All arguments of the command.
    pub(super) args: &'a [&'a [u8]],
    pub(super) shape: Groups,
    pub(super) groups: &'a [u32],
}

/// What routing and later decisions need to know.
///
/// # Errors
///
/// It cannot be sent at all.
pub(super) fn describe(
    command: &Command<'_>,
) -> Result<(Subject, u16, Option<&'static Policy>), Error> {
    if let Some(unit) = &command.unit {
        let (subject, flags) = transaction::describe(unit, command.key)?;
        return Ok((subject, flags, None));
    }
    let Some(name) = command.args.get(0) else { return Err(nameless()) };
    let spec = command::lookup(name, command.args.get(1));
    let replica_safe = command::replica_safe(spec, command.readonly);
    let is = |fact: fn(command::Spec) -> bool| spec.is_some_and(fact);
    let asks = |fact: fn(command::Spec, &Args<'_>) -> bool| {
        spec.is_some_and(|spec| spec.blocking() && fact(spec, &command.args))
    };
    // A module may run users' code, and on threads of its own; commands of modules have a dot.
    let dotted = || name.contains(&b'.');
    let module = spec.map_or_else(dotted, command::Spec::module);
    let flags = if is(command::Spec::readonly) { Request::READONLY } else { 0 }
        | if module || spec.is_none() || is(command::Spec::script) { Request::SCRIPT } else { 0 }
        | if module || asks(command::may_wait) { Request::BLOCKING } else { 0 }
        | if asks(command::needs_own_connection) { Request::LEASED } else { 0 }
        | if replica_safe { Request::REPLICA } else { 0 };
    let subject = Subject { slot: command.key.map(Slot::of_key), replica_safe };
    Ok((subject, flags, spec.and_then(command::Spec::policy)))
}

/// It would go out as nothing that a server answers.
pub(super) fn nameless() -> Error {
    Error::Refused("ERR a command needs a name".to_owned())
}

impl Piece<'_> {
    /// Appends its bytes; returns its request.
    pub(super) fn encode(&self, out: &mut Vec<u8>, now: u32) -> Request {
        let start = out.len();
        let args = &self.command.args;
        match (&self.part, &self.command.unit) {
            (None, Some(unit)) => transaction::encode(out, unit),
            (None, None) => {
                out.reserve(args.byte_len() + ARGUMENT_OVERHEAD * (args.len() + 1));
                push_header(out, args.len());
                args.iter().for_each(|argument| push_argument(out, argument));
            }
            (Some(Part { args, shape, groups }), _) => {
                push_header(out, 1 + groups.len() * shape.step + shape.tail);
                part_args(args, *shape, groups).for_each(|argument| push_argument(out, argument));
            }
        }
        let request = Request::new(self.ticket, self.flags, self.subject.slot, out.len() - start);
        completed(request, now, self.command)
    }

    /// The same with bytes of its own.
    pub(super) fn into_parcel(self, now: u32) -> Parcel {
        let mut bytes = Vec::new();
        (self.encode(&mut bytes, now), bytes)
    }
}

/// With what is said of the command besides its bytes.
fn completed(mut request: Request, now: u32, command: &Command<'_>) -> Request {
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
