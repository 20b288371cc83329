//! One simulated world from its beginning to its end, seen from the engine's user.

use super::agenda::Event;
use super::answers::{Answer, read_all};
use super::mishaps::possible;
use super::order::disorder;
use super::watch::Watch;
use super::workload::{Planned, Workload};
use super::world::SharedWorld;
use crate::cluster::{Cluster, EVENT, Ticket};
use crate::connection::SWALLOWED;
use std::sync::Arc;
use tokio::task::yield_now;
use tokio::time::sleep_until;

/// How long things go wrong, in milliseconds.
const TROUBLE: u64 = 12_000;
/// How soon after that everything must be as if nothing had happened, in milliseconds: longer than
/// the longest delay of a reconnection and the time that connecting may take.
const SETTLE: u64 = 8_000;
/// How soon a client that could not connect tries again, in milliseconds.
const CONNECT_AGAIN: u64 = 200;

/// The user's side of one world.
pub(super) struct Run {
    pub(super) world: SharedWorld,
    pub(super) cluster: Cluster,
    pub(super) workload: Workload,
    pub(super) watch: Watch,
    pub(super) phase: Phase,
}

/// What the user is doing with the client. A call waits for the answer to its ticket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    Closed,
    Closing(Ticket),
    Connecting(Ticket),
    Open,
    /// Open, and nobody asks for anything.
    Resting,
}

impl Run {
    /// Everything, in order, until something is wrong. What that was is in the world.
    pub(super) async fn run(&mut self) {
        self.connect();
        self.until(SETTLE, |run| run.phase == Phase::Open).await;
        self.schedule_trouble();
        self.until(TROUBLE, |_| false).await;
        self.world.with(|world| {
            world.note(format_args!("all is well again"));
            world.recover_all();
        });
        self.workload.calm_down();
        self.until(SETTLE, |_| false).await;
        if self.phase == Phase::Open {
            self.phase = Phase::Resting;
        }
        self.until(SETTLE, |run| run.world.with(|world| world.ledger.open.is_empty())).await;
        if !self.is_broken() {
            self.check_nothing_is_left("long after all is well again");
        }
        if !self.is_broken() {
            self.probe().await;
        }
        if !self.is_broken() {
            self.rest().await;
        }
        if !self.is_broken() {
            self.finish().await;
        }
        if !self.is_broken() {
            self.world.with(|world| {
                let disorder = disorder(&world.ledger);
                disorder.into_iter().for_each(|problem| world.violate(problem));
                world.compare_with_data();
            });
        }
    }

    fn is_broken(&self) -> bool {
        self.world.with(|world| !world.violations.is_empty())
    }

    pub(super) fn connect(&mut self) {
        let ticket = self.call();
        self.phase = Phase::Connecting(ticket);
        self.watch.forget_topology();
        self.cluster.connect(ticket);
    }

    /// A ticket for a call that is no command.
    fn call(&self) -> Ticket {
        self.world.with(|world| {
            let ticket = world.ledger.ticket();
            world.ledger.open.insert(ticket, 0);
            ticket
        })
    }

    /// Closes the client or destroys it.
    pub(super) fn end(&mut self, orderly: bool) {
        if !matches!(self.phase, Phase::Open | Phase::Resting) {
            return;
        }
        self.world.with(|world| world.note(format_args!("end, orderly: {orderly}")));
        if orderly {
            let ticket = self.call();
            self.phase = Phase::Closing(ticket);
            return self.cluster.close(ticket, None);
        }
        self.cluster.destroy();
        self.phase = Phase::Closed;
        self.take_answers();
    }

    fn schedule_trouble(&self) {
        self.world.with(|world| {
            let possible = possible();
            for _ in 0..world.random.within(1, 14) {
                let mishap = world.random.pick(&possible);
                let delay = world.random.below(TROUBLE);
                mishap.into_iter().for_each(|mishap| world.later(delay, Event::Mishap(mishap)));
            }
            for _ in 0..world.random.below(3) {
                let delay = world.random.below(TROUBLE);
                world.later(delay, Event::Refresh);
            }
            if world.random.one_in(5) {
                let (delay, orderly) = (world.random.below(TROUBLE), world.random.one_in(2));
                world.later(delay, Event::End { orderly });
            }
        });
    }

    /// Lets the world go on for `time` milliseconds, or until `done`.
    pub(super) async fn until(&mut self, time: u64, done: impl Fn(&Self) -> bool) {
        let end = self.world.with(|world| world.now) + time;
        loop {
            self.take_answers();
            self.submit_due();
            let (now, next, broken) = self
                .world
                .with(|world| (world.now, world.agenda.next_time(), !world.violations.is_empty()));
            if done(self) || broken || now >= end {
                return;
            }
            let alarm = Arc::clone(&self.world.alarm);
            let next = next.unwrap_or(end).min(end);
            tokio::select! {
                biased;
                () = alarm.notified() => {}
                () = sleep_until(self.world.moment(next)) => self.happen().await,
            }
        }
    }

    /// The next event, and then perhaps a chance for the engine to see it before another one.
    async fn happen(&mut self) {
        let event = self.world.with(|world| world.agenda.take_due(world.now));
        let Some(event) = event else { return };
        match event {
            Event::Cancel(ticket) => {
                if self.world.with(|world| world.ledger.give_up(ticket)) {
                    self.cluster.cancel(ticket);
                }
            }
            Event::Connect => {
                self.check_nothing_is_left("after the client has ended");
                self.connect();
            }
            Event::End { orderly } => {
                self.end(orderly);
                if self.phase == Phase::Closed {
                    self.world.with(|world| world.later(1, Event::Connect));
                }
            }
            Event::Refresh => self.cluster.refresh(),
            event => self.world.with(|world| world.happen(event)),
        }
        if self.world.with(|world| world.random.one_in(2)) {
            yield_now().await;
        }
    }

    pub(super) fn take_answers(&mut self) {
        while let Some(tape) = self.cluster.take(true) {
            for (ticket, answer) in read_all(&tape) {
                match ticket {
                    EVENT => self.on_event(&answer),
                    SWALLOWED => {}
                    _ => self.on_answer(ticket, answer),
                }
            }
            self.cluster.recycle(tape);
        }
        let routes = self.cluster.shared.routes.load();
        let problem = self.watch.look_at(&routes.topology);
        let watch = &mut self.watch;
        self.world.with(|world| {
            let problem = problem.or_else(|| watch.look_around(world));
            problem.into_iter().for_each(|problem| world.violate(problem));
        });
    }

    fn on_answer(&mut self, ticket: Ticket, answer: Answer) {
        let failed = matches!(answer, Answer::Failure(_));
        self.world.with(|world| world.enter_answer(ticket, answer));
        if self.phase == Phase::Connecting(ticket) {
            let next = if failed { Event::Connect } else { Event::Work };
            self.phase = if failed { Phase::Closed } else { Phase::Open };
            self.world.with(|world| {
                world.ledger.session_began = world.now;
                world.later(CONNECT_AGAIN, next);
            });
        } else if self.phase == Phase::Closing(ticket) {
            self.check_nothing_is_left("when close() was answered");
            self.phase = Phase::Closed;
            self.world.with(|world| world.later(CONNECT_AGAIN, Event::Connect));
        }
    }

    fn on_event(&self, answer: &Answer) {
        let text = format!("{answer:?}");
        self.world.with(|world| match text.contains("\"fatal\"") {
            true => world.violate(format!("the engine panicked: {text}")),
            false => world.note(format_args!("event {text}")),
        });
    }

    fn submit_due(&mut self) {
        if self.phase == Phase::Open {
            let (world, workload) = (&self.world, &mut self.workload);
            let planned = world.with(|world| workload.step(world));
            self.submit(&planned);
        }
    }

    pub(super) fn submit(&mut self, planned: &[Planned]) {
        if !planned.is_empty() {
            self.cluster.submit(planned.iter().filter_map(Planned::command));
            self.take_answers();
        }
    }
}
