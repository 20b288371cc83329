//! Moves bytes between one socket and its link until the socket closes.
//!
//! What can be decided without a socket is in [`super::pipeline`]; who gets an answer is decided by
//! the [`Upstream`]. What is left here is moving bytes. Reconnecting is the caller's business.

use super::link::Link;
use super::open::Opened;
use super::pipeline::{Claim, Owner, Payload};
use super::stream::Reader;
use crate::resp::{Mark, Parser, ProtocolError, Step, Tape, kind};
use std::cell::RefCell;
use std::future::poll_fn;
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;
use tokio::io::ReadBuf;

/// Bytes read by one system call.
///
/// 256 KiB: a thousand small replies, or a quarter of a large one. Halved, large values cost
/// noticeably more system calls; doubled, the buffer no longer stays in the processor's cache.
const READ_LEN: usize = 256 << 10;
/// A tape keeps at most this much memory when nothing is on it.
const TAPE_KEPT: usize = 1 << 20;
/// The word before a value that nobody waits for.
pub(crate) const SWALLOWED: u32 = u32::MAX - 1;
/// Words from here to [`SWALLOWED`] stand before answers of the upstream's own.
pub(crate) const OWN: u32 = 1 << 31;

/// Who hears of what a connection receives. Called on the I/O thread; must not block.
pub(crate) trait Upstream {
    /// What travels with a request's bytes.
    type Request: Payload;

    /// The word to put before this request's answer, which is not an error. One from [`OWN`] on says
    /// that the answer is the upstream's own: it does not go to the others.
    fn on_reply(&self, request: Self::Request) -> u32;

    /// An answer of the upstream's own, one value, behind `word`: its words, and the payload of its
    /// strings. Large ones may be taken.
    fn on_own_reply(&self, word: u32, words: &[u32], bytes: &[u8], large: &mut Vec<Vec<u8>>);

    /// Bytes have come, whatever they are.
    fn on_bytes(&self);

    /// An error reply: `text`, to a request that was `bytes`. Returns the word to put before it,
    /// [`SWALLOWED`] if it is not to be delivered. The queue may be used.
    fn on_error(&self, request: Self::Request, bytes: Vec<u8>, text: &[u8]) -> u32;

    /// A request of several steps has its answer: the error `text`, with which one of them was refused.
    /// `bytes` are the request's if its last reply says that none of its steps was carried out. The
    /// queue may be used.
    fn on_refused(&self, request: Self::Request, bytes: Option<Vec<u8>>, text: &[u8]);

    /// Everything on the tape before `end` is complete; it is to be taken off.
    fn deliver(&self, tape: &mut Tape, end: Mark);
}

/// Why a socket is no longer used.
#[derive(Debug)]
pub(crate) enum CloseReason {
    /// The peer closed it.
    PeerClosed,
    /// The system reported an error on it.
    Io(io::Error),
    /// What came is not RESP, or answers a question nobody asked.
    Protocol(ProtocolError),
    /// More replies than requests.
    Unsolicited,
}

/// The read buffer that all connections of the I/O thread share.
#[derive(Clone, Debug)]
pub struct Scratch(Rc<RefCell<Vec<u8>>>);

impl Scratch {
    /// One buffer, for one thread.
    #[expect(clippy::new_without_default, reason = "it is a quarter of a megabyte")]
    pub fn new() -> Self {
        Self(Rc::new(RefCell::new(vec![0; READ_LEN])))
    }

    /// Waits for bytes and calls `use_bytes` with them before anyone else can read.
    pub(super) async fn read<T>(
        &self,
        socket: &mut Reader,
        mut use_bytes: impl FnMut(&[u8]) -> T,
    ) -> io::Result<Option<T>> {
        poll_fn(|context| {
            let mut buffer = self.0.borrow_mut();
            let mut space = ReadBuf::new(&mut buffer);
            match socket.poll_read(context, &mut space) {
                Poll::Pending => Poll::Pending,
                Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
                Poll::Ready(Ok(())) if space.filled().is_empty() => Poll::Ready(Ok(None)),
                Poll::Ready(Ok(())) => Poll::Ready(Ok(Some(use_bytes(space.filled())))),
            }
        })
        .await
    }
}

/// Serves `link` with the socket until the socket ends. The link must be detached by the caller.
pub(crate) async fn run<U: Upstream>(
    opened: Opened,
    link: &Link<U::Request>,
    upstream: &U,
    scratch: &Scratch,
) -> CloseReason {
    let Opened { mut reader, writer, parser, early } = opened;
    let mut inbound =
        Inbound { parser, tape: Tape::default(), entry: None, ends: Vec::new(), refused: None };
    if let Err(reason) = inbound.on_bytes(&early, link, upstream) {
        return reason;
    }
    let writer = Arc::new(writer);
    link.attach(Arc::clone(&writer));
    let (mut claims, mut full): (Vec<Claim>, bool) = (Vec::new(), false);
    loop {
        // Cancel safety: each branch may lose to another without losing data. A read takes nothing
        // unless it finishes, a wake-up is kept, and readiness to write is only a hint.
        tokio::select! {
            biased;
            read = scratch.read(&mut reader, |bytes| inbound.on_bytes(bytes, link, upstream)) => {
                match read {
                    Ok(Some(Ok(()))) => {}
                    Ok(Some(Err(reason))) => return reason,
                    Ok(None) => return CloseReason::PeerClosed,
                    Err(error) => return CloseReason::Io(error),
                }
            }
            () = link.woken(), if !full => match link.write_now(&mut claims) {
                Ok(still_full) => full = still_full,
                Err(error) => return CloseReason::Io(error),
            },
            () = writer.writable(), if full => match link.write_now(&mut claims) {
                Ok(still_full) => full = still_full,
                Err(error) => return CloseReason::Io(error),
            },
        }
    }
}

/// The way in: bytes to entries on the tape, entries to their requests.
struct Inbound {
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
    fn on_bytes<U: Upstream>(
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
            if self.tape.is_empty() && self.tape.capacity() > TAPE_KEPT {
                self.tape = Tape::default();
            }
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
                        // If even the first step was refused, the others were none.
                        let bytes = bytes.filter(|_| refused.as_ref().is_none_or(|r| r.step > 0));
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
