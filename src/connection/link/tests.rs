use super::*;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Len(usize);

impl Payload for Len {
    fn wire_len(&self) -> usize {
        self.0
    }
    fn preludes(&self) -> u32 {
        0
    }
    fn steps(&self) -> u32 {
        0
    }
    fn is_users(&self) -> bool {
        true
    }
}

#[test]
fn a_closed_link_gives_requests_back_and_keeps_no_byte_of_them() {
    let link = Link::new(Tally::default());
    assert!(link.close().is_empty());
    let submitted = link.submit(b"abcde".to_vec(), [Len(2), Len(3)], &mut Vec::new());
    assert_eq!(submitted.refused, [(Len(2), b"ab".to_vec()), (Len(3), b"cde".to_vec())]);
    assert!(submitted.spare.is_empty(), "the next batch must not begin with this one");
    assert_eq!(link.waiting(), 0);
}

#[test]
fn bytes_are_counted_here_and_together() {
    let tally = Tally::default();
    let (one, two) = (Link::new(tally.clone()), Link::new(tally.clone()));
    one.submit(b"abcde".to_vec(), [Len(2), Len(3)], &mut Vec::new());
    two.submit(b"xyz".to_vec(), [Len(3)], &mut Vec::new());
    let total = || tally.load(Ordering::Relaxed);
    assert_eq!((one.byte_len(), two.byte_len(), total()), (5, 3, 8));
    one.remove_unwritten(|request| request.0 == 2);
    assert_eq!((one.byte_len(), total()), (3, 6));
    two.detach(|_, _| false);
    assert_eq!(total(), 3);
    drop(one);
    assert_eq!(total(), 0);
}
