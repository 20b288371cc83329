//! Values of several nodes put together.

use super::split::Split;
use crate::resp::{Mark, Tape, elements, kind, value_end};
use std::collections::HashSet;

/// The first value.
pub(super) fn first(mut kept: Tape, places: &[(usize, Mark)]) -> Tape {
    let start = places.first().map_or_else(|| kept.mark(), |(_, start)| *start);
    take(&mut kept, start).unwrap_or_else(null)
}

/// Arrays (or sets, or maps) one behind the other, by part; equal elements of arrays only once. Where
/// maps have the same key, readers take the later one.
pub(super) fn all(mut kept: Tape, places: &[(usize, Mark)]) -> Tape {
    let [_, _, ..] = places else { return first(kept, places) };
    let kind_at = |start: Mark| kept.words.get(start.words).map_or(kind::NULL, |w| w & kind::MASK);
    let kind = kind_at(places[0].1);
    let mut chosen: Vec<(Mark, Mark)> = Vec::new();
    let mut seen = HashSet::new();
    for (_, start) in places {
        let Some(marks) = elements(&kept.words, *start).filter(|_| kind_at(*start) == kind) else {
            return error("ERR the nodes' answers cannot be put together");
        };
        for pair in marks.windows(2) {
            let (from, to) = (pair[0], pair[1]);
            let words = &kept.words[from.words..to.words];
            let large = kept.large.get(from.large..to.large);
            let same = (words, &kept.bytes[from.bytes..to.bytes], large);
            if kind == kind::MAP || is_aggregate(words) || seen.insert(same) {
                chosen.push((from, to));
            }
        }
    }
    drop(seen);
    let count = if kind == kind::MAP { chosen.len() / 2 } else { chosen.len() };
    let mut merged = Tape::default();
    merged.push_word(kind, count);
    chosen.into_iter().for_each(|(from, to)| move_value(&mut kept, from, to, &mut merged));
    merged
}

/// The elements of all arrays, each where its key is in the caller's order.
pub(super) fn by_key(mut kept: Tape, places: &[(usize, Mark)], split: &Split) -> Tape {
    let count = split.group_count();
    let mut by_group = vec![None; count];
    for (part, start) in places {
        let groups = split.groups(*part);
        let marks = elements(&kept.words, *start).filter(|marks| marks.len() == groups.len() + 1);
        let Some(marks) = marks else {
            return error("ERR a node did not answer with one element per key");
        };
        for (group, pair) in groups.iter().zip(marks.windows(2)) {
            by_group[*group as usize] = Some((pair[0], pair[1]));
        }
    }
    let mut merged = Tape::default();
    merged.words.reserve(kept.words.len());
    merged.bytes.reserve(kept.bytes.len());
    merged.push_word(kind::ARRAY, count);
    for place in by_group {
        match place {
            Some((from, to)) => move_value(&mut kept, from, to, &mut merged),
            None => merged.push_word(kind::NULL, 0),
        }
    }
    merged
}

/// One of the values that are not null, if there is one.
pub(super) fn any_key(mut kept: Tape, places: &[(usize, Mark)], chance: usize) -> Tape {
    let is_key =
        |start: &Mark| kept.words.get(start.words).is_some_and(|w| w & kind::MASK != kind::NULL);
    let keys: Vec<Mark> = places.iter().map(|(_, start)| *start).filter(is_key).collect();
    let chosen = chance.checked_rem(keys.len()).and_then(|chosen| keys.get(chosen).copied());
    chosen.and_then(|start| take(&mut kept, start)).unwrap_or_else(null)
}

fn is_aggregate(words: &[u32]) -> bool {
    let kind = words.first().map_or(kind::NULL, |word| word & kind::MASK);
    matches!(kind, kind::ARRAY | kind::SET | kind::MAP | kind::PUSH)
}

fn take(kept: &mut Tape, start: Mark) -> Option<Tape> {
    let end = value_end(&kept.words, start)?;
    let mut taken = Tape::default();
    move_value(kept, start, end, &mut taken);
    Some(taken)
}

/// Large strings are moved; what stays behind of them is empty.
fn move_value(kept: &mut Tape, from: Mark, to: Mark, target: &mut Tape) {
    target.words.extend_from_slice(&kept.words[from.words..to.words]);
    target.bytes.extend_from_slice(&kept.bytes[from.bytes..to.bytes]);
    target.large.extend(kept.large[from.large..to.large].iter_mut().map(std::mem::take));
}

fn null() -> Tape {
    Tape { words: vec![kind::NULL], ..Tape::default() }
}

fn error(text: &str) -> Tape {
    let mut tape = Tape::default();
    tape.push_text(kind::ERROR, text.as_bytes());
    tape
}
