//! The places in a configuration: which files it names, where its secrets are, and what it says once they are elsewhere.

use std::path::{Path, PathBuf};

use toml::{Table, Value};
use zeroize::Zeroizing;

use super::BackupError;

/// Files that the configuration names and that are no secrets.
const NAMED: [&str; 3] = ["brand", "tls_certificate", "availability.planned_work"];
/// Named like those, and a secret.
const TLS_KEY: &str = "tls_key";
/// What is said as a secret is, `{ file = … }`, and is none: everybody sees it. Whatever else is said so counts as one.
const PUBLIC: [&str; 2] = ["certificate_chains", "logo"];

/// Where a secret is, as the configuration says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// In a file.
    File(PathBuf),
    /// In an environment variable.
    Env(String),
}

impl Place {
    /// The secret as it is there.
    pub(super) fn read(&self) -> Result<Zeroizing<Vec<u8>>, BackupError> {
        match self {
            Self::File(path) => super::read(path),
            Self::Env(name) => std::env::var(name)
                .map(|text| Zeroizing::new(text.into_bytes()))
                .map_err(|_| BackupError::NoSecret(name.clone())),
        }
    }
}

/// Every secret: `{ file = … }` or `{ env = … }`, wherever it stands, and the key of the certificate. Each with its place
/// in the configuration, such as `organisations.0.relying_parties.0.signing_key`.
pub(super) fn secrets(config: &Table) -> Vec<(String, Place)> {
    let mut found = elsewhere(config);
    found.retain(|(place, _)| !is_public(place));
    if let Some(path) = text(config, TLS_KEY) {
        found.push((TLS_KEY.to_owned(), Place::File(path.into())));
    }
    found
}

/// Everything that is said to be elsewhere.
fn elsewhere(config: &Table) -> Vec<(String, Place)> {
    let mut found = Vec::new();
    for (key, value) in config {
        look(key.clone(), value, &mut found);
    }
    found
}

/// By its key, or that of the list that it is in.
fn is_public(place: &str) -> bool {
    let mut keys = place.rsplit('.');
    let key = keys.find(|key| key.parse::<usize>().is_err());
    key.is_some_and(|key| PUBLIC.contains(&key))
}

fn look(place: String, value: &Value, found: &mut Vec<(String, Place)>) {
    match value {
        Value::Array(values) => {
            for (index, value) in values.iter().enumerate() {
                look(format!("{place}.{index}"), value, found);
            }
        }
        Value::Table(table) => {
            let only = |key: &str| {
                (table.len() == 1)
                    .then(|| table.get(key)?.as_str())
                    .flatten()
            };
            if let Some(path) = only("file") {
                found.push((place, Place::File(path.into())));
            } else if let Some(name) = only("env") {
                found.push((place, Place::Env(name.to_owned())));
            } else {
                for (key, value) in table {
                    look(format!("{place}.{key}"), value, found);
                }
            }
        }
        _ => {}
    }
}

/// The other files that it names, each with its place in it.
pub(super) fn named(config: &Table) -> Vec<(String, PathBuf)> {
    let path = |place: &&str| Some(((*place).to_owned(), text(config, place)?.into()));
    let public = elsewhere(config).into_iter();
    let public = public.filter_map(|(place, at)| match at {
        Place::File(path) if is_public(&place) => Some((place, path)),
        _ => None,
    });
    NAMED.iter().filter_map(path).chain(public).collect()
}

/// The text in that place.
fn text<'a>(config: &'a Table, place: &str) -> Option<&'a str> {
    let mut steps = place.split('.');
    let first = config.get(steps.next()?)?;
    steps
        .try_fold(first, |value, step| value.get(step))?
        .as_str()
}

/// The folder under this key, if there is one.
pub(super) fn folder(config: &Table, key: &str) -> Option<PathBuf> {
    Some(config.get(key)?.as_str()?.into())
}

/// Says where something is now.
pub(super) fn set(config: &mut Table, key: &str, place: &str) {
    config.insert(key.to_owned(), Value::String(place.to_owned()));
}

/// Says where a file is now, in the way in which its place says it.
pub(super) fn set_file(config: &mut Table, place: &str, file: &Path) -> Result<(), BackupError> {
    let file = Value::String(file.display().to_string());
    let mut steps = place.split('.');
    let first = steps.next().and_then(|key| config.get_mut(key));
    let found = steps.fold(first, |value, step| match value? {
        Value::Array(values) => values.get_mut(step.parse::<usize>().ok()?),
        Value::Table(table) => table.get_mut(step),
        _ => None,
    });
    let found = found.ok_or(BackupError::Unreadable)?;
    *found = match found {
        Value::String(_) => file,
        _ => Value::Table(Table::from_iter([("file".to_owned(), file)])),
    };
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn every_secret_is_found_wherever_it_stands_and_every_other_file_and_both_are_moved() {
        let text = r#"
            tls_key = "/etc/key.pem"
            brand = "/etc/brand.toml"
            storage_secret = { file = "/etc/storage" }
            earlier = [{ env = "EARLIER" }]
            availability = { planned_work = "/etc/planned.toml" }
            [[organisations]]
            id = "a"
            brand = { logo = { file = "/etc/a.png" } }
            certificate_chains = ["-----BEGIN CERTIFICATE-----", { file = "/etc/a.pem" }]
            [[organisations.parties]]
            webhook = { url = "https://a.example", secrets = [{ file = "/etc/hook" }] }
            [[organisations]]
            id = "b"
            brand = { logo = "data:image/png;base64,AAAA" }
        "#;
        let mut config: Table = text.parse().unwrap();
        let mut found = secrets(&config);
        found.sort_by(|one, other| one.0.cmp(&other.0));
        let names: Vec<_> = found.iter().map(|(name, _)| name.as_str()).collect();
        let hook = "organisations.0.parties.0.webhook.secrets.0";
        assert_eq!(names, ["earlier.0", hook, "storage_secret", "tls_key"]);
        assert_eq!(found[0].1, Place::Env("EARLIER".to_owned()));
        let others = [
            ("brand", "/etc/brand.toml"),
            ("availability.planned_work", "/etc/planned.toml"),
            ("organisations.0.brand.logo", "/etc/a.png"),
            ("organisations.0.certificate_chains.1", "/etc/a.pem"),
        ];
        let others = others.map(|(place, path)| (place.to_owned(), PathBuf::from(path)));
        assert_eq!(named(&config), others);
        let new = |place: &str| PathBuf::from(format!("/new/{place}"));
        let others = others.iter().map(|(place, _)| place.as_str());
        for place in names.iter().copied().chain(others) {
            set_file(&mut config, place, &new(place)).unwrap();
        }
        for (place, at) in secrets(&config) {
            assert_eq!(at, Place::File(new(&place)));
        }
        assert_eq!(secrets(&config).len(), names.len());
        for (place, path) in named(&config) {
            assert_eq!(path, new(&place));
        }
        assert_eq!(named(&config).len(), 4);
        assert!(set_file(&mut config, "organisations.7.x", Path::new("/new")).is_err());
    }
}
