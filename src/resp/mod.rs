//! RESP2 and RESP3 as bytes: a resumable parser, the flat form a reply is kept in, and the encoder.
//!
//! Pure: knows no socket, no command and nothing of Redis Cluster.

mod encode;
mod limits;
mod number;
mod parser;
mod reply;
mod server_error;
mod tape;
mod walk;

pub use encode::{encode_command, push_argument, push_header};
pub use limits::{Limits, ProtocolError};
pub use parser::{Parser, Step};
pub use reply::Reply;
pub use server_error::ServerError;
pub use tape::{Mark, Tape, kind};
pub use walk::{elements, value_end};
