//! Keeps the topology fresh: at every hint that it has changed, while a node is missing, and every
//! so often.

use super::chance::random_below;
use super::discover::Source;
use super::events::Event;
use super::session::Session;
use crate::error::Error;
use crate::node_addr::NodeAddr;
use crate::slot::Slot;
use crate::topology::{View, agree, is_same, is_unanimous};
use std::rc::Rc;
use std::time::Duration;
use tokio::time::{Instant, sleep, sleep_until, timeout_at};

/// Refreshes follow each other no sooner than this: a resharding answers MOVED thousands of times.
const REFRESH_INTERVAL: Duration = Duration::from_secs(1);
/// How long to wait for more reasons before a refresh: failovers and migrations come in bursts. Up to
/// twice as long, so that many clients do not ask at the same moment.
const REFRESH_DELAY_MS: usize = 10;
/// While a primary is missing its successor is looked for: as often as this at first, ...
const SEARCH_FIRST: Duration = Duration::from_millis(50);
/// ... and at last, ...
const SEARCH_LAST: Duration = Duration::from_secs(5);
/// ... so that a successor is found within this part of the time it has taken.
const SEARCH_PART: u32 = 16;
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
/// The regular interval is spread by this part of it.
const SPREAD_PART: u32 = 10;

impl Session {
    /// Learns the topology again and again.
    pub(super) async fn keep_topology(self: Rc<Self>) {
        let mut missing_since = None;
        let mut has_failed = false;
        loop {
            self.until_refresh(missing_since).await;
            let began = Instant::now();
            match self.learn_topology().await {
                Ok(()) => has_failed = false,
                // Once: what follows says nothing new.
                Err(error) if !has_failed => {
                    has_failed = true;
                    self.shared.tell(&Event::SeedError(&error));
                }
                Err(_) => {}
            }
            missing_since =
                if self.is_primary_missing() { missing_since.or(Some(began)) } else { None };
            let pause = missing_since.map_or(REFRESH_INTERVAL, search_pause);
            sleep_until(began + pause).await;
        }
    }

    /// Waits for a reason to look: a hint, a primary that is missing, or that it is time.
    async fn until_refresh(&self, missing_since: Option<Instant>) {
        let regular = self.shared.config.refresh_interval.map(|interval| {
            let spread = (interval / SPREAD_PART).as_millis() as usize;
            interval + Duration::from_millis(random_below(spread) as u64)
        });
        if missing_since.is_some() && self.shared.config.refresh_on_reconnect {
            return;
        }
        let hinted = self.refresh.notified();
        match regular {
            Some(interval) => {
                tokio::select! {
                    biased;
                    () = hinted => {}
                    () = sleep(interval) => {}
                }
            }
            None => hinted.await,
        }
        let delay = REFRESH_DELAY_MS + random_below(REFRESH_DELAY_MS);
        sleep(Duration::from_millis(delay as u64)).await;
    }

    /// Whether slots belong to a node that cannot be connected to, hangs, or loads its data. One that
    /// is connected when somebody asks for it is not missing.
    fn is_primary_missing(&self) -> bool {
        let topology = self.shared.routes.load().topology.clone();
        let nodes = self.nodes.borrow();
        let shards = topology.slots.shards().iter();
        let mut primaries = shards
            .filter_map(|shard| topology.node(shard.primary))
            .filter_map(|node| nodes.get(&node.addr));
        primaries.any(|node| node.link.is_avoided() && !node.is_resting())
    }

    /// Asks the nodes that are connected; if none of them can say, all others there are.
    async fn learn_topology(self: &Rc<Self>) -> Result<(), Error> {
        if self.ask_connected().await {
            return Ok(());
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

    /// Says whether a view was found.
    async fn ask_connected(self: &Rc<Self>) -> bool {
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
        if overtaken && !views.is_empty() && self.overtaken.get() < OVERTAKEN_MAX {
            // What they said may be older than what a MOVED has said since.
            self.overtaken.set(self.overtaken.get() + 1);
            self.refresh.notify_one();
            return true;
        }
        self.overtaken.set(0);
        self.adopt(&views)
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

/// How long after one look for the successor of a missing primary the next one follows.
fn search_pause(since: Instant) -> Duration {
    (since.elapsed() / SEARCH_PART).clamp(SEARCH_FIRST, SEARCH_LAST)
}
