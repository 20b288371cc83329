//! MULTI, EXEC, and what is between them, on a simulated node.

use super::agenda::{ConnectionId, NodeId};
use super::keyspace;
use super::wire::Said;
use super::world::World;
use crate::cluster::Ticket;
use crate::slot::Slot;

/// What a connection has begun with MULTI.
#[derive(Debug)]
pub(super) struct Transaction {
    /// The client was sent here by ASK.
    asking: bool,
    queued: Vec<Vec<String>>,
    /// Whose it is.
    ticket: Option<Ticket>,
    /// A command was refused: EXEC will run none.
    refused: bool,
}

/// In front of the reason for which EXEC itself cannot be run, unless that is the key's place.
pub(super) const DISCARDED: &str = "EXECABORT Transaction discarded because of: ";

impl World {
    /// What a node says to a command that begins, ends or belongs to a transaction. `None`: it does
    /// not.
    pub(super) fn obey_transaction(
        &mut self,
        (id, node): (ConnectionId, NodeId),
        command: &[String],
        asking: bool,
    ) -> Option<Said> {
        let begun = self.network.get(id)?.transaction.take();
        match (command[0].as_str(), begun) {
            ("MULTI", None) => {
                let new = Transaction { asking, queued: Vec::new(), ticket: None, refused: false };
                self.network.get(id)?.transaction = Some(new);
                Some(Said::Ok)
            }
            ("EXEC", Some(transaction)) => Some(self.exec((id, node), transaction)),
            ("MULTI" | "EXEC", _) => {
                self.violate(format!("I4: connection {id}: {} out of place", command[0]));
                Some(Said::error("ERR out of place"))
            }
            (_, None) => None,
            (_, Some(mut transaction)) => {
                let said = self.queue((id, node), &mut transaction, command.to_vec());
                self.network.get(id)?.transaction = Some(transaction);
                Some(said)
            }
        }
    }

    fn queue(
        &mut self,
        (id, node): (ConnectionId, NodeId),
        transaction: &mut Transaction,
        mut command: Vec<String>,
    ) -> Said {
        let ticket = keyspace::take_ticket(&mut command);
        let whose = transaction.ticket.or(ticket).unwrap_or_default();
        transaction.ticket = Some(whose);
        if ticket != Some(whose) {
            self.violate(format!("I4: {command:?} came into the transaction #{whose}"));
            return Said::error("ERR out of place");
        }
        if transaction.asking && !self.was_sent_here_by_ask(whose, node) {
            self.violate(format!("I4: #{whose} stands behind another command's ASKING"));
        }
        match self.admit_all((id, node), transaction.asking, std::slice::from_ref(&command)) {
            Ok(_) => {
                transaction.queued.push(command);
                Said::text("QUEUED")
            }
            Err(refusal) if transaction.refused => refusal,
            Err(refusal) => {
                transaction.refused = true;
                self.give(whose, (id, node), &whole(&command), Err(refusal))
            }
        }
    }

    fn exec(&mut self, (id, node): (ConnectionId, NodeId), transaction: Transaction) -> Said {
        let Transaction { asking, queued, ticket, refused } = transaction;
        if refused {
            self.ledger.see("EXECABORT");
            return Said::error("EXECABORT Transaction discarded because of previous errors.");
        }
        let Some(first) = queued.first() else { return Said::List(Vec::new()) };
        let (ticket, whole) = (ticket.unwrap_or_default(), whole(first));
        let writes = match self.admit_all((id, node), asking, &queued) {
            Ok(writes) => writes,
            Err(Said::Error(text))
                if text.starts_with("LOADING") || text.starts_with("READONLY") =>
            {
                let refusal = Said::error(format!("{DISCARDED}{text}"));
                return self.give(ticket, (id, node), &whole, Err(refusal));
            }
            Err(refusal) => return self.give(ticket, (id, node), &whole, Err(refusal)),
        };
        self.ledger.see("EXEC");
        let data = &mut self.servers.nodes[node].data;
        let said = Said::List(queued.iter().map(|command| data.run(command)).collect());
        if writes {
            queued.iter().for_each(|command| self.servers.repeat(node, command));
        }
        self.give(ticket, (id, node), &whole, Ok(said))
    }

    /// As one command with all of their keys. Says whether any of them writes.
    fn admit_all(
        &mut self,
        (id, node): (ConnectionId, NodeId),
        asking: bool,
        commands: &[Vec<String>],
    ) -> Result<bool, Said> {
        let mut keys: Vec<String> = commands.iter().flat_map(|c| keyspace::keys(c)).collect();
        keys.dedup();
        let writes = commands.iter().any(|command| keyspace::writes(&command[0]) != Some(false));
        let slot = Slot::of_key(keys[0].as_bytes());
        let readonly = self.network.get(id).is_some_and(|connection| connection.readonly);
        self.admit(node, slot, &keys, (asking, readonly && !writes)).map(|()| writes)
    }
}

/// For the accounts: a transaction and its first key.
fn whole(command: &[String]) -> Vec<String> {
    vec!["MULTI".to_owned(), command[1].clone()]
}
