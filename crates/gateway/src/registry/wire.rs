//! Declarations as the admin API takes them: JSON of the form of the configuration file, with each secret itself where the
//! file says where it is kept. A place on the gateway's machine is nothing that somebody outside may name.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::by_name::ByName;
use super::{Declaration, Entry, Secrets};
use crate::config::place::Place;
use crate::config::{ConfigError, OrganisationConfig, RelyingPartyConfig, Secret};
use crate::organisation::catalogue::CredentialType;

/// The members of a whole declaration.
const MEMBERS: [&str; 2] = ["credential_types", "organisations"];

/// A declaration as it is sent: its secrets are read from where they are, here and now.
pub fn to_wire(declaration: &Declaration) -> Result<Value, ConfigError> {
    let mut organisations = Vec::new();
    for organisation in &declaration.organisations {
        let mut parties = Vec::new();
        for party in &organisation.relying_parties {
            let entry = Entry::of_party(&organisation.id, party)?;
            let mut body = entry.body;
            if let Some(key) = &entry.secrets.signing_key {
                body["signing_key"] = Value::from(key.as_str());
            }
            if !entry.secrets.webhook.is_empty() {
                let secrets = entry.secrets.webhook.iter();
                body["webhook"]["secrets"] =
                    secrets.map(|secret| Value::from(secret.as_str())).collect();
            }
            parties.push(body);
        }
        let mut body = Entry::of_organisation(organisation)?.body;
        if !parties.is_empty() {
            body["relying_parties"] = parties.into();
        }
        organisations.push(body);
    }
    let types = declaration.credential_types.iter();
    let types = types.map(|one| Ok(Entry::of_type(one)?.body));
    let types = types.collect::<Result<Vec<_>, ConfigError>>()?;
    Ok(serde_json::json!({ "credential_types": types, "organisations": organisations }))
}

/// A whole declaration that was sent.
pub(super) fn declaration(sent: Value) -> Result<Declaration, ConfigError> {
    let mut members = object("the declaration", sent)?;
    let known = |name: &&String| !MEMBERS.contains(&name.as_str());
    if let Some(unknown) = members.keys().find(known) {
        return Err(fault("the declaration", &unknown_member(unknown)));
    }
    let mut list = |name: &str| match members.remove(name) {
        None => Ok(Vec::new()),
        Some(Value::Array(list)) => Ok(list),
        Some(_) => Err(fault(name, "it is a list")),
    };
    let [types, organisations] = [list("credential_types")?, list("organisations")?];
    Ok(Declaration {
        credential_types: types
            .into_iter()
            .map(credential_type)
            .collect::<Result<_, _>>()?,
        organisations: organisations
            .into_iter()
            .map(organisation)
            .collect::<Result<_, _>>()?,
    })
}

/// One credential type that was sent.
pub(super) fn credential_type(sent: Value) -> Result<CredentialType, ConfigError> {
    read("the credential type", "name", sent)
}

/// One organisation that was sent, with its relying parties.
pub(super) fn organisation(sent: Value) -> Result<OrganisationConfig, ConfigError> {
    let mut members = object("the organisation", sent)?;
    let parties = match members.remove("relying_parties") {
        None => Vec::new(),
        Some(Value::Array(parties)) => parties,
        Some(_) => return Err(fault("relying_parties", "it is a list")),
    };
    let mut organisation: OrganisationConfig =
        read("the organisation", "id", Value::Object(members))?;
    // Of what was read and not of what was sent: there is no way of saying it that is not seen here.
    let logo = organisation
        .brand
        .as_ref()
        .and_then(|brand| brand.logo.as_ref());
    if logo.is_some_and(Place::is_file) {
        let reason = "send the logo itself, as data:image/png;base64,…: a file of the gateway's machine is read by `lanyard apply` alone";
        return Err(fault("brand.logo", reason));
    }
    if organisation.certificate_chains.iter().any(Place::is_file) {
        let reason = "send the certificates themselves, as PEM: a file of the gateway's machine is read by `lanyard apply` alone";
        return Err(fault("certificate_chains", reason));
    }
    for sent in parties {
        let party = relying_party(sent, &Secrets::default())?;
        organisation.relying_parties.push(party);
    }
    Ok(organisation)
}

/// One relying party that was sent. Of secrets that it does not mention it has those of `kept`; `null` takes one away.
pub(super) fn relying_party(
    sent: Value,
    kept: &Secrets,
) -> Result<RelyingPartyConfig, ConfigError> {
    let mut members = object("the relying party", sent)?;
    let signing_key = match members.remove("signing_key") {
        None => kept.signing_key.clone(),
        Some(Value::Null) => None,
        Some(key) => Some(secret("signing_key", key)?),
    };
    if members.get("webhook").is_some_and(Value::is_array) {
        return Err(fault("webhook", "it is an object"));
    }
    let webhook = members.get_mut("webhook").and_then(Value::as_object_mut);
    let secrets = webhook.and_then(|webhook| webhook.remove("secrets"));
    let secrets = match secrets {
        None => kept.webhook.clone(),
        Some(Value::Array(secrets)) => secrets
            .into_iter()
            .map(|one| secret("webhook.secrets", one))
            .collect::<Result<_, _>>()?,
        Some(_) => return Err(fault("webhook.secrets", "it is a list of secrets")),
    };
    let mut party: RelyingPartyConfig =
        read("the relying party", "client_id", Value::Object(members))?;
    party.signing_key = signing_key.map(Secret::Held);
    if let Some(webhook) = &mut party.webhook {
        webhook.secrets = secrets.into_iter().map(Secret::Held).collect();
    }
    party.registered = true;
    Ok(party)
}

/// What becomes of it when such a change is asked for: members that are named take the place of those there, `null` takes
/// one out, lists are replaced whole [RFC 7396].
pub(super) fn merge(target: &mut Value, change: Value) {
    let Value::Object(change) = change else {
        *target = change;
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Some(members) = target.as_object_mut() else {
        return;
    };
    for (name, value) in change {
        if value.is_null() {
            members.remove(&name);
        } else {
            merge(members.entry(name).or_insert(Value::Null), value);
        }
    }
}

fn secret(name: &str, sent: Value) -> Result<Zeroizing<String>, ConfigError> {
    match sent {
        Value::String(text) if !text.is_empty() => Ok(Zeroizing::new(text)),
        // What lies on this machine is not handed to whoever may only speak with it.
        _ => Err(fault(
            name,
            "say the secret itself: a file or a variable of the gateway's machine is read by `lanyard apply` alone",
        )),
    }
}

fn object(what: &str, sent: Value) -> Result<Map<String, Value>, ConfigError> {
    match sent {
        Value::Object(members) => Ok(members),
        _ => Err(fault(what, "it is an object")),
    }
}

/// What is wrong is told with the names of members, and with no value: anything may have been sent as one.
fn read<T: DeserializeOwned>(what: &str, name: &str, sent: Value) -> Result<T, ConfigError> {
    let named = sent.get(name).and_then(Value::as_str).unwrap_or_default();
    let named: String = named
        .chars()
        .filter(char::is_ascii_graphic)
        .take(60)
        .collect();
    T::deserialize(ByName(sent)).map_err(|error| {
        let text = error.to_string();
        let tells = [
            "unknown field",
            "missing field",
            "unknown variant",
            "duplicate field",
        ];
        let reason = if tells.iter().any(|begin| text.starts_with(begin)) {
            text.chars()
                .filter(|letter| !letter.is_control())
                .take(400)
                .collect()
        } else {
            "a member is of another kind than it must be".to_owned()
        };
        fault(format!("{what} {named}").trim_end(), &reason)
    })
}

fn unknown_member(name: &str) -> String {
    let name: String = name
        .chars()
        .filter(char::is_ascii_graphic)
        .take(60)
        .collect();
    format!("unknown field `{name}`")
}

fn fault(key: &str, reason: &str) -> ConfigError {
    ConfigError::value(key, reason)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::json;

    use super::*;

    /// RFC 7396, appendix A.
    #[test]
    fn a_change_is_merged_as_the_standard_has_it() {
        let rows = [
            (json!({"a": "b"}), json!({"a": "c"}), json!({"a": "c"})),
            (
                json!({"a": "b"}),
                json!({"b": "c"}),
                json!({"a": "b", "b": "c"}),
            ),
            (json!({"a": "b"}), json!({"a": null}), json!({})),
            (
                json!({"a": "b", "b": "c"}),
                json!({"a": null}),
                json!({"b": "c"}),
            ),
            (json!({"a": ["b"]}), json!({"a": "c"}), json!({"a": "c"})),
            (json!({"a": "c"}), json!({"a": ["b"]}), json!({"a": ["b"]})),
            (
                json!({"a": {"b": "c"}}),
                json!({"a": {"b": "d", "c": null}}),
                json!({"a": {"b": "d"}}),
            ),
            (
                json!({"a": [{"b": "c"}]}),
                json!({"a": [1]}),
                json!({"a": [1]}),
            ),
            (
                json!({"e": null}),
                json!({"a": 1}),
                json!({"e": null, "a": 1}),
            ),
            (
                json!([1, 2]),
                json!({"a": "b", "c": null}),
                json!({"a": "b"}),
            ),
            (
                json!({}),
                json!({"a": {"bb": {"ccc": null}}}),
                json!({"a": {"bb": {}}}),
            ),
        ];
        for (mut target, change, expected) in rows {
            merge(&mut target, change);
            assert_eq!(target, expected);
        }
    }

    #[test]
    fn sec_37_what_is_sent_names_no_place_on_the_gateways_machine() {
        for place in [
            json!({ "file": "/etc/passwd" }),
            json!({ "env": "HOME" }),
            json!([]),
            json!(""),
        ] {
            let party = json!({
                "client_id": "newtown-staff", "name": "Newtown", "dialect": "v2",
                "redirect_uris": ["https://staff.newtown.example/cb"], "signing_key": place,
            });
            let refused = relying_party(party, &Secrets::default()).err().unwrap();
            assert!(
                refused
                    .to_string()
                    .starts_with("signing_key: say the secret itself")
            );
        }
    }

    #[test]
    fn a_refusal_names_members_and_quotes_no_value() {
        let party = json!({ "client_id": "x", "name": ["kept to oneself"], "dialect": "v2", "redirect_uris": [] });
        let refused = relying_party(party, &Secrets::default()).err().unwrap();
        assert!(
            !refused.to_string().contains("kept to oneself"),
            "{refused}"
        );
        let party = json!({ "client_id": "x", "redirect_urls": [] });
        let refused = relying_party(party, &Secrets::default()).err().unwrap();
        assert!(
            refused
                .to_string()
                .contains("unknown field `redirect_urls`"),
            "{refused}"
        );
    }
}
