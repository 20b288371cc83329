//! How what went wrong in a simulated world is put right again.

use super::agenda::{Event, NodeId};
use super::network::Muted;
use super::servers::State;
use super::world::World;
use std::sync::Arc;

/// How something that went wrong is put right.
#[derive(Clone, Copy, Debug)]
pub(super) enum Recovery {
    /// The node hears from the others again.
    Join(NodeId),
    /// The node knows a part of the cluster.
    LearnPart(NodeId),
    /// The process starts, and reads its data.
    Restart(NodeId),
    /// The network lets everything through.
    Unmute(NodeId),
    /// The process goes on.
    Wake(NodeId),
}

impl World {
    pub(super) fn recover(&mut self, recovery: Recovery) {
        self.note(format_args!("recovery {recovery:?}"));
        let truth = Arc::clone(&self.servers.truth);
        match recovery {
            Recovery::Join(node) => {
                self.servers.nodes[node].isolated = false;
                let delay = self.random.within(1, 300);
                self.later(delay, Event::Learn(node, truth));
            }
            Recovery::LearnPart(node) => {
                let known = self.random.index(truth.owner.len());
                self.servers.nodes[node].view = Arc::new(truth.only_up_to(known));
                self.later(300, Event::Learn(node, truth));
            }
            Recovery::Restart(node) => {
                if self.servers.nodes[node].state == State::Down {
                    self.servers.nodes[node].state = State::Loading;
                    let delay = self.random.within(50, 1_500);
                    self.later(delay, Event::Learn(node, truth));
                }
            }
            Recovery::Unmute(node) => self.mute(node, Muted::default()),
            Recovery::Wake(node) => {
                if self.servers.nodes[node].state == State::Hung {
                    self.servers.nodes[node].state = State::Up;
                    // It carries out what it has got meanwhile before it hears the news, or after.
                    if self.random.one_in(2) {
                        self.serve_all(node);
                    }
                    let delay = self.random.within(1, 100);
                    self.later(delay, Event::Learn(node, truth));
                    self.serve_all(node);
                }
            }
        }
    }

    /// Puts everything right, now.
    pub(super) fn recover_all(&mut self) {
        self.agenda.retain(|event| !matches!(event, Event::Mishap(_) | Event::Recover(_)));
        for id in 0..self.servers.nodes.len() {
            if self.servers.truth.group_of(id).is_some() {
                self.recover(Recovery::Unmute(id));
                self.recover(Recovery::Join(id));
                self.recover(Recovery::Restart(id));
                self.recover(Recovery::Wake(id));
            }
        }
    }
}
