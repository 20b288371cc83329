//! Keeps the topology fresh: at every hint that it has changed, while a node is missing, and every
//! so often.

use super::chance::random_below;
use super::events::Event;
use super::session::Session;
use std::rc::Rc;
use std::time::Duration;
use tokio::time::{Instant, sleep, sleep_until};

/// Refreshes follow each other no sooner than this in the long run: a resharding answers MOVED
/// thousands of times.
const REFRESH_INTERVAL: Duration = Duration::from_secs(1);
/// So many follow at once after a quiet time: what changes within one second is then known at once,
/// such as a hand-over, and soon after it the end of the node that handed over.
const REFRESH_BURST: u32 = 4;
/// How long to wait for more reasons before a refresh: failovers and migrations come in bursts. Up to
/// twice as long, so that many clients do not ask at the same moment.
const REFRESH_DELAY_MS: usize = 10;
/// While a primary is missing its successor is looked for: as often as this at first, ...
const SEARCH_FIRST: Duration = Duration::from_millis(50);
/// ... and at last, ...
const SEARCH_LAST: Duration = Duration::from_secs(5);
/// ... so that a successor is found within this part of the time it has taken.
const SEARCH_PART: u32 = 16;
/// The regular interval is spread by this part of it.
const SPREAD_PART: u32 = 10;

impl Session {
    /// Learns the topology again and again.
    pub(super) async fn keep_topology(self: Rc<Self>) {
        let mut missing_since = None;
        let mut has_failed = false;
        let mut pace = Pace { spare: REFRESH_BURST, earned_at: Instant::now() };
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
            match missing_since {
                Some(since) => sleep_until(began + search_pause(since)).await,
                None => sleep_until(pace.next(began)).await,
            }
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
}

/// How long after one look for the successor of a missing primary the next one follows.
fn search_pause(since: Instant) -> Duration {
    (since.elapsed() / SEARCH_PART).clamp(SEARCH_FIRST, SEARCH_LAST)
}

/// How soon one refresh may follow another.
struct Pace {
    /// How many may follow at once.
    spare: u32,
    /// When the last of them was earned.
    earned_at: Instant,
}

impl Pace {
    /// When the refresh after the one at `began` may begin.
    fn next(&mut self, began: Instant) -> Instant {
        let earned = (began - self.earned_at).as_millis() / REFRESH_INTERVAL.as_millis();
        let earned = u32::try_from(earned).unwrap_or(u32::MAX);
        self.spare = self.spare.saturating_add(earned).min(REFRESH_BURST);
        self.earned_at = if self.spare == REFRESH_BURST {
            began
        } else {
            self.earned_at + REFRESH_INTERVAL * earned
        };
        if self.spare > 0 {
            self.spare -= 1;
            return began;
        }
        // Spends what is earned by then.
        self.earned_at += REFRESH_INTERVAL;
        self.earned_at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_refreshes_follow_at_once_and_the_others_once_a_second() {
        let start = Instant::now();
        let mut pace = Pace { spare: REFRESH_BURST, earned_at: start };
        let mut began = start;
        let mut spans = Vec::new();
        for _ in 0..7 {
            let next = pace.next(began);
            spans.push((next - began).as_millis());
            began = next;
        }
        assert_eq!(spans, [0, 0, 0, 0, 1000, 1000, 1000]);
        // After a quiet time they may again.
        began += 2 * REFRESH_INTERVAL + REFRESH_INTERVAL / 2;
        assert_eq!(pace.next(began), began);
        assert_eq!(pace.next(began), began);
        assert_eq!(pace.next(began), began + REFRESH_INTERVAL / 2);
        began += 1000 * REFRESH_INTERVAL;
        for _ in 0..REFRESH_BURST {
            assert_eq!(pace.next(began), began);
        }
        assert_eq!(pace.next(began), began + REFRESH_INTERVAL);
    }
}
