//! The data of one simulated node, and the commands on it.

use super::wire::Said;
use crate::cluster::Ticket;
use std::collections::BTreeMap;

/// Keys and their values.
#[derive(Clone, Debug, Default)]
pub(super) struct Keyspace(BTreeMap<String, Value>);

#[derive(Clone, Debug)]
pub(super) enum Value {
    List(Vec<String>),
    Number(i64),
    Text(String),
}

/// How many elements from the end LRANGE returns; enough to see what came last.
const RANGE: usize = 5;

/// Takes the ticket off a command's last argument, behind which it stands.
pub(super) fn take_ticket(command: &mut [String]) -> Option<Ticket> {
    let last = command.last_mut()?;
    let (own, ticket) = last.rsplit_once('#')?;
    let ticket = ticket.parse().ok()?;
    *last = own.to_owned();
    Some(ticket)
}

/// The keys of a data command.
pub(super) fn keys(command: &[String]) -> Vec<String> {
    let arguments = command.iter().skip(1);
    match command[0].as_str() {
        "MGET" => arguments.cloned().collect(),
        "MSET" => arguments.step_by(2).cloned().collect(),
        _ => arguments.take(1).cloned().collect(),
    }
}

/// Says whether a data command writes. `None`: servers do not know it.
pub(super) fn writes(name: &str) -> Option<bool> {
    match name {
        "GET" | "LRANGE" | "MGET" => Some(false),
        "INCR" | "MSET" | "RPUSH" | "SET" => Some(true),
        _ => None,
    }
}

impl Keyspace {
    pub(super) fn has(&self, key: &str) -> bool {
        self.0.contains_key(key)
    }

    pub(super) fn value(&self, key: &str) -> Option<&Value> {
        self.0.get(key)
    }

    /// Keys for which `condition` holds.
    pub(super) fn find(&self, condition: impl Fn(&str) -> bool) -> Vec<String> {
        self.0.keys().filter(|key| condition(key)).cloned().collect()
    }

    /// Moves a key out.
    pub(super) fn take(&mut self, key: &str) -> Option<Value> {
        self.0.remove(key)
    }

    /// Sets a key, or removes it.
    pub(super) fn put(&mut self, key: &str, value: Option<Value>) {
        match value {
            Some(value) => drop(self.0.insert(key.to_owned(), value)),
            None => drop(self.0.remove(key)),
        }
    }

    /// Runs a command that [`writes`] knows.
    pub(super) fn run(&mut self, command: &[String]) -> Said {
        let key = command[1].as_str();
        match command[0].as_str() {
            "GET" => self.text(key),
            "MGET" => Said::List(command[1..].iter().map(|key| self.text(key)).collect()),
            "LRANGE" => match self.0.get(key) {
                Some(Value::List(items)) => {
                    let last = items.iter().skip(items.len().saturating_sub(RANGE));
                    Said::List(last.map(|item| Said::text(item)).collect())
                }
                _ => Said::List(Vec::new()),
            },
            "INCR" => {
                let number = match self.0.get(key) {
                    Some(Value::Number(number)) => number + 1,
                    _ => 1,
                };
                self.put(key, Some(Value::Number(number)));
                Said::Int(number)
            }
            "RPUSH" => {
                let entry = self.0.entry(key.to_owned());
                let Value::List(items) = entry.or_insert_with(|| Value::List(Vec::new())) else {
                    return Said::error("WRONGTYPE");
                };
                items.push(command[2].clone());
                Said::Int(items.len() as i64)
            }
            _ => {
                for pair in command[1..].chunks_exact(2) {
                    self.put(&pair[0], Some(Value::Text(pair[1].clone())));
                }
                Said::Ok
            }
        }
    }

    fn text(&self, key: &str) -> Said {
        match self.0.get(key) {
            Some(Value::Text(text)) => Said::text(text),
            _ => Said::Null,
        }
    }
}
