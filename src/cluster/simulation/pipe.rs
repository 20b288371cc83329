//! One direction of a simulated connection: bytes on the way, bytes that have arrived, the end.

use super::random::Random;
use std::collections::VecDeque;

/// How a direction ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// In order: the reader sees the end of the stream.
    Finished,
    /// With a reset: the reader sees an error.
    Reset,
}

/// Bytes arrive in order, each part at its own time. While it is held nothing arrives.
#[derive(Debug, Default)]
pub(super) struct Pipe {
    /// Time of arrival and bytes; times never fall.
    on_the_way: VecDeque<(u64, Vec<u8>)>,
    arrived: Vec<u8>,
    end: Option<End>,
    last: u64,
    held: bool,
}

impl Pipe {
    /// Bytes in it, arrived or not.
    pub(super) fn len(&self) -> usize {
        self.arrived.len() + self.travelling()
    }

    fn travelling(&self) -> usize {
        self.on_the_way.iter().map(|(_, bytes)| bytes.len()).sum()
    }

    /// Sends bytes, to arrive at `at` or behind those before them. Returns when; `None`: the
    /// direction has ended and they go nowhere.
    pub(super) fn send(&mut self, at: u64, bytes: &[u8]) -> Option<u64> {
        if self.end.is_some() {
            return None;
        }
        self.last = self.last.max(at);
        self.on_the_way.push_back((self.last, bytes.to_vec()));
        Some(self.last)
    }

    /// Moves what is due to those that have arrived. Says whether that was anything.
    pub(super) fn arrive(&mut self, now: u64) -> bool {
        let mut any = false;
        while !self.held && self.on_the_way.front().is_some_and(|(at, _)| *at <= now) {
            let (_, bytes) = self.on_the_way.pop_front().unwrap_or_default();
            self.arrived.extend_from_slice(&bytes);
            any = true;
        }
        any
    }

    /// Takes bytes that have arrived, `max` at most.
    pub(super) fn take(&mut self, max: usize) -> Vec<u8> {
        let rest = self.arrived.split_off(max.min(self.arrived.len()));
        std::mem::replace(&mut self.arrived, rest)
    }

    /// Bytes that have arrived.
    pub(super) fn ready(&self) -> usize {
        self.arrived.len()
    }

    /// The end, once everything before it has been taken.
    pub(super) fn reached_end(&self) -> Option<End> {
        self.end.filter(|_| !self.held && self.len() == 0)
    }

    /// Room for more bytes if `capacity` fit. Behind the end everything goes, and goes nowhere.
    pub(super) fn room(&self, capacity: usize) -> usize {
        if self.end.is_some() { usize::MAX } else { capacity.saturating_sub(self.len()) }
    }

    /// Ends the direction behind some of the bytes that are on the way; the rest is lost.
    pub(super) fn cut(&mut self, end: End, random: &mut Random) {
        let keep = random.below(self.travelling() as u64 + 1) as usize;
        self.keep(keep, end);
    }

    /// Ends the direction in front of everything that is on the way.
    pub(super) fn cut_short(&mut self, end: End) {
        self.keep(0, end);
    }

    /// Ends the direction behind everything that is on the way.
    pub(super) fn finish(&mut self, end: End) {
        self.end.get_or_insert(end);
    }

    fn keep(&mut self, mut keep: usize, end: End) {
        for (_, bytes) in &mut self.on_the_way {
            bytes.truncate(keep);
            keep -= bytes.len();
        }
        self.on_the_way.retain(|(_, bytes)| !bytes.is_empty());
        self.end.get_or_insert(end);
    }

    /// Loses what has arrived and was not taken.
    pub(super) fn forget(&mut self) {
        self.arrived.clear();
    }

    /// Holds everything back, or lets it go on.
    pub(super) fn hold(&mut self, held: bool) {
        self.held = held;
    }

    /// When the next bytes are due.
    pub(super) fn next_arrival(&self) -> Option<u64> {
        self.on_the_way.front().map(|(at, _)| *at)
    }
}
