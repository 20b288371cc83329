//! What the engine hands to its user, read from a tape.

use super::wire::Said;
use crate::cluster::Ticket;
use crate::resp::{Tape, kind};

/// An answer as the user gets it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// The engine's own word that there is no reply: [`crate::error::Error::code`].
    Failure(u32),
    /// What a server said.
    Reply(Said),
}

/// All entries of a tape, in order: tickets (or [`crate::cluster::EVENT`]) and answers.
pub(super) fn read_all(tape: &Tape) -> Vec<(Ticket, Answer)> {
    let mut cursor = Cursor { tape, word: 0, byte: 0, large: 0 };
    let mut answers = Vec::new();
    while cursor.word < tape.words.len() {
        let ticket = cursor.next_word();
        let first = tape.words[cursor.word];
        let value = cursor.value();
        answers.push((
            ticket,
            match first & kind::MASK {
                kind::FAILURE => Answer::Failure(first >> kind::BITS),
                _ => Answer::Reply(value),
            },
        ));
    }
    answers
}

struct Cursor<'a> {
    tape: &'a Tape,
    word: usize,
    byte: usize,
    large: usize,
}

impl Cursor<'_> {
    fn next_word(&mut self) -> u32 {
        self.word += 1;
        self.tape.words[self.word - 1]
    }

    fn value(&mut self) -> Said {
        let word = self.next_word();
        let (kind, length) = (word & kind::MASK, (word >> kind::BITS) as usize);
        match kind {
            kind::NULL => Said::Null,
            kind::INT => Said::Int(i64::from(self.next_word() as i32)),
            kind::INT64 => {
                let (low, high) = (self.next_word(), self.next_word());
                Said::Int((u64::from(high) << 32 | u64::from(low)) as i64)
            }
            kind::ARRAY | kind::PUSH | kind::SET => {
                Said::List((0..length).map(|_| self.value()).collect())
            }
            kind::MAP => Said::List((0..2 * length).map(|_| self.value()).collect()),
            // A failure is its code, and a value with details.
            kind::FAILURE => Said::List(vec![Said::Int(length as i64), self.value()]),
            kind::LARGE => {
                self.large += 1;
                text(&self.tape.large[self.large - 1])
            }
            _ => {
                let bytes = &self.tape.bytes[self.byte..self.byte + length];
                self.byte += length;
                match (kind, bytes) {
                    (kind::ERROR | kind::BLOB_ERROR, _) => {
                        Said::Error(String::from_utf8_lossy(bytes).into_owned())
                    }
                    (kind::SIMPLE, b"OK") => Said::Ok,
                    _ => text(bytes),
                }
            }
        }
    }
}

fn text(bytes: &[u8]) -> Said {
    Said::Text(String::from_utf8_lossy(bytes).into_owned())
}
