//! Asks servers for the cluster's layout: over the connections there are, or on ones made for it.

use super::chance::random_below;
use super::dial::{Role, dial, greet, open_failure};
use super::routes::NodeLink;
use super::session::Session;
use crate::config::NodeConfig;
use crate::error::Error;
use crate::node_addr::NodeAddr;
use crate::resp::{Reply, Tape, encode_command};
use crate::topology::{View, parse_slots};
use std::rc::Rc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use tokio::time::sleep;

/// How long a server may keep the engine waiting before the next one is asked as well. A cluster in
/// another region answers in less than twice this; and to ask one more server is cheap.
const STAGGER: Duration = Duration::from_millis(50);

/// Somebody who can be asked on a connection of its own.
#[derive(Clone, Debug)]
pub(super) struct Source {
    pub(super) addr: NodeAddr,
    /// `None`: a discovered node, with the options of all of those.
    pub(super) seed: Option<NodeConfig>,
}

/// What came of asking several: answers as they arrive. Dropping it ends the asking.
pub(super) struct Answers {
    arriving: mpsc::Receiver<(NodeAddr, Result<View, Error>)>,
    _asking: Asking,
}

/// Tasks that end when nobody wants their answers any more.
struct Asking(Vec<AbortHandle>);

impl Answers {
    /// The next answer. `None`: all have answered.
    pub(super) async fn next(&mut self) -> Option<(NodeAddr, Result<View, Error>)> {
        self.arriving.recv().await
    }
}

impl Drop for Asking {
    fn drop(&mut self) {
        self.0.iter().for_each(AbortHandle::abort);
    }
}

impl Session {
    /// Asks each of the nodes at once, in line with their commands.
    pub(super) fn ask_links(
        self: &Rc<Self>,
        links: Vec<(NodeAddr, NodeLink)>,
        limit: Duration,
    ) -> Answers {
        let (arrived, arriving) = mpsc::channel(links.len().max(1));
        let asking = links
            .into_iter()
            .map(|(addr, link)| {
                let (session, arrived) = (Rc::clone(self), arrived.clone());
                self.spawn(async move {
                    let view = session.view_over(&addr, &link, limit).await;
                    drop(arrived.send((addr, view)).await);
                })
            })
            .collect();
        Answers { arriving, _asking: Asking(asking) }
    }

    /// Asks one after the other, the next one when the last has failed or takes its time.
    pub(super) fn ask_sources(self: &Rc<Self>, sources: Vec<Source>) -> Answers {
        let (arrived, arriving) = mpsc::channel(sources.len().max(1));
        let session = Rc::clone(self);
        let asking = self.spawn(async move {
            let (failed, mut failures) = mpsc::channel(sources.len().max(1));
            let mut asking = Asking(Vec::new());
            for source in sources {
                let (asker, arrived, failed) =
                    (Rc::clone(&session), arrived.clone(), failed.clone());
                asking.0.push(session.spawn(async move {
                    let view = asker.view_of(&source).await;
                    let has_failed = view.is_err();
                    drop(arrived.send((source.addr, view)).await);
                    if has_failed {
                        let _ = failed.send(()).await;
                    }
                }));
                tokio::select! {
                    biased;
                    _ = failures.recv() => {}
                    () = sleep(STAGGER) => {}
                }
            }
            // Ends with the last of them, or when nobody listens any more.
            drop((arrived, failed));
            while failures.recv().await.is_some() {}
        });
        Answers { arriving, _asking: Asking(vec![asking]) }
    }

    async fn view_over(
        &self,
        addr: &NodeAddr,
        link: &NodeLink,
        limit: Duration,
    ) -> Result<View, Error> {
        let slots = self.ask(link, &["CLUSTER", "SLOTS"], limit);
        let info = self.ask(link, &["CLUSTER", "INFO"], limit);
        let (slots, info) = tokio::join!(slots, info);
        let at = self.mapped(addr).await;
        self.read_view(&at, &slots?, info.ok().as_ref(), false)
    }

    /// What a server says of the cluster.
    ///
    /// Source: Redis Cluster specification, "Client first connection and handling of redirections".
    ///
    /// # Errors
    ///
    /// Why nothing usable came.
    async fn view_of(&self, Source { addr, seed }: &Source) -> Result<View, Error> {
        let at = if seed.is_some() { addr.clone() } else { self.mapped(addr).await };
        let config = seed.as_ref().unwrap_or(&self.shared.config.node);
        let mut exchange = dial(&at, config, &self.scratch).await?;
        greet(&mut exchange, &self.shared.config, config, Role::Source).await?;
        let mut question = Vec::new();
        encode_command(&mut question, &["CLUSTER", "SLOTS"]);
        let limit = config.connect_timeout;
        let slots = exchange.ask(&question, limit).await.map_err(open_failure)?;
        self.read_view(&at, &slots, None, seed.is_some())
    }

    fn read_view(
        &self,
        at: &NodeAddr,
        slots: &Tape,
        info: Option<&Tape>,
        is_seed: bool,
    ) -> Result<View, Error> {
        let reply = Reply::read(slots).unwrap_or(Reply::Null);
        if let Reply::Error(text) = reply {
            return Err(Error::Refused(String::from_utf8_lossy(text).into_owned()));
        }
        let next = self.shared.routes.load().topology.epoch + 1;
        let topology = parse_slots(&reply, at.host(), next)
            .map_err(|error| Error::Protocol(format!("CLUSTER SLOTS of {at}: {error}")))?;
        Ok(View { topology, config_epoch: info.and_then(config_epoch).unwrap_or(0), is_seed })
    }

    /// The seeds, from a random one on.
    pub(super) fn seeds(&self) -> Vec<Source> {
        let seeds = self.shared.config.seeds.iter();
        let mut sources: Vec<_> = seeds
            .map(|seed| Source { addr: seed.addr.clone(), seed: Some(seed.clone()) })
            .collect();
        let start = random_below(sources.len());
        sources.rotate_left(start);
        sources
    }
}

/// `cluster_current_epoch` of a reply to `CLUSTER INFO`.
fn config_epoch(info: &Tape) -> Option<u64> {
    let reply = Reply::read(info)?;
    let text = std::str::from_utf8(reply.as_bytes()?).ok()?;
    text.lines()
        .find_map(|line| line.trim_end().strip_prefix("cluster_current_epoch:")?.parse().ok())
}
