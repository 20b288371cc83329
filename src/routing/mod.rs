//! Decisions: where a command goes, and what follows when an attempt fails. Pure functions.

mod backoff;
mod classify;
mod gather;
mod merge;
mod replica;
mod route;
mod split;
mod totals;
mod verdict;

pub(crate) use backoff::{RECONNECT_JITTER_MS, reconnect_delay, retry_delay};
pub(crate) use classify::{Asked, abort_reason, classify};
pub(crate) use gather::{Entry, Gathering, Outcome};
pub(crate) use route::{ReadPreference, RouteError, Subject, route};
pub(crate) use split::{only_slot, part_args, split};
pub(crate) use verdict::{Attempt, Failure, Limits, Reason, Verdict, judge};
