//! One node, one socket: the only place that reads and writes bytes.
//!
//! It knows RESP and sockets. It has never heard of slots, commands or callers: requests are an
//! opaque [`Payload`], and whoever sent them is an [`Upstream`].

mod handshake;
mod inbound;
mod link;
mod open;
mod pipeline;
#[cfg(test)]
pub(crate) mod simulated;
mod socket;
mod stream;
mod task;

pub(crate) use handshake::HandshakeOptions;
pub(crate) use link::{Link, Submission, Tally};
pub(crate) use open::{Exchange, OpenError};
pub(crate) use pipeline::{Claim, Payload, Written};
pub(crate) use socket::{ConnectError, SocketOptions, connect};
pub use task::Scratch;
pub(crate) use task::{CloseReason, OWN, SWALLOWED, Upstream, run};
