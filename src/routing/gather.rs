//! Makes one answer of the answers of several nodes.
//!
//! Source: Redis command tips, `response_policy`, as node-redis reads them.

use super::merge;
use super::split::Split;
use super::totals::Totals;
use crate::command::Gather;
use crate::resp::{Mark, Tape, kind};
use std::sync::Arc;

/// One answer, on its way from a connection's tape.
pub(crate) struct Entry<'a> {
    /// Its words, and the payload of its strings.
    pub(crate) words: &'a [u32],
    pub(crate) bytes: &'a [u8],
    /// Its large strings, to be taken.
    pub(crate) large: &'a mut Vec<Vec<u8>>,
}

impl Entry<'_> {
    fn is_error(&self) -> bool {
        let kind = self.words.first().map_or(kind::NULL, |word| word & kind::MASK);
        matches!(kind, kind::ERROR | kind::BLOB_ERROR | kind::FAILURE)
    }

    /// A tape of its own.
    pub(crate) fn into_tape(self) -> Tape {
        let mut tape = Tape::default();
        self.append_to(&mut tape);
        tape
    }

    fn append_to(self, tape: &mut Tape) {
        tape.words.extend_from_slice(self.words);
        tape.bytes.extend_from_slice(self.bytes);
        tape.large.append(self.large);
    }
}

/// Answers of one command, as they come.
#[derive(Debug)]
pub(crate) struct Gathering {
    gather: Gather,
    /// Answers still to come.
    left: usize,
    /// How the command was split, if it was.
    split: Option<Arc<Split>>,
    /// Values that were kept.
    kept: Tape,
    /// Of which part each of them is, and where it begins.
    places: Vec<(usize, Mark)>,
    totals: Totals,
    /// The first error, and of which part it is.
    error: Option<(usize, Tape)>,
    /// Parts that failed.
    failed: Vec<usize>,
}

/// What the answers came to.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// One value.
    Value(Tape),
    /// Some parts of a split command failed: the first error, and the groups that are concerned.
    Failed(Tape, Vec<u32>),
}

impl Gathering {
    /// Waits for `parts` answers: those of the split, if there is one.
    pub(crate) fn new(gather: Gather, parts: usize, split: Option<Arc<Split>>) -> Self {
        let totals = Totals::default();
        let kept = Tape::default();
        let (places, failed) = (Vec::new(), Vec::new());
        Self { gather, left: parts, split, kept, places, totals, error: None, failed }
    }

    /// Takes the answer of a part. Says whether that decides the outcome.
    pub(crate) fn add(&mut self, part: usize, entry: Entry<'_>) -> bool {
        self.left = self.left.saturating_sub(1);
        if entry.is_error() {
            return self.add_error(part, entry);
        }
        match self.gather {
            Gather::Sum | Gather::Min | Gather::Max | Gather::And => {
                if !self.totals.add(self.gather, entry.words) {
                    let mut text = Tape::default();
                    text.push_text(kind::ERROR, b"ERR the nodes do not all answer with numbers");
                    let (words, bytes) = (&text.words[..], &text.bytes[..]);
                    return self.add_error(part, Entry { words, bytes, large: &mut Vec::new() });
                }
            }
            Gather::AllSucceeded if part > 0 => {}
            _ => {
                self.places.push((part, self.kept.mark()));
                entry.append_to(&mut self.kept);
            }
        }
        self.left == 0 || self.gather == Gather::OneSucceeded
    }

    fn add_error(&mut self, part: usize, entry: Entry<'_>) -> bool {
        self.failed.push(part);
        let one = self.gather == Gather::OneSucceeded;
        // node-redis: the first in time; where all must fail, the first in order.
        if self.error.as_ref().is_none_or(|(first, _)| one && part < *first) {
            self.error = Some((part, entry.into_tape()));
        }
        // Of a split command, what became of the other parts is worth knowing.
        self.left == 0 || (self.split.is_none() && !one)
    }

    /// The outcome, when it is decided. `chance` decides where any will do.
    pub(crate) fn finish(mut self, chance: usize) -> Outcome {
        let succeeded = self.gather == Gather::OneSucceeded && !self.places.is_empty();
        if let Some((_, error)) = self.error.take().filter(|_| !succeeded) {
            let Some(split) = &self.split else { return Outcome::Value(error) };
            let mut groups: Vec<u32> =
                self.failed.iter().flat_map(|part| split.groups(*part)).copied().collect();
            groups.sort_unstable();
            return Outcome::Failed(error, groups);
        }
        self.places.sort_unstable_by_key(|(part, _)| *part);
        let Self { gather, kept, places, split, totals, .. } = self;
        Outcome::Value(match (gather, split) {
            (Gather::Sum | Gather::Min | Gather::Max | Gather::And, _) => totals.value(),
            (Gather::Merge, _) => merge::all(kept, &places),
            (Gather::ByKey, Some(split)) => merge::by_key(kept, &places, &split),
            (Gather::AnyKey, _) => merge::any_key(kept, &places, chance),
            _ => merge::first(kept, &places),
        })
    }
}

#[cfg(test)]
mod tests;
