//! Every type, every split point, every limit.

use super::super::reply::Reply;
use super::*;
use proptest::prelude::*;

const SMALL: Limits = Limits { depth: 8, line: 64, blob: 1 << 20, elements: 1_000, frame: 1 << 20 };

/// Feeds `parts` one after the other and returns the tape of each whole value.
fn parse_parts(parts: &[&[u8]], limits: Limits) -> Result<Vec<(Tape, bool)>, ProtocolError> {
    let (mut parser, mut tape, mut done) = (Parser::new(limits), Tape::default(), Vec::new());
    for part in parts {
        let mut rest = *part;
        loop {
            match parser.parse(rest, &mut tape)? {
                Step::NeedMore => break,
                Step::Reply(used) => {
                    rest = &rest[used..];
                    done.push((std::mem::take(&mut tape), false));
                }
                Step::Push(used) => {
                    rest = &rest[used..];
                    done.push((std::mem::take(&mut tape), true));
                }
            }
            if rest.is_empty() {
                break;
            }
        }
    }
    Ok(done)
}

fn parse_one(bytes: &[u8]) -> Tape {
    let mut done = parse_parts(&[bytes], Limits::DEFAULT).unwrap();
    assert_eq!(done.len(), 1, "{:?}", String::from_utf8_lossy(bytes));
    done.remove(0).0
}

const EVERY_TYPE: &[&[u8]] = &[
    b"+OK\r\n",
    b"+\r\n",
    b"-ERR no\r\n",
    b":0\r\n",
    b":+7\r\n",
    b":-9223372036854775808\r\n",
    b"$0\r\n\r\n",
    b"$5\r\na\r\nbc\r\n",
    b"$2\r\n\xc3\xa4\r\n",
    b"$-1\r\n",
    b"*-1\r\n",
    b"*0\r\n",
    b"*2\r\n$1\r\na\r\n*1\r\n:1\r\n",
    b"_\r\n",
    b"#t\r\n",
    b"#f\r\n",
    b",3.25\r\n",
    b",-inf\r\n",
    b",nan\r\n",
    b"(-3492890328409238509324850943850943825024385\r\n",
    b"!5\r\nERR x\r\n",
    b"=7\r\ntxt:abc\r\n",
    b"%2\r\n+a\r\n:1\r\n+b\r\n%0\r\n",
    b"~3\r\n:1\r\n:1\r\n#t\r\n",
    b"|1\r\n+ttl\r\n:3600\r\n:42\r\n",
    b"*2\r\n|2\r\n+a\r\n*1\r\n:9\r\n+b\r\n:1\r\n:1\r\n|0\r\n:2\r\n",
];

#[test]
fn every_type_reads_as_what_it_is() {
    use Reply::*;
    let want = [
        Simple(b"OK"),
        Simple(b""),
        Error(b"ERR no"),
        Int(0),
        Int(7),
        Int(i64::MIN),
        Blob(b""),
        Blob(b"a\r\nbc"),
        Blob("ä".as_bytes()),
        Null,
        Null,
        Array(vec![]),
        Array(vec![Blob(b"a"), Array(vec![Int(1)])]),
        Null,
        Boolean(true),
        Boolean(false),
        Double(b"3.25"),
        Double(b"-inf"),
        Double(b"nan"),
        BigNumber(b"-3492890328409238509324850943850943825024385"),
        Error(b"ERR x"),
        Verbatim(b"txt:abc"),
        Map(vec![(Simple(b"a"), Int(1)), (Simple(b"b"), Map(vec![]))]),
        Set(vec![Int(1), Int(1), Boolean(true)]),
        Int(42),
        Array(vec![Int(1), Int(2)]),
    ];
    assert_eq!(EVERY_TYPE.len(), want.len());
    for (bytes, want) in EVERY_TYPE.iter().zip(want) {
        let tape = parse_one(bytes);
        assert_eq!(Reply::read(&tape), Some(want), "{:?}", String::from_utf8_lossy(bytes));
    }
}

#[test]
fn every_type_survives_a_split_at_every_byte() {
    let stream = EVERY_TYPE.concat();
    let whole = parse_parts(&[&stream], Limits::DEFAULT).unwrap();
    assert_eq!(whole.len(), EVERY_TYPE.len());
    let same = |parts: &[&[u8]]| {
        let got = parse_parts(parts, Limits::DEFAULT).unwrap();
        let pairs = got.iter().zip(&whole);
        got.len() == whole.len()
            && pairs.into_iter().all(|((a, _), (b, _))| {
                a.words == b.words && a.bytes == b.bytes && a.large == b.large
            })
    };
    for cut in 0..=stream.len() {
        assert!(same(&[&stream[..cut], &stream[cut..]]), "cut at {cut}");
    }
    let bytes: Vec<&[u8]> = stream.chunks(1).collect();
    assert!(same(&bytes), "byte by byte");
}

#[test]
fn a_push_is_told_from_a_reply() {
    let bytes = b">2\r\n+invalidate\r\n*1\r\n$1\r\nk\r\n+OK\r\n|1\r\n+a\r\n:1\r\n>1\r\n+x\r\n";
    let done = parse_parts(&[bytes], Limits::DEFAULT).unwrap();
    let pushes: Vec<bool> = done.iter().map(|(_, push)| *push).collect();
    assert_eq!(pushes, [true, false, true]);
}

#[test]
fn large_strings_stand_apart_from_the_payload() {
    for split in [1, 100, LARGE_FROM, LARGE_FROM + 9] {
        let text = vec![b'x'; LARGE_FROM];
        let mut bytes = format!("*2\r\n${}\r\n", text.len()).into_bytes();
        bytes.extend_from_slice(&text);
        bytes.extend_from_slice(b"\r\n+end\r\n");
        let done = parse_parts(&[&bytes[..split], &bytes[split..]], Limits::DEFAULT).unwrap();
        let tape = &done[0].0;
        assert_eq!((tape.bytes.as_slice(), tape.large.len()), (&b"end"[..], 1));
        let want = Reply::Array(vec![Reply::Blob(&text), Reply::Simple(b"end")]);
        assert_eq!(Reply::read(tape), Some(want));
    }
}

#[test]
fn whole_replies_can_be_taken_off_while_the_next_is_arriving() {
    let long = "y".repeat(LARGE_FROM);
    let second =
        format!("*3\r\n|1\r\n+a\r\n$3\r\nbcd\r\n$4\r\nefgh\r\n${}\r\n{long}\r\n+z\r\n", long.len());
    for cut in 0..60 {
        let (mut parser, mut tape, mut taken) =
            (Parser::new(Limits::DEFAULT), Tape::default(), Tape::default());
        assert_eq!(parser.parse(b"$5\r\nfirst\r\n", &mut tape), Ok(Step::Reply(11)));
        let end = tape.mark();
        let (start, rest) = second.as_bytes().split_at(cut);
        assert_eq!(parser.parse(start, &mut tape), Ok(Step::NeedMore));
        tape.drain_into(end, &mut taken);
        parser.on_drained(end);
        assert_eq!(parser.parse(rest, &mut tape), Ok(Step::Reply(rest.len())));
        assert_eq!(Reply::read(&taken), Some(Reply::Blob(b"first")));
        let items = [Reply::Blob(b"efgh"), Reply::Blob(long.as_bytes()), Reply::Simple(b"z")];
        assert_eq!(Reply::read(&tape), Some(Reply::Array(items.to_vec())), "cut at {cut}");
    }
}

#[test]
fn what_is_not_resp_is_named() {
    use ProtocolError::*;
    let number = |text: &str| BadNumber(text.to_owned());
    let too_large = |what, got, limit| TooLarge { what, got, limit };
    let cases: Vec<(&[u8], ProtocolError)> = vec![
        (b"HTTP/1.1 400 Bad Request\r\n", UnknownType(b'H')),
        (b"\r\n", UnknownType(b'\r')),
        (b"$abc\r\n", number("abc")),
        (b"$\r\n", number("")),
        (b"$-2\r\n", number("-2")),
        (b"$?\r\n", number("?")),
        (b"=-1\r\n", number("-1")),
        (b"%-1\r\n", number("-1")),
        (b":1.5\r\n", number("1.5")),
        (b":+-5\r\n", number("+-5")),
        (b":9223372036854775808\r\n", number("9223372036854775808")),
        (b",1,5\r\n", number("1,5")),
        (b"(12a\r\n", number("12a")),
        (b"#x\r\n", Malformed("boolean")),
        (b"_x\r\n", Malformed("null")),
        (b"=3\r\nabc\r\n", Malformed("verbatim string")),
        (b"$1\r\nabc", MissingCrlf),
        (b"+a\rb\r\n", MissingCrlf),
        (b"*1\r\n>1\r\n+x\r\n", NestedPush),
        (b"|1\r\n+k\r\n>1\r\n+x\r\n", NestedPush),
        (b"$9999999999\r\n", too_large("blob", 9_999_999_999, 1 << 20)),
        (b"*2147483647\r\n", too_large("aggregate", 2_147_483_647, 1_000)),
        (b"%2147483647\r\n", too_large("aggregate", 2_147_483_647, 1_000)),
        (b"$99999999999999999999\r\n", number("99999999999999999999")),
    ];
    for (bytes, want) in cases {
        let shown = String::from_utf8_lossy(bytes);
        assert_eq!(parse_parts(&[bytes], SMALL).err(), Some(want.clone()), "{shown:?}");
        let split: Vec<&[u8]> = bytes.chunks(1).collect();
        assert_eq!(parse_parts(&split, SMALL).err(), Some(want), "{shown:?} byte by byte");
    }
}

#[test]
fn limits_hold_however_the_bytes_arrive() {
    let deep = b"*1\r\n".repeat(100_000);
    assert_eq!(parse_parts(&[&deep], SMALL).err(), Some(ProtocolError::TooDeep(8)));
    let endless = [b"+".to_vec(), vec![b'a'; 200]].concat();
    for size in [1, 7, 201] {
        let parts: Vec<&[u8]> = endless.chunks(size).collect();
        let error = parse_parts(&parts, SMALL).err();
        assert_eq!(error, Some(ProtocolError::LineTooLong(64)), "parts of {size}");
    }
    // 600 elements of 4 KiB are each allowed; together they are not.
    let element = [b"$4096\r\n".to_vec(), vec![b'x'; 4_096], b"\r\n".to_vec()].concat();
    let long = [b"*600\r\n".to_vec(), element.repeat(600)].concat();
    let parts: Vec<&[u8]> = long.chunks(8_192).collect();
    let error = parse_parts(&parts, SMALL).err();
    assert!(matches!(error, Some(ProtocolError::TooLarge { what: "reply", .. })), "{error:?}");
}

#[test]
fn little_is_reserved_for_what_was_only_announced() {
    let (mut parser, mut tape) = (Parser::new(Limits::DEFAULT), Tape::default());
    let step = parser.parse(b"*100000000\r\n$1000000000\r\nabc", &mut tape).unwrap();
    assert_eq!(step, Step::NeedMore);
    assert!(tape.capacity() < 1_024, "{}", tape.capacity());
    assert!(tape.large[0].capacity() <= RESERVE_MAX, "{}", tape.large[0].capacity());
}

/// Writes a tree as RESP3.
fn write(reply: &Owned, out: &mut Vec<u8>) {
    let line = |out: &mut Vec<u8>, prefix: char, text: &str| {
        out.extend_from_slice(format!("{prefix}{text}\r\n").as_bytes());
    };
    match reply {
        Owned::Null => line(out, '_', ""),
        Owned::Int(value) => line(out, ':', &value.to_string()),
        Owned::Boolean(value) => line(out, '#', if *value { "t" } else { "f" }),
        Owned::Double(value) => line(out, ',', &value.to_string()),
        Owned::Blob(text) => {
            line(out, '$', &text.len().to_string());
            out.extend_from_slice(text);
            out.extend_from_slice(b"\r\n");
        }
        Owned::Array(items) => {
            line(out, '*', &items.len().to_string());
            items.iter().for_each(|item| write(item, out));
        }
        Owned::Map(pairs) => {
            line(out, '%', &pairs.len().to_string());
            pairs.iter().for_each(|(key, value)| {
                write(key, out);
                write(value, out);
            });
        }
    }
}

#[derive(Clone, Debug)]
enum Owned {
    Null,
    Int(i64),
    Boolean(bool),
    Double(i32),
    Blob(Vec<u8>),
    Array(Vec<Self>),
    Map(Vec<(Self, Self)>),
}

fn agrees(want: &Owned, got: &Reply<'_>) -> bool {
    match (want, got) {
        (Owned::Null, Reply::Null) => true,
        (Owned::Int(a), Reply::Int(b)) => a == b,
        (Owned::Boolean(a), Reply::Boolean(b)) => a == b,
        (Owned::Double(a), Reply::Double(b)) => a.to_string().as_bytes() == *b,
        (Owned::Blob(a), Reply::Blob(b)) => a == b,
        (Owned::Array(a), Reply::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| agrees(a, b))
        }
        (Owned::Map(a), Reply::Map(b)) => {
            let same = |((ak, av), (bk, bv)): (&(_, _), &(_, _))| agrees(ak, bk) && agrees(av, bv);
            a.len() == b.len() && a.iter().zip(b).all(same)
        }
        _ => false,
    }
}

fn any_reply() -> impl Strategy<Value = Owned> {
    let leaf = prop_oneof![
        Just(Owned::Null),
        any::<i64>().prop_map(Owned::Int),
        any::<bool>().prop_map(Owned::Boolean),
        any::<i32>().prop_map(Owned::Double),
        prop::collection::vec(any::<u8>(), 0..40).prop_map(Owned::Blob),
    ];
    leaf.prop_recursive(5, 64, 8, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..8).prop_map(Owned::Array),
            prop::collection::vec((inner.clone(), inner), 0..5).prop_map(Owned::Map),
        ]
    })
}

proptest! {
    #[test]
    fn any_reply_cut_anywhere_is_the_same_reply(
        reply in any_reply(),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
    ) {
        let mut bytes = Vec::new();
        write(&reply, &mut bytes);
        let mut places: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len())).collect();
        places.extend([0, bytes.len()]);
        places.sort_unstable();
        let parts: Vec<&[u8]> = places.windows(2).map(|pair| &bytes[pair[0]..pair[1]]).collect();
        let done = parse_parts(&parts, Limits::DEFAULT).unwrap();
        prop_assert_eq!(done.len(), 1);
        let got = Reply::read(&done[0].0).unwrap();
        prop_assert!(agrees(&reply, &got), "{:?} read as {:?}", reply, got);
    }

    #[test]
    fn no_bytes_make_it_panic(parts in prop::collection::vec(
        prop_oneof![
            prop::collection::vec(any::<u8>(), 0..20),
            "[-+:$*%~>|=!#_,(]-?[0-9]{0,3}(\r\n)?".prop_map(String::into_bytes),
        ], 0..40)) {
        let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
        let _ = parse_parts(&parts, SMALL);
    }
}
