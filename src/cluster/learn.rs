//! Learns the topology once: whom to ask for it, and whom to believe.

use super::chance::random_below;
use super::discover::Source;
use super::session::Session;
use crate::error::Error;
use crate::node_addr::NodeAddr;
use crate::slot::Slot;
use crate::topology::{View, agree, is_same, is_unanimous};
use std::rc::Rc;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// For how long a MOVED may be news to other nodes: gossip takes a second, more in large clusters.
const NEWS_FOR: Duration = Duration::from_secs(3);
/// How often views are asked for again because a MOVED has changed the picture meanwhile. While slots
/// move all the time, one must be believed in the end.
const OVERTAKEN_MAX: u8 = 3;
/// Nodes that are asked at first. If they agree, no more are.
const ASKED_FIRST: usize = 3;
/// Nodes that are asked if the first ones do not agree.
const ASKED_MORE: usize = 8;
/// How long a connected node may take to say what it sees.
const ANSWER_WITHIN: Duration = Duration::from_millis(500);

/// What came of asking the nodes that are connected.
enum Look {
    /// There is a view to be believed, and it is in force.
    Adopted,
    /// A MOVED has changed the picture meanwhile.
    Overtaken,
    /// None of them has a view.
    Nothing,
}

impl Session {
    /// Asks the nodes that are connected; if none of them can say, all others there are.
    pub(super) async fn learn_topology(self: &Rc<Self>) -> Result<(), Error> {
        for overtaken in 0.. {
            match self.ask_connected(overtaken < OVERTAKEN_MAX).await {
                Look::Adopted => return Ok(()),
                Look::Overtaken => {}
                Look::Nothing => break,
            }
        }
        let mut answers = self.ask_sources(self.others());
        let mut failures = Vec::new();
        while let Some((addr, answer)) = answers.next().await {
            match answer {
                Ok(view) if self.adopt(std::slice::from_ref(&view)) => return Ok(()),
                Ok(_) => {
                    let error = Error::Protocol("it is of another cluster".to_owned());
                    failures.push((addr.to_string(), error));
                }
                Err(error) => failures.push((addr.to_string(), error)),
            }
        }
        Err(Error::SeedsUnavailable(failures))
    }

    /// Asks some of the nodes that are connected. `again`: a view that may be outdated by now is not
    /// taken.
    async fn ask_connected(self: &Rc<Self>, again: bool) -> Look {
        let mut links: Vec<_> = (self.nodes.borrow().values())
            .filter(|node| node.link.is_open() && !node.health.is_suspect())
            .map(|node| (node.addr.clone(), node.link.clone()))
            .collect();
        let start = random_below(links.len());
        links.rotate_left(start);
        // Who was named by a MOVED knows of it; others may not have heard yet.
        let named = self.recently_moved().map(|(_, to)| to);
        links.sort_by_key(|(addr, _)| Some(addr) != named.as_ref());
        links.truncate(ASKED_MORE);
        let more = links.split_off(links.len().min(ASKED_FIRST));
        let mut views = Vec::new();
        let epoch = self.shared.routes.load().topology.epoch;
        for asked in [links, more] {
            let until = Instant::now() + ANSWER_WITHIN;
            let mut answers = self.ask_links(asked, ANSWER_WITHIN);
            while let Ok(Some((_, answer))) = timeout_at(until, answers.next()).await {
                views.extend(answer);
            }
            if !views.is_empty() && is_unanimous(&views) {
                break;
            }
        }
        let overtaken = self.shared.routes.load().topology.epoch != epoch;
        if overtaken && again && !views.is_empty() {
            // What they said may be older than what a MOVED has said since.
            return Look::Overtaken;
        }
        if self.adopt(&views) { Look::Adopted } else { Look::Nothing }
    }

    /// The last MOVED, if it is news.
    fn recently_moved(&self) -> Option<(Slot, NodeAddr)> {
        let last = self.last_moved.borrow();
        let (slot, to, at) = last.as_ref()?;
        (at.elapsed() < NEWS_FOR).then(|| (*slot, to.clone()))
    }

    /// Puts the view in force that is to be believed. `false`: there is none.
    fn adopt(self: &Rc<Self>, views: &[View]) -> bool {
        let known = self.shared.routes.load().topology.clone();
        // Who has not heard of the configuration in force is not asked, as long as others have.
        let has_heard = |view: &&View| view.config_epoch >= self.config_epoch.get();
        let recent: Vec<View> = views.iter().filter(has_heard).cloned().collect();
        let views = if recent.is_empty() { views } else { &recent };
        // Nor is who contradicts a MOVED, as long as others confirm it.
        let confirms = |view: &&View| {
            self.recently_moved().is_some_and(|(slot, to)| {
                let owner = view.topology.slots.primary(slot);
                owner.and_then(|owner| view.topology.node(owner)).is_some_and(|n| n.addr == to)
            })
        };
        let confirming: Vec<View> = views.iter().filter(confirms).cloned().collect();
        let views = if confirming.is_empty() { views } else { &confirming };
        let Some(view) = agree(views, &known) else { return false };
        self.config_epoch.set(view.config_epoch);
        let next = view.topology.clone().completed_by(&known);
        if !is_same(&next, &known) {
            self.publish(next);
        }
        self.leave_strangers();
        true
    }

    /// Nodes that are not connected, and the seeds, whose names are looked up again.
    fn others(&self) -> Vec<Source> {
        let nodes = self.nodes.borrow();
        let closed = nodes.values().filter(|node| !node.link.is_open());
        let known = closed.map(|node| Source { addr: node.addr.clone(), seed: None });
        known.chain(self.seeds()).collect()
    }
}
