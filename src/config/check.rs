//! Checks that several options share, and what is said when one fails.

use std::ops::RangeInclusive;
use std::time::Duration;

use thiserror::Error;

use crate::node_addr::NodeAddr;

/// An option that cannot be used.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{option} {problem}")]
pub struct ConfigError {
    /// The option under the name the user typed, `defaults.socket.connectTimeout` for example.
    pub option: String,
    /// What would do, and what was there: `must be .., not ..`.
    pub problem: String,
}

/// Milliseconds that Node's timers can hold: some 24 days. They take more for 1 ms.
const MAX_MILLISECONDS: u32 = i32::MAX as u32;

/// The greatest number that JavaScript counts to without gaps.
const MOST_BYTES: f64 = 9_007_199_254_740_991.0;

/// Where in the user's options a check happens.
pub(super) struct Scope {
    /// Empty or the option that holds the others.
    prefix: String,
}

impl Scope {
    /// The options themselves.
    pub(super) fn top() -> Self {
        Self { prefix: String::new() }
    }

    /// Inside of the option `name`.
    pub(super) fn named(name: &str) -> Self {
        Self { prefix: name.to_owned() }
    }

    /// A problem with `option`.
    pub(super) fn error(&self, option: &str, problem: &str) -> ConfigError {
        let dot = if self.prefix.is_empty() { "" } else { "." };
        let option = format!("{}{dot}{option}", self.prefix);
        ConfigError { option, problem: problem.to_owned() }
    }

    /// A problem with the option that holds the others.
    pub(super) fn itself(&self, problem: &str) -> ConfigError {
        ConfigError { option: self.prefix.clone(), problem: problem.to_owned() }
    }

    /// A whole number in `range`, if one was given.
    pub(super) fn whole(
        &self,
        option: &str,
        value: Option<f64>,
        range: RangeInclusive<u32>,
    ) -> Result<Option<u32>, ConfigError> {
        let (least, most) = (*range.start(), *range.end());
        match value {
            None => Ok(None),
            Some(number)
                if number.fract() == 0.0
                    && (f64::from(least)..=f64::from(most)).contains(&number) =>
            {
                Ok(Some(number as u32))
            }
            Some(number) => {
                let what = format!("must be a whole number from {least} to {most}, not {number}");
                Err(self.error(option, &what))
            }
        }
    }

    /// A bound in bytes, or `default`; 0 is no bound.
    pub(super) fn byte_bound(
        &self,
        option: &str,
        value: Option<f64>,
        default: usize,
    ) -> Result<usize, ConfigError> {
        match value {
            None => Ok(default),
            Some(0.0) => Ok(usize::MAX),
            Some(number) if number.fract() == 0.0 && (1.0..=MOST_BYTES).contains(&number) => {
                Ok(number as usize)
            }
            Some(number) => {
                let what = format!("must be a whole number of bytes from 0 on, not {number}");
                Err(self.error(option, &what))
            }
        }
    }

    /// A port to connect to.
    pub(super) fn port(&self, option: &str, value: f64) -> Result<u16, ConfigError> {
        let port = self.whole(option, Some(value), 1..=u32::from(u16::MAX))?;
        Ok(port.map_or(0, |port| port as u16))
    }

    /// A number of milliseconds, fractions included, if one was given.
    pub(super) fn milliseconds(
        &self,
        option: &str,
        value: Option<f64>,
    ) -> Result<Option<Duration>, ConfigError> {
        match value {
            None => Ok(None),
            Some(number) if (0.0..=f64::from(MAX_MILLISECONDS)).contains(&number) => {
                Ok(Some(Duration::from_secs_f64(number / 1_000.0)))
            }
            Some(number) => {
                let range = format!("from 0 to {MAX_MILLISECONDS}");
                let what = format!("must be a number of milliseconds {range}, not {number}");
                Err(self.error(option, &what))
            }
        }
    }

    /// A host name or an IP address.
    pub(super) fn host(&self, option: &str, host: String) -> Result<String, ConfigError> {
        // Port 1 stands for any: only the host can be wrong then.
        match NodeAddr::of_endpoint(&host, 1, "") {
            Ok(addr) if !addr.host().is_empty() => Ok(host),
            _ => {
                let what = format!("must be a host name or an IP address, not {host:?}");
                Err(self.error(option, &what))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_outside_their_range_are_refused() {
        let scope = Scope::named("defaults");
        for good in [0.0, -0.0, 1.0, 65_535.0] {
            let got = scope.whole("database", Some(good), 0..=65_535).unwrap();
            assert_eq!(got.map(f64::from), Some(good.abs()));
        }
        for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -1.0, 0.5, 65_536.0, 1e300] {
            let error = scope.whole("database", Some(bad), 0..=65_535).unwrap_err();
            assert_eq!(error.option, "defaults.database");
            assert!(error.problem.ends_with(&format!("not {bad}")), "{error}");
        }
    }

    #[test]
    fn bounds_in_bytes() {
        let scope = Scope::named("defaults");
        let of = |number| scope.byte_bound("b", number, 7);
        assert_eq!(of(None), Ok(7));
        assert_eq!(of(Some(0.0)), Ok(usize::MAX));
        assert_eq!(of(Some(1.0)), Ok(1));
        for bad in [f64::NAN, f64::INFINITY, -1.0, 0.5, 1e300] {
            assert_eq!(of(Some(bad)).unwrap_err().option, "defaults.b");
        }
    }

    #[test]
    fn times_keep_their_fractions() {
        let scope = Scope::top();
        let of = |number| scope.milliseconds("t", Some(number)).unwrap();
        assert_eq!(of(0.0), Some(Duration::ZERO));
        assert_eq!(of(1.5), Some(Duration::from_micros(1_500)));
        assert_eq!(of(2_147_483_647.0), Some(Duration::from_millis(2_147_483_647)));
        for bad in [f64::NAN, f64::INFINITY, -0.1, 2_147_483_648.0] {
            assert!(scope.milliseconds("t", Some(bad)).is_err(), "{bad}");
        }
    }
}
