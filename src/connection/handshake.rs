//! What is said first on a new connection, and whether the server agreed. No socket in here.

use crate::resp::encode_command;

/// What the handshake depends on.
///
/// Holds a password, so it has no `Debug`.
#[derive(Clone, Copy, Default)]
pub(crate) struct HandshakeOptions<'a> {
    /// Speak RESP3, else RESP2.
    pub(crate) resp3: bool,
    /// ACL user.
    pub(crate) username: Option<&'a str>,
    /// Password of the user.
    pub(crate) password: Option<&'a str>,
    /// Name of the connection, for `CLIENT LIST`.
    pub(crate) name: Option<&'a str>,
    /// Database; 0 is where a connection begins.
    pub(crate) database: u32,
    /// Whether the connection may read from a replica.
    pub(crate) readonly: bool,
    /// What the application calls itself, in brackets behind the library's name.
    pub(crate) lib_tag: Option<&'a str>,
    /// The library's version.
    pub(crate) lib_version: &'a str,
    /// Do not tell the server the library's name and version.
    pub(crate) disable_client_info: bool,
    /// Ask the server for its id in the cluster.
    pub(crate) identify: bool,
}

/// The library as `CLIENT LIST` shows it.
const LIB_NAME: &str = "redis-cluster-native";

/// Says everything at once and then hears the replies in order.
///
/// The order is node-redis's: `HELLO 3` (with `AUTH` and `SETNAME`) or, under RESP2, `AUTH` and
/// `CLIENT SETNAME`; then `SELECT`, `READONLY` and `CLIENT SETINFO`. Last comes a question of our own:
/// `CLUSTER MYID`. Sending at once costs one
/// round trip; after a refusal the rest is refused as well or does not matter, because the
/// connection is closed.
///
/// Holds a password until it is dropped, so it has no `Debug`.
pub(crate) struct Handshake {
    bytes: Vec<u8>,
    /// One per reply to come: whether an error is ignored. Replies heard so far are `..heard`.
    ignored: Vec<bool>,
    heard: usize,
}

/// How far a handshake has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    /// The connection is ready for commands.
    Done,
    /// The server refused; holds the text of its error. The connection is of no use.
    Failed(String),
    /// More replies are to come.
    More,
}

impl Handshake {
    /// Prepares what will be said.
    pub(crate) fn new(options: &HandshakeOptions<'_>) -> Self {
        let mut handshake = Self { bytes: Vec::with_capacity(256), ignored: Vec::new(), heard: 0 };
        if options.resp3 {
            handshake.hello(options);
        } else {
            handshake.resp2_login(options);
        }
        if options.database != 0 {
            handshake.say(&["SELECT", &options.database.to_string()]);
        }
        if options.readonly {
            handshake.say(&["READONLY"]);
        }
        if !options.disable_client_info {
            handshake.client_info(options);
        }
        if options.identify {
            // Refused where the user may not run it: then the server is who the address says.
            handshake.say(&["CLUSTER", "MYID"]);
            handshake.ignore_refusal();
        }
        handshake
    }

    /// Whether nothing is said and the connection is ready at once.
    pub(crate) fn is_empty(&self) -> bool {
        self.ignored.is_empty()
    }

    /// Appends all commands.
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.bytes);
    }

    /// Hears the next reply; `error` is its text if it is an error.
    pub(crate) fn on_reply(&mut self, error: Option<&[u8]>) -> Progress {
        let ignored = self.ignored.get(self.heard).copied().unwrap_or(false);
        self.heard += 1;
        match error {
            Some(text) if !ignored => Progress::Failed(String::from_utf8_lossy(text).into_owned()),
            _ if self.heard < self.ignored.len() => Progress::More,
            _ => Progress::Done,
        }
    }

    fn hello(&mut self, options: &HandshakeOptions<'_>) {
        let mut hello = vec!["HELLO", "3"];
        // Like node-redis: a user name alone does not log in.
        if let Some(password) = non_empty(options.password) {
            hello.extend_from_slice(&["AUTH", options.username.unwrap_or("default"), password]);
        }
        if let Some(name) = non_empty(options.name) {
            hello.extend_from_slice(&["SETNAME", name]);
        }
        self.say(&hello);
    }

    fn resp2_login(&mut self, options: &HandshakeOptions<'_>) {
        let (username, password) = (options.username, options.password);
        if non_empty(username).is_some() || non_empty(password).is_some() {
            let mut auth = vec!["AUTH"];
            auth.extend(username);
            auth.push(password.unwrap_or_default());
            self.say(&auth);
        }
        if let Some(name) = non_empty(options.name) {
            self.say(&["CLIENT", "SETNAME", name]);
        }
    }

    fn client_info(&mut self, options: &HandshakeOptions<'_>) {
        let name = match non_empty(options.lib_tag) {
            Some(tag) => format!("{LIB_NAME}({tag})"),
            None => LIB_NAME.to_owned(),
        };
        for (what, value) in [("LIB-VER", options.lib_version), ("LIB-NAME", &name)] {
            self.say(&["CLIENT", "SETINFO", what, value]);
            // Servers before 7.2 do not know the command.
            self.ignore_refusal();
        }
    }

    /// Of what was said last.
    fn ignore_refusal(&mut self) {
        if let Some(last) = self.ignored.last_mut() {
            *last = true;
        }
    }

    fn say(&mut self, command: &[&str]) {
        encode_command(&mut self.bytes, command);
        self.ignored.push(false);
    }
}

/// JavaScript's idea of "given", which node-redis has for these options.
fn non_empty(text: Option<&str>) -> Option<&str> {
    text.filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: HandshakeOptions<'static> = HandshakeOptions {
        resp3: true,
        username: None,
        password: None,
        name: None,
        database: 0,
        readonly: false,
        lib_tag: None,
        lib_version: "1.2.3",
        disable_client_info: true,
        identify: false,
    };

    fn said(options: &HandshakeOptions<'_>) -> Vec<u8> {
        let mut out = Vec::new();
        Handshake::new(options).encode(&mut out);
        out
    }

    fn encoded(commands: &[&[&str]]) -> Vec<u8> {
        let mut out = Vec::new();
        commands.iter().for_each(|command| encode_command(&mut out, command));
        out
    }

    #[test]
    fn everything_in_node_redis_order() {
        let all = HandshakeOptions {
            username: Some("me"),
            password: Some("pw"),
            name: Some("app"),
            database: 3,
            readonly: true,
            lib_tag: Some("tag"),
            disable_client_info: false,
            identify: true,
            ..PLAIN
        };
        let rest: [&[&str]; 5] = [
            &["SELECT", "3"],
            &["READONLY"],
            &["CLIENT", "SETINFO", "LIB-VER", "1.2.3"],
            &["CLIENT", "SETINFO", "LIB-NAME", "redis-cluster-native(tag)"],
            &["CLUSTER", "MYID"],
        ];
        let hello: &[&str] = &["HELLO", "3", "AUTH", "me", "pw", "SETNAME", "app"];
        assert_eq!(said(&all), encoded(&[&[hello], &rest[..]].concat()));
        let login: [&[&str]; 2] = [&["AUTH", "me", "pw"], &["CLIENT", "SETNAME", "app"]];
        let resp2 = HandshakeOptions { resp3: false, ..all };
        assert_eq!(said(&resp2), encoded(&[&login, &rest[..]].concat()));
    }

    #[test]
    fn who_logs_in_and_how() {
        type Words<'a> = &'a [&'a str];
        type Case<'a> = (Option<&'a str>, Option<&'a str>, Words<'a>, Option<Words<'a>>);
        let cases: &[Case<'_>] = &[
            // user, password -> RESP3, RESP2
            (None, None, &["HELLO", "3"], None),
            (None, Some(""), &["HELLO", "3"], None),
            (None, Some("p"), &["HELLO", "3", "AUTH", "default", "p"], Some(&["AUTH", "p"])),
            (Some("u"), Some("p"), &["HELLO", "3", "AUTH", "u", "p"], Some(&["AUTH", "u", "p"])),
            (Some("u"), None, &["HELLO", "3"], Some(&["AUTH", "u", ""])),
        ];
        for (username, password, hello, auth) in cases {
            let options = HandshakeOptions { username: *username, password: *password, ..PLAIN };
            assert_eq!(said(&options), encoded(&[hello]), "{username:?} {password:?}");
            let auth: Vec<_> = auth.iter().copied().collect();
            let options = HandshakeOptions { resp3: false, ..options };
            assert_eq!(said(&options), encoded(&auth), "RESP2 {username:?} {password:?}");
        }
    }

    #[test]
    fn nothing_to_say_under_resp2() {
        assert!(Handshake::new(&HandshakeOptions { resp3: false, ..PLAIN }).is_empty());
        assert!(!Handshake::new(&PLAIN).is_empty());
    }

    #[test]
    fn an_old_server_may_not_know_setinfo() {
        let mut handshake =
            Handshake::new(&HandshakeOptions { disable_client_info: false, ..PLAIN });
        assert_eq!(handshake.on_reply(None), Progress::More);
        assert_eq!(handshake.on_reply(Some(b"ERR unknown subcommand")), Progress::More);
        assert_eq!(handshake.on_reply(Some(b"ERR unknown subcommand")), Progress::Done);
    }

    #[test]
    fn a_refusal_ends_it_with_the_servers_words() {
        let options = HandshakeOptions { readonly: true, ..PLAIN };
        let refused = b"WRONGPASS invalid username-password pair";
        let failed = Progress::Failed("WRONGPASS invalid username-password pair".into());
        assert_eq!(Handshake::new(&options).on_reply(Some(refused)), failed);
        let mut second = Handshake::new(&options);
        assert_eq!(second.on_reply(None), Progress::More);
        assert_eq!(second.on_reply(Some(refused)), failed);
    }
}
