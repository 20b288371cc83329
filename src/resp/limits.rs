//! How much a peer may ask of the parser, and what is said when it asks for more.

use thiserror::Error;

/// Bounds on one reply. None of them reserves memory: memory follows what has really arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How deep aggregates may nest. 1,024: servers nest below ten, scripts may build deeper trees,
    /// and a reader that recurses over a finished reply stays far from the end of its stack.
    pub depth: usize,
    /// Longest line in bytes: type byte, length or text, without CRLF. 1 MiB: lines are lengths,
    /// numbers, status and error texts; whatever is long travels as a blob.
    pub line: usize,
    /// Longest blob in bytes. 1 GiB: twice the server's default `proto-max-bulk-len`.
    pub blob: usize,
    /// Most elements an aggregate may announce. 2^27 - 1: what a tape word can hold.
    pub elements: usize,
    /// Longest reply in bytes, everything counted. 4 GiB: above it no client could hold the values.
    pub frame: u64,
}

impl Limits {
    /// The limits every connection uses.
    pub const DEFAULT: Self = Self {
        depth: 1_024,
        line: 1 << 20,
        blob: 1 << 30,
        elements: (1 << 27) - 1,
        frame: 1 << 32,
    };
}

/// Why bytes are not a reply. The stream is out of step afterwards and must be closed.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProtocolError {
    /// The first byte of a value is no RESP type.
    #[error("unknown RESP type: byte {0:#04x}")]
    UnknownType(u8),
    /// A length, count or integer is not a number of the allowed form.
    #[error("invalid RESP number {0:?}")]
    BadNumber(String),
    /// A boolean, null or verbatim string has the wrong form.
    #[error("malformed RESP {0}")]
    Malformed(&'static str),
    /// A blob is not followed by CRLF, or a line has a bare CR.
    #[error("missing CRLF in RESP data")]
    MissingCrlf,
    /// A push frame inside another value.
    #[error("RESP push inside a reply")]
    NestedPush,
    /// More levels than [`Limits::depth`].
    #[error("RESP nesting deeper than {0} levels")]
    TooDeep(usize),
    /// A line longer than [`Limits::line`].
    #[error("RESP line longer than {0} bytes")]
    LineTooLong(usize),
    /// A blob, aggregate or whole reply over its limit.
    #[error("RESP {what} of {got} is over the limit of {limit}")]
    TooLarge {
        /// What was announced: `blob`, `aggregate` or `reply`.
        what: &'static str,
        /// What was announced, or has arrived.
        got: u64,
        /// The limit it broke.
        limit: u64,
    },
}
