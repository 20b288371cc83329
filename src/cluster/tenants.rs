//! Leases that the submitting thread has asked for by number: several commands in a row on one
//! connection that nobody else uses.

use super::events::Event;
use super::handover::LeaseId;
use super::lane::Parcel;
use super::pool::{Lease, State, Wanted};
use super::session::Session;
use crate::error::Error;
use crate::node_addr::NodeAddr;
use std::collections::BTreeMap;
use std::rc::Rc;
use tokio::time::Instant;

/// Who has asked for a lease, and what has come of it.
#[derive(Debug)]
pub(super) enum Tenant {
    /// Nothing yet; its commands wait.
    Waiting(Vec<Parcel>),
    Has(Rc<Lease>),
    /// There is none, or there is none any more: all its commands fail so.
    Lost(Error),
}

/// All of them. Bounded by the callers: each gives its number back.
#[derive(Debug, Default)]
pub(super) struct Tenants {
    by_id: BTreeMap<LeaseId, Tenant>,
}

impl Tenants {
    /// Bytes of commands that wait for a connection.
    pub(super) fn byte_len(&self) -> usize {
        self.waiting()
            .map(|parcels| parcels.iter().map(|(_, bytes)| bytes.len()).sum::<usize>())
            .sum()
    }

    /// Whether commands wait for a connection.
    pub(super) fn has_waiting(&self) -> bool {
        self.waiting().any(|parcels| !parcels.is_empty())
    }

    fn waiting(&self) -> impl Iterator<Item = &Vec<Parcel>> {
        self.by_id.values().filter_map(|tenant| match tenant {
            Tenant::Waiting(parcels) => Some(parcels),
            _ => None,
        })
    }

    /// Takes commands out that wait for a connection.
    pub(super) fn remove_waiting(&mut self, mut out: impl FnMut(&Parcel) -> bool) -> Vec<Parcel> {
        let mut removed = Vec::new();
        for tenant in self.by_id.values_mut() {
            if let Tenant::Waiting(parcels) = tenant {
                removed.extend(parcels.extract_if(.., |parcel| out(parcel)));
            }
        }
        removed
    }

    /// Ends a tenancy for which there is no connection any more. Returns the commands that waited for
    /// one.
    pub(super) fn lose(&mut self, id: LeaseId, cause: &Error) -> Vec<Parcel> {
        match self.by_id.get_mut(&id) {
            Some(tenant) => match std::mem::replace(tenant, Tenant::Lost(cause.clone())) {
                Tenant::Waiting(parcels) => parcels,
                _ => Vec::new(),
            },
            None => Vec::new(),
        }
    }
}

impl Session {
    /// Begins a tenancy of a connection to the node at `addr`.
    pub(super) fn lend(self: &Rc<Self>, id: LeaseId, addr: &NodeAddr) {
        let node = self.nodes.borrow().get(addr).cloned();
        let mut leases = self.leases.borrow_mut();
        let tenant =
            node.as_ref().map_or(Tenant::Lost(Error::Closed), |_| Tenant::Waiting(Vec::new()));
        leases.tenants.by_id.insert(id, tenant);
        if let Some(node) = node {
            leases.want(addr, Wanted::Tenant(id));
            drop(leases);
            self.serve_waiting(&node);
        }
    }

    /// A tenant's connection is there.
    pub(super) fn give_to_tenant(self: &Rc<Self>, lease: &Rc<Lease>, id: LeaseId) {
        let mut leases = self.leases.borrow_mut();
        let Some(tenant) = leases.tenants.by_id.get_mut(&id) else { return };
        lease.state.set(State::Lent(id));
        if let Tenant::Waiting(parcels) = std::mem::replace(tenant, Tenant::Has(Rc::clone(lease))) {
            drop(leases);
            parcels.into_iter().for_each(|parcel| self.put_on(lease, parcel));
        }
    }

    /// A command for a connection that was asked for.
    pub(super) fn send_on_lease(self: &Rc<Self>, id: LeaseId, parcel: Parcel) {
        let mut leases = self.leases.borrow_mut();
        match leases.tenants.by_id.get_mut(&id) {
            Some(Tenant::Waiting(parcels)) => {
                parcels.push(parcel);
                drop(leases);
                self.note_waiting();
            }
            Some(Tenant::Has(lease)) => {
                let lease = Rc::clone(lease);
                drop(leases);
                self.put_on(&lease, parcel);
            }
            Some(Tenant::Lost(cause)) => self.shared.fail(parcel.0.ticket, cause),
            None => self.shared.fail(parcel.0.ticket, &Error::Closed),
        }
    }

    /// Ends a tenancy. What is not as it was, or has not answered everything, is of no use to others.
    pub(super) fn take_back(self: &Rc<Self>, id: LeaseId, clean: bool) {
        let tenant = self.leases.borrow_mut().tenants.by_id.remove(&id);
        match tenant {
            Some(Tenant::Waiting(parcels)) => {
                self.leases.borrow_mut().forget_tenant(id);
                self.note_waiting();
                for (request, _) in parcels {
                    self.shared.fail(request.ticket, &Error::Closed);
                }
            }
            Some(Tenant::Has(lease)) if clean && !lease.link.any(|_| true) => {
                lease.state.set(State::Idle(Instant::now()));
                self.serve_waiting(&lease.node);
            }
            Some(Tenant::Has(lease)) => {
                for (request, ..) in self.drop_lease(&lease) {
                    self.shared.fail(request.ticket, &Error::Closed);
                }
                self.serve_waiting(&lease.node);
            }
            Some(Tenant::Lost(_)) | None => {}
        }
    }

    /// A tenant's connection is lost: what it was sent fails, written or not, as what comes later will.
    pub(super) fn lose_tenancy(&self, id: LeaseId, cause: &Error) {
        let parcels = self.leases.borrow_mut().tenants.lose(id, cause);
        self.shared.tell(&Event::LeaseLost(id));
        for (request, _) in parcels {
            self.shared.fail(request.ticket, cause);
        }
    }
}
