//! Moves bytes between one socket and its link until the socket closes.
//!
//! What can be decided without a socket is in [`super::pipeline`]; who gets an answer is decided by
//! the [`Upstream`]. What is left here is moving bytes. Reconnecting is the caller's business.

use super::inbound::Inbound;
use super::link::Link;
use super::open::Opened;
use super::pipeline::{Claim, Payload};
use super::stream::Reader;
use crate::resp::{Mark, ProtocolError, Tape};
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
    let mut inbound = Inbound::new(parser);
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
