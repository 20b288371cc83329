//! Numbers of several nodes made one.

use crate::command::Gather;
use crate::resp::{Mark, Tape, elements, kind};

/// What the numbers so far come to: one number, or one for each place of arrays.
#[derive(Debug, Default)]
pub(super) struct Totals {
    numbers: Option<Vec<i64>>,
    is_array: bool,
}

impl Totals {
    /// Takes one more answer. `false`: it has not the form of the others, or is no number.
    pub(super) fn add(&mut self, gather: Gather, words: &[u32]) -> bool {
        let Some((numbers, is_array)) = read(words) else { return false };
        let Some(totals) = &mut self.numbers else {
            let first = numbers.into_iter().map(|number| combine(gather, number, number));
            // Of itself a number is the least, the greatest, and true or not, but not its own sum.
            self.numbers = Some(first.collect());
            self.is_array = is_array;
            return true;
        };
        if is_array != self.is_array || totals.len() != numbers.len() {
            return false;
        }
        for (total, number) in totals.iter_mut().zip(numbers) {
            *total = match gather {
                Gather::Sum => total.saturating_add(number),
                _ => combine(gather, *total, number),
            };
        }
        true
    }

    /// All of it as a value.
    pub(super) fn value(self) -> Tape {
        let mut tape = Tape::default();
        let numbers = self.numbers.unwrap_or_default();
        if self.is_array {
            tape.push_word(kind::ARRAY, numbers.len());
        }
        numbers.into_iter().for_each(|number| tape.push_int(number));
        tape
    }
}

/// For all but sums.
fn combine(gather: Gather, one: i64, other: i64) -> i64 {
    match gather {
        Gather::Min => one.min(other),
        Gather::Max => one.max(other),
        Gather::And => i64::from(one != 0 && other != 0),
        _ => other,
    }
}

/// The number, or the numbers of the array, and whether it is one.
fn read(words: &[u32]) -> Option<(Vec<i64>, bool)> {
    let number = |at: usize| match words.get(at)? & kind::MASK {
        kind::INT => Some(i64::from(*words.get(at + 1)? as i32)),
        kind::INT64 => {
            let (low, high) = (*words.get(at + 1)?, *words.get(at + 2)?);
            Some((u64::from(high) << 32 | u64::from(low)) as i64)
        }
        _ => None,
    };
    if let Some(one) = number(0) {
        return Some((vec![one], false));
    }
    let mut places = elements(words, Mark::default())?;
    places.pop();
    let numbers: Option<Vec<i64>> = places.iter().map(|place| number(place.words)).collect();
    Some((numbers?, true))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn array(numbers: &[i64]) -> Tape {
        let mut tape = Tape::default();
        tape.push_word(kind::ARRAY, numbers.len());
        numbers.iter().for_each(|number| tape.push_int(*number));
        tape
    }

    fn number(number: i64) -> Tape {
        let mut tape = Tape::default();
        tape.push_int(number);
        tape
    }

    #[test]
    fn numbers_and_arrays_of_numbers() {
        let cases: &[(Gather, &[Tape], Tape)] = &[
            (Gather::Sum, &[number(3)], number(3)),
            (Gather::Sum, &[number(3), number(1 << 40), number(-5)], number((1 << 40) - 2)),
            (Gather::Sum, &[number(i64::MAX), number(1)], number(i64::MAX)),
            (Gather::Min, &[number(2), number(0), number(1)], number(0)),
            (Gather::Max, &[number(2), number(7), number(1)], number(7)),
            (Gather::Min, &[array(&[1, 0]), array(&[0, 2])], array(&[0, 0])),
            (Gather::And, &[array(&[1, 0, 1]), array(&[1, 1, 2])], array(&[1, 0, 1])),
            (Gather::And, &[array(&[])], array(&[])),
        ];
        for (gather, answers, want) in cases {
            let mut totals = Totals::default();
            assert!(answers.iter().all(|answer| totals.add(*gather, &answer.words)));
            assert_eq!(totals.value().words, want.words, "{gather:?} {answers:?}");
        }
    }

    #[test]
    fn what_is_no_number_or_has_another_form_is_refused() {
        let mut text = Tape::default();
        text.push_string(kind::BLOB, b"12");
        let mut mixed = array(&[]);
        mixed.words[0] = kind::ARRAY | 1 << kind::BITS;
        mixed.words.push(kind::NULL);
        for bad in [&text, &mixed, &array(&[1, 2])] {
            let mut totals = Totals::default();
            assert!(totals.add(Gather::Sum, &number(1).words));
            assert!(!totals.add(Gather::Sum, &bad.words), "{bad:?}");
        }
    }
}
