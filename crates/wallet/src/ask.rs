//! What a verifier's request means for the holder: what is asked for, and what of it is at hand.

use jiff::Timestamp;
use standards::dcql::{CredentialQuery, Query};

use crate::credential::short_type;
use crate::labels::{claim_name, last_key};
use crate::open::{AskedCredential, Question};
use crate::present::{candidate, preference, readings};
use crate::report::CredentialSummary;
use crate::request::Requested;
use crate::storage::HeldCredential;

impl Requested {
    pub(crate) fn question(
        &self,
        held: &[HeldCredential],
        now: Timestamp,
        summary: impl Fn(&HeldCredential) -> CredentialSummary,
    ) -> Question {
        let readings = readings(held);
        let ask = |queries: Vec<&CredentialQuery>| {
            let mut fitting: Vec<&HeldCredential> = readings
                .iter()
                .filter(|(_, reading)| {
                    queries
                        .iter()
                        .any(|query| query.check(candidate(reading)).is_ok())
                })
                .map(|(at, _)| &held[*at])
                .collect();
            fitting.sort_by_key(|one| preference(one, now));
            AskedCredential {
                types: unique(queries.iter().flat_map(|query| types_of(query))).join(" or "),
                fields: unique(queries.iter().flat_map(|query| fields_of(query, &fitting))),
                fitting: fitting.into_iter().map(&summary).collect(),
            }
        };
        Question::Share {
            verifier_name: self.verifier_name(),
            purpose: self.purpose(),
            verifier: self.audience(),
            asks: needed(&self.object.dcql_query)
                .into_iter()
                .map(ask)
                .collect(),
        }
    }
}

/// The credential queries that must be answered, alternatives to one another together.
fn needed(query: &Query) -> Vec<Vec<&CredentialQuery>> {
    let Some(sets) = &query.credential_sets else {
        return query.credentials.iter().map(|one| vec![one]).collect();
    };
    let mut needed = Vec::new();
    for set in sets.iter().filter(|set| set.required) {
        if set.options.iter().all(|option| option.len() == 1) {
            needed.push(
                set.options
                    .iter()
                    .flatten()
                    .filter_map(|id| query.find(id))
                    .collect(),
            );
        } else {
            let first = set.options.iter().take(1).flatten();
            needed.extend(first.filter_map(|id| Some(vec![query.find(id)?])));
        }
    }
    needed
}

fn types_of(query: &CredentialQuery) -> Vec<String> {
    let meta = &query.meta;
    let w3c = meta
        .type_values
        .iter()
        .flatten()
        .filter_map(|types| types.last().cloned());
    w3c.chain(meta.vct_values.iter().flatten().map(|vct| short_type(vct)))
        .collect()
}

/// In the words of the issuer of what fits, where it gave some.
fn fields_of(query: &CredentialQuery, fitting: &[&HeldCredential]) -> Vec<String> {
    let label = |name: &str| {
        fitting
            .iter()
            .find_map(|held| held.labels.get(name).cloned())
    };
    query
        .claims
        .iter()
        .flatten()
        .filter_map(|claim| {
            claim_name(&claim.path, &query.format)
                .and_then(label)
                .or_else(|| last_key(&claim.path))
        })
        .collect()
}

fn unique(texts: impl Iterator<Item = String>) -> Vec<String> {
    let mut unique = Vec::new();
    for text in texts {
        if !unique.contains(&text) {
            unique.push(text);
        }
    }
    unique
}
