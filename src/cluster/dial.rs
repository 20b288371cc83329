//! From a node's configuration to a greeted socket, with failures in the engine's terms.

use crate::config::{ClusterConfig, Family, NodeConfig};
use crate::connection::{
    CloseReason, ConnectError, Exchange, HandshakeOptions, OpenError, Scratch, SocketOptions,
    connect,
};
use crate::error::{Error, SocketFailure};
use crate::node_addr::NodeAddr;
use std::time::Duration;

/// A peer whose system confirms nothing, or takes nothing, for this many times `hangTimeout` is gone. One
/// that hangs confirms until its buffers are full. Halved, a node that is asleep for some seconds under
/// full load would lose what is in its buffers; doubled, a node would come back late after the network
/// has, because by then repetitions are 13 seconds apart.
const UNCONFIRMED_FACTOR: u32 = 10;
/// What the system can count: some 24 days.
const LONGEST_UNCONFIRMED: Duration = Duration::from_millis(i32::MAX as u64);

/// Connects to `at` as `config` says.
///
/// # Errors
///
/// Why there is no connection.
pub(crate) async fn dial(
    at: &NodeAddr,
    config: &NodeConfig,
    scratch: &Scratch,
) -> Result<Exchange, Error> {
    let options = SocketOptions {
        connect_timeout: config.connect_timeout,
        no_delay: config.no_delay,
        keep_alive: config.keep_alive,
        user_timeout: config
            .hang_timeout
            .map(|timeout| timeout.saturating_mul(UNCONFIRMED_FACTOR).min(LONGEST_UNCONFIRMED)),
        ipv4: config.family != Family::V6,
        ipv6: config.family != Family::V4,
        local_address: config.local_address,
        local_port: config.local_port,
    };
    let stream = connect(at.host(), at.port(), &options).await.map_err(|error| match error {
        ConnectError::Timeout => Error::ConnectTimeout,
        ConnectError::Lookup { host } => Error::Lookup(host),
        ConnectError::Io { error, address } => {
            Error::Socket(SocketFailure::new(&error, "connect", Some(address)))
        }
    })?;
    Ok(Exchange::new(stream, scratch.clone()))
}

/// What a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// Commands to a primary.
    Primary,
    /// Reads from a replica.
    Replica,
    /// One question of the engine's own.
    Source,
}

/// Introduces the client to the server. Returns the server's id in the cluster, unless the connection
/// is a [`Role::Source`] or the server will not say.
///
/// # Errors
///
/// Why the server will not have it, in the server's words, the password made unreadable.
pub(crate) async fn greet(
    exchange: &mut Exchange,
    cluster: &ClusterConfig,
    config: &NodeConfig,
    role: Role,
) -> Result<Option<String>, Error> {
    let options = HandshakeOptions {
        resp3: cluster.resp3,
        username: config.username.as_deref(),
        password: config.password.as_ref().map(crate::config::Secret::expose),
        name: config.name.as_deref(),
        database: config.database,
        readonly: role == Role::Replica,
        lib_tag: config.client_info_tag.as_deref(),
        lib_version: env!("CARGO_PKG_VERSION"),
        disable_client_info: config.disable_client_info,
        identify: role != Role::Source,
    };
    exchange.greet(&options, config.connect_timeout).await.map_err(|error| {
        match open_failure(error) {
            Error::Refused(text) => Error::Refused(without_secret(text, options.password)),
            other => other,
        }
    })
}

/// A server that does not know HELLO or AUTH quotes their arguments.
fn without_secret(text: String, password: Option<&str>) -> String {
    match password {
        Some(password) if !password.is_empty() => text.replace(password, "***"),
        _ => text,
    }
}

/// A failed exchange in the engine's terms.
pub(crate) fn open_failure(error: OpenError) -> Error {
    match error {
        OpenError::Closed => Error::SocketClosed,
        OpenError::Io(error) => Error::Socket(SocketFailure::new(&error, "read", None)),
        OpenError::Protocol(error) => Error::Protocol(error.to_string()),
        OpenError::Refused(text) => Error::Refused(text),
        OpenError::Silent => Error::ConnectTimeout,
    }
}

/// The end of a connection in the engine's terms.
pub(crate) fn close_failure(reason: &CloseReason) -> Error {
    match reason {
        CloseReason::PeerClosed => Error::SocketClosed,
        CloseReason::Io(error) => Error::Socket(SocketFailure::new(error, "read", None)),
        CloseReason::Protocol(error) => Error::Protocol(error.to_string()),
        CloseReason::Unsolicited => Error::Protocol("an answer to no question".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quoted_password_is_made_unreadable() {
        let text = "ERR unknown command `HELLO`, with args beginning with: `3`, `AUTH`, `u`, `pw1`";
        let shown = without_secret(text.to_owned(), Some("pw1"));
        assert!(shown.ends_with("`u`, `***`") && !shown.contains("pw1"), "{shown}");
        assert_eq!(without_secret(text.to_owned(), None), text);
        assert_eq!(without_secret(text.to_owned(), Some("")), text);
    }
}
