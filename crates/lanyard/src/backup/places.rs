//! The places in a configuration: which files it names, where its secrets are, and what it says once they are elsewhere.

use std::path::{Path, PathBuf};

use toml::{Table, Value};
use zeroize::Zeroizing;

use super::BackupError;

/// Files that the configuration names and that are no secrets.
const NAMED: [&str; 2] = ["brand", "tls_certificate"];
/// Named like those, and a secret.
const TLS_KEY: &str = "tls_key";

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
    let mut found = Vec::new();
    for (key, value) in config {
        look(key.clone(), value, &mut found);
    }
    if let Some(path) = config.get(TLS_KEY).and_then(Value::as_str) {
        found.push((TLS_KEY.to_owned(), Place::File(path.into())));
    }
    found
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

/// The other files that it names, by the key that does.
pub(super) fn named(config: &Table) -> Vec<(&'static str, PathBuf)> {
    let path = |key: &&'static str| Some((*key, config.get(*key)?.as_str()?.into()));
    NAMED.iter().filter_map(path).collect()
}

/// The folder under this key, if there is one.
pub(super) fn folder(config: &Table, key: &str) -> Option<PathBuf> {
    Some(config.get(key)?.as_str()?.into())
}

/// Says where something is now.
pub(super) fn set(config: &mut Table, key: &str, place: &str) {
    config.insert(key.to_owned(), Value::String(place.to_owned()));
}

/// Says where a secret is now.
pub(super) fn set_secret(config: &mut Table, place: &str, file: &Path) -> Result<(), BackupError> {
    let file = Value::String(file.display().to_string());
    if place == TLS_KEY {
        config.insert(place.to_owned(), file);
        return Ok(());
    }
    let mut steps = place.split('.');
    let first = steps.next().and_then(|key| config.get_mut(key));
    let found = steps.fold(first, |value, step| match value? {
        Value::Array(values) => values.get_mut(step.parse::<usize>().ok()?),
        Value::Table(table) => table.get_mut(step),
        _ => None,
    });
    let found = found.ok_or(BackupError::Unreadable)?;
    *found = Value::Table(Table::from_iter([("file".to_owned(), file)]));
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn every_secret_is_found_wherever_it_stands_and_moved() {
        let text = r#"
            tls_key = "/etc/key.pem"
            brand = "/etc/brand.toml"
            storage_secret = { file = "/etc/storage" }
            earlier = [{ env = "EARLIER" }]
            [[organisations]]
            id = "a"
            [[organisations.parties]]
            webhook = { url = "https://a.example", secrets = [{ file = "/etc/hook" }] }
        "#;
        let mut config: Table = text.parse().unwrap();
        let mut found = secrets(&config);
        found.sort_by(|one, other| one.0.cmp(&other.0));
        let names: Vec<_> = found.iter().map(|(name, _)| name.as_str()).collect();
        let hook = "organisations.0.parties.0.webhook.secrets.0";
        assert_eq!(names, ["earlier.0", hook, "storage_secret", "tls_key"]);
        assert_eq!(found[0].1, Place::Env("EARLIER".to_owned()));
        assert_eq!(named(&config), [("brand", "/etc/brand.toml".into())]);
        for name in names.into_iter().map(str::to_owned).collect::<Vec<_>>() {
            set_secret(&mut config, &name, Path::new(&format!("/new/{name}"))).unwrap();
        }
        for (name, place) in secrets(&config) {
            assert_eq!(place, Place::File(format!("/new/{name}").into()));
        }
        assert!(set_secret(&mut config, "organisations.7.x", Path::new("/new")).is_err());
    }
}
