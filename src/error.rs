//! Why a command, or a call about the cluster as a whole, got no answer.

use std::fmt;
use std::io;
use std::net::SocketAddr;

/// Why there is no answer. An error *reply* is an answer and not one of these, except where the
/// server refused a command that the engine sent for itself ([`Error::Refused`]).
///
/// The other side of the language boundary makes node-redis's error classes of them; see
/// [`Error::code`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// The client is closed, or was never opened.
    Closed,
    /// The node is not connected and may not queue (`disableOfflineQueue`).
    Offline,
    /// The peer closed the connection; a command that was written may have run.
    SocketClosed,
    /// The system reported an error on a socket.
    Socket(SocketFailure),
    /// No connection, or no greeting, within `socket.connectTimeout`.
    ConnectTimeout,
    /// Not written within the command's `timeout`.
    Timeout,
    /// Given up by the caller's `abortSignal` before it was written.
    Aborted,
    /// No seed led to the cluster; each with what happened there.
    SeedsUnavailable(Vec<(String, Self)>),
    /// More redirects than `maxCommandRedirections`; the text of the last one.
    TooManyRedirects(String),
    /// The node's queue holds `commandsQueueMaxLength` commands.
    QueueFull,
    /// Too many bytes of commands wait: for this node, or for all nodes together.
    TooManyBytes {
        /// The node, if the bound is its own (`commandsQueueMaxBytes`); else it is the cluster's
        /// (`queueMaxBytes`).
        node: Option<String>,
        /// The bound, in bytes.
        bound: usize,
    },
    /// Not answered within the command's `responseTimeout`.
    ResponseTimeout,
    /// Nothing was sent or received for `socket.socketTimeout` milliseconds.
    SocketTimeout(u32),
    /// Nothing came back for so many milliseconds, and the connection was given up: the node has been
    /// replaced, or answers on other connections.
    Hung(u32),
    /// Another node is at this address than the topology says.
    WrongNode {
        /// The node's id in the topology.
        expected: String,
        /// What the node itself says.
        got: String,
    },
    /// The peer sent what is not RESP, or an answer to no question.
    Protocol(String),
    /// Still unanswered when the client was destroyed.
    Disconnected,
    /// The cluster has no owner for this slot at the moment.
    SlotUnassigned(u16),
    /// A defect in this package; the panic's message.
    Internal(String),
    /// The arguments of a command that goes out in parts do not make whole groups.
    CannotSplit {
        /// Its name as the caller gave it.
        name: String,
        /// Arguments per group.
        step: usize,
    },
    /// A server refused a command of the engine's own; its words.
    Refused(String),
    /// The user's `reconnectStrategy` returned an error.
    ReconnectStrategy {
        /// That error's message.
        text: String,
        /// Why a reconnection was due.
        cause: Box<Self>,
    },
    /// The client was closed while it was connecting.
    ClosedWhileConnecting,
    /// The system does not know a host name.
    Lookup(String),
}

/// What the system said of a socket, in the words Node uses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SocketFailure {
    /// `ECONNREFUSED` for example.
    pub code: &'static str,
    /// `connect`, `read` or `write`.
    pub syscall: &'static str,
    /// The system's number, negated as Node does.
    pub errno: i32,
    /// Where it wanted to connect.
    pub address: Option<SocketAddr>,
}

impl SocketFailure {
    /// Names the system's error.
    pub fn new(error: &io::Error, syscall: &'static str, address: Option<SocketAddr>) -> Self {
        let code = match error.kind() {
            io::ErrorKind::AddrInUse => "EADDRINUSE",
            io::ErrorKind::AddrNotAvailable => "EADDRNOTAVAIL",
            io::ErrorKind::BrokenPipe => "EPIPE",
            io::ErrorKind::ConnectionAborted => "ECONNABORTED",
            io::ErrorKind::ConnectionRefused => "ECONNREFUSED",
            io::ErrorKind::ConnectionReset => "ECONNRESET",
            io::ErrorKind::HostUnreachable => "EHOSTUNREACH",
            io::ErrorKind::NetworkDown => "ENETDOWN",
            io::ErrorKind::NetworkUnreachable => "ENETUNREACH",
            io::ErrorKind::NotConnected => "ENOTCONN",
            io::ErrorKind::PermissionDenied => "EACCES",
            io::ErrorKind::TimedOut => "ETIMEDOUT",
            _ => "UNKNOWN",
        };
        Self { code, syscall, errno: -error.raw_os_error().unwrap_or(0), address }
    }
}

/// The code of what is no [`Error`]: parts of a command failed and others have succeeded. The details are
/// the first failure, and the numbers of the groups of arguments that are concerned.
pub(crate) const PARTIAL_FAILURE: u32 = 25;

impl Error {
    /// A stable number for the other side of the language boundary (`js/errors.js`).
    pub fn code(&self) -> u32 {
        match self {
            Self::Closed => 1,
            Self::Offline => 2,
            Self::SocketClosed => 3,
            Self::Socket(_) => 4,
            Self::ConnectTimeout => 5,
            Self::Timeout => 6,
            Self::Aborted => 7,
            Self::SeedsUnavailable(_) => 8,
            Self::TooManyRedirects(_) => 9,
            Self::QueueFull => 10,
            Self::Protocol(_) => 11,
            Self::Disconnected => 12,
            Self::SlotUnassigned(_) => 13,
            Self::Internal(_) => 14,
            Self::Refused(_) => 16,
            Self::ReconnectStrategy { .. } => 17,
            Self::ClosedWhileConnecting => 18,
            Self::Lookup(_) => 19,
            Self::CannotSplit { .. } => 20,
            Self::TooManyBytes { .. } => 21,
            Self::ResponseTimeout => 22,
            Self::SocketTimeout(_) => 15,
            Self::Hung(_) => 23,
            Self::WrongNode { .. } => 24,
        }
    }
}

impl fmt::Display for Error {
    /// One level only, for logs; users see the JavaScript error.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed => f.write_str("the client is closed"),
            Self::Offline => f.write_str("the node is not connected"),
            Self::SocketClosed => f.write_str("the socket closed unexpectedly"),
            Self::Socket(failure) => write!(f, "{} {}", failure.syscall, failure.code),
            Self::ConnectTimeout => f.write_str("no connection in time"),
            Self::Timeout => f.write_str("not written in time"),
            Self::Aborted => f.write_str("aborted by the caller"),
            Self::SeedsUnavailable(_) => f.write_str("no seed could be used"),
            Self::TooManyRedirects(last) => write!(f, "too many redirects, the last: {last}"),
            Self::QueueFull => f.write_str("the node's queue is full"),
            Self::Protocol(text) => write!(f, "not RESP: {text}"),
            Self::Disconnected => f.write_str("the client was destroyed"),
            Self::SlotUnassigned(slot) => write!(f, "no node owns slot {slot}"),
            Self::Internal(text) => write!(f, "a defect: {text}"),
            Self::Refused(text) => write!(f, "the server refused: {text}"),
            // node-redis's words.
            Self::CannotSplit { name, step } => {
                write!(f, "Cannot split {name}: key region does not align with keystep {step}")
            }
            Self::ReconnectStrategy { text, .. } => write!(f, "reconnectStrategy: {text}"),
            Self::ClosedWhileConnecting => f.write_str("closed while connecting"),
            Self::Lookup(host) => write!(f, "unknown host {host}"),
            Self::TooManyBytes { node: Some(node), bound } => {
                write!(f, "commands for {node} hold {bound} bytes")
            }
            Self::TooManyBytes { node: None, bound } => write!(f, "commands hold {bound} bytes"),
            Self::ResponseTimeout => f.write_str("not answered in time"),
            Self::SocketTimeout(ms) => write!(f, "nothing was sent or received for {ms} ms"),
            Self::Hung(ms) => write!(f, "nothing came back for {ms} ms"),
            Self::WrongNode { expected, got } => write!(f, "node {got} instead of {expected}"),
        }
    }
}

impl std::error::Error for Error {}
