//! From an address to a connected TCP socket.

use super::stream::{Reader, Writer, split};
use socket2::{SockRef, TcpKeepalive};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;
use tokio::net::{TcpSocket, TcpStream, lookup_host};
use tokio::time::timeout;

/// Between keep-alive probes of which none was answered: Node's, which 9 of them make a dead peer known
/// in 9 s. The system's own would be 75 s, and a command that blocks has no other way to notice.
const KEEP_ALIVE_INTERVAL: Duration = Duration::from_secs(1);

/// How sockets are made. Names and defaults are those of node-redis's `socket` option.
#[derive(Clone, Debug)]
pub(crate) struct SocketOptions {
    /// Longest wait for the connection, name look-up included. `None`: as long as the system tries.
    pub(crate) connect_timeout: Option<Duration>,
    pub(crate) no_delay: bool,
    /// Idle time before the first keep-alive probe, zero for the system's own. `None`: no probes.
    pub(crate) keep_alive: Option<Duration>,
    /// How long the system may wait for the peer to confirm bytes, before it gives the connection up.
    /// `None`: as long as the system tries. Only Linux and its relatives have it.
    pub(crate) user_timeout: Option<Duration>,
    /// Whether addresses of IP version 4 are tried.
    pub(crate) ipv4: bool,
    /// Whether addresses of IP version 6 are tried.
    pub(crate) ipv6: bool,
    /// Address to connect from.
    pub(crate) local_address: Option<IpAddr>,
    /// Port to connect from; 0 for any.
    pub(crate) local_port: u16,
}

/// Why there is no socket.
#[derive(Debug)]
pub(crate) enum ConnectError {
    /// Nobody took the connection in time.
    Timeout,
    /// The host name means nothing to the system.
    Lookup {
        /// The name that was looked up.
        host: String,
    },
    /// The system refused.
    Io {
        /// The system's words.
        error: io::Error,
        /// The address it was about.
        address: SocketAddr,
    },
}

/// Connects to the first address of `host` that answers.
///
/// # Errors
///
/// The failure of the last address tried.
///
/// # Cancel safety
///
/// Dropping the future closes the socket.
pub(crate) async fn connect(
    host: &str,
    port: u16,
    options: &SocketOptions,
) -> Result<(Reader, Writer), ConnectError> {
    #[cfg(test)]
    if let Some(simulated) = super::simulated::dial(host, port) {
        return within(options.connect_timeout, simulated)
            .await
            .unwrap_or(Err(ConnectError::Timeout));
    }
    let connecting = async {
        let mut failure = ConnectError::Lookup { host: host.to_owned() };
        for address in addresses(host, port, options).await? {
            match connect_to(address, options).await {
                Ok(stream) => return Ok(split(stream)),
                Err(error) => failure = ConnectError::Io { error, address },
            }
        }
        Err(failure)
    };
    within(options.connect_timeout, connecting).await.unwrap_or(Err(ConnectError::Timeout))
}

/// Waits for `work`, but no longer than `limit`. `None`: it took longer.
pub(super) async fn within<F: Future>(limit: Option<Duration>, work: F) -> Option<F::Output> {
    match limit {
        Some(limit) => timeout(limit, work).await.ok(),
        None => Some(work.await),
    }
}

async fn addresses(
    host: &str,
    port: u16,
    options: &SocketOptions,
) -> Result<Vec<SocketAddr>, ConnectError> {
    // The system's resolver runs on a thread of its own; most hosts of a cluster need none.
    if let Ok(ip) = host.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(ip, port)]);
    }
    let unknown = |_| ConnectError::Lookup { host: host.to_owned() };
    let found = lookup_host((host, port)).await.map_err(unknown)?;
    let wanted = |address: &SocketAddr| match address {
        SocketAddr::V4(_) => options.ipv4,
        SocketAddr::V6(_) => options.ipv6,
    };
    Ok(found.filter(wanted).collect())
}

async fn connect_to(address: SocketAddr, options: &SocketOptions) -> io::Result<TcpStream> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    if options.local_address.is_some() || options.local_port != 0 {
        let any = if address.is_ipv4() {
            IpAddr::from(Ipv4Addr::UNSPECIFIED)
        } else {
            IpAddr::from(Ipv6Addr::UNSPECIFIED)
        };
        socket.bind(SocketAddr::new(options.local_address.unwrap_or(any), options.local_port))?;
    }
    socket.set_nodelay(options.no_delay)?;
    match options.keep_alive {
        Some(idle) if idle.is_zero() => socket.set_keepalive(true)?,
        Some(idle) => {
            let keep_alive = TcpKeepalive::new().with_time(idle).with_interval(KEEP_ALIVE_INTERVAL);
            SockRef::from(&socket).set_tcp_keepalive(&keep_alive)?;
        }
        None => {}
    }
    #[cfg(any(target_os = "android", target_os = "fuchsia", target_os = "linux"))]
    if options.user_timeout.is_some() {
        // Where it is refused, it is done without.
        drop(SockRef::from(&socket).set_tcp_user_timeout(options.user_timeout));
    }
    socket.connect(address).await
}
