//! Where a node listens: host and port, and the forms in which servers and users write them.

use std::fmt;
use std::net::Ipv6Addr;
use std::str::FromStr;
use std::sync::Arc;

use thiserror::Error;

/// Host and port of one node. Cheap to clone.
///
/// Displayed as `host:port` without brackets, the form node-redis uses for addresses.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct NodeAddr {
    /// Name or IP address, never empty, an IPv6 address without brackets.
    host: Arc<str>,
    port: u16,
}

impl NodeAddr {
    /// An address from a host and a port that somebody else has checked.
    pub(crate) fn new(host: &str, port: u16) -> Self {
        Self { host: unbracketed(host).into(), port }
    }

    /// Name or IP address, an IPv6 address without brackets.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// The port. Never 0 when the address was parsed.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// The address of an endpoint as `CLUSTER SLOTS` and redirects give it: an empty host or `?`
    /// means the host of the node that answered.
    ///
    /// Source: the documentation of `CLUSTER SLOTS`, "Nested result array".
    ///
    /// # Errors
    ///
    /// Text that cannot be a host, and ports outside 1 to 65535.
    pub(crate) fn of_endpoint(
        host: &str,
        port: i64,
        answering_host: &str,
    ) -> Result<Self, AddrError> {
        let port = match u16::try_from(port) {
            Ok(port) if port != 0 => port,
            _ => return Err(AddrError::Port(port.to_string())),
        };
        if matches!(host, "" | "?") {
            return Ok(Self::new(answering_host, port));
        }
        let host = unbracketed(host);
        if is_host(host) {
            Ok(Self { host: host.into(), port })
        } else {
            Err(AddrError::Host(host.into()))
        }
    }

    /// The endpoint of a `MOVED` or `ASK` reply: `host:port`, `:port`, `?:port`, and IPv6 with or
    /// without brackets.
    ///
    /// # Errors
    ///
    /// As for [`NodeAddr::of_endpoint`], and text without a port.
    pub(crate) fn parse_redirect(text: &str, answering_host: &str) -> Result<Self, AddrError> {
        // The last colon: an IPv6 address has colons of its own.
        let (host, port) = text.rsplit_once(':').ok_or_else(|| AddrError::Port(String::new()))?;
        let digits =
            (1..=5).contains(&port.len()) && port.bytes().all(|byte| byte.is_ascii_digit());
        match port.parse() {
            Ok(number) if digits => Self::of_endpoint(host, number, answering_host),
            _ => Err(AddrError::Port(port.into())),
        }
    }
}

impl FromStr for NodeAddr {
    type Err = AddrError;

    /// # Errors
    ///
    /// As for [`NodeAddr::parse_redirect`]; here the host has to be there.
    fn from_str(text: &str) -> Result<Self, AddrError> {
        let addr = Self::parse_redirect(text, "")?;
        if addr.host.is_empty() { Err(AddrError::Host(String::new())) } else { Ok(addr) }
    }
}

impl fmt::Display for NodeAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

/// Why text is not the address of a node.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub(crate) enum AddrError {
    /// Neither a name nor an IP address.
    #[error("{0:?} is not a host")]
    Host(String),
    /// Missing, not a number, or outside 1 to 65535.
    #[error("{0:?} is not a port")]
    Port(String),
}

/// `host` without the brackets that URLs put around IPv6 addresses.
fn unbracketed(host: &str) -> &str {
    match host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(inner) if is_ipv6(inner) => inner,
        _ => host,
    }
}

/// Accepts every name a resolver might know: only what can be no name at all is refused.
fn is_host(text: &str) -> bool {
    let forbidden = |c: char| c.is_whitespace() || c.is_control() || "[]/@".contains(c);
    !text.is_empty() && !text.contains(forbidden) && (!text.contains(':') || is_ipv6(text))
}

fn is_ipv6(text: &str) -> bool {
    let (address, zone) = text.split_once('%').unwrap_or((text, "zone"));
    address.parse::<Ipv6Addr>().is_ok() && !zone.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn endpoints_of_redirects() {
        let cases = [
            ("10.0.0.1:6381", "10.0.0.1", 6381),
            ("redis-1.example:65535", "redis-1.example", 65535),
            (":7001", "asked", 7001),
            ("?:7002", "asked", 7002),
            ("::1:7000", "::1", 7000),
            ("[::1]:7000", "::1", 7000),
            ("fe80::1%eth0:1", "fe80::1%eth0", 1),
            ("2001:db8::7:6379", "2001:db8::7", 6379),
        ];
        for (text, host, port) in cases {
            let got = NodeAddr::parse_redirect(text, "asked").expect(text);
            assert_eq!((got.host(), got.port()), (host, port), "{text}");
        }
    }

    #[test]
    fn garbage_is_an_error() {
        let (host, port) =
            (|text: &str| AddrError::Host(text.into()), |text: &str| AddrError::Port(text.into()));
        let cases = [
            ("", port("")),
            ("host", port("")),
            ("host:", port("")),
            ("host:0", port("0")),
            ("host:65536", port("65536")),
            ("host:-1", port("-1")),
            ("host:+1", port("+1")),
            ("host:1 ", port("1 ")),
            ("host:000001", port("000001")),
            ("host:99999999999999999999", port("99999999999999999999")),
            ("a b:1", host("a b")),
            ("a\r\n:1", host("a\r\n")),
            ("host:1:2", host("host:1")),
            ("::1", host(":")),
            ("[host]:1", host("[host]")),
            ("[]:1", host("[]")),
            ("fe80::1%:1", host("fe80::1%")),
        ];
        for (text, want) in cases {
            assert_eq!(NodeAddr::parse_redirect(text, "asked"), Err(want), "{text:?}");
        }
    }

    #[test]
    fn users_have_to_name_the_host() {
        assert_eq!("a:1".parse(), Ok(NodeAddr::new("a", 1)));
        for text in [":1", "?:1"] {
            assert_eq!(text.parse::<NodeAddr>(), Err(AddrError::Host(String::new())), "{text}");
        }
    }

    #[test]
    fn displayed_without_brackets() {
        assert_eq!(NodeAddr::new("[::1]", 7000).to_string(), "::1:7000");
        assert_eq!(NodeAddr::new("127.0.0.1", 7000).to_string(), "127.0.0.1:7000");
    }

    proptest! {
        #[test]
        fn what_was_displayed_can_be_parsed(host in "[a-z][a-z0-9.-]{0,20}", port in 1u16..) {
            let addr = NodeAddr::new(&host, port);
            prop_assert_eq!(addr.to_string().parse(), Ok(addr));
        }

        #[test]
        fn no_text_makes_it_panic(text in ".*") {
            let parsed = NodeAddr::parse_redirect(&text, "asked");
            prop_assert!(parsed.is_err() || text.contains(':'));
        }
    }
}
