//! Chance, from one place, so that a simulation can take it over.

#[cfg(test)]
use std::cell::Cell;
use std::hash::{BuildHasher, RandomState};

#[cfg(test)]
thread_local! {
    static SEED: Cell<Option<u64>> = const { Cell::new(None) };
}

/// Makes chance on this thread a function of `seed`, or leaves it to the system again.
#[cfg(test)]
pub(super) fn install(seed: Option<u64>) {
    SEED.with(|current| current.set(seed));
}

/// A number below `count`, 0 if that is 0. Different from process to process; not for secrets.
pub(super) fn random_below(count: usize) -> usize {
    (draw() as usize).checked_rem(count).unwrap_or(0)
}

fn draw() -> u64 {
    #[cfg(test)]
    if let Some(seed) = SEED.with(Cell::get) {
        // SplitMix64: the state is a counter, the number is well mixed.
        let next = seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
        SEED.with(|current| current.set(Some(next)));
        let mixed = (next ^ (next >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        return mixed ^ (mixed >> 31);
    }
    RandomState::new().hash_one(0)
}
