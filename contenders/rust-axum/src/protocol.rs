//! The contract's messages.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

/// The longest message taken from a client, in bytes.
pub const MAX_MESSAGE: usize = 64 << 10;

pub enum Request<'a> {
    Join { room: Cow<'a, str> },
    Echo,
    Say { room: Cow<'a, str> },
    Crash,
}

#[derive(Deserialize)]
struct Fields<'a> {
    #[serde(borrow)]
    r#type: Cow<'a, str>,
    #[serde(borrow, default)]
    room: Cow<'a, str>,
    #[serde(borrow)]
    from: Option<&'a RawValue>,
    seq: Option<i64>,
    at: Option<i64>,
    #[serde(borrow)]
    text: Option<&'a RawValue>,
}

/// What a message asks for, or why it asks for nothing.
pub fn parse(message: &str) -> Result<Request<'_>, &'static str> {
    let fields: Fields =
        serde_json::from_str(message).map_err(|_| "expected a JSON object with the contract's keys")?;
    let is_whole =
        is_string(fields.from) && fields.seq.is_some() && fields.at.is_some() && is_string(fields.text);
    match &*fields.r#type {
        "join" | "say" if !is_room(&fields.room) => {
            Err("room: expected 1 to 64 characters out of A-Z a-z 0-9 . _ -")
        }
        "echo" | "say" if !is_whole => Err("expected from, seq, at and text"),
        "join" => Ok(Request::Join { room: fields.room }),
        "echo" => Ok(Request::Echo),
        "say" => Ok(Request::Say { room: fields.room }),
        "crash" => Ok(Request::Crash),
        _ => Err("type: expected join, echo, say or crash"),
    }
}

/// What a message asks for, by its leading bytes, which the contract's key order allows. What follows them is not
/// looked at.
pub fn route(message: &[u8]) -> Result<Request<'_>, &'static str> {
    const BAD_ROOM: &str =
        "room: expected 1 to 64 characters out of A-Z a-z 0-9 . _ -, then the contract's keys";
    if message.starts_with(br#"{"type":"echo","from":""#) {
        return Ok(Request::Echo);
    }
    if let Some(rest) = message.strip_prefix(br#"{"type":"say","room":""#) {
        return match split_room(rest) {
            Some((room, rest)) if rest.starts_with(br#"","from":""#) => {
                Ok(Request::Say { room: room.into() })
            }
            _ => Err(BAD_ROOM),
        };
    }
    if let Some(rest) = message.strip_prefix(br#"{"type":"join","room":""#) {
        return match split_room(rest) {
            Some((room, br#""}"#)) => Ok(Request::Join { room: room.into() }),
            _ => Err(BAD_ROOM),
        };
    }
    if message == br#"{"type":"crash"}"# {
        return Ok(Request::Crash);
    }
    Err("type: expected join, echo, say or crash")
}

/// A room's name, and what follows it.
fn split_room(message: &[u8]) -> Option<(&str, &[u8])> {
    let end = message.iter().take(65).position(|c| *c == b'"')?;
    let (name, rest) = message.split_at(end);
    let name = std::str::from_utf8(name).ok()?;
    is_room(name).then_some((name, rest))
}

pub fn joined(room: &str) -> String {
    format!(r#"{{"type":"joined","room":"{room}"}}"#)
}

/// The reasons are this server's own and need no escaping.
pub fn error(reason: &str) -> String {
    format!(r#"{{"type":"error","reason":"{reason}"}}"#)
}

/// Whether a Sec-WebSocket-Key is 16 bytes in Base64.
pub fn is_key(key: &[u8]) -> bool {
    let Some((digits, padding)) = key.split_at_checked(22) else {
        return false;
    };
    padding == b"=="
        && digits
            .iter()
            .all(|c| c.is_ascii_alphanumeric() || *c == b'+' || *c == b'/')
}

/// Left as it is: a string may hold half a surrogate pair, which no Rust string can.
fn is_string(value: Option<&RawValue>) -> bool {
    value.is_some_and(|value| value.get().starts_with('"'))
}

fn is_room(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && name
            .bytes()
            .all(|c| c.is_ascii_alphanumeric() || b"._-".contains(&c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_the_messages_and_nothing_else() {
        let body = r#""from":"c","seq":1,"at":2,"text":"\u00e9\n""#;
        assert!(
            matches!(parse(r#"{"type":"join","room":"a.B_9-"}"#), Ok(Request::Join { room }) if room == "a.B_9-")
        );
        assert!(matches!(
            parse(&format!(r#"{{"type":"echo",{body}}}"#)),
            Ok(Request::Echo)
        ));
        assert!(
            matches!(parse(&format!(r#"{{"type":"say","room":"r",{body}}}"#)), Ok(Request::Say { room }) if room == "r")
        );
        assert!(matches!(parse(r#"{"type":"crash"}"#), Ok(Request::Crash)));
        for wrong in [
            "",
            "null",
            "[]",
            "{}",
            r#"{"type":"dance"}"#,
            r#"{"type":"echo","from":"c"}"#,
            r#"{"type":"join","room":"a b"}"#,
        ] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
        assert!(parse(&format!(r#"{{"type":"join","room":"{}"}}"#, "r".repeat(65))).is_err());
    }

    #[test]
    fn routes_by_the_leading_bytes() {
        let longest = "r".repeat(64);
        assert!(matches!(route(br#"{"type":"echo","from":"c"#), Ok(Request::Echo)));
        assert!(matches!(route(br#"{"type":"crash"}"#), Ok(Request::Crash)));
        let say = format!(r#"{{"type":"say","room":"{longest}","from":"c"}}"#);
        assert!(matches!(route(say.as_bytes()), Ok(Request::Say { room }) if room == longest));
        let join = format!(r#"{{"type":"join","room":"{longest}"}}"#);
        assert!(matches!(route(join.as_bytes()), Ok(Request::Join { room }) if room == longest));
        for wrong in [
            "",
            r#"{"type":"echo"}"#,
            r#"{"type":"say","room":"r"}"#,
            r#"{"type":"say","room":"","from":"c"}"#,
            r#"{"type":"join","room":"r"} "#,
            r#"{"type":"join","room":"a b"}"#,
            r#"{"type":"join","room":"ž"}"#,
            r#"{"type":"crash"} "#,
        ] {
            assert!(route(wrong.as_bytes()).is_err(), "{wrong}");
        }
        assert!(route(format!(r#"{{"type":"join","room":"{longest}r"}}"#).as_bytes()).is_err());
    }

    #[test]
    fn knows_a_key() {
        assert!(is_key(b"dGhlIHNhbXBsZSBub25jZQ=="));
        for wrong in [
            &b"c2hvcnQ="[..],
            b"",
            b"dGhlIHNhbXBsZSBub25jZQ=",
            b"dGhlIHNhbXBsZSBub25jZQ===",
            b"dGhlIHNhbXBsZSBub25j Q==",
        ] {
            assert!(!is_key(wrong));
        }
    }
}
