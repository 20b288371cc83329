//! The way down of commands that concern more than one key's home: to several nodes, or in parts.

use super::describe::{Part, Piece};
use super::dispatch::{Dispatcher, Tick};
use super::request::{Request, Ticket};
use crate::command::{Groups, Policy, Spread};
use crate::error::Error;
use crate::routing::{Gathering, ReadPreference, Subject, only_slot, split};
use crate::topology::NodeIndex;
use std::sync::Arc;

impl Dispatcher {
    /// Sends a command where its policy says. Parts that cannot be sent are answered at once.
    ///
    /// # Errors
    ///
    /// Why nothing of it was sent.
    pub(super) fn scatter(
        &mut self,
        tick: &Tick<'_>,
        whole: Piece<'_>,
        policy: &Policy,
    ) -> Result<(), Error> {
        match policy.spread {
            Spread::BySlot(shape) | Spread::OneSlot(shape) => {
                if let Some(slot) = only_slot(&whole.command.args, shape) {
                    // The caller may have named another key, or none.
                    let subject = Subject { slot: Some(slot), ..whole.subject };
                    return self.place(tick, Piece { subject, ..whole });
                }
                self.scatter_parts(tick, whole, policy, shape)
            }
            Spread::AllNodes => self.scatter_nodes(tick, whole, policy, every_node(tick)),
            Spread::AllPrimaries => self.scatter_nodes(tick, whole, policy, every_primary(tick)),
        }
    }

    fn scatter_parts(
        &mut self,
        tick: &Tick<'_>,
        whole: Piece<'_>,
        policy: &Policy,
        shape: Groups,
    ) -> Result<(), Error> {
        let args: Vec<&[u8]> = whole.command.args.iter().collect();
        let split = match (split(&args, shape), policy.spread) {
            (Some(_), Spread::OneSlot(_)) => return Err(not_atomic(args[0])),
            (Some(split), _) => split,
            // The server says best what is wrong with it.
            (None, Spread::OneSlot(_)) => return self.place(tick, whole),
            (None, _) => {
                let name = String::from_utf8_lossy(args[0]).into_owned();
                return Err(Error::CannotSplit { name, step: shape.step });
            }
        };
        // Both need it: answers may be there before the last part is sent.
        let split = Arc::new(split);
        let gathering = Gathering::new(policy.gather, split.len(), Some(Arc::clone(&split)));
        let first = open(tick, whole.ticket, split.len(), gathering)?;
        for (ticket, (slot, groups)) in (first..).zip(split.parts()) {
            let subject = Subject { slot: Some(slot), ..whole.subject };
            let part = Some(Part { args: &args, shape, groups });
            let piece = Piece { ticket, subject, part, ..whole };
            if let Err(error) = self.place(tick, piece) {
                tick.shared.fail(ticket, &error);
            }
        }
        Ok(())
    }

    fn scatter_nodes(
        &mut self,
        tick: &Tick<'_>,
        whole: Piece<'_>,
        policy: &Policy,
        nodes: Vec<NodeIndex>,
    ) -> Result<(), Error> {
        if nodes.is_empty() {
            return Err(tick.shared.nowhere());
        }
        let gathering = Gathering::new(policy.gather, nodes.len(), None);
        let first = open(tick, whole.ticket, nodes.len(), gathering)?;
        for (ticket, node) in (first..).zip(nodes) {
            if let Err(error) = self.pin(tick, node, Piece { ticket, ..whole }) {
                tick.shared.fail(ticket, &error);
            }
        }
        Ok(())
    }

    /// Sends a command, or its part, to one node and no other.
    pub(super) fn pin(
        &mut self,
        tick: &Tick<'_>,
        node: NodeIndex,
        piece: Piece<'_>,
    ) -> Result<(), Error> {
        let subject = Subject { slot: None, ..piece.subject };
        let flags = piece.flags | Request::PINNED;
        self.stage(tick, node, &Piece { subject, flags, ..piece })
    }
}

fn open(
    tick: &Tick<'_>,
    ticket: Ticket,
    parts: usize,
    gathering: Gathering,
) -> Result<Ticket, Error> {
    tick.shared.fanouts.open(ticket, parts, gathering).ok_or(Error::QueueFull)
}

fn every_primary(tick: &Tick<'_>) -> Vec<NodeIndex> {
    let shards = tick.routes.topology.slots.shards().iter();
    shards.map(|shard| shard.primary).collect()
}

/// Replicas only if they are read from: those connections are there.
fn every_node(tick: &Tick<'_>) -> Vec<NodeIndex> {
    let mut nodes = every_primary(tick);
    if tick.shared.reads == ReadPreference::Any {
        let shards = tick.routes.topology.slots.shards().iter();
        nodes.extend(shards.flat_map(|shard| shard.replicas.iter().copied()));
    }
    nodes
}

/// The server's own word for it, and why.
fn not_atomic(name: &[u8]) -> Error {
    let name = String::from_utf8_lossy(name).to_ascii_uppercase();
    Error::Refused(format!(
        "CROSSSLOT {name} sets all keys or none, so all of them must be in one slot: \
         give them a common hash tag, as in {{user:1}}:name and {{user:1}}:mail"
    ))
}
