//! Numbers as RESP writes them, and nothing else: a peer that is off by a byte must be noticed.

use super::limits::ProtocolError;

/// A length or count: digits only.
pub(super) fn parse_length(text: &[u8]) -> Result<usize, ProtocolError> {
    if text.is_empty() || text.len() > 18 {
        return Err(bad_number(text));
    }
    let mut value = 0_usize;
    for byte in text {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return Err(bad_number(text));
        }
        value = value * 10 + usize::from(digit);
    }
    Ok(value)
}

pub(super) fn parse_int(text: &[u8]) -> Result<i64, ProtocolError> {
    let parsed = std::str::from_utf8(text).ok().and_then(|text| text.parse().ok());
    parsed.ok_or_else(|| bad_number(text))
}

pub(super) fn check_double(text: &[u8]) -> Result<&[u8], ProtocolError> {
    let parsed = std::str::from_utf8(text).ok().filter(|text| text.parse::<f64>().is_ok());
    if parsed.is_none() && text != b"-nan" {
        return Err(bad_number(text));
    }
    Ok(text)
}

pub(super) fn check_big_number(text: &[u8]) -> Result<&[u8], ProtocolError> {
    let digits = text.strip_prefix(b"-").or_else(|| text.strip_prefix(b"+")).unwrap_or(text);
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return Err(bad_number(text));
    }
    Ok(text)
}

/// Shows the beginning only: the text comes from a peer that does not keep to the protocol.
fn bad_number(text: &[u8]) -> ProtocolError {
    let shown = &text[..text.len().min(32)];
    ProtocolError::BadNumber(String::from_utf8_lossy(shown).into_owned())
}
