//! The way in of one connection: bytes to entries on the tape, entries to their requests.

use super::link::Link;
use super::pipeline::Owner;
use super::task::{CloseReason, OWN, SWALLOWED, Upstream};
use crate::resp::{Mark, Parser, ProtocolError, Step, Tape, kind};

/// A tape keeps at most this much memory when nothing is on it.
const TAPE_KEPT: usize = 1 << 20;

/// What EXEC says when it runs nothing because a command before it was refused.
const DISCARDED: &[u8] = b"EXECABORT";

/// What has come and is not delivered.
pub(super) struct Inbound {
    parser: Parser,
    tape: Tape,
    /// Where the entry being read begins.
    entry: Option<Mark>,
    /// Whole entries of this read: where they begin, and whether they are pushes.
    ends: Vec<(Mark, bool)>,
    /// What the oldest request of the queue was refused with, until its last reply comes.
    refused: Option<Refused>,
}

/// The first error in place of a reply to one of a request's steps.
struct Refused {
    step: u32,
    text: Vec<u8>,
}

/// An answer that is an error.
struct Failed<R> {
    request: R,
    /// Where it stands on the tape.
    entry: Mark,
    /// The request's bytes. `None` if what is behind the error was carried out all the same.
    bytes: Option<Vec<u8>>,
    /// The error that is the answer instead of the one on the tape.
    refused: Option<Vec<u8>>,
}

impl Inbound {
    pub(super) fn new(parser: Parser) -> Self {
        Self { parser, tape: Tape::default(), entry: None, ends: Vec::new(), refused: None }
    }

    /// Takes what was read.
    ///
    /// # Errors
    ///
    /// It is not RESP, or answers what nobody has asked.
    pub(super) fn on_bytes<U: Upstream>(
        &mut self,
        bytes: &[u8],
        link: &Link<U::Request>,
        upstream: &U,
    ) -> Result<(), CloseReason> {
        upstream.on_bytes();
        let parsed = self.parse(bytes);
        // What was whole before the error is still an answer.
        let paired = self.pair(link, upstream);
        let end = self.entry.unwrap_or_else(|| self.tape.mark());
        if end.words > 0 {
            upstream.deliver(&mut self.tape, end);
            self.entry = self.entry.map(|_| Mark::default());
            self.parser.on_drained(end);
        }
        if self.tape.is_empty() && self.tape.capacity() > TAPE_KEPT {
            self.tape = Tape::default();
        }
        parsed.map_err(CloseReason::Protocol).and(paired)
    }

    fn parse(&mut self, mut bytes: &[u8]) -> Result<(), ProtocolError> {
        while !bytes.is_empty() {
            let entry = *self.entry.get_or_insert_with(|| {
                let mark = self.tape.mark();
                self.tape.words.push(SWALLOWED);
                mark
            });
            let (used, push) = match self.parser.parse(bytes, &mut self.tape) {
                Ok(Step::NeedMore) => return Ok(()),
                Ok(Step::Reply(used)) => (used, false),
                Ok(Step::Push(used)) => (used, true),
                Err(error) => {
                    self.tape.truncate(entry);
                    self.entry = None;
                    return Err(error);
                }
            };
            self.ends.push((entry, push));
            self.entry = None;
            bytes = &bytes[used..];
        }
        Ok(())
    }

    fn pair<U: Upstream>(
        &mut self,
        link: &Link<U::Request>,
        upstream: &U,
    ) -> Result<(), CloseReason> {
        let Self { tape, ends, refused, .. } = self;
        let (mut failed, mut own) = (Vec::new(), false);
        let outcome = link.pair(|queue| {
            for &(entry, push) in ends.iter() {
                if push {
                    continue;
                }
                let kind = tape.words[entry.words + 1] & kind::MASK;
                let is_error = kind == kind::ERROR || kind == kind::BLOB_ERROR;
                let bytes = (is_error && !queue.expects_prelude()).then(|| queue.oldest_bytes());
                match queue.take_owner() {
                    Owner::Request(request) if is_error || refused.is_some() => {
                        let refused = refused.take();
                        // If even the first step was refused, the others were none; and only if the
                        // last one says so has nothing of it run.
                        let discarded = error_text(tape, entry).starts_with(DISCARDED);
                        let bytes = bytes
                            .filter(|_| refused.as_ref().is_none_or(|r| r.step > 0 && discarded));
                        let refused = refused.map(|refused| refused.text);
                        failed.push(Failed { request, entry, bytes, refused });
                    }
                    Owner::Request(request) => {
                        let word = upstream.on_reply(request);
                        tape.words[entry.words] = word;
                        own |= is_own(word);
                    }
                    Owner::Prelude(Some(step)) if is_error && refused.is_none() => {
                        *refused = Some(Refused { step, text: error_text(tape, entry).to_vec() });
                    }
                    Owner::Prelude(_) => {}
                    Owner::Nobody => return Err(CloseReason::Unsolicited),
                }
            }
            Ok(())
        });
        // Out of the lock: what is decided now may put requests into this very queue.
        for Failed { request, entry, bytes, refused } in failed {
            if let Some(text) = refused {
                upstream.on_refused(request, bytes, &text);
            } else if let Some(bytes) = bytes {
                let word = upstream.on_error(request, bytes, error_text(tape, entry));
                tape.words[entry.words] = word;
                own |= is_own(word);
            }
        }
        if own {
            self.hand_out_own(upstream);
        }
        self.ends.clear();
        outcome
    }

    /// Takes the upstream's own answers off the tape, and closes the gaps they leave.
    fn hand_out_own<U: Upstream>(&mut self, upstream: &U) {
        let whole = self.entry.unwrap_or_else(|| self.tape.mark());
        let starts: Vec<Mark> = self.ends.iter().map(|(start, _)| *start).chain([whole]).collect();
        let mut kept = starts[0];
        let mut large = Vec::new();
        for pair in starts.windows(2) {
            let (start, end) = (pair[0], pair[1]);
            let Tape { words, bytes, large: all_large } = &mut self.tape;
            let word = words[start.words];
            if is_own(word) {
                large.extend(all_large[start.large..end.large].iter_mut().map(std::mem::take));
                let value = &words[start.words + 1..end.words];
                upstream.on_own_reply(word, value, &bytes[start.bytes..end.bytes], &mut large);
                large.clear();
            } else {
                kept = self.tape.move_down(start, end, kept);
            }
        }
        // Behind them: the beginning of an entry that has not come to its end.
        let gone = whole.minus(kept);
        let end = self.tape.mark();
        let rest = self.tape.move_down(whole, end, kept);
        self.tape.truncate(rest);
        if self.entry.is_some() {
            self.entry = Some(kept);
            self.parser.on_drained(gone);
        }
    }
}

/// The text of the error that begins at `entry`.
fn error_text(tape: &Tape, entry: Mark) -> &[u8] {
    let length = (tape.words[entry.words + 1] >> kind::BITS) as usize;
    &tape.bytes[entry.bytes..entry.bytes + length]
}

/// Whether it stands before an answer of the upstream's own.
fn is_own(word: u32) -> bool {
    (OWN..SWALLOWED).contains(&word)
}
