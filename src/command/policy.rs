//! Where commands go that are not one key's business, and what their answers come to.
//!
//! Source: Redis command tips (`request_policy`, `response_policy`), as `COMMAND` gives them.

/// Which nodes a command is sent to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Spread {
    /// To every node, replicas included if they are read from (`all_nodes`).
    AllNodes,
    /// To every primary (`all_shards`).
    AllPrimaries,
    /// In parts, one for each slot (`multi_shard`).
    BySlot(Groups),
    /// To one node, and never in parts: it does all or nothing.
    OneSlot(Groups),
}

/// How keys stand among the arguments: groups of a key and what belongs to it, from the first argument
/// behind the name on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Groups {
    /// Arguments per group, the key included.
    pub(crate) step: usize,
    /// Arguments behind the last group, which belong to all of them.
    pub(crate) tail: usize,
}

/// What several answers come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Gather {
    /// One of them, if all have succeeded (`all_succeeded`).
    AllSucceeded,
    /// The first that has succeeded (`one_succeeded`).
    OneSucceeded,
    /// Numbers added up (`agg_sum`).
    Sum,
    /// The smallest number; of arrays, in each place (`agg_min`).
    Min,
    /// The largest number; of arrays, in each place (`agg_max`).
    Max,
    /// Arrays of 0 and 1: in each place, whether all say 1 (`agg_logical_and`).
    And,
    /// Arrays and maps one behind the other, equal elements once.
    Merge,
    /// Arrays with one element per key, in the order of the keys.
    ByKey,
    /// One of those that are not null, by chance.
    AnyKey,
}

/// Both together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Policy {
    pub(crate) spread: Spread,
    pub(crate) gather: Gather,
}

impl Policy {
    const fn new(spread: Spread, gather: Gather) -> Self {
        Self { spread, gather }
    }
}

const KEYS: Groups = Groups { step: 1, tail: 0 };
const KEYS_AND_PATH: Groups = Groups { step: 1, tail: 1 };
const PAIRS: Groups = Groups { step: 2, tail: 0 };
const TRIPLETS: Groups = Groups { step: 3, tail: 0 };

/// Numbers of the policies in the command table. 0: none, it goes where its key is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Plan {
    AllNodesSucceed = 1,
    AllNodesSum,
    AllNodesMerge,
    AllShardsSucceed,
    AllShardsOne,
    AllShardsSum,
    AllShardsMin,
    AllShardsMax,
    AllShardsAnd,
    AllShardsMerge,
    AllShardsAnyKey,
    SplitKeysSum,
    SplitKeys,
    SplitKeysAndPath,
    SplitPairs,
    SplitTriplets,
    OnePairs,
}

/// By number, less one.
static POLICIES: [Policy; 17] = [
    Policy::new(Spread::AllNodes, Gather::AllSucceeded),
    Policy::new(Spread::AllNodes, Gather::Sum),
    Policy::new(Spread::AllNodes, Gather::Merge),
    Policy::new(Spread::AllPrimaries, Gather::AllSucceeded),
    Policy::new(Spread::AllPrimaries, Gather::OneSucceeded),
    Policy::new(Spread::AllPrimaries, Gather::Sum),
    Policy::new(Spread::AllPrimaries, Gather::Min),
    Policy::new(Spread::AllPrimaries, Gather::Max),
    Policy::new(Spread::AllPrimaries, Gather::And),
    Policy::new(Spread::AllPrimaries, Gather::Merge),
    Policy::new(Spread::AllPrimaries, Gather::AnyKey),
    Policy::new(Spread::BySlot(KEYS), Gather::Sum),
    Policy::new(Spread::BySlot(KEYS), Gather::ByKey),
    Policy::new(Spread::BySlot(KEYS_AND_PATH), Gather::ByKey),
    Policy::new(Spread::BySlot(PAIRS), Gather::AllSucceeded),
    Policy::new(Spread::BySlot(TRIPLETS), Gather::AllSucceeded),
    Policy::new(Spread::OneSlot(PAIRS), Gather::AllSucceeded),
];

/// The policy with this number; `None` for 0.
pub(super) fn policy(number: u8) -> Option<&'static Policy> {
    POLICIES.get(usize::from(number).checked_sub(1)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::lookup;

    #[test]
    fn plans_are_what_they_are_called() {
        let of = |plan: Plan| *policy(plan as u8).unwrap();
        let cases = [
            (Plan::AllNodesMerge, Spread::AllNodes, Gather::Merge),
            (Plan::AllShardsOne, Spread::AllPrimaries, Gather::OneSucceeded),
            (Plan::AllShardsAnyKey, Spread::AllPrimaries, Gather::AnyKey),
            (Plan::SplitKeysSum, Spread::BySlot(KEYS), Gather::Sum),
            (Plan::SplitKeysAndPath, Spread::BySlot(KEYS_AND_PATH), Gather::ByKey),
            (Plan::OnePairs, Spread::OneSlot(PAIRS), Gather::AllSucceeded),
        ];
        for (plan, spread, gather) in cases {
            assert_eq!(of(plan), Policy::new(spread, gather), "{plan:?}");
        }
        assert!(policy(0).is_none() && policy(Plan::OnePairs as u8 + 1).is_none());
    }

    #[test]
    fn commands_have_the_policies_that_servers_and_node_redis_name() {
        let of = |name: &str, sub: &str| {
            lookup(name.as_bytes(), Some(sub.as_bytes())).unwrap().policy().copied()
        };
        let cases = [
            ("CONFIG", "SET", Some((Spread::AllNodes, Gather::AllSucceeded))),
            ("CONFIG", "GET", None),
            ("SLOWLOG", "LEN", Some((Spread::AllNodes, Gather::Sum))),
            ("ping", "", Some((Spread::AllPrimaries, Gather::AllSucceeded))),
            ("DBSIZE", "", Some((Spread::AllPrimaries, Gather::Sum))),
            ("SCRIPT", "exists", Some((Spread::AllPrimaries, Gather::And))),
            ("WAIT", "1", Some((Spread::AllPrimaries, Gather::Min))),
            ("RANDOMKEY", "", Some((Spread::AllPrimaries, Gather::AnyKey))),
            ("KEYS", "*", Some((Spread::AllPrimaries, Gather::Merge))),
            ("UNLINK", "k", Some((Spread::BySlot(KEYS), Gather::Sum))),
            ("MGET", "k", Some((Spread::BySlot(KEYS), Gather::ByKey))),
            ("MSET", "k", Some((Spread::BySlot(PAIRS), Gather::AllSucceeded))),
            ("JSON.MGET", "k", Some((Spread::BySlot(KEYS_AND_PATH), Gather::ByKey))),
            ("JSON.MSET", "k", Some((Spread::BySlot(TRIPLETS), Gather::AllSucceeded))),
            ("MSETNX", "k", Some((Spread::OneSlot(PAIRS), Gather::AllSucceeded))),
            ("GET", "k", None),
            ("INFO", "", None),
            ("SCAN", "0", None),
        ];
        for (name, sub, want) in cases {
            let want = want.map(|(spread, gather)| Policy::new(spread, gather));
            assert_eq!(of(name, sub), want, "{name} {sub}");
        }
    }
}
