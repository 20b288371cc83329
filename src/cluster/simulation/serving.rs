//! What a simulated node does with the bytes it gets.

use super::agenda::{ConnectionId, Event, NodeId};
use super::expected::EXPECTED;
use super::keyspace;
use super::ledger::Given;
use super::pipe::End;
use super::servers::State;
use super::wire::{Said, parse_command};
use super::world::World;
use crate::slot::Slot;

/// How soon an engine must know that a silent primary has been replaced, in milliseconds.
const KNOWN_WITHIN: u64 = 1_000;

impl World {
    /// Reads what has arrived on a connection, and answers what is complete.
    pub(super) fn serve(&mut self, id: ConnectionId) {
        let Some(connection) = self.network.get(id) else { return };
        let node = connection.node;
        if !matches!(self.servers.nodes[node].state, State::Up | State::Loading) {
            return;
        }
        let bytes = connection.to_node.take(usize::MAX);
        let mut input = std::mem::take(&mut connection.input);
        input.extend_from_slice(&bytes);
        self.wakers.extend(connection.writer.take());
        let (mut used, mut replies) = (0, Vec::new());
        loop {
            match parse_command(&input[used..]) {
                Ok(None) => break,
                Ok(Some((command, length))) => {
                    used += length;
                    let said = self.obey(id, node, command);
                    let resp3 = self.network.get(id).is_some_and(|connection| connection.resp3);
                    said.encode(resp3, &mut replies);
                }
                Err(problem) => {
                    self.violate(format!("connection {id}: not a command: {problem}"));
                    return self.cut(id);
                }
            }
        }
        input.drain(..used);
        self.send_to_client(id, &replies);
        let Some(connection) = self.network.get(id) else { return };
        connection.input = input;
        if connection.to_node.reached_end().is_some() {
            connection.to_client.finish(End::Finished);
            let closed_by_client = connection.to_client.len() == 0 && connection.reader.is_none();
            match closed_by_client {
                true => self.network.remove(id),
                false => self.later(0, Event::ArriveAtClient(id)),
            }
        }
    }

    /// Serves all connections of a node, which could not until now.
    pub(super) fn serve_all(&mut self, node: NodeId) {
        for id in self.network.of(Some(node)) {
            self.serve(id);
        }
    }

    fn obey(&mut self, id: ConnectionId, node: NodeId, mut command: Vec<String>) -> Said {
        let Some(connection) = self.network.get(id) else { return Said::Ok };
        let asking = std::mem::take(&mut connection.asking);
        if connection.greeted == 0 {
            connection.greeted = self.now;
        }
        command[0].make_ascii_uppercase();
        if let Some(said) = self.obey_transaction((id, node), &command, asking) {
            return said;
        }
        let Some(connection) = self.network.get(id) else { return Said::Ok };
        let second = command.get(1).map(|text| text.to_ascii_uppercase());
        let said = match (command[0].as_str(), second.as_deref()) {
            ("HELLO", _) => {
                connection.resp3 = true;
                Said::List(vec![Said::text("server"), Said::text("redis")])
            }
            ("AUTH", _) => Said::Ok,
            ("READONLY", _) => {
                connection.readonly = true;
                Said::Ok
            }
            ("ASKING", _) => {
                connection.asking = true;
                Said::Ok
            }
            ("PING", _) => Said::text("PONG"),
            ("CLIENT", Some("SETINFO")) if !self.servers.manners.setinfo => {
                Said::error("ERR unknown subcommand 'SETINFO'")
            }
            ("CLIENT", _) => Said::Ok,
            ("CLUSTER", Some("SLOTS")) => {
                self.ledger.see("CLUSTER SLOTS");
                self.servers.slots(node, &mut self.random)
            }
            ("CLUSTER", Some("MYID")) => Said::Text(self.servers.nodes[node].name.clone()),
            ("CLUSTER", Some("INFO")) => self.cluster_info(node),
            _ => return self.obey_data(id, node, command, asking),
        };
        if asking {
            self.violate(format!("I4: {command:?} came between ASKING and its command"));
        }
        self.note(format_args!("node {node}: {command:?}"));
        said
    }

    fn cluster_info(&self, node: NodeId) -> Said {
        let view = &self.servers.nodes[node].view;
        let state = if view.down { "fail" } else { "ok" };
        let epoch = view.epoch;
        Said::Text(format!("cluster_state:{state}\r\ncluster_current_epoch:{epoch}\r\n"))
    }

    /// A command on keys. Its last argument ends with its ticket, which tells whose it is.
    fn obey_data(
        &mut self,
        id: ConnectionId,
        node: NodeId,
        mut command: Vec<String>,
        asking: bool,
    ) -> Said {
        let Some(ticket) = keyspace::take_ticket(&mut command) else {
            self.note(format_args!("node {node}: unknown {command:?}"));
            return Said::error("ERR unknown command");
        };
        let Some(writes) = keyspace::writes(&command[0]) else {
            let said = Said::error(format!("ERR unknown command '{}'", command[0]));
            return self.give(ticket, (id, node), &command, Err(said));
        };
        if asking && !self.was_sent_here_by_ask(ticket, node) {
            self.violate(format!("I4: #{ticket} stands behind another command's ASKING"));
        }
        let keys = keyspace::keys(&command);
        let slot = Slot::of_key(keys[0].as_bytes());
        let readonly = self.network.get(id).is_some_and(|connection| connection.readonly);
        let may_read = readonly && !writes;
        if let Err(refusal) = self.admit(node, slot, &keys, (asking, may_read)) {
            return self.give(ticket, (id, node), &command, Err(refusal));
        }
        let said = self.servers.nodes[node].data.run(&command);
        if writes {
            self.servers.repeat(node, &command);
        }
        self.give(ticket, (id, node), &command, Ok(said))
    }

    pub(super) fn was_sent_here_by_ask(&self, ticket: u32, node: NodeId) -> bool {
        let port = format!(":{}", self.servers.nodes[node].port);
        let entry = self.ledger.entries.get(&ticket);
        entry.is_some_and(|entry| {
            entry.given.iter().any(|given| match &given.said {
                Said::Error(text) => text.starts_with("ASK ") && text.ends_with(&port),
                _ => false,
            })
        })
    }

    /// Whether the engine must know by now that a node has been replaced, and send it nothing.
    fn is_late(&mut self, ticket: u32, (id, node): (ConnectionId, NodeId)) -> bool {
        let known = self.servers.nodes[node].known_replaced;
        let asked = self.was_sent_here_by_ask(ticket, node);
        let greeted = self.network.get(id).map_or(0, |connection| connection.greeted);
        let since = known.max(self.ledger.session_began).saturating_add(KNOWN_WITHIN);
        since < self.now
            && (EXPECTED.asked_follow_failover || !asked)
            && (EXPECTED.greetings_are_probed || greeted < known)
    }

    /// Enters what a node says to a command: that it has run it, or a refusal.
    pub(super) fn give(
        &mut self,
        ticket: u32,
        (id, node): (ConnectionId, NodeId),
        command: &[String],
        outcome: Result<Said, Said>,
    ) -> Said {
        let ran = outcome.is_ok();
        let said = outcome.unwrap_or_else(|refusal| refusal);
        let slot = Slot::of_key(command[1].as_bytes());
        let here = &self.servers.nodes[node];
        let imports = here.importing.contains_key(&slot.number());
        let leads = self.servers.truth.led_by(node).is_some();
        let rightful = self.servers.rightful(slot) == Some(node) || imports && leads;
        let (name, key) = (&command[0], &command[1]);
        let as_stranger = if ran && !rightful { " (without right)" } else { "" };
        self.trace.note(
            self.now,
            format_args!("node {node}{as_stranger}: {name} {key} #{ticket} -> {said:?}"),
        );
        let as_replica = here.view.led_by(node).is_none();
        let (at, serial, said_too) = (self.now, 0, said.clone());
        let late = ran && !rightful && self.is_late(ticket, (id, node));
        let given = Given { at, serial, node, said: said_too, ran, rightful, late, as_replica };
        self.enter_given(ticket, given);
        said
    }
}
