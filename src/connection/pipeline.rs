//! What one connection knows, without the connection: requests and their bytes on the way out,
//! replies paired with them on the way back.

mod chunk;
mod recall;

use chunk::Chunk;
pub(crate) use chunk::Claim;
use std::collections::VecDeque;

/// What travels on a connection besides its bytes.
pub(crate) trait Payload: Copy {
    /// Length of its bytes on the wire.
    fn wire_len(&self) -> usize;

    /// Replies that come before its own and are nobody's answer (the `+OK` of ASKING).
    fn preludes(&self) -> u32;

    /// How many of those, the last ones, are replies to steps of the request itself (MULTI and what is
    /// queued behind it): an error in place of one of them is its answer.
    fn steps(&self) -> u32;

    /// A user waits for its reply. Not for those of the client's own, and those given up.
    fn is_users(&self) -> bool;
}

/// Most chunks taken on at a time: they go into one system call, and the usual limit of `writev` is
/// 1,024. More would only be taken on again after each partial write.
const MAX_CLAIMS: usize = 64;
/// Drained chunks that are kept for the next batch.
///
/// Two batches of ordinary size: one being filled while the other is on the wire.
const SPARE_CHUNKS: usize = 2;
/// A chunk that has grown beyond this is given back to the allocator: one batch of large values
/// must not hold its memory for ever.
const SPARE_CAPACITY: usize = 256 << 10;

/// The ordered queue of one connection. Offsets count bytes since the connection was opened.
///
/// ```text
///            answered        acked     written    claimed         tail
///   --------------------------|-----------|----------|--------------|
///                              sent, reply  maybe     not handed to
///                              to come      sent      any writer
/// ```
///
/// Invariants: `acked <= claimed`, `written <= claimed <= tail`; the requests in `requests` fill
/// `acked..tail` without gaps; each lies within one chunk.
#[derive(Debug)]
pub(crate) struct Pipeline<R> {
    requests: VecDeque<R>,
    chunks: VecDeque<Chunk>,
    spare: Vec<Vec<u8>>,
    /// Offset of the first byte of the first chunk.
    head: u64,
    acked: u64,
    written: u64,
    claimed: u64,
    tail: u64,
    /// Somebody is writing `written..claimed` at this moment, without holding any lock.
    writing: bool,
    /// Replies already seen of those that precede the oldest request's own.
    preludes_seen: u32,
    /// Requests in the queue that are no user's.
    others: usize,
}

/// Whether the server may have received a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Written {
    /// It cannot have: not a byte was handed to the socket.
    No,
    /// It cannot have run it: the first bytes were handed to the socket, the last were not.
    Partly,
    /// It may have.
    Maybe,
}

/// To whom a reply belongs.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Owner<R> {
    /// The oldest request, which has got its answer now.
    Request(R),
    /// Nobody: it was announced by [`Payload::preludes`]. The number says to which of the oldest
    /// request's [`Payload::steps`], if to one.
    Prelude(Option<u32>),
    /// Nobody asked: the stream is out of step and must be closed.
    Nobody,
}

impl<R: Payload> Pipeline<R> {
    pub(crate) fn new() -> Self {
        Self {
            requests: VecDeque::new(),
            chunks: VecDeque::new(),
            spare: Vec::new(),
            head: 0,
            acked: 0,
            written: 0,
            claimed: 0,
            tail: 0,
            writing: false,
            preludes_seen: 0,
            others: 0,
        }
    }

    /// How many users' requests wait for their answer, written or not.
    pub(crate) fn len(&self) -> usize {
        self.requests.len() - self.others
    }

    /// Bytes of all requests that are not answered.
    pub(crate) fn byte_len(&self) -> usize {
        (self.tail - self.acked) as usize
    }

    /// Bytes written so far, and of them those answered, since the connection was opened.
    pub(crate) fn progress(&self) -> (u64, u64) {
        (self.written, self.acked)
    }

    /// Whether the last request that was begun is not written to its end.
    pub(crate) fn is_within_request(&self) -> bool {
        let mut end = self.acked;
        for request in &self.requests {
            if end >= self.written {
                break;
            }
            end += request.wire_len() as u64;
        }
        end > self.written
    }

    /// Calls `visit` with the requests of which bytes may be with the server, oldest first.
    pub(crate) fn visit_written(&self, mut visit: impl FnMut(&R)) {
        let mut start = self.acked;
        for request in &self.requests {
            if start >= self.claimed {
                return;
            }
            start += request.wire_len() as u64;
            visit(request);
        }
    }

    /// Lets `change` abandon requests.
    pub(crate) fn update(&mut self, change: impl FnMut(&mut R)) {
        self.requests.iter_mut().for_each(change);
        self.count_others();
    }

    fn count_others(&mut self) {
        self.others = self.requests.iter().filter(|request| !request.is_users()).count();
    }

    /// Says whether any waiting request satisfies `condition`.
    pub(crate) fn any(&self, condition: impl FnMut(&R) -> bool) -> bool {
        self.requests.iter().any(condition)
    }

    /// Says whether nothing waits to be written and nobody is writing.
    pub(crate) fn is_idle(&self) -> bool {
        !self.writing && self.written == self.tail
    }

    /// Says whether bytes wait for a writer.
    pub(crate) fn has_unwritten(&self) -> bool {
        self.claimed < self.tail
    }

    /// An empty buffer for the next batch; drained chunks come round again.
    pub(crate) fn take_spare(&mut self) -> Vec<u8> {
        self.spare.pop().unwrap_or_default()
    }

    /// Adds requests behind all others; `bytes` holds exactly theirs, in order. Either all are users'
    /// or none is.
    pub(crate) fn enqueue(&mut self, bytes: Vec<u8>, requests: impl IntoIterator<Item = R>) {
        let before = self.requests.len();
        self.requests.extend(requests);
        if self.requests.back().is_some_and(|last| !last.is_users()) {
            self.others += self.requests.len() - before;
        }
        self.tail += bytes.len() as u64;
        self.chunks.push_back(Chunk::new(bytes));
    }

    /// Takes on bytes that nobody has written yet, [`MAX_CLAIMS`] chunks at most. `false`: there are
    /// none, or somebody is writing already and will see them.
    pub(crate) fn claim(&mut self, claims: &mut Vec<Claim>) -> bool {
        if self.writing || self.written == self.tail {
            return false;
        }
        // From the tail: what is written already may be long, and waits only for its answers.
        let (mut first, mut offset) = (self.chunks.len(), self.tail);
        while first > 0 && offset > self.written {
            first -= 1;
            offset -= self.chunks[first].len();
        }
        for chunk in self.chunks.range(first..).take(MAX_CLAIMS) {
            let skip = self.written.saturating_sub(offset) as usize;
            claims.push(chunk.claim(skip));
            offset += chunk.len();
        }
        self.claimed = offset;
        self.writing = true;
        true
    }

    /// Says how many of the claimed bytes the socket took. `true`: there is more to write.
    pub(crate) fn wrote(&mut self, count: usize) -> bool {
        self.written += count as u64;
        self.claimed = self.written;
        self.writing = false;
        self.retire();
        self.written < self.tail
    }

    /// Says whether the next reply is one of those that come before the oldest request's own.
    pub(crate) fn expects_prelude(&self) -> bool {
        self.requests.front().is_some_and(|request| self.preludes_seen < request.preludes())
    }

    /// Pairs a reply with its request.
    pub(crate) fn take_owner(&mut self) -> Owner<R> {
        let Some(request) = self.requests.front() else { return Owner::Nobody };
        // A server answers the first commands of a request before it has all of them.
        if self.expects_prelude() && self.acked < self.claimed {
            let before = request.preludes() - request.steps();
            let step = self.preludes_seen.checked_sub(before);
            self.preludes_seen += 1;
            return Owner::Prelude(step);
        }
        if self.acked + request.wire_len() as u64 > self.claimed {
            return Owner::Nobody;
        }
        self.preludes_seen = 0;
        let request = *request;
        self.requests.pop_front();
        self.others -= usize::from(!request.is_users());
        self.acked += request.wire_len() as u64;
        if self.chunks.front().is_some_and(|chunk| self.head + chunk.len() <= self.acked) {
            self.retire();
        }
        Owner::Request(request)
    }

    /// A copy of the oldest request's bytes, for the case that its answer sends it elsewhere.
    pub(crate) fn oldest_bytes(&self) -> Vec<u8> {
        let len = self.requests.front().map_or(0, Payload::wire_len);
        self.bytes_at(self.acked, len).to_vec()
    }

    fn bytes_at(&self, at: u64, len: usize) -> &[u8] {
        let mut offset = self.head;
        for chunk in &self.chunks {
            if at < offset + chunk.len() {
                return chunk.slice((at - offset) as usize, len);
            }
            offset += chunk.len();
        }
        &[]
    }

    /// Lets go of chunks that are written and answered.
    fn retire(&mut self) {
        let done = self.acked.min(self.written);
        while let Some(chunk) = self.chunks.front() {
            let end = self.head + chunk.len();
            if end > done {
                return;
            }
            self.head = end;
            let bytes = self.chunks.pop_front().and_then(Chunk::into_bytes);
            if let Some(mut bytes) = bytes
                && self.spare.len() < SPARE_CHUNKS
                && bytes.capacity() <= SPARE_CAPACITY
            {
                bytes.clear();
                self.spare.push(bytes);
            }
        }
    }
}

#[cfg(test)]
mod tests;
