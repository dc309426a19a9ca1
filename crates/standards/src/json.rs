//! JSON from strangers: read once, strictly, so that no two readers can see different things.
//!
//! Objects with a repeated member, deep nesting and numbers that would silently change are refused
//! (SEC-21). [RFC 8259 4, RFC 7515 4, RFC 7519 4]

use std::cell::RefCell;
use std::fmt;

use serde::de::{DeserializeSeed, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// Arrays and objects may be nested this deep.
pub const MAX_DEPTH: usize = 32;

/// Whole numbers beyond this cannot be told apart once they are floating point.
const EXACT_WHOLE: f64 = 9_007_199_254_740_992.0;

/// Why a text was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JsonError {
    /// Not JSON at all.
    #[error("this is not JSON (line {line}, column {column})")]
    Syntax {
        /// Line, counted from 1.
        line: usize,
        /// Column, counted from 1.
        column: usize,
    },
    /// One object names a member twice.
    #[error("the member {0:?} appears twice in one object")]
    DuplicateMember(String),
    /// Nested deeper than [`MAX_DEPTH`].
    #[error("arrays and objects are nested deeper than {MAX_DEPTH} levels")]
    TooDeep,
    /// A number that no integer of 64 bits and no floating point number holds exactly.
    #[error("a number is too large to be kept exactly")]
    Number,
    /// JSON, but not an object.
    #[error("this is not a JSON object")]
    NotAnObject,
}

/// Reads one JSON text.
pub fn parse(text: &[u8]) -> Result<Value, JsonError> {
    let refusal = RefCell::new(None);
    let mut reader = serde_json::Deserializer::from_slice(text);
    let value = Strict {
        depth: 0,
        refusal: &refusal,
    }
    .deserialize(&mut reader)
    .and_then(|value| reader.end().map(|()| value));
    value.map_err(|error| {
        refusal.take().unwrap_or(JsonError::Syntax {
            line: error.line(),
            column: error.column(),
        })
    })
}

/// Reads one JSON text that has to be an object.
pub fn parse_object(text: &[u8]) -> Result<Map<String, Value>, JsonError> {
    match parse(text)? {
        Value::Object(object) => Ok(object),
        _ => Err(JsonError::NotAnObject),
    }
}

/// Builds a [`Value`] and remembers, beside serde's own error, which of our rules refused it.
#[derive(Clone, Copy)]
struct Strict<'a> {
    depth: usize,
    refusal: &'a RefCell<Option<JsonError>>,
}

impl Strict<'_> {
    fn refuse<E: serde::de::Error>(self, why: JsonError) -> E {
        self.refusal.replace(Some(why));
        E::custom("refused")
    }

    fn deeper<E: serde::de::Error>(self) -> Result<Self, E> {
        if self.depth == MAX_DEPTH {
            return Err(self.refuse(JsonError::TooDeep));
        }
        Ok(Self {
            depth: self.depth + 1,
            ..self
        })
    }
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: serde::Deserializer<'de>>(self, reader: D) -> Result<Value, D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        // The reader turns integers beyond 64 bits into floating point: refuse what lost digits.
        if value.abs() >= EXACT_WHOLE {
            return Err(self.refuse(JsonError::Number));
        }
        Number::from_f64(value)
            .map(Value::Number)
            .ok_or_else(|| self.refuse(JsonError::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut array = Vec::new();
        while let Some(item) = items.next_element_seed(inner)? {
            array.push(item);
        }
        Ok(Value::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut object = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            if object.contains_key(&name) {
                let shown = name.chars().take(64).collect();
                return Err(self.refuse(JsonError::DuplicateMember(shown)));
            }
            let value = members.next_value_seed(inner)?;
            object.insert(name, value);
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde_json::json;

    #[test]
    fn ordinary_json_is_read_as_it_stands() {
        let text =
            br#" {"a": [1, -2, 2.5, 18446744073709551615, true, null], "b": {"c": "\u00e9"}} "#;
        let value = parse(text).unwrap();
        assert_eq!(
            value,
            json!({"a": [1, -2, 2.5, u64::MAX, true, null], "b": {"c": "é"}})
        );
    }

    #[test]
    fn sec_21_a_member_that_appears_twice_is_refused_at_any_depth_and_in_any_spelling() {
        let twice = |name: &str| Err(JsonError::DuplicateMember(name.to_owned()));
        assert_eq!(parse(br#"{"iss":"a","iss":"b"}"#), twice("iss"));
        assert_eq!(parse(br#"{"iss":"a","\u0069ss":"b"}"#), twice("iss"));
        assert_eq!(parse(br#"{"x":[{"y":{"k":1,"k":1}}]}"#), twice("k"));
        assert!(parse(br#"{"a":{"k":1},"b":{"k":1}}"#).is_ok());
    }

    #[test]
    fn sec_21_nesting_beyond_the_limit_is_refused_and_at_the_limit_is_not() {
        let nested = |depth: usize| format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
        assert!(parse(nested(MAX_DEPTH).as_bytes()).is_ok());
        assert_eq!(
            parse(nested(MAX_DEPTH + 1).as_bytes()),
            Err(JsonError::TooDeep)
        );
        assert_eq!(
            parse("[".repeat(1_000_000).as_bytes()),
            Err(JsonError::TooDeep)
        );
        let objects = format!("{}1{}", r#"{"a":"#.repeat(33), "}".repeat(33));
        assert_eq!(parse(objects.as_bytes()), Err(JsonError::TooDeep));
    }

    #[test]
    fn sec_21_numbers_that_would_change_are_refused() {
        for text in [
            "18446744073709551616",
            "-9223372036854775809",
            "1e300",
            "123456789012345678901234567890",
        ] {
            assert_eq!(parse(text.as_bytes()), Err(JsonError::Number), "{text}");
        }
        assert!(matches!(parse(b"1e999"), Err(JsonError::Syntax { .. })));
        assert_eq!(parse(b"-9223372036854775808").unwrap(), json!(i64::MIN));
    }

    #[test]
    fn text_that_is_not_one_json_value_is_refused() {
        for text in [
            &b""[..],
            b"{",
            b"{} {}",
            b"{}x",
            b"{a:1}",
            b"{\"a\":1,}",
            b"NaN",
            b"\"\xff\"",
            b"\xef\xbb\xbf{}",
        ] {
            assert!(
                matches!(parse(text), Err(JsonError::Syntax { .. })),
                "{text:?}"
            );
        }
        assert_eq!(parse_object(b"[]"), Err(JsonError::NotAnObject));
    }
}
