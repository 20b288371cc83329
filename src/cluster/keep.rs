//! What is done in the background: deadlines of commands that wait, and the topology kept fresh.

use super::events::Event;
use super::session::Session;
use crate::config::NodeConfig;
use crate::error::Error;
use crate::node_addr::NodeAddr;
use std::rc::Rc;
use std::time::Duration;
use tokio::time::{Instant, sleep, sleep_until};

/// How often deadlines are looked at while commands wait to be written.
///
/// 10 ms: deadlines are seconds, and nobody can tell; a queue of 100,000 commands costs a
/// processor 1 % to look through that often.
const DEADLINE_TICK: Duration = Duration::from_millis(10);
/// Refreshes follow each other no sooner than this: a resharding answers MOVED thousands of times.
const REFRESH_INTERVAL: Duration = Duration::from_secs(1);
/// How long to wait for more reasons before a refresh: failovers and migrations come in bursts.
const REFRESH_DELAY: Duration = Duration::from_millis(25);

impl Session {
    /// Answers commands whose `timeout` passes before they can be written.
    pub(super) async fn keep_deadlines(self: Rc<Self>) {
        loop {
            self.shared.queued.notified().await;
            while self.expire_late() {
                sleep(DEADLINE_TICK).await;
            }
        }
    }

    /// Says whether commands still wait to be written.
    fn expire_late(&self) -> bool {
        let now = self.shared.now();
        let mut late = self.holds.borrow_mut().remove(|(request, _)| request.is_late(now));
        let mut waiting = !self.holds.borrow().is_empty();
        let nodes = self.nodes.borrow();
        for node in nodes.values() {
            late.extend(node.link.remove_unwritten(|request| request.is_late(now)));
            waiting |= node.link.has_unwritten();
        }
        drop(nodes);
        for (request, _) in late {
            self.shared.fail(request.ticket, &Error::Timeout);
        }
        waiting
    }

    /// Learns the topology again whenever something hints that it has changed.
    pub(super) async fn keep_topology(self: Rc<Self>) {
        loop {
            self.refresh.notified().await;
            sleep(REFRESH_DELAY).await;
            let next = Instant::now() + REFRESH_INTERVAL;
            if let Err(error) = self.learn_topology().await {
                self.shared.tell(&Event::SeedError(&error));
            }
            sleep_until(next).await;
        }
    }

    /// Asks known nodes, those with a connection first, then the seeds, until one answers.
    async fn learn_topology(self: &Rc<Self>) -> Result<(), Error> {
        let mut failures = Vec::new();
        for (addr, config) in self.sources() {
            let at = if config.is_some() { addr } else { self.mapped(&addr).await };
            let config = config.as_ref().unwrap_or(&self.shared.config.node);
            match self.ask_for_topology(&at, config).await {
                Ok(topology) => {
                    let known = self.shared.routes.load().topology.clone();
                    if topology.nodes == known.nodes && topology.slots == known.slots {
                        self.leave_strangers();
                        return Ok(());
                    }
                    // A node that knows less than we do does not replace what we know.
                    if topology.slots.covered() >= known.slots.covered() {
                        self.publish(topology);
                        self.leave_strangers();
                        return Ok(());
                    }
                    failures.push((at.to_string(), Error::Protocol("a smaller view".to_owned())));
                }
                Err(error) => failures.push((at.to_string(), error)),
            }
        }
        Err(Error::SeedsUnavailable(failures))
    }

    /// Nodes to ask; seeds come with their own configuration.
    fn sources(&self) -> Vec<(NodeAddr, Option<NodeConfig>)> {
        let nodes = self.nodes.borrow();
        let mut known: Vec<_> = nodes.values().collect();
        known.sort_by_key(|node| !node.link.is_open());
        let open = known.iter().filter(|node| node.link.is_open()).count();
        known[..open].rotate_left(super::chance::random_below(open));
        let known = known.into_iter().map(|node| (node.addr.clone(), None));
        let seeds = self.shared.config.seeds.iter();
        known.chain(seeds.map(|seed| (seed.addr.clone(), Some(seed.clone())))).collect()
    }
}
