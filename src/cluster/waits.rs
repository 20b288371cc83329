//! Commands that no server could run yet, by slot, and when they are tried again.

use super::lane::Parcel;
use crate::slot::Slot;
use std::collections::{BTreeMap, VecDeque};
use tokio::time::Instant;

/// One of them.
#[derive(Debug)]
pub(super) struct Waiter {
    pub(super) parcel: Parcel,
    /// What the last server said; `None`: the slot has no owner.
    pub(super) said: Option<Box<str>>,
}

/// All that wait. Bounded like the queues they come from: each was accepted there.
#[derive(Debug, Default)]
pub(super) struct Waits {
    slots: BTreeMap<Slot, Wait>,
    /// Without a key: nothing is younger than they are.
    keyless: Vec<(Instant, Waiter)>,
    len: usize,
}

/// The commands of one slot, oldest first. They are tried again together, to keep their order.
#[derive(Debug)]
struct Wait {
    until: Instant,
    waiters: VecDeque<Waiter>,
}

impl Waits {
    pub(super) fn is_empty(&self) -> bool {
        self.slots.is_empty() && self.keyless.is_empty()
    }

    /// How many wait.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Says whether commands of `slot` wait, and younger ones must too.
    pub(super) fn holds(&self, slot: Slot) -> bool {
        self.slots.contains_key(&slot)
    }

    /// Adds a command behind those of its slot, which decide when it is tried again; the first one
    /// waits until `until`. Says whether it is the first.
    pub(super) fn add(&mut self, waiter: Waiter, until: Instant) -> bool {
        self.len += 1;
        let Some(slot) = waiter.parcel.0.slot() else {
            self.keyless.push((until, waiter));
            return false;
        };
        let wait =
            self.slots.entry(slot).or_insert_with(|| Wait { until, waiters: VecDeque::new() });
        wait.waiters.push_back(waiter);
        wait.waiters.len() == 1
    }

    /// Takes those whose time has come, in order per slot.
    pub(super) fn take_due(&mut self, now: Instant) -> Vec<Waiter> {
        let due = self.slots.iter().filter(|(_, wait)| wait.until <= now);
        let due: Vec<Slot> = due.map(|(slot, _)| *slot).collect();
        let waits = due.iter().filter_map(|slot| self.slots.remove(slot));
        let mut taken: Vec<_> = waits.flat_map(|wait| wait.waiters).collect();
        taken.extend(self.keyless.extract_if(.., |(until, _)| *until <= now).map(|(_, w)| w));
        self.len -= taken.len();
        taken
    }

    /// Takes those that satisfy `condition`.
    pub(super) fn remove(&mut self, mut condition: impl FnMut(&Parcel) -> bool) -> Vec<Waiter> {
        let mut removed = Vec::new();
        for wait in self.slots.values_mut() {
            let waiters = std::mem::take(&mut wait.waiters).into_iter();
            let (out, kept): (Vec<_>, Vec<_>) = waiters.partition(|one| condition(&one.parcel));
            wait.waiters = kept.into();
            removed.extend(out);
        }
        self.slots.retain(|_, wait| !wait.waiters.is_empty());
        let keyless = self.keyless.extract_if(.., |(_, waiter)| condition(&waiter.parcel));
        removed.extend(keyless.map(|(_, waiter)| waiter));
        self.len -= removed.len();
        removed
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::request::Request;
    use std::time::Duration;

    fn waiter(ticket: u32, slot: Option<u16>) -> Waiter {
        let request = Request::new(ticket, 0, slot.and_then(Slot::new), 1);
        Waiter { parcel: (request, vec![0]), said: None }
    }

    fn tickets(waiters: &[Waiter]) -> Vec<u32> {
        waiters.iter().map(|waiter| waiter.parcel.0.ticket).collect()
    }

    #[test]
    fn the_oldest_of_a_slot_decides_for_all_of_it() {
        let now = Instant::now();
        let at = |ms| now + Duration::from_millis(ms);
        let mut waits = Waits::default();
        assert!(waits.add(waiter(1, Some(7)), at(10)));
        assert!(waits.add(waiter(2, Some(8)), at(20)));
        assert!(!waits.add(waiter(3, Some(7)), at(99)));
        assert!(!waits.add(waiter(4, None), at(15)));
        assert!(waits.holds(Slot::new(7).unwrap()) && !waits.holds(Slot::new(9).unwrap()));
        assert!(waits.take_due(at(9)).is_empty());
        assert_eq!(tickets(&waits.take_due(at(15))), [1, 3, 4]);
        assert!(!waits.holds(Slot::new(7).unwrap()) && !waits.is_empty());
        assert_eq!(tickets(&waits.take_due(at(20))), [2]);
        assert!(waits.is_empty());
    }

    #[test]
    fn a_slot_of_which_nothing_waits_holds_nobody() {
        let mut waits = Waits::default();
        for (ticket, slot) in [(1, Some(7)), (2, Some(7)), (3, None)] {
            waits.add(waiter(ticket, slot), Instant::now());
        }
        assert_eq!(tickets(&waits.remove(|(request, _)| request.ticket != 2)), [1, 3]);
        assert!(waits.holds(Slot::new(7).unwrap()));
        assert_eq!(waits.len(), 1);
        assert_eq!(tickets(&waits.remove(|_| true)), [2]);
        assert!(waits.is_empty());
    }
}
