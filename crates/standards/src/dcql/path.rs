//! Claims path pointers (OpenID4VP 1.0, section 7): where in a credential a claim is.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::Value;

/// A pointer: never empty, at most 32 elements.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Path(Vec<Element>);

/// One element of a pointer.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Element {
    /// A string: the member of that name.
    Key(String),
    /// A non-negative integer: the array element at that index.
    Index(usize),
    /// `null`: every element of the array.
    All,
}

/// One step of a [`Location`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// Into the member of that name.
    Key(String),
    /// Into the array element at that index.
    Index(usize),
}

/// The concrete place of one selected element (a pointer with `null` selects several).
pub type Location = Vec<Step>;

/// Why a pointer selects nothing, or is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// [VP 7] A pointer is a non-empty array of strings, nulls and non-negative integers.
    #[error(
        "a claims path must be a non-empty array of at most 32 strings, nulls and non-negative integers"
    )]
    Malformed,
    /// A string met something that is no object, or an index or null something that is no array.
    #[error("the claims path {path} does not fit the credential's structure")]
    Structure {
        /// The pointer.
        path: Path,
    },
    /// Nothing is selected.
    #[error("the credential has no claim at {path}")]
    Nothing {
        /// The pointer.
        path: Path,
    },
}

impl Path {
    /// A pointer to a member by names from the root.
    pub fn of_keys<I: IntoIterator<Item = S>, S: Into<String>>(keys: I) -> Result<Self, PathError> {
        Self::new(
            keys.into_iter()
                .map(|key| Element::Key(key.into()))
                .collect(),
        )
    }

    /// A pointer from its elements.
    pub fn new(elements: Vec<Element>) -> Result<Self, PathError> {
        if elements.is_empty() || elements.len() > LONGEST {
            Err(PathError::Malformed)
        } else {
            Ok(Self(elements))
        }
    }

    /// Reads the JSON array.
    pub fn parse(value: &Value) -> Result<Self, PathError> {
        let elements = value.as_array().ok_or(PathError::Malformed)?;
        let element = |value: &Value| match value {
            Value::String(key) => Ok(Element::Key(key.clone())),
            Value::Null => Ok(Element::All),
            Value::Number(number) => number
                .as_u64()
                .and_then(|index| usize::try_from(index).ok())
                .map(Element::Index)
                .ok_or(PathError::Malformed),
            _ => Err(PathError::Malformed),
        };
        Self::new(elements.iter().map(element).collect::<Result<_, _>>()?)
    }

    /// The JSON array.
    pub fn to_value(&self) -> Value {
        self.0
            .iter()
            .map(|element| match element {
                Element::Key(key) => Value::from(key.as_str()),
                Element::Index(index) => Value::from(*index),
                Element::All => Value::Null,
            })
            .collect()
    }

    /// The elements in order.
    pub fn elements(&self) -> &[Element] {
        &self.0
    }

    /// [VP 7.1.1] Applies the pointer: every selected element with its place, never an empty list.
    pub fn select<'a>(&self, root: &'a Value) -> Result<Vec<(Location, &'a Value)>, PathError> {
        let structure = || PathError::Structure { path: self.clone() };
        let mut selected: Vec<(Location, &'a Value)> = vec![(Vec::new(), root)];
        for element in &self.0 {
            let mut next = Vec::new();
            for (location, value) in selected {
                let step_to = |step: Step| {
                    let mut further = location.clone();
                    further.push(step);
                    further
                };
                match element {
                    Element::Key(key) => {
                        let object = value.as_object().ok_or_else(structure)?;
                        next.extend(
                            object
                                .get(key)
                                .map(|inner| (step_to(Step::Key(key.clone())), inner)),
                        );
                    }
                    Element::All => {
                        let array = value.as_array().ok_or_else(structure)?;
                        next.extend(
                            array
                                .iter()
                                .enumerate()
                                .map(|(i, inner)| (step_to(Step::Index(i)), inner)),
                        );
                    }
                    Element::Index(index) => {
                        let array = value.as_array().ok_or_else(structure)?;
                        next.extend(
                            array
                                .get(*index)
                                .map(|inner| (step_to(Step::Index(*index)), inner)),
                        );
                    }
                }
            }
            selected = next;
        }
        if selected.is_empty() {
            Err(PathError::Nothing { path: self.clone() })
        } else {
            Ok(selected)
        }
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, element) in self.0.iter().enumerate() {
            let dot = if position == 0 { "" } else { "." };
            match element {
                Element::Key(key) => write!(f, "{dot}{key}")?,
                Element::Index(index) => write!(f, "[{index}]")?,
                Element::All => write!(f, "[]")?,
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Path({self})")
    }
}

impl fmt::Debug for Element {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(key) => write!(f, "{key:?}"),
            Self::Index(index) => write!(f, "{index}"),
            Self::All => f.write_str("null"),
        }
    }
}

impl Serialize for Path {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_value().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Path {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&Value::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

const LONGEST: usize = 32;

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;

    // OpenID4VP 1.0, 7.3.
    fn example() -> Value {
        json!({
            "name": "Arthur Dent",
            "address": {"street_address": "42 Market Street", "locality": "Milliways", "postal_code": "12345"},
            "degrees": [
                {"type": "Bachelor of Science", "university": "University of Betelgeuse"},
                {"type": "Master of Science", "university": "University of Betelgeuse"}
            ],
            "nationalities": ["British", "Betelgeusian"]
        })
    }

    fn values(path: &Value) -> Result<Vec<Value>, PathError> {
        let root = example();
        let selected = Path::parse(path).unwrap().select(&root)?;
        Ok(selected
            .into_iter()
            .map(|(_, value)| value.clone())
            .collect())
    }

    #[test]
    fn the_specifications_paths_select_what_it_says() {
        assert_eq!(values(&json!(["name"])).unwrap(), [json!("Arthur Dent")]);
        assert_eq!(
            values(&json!(["address"])).unwrap(),
            [example()["address"].clone()]
        );
        assert_eq!(
            values(&json!(["address", "street_address"])).unwrap(),
            [json!("42 Market Street")]
        );
        assert_eq!(
            values(&json!(["degrees", null, "type"])).unwrap(),
            [json!("Bachelor of Science"), json!("Master of Science")]
        );
        assert_eq!(
            values(&json!(["nationalities", 1])).unwrap(),
            [json!("Betelgeusian")]
        );
    }

    #[test]
    fn a_path_that_selects_nothing_and_one_that_does_not_fit_are_different_errors() {
        assert!(matches!(
            values(&json!(["surname"])),
            Err(PathError::Nothing { .. })
        ));
        assert!(matches!(
            values(&json!(["nationalities", 2])),
            Err(PathError::Nothing { .. })
        ));
        assert!(matches!(
            values(&json!(["name", "first"])),
            Err(PathError::Structure { .. })
        ));
        assert!(matches!(
            values(&json!(["address", null])),
            Err(PathError::Structure { .. })
        ));
        assert!(matches!(
            values(&json!(["address", 0])),
            Err(PathError::Structure { .. })
        ));
    }

    #[test]
    fn what_is_no_path_is_refused() {
        for value in [
            json!([]),
            json!("name"),
            json!([-1]),
            json!([1.5]),
            json!([true]),
            json!([["a"]]),
            json!(null),
        ] {
            assert_eq!(Path::parse(&value), Err(PathError::Malformed), "{value}");
        }
        assert_eq!(
            Path::parse(&json!(vec!["a"; 33])),
            Err(PathError::Malformed)
        );
    }
}
