//! A Redis Cluster client engine, and the Node addon around it.
//!
//! A command goes down four floors to the socket and its reply comes up the same four:
//!
//! ```text
//!   binding       JavaScript values <-> engine values            (feature `addon`)
//!   cluster       the engine: routes, recovers, keeps nodes connected
//!   connection    one node, one socket: bytes out, replies in
//!   resp          bytes <-> values
//! ```
//!
//! Beside the stairs are the rooms that are asked and never wait: `command` (what a command is),
//! `topology` (who owns what) and `routing` (where to, and what after a failure). ARCHITECTURE.md
//! walks one command through all of them.
#![cfg_attr(not(feature = "addon"), forbid(unsafe_code))]

#[cfg(feature = "addon")]
#[expect(unsafe_code, reason = "the one module that speaks to Node's C interface")]
mod binding;
pub mod cluster;
pub mod command;
pub mod config;
mod connection;
pub mod error;
mod node_addr;
pub mod resp;
mod routing;
mod slot;
mod topology;

pub use connection::Scratch;
