//! Options of one node: who we are, how to connect, what to do when the connection is lost.

use std::net::IpAddr;
use std::time::Duration;

use super::check::{ConfigError, Scope};
use super::secret::Secret;
use crate::node_addr::NodeAddr;

/// What the user wrote for one node. Names of the options are node-redis's.
#[derive(Clone, Debug, Default)]
pub struct NodeOptions {
    /// `socket.host`.
    pub host: Option<String>,
    /// `socket.port`.
    pub port: Option<f64>,
    /// `username`.
    pub username: Option<String>,
    /// `password`.
    pub password: Option<Secret>,
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
    pub reconnect: Option<ReconnectOptions>,
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

/// `socket.reconnectStrategy` as it crosses the border.
#[derive(Clone, Debug, Default)]
pub struct ReconnectOptions {
    /// `never`, `fixed` or `callback`.
    pub kind: String,
    /// The delay of `fixed`.
    pub delay_ms: Option<f64>,
}

/// What is done when a connection is lost or cannot be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reconnect {
    /// JavaScript is asked each time.
    Callback,
    /// Again after a growing delay (node-redis's `defaultReconnectStrategy`).
    Default,
    /// Again after always the same delay.
    Fixed(Duration),
    /// Nothing: the node stays closed.
    Never,
}

/// One node's options, checked.
#[derive(Clone, Debug)]
pub struct NodeConfig {
    /// Where it listens.
    pub(crate) addr: NodeAddr,
    /// ACL user.
    pub(crate) username: Option<String>,
    /// Password of the user.
    pub(crate) password: Option<Secret>,
    /// Name of the connection.
    pub(crate) name: Option<String>,
    /// Database.
    pub(crate) database: u32,
    /// What the application calls itself.
    pub(crate) client_info_tag: Option<String>,
    /// Do not tell the server the library's name and version.
    pub(crate) disable_client_info: bool,
    /// How long connecting may take. `None`: as long as the system tries.
    pub(crate) connect_timeout: Option<Duration>,
    /// Send small writes at once (`TCP_NODELAY`).
    pub(crate) no_delay: bool,
    /// Silence before the first keep-alive probe, in whole seconds. Zero: the system's default.
    /// `None`: no probes.
    pub(crate) keep_alive: Option<Duration>,
    /// Which addresses of a name are used.
    pub(crate) family: Family,
    /// Address to connect from.
    pub(crate) local_address: Option<IpAddr>,
    /// Port to connect from. 0: any.
    pub(crate) local_port: u16,
    /// What is done when the connection is lost.
    pub(crate) reconnect: Reconnect,
    /// Commands that may wait for this node. `None`: no bound on their number.
    pub(crate) queue_max_len: Option<usize>,
    /// Bytes of commands that may wait for this node's answers.
    pub(crate) queue_max_bytes: usize,
    /// Reject commands at once while there is no connection.
    pub(crate) disable_offline_queue: bool,
    /// Silence after which a connection is pinged. `None`: none is.
    pub(crate) ping_interval: Option<Duration>,
    /// Silence after which a connection is closed. `None`: none is.
    pub(crate) socket_timeout: Option<Duration>,
    /// How long a node that was asked may send nothing before it is thought to hang. `None`: for
    /// ever.
    pub(crate) hang_timeout: Option<Duration>,
}

/// Which IP addresses a name may stand for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    /// IPv4 and IPv6.
    Any,
    /// IPv4 only.
    V4,
    /// IPv6 only.
    V6,
}

/// node-redis's default for `socket.host` (Node's own).
const DEFAULT_HOST: &str = "localhost";
/// node-redis's default for `socket.port`.
const DEFAULT_PORT: u16 = 6379;
/// node-redis's default for `socket.connectTimeout`.
const DEFAULT_CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// node-redis's default for `socket.keepAliveInitialDelay` (`DEFAULT_KEEPALIVE_INITIAL_DELAY`).
const DEFAULT_KEEP_ALIVE_DELAY: Duration = Duration::from_secs(30);

/// 64 MiB: a second of a busy node's traffic. Doubled, three nodes that are down take 400 MB from a
/// program that goes on.
const DEFAULT_QUEUE_MAX_BYTES: usize = 64 << 20;
/// 1 s: longer than any pause of a healthy node but a slow script, and short beside the seconds that
/// a cluster takes to replace a node that hangs.
const DEFAULT_HANG_TIMEOUT: Duration = Duration::from_secs(1);

impl NodeConfig {
    /// Checks the options found at `scope`.
    ///
    /// # Errors
    ///
    /// Names the first option that cannot be used and says what would do.
    pub(super) fn parse(options: NodeOptions, scope: &Scope) -> Result<Self, ConfigError> {
        let timeout = scope.milliseconds("socket.connectTimeout", options.connect_timeout_ms)?;
        let database = scope.whole("database", options.database, 0..=i32::MAX as u32)?;
        let queue = options.commands_queue_max_length;
        let queue = scope.whole("commandsQueueMaxLength", queue, 0..=u32::MAX)?;
        let local_port = options.local_port;
        let local_port = scope.whole("socket.localPort", local_port, 0..=u32::from(u16::MAX))?;
        Ok(Self {
            addr: parse_addr(options.host, options.port, scope)?,
            username: options.username,
            password: options.password,
            name: options.name,
            database: database.unwrap_or(0),
            client_info_tag: options.client_info_tag,
            disable_client_info: options.disable_client_info.unwrap_or(false),
            // A timeout of 0 switches a Node socket's timeout off.
            connect_timeout: Some(timeout.unwrap_or(DEFAULT_CONNECT_TIMEOUT))
                .filter(|timeout| !timeout.is_zero()),
            no_delay: options.no_delay.unwrap_or(true),
            keep_alive: parse_keep_alive(
                options.keep_alive,
                options.keep_alive_initial_delay_ms,
                scope,
            )?,
            family: parse_family(options.family, scope)?,
            local_address: parse_local_address(options.local_address, scope)?,
            local_port: local_port.map_or(0, |port| port as u16),
            reconnect: parse_reconnect(options.reconnect, scope)?,
            // 0 is no bound in node-redis, too.
            queue_max_len: queue.filter(|&len| len != 0).map(|len| len as usize),
            queue_max_bytes: scope.byte_bound(
                "commandsQueueMaxBytes",
                options.commands_queue_max_bytes,
                DEFAULT_QUEUE_MAX_BYTES,
            )?,
            disable_offline_queue: options.disable_offline_queue.unwrap_or(false),
            // As in node-redis, 0 is none.
            ping_interval: scope
                .milliseconds("pingInterval", options.ping_interval_ms)?
                .filter(|time| !time.is_zero()),
            socket_timeout: scope
                .milliseconds("socket.socketTimeout", options.socket_timeout_ms)?
                .filter(|time| !time.is_zero()),
            hang_timeout: Some(
                scope
                    .milliseconds("socket.hangTimeout", options.hang_timeout_ms)?
                    .unwrap_or(DEFAULT_HANG_TIMEOUT),
            )
            .filter(|time| !time.is_zero()),
        })
    }
}

fn parse_addr(
    host: Option<String>,
    port: Option<f64>,
    scope: &Scope,
) -> Result<NodeAddr, ConfigError> {
    // Node takes an empty host for none.
    let host = match host.filter(|host| !host.is_empty()) {
        Some(host) => scope.host("socket.host", host)?,
        None => DEFAULT_HOST.to_owned(),
    };
    let port = match port {
        Some(port) => scope.port("socket.port", port)?,
        None => DEFAULT_PORT,
    };
    Ok(NodeAddr::new(&host, port))
}

fn parse_keep_alive(
    on: Option<bool>,
    delay_ms: Option<f64>,
    scope: &Scope,
) -> Result<Option<Duration>, ConfigError> {
    let delay = scope.milliseconds("socket.keepAliveInitialDelay", delay_ms)?;
    let delay = delay.unwrap_or(DEFAULT_KEEP_ALIVE_DELAY);
    // The system counts seconds, and Node leaves out what is less than one.
    Ok(on.unwrap_or(true).then(|| Duration::from_secs(delay.as_secs())))
}

fn parse_family(family: Option<f64>, scope: &Scope) -> Result<Family, ConfigError> {
    match family {
        None | Some(0.0) => Ok(Family::Any),
        Some(4.0) => Ok(Family::V4),
        Some(6.0) => Ok(Family::V6),
        Some(other) => {
            Err(scope.error("socket.family", &format!("must be 0, 4 or 6, not {other}")))
        }
    }
}

fn parse_local_address(
    address: Option<String>,
    scope: &Scope,
) -> Result<Option<IpAddr>, ConfigError> {
    let parse = |text: &String| {
        text.parse().map_err(|_| {
            scope.error("socket.localAddress", &format!("must be an IP address, not {text:?}"))
        })
    };
    address.as_ref().map(parse).transpose()
}

fn parse_reconnect(
    options: Option<ReconnectOptions>,
    scope: &Scope,
) -> Result<Reconnect, ConfigError> {
    const OPTION: &str = "socket.reconnectStrategy";
    let Some(ReconnectOptions { kind, delay_ms }) = options else {
        return Ok(Reconnect::Default);
    };
    let wrong = || scope.error(OPTION, "must be false, a number of milliseconds or a function");
    match kind.as_str() {
        "callback" => Ok(Reconnect::Callback),
        "fixed" => scope.milliseconds(OPTION, delay_ms)?.map(Reconnect::Fixed).ok_or_else(wrong),
        "never" => Ok(Reconnect::Never),
        _ => Err(wrong()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(options: NodeOptions) -> Result<NodeConfig, ConfigError> {
        NodeConfig::parse(options, &Scope::named("defaults"))
    }

    #[test]
    fn defaults_are_those_of_node_redis() {
        let config = parse(NodeOptions::default()).unwrap();
        assert_eq!(config.addr.to_string(), "localhost:6379");
        assert_eq!(config.connect_timeout, Some(Duration::from_secs(5)));
        assert_eq!(config.keep_alive, Some(Duration::from_secs(30)));
        assert_eq!((config.no_delay, config.family), (true, Family::Any));
        assert_eq!((config.local_address, config.local_port), (None, 0));
        assert_eq!((config.reconnect, config.queue_max_len), (Reconnect::Default, None));
        assert_eq!((config.database, config.disable_client_info), (0, false));
        assert!(!config.disable_offline_queue);
        assert_eq!(config.queue_max_bytes, 64 << 20);
        assert_eq!((config.ping_interval, config.socket_timeout), (None, None));
        assert_eq!(config.hang_timeout, Some(Duration::from_secs(1)));
        assert!(config.username.is_none() && config.password.is_none() && config.name.is_none());
    }

    #[test]
    fn what_was_given_is_kept() {
        let config = parse(NodeOptions {
            host: Some("[::1]".into()),
            port: Some(7000.0),
            username: Some("me".into()),
            password: Some(Secret::from("pw".to_owned())),
            name: Some("app".into()),
            database: Some(1.0),
            client_info_tag: Some("tag".into()),
            disable_client_info: Some(true),
            connect_timeout_ms: Some(1.5),
            no_delay: Some(false),
            keep_alive: Some(true),
            keep_alive_initial_delay_ms: Some(2_999.0),
            family: Some(6.0),
            local_address: Some("::1".into()),
            local_port: Some(65_535.0),
            reconnect: Some(ReconnectOptions { kind: "fixed".into(), delay_ms: Some(10.0) }),
            commands_queue_max_length: Some(10.0),
            commands_queue_max_bytes: Some(1_000.0),
            disable_offline_queue: Some(true),
            ping_interval_ms: Some(1.0),
            socket_timeout_ms: Some(2.0),
            hang_timeout_ms: Some(3.0),
        })
        .unwrap();
        assert_eq!(config.addr, NodeAddr::new("::1", 7000));
        let text = [config.username, config.name, config.client_info_tag].map(Option::unwrap);
        assert_eq!(text, ["me", "app", "tag"]);
        assert_eq!(config.password.unwrap().expose(), "pw");
        assert_eq!((config.database, config.local_port), (1, 65_535));
        assert!(config.disable_client_info && config.disable_offline_queue);
        assert_eq!(config.connect_timeout, Some(Duration::from_micros(1_500)));
        assert_eq!((config.no_delay, config.keep_alive), (false, Some(Duration::from_secs(2))));
        assert_eq!(config.family, Family::V6);
        assert_eq!(config.local_address, Some("::1".parse().unwrap()));
        assert_eq!(config.reconnect, Reconnect::Fixed(Duration::from_millis(10)));
        assert_eq!((config.queue_max_len, config.queue_max_bytes), (Some(10), 1_000));
        let times = [config.ping_interval, config.socket_timeout, config.hang_timeout];
        assert_eq!(times, [1, 2, 3].map(|ms| Some(Duration::from_millis(ms))));
    }

    #[test]
    fn values_that_mean_none() {
        let config = parse(NodeOptions {
            host: Some(String::new()),
            connect_timeout_ms: Some(0.0),
            keep_alive: Some(false),
            commands_queue_max_length: Some(0.0),
            commands_queue_max_bytes: Some(0.0),
            ping_interval_ms: Some(0.0),
            socket_timeout_ms: Some(0.0),
            hang_timeout_ms: Some(0.0),
            ..NodeOptions::default()
        })
        .unwrap();
        assert_eq!(config.addr.host(), "localhost");
        assert_eq!((config.connect_timeout, config.keep_alive), (None, None));
        assert_eq!((config.queue_max_len, config.queue_max_bytes), (None, usize::MAX));
        assert_eq!((config.ping_interval, config.socket_timeout), (None, None));
        assert_eq!(config.hang_timeout, None);
    }

    #[test]
    fn ways_to_reconnect() {
        let strategy = "must be false, a number of milliseconds or a function";
        let range = "must be a number of milliseconds from 0 to 2147483647, not -1";
        let cases = [
            ("never", None, Ok(Reconnect::Never)),
            ("callback", None, Ok(Reconnect::Callback)),
            ("fixed", Some(0.0), Ok(Reconnect::Fixed(Duration::ZERO))),
            ("fixed", None, Err(strategy)),
            ("fixed", Some(-1.0), Err(range)),
            ("sometimes", None, Err(strategy)),
        ];
        for (kind, delay_ms, want) in cases {
            let reconnect = Some(ReconnectOptions { kind: kind.into(), delay_ms });
            let got = parse(NodeOptions { reconnect, ..NodeOptions::default() });
            let got = got.map(|config| config.reconnect).map_err(|error| error.problem);
            assert_eq!(got, want.map_err(str::to_owned), "{kind} {delay_ms:?}");
        }
    }

    #[test]
    fn problems_name_the_option() {
        let none = NodeOptions::default;
        let text = |text: &str| Some(text.to_owned());
        let cases = [
            ("socket.host", NodeOptions { host: text("a b"), ..none() }),
            ("socket.host", NodeOptions { host: text("?"), ..none() }),
            ("socket.port", NodeOptions { port: Some(65_536.0), ..none() }),
            ("socket.port", NodeOptions { port: Some(1.5), ..none() }),
            ("database", NodeOptions { database: Some(-1.0), ..none() }),
            ("database", NodeOptions { database: Some(2_147_483_648.0), ..none() }),
            ("socket.connectTimeout", NodeOptions { connect_timeout_ms: Some(-1.0), ..none() }),
            (
                "socket.keepAliveInitialDelay",
                NodeOptions { keep_alive_initial_delay_ms: Some(f64::INFINITY), ..none() },
            ),
            ("socket.family", NodeOptions { family: Some(5.0), ..none() }),
            ("socket.localAddress", NodeOptions { local_address: text("here"), ..none() }),
            ("socket.localPort", NodeOptions { local_port: Some(f64::NAN), ..none() }),
            (
                "commandsQueueMaxLength",
                NodeOptions { commands_queue_max_length: Some(-0.5), ..none() },
            ),
        ];
        for (option, options) in cases {
            let error = parse(options).unwrap_err();
            assert_eq!(error.option, format!("defaults.{option}"));
            assert!(error.problem.starts_with("must be "), "{error}");
        }
    }
}
