//! Splits a command over many keys into parts, one for each slot.
//!
//! Source: Redis command tips, `request_policy:multi_shard`: it is split by slot even where one node
//! has several of the slots, because slots move one by one.

use crate::command::Groups;
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

/// What there is to split.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Division {
    /// All keys are of one slot.
    Whole,
    /// The arguments do not make whole groups.
    Misshapen,
    /// Two parts or more.
    Parts(Split),
}

/// Looks for the parts of a command, whose name is the first of the arguments.
pub(crate) fn split(args: &[&[u8]], groups: Groups) -> Division {
    let body = args.get(1..args.len().saturating_sub(groups.tail)).unwrap_or_default();
    if body.is_empty() || body.len() % groups.step != 0 {
        return Division::Misshapen;
    }
    let mut keyed: Vec<(Slot, u32)> = (0..)
        .zip(body.iter().step_by(groups.step))
        .map(|(n, key)| (Slot::of_key(key), n))
        .collect();
    if keyed.iter().all(|(slot, _)| *slot == keyed[0].0) {
        return Division::Whole;
    }
    keyed.sort_unstable();
    let mut parts: Vec<Part> = Vec::new();
    for (start, (slot, _)) in (0..).zip(&keyed) {
        if parts.last().is_none_or(|last| last.slot != *slot) {
            parts.push(Part { slot: *slot, start });
        }
    }
    Division::Parts(Split { order: keyed.into_iter().map(|(_, group)| group).collect(), parts })
}

impl Split {
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

    /// The parts as commands, sorted.
    fn commands(text: &str, shape: Groups) -> Vec<String> {
        let args = words(text);
        let Division::Parts(split) = split(&args, shape) else { return Vec::new() };
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
    fn what_cannot_or_need_not_be_split() {
        let cases = [
            ("DEL {t}1 {t}2", KEYS, Division::Whole),
            ("DEL a", KEYS, Division::Whole),
            ("JSON.MGET a $", KEYS_AND_PATH, Division::Whole),
            ("DEL", KEYS, Division::Misshapen),
            ("MSET a 1 b", PAIRS, Division::Misshapen),
            ("JSON.MGET a", KEYS_AND_PATH, Division::Misshapen),
            ("JSON.MGET", KEYS_AND_PATH, Division::Misshapen),
        ];
        for (text, shape, want) in cases {
            assert_eq!(split(&words(text), shape), want, "{text}");
        }
    }

    #[test]
    fn every_group_is_in_one_part() {
        let keys: Vec<String> = (0..1_000).map(|n| format!("key:{n}")).collect();
        let mut args: Vec<&[u8]> = vec![b"MGET"];
        args.extend(keys.iter().map(String::as_bytes));
        let Division::Parts(split) = split(&args, KEYS) else { panic!("many slots") };
        assert_eq!(split.group_count(), 1_000);
        let mut seen: Vec<u32> = split.parts().flat_map(|(_, groups)| groups).copied().collect();
        assert!(split.parts().all(|(_, groups)| groups.is_sorted()));
        seen.sort_unstable();
        assert!(seen.into_iter().eq(0..1_000));
        assert!(split.groups(split.parts.len()).is_empty());
    }
}
