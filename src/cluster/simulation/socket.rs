//! The client's end of a simulated connection, and the way to get one.

use super::agenda::{ConnectionId, Event};
use super::pipe::End;
use super::servers::State;
use super::world::{SharedWorld, World};
use crate::connection::ConnectError;
use crate::connection::simulated::{Dialer, Simulated};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::ReadBuf;
use tokio::time::sleep;

/// How soon a connection to a silent address is tried again. Systems take a second.
const SYN_AGAIN: Duration = Duration::from_millis(200);

#[derive(Debug)]
struct Socket {
    id: ConnectionId,
    world: SharedWorld,
}

impl Simulated for Socket {
    fn poll_read(
        &self,
        context: &mut Context<'_>,
        space: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.world.with(|world| {
            world.network.calls += 1;
            let fewer = world.random.one_in(4);
            let Some(connection) = world.network.get(self.id) else { return Poll::Ready(Ok(())) };
            let ready = connection.to_client.ready().min(space.remaining());
            if ready > 0 {
                let count = if fewer { 1 + world.random.index(ready) } else { ready };
                space.put_slice(&connection.to_client.take(count));
                return Poll::Ready(Ok(()));
            }
            match connection.to_client.reached_end() {
                Some(End::Finished) => Poll::Ready(Ok(())),
                Some(End::Reset) => Poll::Ready(Err(io::ErrorKind::ConnectionReset.into())),
                None => {
                    connection.reader = Some(context.waker().clone());
                    Poll::Pending
                }
            }
        })
    }

    fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        self.world.with(|world| {
            world.network.calls += 1;
            let capacity = world.network.speed.capacity;
            let delay = world.network.delay(&mut world.random);
            let Some(connection) = world.network.get(self.id) else {
                return Err(io::ErrorKind::NotConnected.into());
            };
            if connection.to_client.reached_end() == Some(End::Reset) {
                return Err(io::ErrorKind::BrokenPipe.into());
            }
            let room = connection.to_node.room(capacity).min(bytes.len());
            if room == 0 {
                return Err(io::ErrorKind::WouldBlock.into());
            }
            let count = if world.random.one_in(4) { 1 + world.random.index(room) } else { room };
            let at = connection.to_node.send(world.now + delay, &bytes[..count]);
            if let Some(at) = at {
                world.agenda.add(at, Event::ArriveAtNode(self.id), &mut world.random);
            }
            Ok(count)
        })
    }

    fn poll_writable(&self, context: &mut Context<'_>) -> Poll<()> {
        self.world.with(|world| {
            let capacity = world.network.speed.capacity;
            let Some(connection) = world.network.get(self.id) else { return Poll::Ready(()) };
            if connection.to_node.room(capacity) > 0 || connection.to_client.reached_end().is_some()
            {
                return Poll::Ready(());
            }
            connection.writer = Some(context.waker().clone());
            Poll::Pending
        })
    }
}

impl Drop for Socket {
    /// The client closes. What it has written may arrive all the same, or in part.
    fn drop(&mut self) {
        self.world.with(|world| {
            world.network.sockets -= 1;
            let lost = world.random.one_in(2);
            let Some(connection) = world.network.get(self.id) else { return };
            (connection.reader, connection.writer) = (None, None);
            connection.to_client.cut_short(End::Reset);
            match lost {
                true => connection.to_node.cut(End::Reset, &mut world.random),
                false => connection.to_node.finish(End::Finished),
            }
            world.note(format_args!("connection {} is closed by the client", self.id));
            world.later(0, Event::ArriveAtNode(self.id));
        });
    }
}

/// Connects to the nodes of `world`.
pub(super) fn dialer(world: SharedWorld) -> Dialer {
    Rc::new(move |host, port| {
        let (host, world) = (host.to_owned(), world.clone());
        Box::pin(async move {
            let delay = world.with(|world| {
                world.network.dials += 1;
                world.network.delay(&mut world.random)
            });
            sleep(Duration::from_millis(delay)).await;
            loop {
                match world.with(|world| attempt(world, &host, port)) {
                    Attempt::Connected(id) => {
                        let socket: Arc<dyn Simulated> = Arc::new(Socket { id, world });
                        return Ok(socket);
                    }
                    Attempt::Refused => return Err(refused(&host, port)),
                    Attempt::Silence => sleep(SYN_AGAIN).await,
                }
            }
        })
    })
}

enum Attempt {
    Connected(ConnectionId),
    Refused,
    Silence,
}

fn attempt(world: &mut World, host: &str, port: u16) -> Attempt {
    let node = world.servers.find(host, port);
    let Some(node) = node.filter(|node| world.servers.nodes[*node].state != State::Down) else {
        world.note(format_args!("{host}:{port} refuses"));
        return Attempt::Refused;
    };
    let muted = world.network.muted(node);
    if muted.to_client || muted.to_node {
        return Attempt::Silence;
    }
    let id = world.network.open(node);
    world.note(format_args!("connection {id} to node {node}"));
    Attempt::Connected(id)
}

fn refused(host: &str, port: u16) -> ConnectError {
    let ip = host.parse().unwrap_or(IpAddr::V4(std::net::Ipv4Addr::LOCALHOST));
    let error = io::ErrorKind::ConnectionRefused.into();
    ConnectError::Io { error, address: SocketAddr::new(ip, port) }
}
