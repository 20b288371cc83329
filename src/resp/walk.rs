//! Finds where a value on a tape ends, without reading it.

use super::tape::{Mark, kind};

/// The place behind the value that begins at `start`. `None`: the words end before it does.
pub fn value_end(words: &[u32], start: Mark) -> Option<Mark> {
    let mut at = start;
    // Values that must still follow. No recursion: replies nest as deep as servers like.
    let mut open = 1_usize;
    while open > 0 {
        let word = *words.get(at.words)?;
        let len = (word >> kind::BITS) as usize;
        at.words += 1;
        open -= 1;
        match word & kind::MASK {
            kind::NULL | kind::BOOLEAN => {}
            kind::INT => at.words += 1,
            kind::INT64 => at.words += 2,
            kind::ARRAY | kind::SET | kind::PUSH => open += len,
            kind::MAP => open += 2 * len,
            kind::FAILURE => open += 1,
            kind::LARGE => at.large += 1,
            _ => at.bytes += len,
        }
    }
    (at.words <= words.len()).then_some(at)
}

/// The places where the elements of the array (or set, push, map) at `start` begin, and where the last
/// one ends. `None`: it is something else. A map has twice as many as it has pairs.
pub fn elements(words: &[u32], start: Mark) -> Option<Vec<Mark>> {
    let word = *words.get(start.words)?;
    let len = (word >> kind::BITS) as usize;
    let count = match word & kind::MASK {
        kind::ARRAY | kind::SET | kind::PUSH => len,
        kind::MAP => 2 * len,
        _ => return None,
    };
    let mut at = Mark { words: start.words + 1, ..start };
    // Not `with_capacity(count)`: what is announced need not be there.
    let mut places = vec![at];
    for _ in 0..count {
        at = value_end(words, at)?;
        places.push(at);
    }
    Some(places)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resp::{Parser, Step, Tape};

    fn tape(text: &[u8]) -> Tape {
        let mut tape = Tape::default();
        let mut rest = text;
        while !rest.is_empty() {
            match Parser::new(crate::resp::Limits::DEFAULT).parse(rest, &mut tape).unwrap() {
                Step::Reply(used) | Step::Push(used) => rest = &rest[used..],
                Step::NeedMore => panic!("not whole: {text:?}"),
            }
        }
        tape
    }

    #[test]
    fn every_kind_ends_where_the_next_begins() {
        let large = format!("${}\r\n{}\r\n", 70_000, "x".repeat(70_000));
        let values: &[&[u8]] = &[
            b"_\r\n",
            b":5\r\n",
            b":5000000000\r\n",
            b",1.5\r\n",
            b"#t\r\n",
            b"(123456789012345678901\r\n",
            b"+OK\r\n",
            b"$3\r\nabc\r\n",
            "$4\r\nzwö\r\n".as_bytes(),
            b"=7\r\ntxt:abc\r\n",
            b"-ERR no\r\n",
            b"*0\r\n",
            b"*3\r\n:1\r\n*2\r\n$1\r\na\r\n_\r\n%1\r\n+k\r\n~1\r\n:7\r\n",
            b"%2\r\n+a\r\n:1\r\n+b\r\n*1\r\n+c\r\n",
            large.as_bytes(),
        ];
        for value in values {
            let whole = tape(value);
            assert_eq!(value_end(&whole.words, Mark::default()), Some(whole.mark()), "{value:?}");
            let short = &whole.words[..whole.words.len() - 1];
            assert_eq!(value_end(short, Mark::default()), None, "{value:?}");
            // Behind another one.
            let two = tape(&[b"*1\r\n$2\r\nhi\r\n", *value].concat());
            let first = value_end(&two.words, Mark::default()).unwrap();
            assert_eq!(value_end(&two.words, first), Some(two.mark()), "{value:?}");
        }
    }

    #[test]
    fn elements_are_found() {
        let whole = tape(b"*3\r\n$1\r\na\r\n*1\r\n:1\r\n$2\r\nbc\r\n");
        let places = elements(&whole.words, Mark::default()).unwrap();
        let words: Vec<usize> = places.iter().map(|place| place.words).collect();
        let bytes: Vec<usize> = places.iter().map(|place| place.bytes).collect();
        assert_eq!((words, bytes), (vec![1, 2, 5, 6], vec![0, 1, 1, 3]));
        assert_eq!(elements(&tape(b":1\r\n").words, Mark::default()), None);
        assert_eq!(elements(&tape(b"%1\r\n+a\r\n+b\r\n").words, Mark::default()).unwrap().len(), 3);
    }
}
