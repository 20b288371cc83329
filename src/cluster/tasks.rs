//! Spawns the engine's tasks and ends them together; a panic in one is told, not lost.

use std::any::Any;
use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::Poll;
use tokio::task::{AbortHandle, JoinSet};

/// Tasks of one session, all on the I/O thread.
#[derive(Debug, Default)]
pub(crate) struct Tasks {
    set: RefCell<JoinSet<()>>,
}

impl Tasks {
    /// Starts a task. `on_panic` hears the message if it panics.
    pub(crate) fn spawn(
        &self,
        task: impl Future<Output = ()> + 'static,
        on_panic: impl FnOnce(&str) + 'static,
    ) -> AbortHandle {
        let mut set = self.set.borrow_mut();
        // Forget those that are over; there are few, and they come and go with connections.
        while set.try_join_next().is_some() {}
        set.spawn_local(async move {
            if let Err(message) = catch(task).await {
                on_panic(&message);
            }
        })
    }

    /// Ends all tasks at their next await.
    pub(crate) fn abort_all(&self) {
        self.set.borrow_mut().abort_all();
    }
}

/// Runs `task`; a panic becomes an error with its message.
///
/// # Errors
///
/// The panic's message.
pub(crate) async fn catch<T>(task: impl Future<Output = T>) -> Result<T, String> {
    let mut task = pin!(task);
    poll_fn(|context| {
        // Unwind safe: after a panic the task is never polled again, and what it shared with others
        // is cut off by whoever hears of the panic.
        match catch_unwind(AssertUnwindSafe(|| task.as_mut().poll(context))) {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(value)) => Poll::Ready(Ok(value)),
            Err(panic) => Poll::Ready(Err(panic_message(panic.as_ref()))),
        }
    })
    .await
}

fn panic_message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a panic without a message".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;
    use std::rc::Rc;

    #[test]
    fn a_panic_is_heard_and_the_others_go_on() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let local = tokio::task::LocalSet::new();
        let (heard, other) = (Rc::new(Cell::new(false)), Rc::new(Cell::new(false)));
        let (heard_there, other_there) = (heard.clone(), other.clone());
        local.block_on(&runtime, async move {
            let tasks = Tasks::default();
            let hear = move |message: &str| heard_there.set(message == "broken 7");
            tasks.spawn(async { panic!("broken {}", 7) }, hear);
            tasks.spawn(async move { other_there.set(true) }, |_| {});
            tokio::task::yield_now().await;
            tokio::task::yield_now().await;
        });
        assert!(heard.get() && other.get());
    }
}
