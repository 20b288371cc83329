//! Options as the user wrote them become a configuration that is known to be usable.
//!
//! Every default and every range stands here, once; JavaScript only hands over what it was given.

mod check;
mod node;
mod secret;

pub use check::ConfigError;
pub(crate) use node::Family;
pub use node::{NodeConfig, NodeOptions, Reconnect, ReconnectOptions};
pub use secret::Secret;

use std::collections::BTreeMap;
use std::time::Duration;

use crate::node_addr::NodeAddr;
use check::Scope;

/// What the user wrote: every field may be missing, every value may be nonsense.
#[derive(Clone, Debug, Default)]
pub struct ClusterOptions {
    /// Nodes that are asked for the cluster's layout; node-redis's `rootNodes`, each with `defaults`
    /// merged in.
    pub seeds: Vec<NodeOptions>,
    /// Options of nodes that are discovered; node-redis's `defaults`. Host and port are not used.
    pub node: NodeOptions,
    /// RESP version.
    pub resp: Option<f64>,
    /// Whether reads may go to replicas.
    pub use_replicas: Option<bool>,
    /// Whether a node is connected only when it is needed.
    pub minimize_connections: Option<bool>,
    /// Redirects one command may follow.
    pub max_command_redirections: Option<f64>,
    /// Whether a node that cannot be connected to is reason to learn the topology again. `false`
    /// when the user's `topologyRefreshOnReconnectionAttemptStrategy` decides instead.
    pub refresh_on_reconnect: Option<bool>,
    /// Bytes of commands that may wait for their answers, in all nodes together.
    pub queue_max_bytes: Option<f64>,
    /// Milliseconds between two looks at the topology when nothing hints at a change.
    pub topology_refresh_interval_ms: Option<f64>,
    /// Connections per node for commands that block.
    pub max_blocking_connections: Option<f64>,
    /// Milliseconds after which such a connection is closed if nobody uses it.
    pub blocking_idle_timeout_ms: Option<f64>,
    /// node-redis's `nodeAddressMap` when it is an object.
    pub address_map: Option<Vec<AddressMapping>>,
    /// Whether `nodeAddressMap` is a function, to be asked for each address.
    pub address_map_callback: Option<bool>,
}

/// One entry of `nodeAddressMap`.
#[derive(Clone, Debug, Default)]
pub struct AddressMapping {
    /// The address that servers give, `host:port`.
    pub from: String,
    /// The host to connect to instead.
    pub host: String,
    /// The port to connect to instead.
    pub port: f64,
}

/// What the engine runs on. Holding one proves that it was checked: it has no other constructor.
#[derive(Clone, Debug)]
pub struct ClusterConfig {
    /// At least one.
    pub(crate) seeds: Vec<NodeConfig>,
    /// For every node that is discovered; its address is a placeholder.
    pub(crate) node: NodeConfig,
    /// Speak RESP3, else RESP2.
    pub(crate) resp3: bool,
    /// Whether reads may go to replicas.
    pub(crate) use_replicas: bool,
    /// Whether a node is connected only when it is needed.
    pub(crate) minimize_connections: bool,
    /// Redirects one command may follow.
    pub(crate) max_redirects: u16,
    /// Whether a node that cannot be connected to is reason to learn the topology again.
    pub(crate) refresh_on_reconnect: bool,
    /// Bytes of commands that may wait for their answers, in all nodes together.
    pub(crate) queue_max_bytes: usize,
    /// Connections to one node, beside the shared one, for commands that block and the like.
    pub(crate) max_leases: usize,
    /// After which such a connection is closed if nobody uses it. `None`: never.
    pub(crate) lease_idle_timeout: Option<Duration>,
    /// Time between two looks at the topology when nothing hints at a change. `None`: no such looks.
    pub(crate) refresh_interval: Option<Duration>,
    /// Where to connect instead of the address that servers give.
    pub(crate) address_map: BTreeMap<NodeAddr, NodeAddr>,
    /// Whether JavaScript is asked where to connect instead.
    pub(crate) address_map_callback: bool,
}

/// node-redis's `DEFAULT_RESP`.
const DEFAULT_RESP: f64 = 3.0;
/// node-redis's default for `maxCommandRedirections`.
const DEFAULT_MAX_REDIRECTS: u16 = 16;
/// 256 MiB: four nodes at their own bounds.
const DEFAULT_QUEUE_MAX_BYTES: usize = 256 << 20;
/// 60 s, as others have it. Most changes show themselves at once; this finds replicas that came or
/// went. Halved, a cluster of 500 shards would spend twice 100 KB of answers a minute on each client.
const DEFAULT_REFRESH_INTERVAL: Duration = Duration::from_secs(60);
/// 64 per node: more than programs have consumers, and a hundred clients of them stay below the usual
/// 10,000 connections of a server.
const DEFAULT_MAX_LEASES: u32 = 64;
/// 30 s: a consumer that polls is back before; halved or doubled, nobody would notice.
const DEFAULT_LEASE_IDLE_TIMEOUT: Duration = Duration::from_secs(30);

impl TryFrom<ClusterOptions> for ClusterConfig {
    type Error = ConfigError;

    /// # Errors
    ///
    /// Names the first option that cannot be used and says what would do.
    fn try_from(options: ClusterOptions) -> Result<Self, ConfigError> {
        let top = Scope::top();
        // What comes from `defaults` stands in every seed, too, and should be named only here.
        let node = NodeConfig::parse(options.node, &Scope::named("defaults"))?;
        let seeds = (options.seeds.into_iter().enumerate())
            .map(|(index, seed)| {
                NodeConfig::parse(seed, &Scope::named(&format!("rootNodes[{index}]")))
            })
            .collect::<Result<Vec<_>, _>>()?;
        if seeds.is_empty() {
            return Err(top.error("rootNodes", "must name at least one node"));
        }
        let resp = options.resp.unwrap_or(DEFAULT_RESP);
        if ![2.0, 3.0].contains(&resp) {
            return Err(top.error("RESP", &format!("must be 2 or 3, not {resp}")));
        }
        let redirects = options.max_command_redirections;
        let max_redirects =
            top.whole("maxCommandRedirections", redirects, 0..=u32::from(u16::MAX))?;
        let leases = options.max_blocking_connections;
        let leases = top.whole("maxBlockingConnections", leases, 1..=u32::from(u16::MAX))?;
        Ok(Self {
            seeds,
            node,
            resp3: resp == 3.0,
            use_replicas: options.use_replicas.unwrap_or(false),
            minimize_connections: options.minimize_connections.unwrap_or(false),
            max_redirects: max_redirects.map_or(DEFAULT_MAX_REDIRECTS, |number| number as u16),
            refresh_on_reconnect: options.refresh_on_reconnect.unwrap_or(true),
            queue_max_bytes: top.byte_bound(
                "queueMaxBytes",
                options.queue_max_bytes,
                DEFAULT_QUEUE_MAX_BYTES,
            )?,
            refresh_interval: Some(
                top.milliseconds("topologyRefreshInterval", options.topology_refresh_interval_ms)?
                    .unwrap_or(DEFAULT_REFRESH_INTERVAL),
            )
            .filter(|interval| !interval.is_zero()),
            max_leases: leases.unwrap_or(DEFAULT_MAX_LEASES) as usize,
            lease_idle_timeout: Some(
                top.milliseconds("blockingIdleTimeout", options.blocking_idle_timeout_ms)?
                    .unwrap_or(DEFAULT_LEASE_IDLE_TIMEOUT),
            )
            .filter(|timeout| !timeout.is_zero()),
            address_map: address_map(options.address_map.unwrap_or_default())?,
            address_map_callback: options.address_map_callback.unwrap_or(false),
        })
    }
}

fn address_map(entries: Vec<AddressMapping>) -> Result<BTreeMap<NodeAddr, NodeAddr>, ConfigError> {
    let mut map = BTreeMap::new();
    for AddressMapping { from, host, port } in entries {
        let scope = Scope::named(&format!("nodeAddressMap[{from:?}]"));
        let key =
            from.parse().map_err(|_| scope.itself("must have the form host:port as its key"))?;
        map.insert(key, NodeAddr::new(&scope.host("host", host)?, scope.port("port", port)?));
    }
    Ok(map)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options() -> ClusterOptions {
        ClusterOptions { seeds: vec![NodeOptions::default()], ..ClusterOptions::default() }
    }

    fn problem(options: ClusterOptions) -> String {
        ClusterConfig::try_from(options).unwrap_err().to_string()
    }

    #[test]
    fn defaults_are_those_of_node_redis() {
        let config = ClusterConfig::try_from(options()).unwrap();
        assert_eq!(config.seeds[0].addr, NodeAddr::new("localhost", 6379));
        assert_eq!((config.resp3, config.max_redirects), (true, 16));
        assert!(!config.use_replicas && !config.minimize_connections);
        assert!(config.address_map.is_empty() && !config.address_map_callback);
        assert_eq!(config.queue_max_bytes, 256 << 20);
        assert_eq!(config.refresh_interval, Some(Duration::from_secs(60)));
        assert_eq!(config.max_leases, 64);
        assert_eq!(config.lease_idle_timeout, Some(Duration::from_secs(30)));
    }

    #[test]
    fn what_was_given_is_kept() {
        let mapping = AddressMapping { from: "[::1]:7000".into(), host: "db".into(), port: 1.0 };
        let config = ClusterConfig::try_from(ClusterOptions {
            resp: Some(2.0),
            max_command_redirections: Some(0.0),
            use_replicas: Some(true),
            minimize_connections: Some(true),
            queue_max_bytes: Some(0.0),
            topology_refresh_interval_ms: Some(0.0),
            max_blocking_connections: Some(1.0),
            blocking_idle_timeout_ms: Some(0.0),
            address_map: Some(vec![mapping]),
            address_map_callback: Some(true),
            ..options()
        })
        .unwrap();
        assert_eq!((config.resp3, config.max_redirects), (false, 0));
        assert!(config.use_replicas && config.minimize_connections && config.address_map_callback);
        assert_eq!((config.queue_max_bytes, config.refresh_interval), (usize::MAX, None));
        assert_eq!((config.max_leases, config.lease_idle_timeout), (1, None));
        let mapped = config.address_map.get(&NodeAddr::new("::1", 7000));
        assert_eq!(mapped, Some(&NodeAddr::new("db", 1)));
    }

    #[test]
    fn problems_name_the_option_and_what_would_do() {
        let with_map = |from: &str, host: &str, port: f64| {
            let mapping = AddressMapping { from: from.into(), host: host.into(), port };
            ClusterOptions { address_map: Some(vec![mapping]), ..options() }
        };
        let redirects =
            |number: f64| ClusterOptions { max_command_redirections: Some(number), ..options() };
        let leases =
            |number: f64| ClusterOptions { max_blocking_connections: Some(number), ..options() };
        let bad_port = || NodeOptions { port: Some(0.0), ..NodeOptions::default() };
        let cases = [
            (ClusterOptions::default(), "rootNodes must name at least one node"),
            (ClusterOptions { resp: Some(4.0), ..options() }, "RESP must be 2 or 3, not 4"),
            (
                redirects(f64::NAN),
                "maxCommandRedirections must be a whole number from 0 to 65535, not NaN",
            ),
            (
                redirects(-1.0),
                "maxCommandRedirections must be a whole number from 0 to 65535, not -1",
            ),
            (leases(0.0), "maxBlockingConnections must be a whole number from 1 to 65535, not 0"),
            (
                with_map("nonsense", "a", 1.0),
                "nodeAddressMap[\"nonsense\"] must have the form host:port as its key",
            ),
            (
                with_map("a:1", "a", 70_000.0),
                "nodeAddressMap[\"a:1\"].port must be a whole number from 1 to 65535, not 70000",
            ),
            (
                with_map("a:1", "a b", 1.0),
                "nodeAddressMap[\"a:1\"].host must be a host name or an IP address, not \"a b\"",
            ),
            (
                ClusterOptions { seeds: vec![NodeOptions::default(), bad_port()], ..options() },
                "rootNodes[1].socket.port must be a whole number from 1 to 65535, not 0",
            ),
            (
                ClusterOptions { seeds: vec![bad_port()], node: bad_port(), ..options() },
                "defaults.socket.port must be a whole number from 1 to 65535, not 0",
            ),
        ];
        for (options, want) in cases {
            assert_eq!(problem(options), want);
        }
    }
}
