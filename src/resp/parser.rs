//! Bytes to tape, resumable at every byte, without recursion.

use super::limits::{Limits, ProtocolError};
use super::number::{check_big_number, check_double, parse_int, parse_length};
use super::tape::{LARGE_FROM, Mark, Tape, kind, string_kind};
use memchr::memchr;

/// A large blob gets room for at most this many bytes before they have come.
///
/// 1 MiB of address space, which becomes memory as bytes are written to it. Without it a blob of
/// that size would be moved three times while it grows, each time to fresh pages.
const RESERVE_MAX: usize = 1 << 20;

/// What a call to [`Parser::parse`] came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// All input is used up and the value is not whole yet.
    NeedMore,
    /// A whole reply is on the tape. The number says how much of the input was used.
    Reply(usize),
    /// A whole push frame is on the tape. The number says how much of the input was used.
    Push(usize),
}

/// Reads one value after the other from a stream of bytes and writes each to a [`Tape`].
///
/// ```text
///            line incomplete                    payload incomplete
///          +-----------------+                 +------------------+
///          v                 |                 v                  |
///        Header --line--> opens a blob --> Payload --all bytes--> Tail (CRLF)
///          ^ |                                                     |
///          | +--> opens an aggregate: onto `stack`                 |
///          +---- value complete, something still owed <------------+
///                                    nothing owed: Step::Reply or Step::Push
/// ```
///
/// Attributes (`|`) are read and forgotten: they decorate the next value, and node-redis has no
/// place for them.
#[derive(Debug)]
pub struct Parser {
    limits: Limits,
    state: State,
    /// Open aggregates, outermost first. Empty: the next byte starts a reply.
    stack: Vec<Open>,
    /// The part of a header line that came with earlier input.
    line: Vec<u8>,
    /// Bytes of the current reply so far, not counting the input being read.
    before: u64,
    /// The current reply is a push frame.
    push: bool,
}

#[derive(Debug)]
enum State {
    Header,
    /// Inside a blob; `missing` bytes are still to come.
    Payload {
        blob: Blob,
        missing: usize,
    },
    /// After a blob; `seen` bytes of its CRLF have come.
    Tail {
        seen: usize,
    },
}

/// A blob whose bytes are arriving.
#[derive(Clone, Copy, Debug)]
struct Blob {
    /// Tape kind to give it once it is whole.
    kind: u32,
    /// Where its word stands; its payload follows the payload before the word.
    at: Mark,
    large: bool,
}

/// An aggregate that still waits for elements.
#[derive(Clone, Copy, Debug)]
struct Open {
    owed: usize,
    /// Set for an attribute: where the tape ends again once it has been read.
    forget_to: Option<Mark>,
}

impl Parser {
    /// A parser at the start of a stream.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            state: State::Header,
            stack: Vec::new(),
            line: Vec::new(),
            before: 0,
            push: false,
        }
    }

    /// Says whether the next byte starts a reply.
    pub fn at_start(&self) -> bool {
        self.stack.is_empty() && self.line.is_empty() && matches!(self.state, State::Header)
    }

    /// Says that as much as lies before `taken` was taken off the tape, in front of the value being
    /// read, between two values.
    pub fn on_drained(&mut self, taken: Mark) {
        if let State::Payload { blob, .. } = &mut self.state {
            blob.at = blob.at.minus(taken);
        }
        for mark in self.stack.iter_mut().filter_map(|open| open.forget_to.as_mut()) {
            *mark = mark.minus(taken);
        }
    }

    /// Reads from `input` until one value is whole or the input ends.
    ///
    /// # Errors
    ///
    /// [`ProtocolError`] if the bytes cannot be RESP. The parser must not be used afterwards.
    pub fn parse(&mut self, input: &[u8], tape: &mut Tape) -> Result<Step, ProtocolError> {
        let mut at = 0;
        loop {
            let complete = match self.state {
                State::Header => match self.take_line(input, &mut at)? {
                    Line::Missing => return self.need_more(at),
                    Line::Input(start, end) => self.on_header(&input[start..end], tape)?,
                    Line::Kept => {
                        let line = std::mem::take(&mut self.line);
                        let complete = self.on_header(&line, tape)?;
                        self.line = line;
                        self.line.clear();
                        complete
                    }
                },
                State::Payload { blob, missing } => {
                    let here = missing.min(input.len() - at);
                    append(tape, blob, &input[at..at + here]);
                    at += here;
                    if here < missing {
                        self.state = State::Payload { blob, missing: missing - here };
                        return self.need_more(at);
                    }
                    finish(tape, blob);
                    self.state = State::Tail { seen: 0 };
                    false
                }
                State::Tail { seen } => {
                    let Some(byte) = input.get(at) else { return self.need_more(at) };
                    if *byte != b"\r\n"[seen] {
                        return Err(ProtocolError::MissingCrlf);
                    }
                    at += 1;
                    self.state = if seen == 0 { State::Tail { seen: 1 } } else { State::Header };
                    seen == 1
                }
            };
            if complete && self.close_value(tape) {
                self.check_frame(at)?;
                self.before = 0;
                let push = std::mem::take(&mut self.push);
                return Ok(if push { Step::Push(at) } else { Step::Reply(at) });
            }
        }
    }

    fn need_more(&mut self, used: usize) -> Result<Step, ProtocolError> {
        self.check_frame(used)?;
        self.before += used as u64;
        Ok(Step::NeedMore)
    }

    fn check_frame(&self, used: usize) -> Result<(), ProtocolError> {
        let (got, limit) = (self.before + used as u64, self.limits.frame);
        if got > limit {
            return Err(ProtocolError::TooLarge { what: "reply", got, limit });
        }
        Ok(())
    }

    /// Finds the next header line; keeps what is there when it is not whole.
    fn take_line(&mut self, input: &[u8], at: &mut usize) -> Result<Line, ProtocolError> {
        let start = *at;
        let rest = &input[start..];
        // The CR of a pair may have come with earlier input.
        if self.line.last() == Some(&b'\r') {
            let Some(byte) = rest.first() else { return Ok(Line::Missing) };
            if *byte != b'\n' {
                return Err(ProtocolError::MissingCrlf);
            }
            self.line.pop();
            *at += 1;
            return Ok(Line::Kept);
        }
        match find_cr(rest) {
            Some(cr) if cr + 1 < rest.len() => {
                if rest[cr + 1] != b'\n' {
                    return Err(ProtocolError::MissingCrlf);
                }
                *at += cr + 2;
                if self.line.len() + cr > self.limits.line {
                    return Err(ProtocolError::LineTooLong(self.limits.line));
                }
                if self.line.is_empty() {
                    return Ok(Line::Input(start, start + cr));
                }
                self.line.extend_from_slice(&rest[..cr]);
                Ok(Line::Kept)
            }
            _ => {
                if self.line.len() + rest.len() > self.limits.line + 1 {
                    return Err(ProtocolError::LineTooLong(self.limits.line));
                }
                self.line.extend_from_slice(rest);
                *at = input.len();
                Ok(Line::Missing)
            }
        }
    }

    /// Acts on one whole line. Says whether it completed a value.
    fn on_header(&mut self, line: &[u8], tape: &mut Tape) -> Result<bool, ProtocolError> {
        let Some((type_byte, text)) = line.split_first() else {
            return Err(ProtocolError::UnknownType(b'\r'));
        };
        match type_byte {
            b'$' => self.open_blob(kind::BLOB, text, tape),
            b'=' => self.open_blob(kind::VERBATIM, text, tape),
            b'!' => self.open_blob(kind::BLOB_ERROR, text, tape),
            b'*' => self.open_aggregate(kind::ARRAY, text, tape),
            b'~' => self.open_aggregate(kind::SET, text, tape),
            b'%' => self.open_aggregate(kind::MAP, text, tape),
            b'>' if !self.stack.is_empty() => Err(ProtocolError::NestedPush),
            b'>' => {
                self.push = true;
                self.open_aggregate(kind::PUSH, text, tape)
            }
            b'|' => self.open_attribute(text, tape),
            scalar => {
                on_scalar(*scalar, text, tape)?;
                Ok(true)
            }
        }
    }

    fn open_blob(
        &mut self,
        kind: u32,
        text: &[u8],
        tape: &mut Tape,
    ) -> Result<bool, ProtocolError> {
        // RESP2 nil; RESP3 has a type of its own for it.
        if text == b"-1" && kind == kind::BLOB {
            tape.push_word(kind::NULL, 0);
            return Ok(true);
        }
        let length = parse_length(text)?;
        // Errors are read by the engine, so they stay in the payload, and short.
        let is_error = kind == kind::BLOB_ERROR;
        let limit = if is_error { self.limits.line } else { self.limits.blob };
        if length > limit {
            let (got, limit) = (length as u64, limit as u64);
            return Err(ProtocolError::TooLarge { what: "blob", got, limit });
        }
        if kind == kind::VERBATIM && length < 4 {
            return Err(ProtocolError::Malformed("verbatim string"));
        }
        let large = length >= LARGE_FROM && !is_error;
        let at = tape.mark();
        if large {
            tape.push_word(kind::LARGE, kind as usize);
            tape.large.push(Vec::with_capacity(length.min(RESERVE_MAX)));
        } else {
            tape.push_word(kind, length);
        }
        self.state = State::Payload { blob: Blob { kind, at, large }, missing: length };
        Ok(false)
    }

    fn open_aggregate(
        &mut self,
        kind: u32,
        text: &[u8],
        tape: &mut Tape,
    ) -> Result<bool, ProtocolError> {
        if text == b"-1" && kind == kind::ARRAY {
            tape.push_word(kind::NULL, 0);
            return Ok(true);
        }
        let count = self.parse_count(text)?;
        tape.push_word(kind, count);
        let owed = if kind == kind::MAP { 2 * count } else { count };
        self.open(Open { owed, forget_to: None })
    }

    fn open_attribute(&mut self, text: &[u8], tape: &mut Tape) -> Result<bool, ProtocolError> {
        let owed = 2 * self.parse_count(text)?;
        // An empty one is over at once, and completes nothing.
        if owed == 0 {
            return Ok(false);
        }
        self.open(Open { owed, forget_to: Some(tape.mark()) })
    }

    /// Says whether the aggregate is complete at once, being empty.
    fn open(&mut self, open: Open) -> Result<bool, ProtocolError> {
        if open.owed == 0 {
            return Ok(true);
        }
        if self.stack.len() == self.limits.depth {
            return Err(ProtocolError::TooDeep(self.limits.depth));
        }
        self.stack.push(open);
        Ok(false)
    }

    fn parse_count(&self, text: &[u8]) -> Result<usize, ProtocolError> {
        let count = parse_length(text)?;
        if count > self.limits.elements {
            let (got, limit) = (count as u64, self.limits.elements as u64);
            return Err(ProtocolError::TooLarge { what: "aggregate", got, limit });
        }
        Ok(count)
    }

    /// Counts one finished value for those that wait for it. Says whether nothing waits any more.
    fn close_value(&mut self, tape: &mut Tape) -> bool {
        while let Some(top) = self.stack.last_mut() {
            top.owed -= 1;
            if top.owed > 0 {
                return false;
            }
            let forget_to = top.forget_to;
            self.stack.pop();
            if let Some(mark) = forget_to {
                // The attribute is read; what it decorates is still to come.
                tape.truncate(mark);
                return false;
            }
        }
        true
    }
}

enum Line {
    /// Between these places of the input.
    Input(usize, usize),
    /// In `self.line`.
    Kept,
    Missing,
}

/// Types that are whole with their line.
fn on_scalar(type_byte: u8, text: &[u8], tape: &mut Tape) -> Result<(), ProtocolError> {
    match type_byte {
        b':' => tape.push_int(parse_int(text)?),
        b'+' => tape.push_string(kind::SIMPLE, text),
        b'-' => tape.push_text(kind::ERROR, text),
        b'_' if text.is_empty() => tape.push_word(kind::NULL, 0),
        b'_' => return Err(ProtocolError::Malformed("null")),
        b'#' => match text {
            b"t" => tape.push_word(kind::BOOLEAN, 1),
            b"f" => tape.push_word(kind::BOOLEAN, 0),
            _ => return Err(ProtocolError::Malformed("boolean")),
        },
        b',' => tape.push_text(kind::DOUBLE, check_double(text)?),
        b'(' => tape.push_text(kind::BIG_NUMBER, check_big_number(text)?),
        other => return Err(ProtocolError::UnknownType(other)),
    }
    Ok(())
}

/// Header lines are a few bytes long: looking at each is quicker than setting up a vector search.
fn find_cr(rest: &[u8]) -> Option<usize> {
    const SHORT: usize = 12;
    let near = &rest[..rest.len().min(SHORT)];
    match near.iter().position(|byte| *byte == b'\r') {
        Some(found) => Some(found),
        None => memchr(b'\r', &rest[near.len()..]).map(|found| found + near.len()),
    }
}

fn append(tape: &mut Tape, blob: Blob, part: &[u8]) {
    if blob.large {
        // Beyond what was reserved the vector doubles: memory follows what came.
        if let Some(target) = tape.large.last_mut() {
            target.extend_from_slice(part);
        }
    } else {
        tape.bytes.extend_from_slice(part);
    }
}

/// Now that all bytes are there: is it ASCII?
fn finish(tape: &mut Tape, blob: Blob) {
    if blob.kind == kind::BLOB_ERROR {
        return;
    }
    let text =
        if blob.large { &tape.large[blob.at.large][..] } else { &tape.bytes[blob.at.bytes..] };
    let (kind, length) = (string_kind(blob.kind, text), text.len());
    let (kind, length) = if blob.large { (kind::LARGE, kind as usize) } else { (kind, length) };
    tape.words[blob.at.words] = kind | (length as u32) << kind::BITS;
}

#[cfg(test)]
mod tests;
