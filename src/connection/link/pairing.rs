//! A link's queue while replies are being paired with requests, under the link's lock.

use crate::connection::pipeline::{Owner, Payload, Pipeline};

/// The queue while replies are being paired.
pub(in crate::connection) struct Pairing<'a, R> {
    pub(super) pipeline: &'a mut Pipeline<R>,
}

impl<R: Payload> Pairing<'_, R> {
    /// Whom the next reply belongs to.
    pub(in crate::connection) fn take_owner(&mut self) -> Owner<R> {
        self.pipeline.take_owner()
    }

    /// Says whether the next reply comes before the request's own.
    pub(in crate::connection) fn expects_prelude(&self) -> bool {
        self.pipeline.expects_prelude()
    }

    /// A copy of the bytes of the request whose turn it is.
    pub(in crate::connection) fn oldest_bytes(&self) -> Vec<u8> {
        self.pipeline.oldest_bytes()
    }
}
