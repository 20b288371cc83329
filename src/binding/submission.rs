//! One tick's commands, as `js/submission.js` packs them.
//!
//! Words: ticket; argument count and flags in the top byte; place of the routing key among the
//! arguments; timeout in milliseconds; then the length of each argument; the length of the routing
//! key if it is not one of them; the response timeout in milliseconds if there is one; the destination
//! if there is one. Bytes: arguments (and that key) back to back.
//!
//! A transaction has its number of commands in place of the argument count, no place of a key, and the
//! words of a [`Unit`] in place of the lengths.

use crate::cluster::Ticket;
use crate::command::{Args, Command, Unit, declared};

/// Bits of the second word that count arguments.
const COUNT_MASK: u32 = 0x00ff_ffff;
/// In the top byte: a routing key follows the arguments.
const KEY_FOLLOWS: u32 = 4;
/// In the top byte: a response timeout follows.
const RESPONSE_TIMEOUT_FOLLOWS: u32 = 8;
/// In the top byte: it is a transaction.
const IS_UNIT: u32 = 16;
/// In the top byte: a destination follows.
const DESTINATION_FOLLOWS: u32 = 32;
/// No routing key.
const KEYLESS: u32 = u32::MAX;

/// Reads packed commands one after the other. Ends at the first that is not whole.
pub(super) struct Submission<'a> {
    words: &'a [u32],
    bytes: &'a [u8],
}

impl<'a> Submission<'a> {
    pub(super) fn new(words: &'a [u32], bytes: &'a [u8]) -> Self {
        Self { words, bytes }
    }

    fn cut(&mut self) -> Option<(Ticket, Command<'a>)> {
        let (head, rest) = self.words.split_first_chunk::<4>()?;
        let [ticket, count_and_flags, key_place, timeout_ms] = *head;
        let flags = count_and_flags >> 24;
        let count = count_and_flags & COUNT_MASK;
        let (args, unit, mut words, mut bytes) = if flags & IS_UNIT == 0 {
            let (lengths, words) = rest.split_at_checked(count as usize)?;
            let args = Args::new(lengths, self.bytes)?;
            (args, None, words, self.bytes.get(args.byte_len()..)?)
        } else {
            let (unit, (words, bytes)) = Unit::cut(count, (rest, self.bytes))?;
            (Args::default(), Some(unit), words, bytes)
        };
        let mut key = args.get(key_place as usize).filter(|_| key_place != KEYLESS);
        if flags & KEY_FOLLOWS != 0 {
            let (length, behind) = words.split_first()?;
            let (own, behind_key) = bytes.split_at_checked(*length as usize)?;
            (key, words, bytes) = (Some(own), behind, behind_key);
        }
        let mut response_timeout_ms = 0;
        if flags & RESPONSE_TIMEOUT_FOLLOWS != 0 {
            let (milliseconds, behind) = words.split_first()?;
            (response_timeout_ms, words) = (*milliseconds, behind);
        }
        let mut destination = None;
        if flags & DESTINATION_FOLLOWS != 0 {
            let (id, behind) = words.split_first()?;
            (destination, words) = (Some(*id), behind);
        }
        (self.words, self.bytes) = (words, bytes);
        let readonly = declared(flags);
        let command =
            Command { args, unit, key, readonly, timeout_ms, response_timeout_ms, destination };
        Some((ticket, command))
    }
}

impl<'a> Iterator for Submission<'a> {
    type Item = (Ticket, Command<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        let next = self.cut();
        if next.is_none() {
            self.words = &[];
        }
        next
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_cut_where_they_were_packed() {
        let words = [
            [7, 2, 1, 500].as_slice(),
            &[3, 1],
            &[8, 1 | 1 << 24, u32::MAX, 0],
            &[4],
            &[9, 1 | (2 | 4 | 8) << 24, 5, 0],
            &[2, 3, 250],
            &[10, 1 | (8 | 32) << 24, u32::MAX, 0],
            &[1, 99, 3],
        ]
        .concat();
        let all: Vec<_> = Submission::new(&words, b"GETkPINGXYabcZ").collect();
        let seen: Vec<_> = all
            .iter()
            .map(|(ticket, command)| {
                let args: Vec<&[u8]> = command.args.iter().collect();
                let timeouts = [command.timeout_ms, command.response_timeout_ms];
                (*ticket, args, command.key, command.readonly, timeouts, command.destination)
            })
            .collect();
        type Seen<'a> = (u32, Vec<&'a [u8]>, Option<&'a [u8]>, Option<bool>, [u32; 2], Option<u32>);
        let want: Vec<Seen<'_>> = vec![
            (7, vec![b"GET", b"k"], Some(b"k"), None, [500, 0], None),
            (8, vec![b"PING"], None, Some(true), [0, 0], None),
            (9, vec![b"XY"], Some(b"abc"), Some(false), [0, 250], None),
            (10, vec![b"Z"], None, None, [0, 99], Some(3)),
        ];
        assert_eq!(seen, want);
    }

    #[test]
    fn a_transaction_is_cut_whole() {
        let words = [
            [7, 2 | (16 | 4) << 24, u32::MAX, 0].as_slice(),
            &[2 | 1 << 24, 1, 3, 1],
            &[1, u32::MAX, 4],
            &[2],
            &[8, 16 << 24, u32::MAX, 0],
            &[9, 1, u32::MAX, 0, 4],
        ]
        .concat();
        let all: Vec<_> = Submission::new(&words, b"GETkPINGabECHO").collect();
        assert_eq!(all.iter().map(|(ticket, _)| *ticket).collect::<Vec<_>>(), [7, 8, 9]);
        let [unit, empty] = [0, 1].map(|at: usize| all[at].1.unit.unwrap());
        let names: Vec<_> = unit.parts().map(|part| part.args.get(0).unwrap()).collect();
        assert_eq!(names, [&b"GET"[..], b"PING"]);
        assert!(empty.is_empty() && all[0].1.args.is_empty());
        assert_eq!(all[0].1.key, Some(&b"ab"[..]));
        assert_eq!(all[2].1.args.get(0), Some(&b"ECHO"[..]));
        assert!(all[2].1.unit.is_none());
    }

    #[test]
    fn what_does_not_fit_ends_the_submission() {
        let cases: &[(&[u32], &[u8])] = &[
            (&[1, 1, 0], b"x"),
            (&[1, 2, 0, 0, 1], b"x"),
            (&[1, 1, 0, 0, 2], b"x"),
            (&[1, 1 | 4 << 24, 0, 0, 1], b"x"),
            (&[1, 1 | 8 << 24, 0, 0, 1], b"x"),
            (&[1, 1 | 32 << 24, 0, 0, 1], b"x"),
            (&[1, 1 | 4 << 24, 0, 0, 1, 9], b"xy"),
            (&[1, u32::MAX, 0, 0, 1], b"x"),
            (&[1, 2 | 16 << 24, 0, 0, 1, 0, 1], b"x"),
            (&[1, 1 | 16 << 24, 0, 0, 1, 0, 2], b"x"),
        ];
        for (words, bytes) in cases {
            assert_eq!(Submission::new(words, bytes).count(), 0, "{words:?}");
        }
    }
}
