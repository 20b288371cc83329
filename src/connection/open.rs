//! A socket before it serves a link: question by question, each answered before the next is put.

use super::handshake::{Handshake, HandshakeOptions, Progress};
use super::socket::within;
use super::stream::{Reader, Writer};
use super::task::Scratch;
use crate::resp::{Limits, Parser, ProtocolError, Reply, Step, Tape};
use std::io;
use std::time::Duration;

/// Why a fresh socket could not be put to use.
#[derive(Debug)]
pub(crate) enum OpenError {
    /// The peer closed it.
    Closed,
    /// The system reported an error on it.
    Io(io::Error),
    /// What came is not RESP.
    Protocol(ProtocolError),
    /// The server refused a command of the handshake; its words.
    Refused(String),
    /// No answer in time.
    Silent,
}

/// A socket for one question at a time.
#[derive(Debug)]
pub(crate) struct Exchange {
    reader: Reader,
    writer: Writer,
    parser: Parser,
    scratch: Scratch,
    /// Bytes that came behind the last answer.
    early: Vec<u8>,
}

/// A socket that is ready to serve a link.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(super) reader: Reader,
    pub(super) writer: Writer,
    pub(super) parser: Parser,
    pub(super) early: Vec<u8>,
}

impl Exchange {
    pub(crate) fn new((reader, writer): (Reader, Writer), scratch: Scratch) -> Self {
        let parser = Parser::new(Limits::DEFAULT);
        Self { reader, writer, parser, scratch, early: Vec::new() }
    }

    /// Greets the server, within `limit`. Returns the text of its last reply, if it is text: its id if
    /// that was asked for.
    ///
    /// # Errors
    ///
    /// [`OpenError::Refused`] with the server's words, or why there were none.
    pub(crate) async fn greet(
        &mut self,
        options: &HandshakeOptions<'_>,
        limit: Option<Duration>,
    ) -> Result<Option<String>, OpenError> {
        let mut handshake = Handshake::new(options);
        if handshake.is_empty() {
            return Ok(None);
        }
        let mut bytes = Vec::new();
        handshake.encode(&mut bytes);
        let greeting = async {
            self.writer.write_all(&bytes).await.map_err(OpenError::Io)?;
            loop {
                let tape = self.answer().await?;
                let reply = Reply::read(&tape);
                let error = match reply {
                    Some(Reply::Error(text)) => Some(text),
                    _ => None,
                };
                match handshake.on_reply(error) {
                    Progress::More => {}
                    Progress::Done => {
                        let text = reply.as_ref().and_then(Reply::as_bytes);
                        return Ok(text.map(|text| String::from_utf8_lossy(text).into_owned()));
                    }
                    Progress::Failed(text) => return Err(OpenError::Refused(text)),
                }
            }
        };
        within(limit, greeting).await.unwrap_or(Err(OpenError::Silent))
    }

    /// Sends one encoded command and waits for its answer, within `limit`.
    ///
    /// # Errors
    ///
    /// Why there is no answer. An error reply is an answer.
    pub(crate) async fn ask(
        &mut self,
        bytes: &[u8],
        limit: Option<Duration>,
    ) -> Result<Tape, OpenError> {
        let asking = async {
            self.writer.write_all(bytes).await.map_err(OpenError::Io)?;
            self.answer().await
        };
        within(limit, asking).await.unwrap_or(Err(OpenError::Silent))
    }

    /// The socket, to serve a link from now on.
    pub(crate) fn into_opened(self) -> Opened {
        let Self { reader, writer, parser, early, .. } = self;
        Opened { reader, writer, parser, early }
    }

    /// The next reply; push frames before it are nobody's.
    async fn answer(&mut self) -> Result<Tape, OpenError> {
        let mut tape = Tape::default();
        loop {
            let bytes = std::mem::take(&mut self.early);
            let mut rest = &bytes[..];
            while !rest.is_empty() {
                match self.parser.parse(rest, &mut tape).map_err(OpenError::Protocol)? {
                    Step::NeedMore => break,
                    Step::Reply(used) => {
                        self.early = rest[used..].to_vec();
                        return Ok(tape);
                    }
                    Step::Push(used) => {
                        tape.clear();
                        rest = &rest[used..];
                    }
                }
            }
            let read = self.scratch.read(&mut self.reader, <[u8]>::to_vec).await;
            self.early = read.map_err(OpenError::Io)?.ok_or(OpenError::Closed)?;
        }
    }
}
