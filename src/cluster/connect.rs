//! The beginning of a session: from the seeds to a cluster that can be used.

use super::events::Event;
use super::session::Session;
use crate::error::Error;
use crate::slot::Slot;
use crate::topology::View;
use std::rc::Rc;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// How long others may take to know more, once a seed has told of a part of the cluster.
const COMPLETE_WITHIN: Duration = Duration::from_millis(300);
/// How much longer than the first node the others may take, before commands are accepted without
/// them: this, and twice what the first one took.
const GRACE: Duration = Duration::from_millis(20);

impl Session {
    /// Finds the cluster by its seeds and connects to its nodes.
    ///
    /// # Errors
    ///
    /// [`Error::SeedsUnavailable`] with what happened at each.
    pub(super) async fn connect(self: &Rc<Self>) -> Result<(), Error> {
        let mut answers = self.ask_sources(self.seeds());
        let mut failures = Vec::new();
        let mut partial: Option<(View, Instant)> = None;
        loop {
            let next = match &partial {
                Some((_, until)) => timeout_at(*until, answers.next()).await.unwrap_or(None),
                None => answers.next().await,
            };
            let view = match (next, partial.take()) {
                (Some((addr, Err(error))), kept) => {
                    self.shared.tell(&Event::SeedError(&error));
                    failures.push((addr.to_string(), error));
                    partial = kept;
                    continue;
                }
                (Some((_, Ok(view))), kept) => {
                    let (view, until) = match kept {
                        Some((old, until)) if covered(&old) >= covered(&view) => (old, until),
                        Some((_, until)) => (view, until),
                        None => (view, Instant::now() + COMPLETE_WITHIN),
                    };
                    if covered(&view) < Slot::COUNT {
                        partial = Some((view, until));
                        continue;
                    }
                    view
                }
                (None, Some((view, _))) => view,
                (None, None) => return Err(Error::SeedsUnavailable(failures)),
            };
            self.publish(view.topology);
            let Err(error) = self.first_connections().await else { break };
            self.shared.tell(&Event::SeedError(&error));
            failures.push(("its nodes".to_owned(), error));
        }
        Ok(())
    }

    /// Waits until the cluster can be used: each node has been tried once, or one is connected and
    /// the others have had as much time and more.
    ///
    /// # Errors
    ///
    /// No node can be reached; what happened at one of them.
    async fn first_connections(&self) -> Result<(), Error> {
        let began = Instant::now();
        let mut enough: Option<Instant> = None;
        loop {
            let (mut waiting, mut usable, mut failure) = (false, false, None);
            for node in self.nodes.borrow().values() {
                match &*node.first.borrow() {
                    // Until somebody asks for it, such a node is as good as connected. But a replica
                    // that nobody may read from is of no use to commands.
                    None if node.lazy.get() => usable |= self.shared.config.minimize_connections,
                    None => waiting = true,
                    Some(Ok(())) => usable = true,
                    Some(Err(error)) => failure = Some(error.clone()),
                }
            }
            if usable && enough.is_none() {
                enough = Some(Instant::now() + GRACE + 2 * began.elapsed());
            }
            match (failure, enough) {
                (_, Some(until)) if waiting => {
                    if timeout_at(until, self.progress.notified()).await.is_err() {
                        return Ok(());
                    }
                }
                _ if waiting => self.progress.notified().await,
                (Some(error), _) if !usable => return Err(error),
                _ => return Ok(()),
            }
        }
    }
}

fn covered(view: &View) -> usize {
    view.topology.slots.covered()
}
