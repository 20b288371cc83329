//! From a seed to a whole simulated world, and to what became of it.

use super::agenda::Agenda;
use super::ledger::Ledger;
use super::network::Network;
use super::random::Random;
use super::run::{Phase, Run};
use super::setting::Setting;
use super::socket::dialer;
use super::trace::Trace;
use super::watch::Watch;
use super::workload::Workload;
use super::world::{SharedWorld, World};
use crate::cluster::{Cluster, ReplySink, chance, drive};
use crate::config::ClusterConfig;
use crate::connection::{Scratch, simulated};
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::runtime::Builder;
use tokio::sync::Notify;
use tokio::task::{LocalSet, spawn_local};

/// What became of a seed's world.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) violations: Vec<String>,
    /// Of everything that happened, in order.
    pub(super) hash: u64,
    pub(super) seen: BTreeMap<&'static str, u64>,
    pub(super) commands: usize,
}

struct Sink(Arc<Notify>);

impl ReplySink for Sink {
    fn wake(&self) {
        self.0.notify_one();
    }
}

/// Runs the world of `seed`; `printed`: with its whole story on the standard output.
pub(super) fn run_seed(seed: u64, printed: bool) -> Outcome {
    let mut random = Random::new(seed);
    let setting = Setting::draw(&mut random);
    in_world(random, &setting, printed, async |run| run.run().await)
}

/// Makes a world, lets `act` happen in it on virtual time, and ends it.
pub(super) fn in_world(
    mut random: Random,
    setting: &Setting,
    printed: bool,
    act: impl AsyncFnOnce(&mut Run),
) -> Outcome {
    chance::install(Some(random.next()));
    let runtime = Builder::new_current_thread().enable_all().start_paused(true).build();
    let runtime = runtime.expect("a runtime");
    let outcome = LocalSet::new().block_on(&runtime, async {
        let world = new_world(random, setting, printed);
        simulated::install(Some(dialer(world.clone())));
        live(world, setting, act).await
    });
    simulated::install(None);
    chance::install(None);
    outcome
}

async fn live(world: SharedWorld, setting: &Setting, act: impl AsyncFnOnce(&mut Run)) -> Outcome {
    let workload = world.with(|world| {
        let long = setting.speed.capacity > 10_000;
        let workload = Workload::new(&mut world.random, long);
        world.ledger.slots = workload.slots();
        world.ledger.spread = setting.wishes.use_replicas == Some(true);
        world.ledger.queue_bytes = setting.queue_bytes;
        world.ledger.wake_ups = setting.wake_ups();
        workload
    });
    let options = world.with(|world| setting.options(&world.servers));
    let config = ClusterConfig::try_from(options).expect("usable options");
    let sink = Sink(Arc::clone(&world.alarm));
    let (cluster, driver) = Cluster::new(config, Box::new(sink));
    let driving = spawn_local(drive(driver, Scratch::new()));
    let (watch, phase) = (Watch::default(), Phase::Closed);
    let mut run = Run { world, cluster, workload, watch, phase };
    act(&mut run).await;
    let Run { world, cluster, .. } = run;
    drop(cluster);
    let ended = driving.await;
    world.with(|world| {
        if let Err(error) = ended {
            world.violate(format!("the driver ended with {error}"));
        }
        Outcome {
            violations: std::mem::take(&mut world.violations),
            hash: world.trace.hash(),
            seen: std::mem::take(&mut world.ledger.seen),
            commands: world.ledger.entries.len(),
        }
    })
}

fn new_world(random: Random, setting: &Setting, printed: bool) -> SharedWorld {
    SharedWorld::new(World {
        now: 0,
        random,
        trace: Trace::new(printed),
        agenda: Agenda::default(),
        network: Network::new(setting.speed),
        servers: setting.servers(),
        ledger: Ledger::default(),
        wakers: Vec::new(),
        violations: Vec::new(),
    })
}
