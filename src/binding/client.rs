//! One cluster client, as JavaScript sees it.

use super::completion::{Completion, Handed};
use super::environment;
use super::options::NativeOptions;
use super::runtime::IoThread;
use super::submission::Submission;
use crate::cluster::{Cluster, ReconnectDecision, ReplySink};
use crate::config::ClusterConfig;
use napi::bindgen_prelude::*;
use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode};
use napi::{JsString, JsStringLatin1};
use napi_derive::napi;
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

/// Never keeps the event loop alive by itself: the facade decides that.
type Wake = ThreadsafeFunction<(), (), (), Status, false, true>;

/// What `code` says on the error for options that cannot be used.
const CONFIG_CODE: &str = "ERR_CONFIG";

struct WakeJs(Wake);

impl ReplySink for WakeJs {
    fn wake(&self) {
        // It fails only when the environment is on its way out, and then nobody waits.
        self.0.call((), ThreadsafeFunctionCallMode::NonBlocking);
    }
}

/// What a client has until its environment ends.
pub(super) struct Open {
    // Dropped in this order: first the cluster says goodbye, then the thread may end.
    cluster: Cluster,
    completion: Completion,
    _io: Arc<IoThread>,
}

/// The native half of a cluster client. Every method returns at once; answers and events arrive
/// through `take`, in the order in which they happened.
#[napi]
pub struct NativeCluster {
    open: Rc<RefCell<Option<Open>>>,
}

#[napi]
impl NativeCluster {
    /// A closed client. `wake` is called when `take` has something to give.
    #[napi(constructor, catch_unwind)]
    pub fn new(
        env: &Env,
        options: NativeOptions,
        wake: Function<'_, (), ()>,
    ) -> Result<Self, String> {
        let config = ClusterConfig::try_from(options.into_engine())
            .map_err(|error| Error::new(CONFIG_CODE.to_owned(), error.to_string()))?;
        let wake = wake
            .build_threadsafe_function::<()>()
            .callee_handled::<false>()
            .weak::<true>()
            .build()
            .map_err(internal)?;
        let io = IoThread::shared().map_err(internal)?;
        let (cluster, driver) = Cluster::new(config, Box::new(WakeJs(wake)));
        io.run(driver);
        let open = Open { cluster, completion: Completion::default(), _io: io };
        let open = Rc::new(RefCell::new(Some(open)));
        environment::register(env, &open).map_err(internal)?;
        Ok(Self { open })
    }

    /// Starts every command of one tick (`js/submission.js`). What goes wrong with a command
    /// becomes that command's answer.
    #[napi(catch_unwind)]
    pub fn submit(&self, words: &[u32], word_count: u32, bytes: &[u8], byte_count: u32) {
        let words = words.get(..word_count as usize).unwrap_or_default();
        let bytes = bytes.get(..byte_count as usize).unwrap_or_default();
        self.with((), |open| open.cluster.submit(Submission::new(words, bytes)));
    }

    /// Copies the next batch of answers into the buffers; returns how many words it has. 0: no more;
    /// if `sleep` is set, `wake` will be called. -1: it does not fit, see `pendingWords` and
    /// `pendingBytes`.
    #[napi(catch_unwind)]
    pub fn take(
        &self,
        mut words: Uint32ArraySlice<'_>,
        mut bytes: Uint8ArraySlice<'_>,
        sleep: bool,
    ) -> i32 {
        // SAFETY: JavaScript stands still while it is in this call, so nobody else touches the
        // two arrays; they are distinct allocations of `js/channel.js`, and no reference to them
        // survives the call.
        let (words, bytes) = unsafe { (words.as_mut(), bytes.as_mut()) };
        self.with(0, |open| {
            let Some(tape) = open.completion.take_pending().or_else(|| open.cluster.take(sleep))
            else {
                return 0;
            };
            match open.completion.hand_over(tape, words, bytes) {
                Handed::TooSmall => -1,
                Handed::All(word_count, tape) => {
                    open.cluster.recycle(tape);
                    word_count as i32
                }
            }
        })
    }

    /// Words of the batch that did not fit.
    #[napi(catch_unwind)]
    pub fn pending_words(&self) -> u32 {
        self.with(0, |open| open.completion.pending().map_or(0, |tape| tape.words.len() as u32))
    }

    /// Bytes of the batch that did not fit.
    #[napi(catch_unwind)]
    pub fn pending_bytes(&self) -> u32 {
        self.with(0, |open| open.completion.pending().map_or(0, |tape| tape.bytes.len() as u32))
    }

    /// The next large string of the batch taken last, as a string.
    #[napi(catch_unwind)]
    pub fn take_large_string<'env>(&self, env: &'env Env) -> Result<JsString<'env>> {
        let bytes = self.next_large()?;
        if bytes.is_ascii() {
            return external_string(env, bytes);
        }
        env.create_string(String::from_utf8_lossy(&bytes))
    }

    /// The next large string of the batch taken last, as a Buffer. Not copied.
    #[napi(catch_unwind)]
    pub fn take_large_buffer(&self) -> Result<Buffer> {
        Ok(self.next_large()?.into())
    }

    /// Finds the cluster and connects to it; answered like a command.
    #[napi(catch_unwind)]
    pub fn connect(&self, ticket: u32) {
        self.with((), |open| open.cluster.connect(ticket));
    }

    /// Lets accepted commands finish, for `within_ms` at most if it is not negative, and closes;
    /// answered like a command.
    #[napi(catch_unwind)]
    pub fn close(&self, ticket: u32, within_ms: f64) {
        let within = Duration::try_from_secs_f64(within_ms / 1_000.0).ok();
        self.with((), |open| open.cluster.close(ticket, within));
    }

    /// Closes at once. Answers to all waiting commands can be taken when this returns.
    #[napi(catch_unwind)]
    pub fn destroy(&self) {
        self.with((), |open| open.cluster.destroy());
    }

    /// A number for the node at an address as servers announce it, for commands that are meant for it
    /// alone. Holds as long as the client.
    #[napi(catch_unwind)]
    pub fn destination(&self, host: String, port: u32) -> u32 {
        let port = u16::try_from(port).unwrap_or_default();
        self.with(u32::MAX, |open| open.cluster.destination(&host, port))
    }

    /// Asks for a connection of its own to the node with this number. What it returns is a destination,
    /// until it is released.
    #[napi(catch_unwind)]
    pub fn lease(&self, destination: u32) -> u32 {
        self.with(u32::MAX, |open| open.cluster.lease(destination))
    }

    /// Gives a lease back, after all commands for it were submitted. `clean`: others may have the
    /// connection; else it is closed.
    #[napi(catch_unwind)]
    pub fn release(&self, lease: u32, clean: bool) {
        self.with((), |open| open.cluster.release(lease, clean));
    }

    /// Gives up on a command that has not been written.
    #[napi(catch_unwind)]
    pub fn cancel(&self, ticket: u32) {
        self.with((), |open| open.cluster.cancel(ticket));
    }

    /// Learns the topology again, in the background.
    #[napi(catch_unwind)]
    pub fn refresh(&self) {
        self.with((), |open| open.cluster.refresh());
    }

    /// The topology in force, as JSON.
    #[napi(catch_unwind)]
    pub fn topology(&self) -> String {
        self.with(String::new(), |open| open.cluster.topology_json())
    }

    /// MOVED and ASK redirects followed since the last connect.
    #[napi(catch_unwind)]
    pub fn redirects(&self) -> Vec<f64> {
        let (moved, ask) = self.with((0, 0), |open| open.cluster.redirects());
        vec![moved as f64, ask as f64]
    }

    /// The user's `nodeAddressMap` has answered.
    #[napi(catch_unwind)]
    pub fn answer_address(&self, call: u32, host: Option<String>, port: u32) {
        let to = host.zip(u16::try_from(port).ok());
        self.with((), |open| open.cluster.address_mapped(call, to));
    }

    /// The user's `reconnectStrategy` has answered: a delay, or below 0 to give up.
    #[napi(catch_unwind)]
    pub fn answer_reconnect(&self, call: u32, delay_ms: f64, error_text: Option<String>) {
        let decision = match Duration::try_from_secs_f64(delay_ms / 1_000.0) {
            Ok(delay) => ReconnectDecision::After(delay),
            Err(_) => ReconnectDecision::GiveUp(error_text),
        };
        self.with((), |open| open.cluster.reconnect_decided(call, decision));
    }
}

impl NativeCluster {
    /// Runs `work`, or returns `otherwise` when the environment is on its way out.
    fn with<T>(&self, otherwise: T, work: impl FnOnce(&mut Open) -> T) -> T {
        match self.open.try_borrow_mut().as_deref_mut() {
            Ok(Some(open)) => work(open),
            _ => otherwise,
        }
    }

    fn next_large(&self) -> Result<Vec<u8>> {
        self.with(None, |open| open.completion.next_large())
            .ok_or_else(|| Error::from_reason("no large string is left in this batch"))
    }
}

/// A string whose memory is the engine's. Not copied.
fn external_string(env: &Env, bytes: Vec<u8>) -> Result<JsString<'_>> {
    let (data, length) = (bytes.as_ptr(), bytes.len());
    // V8 sees only a small object, and would wait long before it looks for garbage.
    env.adjust_external_memory(length as i64)?;
    let free = move |env: Env, bytes: Vec<u8>| {
        drop(bytes);
        // It fails only when the environment is on its way out, and then nobody counts any more.
        let _ = env.adjust_external_memory(-(length as i64));
    };
    // SAFETY: `data` points to the `length` bytes of `bytes`, which are ASCII, do not move when the
    // vector does, and live until `free` drops them, which V8 calls when the string is gone.
    unsafe { JsStringLatin1::from_external(env, data, length, bytes, free) }
        .map(JsStringLatin1::into_value)
}

fn internal(error: impl std::fmt::Display) -> Error<String> {
    Error::new("ERR_NATIVE".to_owned(), error.to_string())
}
