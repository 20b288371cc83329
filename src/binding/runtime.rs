//! The I/O thread: one for the process, however many clusters and worker threads there are.
//!
//! Started by the first cluster, joined when the last one is dropped.

use crate::Scratch;
use crate::cluster::{Driver, drive};
use parking_lot::Mutex;
use std::io;
use std::sync::{Arc, Weak};
use std::thread::{self, JoinHandle};
use tokio::sync::mpsc;
use tokio::task::LocalSet;

/// The I/O thread, held by those who use it.
pub(super) struct IoThread {
    /// Taken when the thread is to end.
    drivers: Option<mpsc::Sender<Driver>>,
    thread: Option<JoinHandle<()>>,
}

/// New clusters waiting for the thread. It takes them at once; more than a handful at a time would
/// only mean that it is busy.
const WAITING_DRIVERS: usize = 16;

static CURRENT: Mutex<Weak<IoThread>> = Mutex::new(Weak::new());

impl IoThread {
    /// The thread, started if nobody uses it yet.
    ///
    /// # Errors
    ///
    /// The system will not give us a thread or an event queue.
    pub(super) fn shared() -> io::Result<Arc<Self>> {
        let mut current = CURRENT.lock();
        if let Some(running) = current.upgrade() {
            return Ok(running);
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (drivers, mut arriving) = mpsc::channel::<Driver>(WAITING_DRIVERS);
        let thread =
            thread::Builder::new().name("redis-cluster-io".to_owned()).spawn(move || {
                let tasks = LocalSet::new();
                tasks.block_on(&runtime, async {
                    let scratch = Scratch::new();
                    while let Some(driver) = arriving.recv().await {
                        tokio::task::spawn_local(drive(driver, scratch.clone()));
                    }
                });
                drop(tasks);
                // A name look-up may still be under way on a thread of its own; nobody waits for it.
                runtime.shutdown_background();
            })?;
        let started = Arc::new(Self { drivers: Some(drivers), thread: Some(thread) });
        *current = Arc::downgrade(&started);
        Ok(started)
    }

    /// Runs a cluster's side on the thread.
    pub(super) fn run(&self, driver: Driver) {
        if let Some(drivers) = &self.drivers {
            // It fails only when the thread has ended, and the thread ends only when this is dropped.
            let _ = drivers.blocking_send(driver);
        }
    }
}

impl Drop for IoThread {
    /// Ends the thread and waits for it: it never blocks, so this takes microseconds.
    fn drop(&mut self) {
        self.drivers = None;
        if let Some(thread) = self.thread.take() {
            // A panic there has been told already.
            let _ = thread.join();
        }
    }
}
