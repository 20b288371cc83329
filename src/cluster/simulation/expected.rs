//! What is expected of the engine: one switch for each feature that not every engine has had.

/// A switch that is off leaves out the check, and the mishaps that would break every run without
/// the feature.
#[derive(Clone, Copy, Debug)]
pub(super) struct Expected {
    /// A server that says "not now" is asked again: TRYAGAIN, CLUSTERDOWN, LOADING, MASTERDOWN and
    /// READONLY reach a caller only when the command's time is over.
    pub(super) waits: bool,
    /// A node that has forgotten us, or whose silence is longer than can be, is left: connections
    /// vanish without a word, and what a hung primary acknowledges after it has been replaced is
    /// a failure.
    pub(super) probes: bool,
    /// A node that takes a connection and does not greet is left, too, as soon as one that does not
    /// answer.
    pub(super) greetings_are_probed: bool,
    /// Nodes are known by their ids: a node of another cluster appears at the address of one that
    /// is gone, and must not be written to.
    pub(super) identity: bool,
    /// Commands that only read do not fail because a connection was lost.
    pub(super) reads_survive: bool,
    /// Only primaries answer reads, unless the user has asked for `useReplicas`.
    pub(super) reads_from_primaries: bool,
    /// A command that waits for a node that ASK has named goes to that node's successor when it has
    /// one, in the order of its key, and not to a node that wakes up and does not know yet.
    pub(super) asked_follow_failover: bool,
    /// No caller sees MOVED, not even one whose time is over while nodes contradict each other.
    pub(super) redirects_stay_inside: bool,
    /// Commands keep the order of their key also if they are sent to and fro, because nodes
    /// contradict each other until they have heard the news.
    pub(super) order_through_loops: bool,
    /// Commands keep the order of their key also if a server has said "not now" to one of them.
    pub(super) order_while_waiting: bool,
    /// Queues hold no more bytes than the user wants (I9).
    pub(super) bytes_are_bounded: bool,
}

/// What this engine is held to.
pub(super) const EXPECTED: Expected = Expected {
    waits: true,
    probes: true,
    greetings_are_probed: true,
    identity: true,
    reads_survive: true,
    reads_from_primaries: true,
    asked_follow_failover: true,
    redirects_stay_inside: true,
    order_through_loops: false,
    order_while_waiting: false,
    bytes_are_bounded: true,
};
