//! Commands that run together or not at all: what stands between MULTI and EXEC.

use super::args::Args;

/// Bits of a command's first word that count its arguments; the rest are flags.
const COUNT_MASK: u32 = 0x00ff_ffff;
/// Flags: what is declared of reading only.
pub(crate) const DECLARED_READONLY: u32 = 1;
pub(crate) const DECLARED_WRITING: u32 = 2;

/// Words, and the bytes that they describe.
pub type Packed<'a> = (&'a [u32], &'a [u8]);

/// The commands of a transaction, packed one behind the other.
///
/// Words, per command: argument count, and flags in the top byte; place of its first key among the
/// arguments (past their end: it has none); the length of each argument.
#[derive(Clone, Copy, Debug)]
pub struct Unit<'a> {
    len: u32,
    packed: Packed<'a>,
}

/// One of them.
#[derive(Clone, Copy, Debug)]
pub struct Part<'a> {
    /// Name and arguments.
    pub args: Args<'a>,
    /// Its first key.
    pub key: Option<&'a [u8]>,
    /// As [`super::Command::readonly`].
    pub readonly: Option<bool>,
}

impl<'a> Unit<'a> {
    /// Cuts `len` commands off the front of what is packed, and returns the rest with them; `None` if
    /// they are not whole.
    pub fn cut(len: u32, packed: Packed<'a>) -> Option<(Self, Packed<'a>)> {
        let mut rest = packed;
        for _ in 0..len {
            rest = Part::cut(rest)?.1;
        }
        let words = packed.0.get(..packed.0.len() - rest.0.len())?;
        let bytes = packed.1.get(..packed.1.len() - rest.1.len())?;
        Some((Self { len, packed: (words, bytes) }, rest))
    }

    /// How many there are.
    pub fn len(&self) -> u32 {
        self.len
    }

    /// Says whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// No fewer than all their arguments and the commands themselves.
    pub(crate) fn most_strings(&self) -> usize {
        self.packed.0.len()
    }

    /// Bytes of all their arguments.
    pub(crate) fn byte_len(&self) -> usize {
        self.packed.1.len()
    }

    /// All of them, in order.
    pub fn parts(&self) -> impl Iterator<Item = Part<'a>> {
        let mut rest = self.packed;
        std::iter::from_fn(move || {
            let (part, behind) = Part::cut(rest)?;
            rest = behind;
            Some(part)
        })
    }
}

impl<'a> Part<'a> {
    fn cut((words, bytes): Packed<'a>) -> Option<(Self, Packed<'a>)> {
        let ([count_and_flags, key_place], rest) = words.split_first_chunk::<2>()?;
        let (lengths, words) = rest.split_at_checked((count_and_flags & COUNT_MASK) as usize)?;
        let args = Args::new(lengths, bytes)?;
        let readonly = declared(count_and_flags >> COUNT_MASK.count_ones());
        let part = Self { args, key: args.get(*key_place as usize), readonly };
        Some((part, (words, bytes.get(args.byte_len()..)?)))
    }
}

/// What flags declare of reading only.
pub fn declared(flags: u32) -> Option<bool> {
    match flags & (DECLARED_READONLY | DECLARED_WRITING) {
        DECLARED_READONLY => Some(true),
        DECLARED_WRITING => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORDS: [u32; 9] = [2 | 1 << 24, 1, 3, 1, 1 | 2 << 24, u32::MAX, 4, 77, 78];

    #[test]
    fn commands_are_cut_where_they_were_packed() {
        let (unit, (words, bytes)) = Unit::cut(2, (&WORDS, b"GETkPINGrest")).unwrap();
        assert_eq!((words, bytes), (&WORDS[7..], &b"rest"[..]));
        assert_eq!((unit.len(), unit.byte_len(), unit.is_empty()), (2, 8, false));
        let parts: Vec<_> = unit.parts().collect();
        let args: Vec<Vec<&[u8]>> = parts.iter().map(|part| part.args.iter().collect()).collect();
        assert_eq!(args, [vec![&b"GET"[..], b"k"], vec![b"PING"]]);
        assert_eq!((parts[0].key, parts[1].key), (Some(&b"k"[..]), None));
        assert_eq!((parts[0].readonly, parts[1].readonly), (Some(true), Some(false)));
        let (none, ..) = Unit::cut(0, (&[], b"")).unwrap();
        assert!(none.is_empty() && none.parts().next().is_none());
    }

    #[test]
    fn what_is_not_whole_is_none() {
        for (len, words, bytes) in [
            (3, &WORDS[..], &b"GETkPING"[..]),
            (2, &WORDS[..6], b"GETkPING"),
            (2, &WORDS, b"GETkP"),
        ] {
            assert!(Unit::cut(len, (words, bytes)).is_none());
        }
    }
}
