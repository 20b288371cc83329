//! What the outside may hear of, and how failures and events are written on a tape.

use crate::error::{Error, SocketFailure};
use crate::node_addr::NodeAddr;
use crate::resp::{Tape, kind};

/// Something that happened without being asked for.
#[derive(Debug)]
pub(crate) enum Event<'a> {
    /// A defect has ended the session; a panic's message. Commands may have lost their answer.
    Fatal(&'a str),
    /// The connection of a lease is gone, and what it held.
    LeaseLost(u32),
    /// The user's `nodeAddressMap` is asked where `address` really is.
    MapAddress { call: u32, address: &'a NodeAddr },
    /// A socket to a node is connected.
    NodeConnect(&'a NodeAddr),
    /// A node is left for good.
    NodeDisconnect(&'a NodeAddr),
    /// Something went wrong with a node.
    NodeError(&'a Error, &'a NodeAddr),
    /// A node takes commands.
    NodeReady(&'a NodeAddr),
    /// A node is being connected to again.
    NodeReconnecting(&'a NodeAddr),
    /// The user's `reconnectStrategy` is asked.
    ReconnectStrategy { call: u32, retries: u32, cause: &'a Error, at: &'a NodeAddr },
    /// A seed, or a refresh of the topology, failed.
    SeedError(&'a Error),
    /// A new topology is in force.
    Topology { epoch: u64 },
}

impl Event<'_> {
    /// Writes it as an array that begins with its name.
    pub(crate) fn write(&self, tape: &mut Tape) {
        match self {
            Self::Fatal(message) => {
                begin(tape, "fatal", 1);
                text(tape, message);
            }
            Self::LeaseLost(lease) => {
                begin(tape, "lease-lost", 1);
                tape.push_int(i64::from(*lease));
            }
            Self::MapAddress { call, address } => {
                begin(tape, "map-address", 2);
                tape.push_int(i64::from(*call));
                text(tape, &address.to_string());
            }
            Self::NodeConnect(at) => node(tape, "node-connect", at),
            Self::NodeDisconnect(at) => node(tape, "node-disconnect", at),
            Self::NodeError(error, at) => {
                begin(tape, "node-error", 3);
                write_failure(tape, error);
                place(tape, at);
            }
            Self::NodeReady(at) => node(tape, "node-ready", at),
            Self::NodeReconnecting(at) => node(tape, "node-reconnecting", at),
            Self::ReconnectStrategy { call, retries, cause, at } => {
                begin(tape, "reconnect-strategy", 5);
                tape.push_int(i64::from(*call));
                tape.push_int(i64::from(*retries));
                write_failure(tape, cause);
                place(tape, at);
            }
            Self::SeedError(error) => {
                begin(tape, "error", 1);
                write_failure(tape, error);
            }
            Self::Topology { epoch } => {
                begin(tape, "topology", 1);
                tape.push_int(*epoch as i64);
            }
        }
    }
}

/// Writes a failure: its code, then what its error class wants to know.
pub(crate) fn write_failure(tape: &mut Tape, error: &Error) {
    tape.push_word(kind::FAILURE, error.code() as usize);
    match error {
        Error::Socket(failure) => write_socket_failure(tape, failure),
        Error::SeedsUnavailable(seeds) => {
            tape.push_word(kind::ARRAY, seeds.len());
            for (address, failure) in seeds {
                tape.push_word(kind::ARRAY, 2);
                text(tape, address);
                write_failure(tape, failure);
            }
        }
        Error::ReconnectStrategy { text: message, cause } => {
            tape.push_word(kind::ARRAY, 2);
            text(tape, message);
            write_failure(tape, cause);
        }
        Error::TooManyBytes { node, bound } => {
            tape.push_word(kind::ARRAY, 2);
            match node {
                Some(node) => text(tape, node),
                None => tape.push_word(kind::NULL, 0),
            }
            tape.push_int(*bound as i64);
        }
        Error::SocketTimeout(ms) | Error::Hung(ms) => {
            tape.push_word(kind::ARRAY, 1);
            tape.push_int(i64::from(*ms));
        }
        Error::WrongNode { expected, got } => {
            tape.push_word(kind::ARRAY, 2);
            text(tape, expected);
            text(tape, got);
        }
        Error::CannotSplit { .. } => {
            tape.push_word(kind::ARRAY, 1);
            text(tape, &error.to_string());
        }
        Error::SlotUnassigned(slot) => {
            tape.push_word(kind::ARRAY, 1);
            tape.push_int(i64::from(*slot));
        }
        Error::Lookup(host) => {
            tape.push_word(kind::ARRAY, 2);
            text(tape, "ENOTFOUND");
            text(tape, host);
        }
        Error::TooManyRedirects(message)
        | Error::Protocol(message)
        | Error::Internal(message)
        | Error::Refused(message) => {
            tape.push_word(kind::ARRAY, 1);
            text(tape, message);
        }
        _ => tape.push_word(kind::NULL, 0),
    }
}

fn write_socket_failure(tape: &mut Tape, failure: &SocketFailure) {
    tape.push_word(kind::ARRAY, 5);
    text(tape, failure.code);
    text(tape, failure.syscall);
    tape.push_int(i64::from(failure.errno));
    match failure.address {
        Some(address) => {
            text(tape, &address.ip().to_string());
            tape.push_int(i64::from(address.port()));
        }
        None => {
            tape.push_word(kind::NULL, 0);
            tape.push_word(kind::NULL, 0);
        }
    }
}

fn begin(tape: &mut Tape, name: &str, argument_count: usize) {
    tape.push_word(kind::ARRAY, 1 + argument_count);
    text(tape, name);
}

fn node(tape: &mut Tape, name: &str, at: &NodeAddr) {
    begin(tape, name, 2);
    place(tape, at);
}

fn place(tape: &mut Tape, at: &NodeAddr) {
    text(tape, at.host());
    tape.push_int(i64::from(at.port()));
}

fn text(tape: &mut Tape, text: &str) {
    tape.push_string(kind::BLOB, text.as_bytes());
}
