//! The bytes of one batch: shared with whoever writes them, let go of when they are answered.

use super::Payload;
use std::sync::Arc;

/// Bytes of whole requests.
#[derive(Debug)]
pub(super) struct Chunk {
    bytes: Arc<Vec<u8>>,
    /// The part of `bytes` that is meant.
    from: usize,
    to: usize,
}

impl Chunk {
    pub(super) fn new(bytes: Vec<u8>) -> Self {
        let to = bytes.len();
        Self { bytes: Arc::new(bytes), from: 0, to }
    }

    pub(super) fn len(&self) -> u64 {
        (self.to - self.from) as u64
    }

    /// `len` bytes from `at` on.
    pub(super) fn slice(&self, at: usize, len: usize) -> &[u8] {
        &self.bytes[self.from + at..self.from + at + len]
    }

    /// Everything behind the first `skip` bytes, to be written.
    pub(super) fn claim(&self, skip: usize) -> Claim {
        Claim { bytes: Arc::clone(&self.bytes), from: self.from + skip, to: self.to }
    }

    /// Keeps the first `len` bytes; returns the rest.
    pub(super) fn split_off(&mut self, len: usize) -> Self {
        let middle = self.from + len;
        let rest = Self { bytes: Arc::clone(&self.bytes), from: middle, to: self.to };
        self.to = middle;
        rest
    }

    /// The requests that fill it, each with its bytes.
    pub(super) fn cut<R: Payload>(&self, requests: Vec<R>) -> impl Iterator<Item = (R, &[u8])> {
        let mut at = self.from;
        requests.into_iter().map(move |request| {
            let start = at;
            at += request.wire_len();
            (request, &self.bytes[start..at])
        })
    }

    /// The memory, unless somebody else still has a part of it.
    pub(super) fn into_bytes(self) -> Option<Vec<u8>> {
        Arc::into_inner(self.bytes)
    }
}

/// Bytes that somebody has taken on to write. Holding it needs no lock.
#[derive(Debug)]
pub(crate) struct Claim {
    bytes: Arc<Vec<u8>>,
    from: usize,
    to: usize,
}

impl Claim {
    /// The bytes to write.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes[self.from..self.to]
    }
}
