//! What an error reply says about an attempt.

use super::verdict::Failure;
use crate::node_addr::NodeAddr;
use crate::resp::ServerError;
use crate::slot::Slot;

/// What must be known of a command to tell the server's own errors from a script's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Asked<'a> {
    /// Host of the node that answered; stands for an empty one.
    pub(crate) host: &'a str,
    /// The slot of the command's keys.
    pub(crate) slot: Option<Slot>,
    /// It runs a script or a function, which may answer any text it likes after it has written.
    pub(crate) script: bool,
}

/// Says what an error reply means.
///
/// Redirects are known by their exact form, `MOVED <slot> <endpoint>`, and a redirect that names
/// another slot than the command's is not the server's. The other errors by which a server says
/// that it did not run the command are known by their code; if a script may have said them, by
/// every word of [`SERVERS_WORDS`].
pub(crate) fn classify(error: ServerError<'_>, asked: &Asked<'_>) -> Failure {
    let is_own = |slot: &Slot| asked.slot.is_none_or(|own| own == *slot);
    let redirect = || parse_redirect(error.rest, asked.host).filter(|(slot, _)| is_own(slot));
    let meaning = match error.code {
        "MOVED" => redirect().map(|(slot, to)| Failure::Moved { slot, to }),
        "ASK" => redirect().map(|(_, to)| Failure::Ask { to }),
        "TRYAGAIN" | "CLUSTERDOWN" => Some(Failure::NotNow),
        "LOADING" | "MASTERDOWN" => Some(Failure::Unready),
        "READONLY" => Some(Failure::Demoted),
        "UNBLOCKED" if error.rest.starts_with(NO_PRIMARY_ANY_MORE) => Some(Failure::Demoted),
        _ => None,
    };
    match meaning {
        Some(Failure::NotNow | Failure::Unready | Failure::Demoted)
            if asked.script && !is_servers_own(error) =>
        {
            Failure::Reply
        }
        Some(failure) => failure,
        None => Failure::Reply,
    }
}

/// What a command that waited is told when its server becomes a replica. CLIENT UNBLOCK and a stream
/// that is gone have other words.
const NO_PRIMARY_ANY_MORE: &str = "force unblock from blocking operation, instance state changed";

/// Why EXEC ran nothing, if that is for a reason of its own and not of a command before it: a server
/// that cannot run it at this moment says so behind these words.
pub(crate) fn abort_reason(text: &[u8]) -> &[u8] {
    text.strip_prefix(b"EXECABORT Transaction discarded because of: ").unwrap_or(text)
}

/// What Redis 4 to 8 and Valkey 7 to 9 say, by code; `*` stands for a product's name.
const SERVERS_WORDS: [(&str, &str); 8] = [
    ("TRYAGAIN", "Multiple keys request during rehashing of slot"),
    ("CLUSTERDOWN", "The cluster is down"),
    ("CLUSTERDOWN", "The cluster is down and only accepts read commands"),
    ("CLUSTERDOWN", "Hash slot not served"),
    ("LOADING", "* is loading the dataset in memory"),
    ("MASTERDOWN", "Link with MASTER is down and replica-serve-stale-data is set to 'no'."),
    ("MASTERDOWN", "Link with PRIMARY is down and replica-serve-stale-data is set to 'no'."),
    ("READONLY", "You can't write against a read only replica."),
];

/// Before a script's first write fails with one of these, nothing of it has been written. Since
/// Redis 7 the server then adds where in the script that was.
fn is_servers_own(error: ServerError<'_>) -> bool {
    let text = error.rest.split_once(" script: ").map_or(error.rest, |(text, _)| text);
    SERVERS_WORDS.iter().any(|(code, words)| {
        *code == error.code
            && match words.strip_prefix('*') {
                Some(tail) => text.strip_suffix(tail).is_some_and(|name| !name.contains(' ')),
                None => text == *words,
            }
    })
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

    const PLAIN: Asked<'static> = Asked { host: "asked", slot: None, script: false };

    fn slot(number: u16) -> Slot {
        Slot::new(number).unwrap()
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
            ("ERR MOVED 1 127.0.0.1:6381", Failure::Reply),
            ("", Failure::Reply),
        ];
        for (text, want) in cases {
            let error = ServerError::parse(text.as_bytes());
            assert_eq!(classify(error, &PLAIN), want, "{text:?}");
            assert_eq!(classify(error, &Asked { script: true, ..PLAIN }), want, "{text:?}");
            if want != Failure::Reply {
                let other = Asked { slot: Slot::new(77), ..PLAIN };
                assert_eq!(classify(error, &other), Failure::Reply, "{text:?} elsewhere");
            }
        }
    }

    #[test]
    fn the_reason_of_a_discarded_transaction_is_found() {
        let loading = "LOADING Redis is loading the dataset in memory";
        let discarded = format!("EXECABORT Transaction discarded because of: {loading}");
        assert_eq!(abort_reason(discarded.as_bytes()), loading.as_bytes());
        for other in [loading, "EXECABORT Transaction discarded because of previous errors.", ""] {
            assert_eq!(abort_reason(other.as_bytes()), other.as_bytes());
        }
    }

    #[test]
    fn errors_of_commands_that_did_not_run() {
        let (now, unready, demoted) = (Failure::NotNow, Failure::Unready, Failure::Demoted);
        let reply = Failure::Reply;
        let readonly = "READONLY You can't write against a read only replica.";
        let unblocked = "UNBLOCKED force unblock from blocking operation, instance state changed \
            (master -> replica?)";
        let in_script = format!("{readonly} script: 4f5a, on @user_script:1.");
        let cases = [
            // text -> to a command, to a script
            ("TRYAGAIN Multiple keys request during rehashing of slot", [&now, &now]),
            ("CLUSTERDOWN Hash slot not served", [&now, &now]),
            ("CLUSTERDOWN The cluster is down", [&now, &now]),
            ("CLUSTERDOWN my own words", [&now, &reply]),
            ("LOADING Redis is loading the dataset in memory", [&unready, &unready]),
            ("LOADING Valkey is loading the dataset in memory", [&unready, &unready]),
            ("LOADING the moon is loading the dataset in memory", [&unready, &reply]),
            ("LOADING", [&unready, &reply]),
            (
                "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
                [&unready, &unready],
            ),
            (readonly, [&demoted, &demoted]),
            (&in_script, [&demoted, &demoted]),
            ("READONLY but only a script's", [&demoted, &reply]),
            (unblocked, [&demoted, &reply]),
            ("UNBLOCKED client unblocked via CLIENT UNBLOCK", [&reply, &reply]),
            ("UNBLOCKED the stream key no longer exists", [&reply, &reply]),
            ("TRYAGAINX", [&reply, &reply]),
            ("NOAUTH Authentication required.", [&reply, &reply]),
            ("WRONGPASS invalid username-password pair", [&reply, &reply]),
            ("NOPERM this user has no permissions", [&reply, &reply]),
            ("ERR TRYAGAIN", [&reply, &reply]),
        ];
        for (text, want) in cases {
            let error = ServerError::parse(text.as_bytes());
            let got = [false, true].map(|script| classify(error, &Asked { script, ..PLAIN }));
            assert_eq!(got.each_ref(), want, "{text:?}");
        }
    }
}
