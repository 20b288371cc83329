//! The end of a connection that requests are put into, from any thread.

mod pairing;

use super::pipeline::{Claim, Payload, Pipeline, Written};
use super::stream::Writer;
pub(super) use pairing::Pairing;
use parking_lot::Mutex;
use std::io::{self, IoSlice};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use tokio::sync::Notify;

/// Largest batch the submitting thread writes itself.
///
/// 64 KiB: what a socket buffer takes at once. Larger ones are left to the I/O thread, so that the
/// submitting thread is never held by copying into the kernel.
const DIRECT_MAX: usize = 64 << 10;

/// Memory that a batch which has to wait may hold beside its bytes.
const WASTE_MAX: usize = 4 << 10;

/// Bytes in several queues together. Each link keeps its part of it up to date.
pub(crate) type Tally = Arc<AtomicUsize>;

/// A node's queue and, while there is one, its socket.
///
/// The queue outlives the socket: requests put in while the node is not connected wait for the next
/// socket, or to be taken back.
#[derive(Debug)]
pub(crate) struct Link<R> {
    inner: Mutex<Inner<R>>,
    /// Wakes the task: there is something to write, or the link is wanted.
    wake: Notify,
    /// Requests in the queue, for those who want to know without the lock.
    waiting: AtomicUsize,
    /// Their bytes, for the same.
    bytes: AtomicUsize,
    /// `bytes` of this and other links.
    tally: Tally,
    open: AtomicBool,
    avoided: AtomicBool,
}

#[derive(Debug)]
struct Inner<R> {
    pipeline: Pipeline<R>,
    writer: Option<Arc<Writer>>,
    /// Nothing is taken any more: what comes goes back.
    closed: bool,
    /// Nothing is written any more, until it is.
    paused: bool,
    /// Counts sockets: a writer that comes back late must not report on its successor's stream.
    generation: u32,
}

/// What became of submitted requests.
#[derive(Debug)]
pub(crate) struct Submission<R> {
    /// An empty buffer for the next batch.
    pub(crate) spare: Vec<u8>,
    /// The bytes are in the socket; otherwise they wait for the task.
    pub(crate) written: bool,
    /// Requests that the link did not take, because it is closed, with their bytes.
    pub(crate) refused: Vec<(R, Vec<u8>)>,
}

impl<R: Payload> Link<R> {
    pub(crate) fn new(tally: Tally) -> Self {
        let inner = Inner {
            pipeline: Pipeline::new(),
            writer: None,
            closed: false,
            paused: false,
            generation: 0,
        };
        Self {
            inner: Mutex::new(inner),
            wake: Notify::new(),
            waiting: AtomicUsize::new(0),
            bytes: AtomicUsize::new(0),
            tally,
            open: AtomicBool::new(false),
            avoided: AtomicBool::new(false),
        }
    }

    /// Under the lock, after every change of the queue.
    fn count(&self, pipeline: &Pipeline<R>) {
        self.waiting.store(pipeline.len(), Ordering::Relaxed);
        let now = pipeline.byte_len();
        let before = self.bytes.swap(now, Ordering::Relaxed);
        // Goes down, too: the addition wraps.
        self.tally.fetch_add(now.wrapping_sub(before), Ordering::Relaxed);
    }

    /// Users' requests waiting for their answer, written or not.
    pub(crate) fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    /// Their bytes on the wire. What is written counts until it is answered: it may have to be sent
    /// again, or elsewhere.
    pub(crate) fn byte_len(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Whether requests that other nodes could answer should rather go there.
    pub(crate) fn is_avoided(&self) -> bool {
        self.avoided.load(Ordering::Relaxed)
    }

    /// Asks for, or ends, that.
    pub(crate) fn avoid(&self, avoided: bool) {
        self.avoided.store(avoided, Ordering::Relaxed);
    }

    /// Says whether a socket is there and has passed its handshake.
    pub(crate) fn is_open(&self) -> bool {
        self.open.load(Ordering::Acquire)
    }

    /// Puts a batch in the queue. Never waits: where the socket is idle the calling thread writes
    /// to it, otherwise the task will.
    ///
    /// `claims` is a scratch list, so that a batch needs no allocation of its own.
    pub(crate) fn submit(
        &self,
        mut bytes: Vec<u8>,
        requests: impl IntoIterator<Item = R>,
        claims: &mut Vec<Claim>,
    ) -> Submission<R> {
        let small = bytes.len() <= DIRECT_MAX;
        claims.clear();
        let mut inner = self.inner.lock();
        if inner.closed {
            drop(inner);
            return refuse(bytes, requests);
        }
        let direct = small && inner.pipeline.is_idle() && !inner.paused;
        let writer = inner.writer.clone().filter(|_| direct);
        let stalled = inner.writer.is_none() || inner.paused;
        if stalled && bytes.capacity() - bytes.len() > WASTE_MAX {
            // It may be long before it is written: what was reserved for more is given back.
            bytes.shrink_to_fit();
        }
        inner.pipeline.enqueue(bytes, requests);
        self.count(&inner.pipeline);
        let spare = inner.pipeline.take_spare();
        let generation = inner.generation;
        let Some(writer) = writer.filter(|_| inner.pipeline.claim(claims)) else {
            drop(inner);
            self.wake.notify_one();
            return Submission { spare, written: false, refused: Vec::new() };
        };
        drop(inner);
        // An error here is the task's to find: it tries again and learns why.
        let count = write_some(&writer, claims).unwrap_or(0);
        claims.clear();
        let mut inner = self.inner.lock();
        let more = inner.generation == generation && inner.pipeline.wrote(count);
        drop(inner);
        if more {
            self.wake.notify_one();
        }
        Submission { spare, written: !more, refused: Vec::new() }
    }

    /// Waits until there may be something to do for the task.
    ///
    /// # Cancel safety
    ///
    /// A wake-up is kept until somebody has waited for it.
    pub(crate) async fn woken(&self) {
        self.wake.notified().await;
    }

    /// Lets whoever waits in [`Link::woken`] look.
    pub(crate) fn wake(&self) {
        self.wake.notify_one();
    }

    /// Gives the link its socket.
    pub(super) fn attach(&self, writer: Arc<Writer>) {
        let mut inner = self.inner.lock();
        inner.writer = Some(writer);
        inner.paused = false;
        drop(inner);
        self.avoid(false);
        self.open.store(true, Ordering::Release);
        self.wake.notify_one();
    }

    /// Takes the socket away. Requests for which `keep` says so stay for the next one; all others
    /// are returned with their bytes, oldest first.
    pub(crate) fn detach(
        &self,
        keep: impl FnMut(&mut R, Written) -> bool,
    ) -> Vec<(R, Vec<u8>, Written)> {
        self.open.store(false, Ordering::Release);
        let mut inner = self.inner.lock();
        inner.writer = None;
        inner.generation = inner.generation.wrapping_add(1);
        inner.paused = false;
        let removed = inner.pipeline.reset(keep);
        self.count(&inner.pipeline);
        removed
    }

    /// Ends the link for good: what is in it is returned, what comes later is refused.
    pub(crate) fn close(&self) -> Vec<(R, Vec<u8>, Written)> {
        self.inner.lock().closed = true;
        let removed = self.detach(|_, _| false);
        self.wake.notify_one();
        removed
    }

    /// Takes requests back that nobody has begun to write.
    pub(crate) fn remove_unwritten(&self, condition: impl FnMut(&R) -> bool) -> Vec<(R, Vec<u8>)> {
        let mut inner = self.inner.lock();
        let removed = inner.pipeline.remove_unwritten(condition);
        self.count(&inner.pipeline);
        removed
    }

    /// Writes nothing more until this is called with `false`, or there is another socket. A request that
    /// was begun is still written to its end: a peer that waits for the rest of it could not answer.
    pub(crate) fn pause(&self, paused: bool) {
        self.inner.lock().paused = paused;
        self.wake.notify_one();
    }

    /// Says whether writing is paused.
    pub(crate) fn is_paused(&self) -> bool {
        self.inner.lock().paused
    }

    /// Lets `change` abandon requests: what they still get is dropped.
    pub(crate) fn update(&self, change: impl FnMut(&mut R)) {
        let mut inner = self.inner.lock();
        inner.pipeline.update(change);
        self.count(&inner.pipeline);
    }

    /// Bytes written to the socket so far, and how many of them are answered. Calls `visit` with
    /// the requests in between.
    pub(crate) fn progress(&self, visit: impl FnMut(&R)) -> (u64, u64) {
        let inner = self.inner.lock();
        inner.pipeline.visit_written(visit);
        inner.pipeline.progress()
    }

    /// Says whether a waiting request satisfies `condition`.
    pub(crate) fn any(&self, condition: impl FnMut(&R) -> bool) -> bool {
        self.inner.lock().pipeline.any(condition)
    }

    /// Says whether bytes wait for a writer.
    pub(crate) fn has_unwritten(&self) -> bool {
        self.inner.lock().pipeline.has_unwritten()
    }

    /// Writes what can be written without waiting. `true`: the socket is full, more is waiting.
    pub(super) fn write_now(&self, claims: &mut Vec<Claim>) -> io::Result<bool> {
        loop {
            claims.clear();
            let mut inner = self.inner.lock();
            let Some(writer) = inner.writer.clone().filter(|_| !inner.is_paused()) else {
                return Ok(false);
            };
            if !inner.pipeline.claim(claims) {
                return Ok(false);
            }
            drop(inner);
            let outcome = write_some(&writer, claims);
            claims.clear();
            let count = *outcome.as_ref().unwrap_or(&0);
            let mut inner = self.inner.lock();
            let more = inner.writer.is_some() && inner.pipeline.wrote(count);
            drop(inner);
            match outcome {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(more),
                Err(error) => return Err(error),
                Ok(_) if !more => return Ok(false),
                Ok(_) => {}
            }
        }
    }

    /// Pairs the replies of one read with their requests, all under one lock.
    pub(super) fn pair<T>(&self, pair_all: impl FnOnce(&mut Pairing<'_, R>) -> T) -> T {
        let mut inner = self.inner.lock();
        let done = pair_all(&mut Pairing { pipeline: &mut inner.pipeline });
        self.count(&inner.pipeline);
        done
    }
}

impl<R: Payload> Inner<R> {
    fn is_paused(&self) -> bool {
        self.paused && !self.pipeline.is_within_request()
    }
}

impl<R> Drop for Link<R> {
    fn drop(&mut self) {
        self.tally.fetch_sub(*self.bytes.get_mut(), Ordering::Relaxed);
    }
}

/// Gives every request back with its own bytes; the buffer comes back empty.
fn refuse<R: Payload>(mut bytes: Vec<u8>, requests: impl IntoIterator<Item = R>) -> Submission<R> {
    let (mut rest, mut refused) = (&bytes[..], Vec::new());
    for request in requests {
        let (own, behind) = rest.split_at(request.wire_len());
        refused.push((request, own.to_vec()));
        rest = behind;
    }
    bytes.clear();
    Submission { spare: bytes, written: true, refused }
}

fn write_some(writer: &Writer, claims: &[Claim]) -> io::Result<usize> {
    if let [claim] = claims {
        return writer.try_write(claim.bytes());
    }
    let slices: Vec<IoSlice<'_>> = claims.iter().map(|claim| IoSlice::new(claim.bytes())).collect();
    writer.try_write_vectored(&slices)
}

#[cfg(test)]
mod tests;
