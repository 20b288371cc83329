//! Questions to the user's own functions (`nodeAddressMap`, `reconnectStrategy`): asked by an event,
//! answered by a control message, so that no engine thread ever runs or awaits user code directly.

use super::control::ReconnectDecision;
use super::events::Event;
use super::session::Session;
use crate::config::Reconnect;
use crate::error::Error;
use crate::node_addr::NodeAddr;
use crate::routing::{RECONNECT_JITTER_MS, reconnect_delay};
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::time::Duration;
use tokio::sync::oneshot;

/// Questions without an answer yet. Bounded by the nodes: each has at most one of a kind.
#[derive(Debug, Default)]
pub(super) struct Calls {
    next: Cell<u32>,
    addresses: RefCell<Askers<Option<(String, u16)>>>,
    reconnects: RefCell<Askers<ReconnectDecision>>,
}

/// Who waits for which answer.
type Askers<T> = HashMap<u32, oneshot::Sender<T>>;

impl Calls {
    fn number(&self) -> u32 {
        let call = self.next.get();
        self.next.set(call.wrapping_add(1));
        call
    }

    pub(super) fn on_address(&self, call: u32, to: Option<(String, u16)>) {
        if let Some(asker) = self.addresses.borrow_mut().remove(&call) {
            // The asker may have been ended meanwhile.
            let _ = asker.send(to);
        }
    }

    pub(super) fn on_reconnect(&self, call: u32, decision: ReconnectDecision) {
        if let Some(asker) = self.reconnects.borrow_mut().remove(&call) {
            let _ = asker.send(decision);
        }
    }
}

impl Session {
    /// Where the node announced as `addr` is to be reached (node-redis's `nodeAddressMap`).
    pub(super) async fn mapped(&self, addr: &NodeAddr) -> NodeAddr {
        let config = &self.shared.config;
        if let Some(to) = config.address_map.get(addr) {
            return to.clone();
        }
        if !config.address_map_callback {
            return addr.clone();
        }
        let (answer, answered) = oneshot::channel();
        let call = self.calls.number();
        self.calls.addresses.borrow_mut().insert(call, answer);
        self.shared.tell(&Event::MapAddress { call, address: addr });
        match answered.await {
            Ok(Some((host, port))) => NodeAddr::new(&host, port),
            _ => addr.clone(),
        }
    }

    /// What to do after `cause`, the attempt `retries` having failed before it
    /// (node-redis's `reconnectStrategy`).
    pub(super) async fn reconnect_decision(
        &self,
        retries: u32,
        cause: &Error,
        at: &NodeAddr,
    ) -> ReconnectDecision {
        match self.shared.config.node.reconnect {
            // As in node-redis: who asks for idle connections to be closed does not want them back.
            Reconnect::Default if matches!(cause, Error::SocketTimeout(_)) => {
                ReconnectDecision::GiveUp(None)
            }
            Reconnect::Never => ReconnectDecision::GiveUp(None),
            Reconnect::Fixed(delay) => ReconnectDecision::After(delay),
            Reconnect::Default => ReconnectDecision::After(default_delay(retries)),
            Reconnect::Callback => {
                let (answer, answered) = oneshot::channel();
                let call = self.calls.number();
                self.calls.reconnects.borrow_mut().insert(call, answer);
                self.shared.tell(&Event::ReconnectStrategy { call, retries, cause, at });
                let fallback = |_| ReconnectDecision::After(default_delay(retries));
                answered.await.unwrap_or_else(fallback)
            }
        }
    }
}

fn default_delay(retries: u32) -> Duration {
    let jitter = super::chance::random_below(RECONNECT_JITTER_MS as usize);
    reconnect_delay(retries, jitter as u64)
}
