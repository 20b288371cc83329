//! Splits a command over many keys into parts, one for each slot.
//!
//! Source: Redis command tips, `request_policy:multi_shard`: it is split by slot even where one node
//! has several of the slots, because slots move one by one.

use crate::command::{Args, Groups};
use crate::slot::Slot;

/// A command in parts. Groups are a key and what belongs to it, numbered as the caller gave them.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Split {
    /// Groups part by part, within a part in the caller's order.
    order: Vec<u32>,
    parts: Vec<Part>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Part {
    slot: Slot,
    /// Where its groups begin in the order.
    start: u32,
}

/// The slot of a command's keys, if it is one. No allocation, because most commands are of this sort.
pub(crate) fn only_slot(args: &Args<'_>, groups: Groups) -> Option<Slot> {
    let body = body_len(args.len(), groups)?;
    let mut slots = args.iter().skip(1).take(body).step_by(groups.step).map(Slot::of_key);
    let first = slots.next()?;
    slots.all(|slot| slot == first).then_some(first)
}

/// The parts of a command, whose name is the first of the arguments. `None`: they do not make whole
/// groups.
pub(crate) fn split(args: &[&[u8]], groups: Groups) -> Option<Split> {
    let body = &args[1..=body_len(args.len(), groups)?];
    let keys = body.iter().step_by(groups.step);
    let mut keyed: Vec<(Slot, u32)> = keys.map(|key| Slot::of_key(key)).zip(0..).collect();
    keyed.sort_unstable();
    let mut parts: Vec<Part> = Vec::new();
    for (start, (slot, _)) in (0..).zip(&keyed) {
        if parts.last().is_none_or(|last| last.slot != *slot) {
            parts.push(Part { slot: *slot, start });
        }
    }
    Some(Split { order: keyed.into_iter().map(|(_, group)| group).collect(), parts })
}

/// How many of so many arguments make groups. `None`: they do not come out even, or there are none.
fn body_len(args: usize, groups: Groups) -> Option<usize> {
    let body = args.checked_sub(1 + groups.tail)?;
    (body > 0 && body % groups.step == 0).then_some(body)
}

impl Split {
    /// How many parts there are.
    pub(crate) fn len(&self) -> usize {
        self.parts.len()
    }

    /// How many groups there are in all of them.
    pub(crate) fn group_count(&self) -> usize {
        self.order.len()
    }

    /// The groups of a part, in the caller's order.
    pub(crate) fn groups(&self, part: usize) -> &[u32] {
        let start = |part: usize| self.parts.get(part).map(|part| part.start as usize);
        let end = start(part + 1).unwrap_or(self.order.len());
        start(part).map_or(&[], |start| &self.order[start..end])
    }

    /// The parts: each one's slot and groups.
    pub(crate) fn parts(&self) -> impl Iterator<Item = (Slot, &[u32])> {
        self.parts.iter().enumerate().map(|(part, at)| (at.slot, self.groups(part)))
    }
}

/// The arguments of a part.
pub(crate) fn part_args<'a, 'b>(
    args: &'b [&'a [u8]],
    shape: Groups,
    groups: &'b [u32],
) -> impl Iterator<Item = &'a [u8]> + use<'a, 'b> {
    let of_group = move |group: &u32| {
        let start = 1 + *group as usize * shape.step;
        args[start..start + shape.step].iter().copied()
    };
    let tail = &args[args.len() - shape.tail..];
    args[..1].iter().copied().chain(groups.iter().flat_map(of_group)).chain(tail.iter().copied())
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEYS: Groups = Groups { step: 1, tail: 0 };
    const PAIRS: Groups = Groups { step: 2, tail: 0 };
    const KEYS_AND_PATH: Groups = Groups { step: 1, tail: 1 };

    fn words(text: &str) -> Vec<&[u8]> {
        text.split(' ').map(str::as_bytes).collect()
    }

    fn laid_out(text: &str) -> (Vec<u32>, Vec<u8>) {
        (words(text).iter().map(|word| word.len() as u32).collect(), words(text).concat())
    }

    /// The parts as commands, sorted.
    fn commands(text: &str, shape: Groups) -> Vec<String> {
        let args = words(text);
        let split = split(&args, shape).unwrap();
        let mut commands: Vec<String> = split
            .parts()
            .map(|(slot, groups)| {
                let part: Vec<&[u8]> = part_args(&args, shape, groups).collect();
                assert_eq!(Slot::of_key(part[1]), slot);
                String::from_utf8(part.join(&b' ')).unwrap()
            })
            .collect();
        commands.sort();
        commands
    }

    #[test]
    fn one_command_per_slot_in_the_callers_order() {
        let cases: &[(&str, Groups, &[&str])] = &[
            ("DEL a b c", KEYS, &["DEL a", "DEL b", "DEL c"]),
            ("MGET {t}2 b {t}1 {t}2 b", KEYS, &["MGET b b", "MGET {t}2 {t}1 {t}2"]),
            ("MSET {t}1 x b y {t}2 z", PAIRS, &["MSET b y", "MSET {t}1 x {t}2 z"]),
            ("JSON.MGET a b $.p", KEYS_AND_PATH, &["JSON.MGET a $.p", "JSON.MGET b $.p"]),
        ];
        for (text, shape, want) in cases {
            assert_eq!(commands(text, *shape), *want, "{text}");
        }
    }

    #[test]
    fn one_slot_is_seen_and_what_has_no_groups() {
        let slot = |key: &str| Some(Slot::of_key(key.as_bytes()));
        let cases = [
            ("DEL {t}1 {t}2", KEYS, slot("t")),
            ("DEL a", KEYS, slot("a")),
            ("MSET {t}1 a {t}2 b", PAIRS, slot("t")),
            ("JSON.MGET a $", KEYS_AND_PATH, slot("a")),
            ("DEL a b", KEYS, None),
            ("MSET {t} a b {t}", PAIRS, None),
        ];
        for (text, shape, want) in cases {
            let (lengths, bytes) = laid_out(text);
            assert_eq!(only_slot(&Args::new(&lengths, &bytes).unwrap(), shape), want, "{text}");
        }
        let misshapen = [
            ("DEL", KEYS),
            ("MSET a 1 b", PAIRS),
            ("JSON.MGET a", KEYS_AND_PATH),
            ("JSON.MGET", KEYS_AND_PATH),
        ];
        for (text, shape) in misshapen {
            let (lengths, bytes) = laid_out(text);
            assert_eq!(only_slot(&Args::new(&lengths, &bytes).unwrap(), shape), None, "{text}");
            assert_eq!(split(&words(text), shape), None, "{text}");
        }
    }

    #[test]
    fn every_group_is_in_one_part() {
        let keys: Vec<String> = (0..1_000).map(|n| format!("key:{n}")).collect();
        let mut args: Vec<&[u8]> = vec![b"MGET"];
        args.extend(keys.iter().map(String::as_bytes));
        let split = split(&args, KEYS).unwrap();
        assert_eq!(split.group_count(), 1_000);
        let mut seen: Vec<u32> = split.parts().flat_map(|(_, groups)| groups).copied().collect();
        assert!(split.parts().all(|(_, groups)| groups.is_sorted()));
        seen.sort_unstable();
        assert!(seen.into_iter().eq(0..1_000));
        assert!(split.groups(split.parts.len()).is_empty());
    }
}
