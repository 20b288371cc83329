//! Slots whose younger commands wait, because older ones are still with the slot's old owner, or
//! wait themselves until a server can run them.

use super::lane::Parcel;
use super::routes::NodeLink;
use super::waits::{Waiter, Waits};
use crate::slot::Slot;
use std::collections::{BTreeMap, HashSet, VecDeque};
use std::time::Duration;
use tokio::time::Instant;

/// The longest that younger commands wait for older ones.
///
/// 1 s: an old owner that is alive answers in milliseconds. One that hangs, or that blocks on purpose
/// (BLPOP), must not stop its slots; their order is given up then.
const HOLD_MAX: Duration = Duration::from_secs(1);

/// See [`super::lane`] for the road these commands take.
#[derive(Debug, Default)]
pub(super) struct Holds {
    held: Vec<Hold>,
    waits: Waits,
    parked: BTreeMap<Slot, VecDeque<Parcel>>,
    /// Slots that may be free now: only they are looked at.
    freed: Vec<Slot>,
    /// How many commands are in `parked`.
    parked_len: usize,
    /// Bytes of the commands in `waits` and `parked`.
    byte_len: usize,
}

#[derive(Debug)]
struct Hold {
    /// The old owner.
    link: NodeLink,
    slots: HashSet<Slot>,
    /// The dispatch that went on while the slots moved: it may still put commands into `link`.
    dispatch: Option<u64>,
    until: Instant,
}

impl Hold {
    /// Lets go of slots of which the old owner has nothing more, and names them. Says whether any is
    /// left.
    fn narrow(&mut self, dispatching: Option<u64>, now: Instant, freed: &mut Vec<Slot>) -> bool {
        if self.dispatch.is_some() && self.dispatch == dispatching {
            return true;
        }
        let mut busy = HashSet::new();
        if now < self.until {
            self.link.any(|request| {
                busy.extend(request.slot().filter(|slot| self.slots.contains(slot)));
                false
            });
        }
        freed.extend(self.slots.difference(&busy));
        self.slots = busy;
        !self.slots.is_empty()
    }
}

impl Holds {
    pub(super) fn is_empty(&self) -> bool {
        self.held.is_empty() && self.waits.is_empty() && self.parked.is_empty()
    }

    /// Holds each of `slots` until `link` has answered all it was given of it, from `now` on for
    /// [`HOLD_MAX`] at most.
    pub(super) fn add(
        &mut self,
        link: NodeLink,
        slots: HashSet<Slot>,
        dispatch: Option<u64>,
        now: Instant,
    ) {
        self.held.push(Hold { link, slots, dispatch, until: now + HOLD_MAX });
    }

    /// Lets a command wait until `until`, and all that is younger of its slot with it. Says whether
    /// it is the first of its slot.
    pub(super) fn wait(
        &mut self,
        waiter: Waiter,
        until: Instant,
        refused_by: Option<NodeLink>,
    ) -> bool {
        self.byte_len += waiter.parcel.1.len();
        self.waits.add(waiter, until, refused_by)
    }

    /// How many commands are held, and their bytes.
    pub(super) fn load(&self) -> (usize, usize) {
        (self.parked_len + self.waits.len(), self.byte_len)
    }

    /// The oldest waiting command of a slot is with `link` now.
    pub(super) fn on_tried(&mut self, slot: Slot, link: &NodeLink) {
        self.waits.on_tried(slot, link);
    }

    /// Takes commands whose waiting is over, in order per slot.
    pub(super) fn take_due(&mut self, now: Instant) -> Vec<Waiter> {
        let due = self.waits.take_due(now, &mut self.freed);
        self.let_go_of(&due);
        due
    }

    /// Takes waiting commands out.
    pub(super) fn remove_waiting(&mut self, condition: impl FnMut(&Parcel) -> bool) -> Vec<Waiter> {
        let removed = self.waits.remove(condition);
        self.let_go_of(&removed);
        removed
    }

    /// These wait no more. What is parked behind them is looked at again.
    fn let_go_of(&mut self, waiters: &[Waiter]) {
        self.byte_len -= waiters.iter().map(|waiter| waiter.parcel.1.len()).sum::<usize>();
        self.freed.extend(waiters.iter().filter_map(|waiter| waiter.parcel.0.slot()));
    }

    /// Parks a command if its slot is held, else gives it back.
    pub(super) fn park(&mut self, parcel: Parcel) -> Option<Parcel> {
        let Some(slot) = parcel.0.slot().filter(|slot| self.is_held(*slot)) else {
            return Some(parcel);
        };
        self.byte_len += parcel.1.len();
        self.parked_len += 1;
        self.parked.entry(slot).or_default().push_back(parcel);
        None
    }

    /// Takes commands back that were in a node's queue, in front of all that is parked of their slots:
    /// they are older.
    pub(super) fn put_back(&mut self, parcels: Vec<Parcel>) {
        for parcel in parcels.into_iter().rev() {
            let Some(slot) = parcel.0.slot() else { continue };
            self.byte_len += parcel.1.len();
            if let Some(parcel) = self.waits.put_back(slot, parcel) {
                self.parked_len += 1;
                self.parked.entry(slot).or_default().push_front(parcel);
                self.freed.push(slot);
            }
        }
    }

    /// Ends the holds that are over. Returns the commands that may go on, in order per slot.
    pub(super) fn release(&mut self, dispatching: Option<u64>, now: Instant) -> Vec<Parcel> {
        let mut freed = std::mem::take(&mut self.freed);
        self.held.retain_mut(|hold| hold.narrow(dispatching, now, &mut freed));
        freed.retain(|slot| !self.is_held(*slot));
        let queues = freed.iter().filter_map(|slot| self.parked.remove(slot));
        let released: Vec<Parcel> = queues.flatten().collect();
        self.count_out(&released);
        released
    }

    fn count_out(&mut self, parcels: &[Parcel]) {
        self.parked_len -= parcels.len();
        self.byte_len -= parcels.iter().map(|(_, bytes)| bytes.len()).sum::<usize>();
    }

    /// Takes parked commands out.
    pub(super) fn remove(&mut self, mut condition: impl FnMut(&Parcel) -> bool) -> Vec<Parcel> {
        let mut removed = Vec::new();
        for queue in self.parked.values_mut() {
            if !queue.iter().any(&mut condition) {
                continue;
            }
            let (out, kept): (Vec<_>, Vec<_>) =
                std::mem::take(queue).into_iter().partition(&mut condition);
            *queue = kept.into();
            removed.extend(out);
        }
        self.parked.retain(|_, queue| !queue.is_empty());
        self.count_out(&removed);
        removed
    }

    /// Says whether a command must wait for older ones of its slot.
    pub(super) fn blocks(&self, (request, _): &Parcel) -> bool {
        request.slot().is_some_and(|slot| self.is_held(slot))
    }

    fn is_held(&self, slot: Slot) -> bool {
        self.waits.holds(slot) || self.held.iter().any(|hold| hold.slots.contains(&slot))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::request::Request;
    use crate::connection::{Link, Tally};
    use std::sync::Arc;

    fn parcel(ticket: u32, slot: u16) -> Parcel {
        (Request::new(ticket, 0, Slot::new(slot), 1), vec![0])
    }

    fn tickets(parcels: &[Parcel]) -> Vec<u32> {
        parcels.iter().map(|(request, _)| request.ticket).collect()
    }

    #[test]
    fn younger_commands_wait_for_the_older_ones_of_their_slot_only() {
        let link: NodeLink = Arc::new(Link::new(Tally::default()));
        let (older, bytes) = parcel(1, 7);
        link.submit(bytes, [older], &mut Vec::new());
        let (mut holds, now) = (Holds::default(), Instant::now());
        holds.add(link.clone(), HashSet::from([Slot::new(7).unwrap()]), None, now);
        assert!(holds.park(parcel(2, 7)).is_none());
        assert!(holds.park(parcel(3, 8)).is_some());
        assert!(holds.park(parcel(4, 7)).is_none());
        assert!(holds.release(None, now).is_empty());
        link.detach(|_, _| false);
        assert_eq!(tickets(&holds.release(None, now)), [2, 4]);
        assert!(holds.is_empty());
    }

    #[test]
    fn a_dispatch_that_may_still_use_the_old_owner_is_waited_for() {
        let (mut holds, now) = (Holds::default(), Instant::now());
        holds.add(
            Arc::new(Link::new(Tally::default())),
            HashSet::from([Slot::new(7).unwrap()]),
            Some(3),
            now,
        );
        assert!(holds.park(parcel(1, 7)).is_none());
        assert!(holds.release(Some(3), now).is_empty());
        assert_eq!(tickets(&holds.release(Some(5), now)), [1]);
    }

    #[test]
    fn slots_are_let_go_one_by_one_and_none_is_held_for_ever() {
        let link: NodeLink = Arc::new(Link::new(Tally::default()));
        let (older, bytes) = parcel(1, 7);
        link.submit(bytes, [older], &mut Vec::new());
        let (mut holds, now) = (Holds::default(), Instant::now());
        let slots = HashSet::from([7, 8].map(|number| Slot::new(number).unwrap()));
        holds.add(link, slots, None, now);
        assert!(holds.park(parcel(2, 7)).is_none());
        assert!(holds.park(parcel(3, 8)).is_none());
        assert_eq!(tickets(&holds.release(None, now)), [3]);
        assert_eq!(tickets(&holds.release(None, now + HOLD_MAX)), [2]);
        assert!(holds.is_empty());
    }
}
