//! Putting disclosures back in the place of their digests [RFC 9901 7.1; SD-02].

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value};

use super::disclosure::Disclosure;
use super::{HASH, RESERVED};
use crate::dcql::{Location, Step};

/// Why the disclosures do not fit the payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProcessingError {
    /// `_sd_alg` names another hash function than SHA-256.
    #[error("the hash function in _sd_alg is not sha-256")]
    HashFunction,
    /// `_sd` is no array of texts, or `...` is not alone with a text in an array's element.
    #[error("the digests in the token are malformed")]
    Digests,
    /// The same digest in two places.
    #[error("the token has the same digest twice")]
    DuplicateDigest,
    /// The same disclosure twice.
    #[error("the same disclosure is sent twice")]
    DuplicateDisclosure,
    /// A disclosure of the other kind than its digest's place.
    #[error(
        "a disclosure for an object's member stands for an array's element, or the other way round"
    )]
    Arity,
    /// A disclosure would take the place of a claim that is there.
    #[error("a disclosure names a claim that is already there")]
    Overrides,
    /// A disclosure that no digest stands for.
    #[error("a disclosure belongs to no digest in the token")]
    Unreferenced,
    /// Disclosures within disclosures beyond any sense.
    #[error("the claims are nested deeper than {DEEPEST} levels")]
    TooDeep,
}

/// The claims with everything that was disclosed, and where each disclosure ended up.
#[derive(Clone, PartialEq)]
pub(super) struct Processed {
    pub(super) claims: Map<String, Value>,
    /// Place of each disclosure, in the order of sending.
    pub(super) places: Vec<Location>,
}

pub(super) fn process(
    payload: &Map<String, Value>,
    disclosures: &[Disclosure],
) -> Result<Processed, ProcessingError> {
    if payload
        .get("_sd_alg")
        .is_some_and(|name| name.as_str() != Some(HASH))
    {
        return Err(ProcessingError::HashFunction);
    }
    let mut by_digest = HashMap::with_capacity(disclosures.len());
    for (position, disclosure) in disclosures.iter().enumerate() {
        if by_digest
            .insert(disclosure.digest(), (position, disclosure))
            .is_some()
        {
            return Err(ProcessingError::DuplicateDisclosure);
        }
    }
    let mut work = Work {
        by_digest,
        seen: HashSet::new(),
        places: vec![None; disclosures.len()],
    };
    let mut claims = work.object(payload, &mut Vec::new())?;
    claims.remove("_sd_alg");
    let places: Option<Vec<Location>> = work.places.into_iter().collect();
    Ok(Processed {
        claims,
        places: places.ok_or(ProcessingError::Unreferenced)?,
    })
}

struct Work<'a> {
    by_digest: HashMap<String, (usize, &'a Disclosure)>,
    seen: HashSet<String>,
    places: Vec<Option<Location>>,
}

impl<'a> Work<'a> {
    fn value(&mut self, value: &Value, place: &mut Location) -> Result<Value, ProcessingError> {
        if place.len() > DEEPEST {
            return Err(ProcessingError::TooDeep);
        }
        match value {
            Value::Object(members) => self.object(members, place).map(Value::Object),
            Value::Array(elements) => self.array(elements, place).map(Value::Array),
            other => Ok(other.clone()),
        }
    }

    fn object(
        &mut self,
        members: &Map<String, Value>,
        place: &mut Location,
    ) -> Result<Map<String, Value>, ProcessingError> {
        let mut result = Map::new();
        for (name, value) in members {
            match name.as_str() {
                "_sd" => {}
                "..." => return Err(ProcessingError::Digests),
                _ => {
                    place.push(Step::Key(name.clone()));
                    result.insert(name.clone(), self.value(value, place)?);
                    place.pop();
                }
            }
        }
        let Some(digests) = members.get("_sd") else {
            return Ok(result);
        };
        for digest in digests.as_array().ok_or(ProcessingError::Digests)? {
            let Some((position, disclosure)) = self.find(digest)? else {
                continue;
            };
            let name = disclosure.name().ok_or(ProcessingError::Arity)?;
            if result.contains_key(name) || RESERVED.contains(&name) {
                return Err(ProcessingError::Overrides);
            }
            place.push(Step::Key(name.to_owned()));
            self.places[position] = Some(place.clone());
            result.insert(name.to_owned(), self.value(disclosure.value(), place)?);
            place.pop();
        }
        Ok(result)
    }

    fn array(
        &mut self,
        elements: &[Value],
        place: &mut Location,
    ) -> Result<Vec<Value>, ProcessingError> {
        let mut result = Vec::with_capacity(elements.len());
        for element in elements {
            let digest = element
                .as_object()
                .and_then(|members| Some((members.get("...")?, members.len())));
            let value = match digest {
                None => element,
                Some((digest, 1)) => match self.find(digest)? {
                    // Not disclosed: the element is not there.
                    None => continue,
                    Some((position, disclosure)) => {
                        if disclosure.name().is_some() {
                            return Err(ProcessingError::Arity);
                        }
                        place.push(Step::Index(result.len()));
                        self.places[position] = Some(place.clone());
                        place.pop();
                        disclosure.value()
                    }
                },
                Some(_) => return Err(ProcessingError::Digests),
            };
            place.push(Step::Index(result.len()));
            let value = self.value(value, place)?;
            result.push(value);
            place.pop();
        }
        Ok(result)
    }

    /// The disclosure that the digest stands for; a digest met a second time refuses the token.
    fn find(&mut self, digest: &Value) -> Result<Option<(usize, &'a Disclosure)>, ProcessingError> {
        let digest = digest.as_str().ok_or(ProcessingError::Digests)?;
        if !self.seen.insert(digest.to_owned()) {
            return Err(ProcessingError::DuplicateDigest);
        }
        Ok(self.by_digest.get(digest).copied())
    }
}

const DEEPEST: usize = 32;
