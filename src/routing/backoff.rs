//! How long to wait before the next attempt to connect.

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
}
