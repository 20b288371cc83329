//! The engine in simulated worlds: a network, servers and callers that a seed decides, in virtual
//! time.
//!
//! A world is everything but the engine: it is shared by the callers ([`run`]) and by the sockets
//! that the engine gets from [`socket`]. What happens and when is on the [`agenda`]; what goes
//! wrong is in [`mishaps`]. Every command carries its ticket as an argument of its own, so the
//! servers can say in the [`ledger`] what they did to which command, and each answer is compared
//! with that. The same seed takes the same course, to the byte.
//!
//! `cargo test simulation` runs them all; `SIMULATION_SEEDS=from..to` others, `SIMULATION_SEED=n`
//! with `-- --nocapture` one of them, with its story.

mod admission;
mod agenda;
mod answers;
mod changes;
mod ending;
mod expected;
mod keyspace;
mod large;
mod ledger;
mod memory;
mod mishaps;
mod network;
mod order;
mod pipe;
mod random;
mod recoveries;
mod run;
mod runner;
mod seeds;
mod servers;
mod serving;
mod setting;
mod socket;
mod trace;
mod transactions;
mod verdict;
mod view;
mod watch;
mod wire;
mod workload;
mod world;
