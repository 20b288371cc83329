//! What a simulated world is like before anything happens in it: drawn by lot, or large and calm.

use super::network::Speed;
use super::random::Random;
use super::servers::{Manners, Servers};
use crate::config::{ClusterOptions, NodeOptions};
use std::collections::BTreeSet;

/// A world, and what its user wishes.
#[derive(Clone, Debug)]
pub(super) struct Setting {
    pub(super) speed: Speed,
    pub(super) manners: Manners,
    pub(super) shards: usize,
    /// Nodes of each shard.
    pub(super) copies: usize,
    /// Which nodes the user names.
    pub(super) seeds: BTreeSet<usize>,
    /// Bytes of commands that may wait for one node.
    pub(super) queue_bytes: Option<usize>,
    /// The other options; those of nodes are in `timing`.
    pub(super) wishes: ClusterOptions,
    pub(super) timing: NodeOptions,
}

impl Setting {
    /// A small world.
    pub(super) fn draw(random: &mut Random) -> Self {
        let (shards, copies) = (random.within(2, 4) as usize, random.within(2, 3) as usize);
        let queue_bytes =
            if random.one_in(4) { Some(random.within(3_000, 30_000) as usize) } else { None };
        let timing = NodeOptions {
            connect_timeout_ms: random.pick(&[None, Some(1_000.0)]).flatten(),
            hang_timeout_ms: random.pick(&[None, None, Some(400.0)]).flatten(),
            ping_interval_ms: random.pick(&[None, None, Some(700.0)]).flatten(),
            commands_queue_max_bytes: queue_bytes.map(|bytes| bytes as f64),
            ..NodeOptions::default()
        };
        let wishes = ClusterOptions {
            resp: random.pick(&[None, Some(2.0), Some(3.0)]).flatten(),
            use_replicas: Some(random.one_in(4)),
            minimize_connections: Some(random.one_in(4)),
            topology_refresh_interval_ms: random.pick(&[None, Some(3_000.0)]).flatten(),
            ..ClusterOptions::default()
        };
        Self {
            speed: Speed {
                capacity: random.pick(&[500, 4_096, 65_536, 1 << 20]).unwrap_or(4_096),
                delay: random.pick(&[0, 2, 10, 40]).unwrap_or(2),
            },
            manners: Manners {
                one_host: random.one_in(2),
                full_coverage: random.one_in(2),
                masterdown: random.one_in(2),
                setinfo: !random.one_in(4),
            },
            shards,
            copies,
            seeds: (0..shards * copies).filter(|id| *id < 2 || random.one_in(3)).collect(),
            queue_bytes,
            wishes,
            timing,
        }
    }

    /// A fast and roomy world of so many shards of three nodes, all of which are read from.
    pub(super) fn of_shards(shards: usize) -> Self {
        Self {
            speed: Speed { capacity: 1 << 20, delay: 2 },
            manners: Manners {
                one_host: false,
                full_coverage: false,
                masterdown: false,
                setinfo: true,
            },
            shards,
            copies: 3,
            seeds: BTreeSet::from([0, 1, 2]),
            queue_bytes: None,
            wishes: ClusterOptions { use_replicas: Some(true), ..ClusterOptions::default() },
            timing: NodeOptions::default(),
        }
    }

    /// Wake-ups of an idle engine in one second. What it does for its own sake it does some times
    /// in a second for all nodes; pings wake it, and the network, for each node. A task that polls
    /// does it every ten milliseconds, or more often.
    pub(super) fn wake_ups(&self) -> u64 {
        let pings = self.timing.ping_interval_ms.is_some();
        60 + if pings { 8 * (self.shards * self.copies) as u64 } else { 0 }
    }

    pub(super) fn servers(&self) -> Servers {
        let mut servers = Servers::new(self.shards, self.copies, self.manners);
        servers.seeds = self.seeds.clone();
        servers
    }

    /// The user's options.
    pub(super) fn options(&self, servers: &Servers) -> ClusterOptions {
        let of_seed = |id: &usize| NodeOptions {
            host: Some(servers.nodes[*id].host.clone()),
            port: Some(f64::from(servers.nodes[*id].port)),
            ..self.timing.clone()
        };
        let seeds = self.seeds.iter().map(of_seed).collect();
        ClusterOptions { seeds, node: self.timing.clone(), ..self.wishes.clone() }
    }
}
