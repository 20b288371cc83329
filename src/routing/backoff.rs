//! How long to wait before the next attempt: to connect, or to run a command.

use std::time::Duration;

/// Jitter is a whole number of milliseconds below this. Source: node-redis,
/// `defaultReconnectStrategy`. It keeps clients that lost the same node from coming back as one.
pub(crate) const RECONNECT_JITTER_MS: u64 = 200;

/// Delay before the first repetition, in milliseconds. Source: as above.
const FIRST_MS: u64 = 50;
/// The delay grows no further. Source: as above.
const LONGEST_MS: u64 = 2_000;

/// The delay after `retries` attempts have failed since the last success, the first not counted:
/// 50 ms doubled each time, at most 2 s, plus `jitter_ms` (0 to [`RECONNECT_JITTER_MS`] - 1).
///
/// Source: node-redis, `defaultReconnectStrategy`.
pub(crate) fn reconnect_delay(retries: u32, jitter_ms: u64) -> Duration {
    let doubled = FIRST_MS.saturating_mul(2u64.saturating_pow(retries));
    Duration::from_millis(doubled.min(LONGEST_MS).saturating_add(jitter_ms))
}

/// First wait of a command that a server could not run, in milliseconds: a key on its way to another
/// node arrives in less.
const RETRY_FIRST_MS: u64 = 4;
/// Waits grow no further. Commands go on at most this long after the servers could have run them;
/// halved, an outage of the whole cluster would double the load on it.
const RETRY_LONGEST_MS: u64 = 64;

/// How long a command that has waited `waits` times already waits now: 4 ms doubled each time, at
/// most 64 ms, of which `fraction` of 256 decides up to a half.
pub(crate) fn retry_delay(waits: u8, fraction: u8) -> Duration {
    let most = RETRY_FIRST_MS.saturating_mul(1 << waits.min(16)).min(RETRY_LONGEST_MS);
    Duration::from_micros(most * 1_000 * (512 - u64::from(fraction)) / 512)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_up_to_two_seconds() {
        let cases = [
            // retries, jitter -> milliseconds
            (0, 0, 50),
            (1, 0, 100),
            (5, 0, 1_600),
            (6, 0, 2_000),
            (6, 199, 2_199),
            (u32::MAX, 1, 2_001),
        ];
        for (retries, jitter, want) in cases {
            let got = reconnect_delay(retries, jitter);
            assert_eq!(got, Duration::from_millis(want), "retries={retries} jitter={jitter}");
        }
    }

    #[test]
    fn commands_wait_milliseconds() {
        let cases =
            [(0, 0, 4_000), (0, 255, 2_007), (1, 0, 8_000), (4, 0, 64_000), (u8::MAX, 0, 64_000)];
        for (waits, fraction, want) in cases {
            let got = retry_delay(waits, fraction);
            assert_eq!(got, Duration::from_micros(want), "waits={waits} fraction={fraction}");
        }
    }
}
