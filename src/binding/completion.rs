//! Answers on their way to `js/decoder.js`: a batch is copied into JavaScript's buffers, its large
//! strings are asked for one by one.

use crate::resp::Tape;
use std::collections::VecDeque;

/// The batch being handed over.
#[derive(Default)]
pub(super) struct Completion {
    pending: Option<Tape>,
    large: VecDeque<Vec<u8>>,
}

/// What came of handing a batch over.
pub(super) enum Handed {
    /// It is in the buffers, which hold this many words of it; its memory can be used again.
    All(usize, Tape),
    /// The buffers are too small; it waits.
    TooSmall,
}

impl Completion {
    /// The batch that waits for larger buffers.
    pub(super) fn pending(&self) -> Option<&Tape> {
        self.pending.as_ref()
    }

    /// The batch that waits for larger buffers, to be tried again.
    pub(super) fn take_pending(&mut self) -> Option<Tape> {
        self.pending.take()
    }

    /// Copies a batch into `words` and `bytes`.
    pub(super) fn hand_over(
        &mut self,
        mut tape: Tape,
        words: &mut [u32],
        bytes: &mut [u8],
    ) -> Handed {
        let (word_count, byte_count) = (tape.words.len(), tape.bytes.len());
        let space = words.get_mut(..word_count).zip(bytes.get_mut(..byte_count));
        let Some((word_space, byte_space)) = space else {
            self.pending = Some(tape);
            return Handed::TooSmall;
        };
        word_space.copy_from_slice(&tape.words);
        byte_space.copy_from_slice(&tape.bytes);
        self.large = std::mem::take(&mut tape.large).into();
        Handed::All(word_count, tape)
    }

    /// The next large string of the batch handed over last.
    pub(super) fn next_large(&mut self) -> Option<Vec<u8>> {
        self.large.pop_front()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_that_does_not_fit_waits() {
        let batch = Tape { words: vec![1, 2, 3], bytes: vec![4, 5], large: vec![vec![6]] };
        let mut completion = Completion::default();
        assert!(matches!(completion.hand_over(batch, &mut [0; 2], &mut [0; 9]), Handed::TooSmall));
        assert!(completion.next_large().is_none());
        let batch = completion.take_pending().unwrap();
        let (mut words, mut bytes) = ([0; 4], [0; 2]);
        let handed = completion.hand_over(batch, &mut words, &mut bytes);
        assert!(matches!(handed, Handed::All(3, _)));
        assert_eq!((words, bytes), ([1, 2, 3, 0], [4, 5]));
        assert_eq!(completion.next_large(), Some(vec![6]));
        assert!(completion.pending().is_none());
    }
}
