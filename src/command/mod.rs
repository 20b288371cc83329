//! What the engine knows of commands: a table taken from a server, and the questions asked of it.

mod args;
mod blocking;
mod policy;
mod spec;
mod spec_table;
mod unit;

pub use args::{Args, Command};
pub(crate) use blocking::{may_wait, needs_own_connection};
pub(crate) use policy::{Gather, Groups, Policy, Spread};
pub(crate) use spec::{Spec, lookup, replica_safe};
pub use unit::{Packed, Part, Unit, declared};
