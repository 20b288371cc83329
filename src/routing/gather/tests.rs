use super::*;
use crate::command::Groups;
use crate::resp::{Limits, Parser, Reply, Step};
use crate::routing::split::split;

fn tape(text: &str) -> Tape {
    let mut tape = Tape::default();
    let parsed = Parser::new(Limits::DEFAULT).parse(text.as_bytes(), &mut tape).unwrap();
    assert_eq!(parsed, Step::Reply(text.len()), "{text:?}");
    tape
}

fn keys(names: &[&str]) -> Option<Split> {
    let mut args: Vec<&[u8]> = vec![b"MGET"];
    args.extend(names.iter().map(|name| name.as_bytes()));
    split(&args, Groups { step: 1, tail: 0 })
}

/// Gives the answers in the order given; says after how many the outcome was decided, and what it is.
fn gather(
    policy: Gather,
    split: Option<Split>,
    answers: &[(usize, &str)],
    chance: usize,
) -> (usize, Outcome) {
    let mut gathering = Gathering::new(policy, answers.len(), split.map(Arc::new));
    for (count, (part, answer)) in answers.iter().enumerate() {
        let mut tape = tape(answer);
        let (words, bytes) = (&tape.words[..], &tape.bytes[..]);
        let entry = Entry { words, bytes, large: &mut tape.large };
        if gathering.add(*part, entry) {
            return (count + 1, gathering.finish(chance));
        }
    }
    panic!("undecided after all answers");
}

fn assert_value(outcome: &Outcome, want: &str) {
    let Outcome::Value(got) = outcome else { panic!("{outcome:?}, not {want:?}") };
    let want = tape(want);
    assert_eq!(Reply::read(got), Reply::read(&want));
    assert_eq!((&got.words, &got.bytes, &got.large), (&want.words, &want.bytes, &want.large));
}

#[test]
fn all_succeeded_is_the_first_in_order() {
    let answers = [(1, "+one\r\n"), (2, "+two\r\n"), (0, "+zero\r\n")];
    let (after, outcome) = gather(Gather::AllSucceeded, None, &answers, 0);
    assert_eq!(after, 3);
    assert_value(&outcome, "+zero\r\n");
}

#[test]
fn the_first_error_decides_at_once_unless_the_command_was_split() {
    let answers = [(1, ":1\r\n"), (2, "-ERR two\r\n"), (0, "-ERR zero\r\n")];
    let (after, outcome) = gather(Gather::Sum, None, &answers, 0);
    assert_eq!(after, 2);
    assert_value(&outcome, "-ERR two\r\n");

    let split = keys(&["a", "b", "c", "{a}2"]);
    let failed: Vec<u32> =
        [2, 0].iter().flat_map(|p| split.as_ref().unwrap().groups(*p)).copied().collect();
    let (after, outcome) = gather(Gather::Sum, split, &answers, 0);
    assert_eq!(after, 3);
    let Outcome::Failed(error, mut groups) = outcome else { panic!("{outcome:?}") };
    assert_eq!(Reply::read(&error), Some(Reply::Error(b"ERR two")));
    let mut want = failed;
    want.sort_unstable();
    groups.sort_unstable();
    assert_eq!(groups, want);
}

#[test]
fn one_success_is_enough_and_else_the_first_error_in_order() {
    let answers = [(1, "-ERR one\r\n"), (2, "+OK\r\n"), (0, "-ERR zero\r\n")];
    let (after, outcome) = gather(Gather::OneSucceeded, None, &answers, 0);
    assert_eq!(after, 2);
    assert_value(&outcome, "+OK\r\n");
    let answers = [(1, "-ERR one\r\n"), (0, "-ERR zero\r\n"), (2, "-ERR two\r\n")];
    let (after, outcome) = gather(Gather::OneSucceeded, None, &answers, 0);
    assert_eq!(after, 3);
    assert_value(&outcome, "-ERR zero\r\n");
}

#[test]
fn arrays_are_put_together_and_equal_strings_are_there_once() {
    let answers = [
        (1, "*3\r\n$1\r\nb\r\n$1\r\na\r\n*1\r\n:1\r\n"),
        (0, "*3\r\n$1\r\na\r\n:1\r\n*1\r\n:1\r\n"),
        (2, "*0\r\n"),
    ];
    let (_, outcome) = gather(Gather::Merge, None, &answers, 0);
    assert_value(&outcome, "*5\r\n$1\r\na\r\n:1\r\n*1\r\n:1\r\n$1\r\nb\r\n*1\r\n:1\r\n");
    let maps = [(0, "%1\r\n+a\r\n:1\r\n"), (1, "%2\r\n+b\r\n:2\r\n+a\r\n:3\r\n")];
    let (_, outcome) = gather(Gather::Merge, None, &maps, 0);
    assert_value(&outcome, "%3\r\n+a\r\n:1\r\n+b\r\n:2\r\n+a\r\n:3\r\n");
    // One alone is as it is, whatever it is.
    let (_, outcome) = gather(Gather::Merge, None, &[(0, "+OK\r\n")], 0);
    assert_value(&outcome, "+OK\r\n");
    let (_, outcome) = gather(Gather::Merge, None, &[(0, "*0\r\n"), (1, "+OK\r\n")], 0);
    assert!(matches!(&outcome, Outcome::Value(tape) if tape.words[0] & kind::MASK == kind::ERROR));
}

#[test]
fn any_key_but_null() {
    let answers = [(0, "_\r\n"), (1, "$1\r\na\r\n"), (2, "$1\r\nb\r\n")];
    for (chance, want) in [(0, "$1\r\na\r\n"), (1, "$1\r\nb\r\n"), (2, "$1\r\na\r\n")] {
        assert_value(&gather(Gather::AnyKey, None, &answers, chance).1, want);
    }
    assert_value(&gather(Gather::AnyKey, None, &[(0, "_\r\n"), (1, "_\r\n")], 1).1, "_\r\n");
}

#[test]
fn elements_come_where_their_keys_are() {
    let names = ["a", "b", "{a}2", "c", "{b}2"];
    let large = "x".repeat(70_000);
    let value = |name: &str| match name {
        "c" => "_\r\n".to_owned(),
        "b" => format!("${}\r\n{large}\r\n", large.len()),
        name => format!("${}\r\n{name}\r\n", name.len()),
    };
    let split = keys(&names);
    let mut answers: Vec<(usize, String)> = split
        .as_ref()
        .unwrap()
        .parts()
        .enumerate()
        .map(|(part, (_, groups))| {
            let values: String = groups.iter().map(|group| value(names[*group as usize])).collect();
            (part, format!("*{}\r\n{values}", groups.len()))
        })
        .collect();
    answers.reverse();
    let answers: Vec<(usize, &str)> =
        answers.iter().map(|(part, text)| (*part, &text[..])).collect();
    let want: String = names.iter().map(|name| value(name)).collect();
    let (_, outcome) = gather(Gather::ByKey, split, &answers, 0);
    assert_value(&outcome, &format!("*5\r\n{want}"));

    let answers = [(0, "*1\r\n+x\r\n"), (1, "*2\r\n+x\r\n+y\r\n"), (2, "*0\r\n")];
    let (_, outcome) = gather(Gather::ByKey, keys(&["a", "b", "c"]), &answers, 0);
    assert!(matches!(&outcome, Outcome::Value(tape) if tape.words[0] & kind::MASK == kind::ERROR));
}
