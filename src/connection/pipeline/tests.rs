//! The pipeline driven by hand, and by random operations against a simple model.

use super::*;
use proptest::prelude::*;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Letter {
    byte: u8,
    len: usize,
    preludes: u32,
    steps: u32,
    abandoned: bool,
}

impl Payload for Letter {
    fn wire_len(&self) -> usize {
        self.len
    }
    fn preludes(&self) -> u32 {
        self.preludes
    }
    fn steps(&self) -> u32 {
        self.steps
    }
    fn is_users(&self) -> bool {
        !self.abandoned
    }
}

fn letter(byte: u8, len: usize) -> Letter {
    Letter { byte, len, preludes: 0, steps: 0, abandoned: false }
}

fn bytes_of(letters: &[Letter]) -> Vec<u8> {
    letters.iter().flat_map(|letter| vec![letter.byte; letter.len]).collect()
}

fn enqueue(pipeline: &mut Pipeline<Letter>, letters: &[Letter]) {
    pipeline.enqueue(bytes_of(letters), letters.iter().copied());
}

/// Claims everything and writes `count` bytes of it.
fn write(pipeline: &mut Pipeline<Letter>, count: usize) -> Vec<u8> {
    let mut claims = Vec::new();
    assert!(pipeline.claim(&mut claims));
    let mut bytes: Vec<u8> = claims.iter().flat_map(|claim| claim.bytes().to_vec()).collect();
    bytes.truncate(count);
    drop(claims);
    pipeline.wrote(bytes.len());
    bytes
}

#[test]
fn bytes_leave_once_and_replies_come_back_in_order() {
    let mut pipeline = Pipeline::new();
    let [a, b, c] = [letter(b'a', 3), letter(b'b', 2), letter(b'c', 4)];
    enqueue(&mut pipeline, &[a, b]);
    enqueue(&mut pipeline, &[c]);
    assert_eq!(write(&mut pipeline, 4), b"aaab");
    assert_eq!(pipeline.take_owner(), Owner::Request(a));
    // Half of `b` is out: no reply can be its.
    assert_eq!(pipeline.take_owner(), Owner::Nobody);
    assert_eq!(write(&mut pipeline, 100), b"bcccc");
    assert_eq!(pipeline.oldest_bytes(), b"bb");
    assert_eq!(pipeline.take_owner(), Owner::Request(b));
    assert_eq!(pipeline.take_owner(), Owner::Request(c));
    assert_eq!(pipeline.take_owner(), Owner::Nobody);
    assert!(pipeline.chunks.is_empty());
    assert!(pipeline.take_spare().capacity() > 0);
}

#[test]
fn a_second_writer_is_turned_away_until_the_first_is_done() {
    let mut pipeline = Pipeline::new();
    enqueue(&mut pipeline, &[letter(b'a', 2)]);
    let mut claims = Vec::new();
    assert!(pipeline.claim(&mut claims));
    enqueue(&mut pipeline, &[letter(b'b', 2)]);
    assert!(!pipeline.claim(&mut claims));
    // The reply may be read before the writer comes back to say that it wrote.
    assert_eq!(pipeline.take_owner(), Owner::Request(letter(b'a', 2)));
    assert!(pipeline.wrote(2), "the second request is still to be written");
    assert_eq!(write(&mut pipeline, 2), b"bb");
}

#[test]
fn a_prelude_is_swallowed() {
    let mut pipeline = Pipeline::new();
    let asked = Letter { preludes: 1, ..letter(b'a', 5) };
    enqueue(&mut pipeline, &[asked]);
    write(&mut pipeline, 5);
    assert_eq!(pipeline.take_owner(), Owner::Prelude(None));
    assert_eq!(pipeline.take_owner(), Owner::Request(asked));
}

#[test]
fn steps_are_answered_while_the_request_is_still_being_written() {
    let mut pipeline = Pipeline::new();
    let unit = Letter { preludes: 3, steps: 2, ..letter(b'a', 9) };
    enqueue(&mut pipeline, &[unit, letter(b'b', 2)]);
    assert_eq!(pipeline.take_owner(), Owner::Nobody, "not a byte is out");
    write(&mut pipeline, 4);
    let owners: Vec<_> = (0..3).map(|_| pipeline.take_owner()).collect();
    assert_eq!(owners, [None, Some(0), Some(1)].map(Owner::Prelude));
    assert_eq!(pipeline.take_owner(), Owner::Nobody, "it has not been sent to its end");
    assert_eq!(pipeline.byte_len(), 11);
    write(&mut pipeline, 100);
    assert_eq!(pipeline.take_owner(), Owner::Request(unit));
    assert_eq!(pipeline.take_owner(), Owner::Request(letter(b'b', 2)));
    enqueue(&mut pipeline, &[unit]);
    write(&mut pipeline, 100);
    assert_eq!(pipeline.take_owner(), Owner::Prelude(None));
    // Sent again on another connection, it is answered from the first step on.
    pipeline.reset(|_, _| true);
    write(&mut pipeline, 100);
    assert_eq!(pipeline.take_owner(), Owner::Prelude(None));
    assert_eq!(pipeline.take_owner(), Owner::Prelude(Some(0)));
}

#[test]
fn only_what_no_writer_has_can_be_removed() {
    let mut pipeline = Pipeline::new();
    let all: Vec<Letter> = (b'a'..=b'f').map(|byte| letter(byte, 3)).collect();
    enqueue(&mut pipeline, &all);
    write(&mut pipeline, 4);
    let removed = pipeline.remove_unwritten(|letter| b"abe".contains(&letter.byte));
    assert_eq!(removed, [(all[4], b"eee".to_vec())]);
    assert_eq!(write(&mut pipeline, 100), b"bbcccdddfff");
    let rest: Vec<_> = (0..6).map(|_| pipeline.take_owner()).collect();
    let want = [0, 1, 2, 3, 5].map(|index| Owner::Request(all[index]));
    assert_eq!(rest[..5], want);
    assert_eq!(rest[5], Owner::Nobody);
}

#[test]
fn a_reset_tells_what_may_have_arrived_and_keeps_what_it_is_told() {
    let mut pipeline = Pipeline::new();
    let all: Vec<Letter> = (b'a'..=b'e').map(|byte| letter(byte, 2)).collect();
    enqueue(&mut pipeline, &all);
    write(&mut pipeline, 5);
    assert_eq!(pipeline.take_owner(), Owner::Request(all[0]));
    let removed = pipeline.reset(|letter, _| letter.byte == b'e');
    let want = [
        (all[1], b"bb".to_vec(), Written::Maybe),
        (all[2], b"cc".to_vec(), Written::Partly),
        (all[3], b"dd".to_vec(), Written::No),
    ];
    assert_eq!(removed, want);
    assert_eq!(pipeline.len(), 1);
    assert_eq!(write(&mut pipeline, 100), b"ee");
}

#[test]
fn an_abandoned_request_keeps_its_place_on_the_wire_and_no_other() {
    let mut pipeline = Pipeline::new();
    let all: Vec<Letter> = (b'a'..=b'c').map(|byte| letter(byte, 2)).collect();
    enqueue(&mut pipeline, &all);
    write(&mut pipeline, 100);
    pipeline.update(|letter| letter.abandoned = letter.byte == b'b');
    assert_eq!((pipeline.len(), pipeline.byte_len()), (2, 6));
    assert_eq!(pipeline.take_owner(), Owner::Request(all[0]));
    assert_eq!(pipeline.take_owner(), Owner::Request(Letter { abandoned: true, ..all[1] }));
    assert_eq!((pipeline.len(), pipeline.byte_len()), (1, 2));
    pipeline.update(|letter| letter.abandoned = true);
    pipeline.reset(|_, _| true);
    assert_eq!(pipeline.len(), 0);
}

#[derive(Clone, Debug)]
enum Operation {
    Enqueue(Vec<usize>),
    Write(usize),
    Answer,
    Remove(u8),
    Reset(u8),
}

fn any_operation() -> impl Strategy<Value = Operation> {
    prop_oneof![
        prop::collection::vec(1_usize..9, 1..5).prop_map(Operation::Enqueue),
        (0_usize..40).prop_map(Operation::Write),
        Just(Operation::Answer),
        Just(Operation::Answer),
        (1_u8..5).prop_map(Operation::Remove),
        (1_u8..5).prop_map(Operation::Reset),
    ]
}

/// The same, the slow and obvious way: requests in order, and how many of their bytes are out.
#[derive(Default)]
struct Model {
    waiting: Vec<Letter>,
    out: usize,
    next: u8,
}

impl Model {
    fn run(&mut self, operation: &Operation, pipeline: &mut Pipeline<Letter>) {
        let whole_out = |out: usize, end: usize| end <= out;
        match operation {
            Operation::Enqueue(lens) => {
                let letters: Vec<Letter> = lens
                    .iter()
                    .map(|len| {
                        self.next = self.next.wrapping_add(1);
                        letter(self.next, *len)
                    })
                    .collect();
                enqueue(pipeline, &letters);
                self.waiting.extend(letters);
            }
            Operation::Write(count) => {
                let pending = &bytes_of(&self.waiting)[self.out..];
                if pending.is_empty() {
                    assert!(!pipeline.claim(&mut Vec::new()));
                    return;
                }
                let want = &pending[..pending.len().min(*count)];
                assert_eq!(write(pipeline, *count), want);
                self.out += want.len();
            }
            Operation::Answer => {
                let first = self.waiting.first().copied();
                match first.filter(|first| whole_out(self.out, first.len)) {
                    Some(first) => {
                        assert_eq!(pipeline.take_owner(), Owner::Request(first));
                        self.waiting.remove(0);
                        self.out -= first.len;
                    }
                    None => assert_eq!(pipeline.take_owner(), Owner::Nobody),
                }
            }
            Operation::Remove(every) => {
                let removed = pipeline.remove_unwritten(|letter| letter.byte % every == 0);
                let removed: Vec<Letter> = removed.into_iter().map(|(letter, _)| letter).collect();
                assert_eq!(removed, self.remove_untouched(*every));
            }
            Operation::Reset(every) => {
                let removed = pipeline.reset(|letter, _| letter.byte % every != 0);
                let removed: Vec<_> = removed.into_iter().map(|(l, _, w)| (l, w)).collect();
                assert_eq!(removed, self.reset(*every));
            }
        }
    }

    fn remove_untouched(&mut self, every: u8) -> Vec<Letter> {
        let (mut end, mut gone, out) = (0, Vec::new(), self.out);
        self.waiting.retain(|letter| {
            let untouched = end >= out;
            end += letter.len;
            let goes = untouched && letter.byte % every == 0;
            if goes {
                gone.push(*letter);
            }
            !goes
        });
        gone
    }

    fn reset(&mut self, every: u8) -> Vec<(Letter, Written)> {
        let (mut end, mut gone, out) = (0, Vec::new(), self.out);
        self.waiting.retain(|letter| {
            end += letter.len;
            let written = match end - letter.len < out {
                _ if end <= out => Written::Maybe,
                true => Written::Partly,
                false => Written::No,
            };
            let goes = letter.byte % every == 0;
            if goes {
                gone.push((*letter, written));
            }
            !goes
        });
        self.out = 0;
        gone
    }
}

proptest! {
    #[test]
    fn any_order_of_operations_agrees_with_the_model(
        operations in prop::collection::vec(any_operation(), 1..60),
    ) {
        let (mut pipeline, mut model) = (Pipeline::new(), Model::default());
        for operation in &operations {
            model.run(operation, &mut pipeline);
            prop_assert_eq!(pipeline.len(), model.waiting.len());
        }
    }
}
