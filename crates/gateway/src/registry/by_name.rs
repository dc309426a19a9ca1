//! JSON read by the names of its members, and by nothing else. `serde_json` reads a structure from an array as well, member by
//! member in their order: what was looked for by name would then be there and not be found.

use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde::forward_to_deserialize_any;
use serde_json::{Error, Map, Value};

/// A value whose structures are objects, however deep they lie.
pub(super) struct ByName(pub(super) Value);

struct Members(serde_json::map::IntoIter, Option<Value>);

impl Members {
    fn of(members: Map<String, Value>) -> Self {
        Self(members.into_iter(), None)
    }
}

impl<'de> MapAccess<'de> for Members {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Error> {
        let Some((name, value)) = self.0.next() else {
            return Ok(None);
        };
        self.1 = Some(value);
        seed.deserialize(ByName(Value::String(name))).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        let value = self.1.take();
        let value = value.ok_or_else(|| Error::custom("a value comes after its name"))?;
        seed.deserialize(ByName(value))
    }
}

struct Elements(std::vec::IntoIter<Value>);

impl<'de> SeqAccess<'de> for Elements {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Error> {
        let next = self.0.next().map(|value| seed.deserialize(ByName(value)));
        next.transpose()
    }
}

impl<'de> Deserializer<'de> for ByName {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Value::Array(elements) => visitor.visit_seq(Elements(elements.into_iter())),
            Value::Object(members) => visitor.visit_map(Members::of(members)),
            plain => plain.deserialize_any(visitor),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.deserialize_map(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Value::Object(members) => visitor.visit_map(Members::of(members)),
            _ => Err(Error::custom("it is an object")),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match self.0 {
            Value::Object(members) => MapAccessDeserializer::new(Members::of(members))
                .deserialize_enum(name, variants, visitor),
            plain => plain.deserialize_enum(name, variants, visitor),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde::Deserialize;
    use serde_json::json;

    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Inner {
        name: String,
        #[serde(default)]
        deeper: Option<Box<Inner>>,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Kind {
        Plain,
        Held(Inner),
    }

    #[derive(Debug, PartialEq, Deserialize)]
    struct Outer {
        list: Vec<Inner>,
        kind: Kind,
        any: Value,
        number: u32,
    }

    #[test]
    fn sec_37_a_structure_is_read_from_an_object_only_however_deep_it_lies() {
        let good = json!({
            "list": [{ "name": "a", "deeper": { "name": "b" } }], "kind": { "held": { "name": "c" } },
            "any": [1, { "x": null }], "number": 7,
        });
        let read = Outer::deserialize(ByName(good.clone())).unwrap();
        assert_eq!(read, serde_json::from_value(good.clone()).unwrap());
        for (place, array) in [
            ("", json!([[], "plain", null, 7])),
            ("/list/0", json!(["a", null])),
            ("/list/0/deeper", json!(["b", null])),
            ("/kind/held", json!(["c", null])),
        ] {
            let mut sent = good.clone();
            *sent.pointer_mut(place).unwrap() = array;
            assert!(
                serde_json::from_value::<Outer>(sent.clone()).is_ok(),
                "{place}"
            );
            assert!(Outer::deserialize(ByName(sent)).is_err(), "{place}");
        }
        let mut plain = good;
        plain["kind"] = json!("plain");
        assert_eq!(Outer::deserialize(ByName(plain)).unwrap().kind, Kind::Plain);
    }
}
