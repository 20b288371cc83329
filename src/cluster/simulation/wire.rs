//! The server's side of RESP: commands in, replies out.

use std::fmt;

/// A reply, on both ends of the wire and of the engine.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Said {
    Error(String),
    Int(i64),
    List(Vec<Self>),
    Null,
    Ok,
    Text(String),
}

impl Said {
    pub(super) fn text(text: &str) -> Self {
        Self::Text(text.to_owned())
    }

    pub(super) fn error(text: impl Into<String>) -> Self {
        Self::Error(text.into())
    }

    /// Appends the reply as bytes.
    pub(super) fn encode(&self, resp3: bool, out: &mut Vec<u8>) {
        let text = match self {
            Self::Error(text) => format!("-{text}\r\n"),
            Self::Int(value) => format!(":{value}\r\n"),
            Self::Null if resp3 => "_\r\n".to_owned(),
            Self::Null => "$-1\r\n".to_owned(),
            Self::Ok => "+OK\r\n".to_owned(),
            Self::Text(text) => format!("${}\r\n{text}\r\n", text.len()),
            Self::List(items) => {
                out.extend_from_slice(format!("*{}\r\n", items.len()).as_bytes());
                return items.iter().for_each(|item| item.encode(resp3, out));
            }
        };
        out.extend_from_slice(text.as_bytes());
    }
}

/// Short: large values would drown the trace.
impl fmt::Debug for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Error(text) => write!(f, "-{text}"),
            Self::Int(value) => write!(f, ":{value}"),
            Self::List(items) => f.debug_list().entries(items).finish(),
            Self::Null => f.write_str("null"),
            Self::Ok => f.write_str("+OK"),
            Self::Text(text) if text.len() > 80 => write!(f, "{:?}..{}", &text[..20], text.len()),
            Self::Text(text) => write!(f, "{text:?}"),
        }
    }
}

/// The command at the start of `bytes` and how long it is; `None`: more is to come.
///
/// # Errors
///
/// What is wrong with it: a client must not send such bytes.
pub(super) fn parse_command(bytes: &[u8]) -> Result<Option<(Vec<String>, usize)>, String> {
    let mut at = 0;
    let Some(count) = parse_length(bytes, &mut at, b'*')? else { return Ok(None) };
    let mut arguments = Vec::with_capacity(count);
    for _ in 0..count {
        let Some(length) = parse_length(bytes, &mut at, b'$')? else { return Ok(None) };
        let Some(argument) = bytes.get(at..at + length + 2) else { return Ok(None) };
        if &argument[length..] != b"\r\n" {
            return Err(format!("an argument of {length} bytes does not end there"));
        }
        let argument = String::from_utf8(argument[..length].to_vec());
        arguments.push(argument.map_err(|_| "an argument is not text".to_owned())?);
        at += length + 2;
    }
    Ok(Some((arguments, at)))
}

fn parse_length(bytes: &[u8], at: &mut usize, prefix: u8) -> Result<Option<usize>, String> {
    let rest = &bytes[*at..];
    match rest.first() {
        None => return Ok(None),
        Some(first) if *first != prefix => return Err(format!("{first:#x}, not {prefix:#x}")),
        Some(_) => {}
    }
    let Some(end) = rest.windows(2).position(|pair| pair == b"\r\n") else { return Ok(None) };
    *at += end + 2;
    let digits = std::str::from_utf8(&rest[1..end]).ok().and_then(|text| text.parse().ok());
    digits.map(Some).ok_or_else(|| "a length that is no number".to_owned())
}
