//! What a large cluster costs: ten shards and five hundred, compared.

use super::agenda::Event;
use super::random::Random;
use super::recoveries::Recovery;
use super::run::{Phase, Run};
use super::seeds::in_world;
use super::setting::Setting;
use super::workload::{Planned, Workload};
use std::time::Instant;

/// Long enough for whatever is measured, in milliseconds.
const ENOUGH: u64 = 10_000;
/// How long a primary is gone before a replica takes over, at most, in milliseconds.
const OUTAGE: u64 = 12_000;
/// Ticks of commands of which the quickest counts; what else the machine does makes some slow.
const TICKS: usize = 20;
/// Between two of them, in milliseconds: all of one are answered by then.
const TICK_MS: u64 = 200;

/// What it costs.
#[derive(Clone, Copy, Debug, Default)]
struct Costs {
    nodes: u64,
    /// Connections made by `connect()`.
    dials: u64,
    /// Of one refresh when nothing has changed: nodes asked, bytes received, connections made.
    refresh: (u64, u64, u64),
    /// Reads and writes of a thousand commands.
    calls: u64,
    /// Nanoseconds for which the submitting thread is held by one command.
    submit: u64,
    /// While a primary is gone and replaced: nodes asked, bytes received.
    outage: (u64, u64),
    /// The longest wait of a command to another shard meanwhile, in milliseconds.
    others: u64,
}

/// Nodes asked for the layout, bytes received, connections attempted, reads and writes.
fn counters(run: &Run) -> [u64; 4] {
    run.world.with(|world| {
        let asked = world.ledger.seen.get("CLUSTER SLOTS").copied().unwrap_or(0);
        [asked, world.network.received, world.network.dials, world.network.calls]
    })
}

async fn counted(run: &mut Run, act: impl AsyncFnOnce(&mut Run)) -> [u64; 4] {
    let before = counters(run);
    act(run).await;
    let after = counters(run);
    std::array::from_fn(|index| after[index] - before[index])
}

/// Connects, and waits until all is quiet; what is submitted from then on goes to all shards.
pub(super) async fn connected(run: &mut Run) {
    run.connect();
    run.until(ENOUGH, |run| run.phase == Phase::Open).await;
    run.phase = Phase::Resting;
    run.until(ENOUGH, |_| false).await;
    run.workload = Workload::wide();
}

/// Plans one tick of commands for keys all over the cluster, lets `submit` submit them, and waits for the
/// answers.
pub(super) async fn tick(run: &mut Run, submit: impl FnOnce(&mut Run, &[Planned])) {
    let (world, workload) = (&run.world, &run.workload);
    let planned = world.with(|world| workload.probes(world));
    submit(run, &planned);
    run.until(TICK_MS, |_| false).await;
}

async fn measure(run: &mut Run, costs: &mut Costs) {
    costs.nodes = run.world.with(|world| world.servers.nodes.len() as u64);
    let [_, _, dials, _] = counted(run, connected).await;
    costs.dials = dials;
    let [asked, received, dials, _] = counted(run, async |run| {
        run.cluster.refresh();
        run.until(ENOUGH, |_| false).await;
    })
    .await;
    costs.refresh = (asked, received, dials);
    let [.., calls] = counted(run, async |run| {
        costs.submit = submit_time(run).await;
    })
    .await;
    costs.calls = calls * 1_000 / run.world.with(|world| world.ledger.entries.len() as u64);
    lose_a_primary(run, costs).await;
    run.world.with(|world| {
        let truth = &world.servers.truth;
        let others = world.ledger.entries.values().filter(|e| truth.group(e.slot) != Some(0));
        let waits = others.filter_map(|entry| Some(entry.answer.as_ref()?.0 - entry.submitted));
        costs.others = waits.max().unwrap_or(0);
    });
    run.check_nothing_is_left("at the end");
}

/// Submits ticks of commands for keys all over the cluster; the quickest tick's time per command.
async fn submit_time(run: &mut Run) -> u64 {
    let mut best = u64::MAX;
    for _ in 0..TICKS {
        tick(run, |run, planned| {
            let began = Instant::now();
            run.submit(planned);
            best = best.min(began.elapsed().as_nanos() as u64 / planned.len() as u64);
        })
        .await;
    }
    best
}

/// The primary of slot 0 is killed, and for a while it has no successor.
async fn lose_a_primary(run: &mut Run, costs: &mut Costs) {
    let [asked, received, ..] = counted(run, async |run| {
        run.world.with(|world| {
            world.kill(0);
            world.later(OUTAGE, Event::Recover(Recovery::Restart(0)));
        });
        for _ in 0..OUTAGE / 500 {
            let (world, workload) = (&run.world, &run.workload);
            let planned = world.with(|world| workload.probes(world));
            run.submit(&planned);
            run.until(500, |_| false).await;
        }
        run.until(ENOUGH, |_| false).await;
    })
    .await;
    costs.outage = (asked, received);
}

fn costs(shards: usize) -> Costs {
    let mut costs = Costs::default();
    let act = async |run: &mut Run| measure(run, &mut costs).await;
    let outcome = in_world(Random::new(shards as u64), &Setting::of_shards(shards), false, act);
    assert!(outcome.violations.is_empty(), "{shards} shards: {:#?}", outcome.violations);
    costs
}

#[test]
fn simulation_of_a_large_cluster() {
    let (small, large) = (costs(10), costs(500));
    let both = format!("\n{small:?}\n{large:?}");
    for costs in [small, large] {
        // Each node once, and the seeds.
        assert!(costs.dials <= costs.nodes + 6, "connections{both}");
        let (asked, _, dials) = costs.refresh;
        assert!(asked <= 3 && dials == 0, "a refresh asks three, on connections it has{both}");
        assert!(costs.calls <= 2_500, "a command is one write and one read{both}");
        assert!(costs.others <= 100, "other shards do not wait for one that is gone{both}");
    }
    // The layout names all nodes. Nothing else may grow with them.
    let per_node = |costs: Costs| costs.refresh.1 / costs.nodes;
    assert!(per_node(large) <= 2 * per_node(small), "bytes of a refresh{both}");
    assert!(large.submit <= 10 * small.submit, "time of a command{both}");
    assert!(large.outage.0 <= 2 * small.outage.0 + 20, "nodes asked in an outage{both}");
}
