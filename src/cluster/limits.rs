//! What `commandsQueueMaxLength` and `disableOfflineQueue` say of a node's queue.

use super::routes::NodeLink;
use crate::config::ClusterConfig;
use crate::error::Error;

/// Bounds on one node's queue. Most clusters set none, and pay nothing.
#[derive(Clone, Copy, Debug)]
pub(crate) struct QueueLimits {
    max_len: Option<usize>,
    online_only: bool,
}

impl QueueLimits {
    /// `None` when there is nothing to check.
    pub(crate) fn of(config: &ClusterConfig) -> Option<Self> {
        let (max_len, online_only) = (config.node.queue_max_len, config.node.disable_offline_queue);
        (max_len.is_some() || online_only).then_some(Self { max_len, online_only })
    }

    /// Says whether one more command may go into `link`, where `staged` are about to.
    ///
    /// # Errors
    ///
    /// [`Error::Offline`] and [`Error::QueueFull`], as node-redis has them.
    pub(crate) fn check(&self, link: &NodeLink, staged: usize) -> Result<(), Error> {
        if self.online_only && !link.is_open() {
            return Err(Error::Offline);
        }
        match self.max_len {
            Some(max_len) if link.waiting() + staged >= max_len => Err(Error::QueueFull),
            _ => Ok(()),
        }
    }
}
