//! What must be true when a simulated world has come to its end.

use super::answers::Answer;
use super::keyspace::Value;
use super::ledger::{Entry, Ledger};
use super::wire::Said;
use super::world::World;
use crate::slot::Slot;
use std::collections::BTreeMap;

impl World {
    /// Compares the accounts with the data that the cluster ends with.
    pub(super) fn compare_with_data(&mut self) {
        let mut problems = Vec::new();
        let mut counts: BTreeMap<&String, (i64, i64)> = BTreeMap::new();
        for (ticket, entry) in &self.ledger.entries {
            let kept = is_kept(entry);
            let ran = entry.given.iter().any(|given| given.ran);
            match entry.command[0].as_str() {
                "RPUSH" if kept && self.times_in_list(entry) != 1 => {
                    let times = self.times_in_list(entry);
                    problems.push(format!(
                        "RPUSH #{ticket} was acknowledged, and is there {times} times"
                    ));
                }
                "INCR" => entry.keys.iter().for_each(|key| {
                    let count = counts.entry(key).or_default();
                    count.0 += i64::from(kept);
                    count.1 += i64::from(ran);
                }),
                "SET" | "MSET" if kept => problems.extend(self.lost_text(*ticket, entry)),
                _ => {}
            }
        }
        for (key, (acknowledged, ran)) in counts {
            let value = match self.value(key) {
                Some(Value::Number(number)) => *number,
                _ => 0,
            };
            if value < acknowledged || value > ran {
                problems.push(format!(
                    "INCR {key}: {acknowledged} acknowledged, {ran} ran, it is {value}"
                ));
            }
        }
        problems.into_iter().for_each(|problem| self.violate(problem));
    }

    fn value(&self, key: &str) -> Option<&Value> {
        let owner = self.servers.rightful(Slot::of_key(key.as_bytes()))?;
        self.servers.nodes[owner].data.value(key)
    }

    fn times_in_list(&self, entry: &Entry) -> usize {
        match self.value(&entry.keys[0]) {
            Some(Value::List(items)) => {
                items.iter().filter(|item| **item == entry.command[2]).count()
            }
            _ => 0,
        }
    }

    /// A text that was set is there, unless another was set after it.
    fn lost_text(&self, ticket: u32, entry: &Entry) -> Option<String> {
        let key = &entry.keys[0];
        let ran = last_run(entry)?;
        let Some(Value::Text(text)) = self.value(key) else {
            return Some(format!("SET {key} #{ticket} was acknowledged, and the key is gone"));
        };
        let writer = ticket_of(text).and_then(|writer| self.ledger.entries.get(&writer));
        let Some(later) = writer.and_then(last_run) else {
            return Some(format!("{key} has a value that nobody has set"));
        };
        (later < ran)
            .then(|| format!("SET {key} #{ticket} was acknowledged, and an older value is there"))
    }
}

fn ticket_of(text: &str) -> Option<u32> {
    let digits = text.strip_prefix('v')?;
    digits.trim_end_matches('x').parse().ok()
}

fn last_run(entry: &Entry) -> Option<u64> {
    entry.given.iter().rfind(|given| given.ran).map(|given| given.serial)
}

/// Says whether the cluster has promised to keep what the command wrote.
fn is_kept(entry: &Entry) -> bool {
    let acknowledged = matches!(&entry.answer, Some((_, Answer::Reply(said))) if !is_error(said));
    acknowledged && entry.given.iter().any(|given| given.ran && given.rightful)
}

fn is_error(said: &Said) -> bool {
    matches!(said, Said::Error(_))
}

/// Problems with the answers to commands that were sent when all was well again.
pub(super) fn failed_probes(ledger: &Ledger, probes: &[u32]) -> Vec<String> {
    let mut problems = Vec::new();
    for ticket in probes {
        let Some(entry) = ledger.entries.get(ticket) else { continue };
        let well = matches!(&entry.answer, Some((_, Answer::Reply(said))) if !is_error(said));
        if !well && !is_aborted(entry) {
            let (name, answer) = (&entry.command[0], &entry.answer);
            problems.push(format!("{name} #{ticket} failed when all was well again: {answer:?}"));
        }
    }
    problems
}

/// Given up by its caller, or too late for its own short timeouts.
fn is_aborted(entry: &Entry) -> bool {
    matches!(&entry.answer, Some((_, Answer::Failure(6 | 7 | 22))))
}
