//! The last acts of a run: all is well, nothing is to be done, the client is closed.

use super::run::{Phase, Run};
use super::verdict::failed_probes;
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::time::sleep;

/// How long commands may take when all is well, in milliseconds.
const PROBED: u64 = 2_000;
/// How soon it must have come to rest, in milliseconds.
const LULL: u64 = 3_000;
/// How long the engine is watched while it has nothing to do, in milliseconds.
const REST: u64 = 5_000;
impl Run {
    /// Everything that was asked must have been answered.
    pub(super) fn check_nothing_is_left(&self, when: &str) {
        self.world.with(|world| {
            if let Some((ticket, _)) = world.ledger.open.first_key_value() {
                let (count, entry) = (world.ledger.open.len(), world.ledger.entries.get(ticket));
                let problem = format!("I2: {count} without an answer {when}: #{ticket} {entry:?}");
                world.violate(problem);
            }
        });
    }

    /// All is well: every key can be read and written.
    pub(super) async fn probe(&mut self) {
        if !matches!(self.phase, Phase::Open | Phase::Resting) {
            let problem = format!("not connected long after all is well again: {:?}", self.phase);
            return self.world.with(|world| world.violate(problem));
        }
        let (world, workload) = (&self.world, &self.workload);
        let probes = world.with(|world| workload.probes(world));
        self.submit(&probes);
        self.until(PROBED, |_| false).await;
        self.check_nothing_is_left("two seconds later, when all is well");
        let tickets: Vec<_> = probes.iter().map(|probe| probe.ticket).collect();
        self.world.with(|world| {
            let problems = failed_probes(&world.ledger, &tickets);
            problems.into_iter().for_each(|problem| world.violate(problem));
        });
    }

    /// Nothing is to be done, and nothing is done.
    pub(super) async fn rest(&mut self) {
        self.until(LULL, |_| false).await;
        let parks = || Handle::current().metrics().worker_park_count(0);
        let before = parks();
        self.until(REST, |_| false).await;
        let wake_ups = (parks() - before) * 1_000 / REST;
        if wake_ups > self.world.with(|world| world.ledger.wake_ups) {
            let problem = format!("{wake_ups} wake-ups in a second without work");
            self.world.with(|world| world.violate(problem));
        }
    }

    /// The client is closed or destroyed, in the middle of something; nothing of it is left.
    pub(super) async fn finish(&mut self) {
        let (world, workload) = (&self.world, &self.workload);
        let (last, orderly) = world.with(|w| (workload.probes(w), w.random.one_in(2)));
        self.submit(&last);
        self.end(orderly);
        self.until(PROBED, |run| run.phase == Phase::Closed).await;
        self.check_nothing_is_left("when the client is closed");
        // Sockets are closed in the engine's next turn.
        sleep(Duration::from_millis(1)).await;
        self.take_answers();
        self.check_nothing_is_left("after the client was closed");
        let sockets = self.world.with(|world| world.network.sockets);
        if sockets > 0 {
            let problem = format!("I8: {sockets} sockets are left of a closed client");
            self.world.with(|world| world.violate(problem));
        }
    }
}
