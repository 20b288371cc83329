//! Which commands keep their connection busy while they wait.

use super::args::Args;
use super::spec::Spec;

/// Whether the command, of which `spec` is known, may wait on the server for something to happen.
pub(crate) fn may_wait(spec: Spec, args: &Args<'_>) -> bool {
    spec.blocking() && (!is_any(args, &["XREAD", "XREADGROUP"]) || has_block(args))
}

/// Whether the command should wait on a connection of its own. Not WAIT and WAITAOF: they speak of
/// what their own connection has written.
pub(crate) fn needs_own_connection(spec: Spec, args: &Args<'_>) -> bool {
    !spec.module() && may_wait(spec, args) && !is_any(args, &["WAIT", "WAITAOF"])
}

fn is_any(args: &Args<'_>, names: &[&str]) -> bool {
    let is = |name: &[u8]| names.iter().any(|known| name.eq_ignore_ascii_case(known.as_bytes()));
    args.get(0).is_some_and(is)
}

/// Whether XREAD or XREADGROUP have BLOCK among their options. Keys and groups may have that name,
/// too.
fn has_block(args: &Args<'_>) -> bool {
    let mut rest = args.iter().skip(1);
    while let Some(option) = rest.next() {
        let is = |name: &str| option.eq_ignore_ascii_case(name.as_bytes());
        if is("BLOCK") {
            return true;
        }
        if is("STREAMS") {
            return false;
        }
        let values = match () {
            () if is("GROUP") => 2,
            () if is("COUNT") || is("CLAIM") => 1,
            () => 0,
        };
        for _ in 0..values {
            rest.next();
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::lookup;

    /// Whether it may wait, and whether it gets a connection for that.
    fn of(text: &str) -> (bool, bool) {
        let words: Vec<&str> = text.split(' ').collect();
        let lengths: Vec<u32> = words.iter().map(|word| word.len() as u32).collect();
        let bytes = words.concat();
        let args = Args::new(&lengths, bytes.as_bytes()).unwrap();
        let spec = lookup(words[0].as_bytes(), words.get(1).map(|word| word.as_bytes())).unwrap();
        (may_wait(spec, &args), needs_own_connection(spec, &args))
    }

    #[test]
    fn commands_that_wait() {
        let (both, shared, neither) = ((true, true), (true, false), (false, false));
        let cases = [
            ("BLPOP k 0", both),
            ("brpop k 0", both),
            ("BLMOVE a b LEFT RIGHT 0", both),
            ("BRPOPLPUSH a b 0", both),
            ("BLMPOP 0 1 k LEFT", both),
            ("BZPOPMIN k 0", both),
            ("BZPOPMAX k 0", both),
            ("BZMPOP 0 1 k MIN", both),
            ("XREAD BLOCK 0 STREAMS k $", both),
            ("xread COUNT 1 block 0 streams k $", both),
            ("XREADGROUP GROUP g c COUNT 1 BLOCK 5 NOACK STREAMS k >", both),
            ("XREADGROUP GROUP g c CLAIM 5 NOACK BLOCK 5 STREAMS k >", both),
            ("XREAD STREAMS BLOCK 0", neither),
            ("XREAD COUNT 1 STREAMS k 0", neither),
            ("XREADGROUP GROUP BLOCK c STREAMS k >", neither),
            ("XREADGROUP GROUP g BLOCK STREAMS k >", neither),
            ("XREAD", neither),
            ("WAIT 1 0", shared),
            ("waitaof 1 1 0", shared),
            ("LPOP k", neither),
            ("GET BLOCK", neither),
        ];
        for (text, want) in cases {
            assert_eq!(of(text), want, "{text}");
        }
    }
}
