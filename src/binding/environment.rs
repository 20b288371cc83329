//! Which clusters live in this thread's JavaScript environment, so that none outlives it.
//!
//! A worker may be ended at any moment, with commands in flight. Node then runs the cleanup hook
//! below before anything of the environment is freed: it drops the clusters, and with the last of
//! them the I/O thread is joined. After that nothing can call into the environment any more.

use super::client::Open;
use napi::{Env, Result};
use std::cell::RefCell;
use std::rc::{Rc, Weak};

type Slot = RefCell<Option<Open>>;

thread_local! {
    /// An environment has its own thread. Weak: a cluster that JavaScript has forgotten is gone.
    static CLUSTERS: RefCell<Option<Vec<Weak<Slot>>>> = const { RefCell::new(None) };
}

/// Sees to it that `cluster` is dropped with the environment at the latest.
///
/// # Errors
///
/// The environment is on its way out.
pub(super) fn register(env: &Env, cluster: &Rc<Slot>) -> Result<()> {
    let first = CLUSTERS.with_borrow_mut(|clusters| {
        let first = clusters.is_none();
        let clusters = clusters.get_or_insert_default();
        clusters.retain(|known| known.strong_count() > 0);
        clusters.push(Rc::downgrade(cluster));
        first
    });
    if first {
        env.add_env_cleanup_hook((), |()| drop_all())?;
    }
    Ok(())
}

fn drop_all() {
    let clusters = CLUSTERS.with_borrow_mut(Option::take).unwrap_or_default();
    for cluster in clusters.iter().filter_map(Weak::upgrade) {
        // Out of the cell first: dropping may take a moment and must not find the cell borrowed.
        let open = cluster.borrow_mut().take();
        drop(open);
    }
}
