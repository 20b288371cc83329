//! A command as its asker gives it: arguments, and what is said about them.

use super::unit::Unit;

/// Arguments laid end to end, with their lengths beside them.
#[derive(Clone, Copy, Debug, Default)]
pub struct Args<'a> {
    lengths: &'a [u32],
    bytes: &'a [u8],
}

impl<'a> Args<'a> {
    /// Takes as many bytes as the lengths say; `None` if there are fewer.
    pub fn new(lengths: &'a [u32], bytes: &'a [u8]) -> Option<Self> {
        let total = lengths.iter().map(|length| *length as usize).sum();
        Some(Self { lengths, bytes: bytes.get(..total)? })
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.lengths.len()
    }

    /// Says whether there are none.
    pub fn is_empty(&self) -> bool {
        self.lengths.is_empty()
    }

    /// Bytes of all of them.
    pub fn byte_len(&self) -> usize {
        self.bytes.len()
    }

    /// The argument at `index`.
    pub fn get(&self, index: usize) -> Option<&'a [u8]> {
        let length = *self.lengths.get(index)? as usize;
        let start = self.lengths[..index].iter().map(|length| *length as usize).sum::<usize>();
        self.bytes.get(start..start + length)
    }

    /// All of them, in order.
    pub fn iter(&self) -> impl Iterator<Item = &'a [u8]> {
        let mut rest = self.bytes;
        self.lengths.iter().map(move |length| {
            let (argument, behind) = rest.split_at(*length as usize);
            rest = behind;
            argument
        })
    }
}

/// One command to be run.
#[derive(Clone, Copy, Debug)]
pub struct Command<'a> {
    /// Name and arguments. None for a transaction.
    pub args: Args<'a>,
    /// It is a transaction, and these are its commands.
    pub unit: Option<Unit<'a>>,
    /// The key that decides where it goes; need not be among the arguments.
    pub key: Option<&'a [u8]>,
    /// What its definition or its caller says of whether it only reads; `None`: the table decides.
    pub readonly: Option<bool>,
    /// Milliseconds it may wait to be written; 0: as long as it takes.
    pub timeout_ms: u32,
    /// Milliseconds until its answer must be there; 0: as long as it takes.
    pub response_timeout_ms: u32,
    /// The node it is meant for, whatever its key: a number that `Cluster::destination` has given.
    pub destination: Option<u32>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_cut_by_their_lengths() {
        let args = Args::new(&[3, 0, 2], b"SETkv-rest").unwrap();
        let all: Vec<&[u8]> = args.iter().collect();
        assert_eq!(all, [&b"SET"[..], b"", b"kv"]);
        assert_eq!((args.get(2), args.get(3)), (Some(&b"kv"[..]), None));
        assert!(Args::new(&[3, 9], b"SETkv").is_none());
    }
}
