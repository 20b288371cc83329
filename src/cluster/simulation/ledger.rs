//! The account of every command: what was asked, what servers did and said, what the user got.

use super::agenda::NodeId;
use super::answers::Answer;
use super::expected::EXPECTED;
use super::transactions::DISCARDED;
use super::wire::Said;
use super::world::World;
use crate::cluster::Ticket;
use crate::slot::Slot;
use std::collections::BTreeMap;

/// One command, from its submission on.
#[derive(Debug)]
pub(super) struct Entry {
    /// Name and arguments, without the ticket.
    pub(super) command: Vec<String>,
    pub(super) keys: Vec<String>,
    pub(super) slot: Slot,
    /// Neither for a command that servers do not know.
    pub(super) reads: bool,
    pub(super) writes: bool,
    pub(super) submitted: u64,
    /// Milliseconds from `submitted` for which the user wants it to be tried.
    pub(super) patience: u64,
    /// Bytes on the wire.
    pub(super) length: usize,
    /// Everything that servers said to it.
    pub(super) given: Vec<Given>,
    /// When the user got which answer.
    pub(super) answer: Option<(u64, Answer)>,
}

/// What a server said to a command.
#[derive(Debug)]
pub(super) struct Given {
    pub(super) at: u64,
    /// Grows with everything that any server says.
    pub(super) serial: u64,
    pub(super) node: NodeId,
    pub(super) said: Said,
    /// It was carried out.
    pub(super) ran: bool,
    /// By the node that had the right to: what another does is lost.
    pub(super) rightful: bool,
    /// By one that was replaced so long ago that the engine must know.
    pub(super) late: bool,
    /// By a node that knows that it is a replica.
    pub(super) as_replica: bool,
}

/// All accounts.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    pub(super) entries: BTreeMap<Ticket, Entry>,
    /// Tickets without an answer, and the bytes of their commands.
    pub(super) open: BTreeMap<Ticket, usize>,
    pub(super) open_bytes: usize,
    /// Slots of the workload's keys.
    pub(super) slots: Vec<Slot>,
    next_ticket: Ticket,
    next_serial: u64,
    /// Bytes that the user lets wait for one node.
    pub(super) queue_bytes: Option<usize>,
    /// How often the engine may wake up in a second without work.
    pub(super) wake_ups: u64,
    /// When the client was connected last.
    pub(super) session_began: u64,
    /// The user wants reads from replicas, too.
    pub(super) spread: bool,
    /// How often each kind of thing happened: a run in which nothing happens proves nothing.
    pub(super) seen: BTreeMap<&'static str, u64>,
}

/// What servers may say without having done anything.
const NOT_NOW: [&str; 5] = ["CLUSTERDOWN", "LOADING", "MASTERDOWN", "READONLY", "TRYAGAIN"];
/// Failures after which a command is sure not to have run, by [`crate::error::Error::code`]:
/// closed, offline, timeout, aborted, too many redirects, queue full, slot unassigned, too many
/// bytes.
const NEVER_RAN: [u32; 8] = [1, 2, 6, 7, 9, 10, 13, 21];
/// Failures of a connection: a write may have run.
const LOST: [u32; 6] = [3, 4, 5, 15, 23, 24];
/// No answer within the time for it: a write may have run.
const UNANSWERED: u32 = 22;
/// A defect.
const INTERNAL: u32 = 14;
/// A command may be refused that often, and once more for so many milliseconds that it waits. The
/// limit for redirects is 16.
const REFUSALS: u64 = 40;
const REFUSAL_MS: u64 = 20;

impl Ledger {
    /// A number for the next command or call. Grows with every submission.
    pub(super) fn ticket(&mut self) -> Ticket {
        self.next_ticket += 1;
        self.next_ticket
    }

    pub(super) fn open(&mut self, ticket: Ticket, entry: Entry) {
        self.open.insert(ticket, entry.length);
        self.open_bytes += entry.length;
        self.entries.insert(ticket, entry);
    }

    /// The user gives up on a command. Says whether it has no answer yet.
    pub(super) fn give_up(&mut self, ticket: Ticket) -> bool {
        if let Some(entry) = self.entries.get_mut(&ticket) {
            entry.patience = 0;
        }
        self.open.contains_key(&ticket)
    }

    pub(super) fn see(&mut self, what: &'static str) {
        *self.seen.entry(what).or_default() += 1;
    }
}

impl Given {
    /// The server did not do it, and said so.
    pub(super) fn is_not_now(&self) -> bool {
        not_now(&self.said)
    }

    /// The server sent it elsewhere, for this time only.
    pub(super) fn is_ask(&self) -> bool {
        matches!(&self.said, Said::Error(text) if text.starts_with("ASK "))
    }

    /// The server sent it elsewhere.
    pub(super) fn is_redirect(&self) -> bool {
        self.is_ask() || matches!(&self.said, Said::Error(text) if text.starts_with("MOVED "))
    }
}

fn not_now(said: &Said) -> bool {
    let Said::Error(text) = said else { return false };
    let text = text.strip_prefix(DISCARDED).unwrap_or(text);
    NOT_NOW.iter().any(|code| text.starts_with(code))
}

impl World {
    /// A server says something to a command.
    pub(super) fn enter_given(&mut self, ticket: Ticket, mut given: Given) {
        let Some(entry) = self.ledger.entries.get_mut(&ticket) else {
            return self.violate(format!("a server got #{ticket}, which nobody has asked for"));
        };
        self.ledger.next_serial += 1;
        given.serial = self.ledger.next_serial;
        let (ran, foreign) = (given.ran, self.servers.nodes[given.node].foreign);
        entry.given.push(given);
        let runs = entry.given.iter().filter(|given| given.ran).count();
        let refusals = (entry.given.len() - runs) as u64;
        let age = self.now - entry.submitted;
        let never_ran = matches!(&entry.answer, Some((_, Answer::Failure(code)))
            if NEVER_RAN.contains(code));
        let name = entry.command[0].clone();
        if ran && entry.writes && runs > 1 {
            self.violate(format!("I7: {name} #{ticket} ran {runs} times"));
        } else if ran && entry.writes && never_ran {
            self.violate(format!("{name} #{ticket} ran after its caller was told that it had not"));
        } else if ran && foreign && EXPECTED.identity {
            self.violate(format!("{name} #{ticket} ran in another cluster"));
        } else if refusals > REFUSALS + age / REFUSAL_MS {
            self.violate(format!("{name} #{ticket} was refused {refusals} times in {age} ms"));
        }
    }

    /// The user gets an answer.
    pub(super) fn enter_answer(&mut self, ticket: Ticket, answer: Answer) {
        self.note(format_args!("answer #{ticket} {answer:?}"));
        let Some(length) = self.ledger.open.remove(&ticket) else {
            return self.violate(format!("I2: #{ticket} got an answer too much: {answer:?}"));
        };
        self.ledger.open_bytes -= length;
        // A call like connect() has no account.
        let Some(entry) = self.ledger.entries.get_mut(&ticket) else { return };
        let problem = match &answer {
            Answer::Failure(code) => failure_problem(entry, *code),
            Answer::Reply(said) => reply_problem(entry, said, (self.now, self.ledger.spread)),
        };
        let seen = match &answer {
            Answer::Failure(code) if LOST.contains(code) => "unknown outcome",
            Answer::Failure(UNANSWERED) => "not answered in time",
            Answer::Failure(6) => "timeout",
            Answer::Failure(7) => "aborted",
            Answer::Failure(_) => "other failure",
            Answer::Reply(said) if not_now(said) => "not now",
            Answer::Reply(_) => "reply",
        };
        entry.answer = Some((self.now, answer));
        let name = entry.command[0].clone();
        self.ledger.see(seen);
        if let Some(problem) = problem {
            self.violate(format!("{name} #{ticket}: {problem}"));
        }
    }
}

fn failure_problem(entry: &Entry, code: u32) -> Option<String> {
    let ran = entry.given.iter().any(|given| given.ran);
    if entry.writes && ran && NEVER_RAN.contains(&code) {
        return Some(format!("failed with {code}, as if it had not run"));
    }
    if entry.reads && LOST.contains(&code) && EXPECTED.reads_survive {
        return Some(format!("a read failed with {code}: a connection was lost"));
    }
    (code == INTERNAL).then(|| "an internal error".to_owned())
}

fn reply_problem(entry: &Entry, said: &Said, (now, spread): (u64, bool)) -> Option<String> {
    let given = entry.given.iter().find(|given| given.said == *said);
    let Some(given) = given else {
        return Some(format!("got {said:?}, which no server said to it: {:?}", entry.given));
    };
    let in_time = now < entry.submitted + entry.patience;
    if given.is_redirect() && (in_time || EXPECTED.redirects_stay_inside) {
        return Some(format!("got a redirect: {said:?}"));
    }
    if EXPECTED.waits && given.is_not_now() && in_time {
        return Some(format!("got {said:?} before its time was over"));
    }
    let by_replica = entry.given.iter().all(|given| given.said != *said || given.as_replica);
    if EXPECTED.reads_from_primaries && given.ran && by_replica && !spread {
        return Some(format!("was answered by a replica, node {}", given.node));
    }
    let acknowledged = given.ran && entry.writes && given.late;
    (EXPECTED.probes && acknowledged)
        .then(|| format!("was acknowledged by node {}, which has been replaced", given.node))
}
