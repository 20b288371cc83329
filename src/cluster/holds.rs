//! Slots whose younger commands wait, because older ones are still with the slot's old owner.

use super::lane::Parcel;
use super::routes::NodeLink;
use crate::slot::Slot;
use std::collections::{HashSet, VecDeque};

/// See [`super::lane`] for the road these commands take.
#[derive(Debug, Default)]
pub(super) struct Holds {
    held: Vec<Hold>,
    parked: VecDeque<Parcel>,
}

#[derive(Debug)]
struct Hold {
    /// The old owner.
    link: NodeLink,
    slots: HashSet<Slot>,
    /// The dispatch that went on while the slots moved: it may still put commands into `link`.
    dispatch: Option<u64>,
}

impl Holds {
    pub(super) fn is_empty(&self) -> bool {
        self.held.is_empty() && self.parked.is_empty()
    }

    /// Holds `slots` until `link` has answered all it was given of them.
    pub(super) fn add(&mut self, link: NodeLink, slots: HashSet<Slot>, dispatch: Option<u64>) {
        self.held.push(Hold { link, slots, dispatch });
    }

    /// Parks a command if its slot is held, else gives it back.
    pub(super) fn park(&mut self, parcel: Parcel) -> Option<Parcel> {
        if self.blocks(&parcel) {
            self.parked.push_back(parcel);
            return None;
        }
        Some(parcel)
    }

    /// Ends the holds that are over. Returns the commands that may go on, in order.
    pub(super) fn release(&mut self, dispatching: Option<u64>) -> Vec<Parcel> {
        self.held.retain(|hold| {
            let dispatch_goes_on = hold.dispatch.is_some() && hold.dispatch == dispatching;
            let of_held_slot = |slot: Option<Slot>| slot.is_some_and(|s| hold.slots.contains(&s));
            dispatch_goes_on || hold.link.any(|request| of_held_slot(request.slot()))
        });
        let parked = std::mem::take(&mut self.parked);
        parked.into_iter().filter_map(|parcel| self.park(parcel)).collect()
    }

    /// Takes parked commands out.
    pub(super) fn remove(&mut self, mut condition: impl FnMut(&Parcel) -> bool) -> Vec<Parcel> {
        let parked = std::mem::take(&mut self.parked).into_iter();
        let (removed, kept): (Vec<_>, Vec<_>) = parked.partition(|parcel| condition(parcel));
        self.parked = kept.into();
        removed
    }

    fn blocks(&self, (request, _): &Parcel) -> bool {
        let Some(slot) = request.slot() else { return false };
        self.held.iter().any(|hold| hold.slots.contains(&slot))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::request::Request;
    use crate::connection::Link;
    use std::sync::Arc;

    fn parcel(ticket: u32, slot: u16) -> Parcel {
        (Request::new(ticket, 0, Slot::new(slot), 1), vec![0])
    }

    fn tickets(parcels: &[Parcel]) -> Vec<u32> {
        parcels.iter().map(|(request, _)| request.ticket).collect()
    }

    #[test]
    fn younger_commands_wait_for_the_older_ones_of_their_slot_only() {
        let link: NodeLink = Arc::new(Link::new());
        let (older, bytes) = parcel(1, 7);
        link.submit(bytes, [older], &mut Vec::new());
        let mut holds = Holds::default();
        holds.add(link.clone(), HashSet::from([Slot::new(7).unwrap()]), None);
        assert!(holds.park(parcel(2, 7)).is_none());
        assert!(holds.park(parcel(3, 8)).is_some());
        assert!(holds.park(parcel(4, 7)).is_none());
        assert!(holds.release(None).is_empty());
        link.detach(|_, _| false);
        assert_eq!(tickets(&holds.release(None)), [2, 4]);
        assert!(holds.is_empty());
    }

    #[test]
    fn a_dispatch_that_may_still_use_the_old_owner_is_waited_for() {
        let mut holds = Holds::default();
        holds.add(Arc::new(Link::new()), HashSet::from([Slot::new(7).unwrap()]), Some(3));
        assert!(holds.park(parcel(1, 7)).is_none());
        assert!(holds.release(Some(3)).is_empty());
        assert_eq!(tickets(&holds.release(Some(5))), [1]);
    }
}
