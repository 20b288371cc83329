//! The two halves of a connected socket, behind one name for every kind of socket.
//!
//! Whoever writes holds the sending half by reference and from any thread, so writing is "as much
//! as fits now" ([`Writer::try_write`]); waiting for room is a separate step.

#[cfg(test)]
use super::simulated::Simulated;
use std::io::{self, IoSlice};
use std::pin::Pin;
#[cfg(test)]
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, ReadBuf};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};

/// The receiving half. Belongs to one task.
#[derive(Debug)]
pub(crate) enum Reader {
    /// Plain TCP.
    Tcp(OwnedReadHalf),
    /// A socket of a simulated network.
    #[cfg(test)]
    Simulated(Arc<dyn Simulated>),
}

/// The sending half. Shared by all who write.
#[derive(Debug)]
pub(crate) enum Writer {
    /// Plain TCP.
    Tcp(OwnedWriteHalf),
    /// A socket of a simulated network.
    #[cfg(test)]
    Simulated(Arc<dyn Simulated>),
}

/// Both halves of a plain TCP socket.
pub(crate) fn split(stream: TcpStream) -> (Reader, Writer) {
    let (reader, writer) = stream.into_split();
    (Reader::Tcp(reader), Writer::Tcp(writer))
}

impl Reader {
    /// Reads what is there, or arranges to be woken. Nothing in `space` means the end.
    pub(crate) fn poll_read(
        &mut self,
        context: &mut Context<'_>,
        space: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self {
            Self::Tcp(half) => Pin::new(half).poll_read(context, space),
            #[cfg(test)]
            Self::Simulated(socket) => socket.poll_read(context, space),
        }
    }
}

impl Writer {
    /// Writes as much as fits at this moment.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if nothing fits, or what is wrong with the socket.
    pub(crate) fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(half) => half.try_write(bytes),
            #[cfg(test)]
            Self::Simulated(socket) => socket.try_write(bytes),
        }
    }

    /// Like [`Writer::try_write`], for bytes in several places.
    ///
    /// # Errors
    ///
    /// As there.
    pub(crate) fn try_write_vectored(&self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        match self {
            Self::Tcp(half) => half.try_write_vectored(slices),
            #[cfg(test)]
            Self::Simulated(socket) => {
                socket.try_write(slices.first().map_or(&[][..], |slice| slice))
            }
        }
    }

    /// Waits until a write may take something, or fail. Only a hint.
    pub(crate) async fn writable(&self) {
        match self {
            // Its error is found by the write that follows.
            Self::Tcp(half) => drop(half.writable().await),
            #[cfg(test)]
            Self::Simulated(socket) => {
                std::future::poll_fn(|context| socket.poll_writable(context)).await;
            }
        }
    }

    /// Writes all of it, waiting as long as it takes.
    ///
    /// # Errors
    ///
    /// What is wrong with the socket.
    pub(crate) async fn write_all(&self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            match self.try_write(bytes) {
                Ok(count) => bytes = &bytes[count..],
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.writable().await,
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}
