//! A transaction on its way down: what must be known of it as a whole, and its bytes.
//!
//! It is one request. MULTI, its commands and EXEC are one write unit, EXEC's reply is the answer, and
//! what sends one command elsewhere sends all of them: a server that refuses to queue a command
//! discards the rest.

use super::describe::{ARGUMENT_OVERHEAD, nameless};
use super::request::Request;
use crate::command::{self, Spec, Unit};
use crate::error::Error;
use crate::resp::{encode_command, push_argument, push_header};
use crate::routing::Subject;
use crate::slot::Slot;

/// MULTI and EXEC.
const FRAME: usize = 29;
/// Of a key that is shown in an error.
const SHOWN_KEY: usize = 64;

/// Replies to MULTI and what is queued come before EXEC's.
pub(super) fn steps(unit: &Unit<'_>) -> u32 {
    unit.len() + 1
}

/// What routing and later decisions need to know. It only reads, and a replica may have it, if that
/// holds for each of its commands.
///
/// # Errors
///
/// A command without a name; keys in several slots, which no server would accept.
pub(super) fn describe(unit: &Unit<'_>, key: Option<&[u8]>) -> Result<(Subject, u16), Error> {
    if most_bytes(unit) > u32::MAX as usize {
        return Err(Error::Refused("ERR a transaction can have 4 GiB".to_owned()));
    }
    let key = key.or_else(|| unit.parts().find_map(|part| part.key));
    let slot = key.map(Slot::of_key);
    let (mut readonly, mut replica_safe) = (true, true);
    for part in unit.parts() {
        let Some(name) = part.args.get(0) else { return Err(nameless()) };
        let spec = command::lookup(name, part.args.get(1));
        readonly &= spec.is_some_and(Spec::readonly);
        replica_safe &= command::replica_safe(spec, part.readonly);
        if let (Some(all), Some(own)) = (key, part.key)
            && own != all
            && Some(Slot::of_key(own)) != slot
        {
            return Err(cross_slot(all, own));
        }
    }
    // No SCRIPT and no BLOCKING: what a script says stands inside of EXEC's reply, and nothing that is
    // queued waits.
    let flags = if readonly { Request::READONLY } else { 0 }
        | if replica_safe { Request::REPLICA } else { 0 };
    Ok((Subject { slot, replica_safe }, flags))
}

/// Appends MULTI, the commands and EXEC.
pub(super) fn encode(out: &mut Vec<u8>, unit: &Unit<'_>) {
    out.reserve(most_bytes(unit));
    encode_command(out, &["MULTI"]);
    for part in unit.parts() {
        push_header(out, part.args.len());
        part.args.iter().for_each(|argument| push_argument(out, argument));
    }
    encode_command(out, &["EXEC"]);
}

fn most_bytes(unit: &Unit<'_>) -> usize {
    FRAME + unit.byte_len() + ARGUMENT_OVERHEAD * unit.most_strings()
}

/// Begins with what a server says to one command with such keys.
fn cross_slot(one: &[u8], other: &[u8]) -> Error {
    let show = |key: &[u8]| {
        let shown = String::from_utf8_lossy(&key[..key.len().min(SHOWN_KEY)]).into_owned();
        format!("{shown:?} is in slot {}", Slot::of_key(key).number())
    };
    Error::Refused(format!(
        "CROSSSLOT Keys in request don't hash to the same slot: {}, {}. All keys of a transaction \
         need the same hash tag, as {{tag}}a and {{tag}}b have",
        show(one),
        show(other),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each command: its flags, its arguments; the second argument is the key.
    fn with_unit<T>(commands: &[(u32, &[&str])], test: impl FnOnce(&Unit<'_>) -> T) -> T {
        let (mut words, mut bytes) = (Vec::new(), Vec::new());
        for (flags, args) in commands {
            words.extend([args.len() as u32 | flags << 24, 1]);
            words.extend(args.iter().map(|arg| arg.len() as u32));
            args.iter().for_each(|arg| bytes.extend_from_slice(arg.as_bytes()));
        }
        let (unit, ..) = Unit::cut(commands.len() as u32, (&words, &bytes)).unwrap();
        test(&unit)
    }

    fn described(
        commands: &[(u32, &[&str])],
        key: Option<&str>,
    ) -> Result<(Option<u16>, u16), String> {
        let described = with_unit(commands, |unit| describe(unit, key.map(str::as_bytes)));
        described
            .map(|(subject, flags)| (subject.slot.map(Slot::number), flags))
            .map_err(|error| error.to_string())
    }

    #[test]
    fn it_is_what_all_of_its_commands_are() {
        let (reading, replica) = (Request::READONLY, Request::REPLICA);
        type Case<'a> = (&'a [(u32, &'a [&'a str])], Option<u16>, u16);
        let cases: &[Case<'_>] = &[
            (&[], None, reading | replica),
            (&[(0, &["GET", "a"])], Some(15_495), reading | replica),
            (&[(2, &["GET", "a"])], Some(15_495), reading),
            (&[(0, &["GET", "a"]), (0, &["SET", "a"])], Some(15_495), 0),
            (&[(0, &["GET", "a"]), (1, &["EVAL", "a"])], Some(15_495), replica),
            (&[(0, &["PING"]), (0, &["GET", "a"])], Some(15_495), 0),
            (&[(0, &["PING"])], None, 0),
            (&[(0, &["NOBODY.KNOWS", "a"])], Some(15_495), 0),
        ];
        for (commands, slot, flags) in cases {
            assert_eq!(described(commands, None), Ok((*slot, *flags)), "{commands:?}");
        }
        assert_eq!(described(&[(0, &["PING"])], Some("a")), Ok((Some(15_495), 0)));
    }

    #[test]
    fn keys_of_several_slots_are_refused_by_name() {
        let other = "x".repeat(SHOWN_KEY) + "y";
        let commands: &[(u32, &[&str])] = &[(0, &["GET", "a{t}"]), (0, &["GET", &other])];
        let text = described(commands, None).unwrap_err();
        assert!(text.contains("CROSSSLOT Keys in request"), "{text}");
        assert!(text.contains("\"a{t}\" is in slot 15891"), "{text}");
        assert!(text.contains(&other[..SHOWN_KEY]) && !text.contains(&other), "{text}");
        assert!(described(&[(0, &["GET", "a"])], Some("b")).is_err());
        assert!(described(&[(0, &["GET", "a{t}"]), (0, &["GET", "b{t}"])], Some("t")).is_ok());
        assert!(described(&[(0, &[])], None).unwrap_err().contains("needs a name"));
    }

    #[test]
    fn the_bytes_are_one_unit() {
        let commands: &[(u32, &[&str])] = &[(0, &["SET", "k", "v"]), (0, &["PING"])];
        let want = b"*1\r\n$5\r\nMULTI\r\n*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\nv\r\n*1\r\n$4\r\nPING\r\n*1\r\n$4\r\nEXEC\r\n";
        with_unit(commands, |unit| {
            let mut out = b"before".to_vec();
            encode(&mut out, unit);
            assert_eq!(out[6..], want[..]);
            assert!(most_bytes(unit) >= want.len());
            assert_eq!(steps(unit), 3);
        });
        with_unit(&[], |unit| {
            let mut out = Vec::new();
            encode(&mut out, unit);
            assert_eq!(out.len(), FRAME);
        });
    }
}
