//! Whether commands ran in the order in which they were submitted (I10).

use super::answers::Answer;
use super::expected::EXPECTED;
use super::ledger::{Entry, Given, Ledger};
use std::collections::BTreeMap;

/// The engine holds younger commands back for the older ones of a slot that moves, but no longer
/// than that; in milliseconds.
const HELD_AT_MOST: u64 = 1_000;

/// Every pair of answered commands that ran in the wrong order: of one key always, of one slot
/// unless one of them was sent elsewhere for its key (ASK) or had to wait.
///
/// Reads do not count if they are spread over replicas.
pub(super) fn disorder(ledger: &Ledger) -> Vec<String> {
    let (mut of_keys, mut of_slots) = (BTreeMap::<_, Last>::new(), BTreeMap::<_, Last>::new());
    let mut problems = Vec::new();
    for (ticket, entry) in &ledger.entries {
        let Some(runs) = runs(entry, !ledger.spread) else { continue };
        for key in &entry.keys {
            problems.extend(of_keys.entry(key).or_default().next(*ticket, entry, &runs));
        }
        if !entry.given.iter().any(was_held_up) {
            let last = of_slots.entry(entry.slot).or_default();
            problems.extend(last.next(*ticket, entry, &runs));
        }
    }
    problems
}

/// The runs of a command that its answer may have come from; `None` if it does not count.
fn runs(entry: &Entry, reads: bool) -> Option<Vec<&Given>> {
    let Some((_, Answer::Reply(said))) = &entry.answer else { return None };
    let waited = entry.given.iter().any(Given::is_not_now);
    let redirects = || entry.given.iter().filter(|given| given.is_redirect());
    let excused = waited && !EXPECTED.order_while_waiting
        || redirects().count() > 1 && !EXPECTED.order_through_loops
        || redirects().rev().skip(1).any(Given::is_ask) && !EXPECTED.asked_follow_failover;
    if !(entry.writes || entry.reads && reads) || excused {
        return None;
    }
    let counts = |given: &&Given| {
        given.ran && given.said == *said && (EXPECTED.reads_from_primaries || !given.as_replica)
    };
    let runs: Vec<_> = entry.given.iter().filter(counts).collect();
    (!runs.is_empty()).then_some(runs)
}

fn was_held_up(given: &Given) -> bool {
    given.is_not_now() || given.is_ask()
}

/// The last command of a key or slot, and the earliest of its runs that fits those before it.
#[derive(Default)]
struct Last {
    ticket: u32,
    serial: u64,
    submitted: u64,
}

impl Last {
    /// The next younger command.
    fn next(&mut self, ticket: u32, entry: &Entry, runs: &[&Given]) -> Option<String> {
        if let Some(run) = runs.iter().find(|run| run.serial > self.serial) {
            *self = Self { ticket, serial: run.serial, submitted: entry.submitted };
            return None;
        }
        let ran_at = runs.iter().map(|run| run.at).max().unwrap_or(0);
        let waited = ran_at.saturating_sub(self.submitted);
        let problem = format!(
            "I10: {} #{ticket} of {:?} ran at {ran_at} ms, before the older #{} of {} ms",
            entry.command[0], entry.keys, self.ticket, self.submitted
        );
        (waited < HELD_AT_MOST).then_some(problem)
    }
}
