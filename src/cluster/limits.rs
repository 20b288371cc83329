//! Bounds on the queues of commands: `commandsQueueMaxLength`, `disableOfflineQueue`, and bytes.

use super::routes::NodeLink;
use crate::config::ClusterConfig;
use crate::error::Error;
use crate::node_addr::NodeAddr;

/// Bounds on one node's queue and on all of them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct QueueLimits {
    max_len: Option<usize>,
    online_only: bool,
    /// Bytes one node may have waiting.
    node_bytes: usize,
    /// Bytes all nodes together may have waiting.
    total_bytes: usize,
}

/// What is about to go into a queue, besides what is there.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Addition {
    pub(crate) requests: usize,
    /// Bytes for this node.
    pub(crate) bytes: usize,
    /// Bytes that wait for all nodes together, these included.
    pub(crate) all_bytes: usize,
}

impl QueueLimits {
    pub(crate) fn of(config: &ClusterConfig) -> Self {
        Self {
            max_len: config.node.queue_max_len,
            online_only: config.node.disable_offline_queue,
            node_bytes: config.node.queue_max_bytes,
            total_bytes: config.queue_max_bytes,
        }
    }

    /// Says whether one more command may go into the queue of the node at `addr`, one of
    /// `node_count`, where `staged` is about to.
    ///
    /// Bytes count from the call until the answer. A queue that is empty takes any command. The bound
    /// for all nodes together leaves each node its share, one part of half of it: nodes that do not
    /// answer can only use up the other half.
    ///
    /// # Errors
    ///
    /// [`Error::Offline`] and [`Error::QueueFull`], as node-redis has them;
    /// [`Error::TooManyBytes`].
    pub(crate) fn check(
        &self,
        (link, addr, node_count): (&NodeLink, &NodeAddr, usize),
        staged: Addition,
    ) -> Result<(), Error> {
        if self.online_only && !link.is_open() {
            return Err(Error::Offline);
        }
        if self.max_len.is_some_and(|max_len| link.waiting() + staged.requests >= max_len) {
            return Err(Error::QueueFull);
        }
        let own = link.byte_len() + staged.bytes;
        if own >= self.node_bytes {
            return Err(Error::TooManyBytes {
                node: Some(addr.to_string()),
                bound: self.node_bytes,
            });
        }
        let half = self.total_bytes / 2;
        if staged.all_bytes >= half && own >= half / node_count.max(1) {
            return Err(Error::TooManyBytes { node: None, bound: self.total_bytes });
        }
        Ok(())
    }

    /// Says whether one more command may wait for a connection of its own, where commands of `bytes`
    /// bytes do; `all_bytes` wait for all nodes together.
    ///
    /// # Errors
    ///
    /// [`Error::TooManyBytes`].
    pub(crate) fn check_handover(&self, bytes: usize, all_bytes: usize) -> Result<(), Error> {
        if all_bytes >= self.total_bytes {
            return Err(Error::TooManyBytes { node: None, bound: self.total_bytes });
        }
        self.check_held("connections of their own", (0, bytes))
    }

    /// Says whether one more command for `whom` may be held back, where `len` commands
    /// of `bytes` bytes are already: all that are held have the bounds of one node.
    ///
    /// # Errors
    ///
    /// As for [`QueueLimits::check`].
    pub(crate) fn check_held(
        &self,
        whom: impl ToString,
        (len, bytes): (usize, usize),
    ) -> Result<(), Error> {
        if self.max_len.is_some_and(|max_len| len >= max_len) {
            return Err(Error::QueueFull);
        }
        if bytes >= self.node_bytes {
            return Err(Error::TooManyBytes {
                node: Some(whom.to_string()),
                bound: self.node_bytes,
            });
        }
        Ok(())
    }
}
