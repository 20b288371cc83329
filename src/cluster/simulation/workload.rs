//! The callers: several workers that each wait for what they have asked before they ask again.

use super::agenda::Event;
use super::keyspace;
use super::ledger::Entry;
use super::random::Random;
use super::world::World;
use crate::cluster::Ticket;
use crate::command::{Args, Command, Unit};
use crate::slot::Slot;

/// A command ready to be submitted, with its ticket behind its last argument; or a transaction, with its
/// ticket behind the last argument of each command.
#[derive(Debug)]
pub(super) struct Planned {
    pub(super) ticket: Ticket,
    /// Of a transaction: as a [`Unit`] has them.
    lengths: Vec<u32>,
    /// How many commands a transaction has; 0: it is none.
    commands: u32,
    bytes: Vec<u8>,
    key: Vec<u8>,
    timeout: u32,
    response_timeout: u32,
}

impl Planned {
    /// As the engine takes it. `None` cannot be.
    pub(super) fn command(&self) -> Option<(Ticket, Command<'_>)> {
        let packed = (&self.lengths[..], &self.bytes[..]);
        let (args, unit) = match self.commands {
            0 => (Args::new(packed.0, packed.1)?, None),
            commands => (Args::default(), Some(Unit::cut(commands, packed)?.0)),
        };
        let key = Some(&self.key[..]);
        let [timeout_ms, response_timeout_ms] = [self.timeout, self.response_timeout];
        let command = Command {
            args,
            unit,
            key,
            readonly: None,
            timeout_ms,
            response_timeout_ms,
            destination: None,
        };
        Some((self.ticket, command))
    }
}

/// A command; and whether it stands for a transaction, in which it is given to each of its keys.
type Deed = (Vec<String>, bool);

/// All workers of one world.
#[derive(Debug)]
pub(super) struct Workload {
    workers: Vec<Worker>,
    /// Hash tags; each has a few keys, of one kind of value each.
    tags: usize,
    /// Values may be long.
    long: bool,
}

#[derive(Debug)]
struct Worker {
    waits_for: Vec<Ticket>,
    /// Commands it sends without waiting.
    depth: u64,
    /// When it goes on.
    ready_at: u64,
    /// Longest time between two bursts.
    pause: u64,
}

/// Default of the facade.
const USUAL_TIMEOUT: u32 = 5_000;

/// How long a command without a timeout is tried again at least, in milliseconds.
const PATIENCE: u64 = 2_500;

impl Workload {
    pub(super) fn new(random: &mut Random, long: bool) -> Self {
        let worker = |random: &mut Random| Worker {
            waits_for: Vec::new(),
            depth: random.within(1, 10),
            ready_at: 0,
            pause: random.pick(&[60, 300, 900]).unwrap_or(200),
        };
        let count = random.within(3, 7);
        Self {
            workers: (0..count).map(|_| worker(random)).collect(),
            tags: random.within(3, 10) as usize,
            long,
        }
    }

    /// Nobody asks by himself; keys are all over the cluster.
    pub(super) fn wide() -> Self {
        Self { workers: Vec::new(), tags: 1_000, long: false }
    }

    /// Less is asked for.
    pub(super) fn calm_down(&mut self) {
        for worker in &mut self.workers {
            worker.pause *= 4;
        }
    }

    /// The slots of all keys.
    pub(super) fn slots(&self) -> Vec<Slot> {
        (0..self.tags).map(|tag| Slot::of_key(key(tag, "").as_bytes())).collect()
    }

    /// What the workers send now. Those that have to wait are looked at again later.
    pub(super) fn step(&mut self, world: &mut World) -> Vec<Planned> {
        let mut planned = Vec::new();
        for index in 0..self.workers.len() {
            let worker = &mut self.workers[index];
            worker.waits_for.retain(|ticket| world.ledger.open.contains_key(ticket));
            if !worker.waits_for.is_empty() || worker.ready_at > world.now {
                continue;
            }
            let pause = 1 + world.random.below(worker.pause);
            worker.ready_at = world.now + pause;
            let burst = world.random.within(1, worker.depth);
            world.later(pause, Event::Work);
            for _ in 0..burst {
                let deed = self.deed(&mut world.random);
                let next = world.plan(deed);
                self.workers[index].waits_for.push(next.ticket);
                planned.push(next);
            }
        }
        planned
    }

    fn deed(&self, random: &mut Random) -> Deed {
        let tag = random.index(self.tags);
        let (a, b) = (key(tag, "a"), key(tag, "b"));
        let (left, right) = (key(tag, "left"), key(tag, "right"));
        let kind = random.below(19);
        let words: &[&str] = match kind {
            0..=2 => &["GET", &a],
            3..=5 => &["SET", &a, "?"],
            6..=8 => &["INCR", &key(tag, "n")],
            9..=11 => &["RPUSH", &key(tag, "l"), "?"],
            12 => &["LRANGE", &key(tag, "l"), "-5", "-1"],
            13 => &["MGET", &a, &b],
            14 => &["MSET", &a, "?", &b, "?"],
            15 | 16 => &["INCR", &left, &right],
            17 => &["GET", &a, &b],
            _ => &["NOSUCH", &a],
        };
        let mut command: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        if self.long && command[0] == "SET" && random.one_in(30) {
            command[2].push_str(&"x".repeat(random.within(1, 100_000) as usize));
        }
        (command, matches!(kind, 15..=17))
    }

    /// One command for each key, read and written.
    pub(super) fn probes(&self, world: &mut World) -> Vec<Planned> {
        let tags = 0..self.tags;
        let deeds = tags.flat_map(|tag| {
            let a = key(tag, "a");
            let (get, set) =
                (vec!["GET".to_owned(), a.clone()], vec!["SET".to_owned(), a, "?".to_owned()]);
            [get, set, vec!["INCR".to_owned(), key(tag, "n")]]
        });
        deeds.map(|command| world.plan((command, false))).collect()
    }
}

fn key(tag: usize, name: &str) -> String {
    format!("{{t{tag}}}{name}")
}

impl World {
    /// Opens the account of a command, or of a transaction, in which the command is given to each of
    /// several keys. Values become unique: a question mark becomes the ticket.
    fn plan(&mut self, (mut command, together): Deed) -> Planned {
        let ticket = self.ledger.ticket();
        let value = |word: &mut String| {
            if let Some(rest) = word.strip_prefix('?') {
                *word = format!("v{ticket}{rest}");
            }
        };
        command.iter_mut().for_each(value);
        let keys = if together { command[1..].to_vec() } else { keyspace::keys(&command) };
        let slot = Slot::of_key(keys[0].as_bytes());
        let timeout = match self.random.below(8) {
            0 => self.random.within(1, 1_500) as u32,
            1 | 2 => 0,
            _ => USUAL_TIMEOUT,
        };
        if self.random.one_in(20) {
            let delay = self.random.below(100);
            self.later(delay, Event::Cancel(ticket));
        }
        let prompt = self.random.one_in(10);
        let response_timeout = if prompt { self.random.within(1, 2_000) as u32 } else { 0 };
        let limits = [timeout, response_timeout].map(u64::from);
        let patience = limits.into_iter().filter(|limit| *limit > 0).min().unwrap_or(PATIENCE);
        let (lengths, bytes) = pack(ticket, &command, together);
        self.ledger.open(
            ticket,
            Entry {
                reads: keyspace::writes(&command[0]) == Some(false),
                writes: keyspace::writes(&command[0]) == Some(true),
                keys: keys.clone(),
                slot,
                submitted: self.now,
                patience,
                length: bytes.len(),
                given: Vec::new(),
                answer: None,
                command,
            },
        );
        Planned {
            ticket,
            lengths,
            commands: if together { keys.len() as u32 } else { 0 },
            bytes,
            key: keys[0].clone().into_bytes(),
            timeout,
            response_timeout,
        }
    }
}

/// The words and the bytes of a command, or of a transaction.
fn pack(ticket: Ticket, command: &[String], together: bool) -> (Vec<u32>, Vec<u8>) {
    let (mut lengths, mut bytes) = (Vec::new(), Vec::new());
    let commands = match together {
        true => command[1..].iter().map(|key| vec![command[0].clone(), key.clone()]).collect(),
        false => vec![command.to_vec()],
    };
    for mut words in commands {
        if let Some(last) = words.last_mut() {
            last.push_str(&format!("#{ticket}"));
        }
        if together {
            // How many they are, and the place of the key.
            lengths.extend([words.len() as u32, 1]);
        }
        lengths.extend(words.iter().map(|word| word.len() as u32));
        bytes.extend(words.concat().into_bytes());
    }
    (lengths, bytes)
}
