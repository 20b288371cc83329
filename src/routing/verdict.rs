//! What follows when an attempt did not succeed.

use crate::node_addr::NodeAddr;
use crate::resp::ServerError;
use crate::slot::Slot;

/// Why one attempt did not succeed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// Another node has this key for now; the slot stays where it is.
    Ask {
        /// Who has it.
        to: NodeAddr,
    },
    /// Another node owns the slot.
    Moved {
        /// The slot.
        slot: Slot,
        /// Who owns it.
        to: NodeAddr,
    },
    /// Not one byte of the command was handed to the socket.
    NotSent,
    /// Written, at least in part, and then the connection ended.
    OutcomeUnknown,
    /// Any other error reply.
    Reply,
}

/// What has been tried so far with one command.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Attempt {
    /// Redirects followed.
    pub(crate) redirects: u16,
    /// Whether the command only reads, so that running it twice does no harm
    /// ([`crate::command::Spec::readonly`]).
    pub(crate) readonly: bool,
}

/// How far the engine goes for one command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limits {
    /// Redirects one command may follow. node-redis's `maxCommandRedirections`.
    pub(crate) max_redirects: u16,
}

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
    /// Route it again, by its slot, as if it had never been sent.
    Redispatch,
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
    match failure {
        Failure::Moved { .. } | Failure::Ask { .. }
            if attempt.redirects >= limits.max_redirects =>
        {
            Verdict::Fail(Reason::TooManyRedirects)
        }
        Failure::Moved { slot, to } => {
            Verdict::Follow { to: to.clone(), asking: false, moved: Some(*slot) }
        }
        Failure::Ask { to } => Verdict::Follow { to: to.clone(), asking: true, moved: None },
        Failure::NotSent => Verdict::Redispatch,
        Failure::OutcomeUnknown if attempt.readonly => Verdict::Redispatch,
        // It may have run. Only the caller knows whether twice is harmless.
        Failure::OutcomeUnknown => Verdict::Fail(Reason::OutcomeUnknown),
        Failure::Reply => Verdict::Deliver,
    }
}

/// Says what an error reply means. The host of the node that answered stands for an empty one.
///
/// Redirects are known by their exact form, `MOVED <slot> <endpoint>`: a script may answer any
/// text it likes after it has written, and what only looks like a redirect is the caller's.
///
/// A redirect that names another slot than the command's is not the server's either.
pub(crate) fn classify(
    error: ServerError<'_>,
    answering_host: &str,
    own_slot: Option<Slot>,
) -> Failure {
    let is_own = |slot: &Slot| own_slot.is_none_or(|own| own == *slot);
    let redirect = || parse_redirect(error.rest, answering_host).filter(|(slot, _)| is_own(slot));
    match error.code {
        "MOVED" => redirect().map(|(slot, to)| Failure::Moved { slot, to }),
        "ASK" => redirect().map(|(_, to)| Failure::Ask { to }),
        _ => None,
    }
    .unwrap_or(Failure::Reply)
}

fn parse_redirect(rest: &str, answering_host: &str) -> Option<(Slot, NodeAddr)> {
    let (slot, endpoint) = rest.split_once(' ')?;
    // The standard parser also takes a plus sign, which no server writes.
    if !slot.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let slot = Slot::new(slot.parse().ok()?)?;
    Some((slot, NodeAddr::parse_redirect(endpoint, answering_host).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slot(number: u16) -> Slot {
        Slot::new(number).unwrap()
    }

    #[test]
    fn every_failure_has_its_verdict() {
        let to = NodeAddr::new("h", 1);
        let (ask, moved) =
            (Failure::Ask { to: to.clone() }, Failure::Moved { slot: slot(7), to: to.clone() });
        let follow_ask = Verdict::Follow { to: to.clone(), asking: true, moved: None };
        let follow_moved = Verdict::Follow { to, asking: false, moved: Some(slot(7)) };
        let too_many = Verdict::Fail(Reason::TooManyRedirects);
        let unknown = Verdict::Fail(Reason::OutcomeUnknown);
        let cases = [
            // failure, redirects so far, only reads -> verdict; the limit is 2
            (&ask, 0, false, &follow_ask),
            (&ask, 1, true, &follow_ask),
            (&ask, 2, false, &too_many),
            (&moved, 0, true, &follow_moved),
            (&moved, 1, false, &follow_moved),
            (&moved, 2, true, &too_many),
            (&moved, u16::MAX, false, &too_many),
            (&Failure::NotSent, 0, false, &Verdict::Redispatch),
            (&Failure::NotSent, 2, true, &Verdict::Redispatch),
            (&Failure::OutcomeUnknown, 0, false, &unknown),
            (&Failure::OutcomeUnknown, 2, false, &unknown),
            (&Failure::OutcomeUnknown, 0, true, &Verdict::Redispatch),
            (&Failure::Reply, 0, false, &Verdict::Deliver),
            (&Failure::Reply, 2, true, &Verdict::Deliver),
        ];
        for (failure, redirects, readonly, want) in cases {
            let attempt = Attempt { redirects, readonly };
            let got = judge(failure, &attempt, &Limits { max_redirects: 2 });
            assert_eq!(got, *want, "{failure:?} {attempt:?}");
        }
    }

    #[test]
    fn redirects_are_known_by_their_exact_form() {
        let moved = |number, host, port| Failure::Moved {
            slot: slot(number),
            to: NodeAddr::new(host, port),
        };
        let ask = |host, port| Failure::Ask { to: NodeAddr::new(host, port) };
        let cases = [
            ("MOVED 3999 127.0.0.1:6381", moved(3_999, "127.0.0.1", 6_381)),
            ("MOVED 0 :6381", moved(0, "asked", 6_381)),
            ("MOVED 16383 ::1:6381", moved(16_383, "::1", 6_381)),
            ("ASK 3999 redis-1.example:6381", ask("redis-1.example", 6_381)),
            ("ASK 3999 ?:6381", ask("asked", 6_381)),
            ("MOVED 16384 127.0.0.1:6381", Failure::Reply),
            ("MOVED 70000 127.0.0.1:6381", Failure::Reply),
            ("MOVED -1 127.0.0.1:6381", Failure::Reply),
            ("MOVED +1 127.0.0.1:6381", Failure::Reply),
            ("MOVED 1 127.0.0.1:0", Failure::Reply),
            ("MOVED 1 127.0.0.1", Failure::Reply),
            ("MOVED 1 127.0.0.1:6381 and more", Failure::Reply),
            ("MOVED  1 127.0.0.1:6381", Failure::Reply),
            ("MOVED 1", Failure::Reply),
            ("MOVED", Failure::Reply),
            ("moved 1 127.0.0.1:6381", Failure::Reply),
            ("MOVED1 1 127.0.0.1:6381", Failure::Reply),
            ("ASKING 1 127.0.0.1:6381", Failure::Reply),
            ("ASK me another", Failure::Reply),
            ("TRYAGAIN Multiple keys request during rehashing of slot", Failure::Reply),
            ("ERR MOVED 1 127.0.0.1:6381", Failure::Reply),
            ("", Failure::Reply),
        ];
        for (text, want) in cases {
            let error = ServerError::parse(text.as_bytes());
            assert_eq!(classify(error, "asked", None), want, "{text:?}");
            if want != Failure::Reply {
                let other = Slot::new(77);
                assert_eq!(classify(error, "asked", other), Failure::Reply, "{text:?} elsewhere");
            }
        }
    }
}
