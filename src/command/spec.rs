//! Facts about one command, found by its name.

use super::policy::{Plan, Policy, policy};
use super::spec_table::SPECS;

/// What a command is known to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Spec {
    flags: SpecFlags,
}

impl Spec {
    /// Whether a replica can answer: it has keys, does not write, and runs no script (which might).
    ///
    /// The rule is node-redis's `isReplicaSafe`; `scripts/generate-spec-table.mjs --check` compares
    /// the two for every command that both know.
    pub(crate) fn replica_safe(self) -> bool {
        !self.flags.has(SpecFlags::WRITE.with(SpecFlags::SCRIPT).with(SpecFlags::KEYLESS))
    }

    /// Whether it runs a script or a function.
    pub(crate) fn script(self) -> bool {
        self.flags.has(SpecFlags::SCRIPT)
    }

    /// Where it goes if not where its key is, and what its answers come to.
    pub(crate) fn policy(self) -> Option<&'static Policy> {
        policy((self.flags.0 >> SpecFlags::PLAN_SHIFT) as u8)
    }

    /// Whether it is a module's.
    pub(crate) fn module(self) -> bool {
        self.flags.has(SpecFlags::MODULE)
    }

    /// Whether it may wait on the server for something to happen.
    pub(crate) fn blocking(self) -> bool {
        self.flags.has(SpecFlags::BLOCKING)
    }

    /// Whether it only reads. Running it twice then does no harm.
    ///
    /// Narrower than [`Spec::replica_safe`]: `SPUBLISH` may go to a replica, but not twice.
    pub(crate) fn readonly(self) -> bool {
        self.flags.has(SpecFlags::READONLY)
    }
}

/// Whether a command may go to a replica. What its definition or its caller declares
/// (`IS_READ_ONLY` in node-redis) wins over the table, and an unknown command goes to the primary.
pub(crate) fn replica_safe(spec: Option<Spec>, declared: Option<bool>) -> bool {
    declared.unwrap_or_else(|| spec.is_some_and(Spec::replica_safe))
}

/// Finds a command by its name in any case. `subcommand` is its first argument, whatever that is:
/// it only counts where the command has subcommands, and an unknown one is the command itself.
///
/// `None` for commands of modules and servers that the table does not know. (`OBJECT|ENCODING` as
/// one word is found, too, which does not matter: every server refuses it.)
pub(crate) fn lookup(name: &[u8], subcommand: Option<&[u8]>) -> Option<Spec> {
    let hash = hash(START, name);
    let spec = find(hash, |known| known.eq_ignore_ascii_case(name))?;
    match subcommand {
        Some(subcommand) if spec.flags.has(SpecFlags::CONTAINER) => {
            let hash = hash_step(hash, SEPARATOR);
            let whole = |known: &[u8]| is_pair(known, name, subcommand);
            find(self::hash(hash, subcommand), whole).or(Some(spec))
        }
        _ => Some(spec),
    }
}

/// Stands between a command and its subcommand in the table, as in the server's own names.
const SEPARATOR: u8 = b'|';

fn is_pair(known: &[u8], name: &[u8], subcommand: &[u8]) -> bool {
    let rest =
        known.split_at_checked(name.len()).filter(|(head, _)| head.eq_ignore_ascii_case(name));
    let rest = rest.and_then(|(_, rest)| rest.strip_prefix(&[SEPARATOR]));
    rest.is_some_and(|rest| rest.eq_ignore_ascii_case(subcommand))
}

fn find(hash: u32, is_it: impl Fn(&[u8]) -> bool) -> Option<Spec> {
    let mut bucket = bucket(hash);
    loop {
        // An empty bucket holds a number past the end, where nothing is.
        let (name, flags) = SPECS.get(usize::from(INDEX[bucket]))?;
        if is_it(name.as_bytes()) {
            return Some(Spec { flags: *flags });
        }
        bucket = (bucket + 1) % BUCKETS;
    }
}

/// Buckets of the hash table: a power of two, some three times the entries, so that nearly every
/// name is found at the first look. Doubled, it would no longer fit half of a first-level cache.
const BUCKETS: usize = 2_048;

/// Marks an empty bucket.
const EMPTY: u16 = u16::MAX;

/// Position in the table by hash of the name. Collisions move on to the next bucket.
static INDEX: [u16; BUCKETS] = build_index();

const fn build_index() -> [u16; BUCKETS] {
    // An empty bucket is what ends a search in vain.
    assert!(SPECS.len() * 2 < BUCKETS);
    let mut index = [EMPTY; BUCKETS];
    let mut position = 0;
    while position < SPECS.len() {
        let mut bucket = bucket(hash(START, SPECS[position].0.as_bytes()));
        while index[bucket] != EMPTY {
            bucket = (bucket + 1) % BUCKETS;
        }
        index[bucket] = position as u16;
        position += 1;
    }
    index
}

/// A hash of no bytes yet: any odd number does.
const START: u32 = 5_381;

/// Same for both cases of a letter. Bernstein's hash: names are short, and a byte costs an addition
/// and a shift.
const fn hash(mut hash: u32, text: &[u8]) -> u32 {
    let mut position = 0;
    while position < text.len() {
        hash = hash_step(hash, text[position]);
        position += 1;
    }
    hash
}

const fn hash_step(hash: u32, byte: u8) -> u32 {
    hash.wrapping_mul(33) ^ byte.to_ascii_uppercase() as u32
}

/// The upper bits after multiplying with the golden ratio: the lower bits of the hash alone are
/// too much alike for names that begin alike.
const fn bucket(hash: u32) -> usize {
    (hash.wrapping_mul(0x9E37_79B1) >> (u32::BITS - BUCKETS.ilog2())) as usize
}

/// A set of facts, small enough for a table of hundreds of commands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SpecFlags(u16);

impl SpecFlags {
    /// None of the facts: the command has keys and neither reads nor writes data of theirs.
    pub(super) const NONE: Self = Self(0);
    /// Reads only.
    pub(super) const READONLY: Self = Self(1);
    /// May write.
    pub(super) const WRITE: Self = Self(1 << 1);
    /// Takes no keys.
    pub(super) const KEYLESS: Self = Self(1 << 2);
    /// May wait on the server for something to happen.
    pub(super) const BLOCKING: Self = Self(1 << 3);
    /// Runs a script or a function.
    pub(super) const SCRIPT: Self = Self(1 << 4);
    /// Has subcommands.
    pub(super) const CONTAINER: Self = Self(1 << 5);
    /// Is a module's.
    pub(super) const MODULE: Self = Self(1 << 6);

    /// Above the facts: the number of the plan.
    const PLAN_SHIFT: u32 = 8;

    /// The same facts, and a plan.
    pub(super) const fn spread(self, plan: Plan) -> Self {
        Self(self.0 | (plan as u16) << Self::PLAN_SHIFT)
    }

    /// Both sets together.
    pub(super) const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether any of `others` is in the set.
    const fn has(self, others: Self) -> bool {
        self.0 & others.0 != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_entry_is_found_in_any_case() {
        for (name, flags) in &SPECS {
            let lower = name.to_ascii_lowercase();
            for text in [*name, &lower] {
                let (command, subcommand) = match text.split_once('|') {
                    Some((command, subcommand)) => (command, Some(subcommand.as_bytes())),
                    None => (text, None),
                };
                let got = lookup(command.as_bytes(), subcommand);
                assert_eq!(got, Some(Spec { flags: *flags }), "{text}");
            }
        }
    }

    #[test]
    fn names_are_found_at_the_first_look_or_nearly() {
        let looks = |name: &str| {
            let first = bucket(hash(START, name.as_bytes()));
            let found = |bucket: usize| {
                SPECS.get(usize::from(INDEX[bucket % BUCKETS])).is_some_and(|(at, _)| *at == name)
            };
            (0..BUCKETS).find(|step| found(first + step)).unwrap() + 1
        };
        let all: Vec<usize> = SPECS.iter().map(|(name, _)| looks(name)).collect();
        assert!(all.iter().sum::<usize>() * 10 < all.len() * 13, "more than 1.3 looks per name");
        assert!(all.iter().all(|&looks| looks <= 8), "a name takes {:?} looks", all.iter().max());
    }

    #[test]
    fn questions_about_commands() {
        let of = |text: &str| {
            let (name, subcommand) = text
                .split_once(' ')
                .map_or((text, None), |(name, sub)| (name, Some(sub.as_bytes())));
            let spec = lookup(name.as_bytes(), subcommand).unwrap();
            [
                spec.replica_safe(),
                spec.readonly(),
                spec.flags.has(SpecFlags::KEYLESS),
                spec.flags.has(SpecFlags::BLOCKING),
                spec.flags.has(SpecFlags::SCRIPT),
            ]
        };
        let (t, f) = (true, false);
        let cases = [
            // replica safe, only reads, keyless, blocking, script
            ("GET", [t, t, f, f, f]),
            ("GET anything", [t, t, f, f, f]),
            ("mget", [t, t, f, f, f]),
            ("SET", [f, f, f, f, f]),
            ("BLPOP", [f, f, f, t, f]),
            ("xread", [t, t, f, t, f]),
            ("EVAL", [f, f, f, f, t]),
            ("EVAL_RO", [f, t, f, f, t]),
            ("FCALL", [f, f, f, f, t]),
            ("SPUBLISH", [t, f, f, f, f]),
            ("PUBLISH", [f, f, t, f, f]),
            ("DBSIZE", [f, t, t, f, f]),
            ("WAIT", [f, f, t, t, f]),
            ("OBJECT", [f, f, t, f, f]),
            ("object Encoding", [t, t, f, f, f]),
            ("OBJECT NONSENSE", [f, f, t, f, f]),
            ("XGROUP CREATE", [f, f, f, f, f]),
            ("CONFIG SET", [f, f, t, f, f]),
            ("JSON.GET", [t, t, f, f, f]),
            ("FT.SEARCH", [f, t, t, f, f]),
            ("FT.CURSOR READ", [f, f, t, f, f]),
        ];
        for (text, want) in cases {
            assert_eq!(of(text), want, "{text}");
        }
    }

    #[test]
    fn names_that_are_no_commands() {
        for name in ["", "GE", "GETT", "CONFIG|", "CONFIG GET", "|", "__proto__"] {
            assert_eq!(lookup(name.as_bytes(), None), None, "{name}");
        }
        assert_eq!(lookup(&[0xff; 1_000], Some(b"x")), None);
        let object = lookup(b"OBJECT", None);
        for subcommand in ["", "ENCODING|", "|ENCODING", "ENCODINGX"] {
            assert_eq!(lookup(b"OBJECT", Some(subcommand.as_bytes())), object, "{subcommand}");
        }
    }

    #[test]
    fn what_is_declared_wins() {
        let (get, set) = (lookup(b"GET", None), lookup(b"SET", None));
        let cases = [
            (get, None, true),
            (get, Some(false), false),
            (set, None, false),
            (set, Some(true), true),
            (None, None, false),
            (None, Some(true), true),
        ];
        for (spec, declared, want) in cases {
            assert_eq!(replica_safe(spec, declared), want, "{spec:?} {declared:?}");
        }
    }
}
