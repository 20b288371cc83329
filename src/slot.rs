//! Hash slots: which of the cluster's 16384 drawers a key lies in.

use crc16::{State, XMODEM};
use memchr::memchr;

/// One of the 16384 hash slots. Holding a `Slot` proves that the number is in range.
///
/// Source: Redis Cluster specification, "Key distribution model".
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Slot(u16);

impl Slot {
    /// How many slots there are.
    pub(crate) const COUNT: usize = 16_384;

    /// The slot with this number, if there is one.
    pub(crate) fn new(number: u16) -> Option<Self> {
        (usize::from(number) < Self::COUNT).then_some(Self(number))
    }

    /// The slot of `key`, honouring a `{hash tag}`.
    pub(crate) fn of_key(key: &[u8]) -> Self {
        // COUNT is a power of two, so the mask is the remainder.
        Self(State::<XMODEM>::calculate(hash_tag(key)) & (Self::COUNT - 1) as u16)
    }

    /// All slots, from 0 on.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        (0..Self::COUNT as u16).map(Self)
    }

    /// The number as a position in an array of [`Slot::COUNT`] elements.
    pub(crate) fn index(self) -> usize {
        usize::from(self.0)
    }

    /// The number, 0 to 16383.
    pub(crate) fn number(self) -> u16 {
        self.0
    }
}

/// The part of `key` that is hashed: what stands between the first `{` and the next `}` if that is
/// not empty, else the whole key.
///
/// Source: Redis Cluster specification, "Hash tags".
fn hash_tag(key: &[u8]) -> &[u8] {
    let Some(open) = memchr(b'{', key) else {
        return key;
    };
    let tagged = &key[open + 1..];
    match memchr(b'}', tagged) {
        None | Some(0) => key,
        Some(close) => &tagged[..close],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn slot_of_key() {
        let cases: &[(&str, &[u8], u16)] = &[
            ("crc16 check value 0x31C3", b"123456789", 12_739),
            ("no bytes at all", b"", 0),
            ("plain key", b"foo", 12_182),
            ("hash tag", b"{foo}.bar", 12_182),
            ("hash tag in the middle", b"bar{foo}baz", 12_182),
            ("only the first tag counts", b"{foo}{bar}", 12_182),
            ("an opening brace inside a tag belongs to it", b"x{{bar}}y", 4_015),
            ("an empty tag is no tag", b"{}foo", 9_500),
        ];
        for (name, key, want) in cases {
            assert_eq!(Slot::of_key(key).number(), *want, "{name}");
        }
    }

    #[test]
    fn tags_of_the_cluster_specification() {
        let cases: &[(&[u8], &[u8])] = &[
            (b"{user1000}.following", b"user1000"),
            (b"{user1000}.followers", b"user1000"),
            (b"foo{}{bar}", b"foo{}{bar}"),
            (b"foo{{bar}}zap", b"{bar"),
            (b"foo{bar}{zap}", b"bar"),
            (b"foo}bar{", b"foo}bar{"),
            (b"foo{bar", b"foo{bar"),
            (b"}{a}", b"a"),
            (b"{", b"{"),
            (b"{}", b"{}"),
        ];
        for (key, tag) in cases {
            assert_eq!(hash_tag(key), *tag, "{}", key.escape_ascii());
        }
    }

    #[test]
    fn numbers_out_of_range_are_no_slots() {
        assert_eq!(Slot::new(16_383).map(Slot::number), Some(16_383));
        assert_eq!(Slot::new(16_384), None);
        assert_eq!(Slot::new(u16::MAX), None);
    }

    /// The specification's definition, bit by bit.
    fn reference(key: &[u8]) -> u16 {
        let tag = match key.iter().position(|&byte| byte == b'{') {
            None => key,
            Some(open) => match key[open + 1..].iter().position(|&byte| byte == b'}') {
                None | Some(0) => key,
                Some(len) => &key[open + 1..open + 1 + len],
            },
        };
        let crc = tag.iter().fold(0u16, |crc, &byte| {
            (0..8).fold(crc ^ (u16::from(byte) << 8), |crc, _| {
                if crc & 0x8000 == 0 { crc << 1 } else { (crc << 1) ^ 0x1021 }
            })
        });
        crc % 16_384
    }

    proptest! {
        #[test]
        fn agrees_with_the_definition(
            key in proptest::collection::vec(
                prop_oneof![Just(b'{'), Just(b'}'), any::<u8>()], 0..64
            ),
        ) {
            prop_assert_eq!(Slot::of_key(&key).number(), reference(&key));
        }
    }
}
