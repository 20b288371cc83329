//! `CLUSTER SLOTS` reply to [`Topology`].
//!
//! The reply is an array of ranges, `[first, last, primary, replica...]`; a node is
//! `[endpoint, port, id, metadata]`, where `metadata` (other endpoints of the node, an array under
//! RESP2 and a map under RESP3) and, before Redis 4, `id` may be missing.

use std::collections::BTreeMap;

use thiserror::Error;

use super::{Node, NodeIndex, Shard, SlotMap, Topology, push};
use crate::node_addr::{AddrError, NodeAddr};
use crate::resp::Reply;
use crate::slot::Slot;

/// Why a reply to `CLUSTER SLOTS` cannot be used. Another node should be asked.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub(crate) enum TopologyError {
    /// Nobody owns any slot: the node has not met the cluster yet, or was reset.
    #[error("the node knows no owner of any slot")]
    Empty,
    /// Not the shape the server's documentation promises.
    #[error("CLUSTER SLOTS: expected {0}")]
    Malformed(&'static str),
    /// The slot is in two ranges: the node is in the middle of a change.
    #[error("slot {0} is claimed twice")]
    Overlap(u16),
    /// A slot outside 0 to 16383.
    #[error("{0} is not a slot")]
    SlotOutOfRange(i64),
    /// A range that ends before it begins.
    #[error("slot range {first}-{last} ends before it begins")]
    ReversedRange {
        /// Where it begins.
        first: u16,
        /// Where it ends.
        last: u16,
    },
    /// Host or port of a node.
    #[error("the address of a node cannot be used")]
    Address(#[from] AddrError),
    /// More nodes than one topology can name.
    #[error("too many nodes")]
    TooManyNodes,
}

/// Reads the reply of the node at `answering_host`, which an unknown endpoint stands for.
///
/// A shard is identified by its primary: ranges of one primary make one shard, with the replicas
/// of all of them.
///
/// # Errors
///
/// Every deviation from the documented form, see [`TopologyError`]. A view that leaves only some
/// slots without owner is not an error; see [`SlotMap::covered`].
pub(crate) fn parse_slots(
    reply: &Reply<'_>,
    answering_host: &str,
    epoch: u64,
) -> Result<Topology, TopologyError> {
    let ranges = reply.as_array().ok_or(TopologyError::Malformed("an array of ranges"))?;
    let mut builder = Builder {
        answering_host,
        nodes: Vec::new(),
        known: BTreeMap::new(),
        slots: SlotMap::default(),
    };
    for range in ranges {
        builder.add_range(range)?;
    }
    if builder.slots.shards().is_empty() {
        return Err(TopologyError::Empty);
    }
    Ok(Topology { nodes: builder.nodes, slots: builder.slots, epoch })
}

struct Builder<'a> {
    answering_host: &'a str,
    nodes: Vec<Node>,
    /// Where each address stands in `nodes`.
    known: BTreeMap<NodeAddr, NodeIndex>,
    slots: SlotMap,
}

impl Builder<'_> {
    fn add_range(&mut self, range: &Reply<'_>) -> Result<(), TopologyError> {
        let Some([first, last, primary, replicas @ ..]) = range.as_array() else {
            return Err(TopologyError::Malformed("a range with two slots and a primary"));
        };
        let (first, last) = (slot_number(first)?, slot_number(last)?);
        if first > last {
            return Err(TopologyError::ReversedRange { first, last });
        }
        let primary = self.node(primary)?;
        let replicas =
            replicas.iter().map(|node| self.node(node)).collect::<Result<Vec<_>, _>>()?;
        let shard = match self.slots.shard_of_primary(primary) {
            Some(shard) => shard,
            None => self
                .slots
                .push_shard(Shard { primary, replicas: Box::default() })
                .ok_or(TopologyError::TooManyNodes)?,
        };
        self.slots.add_replicas(shard, &replicas);
        for slot in (first..=last).filter_map(Slot::new) {
            // Also bounds the work: no reply can have more ranges than there are slots.
            if self.slots.shard(slot).is_some() {
                return Err(TopologyError::Overlap(slot.number()));
            }
            self.slots.assign(slot, shard);
        }
        Ok(())
    }

    /// The index of a node; one that is named again is the same node.
    fn node(&mut self, node: &Reply<'_>) -> Result<NodeIndex, TopologyError> {
        let Some([endpoint, port, rest @ ..]) = node.as_array() else {
            return Err(TopologyError::Malformed("a node with endpoint and port"));
        };
        let host = match endpoint {
            // "Unknown endpoint": whatever the metadata says, the documentation wants the host of
            // the node that was asked.
            Reply::Null => "",
            text => text_of(text, "an endpoint that is text or null")?,
        };
        let port = port.as_int().ok_or(TopologyError::Malformed("a port that is an integer"))?;
        let addr = NodeAddr::of_endpoint(host, port, self.answering_host)?;
        let id = match rest.first() {
            None => "",
            Some(id) => text_of(id, "a node id that is text")?,
        };
        if let Some(index) = self.known.get(&addr) {
            return Ok(*index);
        }
        let node = Node { id: id.into(), addr: addr.clone() };
        let index = push(&mut self.nodes, node).ok_or(TopologyError::TooManyNodes)?;
        self.known.insert(addr, index);
        Ok(index)
    }
}

fn slot_number(reply: &Reply<'_>) -> Result<u16, TopologyError> {
    let number = reply.as_int().ok_or(TopologyError::Malformed("a slot that is an integer"))?;
    let slot = u16::try_from(number).ok().and_then(Slot::new);
    slot.map(Slot::number).ok_or(TopologyError::SlotOutOfRange(number))
}

fn text_of<'a>(reply: &Reply<'a>, expected: &'static str) -> Result<&'a str, TopologyError> {
    let text = reply.as_bytes().and_then(|bytes| std::str::from_utf8(bytes).ok());
    text.ok_or(TopologyError::Malformed(expected))
}

#[cfg(test)]
mod tests;
