//! Options as JavaScript hands them over. No defaults and no checks here: those are in `config`.

use crate::config::{AddressMapping, ClusterOptions, NodeOptions, ReconnectOptions, Secret};
use napi_derive::napi;

/// Options of one cluster client.
#[napi(object)]
pub struct NativeOptions {
    /// `rootNodes`, each merged over `defaults`.
    pub seeds: Vec<NativeNode>,
    /// `defaults`.
    pub node: NativeNode,
    /// `RESP`.
    pub resp: Option<f64>,
    /// `useReplicas`.
    pub use_replicas: Option<bool>,
    /// `minimizeConnections`.
    pub minimize_connections: Option<bool>,
    /// `maxCommandRedirections`.
    pub max_command_redirections: Option<f64>,
    /// `false` when `topologyRefreshOnReconnectionAttemptStrategy` decides.
    pub refresh_on_reconnect: Option<bool>,
    /// `queueMaxBytes`.
    pub queue_max_bytes: Option<f64>,
    /// `topologyRefreshInterval`.
    pub topology_refresh_interval_ms: Option<f64>,
    /// `maxBlockingConnections`.
    pub max_blocking_connections: Option<f64>,
    /// `blockingIdleTimeout`.
    pub blocking_idle_timeout_ms: Option<f64>,
    /// `nodeAddressMap`, when it is an object.
    pub address_map: Option<Vec<NativeMapping>>,
    /// `nodeAddressMap` is a function.
    pub address_map_callback: Option<bool>,
}

/// Options of one node.
#[napi(object)]
pub struct NativeNode {
    /// `socket.host`.
    pub host: Option<String>,
    /// `socket.port`.
    pub port: Option<f64>,
    /// `username`.
    pub username: Option<String>,
    /// `password`.
    pub password: Option<String>,
    /// `name`.
    pub name: Option<String>,
    /// `database`.
    pub database: Option<f64>,
    /// `clientInfoTag`.
    pub client_info_tag: Option<String>,
    /// `disableClientInfo`.
    pub disable_client_info: Option<bool>,
    /// `socket.connectTimeout`.
    pub connect_timeout_ms: Option<f64>,
    /// `socket.noDelay`.
    pub no_delay: Option<bool>,
    /// `socket.keepAlive`.
    pub keep_alive: Option<bool>,
    /// `socket.keepAliveInitialDelay`.
    pub keep_alive_initial_delay_ms: Option<f64>,
    /// `socket.family`.
    pub family: Option<f64>,
    /// `socket.localAddress`.
    pub local_address: Option<String>,
    /// `socket.localPort`.
    pub local_port: Option<f64>,
    /// `socket.reconnectStrategy`.
    pub reconnect: Option<NativeReconnect>,
    /// `commandsQueueMaxLength`.
    pub commands_queue_max_length: Option<f64>,
    /// `commandsQueueMaxBytes`.
    pub commands_queue_max_bytes: Option<f64>,
    /// `disableOfflineQueue`.
    pub disable_offline_queue: Option<bool>,
    /// `pingInterval`.
    pub ping_interval_ms: Option<f64>,
    /// `socket.socketTimeout`.
    pub socket_timeout_ms: Option<f64>,
    /// `socket.hangTimeout`.
    pub hang_timeout_ms: Option<f64>,
}

/// `socket.reconnectStrategy`: `never`, `fixed` with a delay, or `callback`.
#[napi(object)]
pub struct NativeReconnect {
    /// Which.
    pub kind: String,
    /// The delay of `fixed`.
    pub delay_ms: Option<f64>,
}

/// One entry of `nodeAddressMap`.
#[napi(object)]
pub struct NativeMapping {
    /// The announced address, `host:port`.
    pub from: String,
    /// Where it is to be reached: the host.
    pub host: String,
    /// Where it is to be reached: the port.
    pub port: f64,
}

impl NativeOptions {
    /// The same, as the engine has it.
    pub(super) fn into_engine(self) -> ClusterOptions {
        let mapping = |NativeMapping { from, host, port }| AddressMapping { from, host, port };
        ClusterOptions {
            seeds: self.seeds.into_iter().map(NativeNode::into_engine).collect(),
            node: self.node.into_engine(),
            resp: self.resp,
            use_replicas: self.use_replicas,
            minimize_connections: self.minimize_connections,
            max_command_redirections: self.max_command_redirections,
            refresh_on_reconnect: self.refresh_on_reconnect,
            queue_max_bytes: self.queue_max_bytes,
            topology_refresh_interval_ms: self.topology_refresh_interval_ms,
            max_blocking_connections: self.max_blocking_connections,
            blocking_idle_timeout_ms: self.blocking_idle_timeout_ms,
            address_map: self.address_map.map(|map| map.into_iter().map(mapping).collect()),
            address_map_callback: self.address_map_callback,
        }
    }
}

impl NativeNode {
    fn into_engine(self) -> NodeOptions {
        let reconnect = |NativeReconnect { kind, delay_ms }| ReconnectOptions { kind, delay_ms };
        NodeOptions {
            host: self.host,
            port: self.port,
            username: self.username,
            password: self.password.map(Secret::from),
            name: self.name,
            database: self.database,
            client_info_tag: self.client_info_tag,
            disable_client_info: self.disable_client_info,
            connect_timeout_ms: self.connect_timeout_ms,
            no_delay: self.no_delay,
            keep_alive: self.keep_alive,
            keep_alive_initial_delay_ms: self.keep_alive_initial_delay_ms,
            family: self.family,
            local_address: self.local_address,
            local_port: self.local_port,
            reconnect: self.reconnect.map(reconnect),
            commands_queue_max_length: self.commands_queue_max_length,
            commands_queue_max_bytes: self.commands_queue_max_bytes,
            disable_offline_queue: self.disable_offline_queue,
            ping_interval_ms: self.ping_interval_ms,
            socket_timeout_ms: self.socket_timeout_ms,
            hang_timeout_ms: self.hang_timeout_ms,
        }
    }
}
