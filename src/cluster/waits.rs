//! Commands that no server could run yet, by slot, and when they are tried again.

use super::lane::Parcel;
use super::routes::NodeLink;
use crate::slot::Slot;
use std::collections::{BTreeMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;
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

/// The commands of one slot, oldest first. The oldest is tried again alone, and when it has run the
/// others follow together: a server that accepts again in the middle of them would run the younger
/// ones first.
#[derive(Debug)]
struct Wait {
    until: Instant,
    /// Who refused the first of them, or has the oldest now. Others of the slot may be with it still,
    /// and come back.
    asked: Option<NodeLink>,
    /// The oldest is being tried. If it comes back it will be the oldest again.
    trying: bool,
    waiters: VecDeque<Waiter>,
}

/// How much longer they wait for those of their slot that are still with a server: an answer takes as long as the slowest command before it, and one that blocks on purpose takes for ever.
const STRAGGLERS_MAX: Duration = Duration::from_secs(1);

impl Wait {
    /// The node whose answers are to be waited for.
    fn stragglers_with(&self, now: Instant) -> Option<&NodeLink> {
        self.asked.as_ref().filter(|_| now < self.until + STRAGGLERS_MAX)
    }
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
    pub(super) fn add(
        &mut self,
        waiter: Waiter,
        until: Instant,
        refused_by: Option<NodeLink>,
    ) -> bool {
        self.len += 1;
        let Some(slot) = waiter.parcel.0.slot() else {
            self.keyless.push((until, waiter));
            return false;
        };
        let new =
            || Wait { until, asked: refused_by.clone(), trying: false, waiters: VecDeque::new() };
        let wait = self.slots.entry(slot).or_insert_with(new);
        if std::mem::take(&mut wait.trying) {
            (wait.until, wait.asked) = (until, refused_by);
            // It was tried for all of them.
            for behind in &mut wait.waiters {
                behind.parcel.0.waits = behind.parcel.0.waits.saturating_add(1);
            }
            wait.waiters.push_front(waiter);
            return false;
        }
        wait.waiters.push_back(waiter);
        wait.waiters.len() == 1
    }

    /// Takes the command back that was being tried for its slot, and has not been written. Gives it
    /// back if it was not.
    pub(super) fn put_back(&mut self, slot: Slot, parcel: Parcel) -> Option<Parcel> {
        match self.slots.get_mut(&slot).filter(|wait| wait.trying) {
            Some(wait) => {
                (wait.trying, wait.asked) = (false, None);
                self.len += 1;
                wait.waiters.push_front(Waiter { parcel, said: None });
                None
            }
            None => Some(parcel),
        }
    }

    /// The oldest of a slot is with `link` now.
    pub(super) fn on_tried(&mut self, slot: Slot, link: &NodeLink) {
        if let Some(wait) = self.slots.get_mut(&slot).filter(|wait| wait.trying) {
            wait.asked = Some(link.clone());
        }
    }

    /// Takes those whose time has come, in order per slot: the oldest of the slot, or all that are left
    /// when that has run.
    pub(super) fn take_due(&mut self, now: Instant, freed: &mut Vec<Slot>) -> Vec<Waiter> {
        let mut due = self.slots_past(now);
        self.without_stragglers(&mut due, now);
        freed.extend(&due);
        let mut taken: Vec<_> = due.into_iter().flat_map(|slot| self.take_of(slot, now)).collect();
        taken.extend(self.keyless.extract_if(.., |(until, _)| *until <= now).map(|(_, w)| w));
        self.len -= taken.len();
        taken
    }

    fn slots_past(&self, now: Instant) -> Vec<Slot> {
        let past = self.slots.iter().filter(|(_, wait)| wait.until <= now);
        past.map(|(slot, _)| *slot).collect()
    }

    /// Leaves out slots of which a node has commands still. Each node is looked at once.
    fn without_stragglers(&self, slots: &mut Vec<Slot>, now: Instant) {
        let mut links: Vec<&NodeLink> = Vec::new();
        for link in slots.iter().filter_map(|slot| self.slots.get(slot)?.stragglers_with(now)) {
            if !links.iter().any(|known| Arc::ptr_eq(known, link)) {
                links.push(link);
            }
        }
        for link in links {
            let mut busy = HashSet::new();
            link.any(|request| {
                busy.extend(request.slot());
                false
            });
            slots.retain(|slot| {
                let with = self.slots.get(slot).and_then(|wait| wait.stragglers_with(now));
                !(busy.contains(slot) && with.is_some_and(|with| Arc::ptr_eq(with, link)))
            });
        }
    }

    fn take_of(&mut self, slot: Slot, now: Instant) -> VecDeque<Waiter> {
        match self.slots.get_mut(&slot) {
            Some(wait) if !wait.trying && wait.waiters.len() > 1 => {
                (wait.until, wait.trying) = (now, true);
                wait.waiters.pop_front().into_iter().collect()
            }
            _ => self.slots.remove(&slot).map_or_else(VecDeque::new, |wait| wait.waiters),
        }
    }

    /// Takes those that satisfy `condition`.
    pub(super) fn remove(&mut self, mut condition: impl FnMut(&Parcel) -> bool) -> Vec<Waiter> {
        let mut removed = Vec::new();
        for wait in self.slots.values_mut() {
            if !wait.waiters.iter().any(|one| condition(&one.parcel)) {
                continue;
            }
            let waiters = std::mem::take(&mut wait.waiters).into_iter();
            let (out, kept): (Vec<_>, Vec<_>) = waiters.partition(|one| condition(&one.parcel));
            wait.waiters = kept.into();
            removed.extend(out);
        }
        self.slots.retain(|_, wait| wait.trying || !wait.waiters.is_empty());
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
    use crate::connection::{Link, Tally};

    fn waiter(ticket: u32, slot: Option<u16>) -> Waiter {
        let request = Request::new(ticket, 0, slot.and_then(Slot::new), 1);
        Waiter { parcel: (request, vec![0]), said: None }
    }

    fn take(waits: &mut Waits, now: Instant) -> Vec<Waiter> {
        waits.take_due(now, &mut Vec::new())
    }

    fn tickets(waiters: &[Waiter]) -> Vec<u32> {
        waiters.iter().map(|waiter| waiter.parcel.0.ticket).collect()
    }

    #[test]
    fn the_oldest_of_a_slot_decides_for_all_of_it() {
        let now = Instant::now();
        let at = |ms| now + Duration::from_millis(ms);
        let mut waits = Waits::default();
        assert!(waits.add(waiter(1, Some(7)), at(10), None));
        assert!(waits.add(waiter(2, Some(8)), at(20), None));
        assert!(!waits.add(waiter(3, Some(7)), at(99), None));
        assert!(!waits.add(waiter(4, None), at(15), None));
        assert!(waits.holds(Slot::new(7).unwrap()) && !waits.holds(Slot::new(9).unwrap()));
        assert!(take(&mut waits, at(9)).is_empty());
        assert_eq!(tickets(&take(&mut waits, at(15))), [1, 4]);
        assert!(waits.holds(Slot::new(7).unwrap()), "the oldest is being tried");
        assert!(!waits.add(waiter(1, Some(7)), at(30), None));
        assert_eq!(tickets(&take(&mut waits, at(20))), [2]);
        assert_eq!(tickets(&take(&mut waits, at(30))), [1]);
        assert_eq!(tickets(&take(&mut waits, at(30))), [3]);
        assert!(!waits.holds(Slot::new(7).unwrap()));
        assert!(waits.is_empty());
    }

    #[test]
    fn those_that_are_still_with_the_server_are_waited_for_but_not_for_ever() {
        let now = Instant::now();
        let link: NodeLink = Arc::new(Link::new(Tally::default()));
        let (straggler, bytes) = waiter(2, Some(7)).parcel;
        link.submit(bytes, [straggler], &mut Vec::new());
        let mut waits = Waits::default();
        waits.add(waiter(1, Some(7)), now, Some(link.clone()));
        assert!(take(&mut waits, now).is_empty());
        link.detach(|_, _| false);
        waits.add(waiter(2, Some(7)), now, Some(link.clone()));
        assert_eq!(tickets(&take(&mut waits, now)), [1]);
        assert_eq!(tickets(&take(&mut waits, now)), [2]);
        waits.add(waiter(3, Some(7)), now, Some(link.clone()));
        let (straggler, bytes) = waiter(4, Some(7)).parcel;
        link.submit(bytes, [straggler], &mut Vec::new());
        assert_eq!(tickets(&take(&mut waits, now + STRAGGLERS_MAX)), [3]);
    }

    #[test]
    fn a_slot_of_which_nothing_waits_holds_nobody() {
        let mut waits = Waits::default();
        for (ticket, slot) in [(1, Some(7)), (2, Some(7)), (3, None)] {
            waits.add(waiter(ticket, slot), Instant::now(), None);
        }
        assert_eq!(tickets(&waits.remove(|(request, _)| request.ticket != 2)), [1, 3]);
        assert!(waits.holds(Slot::new(7).unwrap()));
        assert_eq!(waits.len(), 1);
        assert_eq!(tickets(&waits.remove(|_| true)), [2]);
        assert!(waits.is_empty());
    }
}
