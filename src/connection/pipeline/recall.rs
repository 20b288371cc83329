//! Requests that leave the queue without an answer: those that nobody has written yet, and, when the
//! connection ends, all that do not stay for the next one.

use super::chunk::Chunk;
use super::{Payload, Pipeline, Written};
use std::collections::VecDeque;

impl<R: Payload> Pipeline<R> {
    /// Takes requests that no writer has been given yet out of the queue.
    pub(crate) fn remove_unwritten(
        &mut self,
        mut condition: impl FnMut(&R) -> bool,
    ) -> Vec<(R, Vec<u8>)> {
        let mut start = self.acked;
        let first = self.requests.iter().position(|request| {
            let unclaimed = start >= self.claimed;
            start += if unclaimed { 0 } else { request.wire_len() as u64 };
            unclaimed
        });
        let Some(first) = first else { return Vec::new() };
        if !self.requests.iter().skip(first).any(&mut condition) {
            return Vec::new();
        }
        let mut removed = Vec::new();
        for (chunk, requests) in self.split_off(first, start) {
            let out: Vec<bool> = requests.iter().map(&mut condition).collect();
            if !out.contains(&true) {
                self.requests.extend(requests);
                self.tail += chunk.len();
                self.chunks.push_back(chunk);
                continue;
            }
            let (mut kept, mut bytes) = (Vec::new(), Vec::new());
            for ((request, own), out) in chunk.cut(requests).zip(out) {
                if out {
                    removed.push((request, own.to_vec()));
                } else {
                    bytes.extend_from_slice(own);
                    kept.push(request);
                }
            }
            if !kept.is_empty() {
                self.enqueue(bytes, kept);
            }
        }
        self.count_others();
        removed
    }

    /// Ends the stream: offsets start anew, nothing is written any more. Requests for which
    /// `keep` says so stay in the queue, in order; all others are returned, oldest first.
    pub(crate) fn reset(
        &mut self,
        mut keep: impl FnMut(&mut R, Written) -> bool,
    ) -> Vec<(R, Vec<u8>, Written)> {
        let (claimed, mut offset) = (self.claimed, self.acked);
        let (mut removed, mut next) = (Vec::new(), Self::new());
        for (chunk, requests) in self.split_off(0, offset) {
            let (mut kept, mut bytes) = (Vec::new(), Vec::new());
            for (mut request, own) in chunk.cut(requests) {
                let begun = offset < claimed;
                offset += own.len() as u64;
                let written = match begun {
                    _ if offset <= claimed => Written::Maybe,
                    true => Written::Partly,
                    false => Written::No,
                };
                if keep(&mut request, written) {
                    bytes.extend_from_slice(own);
                    kept.push(request);
                } else {
                    removed.push((request, own.to_vec(), written));
                }
            }
            if !kept.is_empty() {
                next.enqueue(bytes, kept);
            }
        }
        *self = next;
        self.count_others();
        removed
    }

    /// Takes out the requests from number `first` on, whose bytes begin at `start`, by chunk.
    fn split_off(&mut self, first: usize, start: u64) -> Vec<(Chunk, Vec<R>)> {
        let mut chunks = VecDeque::new();
        while self.tail > start {
            let Some(mut chunk) = self.chunks.pop_back() else { break };
            let chunk_start = self.tail - chunk.len();
            self.tail = chunk_start.max(start);
            if chunk_start < start {
                // Begun already: the first part stays.
                chunks.push_front(chunk.split_off((start - chunk_start) as usize));
                self.chunks.push_back(chunk);
            } else {
                chunks.push_front(chunk);
            }
        }
        let mut requests = self.requests.split_off(first).into_iter();
        let of_chunk = |chunk: Chunk| {
            let mut left = chunk.len() as usize;
            let mut own = Vec::new();
            while left > 0 {
                let Some(request) = requests.next() else { break };
                left -= request.wire_len().min(left);
                own.push(request);
            }
            (chunk, own)
        };
        chunks.into_iter().map(of_chunk).collect()
    }
}
