//! The flat form of replies: shape words beside payload bytes.
//!
//! One tape holds any number of entries; an entry is one word chosen by the writer (a ticket)
//! followed by one value. A value is a word, whose low five bits are its [`kind`] and whose upper
//! 27 bits are its length, then whatever the kind asks for:
//!
//! | kind | upper bits | follows |
//! |---|---|---|
//! | `NULL` | 0 | |
//! | `INT` | 0 | one word: the value as `i32` |
//! | `INT64` | 0 | two words: low half, high half |
//! | `BOOLEAN` | 0 or 1 | |
//! | `DOUBLE`, `BIG_NUMBER` | bytes | text in the payload |
//! | `SIMPLE`, `BLOB`, `VERBATIM` | bytes | ASCII in the payload; `.. + 1` is the same, not ASCII |
//! | `ERROR`, `BLOB_ERROR` | bytes | text in the payload |
//! | `ARRAY`, `SET`, `PUSH` | elements | that many values |
//! | `MAP` | pairs | twice that many values |
//! | `LARGE` | kind of a string | the string is the next of [`Tape::large`], not in the payload |
//! | `FAILURE` | code | one value with the details: the engine, not a server, gives this answer |
//!
//! The JavaScript decoder reads the same words (`js/decoder.js`); a test holds the two together.

/// Kinds of tape words. Public because the other side of the language boundary must agree.
pub mod kind {
    #![expect(missing_docs, reason = "the table in the module documentation says what each one is")]
    pub const NULL: u32 = 0;
    pub const INT: u32 = 1;
    pub const INT64: u32 = 2;
    pub const DOUBLE: u32 = 3;
    pub const BOOLEAN: u32 = 4;
    pub const BIG_NUMBER: u32 = 5;
    pub const SIMPLE: u32 = 6;
    pub const SIMPLE_UTF8: u32 = 7;
    pub const BLOB: u32 = 8;
    pub const BLOB_UTF8: u32 = 9;
    pub const VERBATIM: u32 = 10;
    pub const VERBATIM_UTF8: u32 = 11;
    pub const ERROR: u32 = 12;
    pub const BLOB_ERROR: u32 = 13;
    pub const ARRAY: u32 = 14;
    pub const SET: u32 = 15;
    pub const MAP: u32 = 16;
    pub const PUSH: u32 = 17;
    pub const LARGE: u32 = 18;
    pub const FAILURE: u32 = 19;

    /// Bits of a word that hold the kind.
    pub const BITS: u32 = 5;
    /// Mask of those bits.
    pub const MASK: u32 = (1 << BITS) - 1;
}

/// Strings from this length on are kept as buffers of their own ([`kind::LARGE`]).
///
/// 64 KiB: below it one more copy is cheaper than one more object on the other side; doubled,
/// a batch of such values would no longer fit the usual completion buffer.
pub(super) const LARGE_FROM: usize = 64 << 10;

/// Replies in flat form. See the module documentation.
#[derive(Debug, Default)]
pub struct Tape {
    /// Shape words.
    pub words: Vec<u32>,
    /// Payload of all strings that are not large, in order of their words.
    pub bytes: Vec<u8>,
    /// Large strings, in order of their words.
    pub large: Vec<Vec<u8>>,
}

/// A place in a tape, to come back to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mark {
    /// Words before the place.
    pub words: usize,
    /// Payload bytes before the place.
    pub bytes: usize,
    /// Large strings before the place.
    pub large: usize,
}

impl Mark {
    /// The place that is `more` further on.
    pub(crate) fn plus(self, more: Self) -> Self {
        Self {
            words: self.words + more.words,
            bytes: self.bytes + more.bytes,
            large: self.large + more.large,
        }
    }

    /// The same place once everything before `taken` is gone.
    pub(crate) fn minus(self, taken: Self) -> Self {
        Self {
            words: self.words - taken.words,
            bytes: self.bytes - taken.bytes,
            large: self.large - taken.large,
        }
    }
}

impl Tape {
    /// Says whether nothing is on the tape.
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// The place where the next word will go.
    pub fn mark(&self) -> Mark {
        Mark { words: self.words.len(), bytes: self.bytes.len(), large: self.large.len() }
    }

    /// Forgets everything after `mark`.
    pub fn truncate(&mut self, mark: Mark) {
        self.words.truncate(mark.words);
        self.bytes.truncate(mark.bytes);
        self.large.truncate(mark.large);
    }

    /// Forgets everything, keeps the memory.
    pub fn clear(&mut self) {
        self.truncate(Mark::default());
    }

    /// Memory that clearing would keep, in bytes.
    pub fn capacity(&self) -> usize {
        self.words.capacity() * size_of::<u32>() + self.bytes.capacity()
    }

    /// Moves everything before `mark` to the end of `target`; what came after `mark` stays.
    pub fn drain_into(&mut self, mark: Mark, target: &mut Self) {
        target.words.extend(self.words.drain(..mark.words));
        target.bytes.extend(self.bytes.drain(..mark.bytes));
        target.large.extend(self.large.drain(..mark.large));
    }

    /// Moves what is between two places down to `to`, over what was there; returns its new end. What
    /// is left behind has no meaning.
    pub(crate) fn move_down(&mut self, start: Mark, end: Mark, to: Mark) -> Mark {
        if start != to {
            self.words.copy_within(start.words..end.words, to.words);
            self.bytes.copy_within(start.bytes..end.bytes, to.bytes);
            (start.large..end.large)
                .zip(to.large..)
                .for_each(|(from, to)| self.large.swap(from, to));
        }
        to.plus(end.minus(start))
    }

    /// Writes a word of `kind` with `len` in its upper bits.
    pub fn push_word(&mut self, kind: u32, len: usize) {
        self.words.push(kind | (len as u32) << kind::BITS);
    }

    /// Writes an integer.
    pub fn push_int(&mut self, value: i64) {
        if let Ok(small) = i32::try_from(value) {
            self.words.extend_from_slice(&[kind::INT, small as u32]);
        } else {
            self.words.extend_from_slice(&[kind::INT64, value as u32, (value >> 32) as u32]);
        }
    }

    /// Writes a whole string whose ASCII kind is `kind` (the other kind is `kind + 1`).
    pub fn push_string(&mut self, kind: u32, text: &[u8]) {
        let kind = string_kind(kind, text);
        if text.len() >= LARGE_FROM {
            self.push_word(kind::LARGE, kind as usize);
            self.large.push(text.to_vec());
        } else {
            self.push_word(kind, text.len());
            self.bytes.extend_from_slice(text);
        }
    }

    /// Writes text of a kind that has no ASCII variant (errors, doubles, big numbers).
    pub fn push_text(&mut self, kind: u32, text: &[u8]) {
        self.push_word(kind, text.len());
        self.bytes.extend_from_slice(text);
    }
}

/// `kind`, or its variant for strings that are not ASCII.
pub(super) fn string_kind(kind: u32, text: &[u8]) -> u32 {
    if text.is_ascii() { kind } else { kind + 1 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draining_moves_whole_entries_and_keeps_the_rest() {
        let mut tape = Tape::default();
        tape.push_string(kind::BLOB, b"one");
        let mark = tape.mark();
        tape.push_string(kind::BLOB, "zwö".as_bytes());
        tape.push_string(kind::BLOB, &[b'x'; LARGE_FROM]);
        let mut target = Tape::default();
        tape.drain_into(mark, &mut target);
        assert_eq!(target.words, [kind::BLOB | 3 << kind::BITS]);
        assert_eq!(target.bytes, b"one");
        let large = kind::LARGE | kind::BLOB << kind::BITS;
        assert_eq!(tape.words, [kind::BLOB_UTF8 | 4 << kind::BITS, large]);
        assert_eq!(tape.bytes, "zwö".as_bytes());
        assert_eq!(tape.large[0].len(), LARGE_FROM);
    }

    #[test]
    fn what_is_moved_down_closes_the_gap() {
        let mut tape = Tape::default();
        tape.push_string(kind::BLOB, b"one");
        let start = tape.mark();
        tape.push_string(kind::BLOB, b"gone");
        tape.push_string(kind::BLOB, &[b'x'; LARGE_FROM]);
        let end = tape.mark();
        tape.push_string(kind::BLOB, b"three");
        tape.push_string(kind::BLOB, &[b'y'; LARGE_FROM]);
        let last = tape.mark();
        let moved = tape.move_down(end, last, start);
        tape.truncate(moved);
        assert_eq!(moved, Mark { words: 3, bytes: 8, large: 1 });
        assert_eq!((tape.bytes.as_slice(), tape.large[0][0]), (&b"onethree"[..], b'y'));
        assert_eq!(tape.words[1], kind::BLOB | 5 << kind::BITS);
        assert_eq!(end.minus(end.minus(start)), start);
    }

    #[test]
    fn integers_take_the_smallest_form() {
        let mut tape = Tape::default();
        for value in [0, -1, i64::from(i32::MAX), i64::from(i32::MIN), 1 << 31, i64::MIN] {
            tape.push_int(value);
        }
        let min = [kind::INT64, 0, 0x8000_0000];
        assert_eq!(tape.words[..4], [kind::INT, 0, kind::INT, u32::MAX]);
        assert_eq!(tape.words[8..11], [kind::INT64, 0x8000_0000, 0]);
        assert_eq!(tape.words[11..], min);
    }
}
