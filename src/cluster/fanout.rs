//! Commands that went to several nodes, or in parts: which parts are on their way, and whose they are.

use super::request::{NOBODY, Ticket};
use crate::resp::{Tape, kind};
use crate::routing::{Entry, Gathering, Outcome};
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

/// Tickets from here on, up to [`NOBODY`], are parts of commands. A user's ticket has not this bit.
pub(super) const FIRST: Ticket = 0xC000_0000;
/// How many parts there may be at a time.
const SPACE: u32 = NOBODY - FIRST;

/// Whether a ticket is a part's.
pub(super) fn is_part(ticket: Ticket) -> bool {
    (FIRST..NOBODY).contains(&ticket)
}

/// Commands of which parts are on their way. Bounded by the requests in the queues.
#[derive(Debug, Default)]
pub(crate) struct Fanouts(Mutex<Open>);

#[derive(Debug, Default)]
struct Open {
    /// Where the next one begins, if there is room.
    next: u32,
    /// By the number of their first part.
    fanouts: BTreeMap<u32, Fanout>,
}

#[derive(Debug)]
struct Fanout {
    ticket: Ticket,
    parts: u32,
    /// Behind a lock of its own, so that nobody who sends waits while a long answer is copied.
    gathering: Arc<Mutex<Option<Gathering>>>,
}

impl Fanouts {
    /// Begins to wait for the parts of a command. Returns the ticket of the first of them; the others
    /// follow. `None`: there are too many already.
    pub(super) fn open(
        &self,
        ticket: Ticket,
        parts: usize,
        gathering: Gathering,
    ) -> Option<Ticket> {
        let parts = u32::try_from(parts).ok().filter(|parts| *parts <= SPACE)?;
        let mut open = self.0.lock();
        let first = open.find_room(parts)?;
        open.next = first + parts;
        let gathering = Arc::new(Mutex::new(Some(gathering)));
        open.fanouts.insert(first, Fanout { ticket, parts, gathering });
        Some(FIRST + first)
    }

    /// The answer of a part. Returns what the command comes to, if that is decided now. What comes
    /// later for it is nobody's.
    pub(super) fn on_answer(&self, part: Ticket, entry: Entry<'_>) -> Option<(Ticket, Outcome)> {
        let open = self.0.lock();
        let (first, fanout) = open.fanouts.range(..=part - FIRST).next_back()?;
        let (first, place) = (*first, part - FIRST - *first);
        if place >= fanout.parts {
            return None;
        }
        let (ticket, gathering) = (fanout.ticket, Arc::clone(&fanout.gathering));
        drop(open);
        let mut gathering = gathering.lock();
        if !gathering.as_mut()?.add(place as usize, entry) {
            return None;
        }
        let decided = gathering.take()?;
        self.0.lock().fanouts.remove(&first);
        Some((ticket, decided.finish(super::chance::random_below(usize::MAX))))
    }

    /// Forgets all of them.
    pub(super) fn clear(&self) {
        self.0.lock().fanouts.clear();
    }

    /// Tickets of the parts of a user's command; none, if it has none.
    pub(super) fn parts_of(&self, ticket: Ticket) -> Range<Ticket> {
        let open = self.0.lock();
        let found = open.fanouts.iter().find(|(_, fanout)| fanout.ticket == ticket);
        found.map_or(0..0, |(first, fanout)| FIRST + first..FIRST + first + fanout.parts)
    }
}

impl Open {
    /// Where `parts` numbers in a row are free: from the next one on, or from the start.
    fn find_room(&self, parts: u32) -> Option<u32> {
        let mut start = self.next;
        for _ in 0..2 {
            let before = self.fanouts.range(..start).next_back();
            start = before.map_or(start, |(first, fanout)| start.max(first + fanout.parts));
            for (first, fanout) in self.fanouts.range(start..) {
                if start + parts <= *first {
                    break;
                }
                start = first + fanout.parts;
            }
            if parts <= SPACE - start {
                return Some(start);
            }
            start = 0;
        }
        None
    }
}

/// Writes what a command comes to. `code` says that parts of it failed: behind it follow the first error
/// and the numbers of the groups that are concerned.
pub(super) fn write_outcome(tape: &mut Tape, outcome: Outcome, code: u32) {
    let (value, groups) = match outcome {
        Outcome::Value(value) => (value, None),
        Outcome::Failed(error, groups) => (error, Some(groups)),
    };
    if groups.is_some() {
        tape.push_word(kind::FAILURE, code as usize);
        tape.push_word(kind::ARRAY, 2);
    }
    tape.words.extend_from_slice(&value.words);
    if tape.bytes.is_empty() {
        // Not copied: it may be long.
        tape.bytes = value.bytes;
    } else {
        tape.bytes.extend_from_slice(&value.bytes);
    }
    tape.large.extend(value.large);
    if let Some(groups) = groups {
        tape.push_word(kind::ARRAY, groups.len());
        groups.into_iter().for_each(|group| tape.push_int(i64::from(group)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::Gather;

    fn open(fanouts: &Fanouts, ticket: Ticket, parts: usize) -> Option<Ticket> {
        fanouts.open(ticket, parts, Gathering::new(Gather::Sum, parts, None))
    }

    fn answer(fanouts: &Fanouts, part: Ticket, number: u32) -> Option<(Ticket, Vec<u32>)> {
        let words = [kind::INT, number];
        let entry = Entry { words: &words, bytes: &[], large: &mut Vec::new() };
        let (ticket, outcome) = fanouts.on_answer(part, entry)?;
        let mut tape = Tape::default();
        write_outcome(&mut tape, outcome, 1);
        Some((ticket, tape.words))
    }

    #[test]
    fn parts_find_their_command() {
        let fanouts = Fanouts::default();
        let one = open(&fanouts, 7, 2).unwrap();
        let two = open(&fanouts, 8, 3).unwrap();
        assert_eq!((one, two), (FIRST, FIRST + 2));
        assert_eq!((fanouts.parts_of(8), fanouts.parts_of(9)), (two..two + 3, 0..0));
        assert_eq!(answer(&fanouts, two, 1), None);
        assert_eq!(answer(&fanouts, one + 1, 1), None);
        assert_eq!(answer(&fanouts, one, 2), Some((7, vec![kind::INT, 3])));
        assert_eq!(answer(&fanouts, one, 2), None, "nobody's any more");
        assert_eq!(answer(&fanouts, two + 2, 5), None);
        assert_eq!(answer(&fanouts, two + 1, 5), Some((8, vec![kind::INT, 11])));
        assert_eq!(answer(&fanouts, FIRST + 99, 2), None);
    }

    #[test]
    fn numbers_come_round_and_never_overlap() {
        let fanouts = Fanouts::default();
        let old = open(&fanouts, 1, 10).unwrap();
        fanouts.0.lock().next = SPACE - 5;
        assert_eq!(open(&fanouts, 2, 5), Some(FIRST + SPACE - 5));
        assert_eq!(open(&fanouts, 3, 4), Some(old + 10), "not where the first one is");
        fanouts.0.lock().next = 2;
        assert_eq!(open(&fanouts, 4, 1), Some(old + 14));
        assert_eq!(open(&fanouts, 5, SPACE as usize), None);
        assert_eq!(open(&fanouts, 5, usize::MAX), None);
    }

    #[test]
    fn a_part_that_failed_is_told_with_its_groups() {
        let mut error = Tape::default();
        error.push_text(kind::ERROR, b"ERR no");
        let mut tape = Tape::default();
        write_outcome(&mut tape, Outcome::Failed(error, vec![4, 9]), 3);
        let len = |kind: u32, len: u32| kind | len << kind::BITS;
        let want = [len(kind::FAILURE, 3), len(kind::ARRAY, 2), len(kind::ERROR, 6)];
        assert_eq!(tape.words[..3], want);
        assert_eq!(tape.words[3..], [len(kind::ARRAY, 2), kind::INT, 4, kind::INT, 9]);
    }
}
