//! An error reply split into its code and its message. No opinion about codes.

/// `-CODE rest of the line`, borrowed from the reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServerError<'a> {
    /// First word, `MOVED` or `ERR` for example; empty when the text starts with a blank.
    pub code: &'a str,
    /// Everything after the first blank.
    pub rest: &'a str,
}

impl<'a> ServerError<'a> {
    /// Splits the text of an error reply. Text that is not UTF-8 has no code anyone knows.
    pub fn parse(text: &'a [u8]) -> Self {
        let text = std::str::from_utf8(text).unwrap_or_default();
        let (code, rest) = text.split_once(' ').unwrap_or((text, ""));
        Self { code, rest }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_at_the_first_blank_only() {
        let cases: &[(&[u8], &str, &str)] = &[
            (b"MOVED 3999 127.0.0.1:6381", "MOVED", "3999 127.0.0.1:6381"),
            (b"ERR", "ERR", ""),
            (b"", "", ""),
            (b" MOVED 1 x:1", "", "MOVED 1 x:1"),
            (b"MOVED\xff 1 x:1", "", ""),
        ];
        for (text, code, rest) in cases {
            assert_eq!(ServerError::parse(text), ServerError { code, rest });
        }
    }
}
