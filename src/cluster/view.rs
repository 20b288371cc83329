//! The topology as those outside see it.

use crate::topology::{NodeIndex, Topology};
use std::fmt::Write;

/// `{ epoch, nodes: [{ id, host, port }], shards: [{ primary, replicas, ranges }] }`; nodes are
/// named by their place, ranges are pairs of first and last slot.
pub(crate) fn topology_json(topology: &Topology) -> String {
    let mut json = format!("{{\"epoch\":{},\"nodes\":[", topology.epoch);
    for (index, node) in topology.nodes.iter().enumerate() {
        let comma = if index == 0 { "" } else { "," };
        let (id, host, port) = (quote(&node.id), quote(node.addr.host()), node.addr.port());
        push(&mut json, format_args!("{comma}{{\"id\":{id},\"host\":{host},\"port\":{port}}}"));
    }
    json.push_str("],\"shards\":[");
    let mut ranges = vec![Vec::new(); topology.slots.shards().len()];
    for range in topology.slots.ranges() {
        ranges[usize::from(range.shard.0)].push([range.first.number(), range.last.number()]);
    }
    for (index, shard) in topology.slots.shards().iter().enumerate() {
        let comma = if index == 0 { "" } else { "," };
        let primary = shard.primary.0;
        let replicas: Vec<u16> = shard.replicas.iter().map(|NodeIndex(index)| *index).collect();
        let ranges = &ranges[index];
        let shard = format_args!(
            "{comma}{{\"primary\":{primary},\"replicas\":{replicas:?},\"ranges\":{ranges:?}}}"
        );
        push(&mut json, shard);
    }
    json.push_str("]}");
    json
}

fn push(json: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a string cannot fail.
    let _ = json.write_fmt(text);
}

/// A JSON string. Names come from servers: anything may be in them.
fn quote(text: &str) -> String {
    let mut quoted = String::from('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            '\0'..='\u{1f}' => push(&mut quoted, format_args!("\\u{:04x}", character as u32)),
            _ => quoted.push(character),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::topology::testing::topology;

    #[test]
    fn a_topology_as_json() {
        let topology = topology(&[(0, 5, &[1, 2]), (6, 6, &[3])]);
        let json = topology_json(&topology);
        assert!(json.starts_with("{\"epoch\":"), "{json}");
        let shards = "\"shards\":[{\"primary\":0,\"replicas\":[1],\"ranges\":[[0, 5]]},\
                      {\"primary\":2,\"replicas\":[],\"ranges\":[[6, 6]]}]}";
        assert!(json.ends_with(shards), "{json}");
    }

    #[test]
    fn names_cannot_break_out_of_their_quotes() {
        assert_eq!(quote("a\"b\\c\n\u{e4}"), "\"a\\\"b\\\\c\\u000a\u{e4}\"");
    }
}
