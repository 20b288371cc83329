//! Many seeds, on two threads; one that fails is named, with the way to see it again.

use super::seeds::{Outcome, run_seed};
use std::collections::BTreeMap;
use std::env;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

/// As many as fit into less than a minute on two busy cores.
const SEEDS: u64 = 2_000;
/// A seed that takes longer has a task in it that never waits: virtual time stands still.
const HANGS_AFTER: Duration = Duration::from_secs(60);
/// So many failures are enough to see what is wrong.
const FAILURES: usize = 5;
const THREADS: u64 = 2;
/// This test.
const NAME: &str = "simulation_of_many_worlds";

/// `SIMULATION_SEEDS`: a count, or `from..to`.
fn seeds() -> Range<u64> {
    let wanted = env::var("SIMULATION_SEEDS").unwrap_or_default();
    let number = |text: &str| text.trim().parse().ok();
    match wanted.split_once("..") {
        Some((from, to)) => number(from).unwrap_or(0)..number(to).unwrap_or(SEEDS),
        None => 0..number(&wanted).unwrap_or(SEEDS),
    }
}

/// A panic of the simulation itself is a violation, too.
fn outcome_of(seed: u64) -> Outcome {
    catch_unwind(AssertUnwindSafe(|| run_seed(seed, false))).unwrap_or_else(|_| Outcome {
        violations: vec!["a panic, see above".to_owned()],
        hash: 0,
        seen: BTreeMap::new(),
        commands: 0,
    })
}

/// Runs all seeds; the outcomes in the order in which they came.
fn run_all(seeds: Range<u64>) -> Vec<(u64, Outcome)> {
    let (report, reports) = channel();
    let next = Arc::new(AtomicU64::new(seeds.start));
    let count = seeds.end.saturating_sub(seeds.start);
    for _ in 0..THREADS {
        let (report, next, end) = (report.clone(), Arc::clone(&next), seeds.end);
        // Detached: one that hangs must not keep the test from saying so.
        std::thread::spawn(move || {
            loop {
                let seed = next.fetch_add(1, Ordering::Relaxed);
                if seed >= end || report.send((seed, outcome_of(seed))).is_err() {
                    return;
                }
            }
        });
    }
    let mut outcomes: Vec<(u64, Outcome)> = Vec::new();
    while (outcomes.len() as u64) < count {
        match reports.recv_timeout(HANGS_AFTER) {
            Ok(outcome) => outcomes.push(outcome),
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) => {
                let done: Vec<u64> = outcomes.iter().map(|(seed, _)| *seed).collect();
                let hung: Vec<u64> = seeds.clone().filter(|s| !done.contains(s)).take(2).collect();
                panic!("a task never waits: SIMULATION_SEED={} or {:?}", hung[0], hung.get(1));
            }
        }
        let failed = outcomes.iter().filter(|(_, outcome)| !outcome.violations.is_empty());
        if failed.count() >= FAILURES {
            break;
        }
    }
    outcomes
}

fn failures(outcomes: &[(u64, Outcome)]) -> String {
    let mut text = String::new();
    for (seed, Outcome { violations, .. }) in outcomes {
        if let Some(first) = violations.first() {
            text += &format!("\nseed {seed}: {first} (and {} more)", violations.len() - 1);
        }
    }
    text
}

#[test]
fn simulation_of_many_worlds() {
    if let Ok(seed) = env::var("SIMULATION_SEED") {
        let seed = seed.parse().expect("SIMULATION_SEED is a number");
        let outcome = run_seed(seed, true);
        assert!(outcome.violations.is_empty(), "{:#?}", outcome.violations);
        return;
    }
    let outcomes = run_all(seeds());
    let failures = failures(&outcomes);
    assert!(
        failures.is_empty(),
        "{failures}\nto see one: SIMULATION_SEED=<seed> cargo test {NAME} -- --nocapture"
    );
    let mut seen: BTreeMap<&str, u64> = BTreeMap::new();
    for (_, outcome) in &outcomes {
        *seen.entry("command").or_default() += outcome.commands as u64;
        outcome.seen.iter().for_each(|(what, count)| *seen.entry(what).or_default() += count);
    }
    // With few seeds something may not have come up.
    if outcomes.len() as u64 >= SEEDS {
        for what in MUST_HAPPEN {
            assert!(seen.contains_key(what), "{what} never happened: {seen:?}");
        }
    }
}

/// A run in which these do not happen proves nothing.
const MUST_HAPPEN: [&str; 15] = [
    "ASK",
    "CLUSTERDOWN",
    "EXEC",
    "EXECABORT",
    "LOADING",
    "MASTERDOWN",
    "MOVED",
    "READONLY",
    "TRYAGAIN",
    "aborted",
    "failover",
    "node replaced",
    "slot migrated",
    "timeout",
    "unknown outcome",
];

#[test]
fn simulation_repeats_itself() {
    for seed in 0..5 {
        let [first, second] = [run_seed(seed, false), run_seed(seed, false)];
        assert_eq!(first.hash, second.hash, "seed {seed} takes another course each time");
    }
}
