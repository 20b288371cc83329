//! What a command costs in memory, in a cluster of ten shards and in one of five hundred.

use super::large::{connected, tick};
use super::random::Random;
use super::run::Run;
use super::seeds::in_world;
use super::setting::Setting;
use peak_alloc::PeakAlloc;
use std::io::Write as _;
use std::process::Command;

/// Counts what the whole process has allocated. Only tests have it.
#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// Set in the process that measures: how many shards.
const SHARDS: &str = "SIMULATION_MEMORY_OF_SHARDS";
/// Before what is measured: buffers have grown to what they need.
const WARM_UP: usize = 10;
const TICKS: usize = 30;
/// What a batch may cost beside its commands: its buffer, and the account of it. There is one for each
/// shard that is written to.
const PER_BATCH: usize = 512;
/// In front of the figures in the output of the other process.
const FIGURES: &str = "bytes per command:";

/// Bytes per command.
#[derive(Clone, Copy, Debug)]
struct Costs {
    /// While it is on its way: what the engine has taken when `submit` returns.
    under_way: usize,
    /// When it is answered. The simulation keeps its own account of each command, which is the same for
    /// clusters of all sizes.
    kept: usize,
    /// Commands of one tick.
    commands: usize,
}

async fn measure(run: &mut Run, costs: &mut Option<Costs>) {
    connected(run).await;
    for _ in 0..WARM_UP {
        tick(run, |run, planned| run.submit(planned)).await;
    }
    let (start, mut commands, mut under_way) = (MEMORY.current_usage(), 0, 0);
    for _ in 0..TICKS {
        tick(run, |run, planned| {
            let before = MEMORY.current_usage();
            run.submit(planned);
            under_way += MEMORY.current_usage().saturating_sub(before);
            commands += planned.len();
        })
        .await;
    }
    let kept = MEMORY.current_usage().saturating_sub(start);
    let [under_way, kept] = [under_way, kept].map(|bytes| bytes / commands);
    *costs = Some(Costs { under_way, kept, commands: commands / TICKS });
    run.check_nothing_is_left("at the end");
}

fn measured(shards: usize) -> Costs {
    let mut costs = None;
    let act = async |run: &mut Run| measure(run, &mut costs).await;
    let outcome = in_world(Random::new(shards as u64), &Setting::of_shards(shards), false, act);
    assert!(outcome.violations.is_empty(), "{shards} shards: {:#?}", outcome.violations);
    costs.unwrap()
}

/// Measured in a process of its own: other tests allocate, too.
fn measured_alone(shards: usize) -> Costs {
    let mut command = Command::new(std::env::current_exe().unwrap());
    let name = "cluster::simulation::memory::simulation_of_memory_per_command";
    let output = command
        .args(["--exact", name, "--nocapture", "--test-threads=1"])
        .env(SHARDS, shards.to_string())
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let figures = text.split_once(FIGURES).unwrap_or_else(|| panic!("no figures: {text}")).1;
    let mut numbers = figures.split_whitespace().map_while(|word| word.parse().ok());
    let [under_way, kept, commands] = std::array::from_fn(|_| numbers.next().unwrap());
    Costs { under_way, kept, commands }
}

#[test]
fn simulation_of_memory_per_command() {
    if let Ok(shards) = std::env::var(SHARDS) {
        let Costs { under_way, kept, commands } = measured(shards.parse().unwrap());
        let figures = format!("{FIGURES} {under_way} {kept} {commands}\n");
        std::io::stdout().write_all(figures.as_bytes()).unwrap();
        return;
    }
    let (small, large) = (measured_alone(10), measured_alone(500));
    let both = format!("10 shards: {small:?}, 500 shards: {large:?}");
    assert!(small.under_way > 0 && small.kept > 0, "nothing was measured: {both}");
    let batches = PER_BATCH * 500 / large.commands;
    assert!(large.under_way <= small.under_way + batches, "on its way: {both}");
    assert!(large.kept <= small.kept + 16, "kept: {both}");
}
