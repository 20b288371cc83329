//! The seam for simulations: sockets that are no sockets, made by whoever simulates the network.
//!
//! Only in tests. A simulation installs a dialer on its thread; every connection that the engine
//! makes on that thread then goes there, and never to the system.

use super::socket::ConnectError;
use super::stream::{Reader, Writer};
use std::cell::RefCell;
use std::fmt::Debug;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::io::ReadBuf;

/// One end of a simulated connection. Dropping it closes it.
pub(crate) trait Simulated: Debug + Send + Sync {
    /// As [`Reader::poll_read`].
    fn poll_read(&self, context: &mut Context<'_>, space: &mut ReadBuf<'_>)
    -> Poll<io::Result<()>>;

    /// As [`Writer::try_write`].
    fn try_write(&self, bytes: &[u8]) -> io::Result<usize>;

    /// As [`Writer::writable`].
    fn poll_writable(&self, context: &mut Context<'_>) -> Poll<()>;
}

type Dialed = Pin<Box<dyn Future<Output = Result<Arc<dyn Simulated>, ConnectError>>>>;
/// Connects to host and port.
pub(crate) type Dialer = Rc<dyn Fn(&str, u16) -> Dialed>;

thread_local! {
    static DIALER: RefCell<Option<Dialer>> = const { RefCell::new(None) };
}

/// Sends all connections of this thread to `dialer`, or to the system again.
pub(crate) fn install(dialer: Option<Dialer>) {
    DIALER.with(|current| *current.borrow_mut() = dialer);
}

/// Connects through the simulation of this thread. `None`: there is none.
pub(super) fn dial(
    host: &str,
    port: u16,
) -> Option<impl Future<Output = Result<(Reader, Writer), ConnectError>> + use<>> {
    let dialer = DIALER.with(|current| current.borrow().clone())?;
    let dialed = dialer(host, port);
    Some(async move {
        let socket = dialed.await?;
        Ok((Reader::Simulated(Arc::clone(&socket)), Writer::Simulated(socket)))
    })
}
