//! Tests of the reader of `CLUSTER SLOTS`: forms that servers send, and forms that none should.

use proptest::prelude::*;

use super::*;
use crate::resp::Reply::{Array, Blob, Int, Map, Null, Simple};

fn node(host: &'static str, port: i64) -> Reply<'static> {
    Array(vec![Blob(host.as_bytes()), Int(port), Blob(b"id")])
}

fn range(first: i64, last: i64, nodes: Vec<Reply<'static>>) -> Reply<'static> {
    let mut range = vec![Int(first), Int(last)];
    range.extend(nodes);
    Array(range)
}

fn parse(ranges: Vec<Reply<'_>>) -> Result<Topology, TopologyError> {
    parse_slots(&Array(ranges), "asked", 7)
}

fn addresses(topology: &Topology) -> Vec<String> {
    topology.nodes.iter().map(|node| node.addr.to_string()).collect()
}

#[test]
fn a_shard_is_its_primary_whatever_ranges_it_has() {
    let topology = parse(vec![
        range(0, 99, vec![node("a", 1), node("a", 2)]),
        range(100, 199, vec![node("b", 1)]),
        range(200, 16_383, vec![node("a", 1), node("a", 2), node("a", 3), node("a", 1)]),
    ])
    .unwrap();
    assert_eq!(addresses(&topology), ["a:1", "a:2", "b:1", "a:3"]);
    let index = |numbers: &[u16]| numbers.iter().copied().map(NodeIndex).collect();
    let shards = [
        Shard { primary: NodeIndex(0), replicas: index(&[1, 3]) },
        Shard { primary: NodeIndex(2), replicas: index(&[]) },
    ];
    assert_eq!(topology.slots.shards(), shards);
    assert_eq!(topology.slots.covered(), Slot::COUNT);
    assert_eq!((topology.epoch, &*topology.nodes[0].id), (7, "id"));
}

#[test]
fn unknown_endpoints_mean_the_node_that_answered() {
    let metadata = |of: fn(Vec<(Reply<'static>, Reply<'static>)>) -> Reply<'static>| {
        of(vec![(Blob(b"ip"), Blob(b"10.0.0.9")), (Blob(b"hostname"), Blob(b"elsewhere"))])
    };
    let resp2 = metadata(|pairs| Array(pairs.into_iter().flat_map(|(k, v)| [k, v]).collect()));
    let cases = [
        (Null, resp2),
        (Null, metadata(Map)),
        (Blob(b""), Array(vec![])),
        (Blob(b"?"), Map(vec![])),
        (Simple(b"?"), Null),
    ];
    for (endpoint, metadata) in cases {
        let node = Array(vec![endpoint, Int(5), Blob(b"id"), metadata]);
        let topology = parse(vec![range(0, 0, vec![node.clone()])]).unwrap();
        assert_eq!(addresses(&topology), ["asked:5"], "{node:?}");
    }
}

#[test]
fn names_and_ipv6_are_hosts_and_ids_may_be_missing() {
    let old = Array(vec![Blob(b"10.0.0.1"), Int(65_535)]);
    let nodes = vec![node("redis-0.example", 1), node("2001:db8::1", 2), node("[::1]", 3), old];
    let topology = parse(vec![range(0, 16_383, nodes)]).unwrap();
    let want = ["redis-0.example:1", "2001:db8::1:2", "::1:3", "10.0.0.1:65535"];
    assert_eq!(addresses(&topology), want);
    assert_eq!((&*topology.nodes[0].id, &*topology.nodes[3].id), ("id", ""));
}

#[test]
fn slots_nobody_claims_stay_without_owner() {
    let topology = parse(vec![range(10, 10, vec![node("a", 1)])]).unwrap();
    assert_eq!(topology.slots.covered(), 1);
    assert_eq!(topology.slots.primary(Slot::new(9).unwrap()), None);
}

#[test]
fn every_deviation_has_its_error() {
    use TopologyError::{Malformed, Overlap, ReversedRange, SlotOutOfRange};
    let one = |reply| vec![reply];
    let with = |node| vec![range(0, 1, vec![node])];
    let port = |port: i64| TopologyError::Address(AddrError::Port(port.to_string()));
    let cases = [
        (vec![], TopologyError::Empty),
        (one(Int(1)), Malformed("a range with two slots and a primary")),
        (one(range(0, 1, vec![])), Malformed("a range with two slots and a primary")),
        (one(range(-1, 1, vec![node("a", 1)])), SlotOutOfRange(-1)),
        (one(range(0, 16_384, vec![node("a", 1)])), SlotOutOfRange(16_384)),
        (one(range(i64::MIN, i64::MAX, vec![node("a", 1)])), SlotOutOfRange(i64::MIN)),
        (one(range(9, 8, vec![node("a", 1)])), ReversedRange { first: 9, last: 8 }),
        (
            one(Array(vec![Blob(b"0"), Int(1), node("a", 1)])),
            Malformed("a slot that is an integer"),
        ),
        (with(Null), Malformed("a node with endpoint and port")),
        (with(Array(vec![Blob(b"a")])), Malformed("a node with endpoint and port")),
        (with(node("a", 0)), port(0)),
        (with(node("a", -7_000)), port(-7_000)),
        (with(node("a", 65_536)), port(65_536)),
        (with(Array(vec![Blob(b"a"), Blob(b"1")])), Malformed("a port that is an integer")),
        (with(node("a b", 1)), TopologyError::Address(AddrError::Host("a b".into()))),
        (with(Array(vec![Int(1), Int(1)])), Malformed("an endpoint that is text or null")),
        (with(Array(vec![Blob(b"\xff"), Int(1)])), Malformed("an endpoint that is text or null")),
        (with(Array(vec![Blob(b"a"), Int(1), Null])), Malformed("a node id that is text")),
        (vec![range(0, 9, vec![node("a", 1)]), range(9, 20, vec![node("b", 1)])], Overlap(9)),
        (vec![range(0, 9, vec![node("a", 1)]), range(0, 9, vec![node("a", 1)])], Overlap(0)),
    ];
    for (ranges, want) in cases {
        let shown = format!("{ranges:?}");
        assert_eq!(parse(ranges), Err(want), "{shown}");
    }
    let not_a_list = Malformed("an array of ranges");
    assert_eq!(parse_slots(&Blob(b"x"), "asked", 1), Err(not_a_list));
}

/// Replies that look enough like the real thing to get past the first checks.
fn any_reply() -> impl Strategy<Value = Reply<'static>> {
    let number = prop_oneof![-2i64..20, 16_380i64..16_390, 65_530i64..65_540, any::<i64>()];
    let leaf = prop_oneof![
        4 => number.prop_map(Int),
        2 => prop_oneof![Just("a"), Just("b"), Just("?"), Just(""), Just("::1"), Just("x y")]
            .prop_map(|text| Blob(text.as_bytes())),
        1 => prop_oneof![Just(Null), Just(Reply::Boolean(true)), Just(Reply::Error(b"ERR"))],
    ];
    leaf.prop_recursive(4, 64, 6, |inner| {
        prop_oneof![
            4 => proptest::collection::vec(inner.clone(), 0..6).prop_map(Array),
            1 => proptest::collection::vec((inner.clone(), inner), 0..3).prop_map(Map),
        ]
    })
}

/// Well-formed ranges, often overlapping.
fn any_view() -> impl Strategy<Value = Vec<Reply<'static>>> {
    let node =
        (prop_oneof![Just("a"), Just("b")], 1i64..4).prop_map(|(host, port)| node(host, port));
    let range = (0i64..16_384, 0i64..16_384, proptest::collection::vec(node, 1..4))
        .prop_map(|(one, other, nodes)| range(one.min(other), one.max(other), nodes));
    proptest::collection::vec(range, 1..5)
}

/// What holds for every topology, however it came about.
fn check(topology: &Topology) {
    let shards = topology.slots.shards();
    for (position, shard) in shards.iter().enumerate() {
        assert!(topology.node(shard.primary).is_some());
        assert!(shard.replicas.iter().all(|replica| topology.node(*replica).is_some()));
        assert!(!shard.replicas.contains(&shard.primary));
        assert!(shards[..position].iter().all(|other| other.primary != shard.primary));
    }
    let in_ranges: usize =
        topology.slots.ranges().map(|range| range.last.index() - range.first.index() + 1).sum();
    assert_eq!(in_ranges, topology.slots.covered());
}

proptest! {
    #[test]
    fn no_reply_makes_it_panic(reply in any_reply()) {
        if let Ok(topology) = parse_slots(&reply, "asked", 1) {
            check(&topology);
        }
    }

    #[test]
    fn a_view_is_whole_or_refused_for_overlap(view in any_view()) {
        match parse(view) {
            Ok(topology) => check(&topology),
            Err(error) => prop_assert!(matches!(error, TopologyError::Overlap(_))),
        }
    }
}
