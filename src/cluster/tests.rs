//! The engine against a scripted node in the same thread: no JavaScript, no server.

use super::*;
use crate::command::Args;
use crate::config::{ClusterOptions, NodeOptions};
use crate::connection::Scratch;
use crate::resp::kind;
use std::future::Future;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::{LocalSet, spawn_local};

struct Nobody;

impl ReplySink for Nobody {
    fn wake(&self) {}
}

/// A cluster of one node at `port`.
fn cluster_at(port: u16) -> (Cluster, Driver) {
    let seed = NodeOptions {
        host: Some("127.0.0.1".to_owned()),
        port: Some(f64::from(port)),
        ..NodeOptions::default()
    };
    let options = ClusterOptions { seeds: vec![seed], ..ClusterOptions::default() };
    Cluster::new(ClusterConfig::try_from(options).unwrap(), Box::new(Nobody))
}

/// A node that owns all slots, answers the handshake, and keeps silent on everything else, of which
/// it tells `heard`.
async fn silent_node(listener: TcpListener, heard: Sender<()>) {
    let port = listener.local_addr().unwrap().port();
    loop {
        let (mut socket, _) = listener.accept().await.unwrap();
        let heard = heard.clone();
        spawn_local(async move {
            let mut bytes = vec![0; 4_096];
            while let Ok(count @ 1..) = socket.read(&mut bytes).await {
                let text = String::from_utf8_lossy(&bytes[..count]).into_owned();
                let answer = if text.contains("SLOTS") {
                    format!("*1\r\n*3\r\n:0\r\n:16383\r\n*2\r\n$9\r\n127.0.0.1\r\n:{port}\r\n")
                } else if text.contains("HELLO") {
                    "+OK\r\n".repeat(text.matches('*').count())
                } else {
                    heard.send(()).unwrap();
                    continue;
                };
                socket.write_all(answer.as_bytes()).await.unwrap();
            }
        });
    }
}

/// Every answer so far: ticket, and the failure's code or 0.
fn answers(cluster: &Cluster) -> Vec<(Ticket, u32)> {
    let mut answers = Vec::new();
    while let Some(tape) = cluster.take(true) {
        let mut rest = &tape.words[..];
        while let [ticket, word, ..] = rest {
            let is_failure = word & kind::MASK == kind::FAILURE;
            answers.push((*ticket, if is_failure { word >> kind::BITS } else { 0 }));
            rest = &rest[1 + value_len(&rest[1..])..];
        }
    }
    answers
}

/// How many words the value at the start takes.
fn value_len(words: &[u32]) -> usize {
    let (kind, len) = (words[0] & kind::MASK, (words[0] >> kind::BITS) as usize);
    let values = match kind {
        kind::ARRAY => len,
        kind::FAILURE => 1,
        _ => 0,
    };
    let own = if kind == kind::INT { 2 } else { 1 };
    (0..values).fold(own, |at, _| at + value_len(&words[at..]))
}

async fn until<T>(mut condition: impl FnMut() -> Option<T>) -> T {
    let waiting = async {
        loop {
            if let Some(value) = condition() {
                return value;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(5), waiting).await.expect("it never happened")
}

fn run_local(test: impl Future<Output = ()>) {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    LocalSet::new().block_on(&runtime.enable_all().build().unwrap(), test);
}

/// A connected cluster with one unanswered GET, ticket 7.
async fn with_a_command_in_flight() -> (Cluster, Receiver<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (mut cluster, driver) = cluster_at(listener.local_addr().unwrap().port());
    let (heard, hear) = channel();
    spawn_local(silent_node(listener, heard));
    spawn_local(drive(driver, Scratch::new()));
    cluster.connect(1);
    let connected = || answers(&cluster).contains(&(1, 0)).then_some(());
    until(connected).await;
    let args = Args::new(&[3, 1], b"GETk").unwrap();
    let get = Command {
        args,
        unit: None,
        key: Some(b"k"),
        readonly: None,
        timeout_ms: 0,
        response_timeout_ms: 0,
        destination: None,
    };
    cluster.submit(std::iter::once((7, get)));
    until(|| hear.try_recv().ok()).await;
    (cluster, hear)
}

#[test]
fn a_panic_on_the_io_thread_answers_what_was_in_flight() {
    for in_task in [true, false] {
        run_local(async move {
            let (cluster, _hear) = with_a_command_in_flight().await;
            cluster.shared.send(Control::Panic { in_task });
            let internal = Error::Internal(String::new()).code();
            let mut seen = Vec::new();
            until(|| {
                seen.extend(answers(&cluster));
                // The event comes last: whoever waits for an answer that got lost hears of it.
                matches!(seen.last(), Some((EVENT, _))).then_some(())
            })
            .await;
            assert_eq!(seen.iter().filter(|answer| **answer == (7, internal)).count(), 1);
        });
    }
}

#[test]
fn destroying_answers_before_it_returns() {
    run_local(async {
        let (cluster, _hear) = with_a_command_in_flight().await;
        cluster.destroy();
        assert!(answers(&cluster).contains(&(7, Error::Disconnected.code())));
    });
}

#[test]
fn dropping_ends_the_driver() {
    run_local(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (cluster, driver) = cluster_at(listener.local_addr().unwrap().port());
        let running = spawn_local(drive(driver, Scratch::new()));
        cluster.connect(1);
        drop(cluster);
        tokio::time::timeout(Duration::from_secs(5), running).await.unwrap().unwrap();
    });
}

#[test]
fn the_topology_read_from_a_node_is_in_force() {
    run_local(async {
        let (cluster, _hear) = with_a_command_in_flight().await;
        let json = cluster.topology_json();
        assert!(json.contains("\"ranges\":[[0, 16383]]"), "{json}");
    });
}
