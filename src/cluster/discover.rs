//! Asks a server for the cluster's layout, on a connection of its own.

use super::chance::random_below;
use super::dial::{dial, greet, open_failure};
use super::session::Session;
use crate::config::NodeConfig;
use crate::error::Error;
use crate::node_addr::NodeAddr;
use crate::resp::{Reply, encode_command};
use crate::topology::{Topology, parse_slots};
use std::rc::Rc;

impl Session {
    /// What the node at `at` says of the cluster.
    ///
    /// Source: Redis Cluster specification, "Client first connection and handling of redirections".
    ///
    /// # Errors
    ///
    /// Why nothing usable came.
    pub(super) async fn ask_for_topology(
        &self,
        at: &NodeAddr,
        config: &NodeConfig,
    ) -> Result<Topology, Error> {
        let mut exchange = dial(at, config, &self.scratch).await?;
        greet(&mut exchange, &self.shared.config, config, false).await?;
        let mut question = Vec::new();
        encode_command(&mut question, &["CLUSTER", "SLOTS"]);
        let limit = config.connect_timeout;
        let tape = exchange.ask(&question, limit).await.map_err(open_failure)?;
        let reply = Reply::read(&tape).unwrap_or(Reply::Null);
        if let Reply::Error(text) = reply {
            return Err(Error::Refused(String::from_utf8_lossy(text).into_owned()));
        }
        let next = self.shared.routes.load().topology.epoch + 1;
        parse_slots(&reply, at.host(), next)
            .map_err(|error| Error::Protocol(format!("CLUSTER SLOTS of {at}: {error}")))
    }

    /// Finds the cluster by its seeds, in random order, and connects to its nodes.
    ///
    /// # Errors
    ///
    /// [`Error::SeedsUnavailable`] with what happened at each.
    pub(super) async fn connect(self: &Rc<Self>) -> Result<(), Error> {
        let seeds = &self.shared.config.seeds;
        let start = random_below(seeds.len());
        let mut failures = Vec::new();
        for position in 0..seeds.len() {
            let seed = &seeds[(start + position) % seeds.len()];
            let outcome = match self.ask_for_topology(&seed.addr, seed).await {
                Ok(topology) => {
                    self.publish(topology);
                    self.first_connections().await
                }
                Err(error) => Err(error),
            };
            let Err(error) = outcome else { return Ok(()) };
            self.shared.tell(&super::events::Event::SeedError(&error));
            failures.push((seed.addr.to_string(), error));
        }
        Err(Error::SeedsUnavailable(failures))
    }
}
