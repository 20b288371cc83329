//! A command on its way: what must be known of it besides its bytes.

use super::fanout::is_part;
use crate::connection::Payload;
use crate::resp::encode_command;
use crate::slot::Slot;

/// The asker's number for a command.
pub type Ticket = u32;

/// One command, or one transaction, on its way. Twenty-eight bytes, copied freely; the bytes of the command itself are in
/// the pipeline it is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Request {
    pub(crate) ticket: Ticket,
    /// Bytes on the wire, the ASKING in front included. Commands are below 4 GiB: they come out of
    /// one submission buffer.
    wire_len: u32,
    /// Milliseconds on the cluster's clock, meaningful with [`Self::TIMED`].
    deadline: u32,
    /// The same clock; until when the answer must be there. Meaningful with [`Self::PROMPT`].
    respond_by: u32,
    /// Replies that come before that of a transaction's EXEC; 0: it is no transaction.
    steps: u32,
    /// Meaningful with [`Self::KEYED`].
    slot: u16,
    /// Redirects followed, and connections lost under it.
    pub(crate) attempts: u16,
    /// How often it has waited, or gone to another copy.
    pub(crate) waits: u8,
    flags: u16,
}

impl Request {
    /// It only reads: sending it twice does no harm.
    pub(crate) const READONLY: u16 = 1;
    /// Its key decides where it goes.
    pub(crate) const KEYED: u16 = 2;
    /// ASKING precedes it, as part of its bytes.
    pub(super) const ASKING: u16 = 4;
    /// It has a deadline.
    const TIMED: u16 = 8;
    /// Any node that has the data will do, replicas included.
    pub(crate) const REPLICA: u16 = 16;
    /// It runs a script or a function, or is a module's, which may: what it says may be its own words.
    pub(crate) const SCRIPT: u16 = 32;
    /// It may wait on the server for something to happen, or run on a module's own threads, and the
    /// server serves others meanwhile.
    pub(crate) const BLOCKING: u16 = 64;
    /// Its answer has a deadline.
    const PROMPT: u16 = 128;
    /// Its asker has given up on it: what it says is still the answer, but it is not tried again.
    pub(crate) const CANCELLED: u16 = 256;
    /// It is meant for its node and no other.
    pub(crate) const PINNED: u16 = 512;
    /// It may wait on the server, on a connection of its own; in no order with others.
    pub(crate) const LEASED: u16 = 2048;

    pub(crate) fn new(ticket: Ticket, flags: u16, slot: Option<Slot>, wire_len: usize) -> Self {
        Self {
            ticket,
            wire_len: wire_len as u32,
            deadline: 0,
            respond_by: 0,
            steps: 0,
            slot: slot.map_or(0, Slot::number),
            attempts: 0,
            waits: 0,
            flags: flags | slot.map_or(0, |_| Self::KEYED),
        }
    }

    /// Makes it a transaction: EXEC's reply, behind so many others, is its answer.
    pub(crate) fn in_steps(mut self, steps: u32) -> Self {
        self.steps = steps;
        self
    }

    /// Says whether it is a transaction.
    pub(crate) fn is_transaction(&self) -> bool {
        self.steps > 0
    }

    /// Gives it until `deadline` to be written.
    pub(crate) fn until(mut self, deadline: u32) -> Self {
        self.deadline = deadline;
        self.flags |= Self::TIMED;
        self
    }

    /// Gives its answer until `respond_by` to be there.
    pub(crate) fn answered_by(mut self, respond_by: u32) -> Self {
        self.respond_by = respond_by;
        self.flags |= Self::PROMPT;
        self
    }

    /// Its asker has been told that there is no answer: what still comes is dropped.
    pub(crate) fn abandon(&mut self) {
        self.ticket = NOBODY;
        self.flags &= !Self::PROMPT;
    }

    /// Its asker has given up on it, and it is on its way.
    pub(crate) fn cancel(&mut self) {
        self.flags |= Self::CANCELLED;
    }

    pub(crate) fn has(&self, flag: u16) -> bool {
        self.flags & flag != 0
    }

    pub(crate) fn slot(&self) -> Option<Slot> {
        if self.has(Self::KEYED) { Slot::new(self.slot) } else { None }
    }

    /// Something ends its waiting: to be written, or to be answered.
    pub(crate) fn is_timed(&self) -> bool {
        self.has(Self::TIMED | Self::PROMPT)
    }

    /// Its answer has a deadline.
    pub(crate) fn is_prompt(&self) -> bool {
        self.has(Self::PROMPT)
    }

    /// Says whether it may not be written any more.
    pub(crate) fn is_late(&self, now: u32) -> bool {
        self.has(Self::TIMED) && has_passed(self.deadline, now) || self.is_overdue(now)
    }

    /// Says whether its answer is too late.
    pub(crate) fn is_overdue(&self, now: u32) -> bool {
        self.has(Self::PROMPT) && has_passed(self.respond_by, now)
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

/// A ticket that nobody holds.
pub(super) const NOBODY: Ticket = crate::connection::SWALLOWED;

/// The clock may have gone round since `deadline` was set.
fn has_passed(deadline: u32, now: u32) -> bool {
    (now.wrapping_sub(deadline) as i32) >= 0
}

/// Length of `*1\r\n$6\r\nASKING\r\n`.
const ASKING_LEN: usize = 16;

impl Payload for Request {
    fn wire_len(&self) -> usize {
        self.wire_len as usize
    }

    fn preludes(&self) -> u32 {
        self.steps + u32::from(self.has(Self::ASKING))
    }

    fn steps(&self) -> u32 {
        self.steps
    }

    fn is_users(&self) -> bool {
        self.ticket < super::errands::FIRST || is_part(self.ticket)
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
        assert_eq!(plain.unwrapped(bytes.clone()), (plain, bytes.clone()));
        let (asking, unit) = plain.in_steps(3).behind_asking(&bytes);
        assert_eq!((asking.preludes(), asking.steps(), asking.is_transaction()), (4, 3, true));
        assert_eq!(asking.unwrapped(unit), (plain.in_steps(3), bytes));
    }

    #[test]
    fn deadlines_survive_the_clock_going_round() {
        let request = Request::new(1, 0, None, 4);
        assert!(!request.is_late(u32::MAX));
        let cases =
            [(100, 99, false), (100, 100, true), (5, u32::MAX - 5, false), (u32::MAX - 5, 5, true)];
        for (deadline, now, late) in cases {
            assert_eq!(request.until(deadline).is_late(now), late, "{deadline} at {now}");
            let prompt = request.answered_by(deadline);
            assert_eq!((prompt.is_late(now), prompt.is_overdue(now)), (late, late));
        }
        assert!(!request.until(100).is_overdue(100), "what is written may take its time");
    }

    #[test]
    fn an_abandoned_request_has_no_deadline_left() {
        let mut request = Request::new(1, 0, None, 4).answered_by(100);
        request.abandon();
        assert!(!request.is_users() && !request.is_overdue(200));
    }
}
