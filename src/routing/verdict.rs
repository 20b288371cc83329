//! What follows when an attempt did not succeed.

use crate::node_addr::NodeAddr;
use crate::slot::Slot;

/// Why one attempt did not succeed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// Another node has this key for now; the slot stays where it is.
    Ask {
        /// Who has it.
        to: NodeAddr,
    },
    /// The node is no primary any more and has refused a write (`READONLY`), or what waited for one
    /// (`UNBLOCKED`).
    Demoted,
    /// Another node owns the slot.
    Moved {
        /// The slot.
        slot: Slot,
        /// Who owns it.
        to: NodeAddr,
    },
    /// The slot cannot be served at this moment (`TRYAGAIN`, `CLUSTERDOWN`, no owner at all).
    NotNow,
    /// Not one byte of the command was handed to the socket.
    NotSent,
    /// Written, at least in part, and then the connection ended.
    OutcomeUnknown,
    /// Any other error reply.
    Reply,
    /// This node has no data to answer from at this moment (`LOADING`, `MASTERDOWN`); another copy
    /// may have it.
    Unready,
}

/// What has been tried so far with one command.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Attempt {
    /// Redirects followed.
    pub(crate) redirects: u16,
    /// How often it has waited, or gone to another copy.
    pub(crate) waits: u8,
    /// Whether the command only reads, so that running it twice does no harm
    /// ([`crate::command::Spec::readonly`]).
    pub(crate) readonly: bool,
    /// Whether more than one node could answer it.
    pub(crate) anywhere: bool,
    /// Whether it has a deadline, which will end its waiting.
    pub(crate) timed: bool,
}

/// How far the engine goes for one command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limits {
    /// Redirects one command may follow. node-redis's `maxCommandRedirections`.
    pub(crate) max_redirects: u16,
    /// How often a command without a deadline waits. One that has a deadline waits until then.
    pub(crate) max_waits: u8,
}

/// Redirects that are followed at once. A fourth one in a row means that nodes contradict each
/// other: from there on each waits, or two nodes that name each other would be a hot loop.
pub(crate) const REDIRECTS_AT_ONCE: u16 = 3;
/// How often another copy is tried at once. All copies of a shard may be loading.
const COPIES_AT_ONCE: u8 = 3;

/// What to do about a failed attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Give the error reply to the caller.
    Deliver,
    /// Tell the caller that there is no answer.
    Fail(Reason),
    /// Send it to this node, and count a redirect.
    Follow {
        /// Where to.
        to: NodeAddr,
        /// Behind `ASKING`, as one write unit.
        asking: bool,
        /// This slot has `to` as its owner from now on; the rest of the map may be stale too.
        moved: Option<Slot>,
    },
    /// Send it to another node that can answer it, at once.
    OtherCopy,
    /// Route it again, by its slot, as if it had never been sent.
    Redispatch,
    /// Let it wait a little, and everything younger of its slot behind it; then route it again.
    Wait {
        /// The slot has this owner from now on, and a redirect is to be counted.
        moved: Option<(Slot, NodeAddr)>,
    },
}

/// Why the engine gives up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    /// It may have run, and running it twice might do harm.
    OutcomeUnknown,
    /// Past [`Limits::max_redirects`].
    TooManyRedirects,
}

/// Decides what to do about a command whose attempt failed. The one place where that is decided.
///
/// Repetitions are not counted here: a command that was not sent waits for its slot's next owner,
/// and its deadline and the bounds of the queues end that.
#[deny(clippy::wildcard_enum_match_arm)] // a new failure must be decided, not forgotten
pub(crate) fn judge(failure: &Failure, attempt: &Attempt, limits: &Limits) -> Verdict {
    let redirects = attempt.redirects;
    match failure {
        Failure::Moved { .. } | Failure::Ask { .. } if redirects >= limits.max_redirects => {
            Verdict::Fail(Reason::TooManyRedirects)
        }
        Failure::Moved { slot, to } if redirects < REDIRECTS_AT_ONCE => {
            Verdict::Follow { to: to.clone(), asking: false, moved: Some(*slot) }
        }
        Failure::Moved { slot, to } => Verdict::Wait { moved: Some((*slot, to.clone())) },
        // ASK does not lead in circles: behind ASKING the target serves the slot or says MOVED.
        Failure::Ask { to } => Verdict::Follow { to: to.clone(), asking: true, moved: None },
        Failure::Unready if attempt.anywhere && attempt.waits < COPIES_AT_ONCE => {
            Verdict::OtherCopy
        }
        Failure::NotNow | Failure::Unready | Failure::Demoted => {
            if attempt.timed || attempt.waits < limits.max_waits {
                Verdict::Wait { moved: None }
            } else {
                Verdict::Deliver
            }
        }
        Failure::NotSent => Verdict::Redispatch,
        Failure::OutcomeUnknown if attempt.readonly => Verdict::Redispatch,
        // It may have run. Only the caller knows whether twice is harmless.
        Failure::OutcomeUnknown => Verdict::Fail(Reason::OutcomeUnknown),
        Failure::Reply => Verdict::Deliver,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRESH: Attempt =
        Attempt { redirects: 0, waits: 0, readonly: false, anywhere: false, timed: false };
    const LIMITS: Limits = Limits { max_redirects: 16, max_waits: 64 };

    #[test]
    fn every_failure_has_its_verdict() {
        let (slot, to) = (Slot::new(7).unwrap(), NodeAddr::new("h", 1));
        let (ask, moved) =
            (Failure::Ask { to: to.clone() }, Failure::Moved { slot, to: to.clone() });
        let follow_ask = Verdict::Follow { to: to.clone(), asking: true, moved: None };
        let follow_moved = Verdict::Follow { to: to.clone(), asking: false, moved: Some(slot) };
        let wait_moved = Verdict::Wait { moved: Some((slot, to)) };
        let wait = Verdict::Wait { moved: None };
        let too_many = Verdict::Fail(Reason::TooManyRedirects);
        let unknown = Verdict::Fail(Reason::OutcomeUnknown);
        let redirected = |redirects| Attempt { redirects, ..FRESH };
        let waited = |waits| Attempt { waits, ..FRESH };
        let read = Attempt { readonly: true, ..FRESH };
        let spread = |waits| Attempt { waits, anywhere: true, ..read };
        let patient = Attempt { waits: u8::MAX, timed: true, ..FRESH };
        let cases = [
            (&ask, FRESH, &follow_ask),
            (&ask, redirected(15), &follow_ask),
            (&ask, redirected(16), &too_many),
            (&moved, read, &follow_moved),
            (&moved, redirected(2), &follow_moved),
            (&moved, redirected(3), &wait_moved),
            (&moved, redirected(15), &wait_moved),
            (&moved, redirected(16), &too_many),
            (&moved, redirected(u16::MAX), &too_many),
            (&Failure::NotNow, FRESH, &wait),
            (&Failure::NotNow, waited(63), &wait),
            (&Failure::NotNow, waited(64), &Verdict::Deliver),
            (&Failure::NotNow, patient, &wait),
            (&Failure::NotNow, spread(0), &wait),
            (&Failure::Unready, FRESH, &wait),
            (&Failure::Unready, waited(64), &Verdict::Deliver),
            (&Failure::Unready, spread(0), &Verdict::OtherCopy),
            (&Failure::Unready, spread(2), &Verdict::OtherCopy),
            (&Failure::Unready, spread(3), &wait),
            (&Failure::Demoted, FRESH, &wait),
            (&Failure::Demoted, waited(64), &Verdict::Deliver),
            (&Failure::Demoted, patient, &wait),
            (&Failure::NotSent, FRESH, &Verdict::Redispatch),
            (&Failure::NotSent, redirected(16), &Verdict::Redispatch),
            (&Failure::OutcomeUnknown, FRESH, &unknown),
            (&Failure::OutcomeUnknown, patient, &unknown),
            (&Failure::OutcomeUnknown, read, &Verdict::Redispatch),
            (&Failure::Reply, FRESH, &Verdict::Deliver),
            (&Failure::Reply, patient, &Verdict::Deliver),
        ];
        for (failure, attempt, want) in cases {
            let got = judge(failure, &attempt, &LIMITS);
            assert_eq!(got, *want, "{failure:?} {attempt:?}");
        }
    }
}
