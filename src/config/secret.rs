//! Text that must not get into logs.

use std::fmt;

/// A password. Cannot be printed by accident.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Box<str>);

impl Secret {
    /// The text itself, for the server and nobody else.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::NodeOptions;

    #[test]
    fn options_can_be_printed_without_the_password() {
        let password = Some(Secret::from("hunter2".to_owned()));
        let shown = format!("{:?}", NodeOptions { password, ..NodeOptions::default() });
        assert!(shown.contains("password: Some(***)") && !shown.contains("hunter2"), "{shown}");
    }
}
