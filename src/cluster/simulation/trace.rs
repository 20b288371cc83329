//! Everything that happens in a simulated world, as one number and, if wanted, as text.

use std::fmt::{self, Write};
use std::io::{self, Write as _};

/// A running hash of all events. Two runs of a seed must end with the same one.
#[derive(Debug)]
pub(super) struct Trace {
    hash: Hash,
    printed: bool,
}

impl Trace {
    /// `printed`: every event is also written to the standard output.
    pub(super) fn new(printed: bool) -> Self {
        Self { hash: Hash(0xCBF2_9CE4_8422_2325), printed }
    }

    /// Adds an event at `now` milliseconds.
    pub(super) fn note(&mut self, now: u64, event: fmt::Arguments<'_>) {
        // Neither can fail in a way that matters here.
        let _ = writeln!(self.hash, "{now} {event}");
        if self.printed {
            let _ = writeln!(io::stdout().lock(), "{now:>6} ms  {event}");
        }
    }

    /// The hash of everything so far.
    pub(super) fn hash(&self) -> u64 {
        self.hash.0
    }
}

/// FNV-1a.
#[derive(Debug)]
struct Hash(u64);

impl Write for Hash {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for byte in text.bytes() {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3);
        }
        Ok(())
    }
}
