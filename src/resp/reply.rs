//! A reply as a tree, for those few that the engine itself reads (topology, handshake).

use super::tape::{Tape, kind};

/// One value, borrowed from the tape it stands on.
#[derive(Clone, Debug, PartialEq)]
pub enum Reply<'a> {
    /// RESP3 null, RESP2 nil string or nil array.
    Null,
    /// Integer.
    Int(i64),
    /// Text of a double, `inf`, `-inf` and `nan` included.
    Double(&'a [u8]),
    /// Boolean.
    Boolean(bool),
    /// Decimal text of a big number.
    BigNumber(&'a [u8]),
    /// Simple string.
    Simple(&'a [u8]),
    /// Blob string.
    Blob(&'a [u8]),
    /// Verbatim string, its three-letter format and colon included.
    Verbatim(&'a [u8]),
    /// Simple or blob error.
    Error(&'a [u8]),
    /// Array.
    Array(Vec<Self>),
    /// Set.
    Set(Vec<Self>),
    /// Map, in the server's order.
    Map(Vec<(Self, Self)>),
    /// Push frame.
    Push(Vec<Self>),
}

impl<'a> Reply<'a> {
    /// Reads the value at the start of `tape`. `None` if the tape holds none.
    pub fn read(tape: &'a Tape) -> Option<Self> {
        Cursor { tape, word: 0, byte: 0, large: 0 }.value()
    }

    /// The bytes of a simple, blob or verbatim string.
    pub fn as_bytes(&self) -> Option<&'a [u8]> {
        match self {
            Self::Simple(text) | Self::Blob(text) => Some(text),
            Self::Verbatim(text) => text.get(4..),
            _ => None,
        }
    }

    /// The value of an integer.
    pub fn as_int(&self) -> Option<i64> {
        match self {
            Self::Int(value) => Some(*value),
            _ => None,
        }
    }

    /// The elements of an array, set or push frame.
    pub fn as_array(&self) -> Option<&[Self]> {
        match self {
            Self::Array(items) | Self::Set(items) | Self::Push(items) => Some(items),
            _ => None,
        }
    }
}

struct Cursor<'a> {
    tape: &'a Tape,
    word: usize,
    byte: usize,
    large: usize,
}

impl<'a> Cursor<'a> {
    /// Recursion is as deep as the parser let the reply be ([`super::Limits::depth`]).
    fn value(&mut self) -> Option<Reply<'a>> {
        let word = self.next_word()?;
        let (kind, len) = (word & kind::MASK, (word >> kind::BITS) as usize);
        Some(match kind {
            kind::NULL => Reply::Null,
            kind::INT => Reply::Int(i64::from(self.next_word()? as i32)),
            kind::INT64 => {
                let (low, high) = (self.next_word()?, self.next_word()?);
                Reply::Int((u64::from(high) << 32 | u64::from(low)) as i64)
            }
            kind::BOOLEAN => Reply::Boolean(len == 1),
            kind::ARRAY => Reply::Array(self.values(len)?),
            kind::SET => Reply::Set(self.values(len)?),
            kind::PUSH => Reply::Push(self.values(len)?),
            kind::MAP => {
                let pairs = (0..len).map(|_| Some((self.value()?, self.value()?)));
                Reply::Map(pairs.collect::<Option<_>>()?)
            }
            kind::LARGE => {
                let text = self.tape.large.get(self.large)?;
                self.large += 1;
                text_reply(len as u32, text)?
            }
            text_kind => {
                let text = self.tape.bytes.get(self.byte..self.byte + len)?;
                self.byte += len;
                text_reply(text_kind, text)?
            }
        })
    }

    fn values(&mut self, count: usize) -> Option<Vec<Reply<'a>>> {
        (0..count).map(|_| self.value()).collect()
    }

    fn next_word(&mut self) -> Option<u32> {
        let word = self.tape.words.get(self.word)?;
        self.word += 1;
        Some(*word)
    }
}

fn text_reply(kind: u32, text: &[u8]) -> Option<Reply<'_>> {
    Some(match kind {
        kind::DOUBLE => Reply::Double(text),
        kind::BIG_NUMBER => Reply::BigNumber(text),
        kind::SIMPLE | kind::SIMPLE_UTF8 => Reply::Simple(text),
        kind::BLOB | kind::BLOB_UTF8 => Reply::Blob(text),
        kind::VERBATIM | kind::VERBATIM_UTF8 => Reply::Verbatim(text),
        kind::ERROR | kind::BLOB_ERROR => Reply::Error(text),
        _ => return None,
    })
}
