//! Evaluating a query: on what a wallet holds, and on what was presented [VP 6.4].

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::path::{Location, Path, PathError};
use super::query::{ClaimsQuery, CredentialQuery, Format, Query};

/// A credential that may answer a query.
#[derive(Clone, Copy)]
pub struct Candidate<'a> {
    /// Its format.
    pub format: &'a Format,
    /// The root that claims paths start from: for `jwt_vc_json` the credential (the content of `vc`, VP
    /// appendix B.1.2), for `dc+sd-jwt` the processed claims.
    pub claims: &'a Value,
    /// Wallet: it can prove possession of the credential's key. Verifier: that proof was checked.
    pub holder_binding: bool,
}

/// A credential answers a credential query: these claims at these places.
#[derive(Debug, Clone, PartialEq)]
pub struct Matched {
    /// The pointers of the claims asked for and found (of the first claim set that can be served).
    pub paths: Vec<Path>,
    /// Where these claims are. A wallet discloses these and nothing else; a verifier uses no others.
    pub locations: Vec<Location>,
}

/// Why a credential does not answer a credential query.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Mismatch {
    /// Another format.
    #[error("the credential has another format than the query asks for")]
    Format,
    /// Another type.
    #[error("the credential is of another type than the query asks for")]
    Type,
    /// No proof of possession where one is required.
    #[error("the credential comes without the proof of possession that the query requires")]
    HolderBinding,
    /// A claim is not there.
    #[error(transparent)]
    Claim(#[from] PathError),
    /// A claim has none of the values asked for.
    #[error("the claim {path} has none of the values that the query asks for")]
    Value {
        /// The pointer.
        path: Path,
    },
    /// No claim set can be served.
    #[error("the credential serves none of the claim sets")]
    ClaimSets,
}

/// Why a query as a whole is not served.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unsatisfied {
    /// The answer has an id that the query does not.
    #[error("the answer has a credential id that the query does not have")]
    UnknownId,
    /// The answer has an id with no presentation.
    #[error("the answer has no presentation for {id}")]
    Empty {
        /// The credential query.
        id: String,
    },
    /// Several presentations where the query did not ask for `multiple`.
    #[error("the answer has several presentations for {id}, which asks for one")]
    Several {
        /// The credential query.
        id: String,
    },
    /// A presentation does not answer its query.
    #[error("the credential for {id} does not match: {cause}")]
    Mismatch {
        /// The credential query.
        id: String,
        /// What is wrong with it.
        cause: Mismatch,
    },
    /// A credential that is required is not there.
    #[error("no credential answers {id}")]
    Missing {
        /// The credential query.
        id: String,
    },
    /// None of the options of a required credential set is there in full.
    #[error("none of the options of the credential set number {position} is complete")]
    Set {
        /// Its position in the query, from 0.
        position: usize,
    },
}

/// What a wallet can answer, without asking its person yet.
#[derive(Debug, Clone, PartialEq)]
pub struct Choice {
    /// One entry for each credential query to be answered, in the query's order.
    pub selections: Vec<Selection>,
}

/// The held credentials that fit one credential query; the person picks one.
#[derive(Debug, Clone, PartialEq)]
pub struct Selection {
    /// The credential query.
    pub id: String,
    /// Position among the held credentials, and what to disclose of it.
    pub candidates: Vec<(usize, Matched)>,
}

impl CredentialQuery {
    /// Whether the credential answers this query, and with which claims.
    pub fn check(&self, candidate: Candidate<'_>) -> Result<Matched, Mismatch> {
        if self.format != *candidate.format {
            return Err(Mismatch::Format);
        }
        if !self.type_fits(candidate.claims) {
            return Err(Mismatch::Type);
        }
        if self.require_cryptographic_holder_binding && !candidate.holder_binding {
            return Err(Mismatch::HolderBinding);
        }
        let claims = self.claims.as_deref().unwrap_or_default();
        let Some(sets) = &self.claim_sets else {
            return matched(claims.iter(), candidate.claims);
        };
        // [VP 6.4.1] The first claim set that can be served; a set of unknown ids was refused at parsing.
        sets.iter()
            .find_map(|set| {
                let wanted = claims
                    .iter()
                    .filter(|claim| claim.id.as_ref().is_some_and(|id| set.contains(id)));
                matched(wanted, candidate.claims).ok()
            })
            .ok_or(Mismatch::ClaimSets)
    }

    fn type_fits(&self, root: &Value) -> bool {
        match self.format {
            Format::DcSdJwt => {
                let vct = root.get("vct").and_then(Value::as_str);
                self.meta
                    .vct_values
                    .iter()
                    .flatten()
                    .any(|wanted| Some(wanted.as_str()) == vct)
            }
            Format::JwtVcJson => {
                let types: BTreeSet<&str> = match root.get("type") {
                    Some(Value::String(only)) => BTreeSet::from([only.as_str()]),
                    Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).collect(),
                    _ => BTreeSet::new(),
                };
                // [VP B.1.1] Types are compared fully expanded. Ours are defined in no context and stay as they
                // are; the base type is the one that the VCDM contexts expand.
                let has = |wanted: &String| {
                    types.contains(wanted.as_str())
                        || (wanted == EXPANDED_BASE && types.contains(BASE))
                };
                self.meta
                    .type_values
                    .iter()
                    .flatten()
                    .any(|alternative| alternative.iter().all(has))
            }
            Format::Other(_) => false,
        }
    }
}

fn matched<'q>(
    claims: impl Iterator<Item = &'q ClaimsQuery>,
    root: &Value,
) -> Result<Matched, Mismatch> {
    let mut result = Matched {
        paths: Vec::new(),
        locations: Vec::new(),
    };
    for claim in claims {
        let mut selected = claim.path.select(root)?;
        // [VP 6.3, 6.4.1] A claim whose value is not asked for counts as not there; type and value both decide.
        if let Some(values) = &claim.values {
            selected.retain(|(_, value)| values.contains(value));
            if selected.is_empty() {
                return Err(Mismatch::Value {
                    path: claim.path.clone(),
                });
            }
        }
        result.paths.push(claim.path.clone());
        result
            .locations
            .extend(selected.into_iter().map(|(location, _)| location));
    }
    Ok(result)
}

impl Query {
    /// Verifier: evaluates the whole query on the checked presentations, by credential query id. One
    /// presentation that does not fit refuses the whole answer [SEC-20].
    pub fn check(
        &self,
        presented: &BTreeMap<String, Vec<Candidate<'_>>>,
    ) -> Result<BTreeMap<String, Vec<Matched>>, Unsatisfied> {
        let mut results = BTreeMap::new();
        for (id, candidates) in presented {
            let query = self.find(id).ok_or(Unsatisfied::UnknownId)?;
            match candidates.len() {
                0 => return Err(Unsatisfied::Empty { id: id.clone() }),
                1 => {}
                _ if query.multiple => {}
                _ => return Err(Unsatisfied::Several { id: id.clone() }),
            }
            let fits = |candidate: &Candidate<'_>| {
                query
                    .check(*candidate)
                    .map_err(|cause| Unsatisfied::Mismatch {
                        id: id.clone(),
                        cause,
                    })
            };
            results.insert(
                id.clone(),
                candidates.iter().map(fits).collect::<Result<Vec<_>, _>>()?,
            );
        }
        self.check_complete(|id| results.contains_key(id))?;
        Ok(results)
    }

    /// Wallet: which held credentials answer, for exactly the credential queries that must be answered.
    /// Optional credential sets are left out: nobody is told more than the request needs.
    pub fn choose(&self, held: &[Candidate<'_>]) -> Result<Choice, Unsatisfied> {
        let fitting: BTreeMap<&str, Vec<(usize, Matched)>> = self
            .credentials
            .iter()
            .map(|query| {
                let candidates = held.iter().enumerate();
                let fits = candidates
                    .filter_map(|(at, one)| query.check(*one).ok().map(|matched| (at, matched)));
                (query.id.as_str(), fits.collect::<Vec<_>>())
            })
            .filter(|(_, candidates)| !candidates.is_empty())
            .collect();
        self.check_complete(|id| fitting.contains_key(id))?;
        let needed: BTreeSet<&str> = match &self.credential_sets {
            None => self
                .credentials
                .iter()
                .map(|query| query.id.as_str())
                .collect(),
            Some(sets) => sets
                .iter()
                .filter(|set| set.required)
                .filter_map(|set| {
                    set.options
                        .iter()
                        .find(|option| option.iter().all(|id| fitting.contains_key(id.as_str())))
                })
                .flatten()
                .map(String::as_str)
                .collect(),
        };
        let selections = self
            .credentials
            .iter()
            .filter(|query| needed.contains(query.id.as_str()))
            .filter_map(|query| {
                let candidates = fitting.get(query.id.as_str())?.clone();
                Some(Selection {
                    id: query.id.clone(),
                    candidates,
                })
            })
            .collect();
        Ok(Choice { selections })
    }

    /// [VP 6.4.2] Everything required is there.
    fn check_complete(&self, there: impl Fn(&str) -> bool) -> Result<(), Unsatisfied> {
        match &self.credential_sets {
            None => match self.credentials.iter().find(|query| !there(&query.id)) {
                Some(missing) => Err(Unsatisfied::Missing {
                    id: missing.id.clone(),
                }),
                None => Ok(()),
            },
            Some(sets) => {
                let served = |option: &Vec<String>| option.iter().all(|id| there(id));
                let unserved = sets
                    .iter()
                    .position(|set| set.required && !set.options.iter().any(served));
                unserved.map_or(Ok(()), |position| Err(Unsatisfied::Set { position }))
            }
        }
    }
}

const BASE: &str = "VerifiableCredential";
const EXPANDED_BASE: &str = "https://www.w3.org/2018/credentials#VerifiableCredential";
