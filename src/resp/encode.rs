//! Commands as RESP arrays of blob strings, the only form servers take.

/// Appends `*count\r\n`.
pub fn push_header(out: &mut Vec<u8>, count: usize) {
    push_length(out, b'*', count);
}

/// Appends `$len\r\nargument\r\n`. Lengths count bytes, so no argument can be taken for protocol.
pub fn push_argument(out: &mut Vec<u8>, argument: &[u8]) {
    push_length(out, b'$', argument.len());
    out.extend_from_slice(argument);
    out.extend_from_slice(b"\r\n");
}

/// Appends a whole command.
pub fn encode_command<A: AsRef<[u8]>>(out: &mut Vec<u8>, arguments: &[A]) {
    push_header(out, arguments.len());
    for argument in arguments {
        push_argument(out, argument.as_ref());
    }
}

fn push_length(out: &mut Vec<u8>, prefix: u8, length: usize) {
    // One digit and two digits are nearly every length there is; they need no division loop.
    if length < 10 {
        out.extend_from_slice(&[prefix, b'0' + length as u8, b'\r', b'\n']);
    } else if length < 100 {
        let (tens, ones) = (b'0' + (length / 10) as u8, b'0' + (length % 10) as u8);
        out.extend_from_slice(&[prefix, tens, ones, b'\r', b'\n']);
    } else {
        out.push(prefix);
        out.extend_from_slice(itoa::Buffer::new().format(length).as_bytes());
        out.extend_from_slice(b"\r\n");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_count_bytes_whatever_they_are() {
        let mut out = Vec::new();
        encode_command(&mut out, &[&b"SET"[..], "ä\r\n$1".as_bytes(), b"", &[0; 100]]);
        let mut want = b"*4\r\n$3\r\nSET\r\n$6\r\n\xc3\xa4\r\n$1\r\n$0\r\n\r\n$100\r\n".to_vec();
        want.extend_from_slice(&[0; 100]);
        want.extend_from_slice(b"\r\n");
        assert_eq!(out, want);
    }

    #[test]
    fn every_number_of_digits_is_written_right() {
        for length in [0, 9, 10, 99, 100, 999, 1_000, 65_535, 1_000_000] {
            let mut out = Vec::new();
            push_header(&mut out, length);
            assert_eq!(out, format!("*{length}\r\n").into_bytes());
        }
    }
}
