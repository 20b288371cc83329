//! A command on its way: what must be known of it besides its bytes.

use crate::connection::Payload;
use crate::resp::encode_command;
use crate::slot::Slot;

/// The asker's number for a command.
pub type Ticket = u32;

/// One command on its way. Twenty bytes, copied freely; the bytes of the command itself are in the
/// pipeline it is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Request {
    pub(crate) ticket: Ticket,
    /// Bytes on the wire, the ASKING in front included. Commands are below 4 GiB: they come out of
    /// one submission buffer.
    wire_len: u32,
    /// Milliseconds on the cluster's clock, meaningful with [`Self::TIMED`].
    deadline: u32,
    /// Meaningful with [`Self::KEYED`].
    slot: u16,
    flags: u8,
    /// Attempts that did not succeed.
    pub(crate) attempts: u16,
}

impl Request {
    /// It only reads: sending it twice does no harm.
    pub(crate) const READONLY: u8 = 1;
    /// Its key decides where it goes.
    pub(crate) const KEYED: u8 = 2;
    /// ASKING precedes it, as part of its bytes.
    const ASKING: u8 = 4;
    /// It has a deadline.
    const TIMED: u8 = 8;
    /// Any node that has the data will do, replicas included.
    pub(crate) const REPLICA: u8 = 16;

    pub(crate) fn new(ticket: Ticket, flags: u8, slot: Option<Slot>, wire_len: usize) -> Self {
        Self {
            ticket,
            wire_len: wire_len as u32,
            deadline: 0,
            slot: slot.map_or(0, Slot::number),
            flags: flags | slot.map_or(0, |_| Self::KEYED),
            attempts: 0,
        }
    }

    /// Gives it until `deadline` to be written.
    pub(crate) fn until(mut self, deadline: u32) -> Self {
        self.deadline = deadline;
        self.flags |= Self::TIMED;
        self
    }

    pub(crate) fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    pub(crate) fn slot(&self) -> Option<Slot> {
        if self.has(Self::KEYED) { Slot::new(self.slot) } else { None }
    }

    pub(crate) fn is_timed(&self) -> bool {
        self.has(Self::TIMED)
    }

    /// Says whether its time is over. The clock may have gone round since it began.
    pub(crate) fn is_late(&self, now: u32) -> bool {
        self.is_timed() && (now.wrapping_sub(self.deadline) as i32) >= 0
    }

    /// The same command as one write unit with the ASKING in front of it.
    pub(crate) fn behind_asking(mut self, bytes: &[u8]) -> (Self, Vec<u8>) {
        let mut unit = Vec::with_capacity(ASKING_LEN + bytes.len());
        encode_command(&mut unit, &["ASKING"]);
        unit.extend_from_slice(bytes);
        self.flags |= Self::ASKING;
        self.wire_len = unit.len() as u32;
        (self, unit)
    }

    /// The command alone again, whatever it was wrapped in.
    pub(crate) fn unwrapped(mut self, mut bytes: Vec<u8>) -> (Self, Vec<u8>) {
        if self.has(Self::ASKING) {
            bytes.drain(..ASKING_LEN);
            self.flags &= !Self::ASKING;
            self.wire_len = bytes.len() as u32;
        }
        (self, bytes)
    }
}

/// Length of `*1\r\n$6\r\nASKING\r\n`.
const ASKING_LEN: usize = 16;

impl Payload for Request {
    fn wire_len(&self) -> usize {
        self.wire_len as usize
    }

    fn preludes(&self) -> u8 {
        u8::from(self.has(Self::ASKING))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn asking_goes_on_and_comes_off() {
        let bytes = b"*2\r\n$3\r\nGET\r\n$1\r\nk\r\n".to_vec();
        let plain = Request::new(7, Request::READONLY, Slot::new(9), bytes.len()).until(50);
        let (asking, unit) = plain.behind_asking(&bytes);
        assert_eq!(unit, [&b"*1\r\n$6\r\nASKING\r\n"[..], &bytes].concat());
        assert_eq!((asking.wire_len(), asking.preludes()), (unit.len(), 1));
        assert_eq!(asking.unwrapped(unit), (plain, bytes.clone()));
        assert_eq!(plain.unwrapped(bytes.clone()), (plain, bytes));
    }

    #[test]
    fn deadlines_survive_the_clock_going_round() {
        let request = Request::new(1, 0, None, 4);
        assert!(!request.is_late(u32::MAX));
        let cases =
            [(100, 99, false), (100, 100, true), (5, u32::MAX - 5, false), (u32::MAX - 5, 5, true)];
        for (deadline, now, late) in cases {
            assert_eq!(request.until(deadline).is_late(now), late, "{deadline} at {now}");
        }
    }
}
