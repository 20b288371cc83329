//! The simulated world: network, servers and callers' accounts under one lock, in virtual time.

use super::agenda::{Agenda, Event};
use super::ledger::Ledger;
use super::network::Network;
use super::random::Random;
use super::servers::Servers;
use super::trace::Trace;
use parking_lot::{Mutex, MutexGuard};
use std::sync::Arc;
use std::task::Waker;
use tokio::sync::Notify;
use tokio::time::Instant;

/// Everything but the engine.
#[derive(Debug)]
pub(super) struct World {
    /// Milliseconds since the beginning.
    pub(super) now: u64,
    pub(super) random: Random,
    pub(super) trace: Trace,
    pub(super) agenda: Agenda,
    pub(super) network: Network,
    pub(super) servers: Servers,
    pub(super) ledger: Ledger,
    /// Tasks to be woken once the lock is let go.
    pub(super) wakers: Vec<Waker>,
    /// What must not have happened.
    pub(super) violations: Vec<String>,
}

impl World {
    /// Adds an event, `delay` milliseconds from now.
    pub(super) fn later(&mut self, delay: u64, event: Event) {
        self.agenda.add(self.now + delay, event, &mut self.random);
    }

    /// Something happened that an engine must not let happen.
    pub(super) fn violate(&mut self, what: String) {
        self.note(format_args!("VIOLATION {what}"));
        self.violations.push(format!("at {} ms: {what}", self.now));
    }

    /// Something is due that concerns the world only.
    pub(super) fn happen(&mut self, event: Event) {
        match event {
            Event::ArriveAtClient(id) => self.arrive_at_client(id),
            Event::ArriveAtNode(id) => self.arrive_at_node(id),
            Event::Elect(node) => self.elect(node),
            Event::Forget(id) => self.forget(id),
            Event::Learn(node, view) => self.learn(node, &view),
            Event::Migrate(slot) => self.migrate(slot),
            Event::Mishap(mishap) => self.mishap(mishap),
            Event::Recover(recovery) => self.recover(recovery),
            // The callers' business.
            Event::Cancel(_)
            | Event::Connect
            | Event::End { .. }
            | Event::Refresh
            | Event::Work => {}
        }
    }

    /// Adds to the trace.
    pub(super) fn note(&mut self, event: std::fmt::Arguments<'_>) {
        self.trace.note(self.now, event);
    }
}

/// The world as sockets and the main loop share it. All of them are on one thread: the lock is for
/// the compiler.
#[derive(Clone, Debug)]
pub(super) struct SharedWorld {
    world: Arc<Mutex<World>>,
    started: Instant,
    /// Wakes the main loop: something is due sooner than it thinks, or answers wait.
    pub(super) alarm: Arc<Notify>,
}

impl SharedWorld {
    pub(super) fn new(world: World) -> Self {
        let (world, alarm) = (Arc::new(Mutex::new(world)), Arc::default());
        Self { world, started: Instant::now(), alarm }
    }

    /// Does something in the world, then wakes whom it concerns.
    pub(super) fn with<T>(&self, deed: impl FnOnce(&mut World) -> T) -> T {
        let mut world: MutexGuard<'_, World> = self.world.lock();
        world.now = self.started.elapsed().as_millis() as u64;
        let outcome = deed(&mut world);
        let wakers = std::mem::take(&mut world.wakers);
        let sooner = std::mem::take(&mut world.agenda.sooner);
        drop(world);
        if sooner {
            self.alarm.notify_one();
        }
        wakers.into_iter().for_each(Waker::wake);
        outcome
    }

    /// The moment that is `now` milliseconds after the beginning.
    pub(super) fn moment(&self, now: u64) -> Instant {
        self.started + std::time::Duration::from_millis(now)
    }
}
