//! What may come into the tree, as `deny.toml` says it: licences, sources, versions (SEC-38). cargo-deny says the same and more
//! where it is installed; this needs nothing but cargo, and so holds in every run.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::Context as _;
use serde_json::Value;

use super::Breach;
use super::banned;
use crate::cargo::{cargo, output_of};

const RULES: &str = "deny.toml";
const LOCK: &str = "Cargo.lock";
/// The one registry.
const CRATES_IO: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// What `deny.toml` says, as far as it is read here.
#[derive(Debug)]
struct Rules {
    licences: Vec<String>,
    /// Crates that nobody may link.
    banned: BTreeSet<String>,
    /// Crates of which there is one version.
    single: Vec<String>,
}

/// One crate of the lock file.
#[derive(Clone, Debug, Default)]
struct Locked {
    name: String,
    version: String,
    source: Option<String>,
    checksum: Option<String>,
}

/// One crate as its own manifest tells it.
#[derive(Clone, Debug)]
struct Package {
    name: String,
    version: String,
    licence: Option<String>,
}

/// What was read.
#[derive(Debug)]
pub(super) struct Supply {
    rules: Rules,
    locked: Vec<Locked>,
    /// Those that are not ours.
    packages: Vec<Package>,
    /// Which of our manifests asks for any version of what.
    wildcards: Vec<(String, String)>,
}

pub(super) fn read(root: &Path) -> anyhow::Result<Supply> {
    let rules = std::fs::read_to_string(root.join(RULES)).context(RULES)?;
    let locked = std::fs::read_to_string(root.join(LOCK)).context(LOCK)?;
    // What is built here: other systems' crates are in the lock file, and need not be on this machine.
    let host = output_of("rustc", &["-vV"]).context("rustc cannot be started")?;
    let host = host.lines().find_map(|line| line.strip_prefix("host: "));
    let output = cargo(root)
        .args([
            "metadata",
            "--format-version=1",
            "--locked",
            "--filter-platform",
        ])
        .arg(host.context("rustc does not say its host")?)
        .output()?;
    anyhow::ensure!(
        output.status.success(),
        "cargo metadata: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let metadata: Value = serde_json::from_slice(&output.stdout)?;
    let (packages, wildcards) =
        parse_packages(&metadata).context("cargo metadata has an unexpected shape")?;
    Ok(Supply {
        rules: parse_rules(&rules)?,
        locked: parse_lock(&locked),
        packages,
        wildcards,
    })
}

fn parse_rules(text: &str) -> anyhow::Result<Rules> {
    let table: toml::Table = text.parse()?;
    let texts = |value: &toml::Value| -> Option<Vec<String>> {
        let texts = value.as_array()?.iter();
        texts.map(|one| Some(one.as_str()?.to_owned())).collect()
    };
    let licences = table
        .get("licenses")
        .and_then(|one| texts(one.get("allow")?));
    let denied = table
        .get("bans")
        .and_then(|one| one.get("deny")?.as_array());
    let (mut banned, mut single) = (BTreeSet::new(), Vec::new());
    for one in denied.context("deny.toml has no bans.deny")? {
        let name = one.get("crate").and_then(toml::Value::as_str);
        let name = name.context("bans.deny names no crate")?.to_owned();
        // [cargo-deny, bans.deny] Only a second version of such a crate is refused.
        if one
            .get("deny-multiple-versions")
            .and_then(toml::Value::as_bool)
            == Some(true)
        {
            single.push(name);
        } else {
            banned.insert(name);
        }
    }
    Ok(Rules {
        licences: licences.context("deny.toml has no licenses.allow")?,
        banned,
        single,
    })
}

fn parse_lock(text: &str) -> Vec<Locked> {
    let value = |block: &str, key: &str| {
        let begins = format!("{key} = \"");
        let line = block
            .lines()
            .find_map(|line| line.strip_prefix(begins.as_str()));
        line.map(|rest| rest.trim_end_matches('"').to_owned())
    };
    let blocks = text.split("[[package]]").skip(1);
    let read = blocks.map(|block| Locked {
        name: value(block, "name").unwrap_or_default(),
        version: value(block, "version").unwrap_or_default(),
        source: value(block, "source"),
        checksum: value(block, "checksum"),
    });
    read.collect()
}

type Wildcards = Vec<(String, String)>;

fn parse_packages(metadata: &Value) -> Option<(Vec<Package>, Wildcards)> {
    let (mut packages, mut wildcards) = (Vec::new(), Vec::new());
    for package in metadata["packages"].as_array()? {
        let text = |key: &str| Some(package[key].as_str()?.to_owned());
        let name = text("name")?;
        if package["source"].is_string() {
            packages.push(Package {
                name,
                version: text("version")?,
                licence: text("license"),
            });
            continue;
        }
        for dependency in package["dependencies"].as_array()? {
            if dependency["req"] == "*" && !dependency["path"].is_string() {
                wildcards.push((name.clone(), dependency["name"].as_str()?.to_owned()));
            }
        }
    }
    Some((packages, wildcards))
}

pub(super) fn check(supply: &Supply) -> Vec<Breach> {
    let mut breaches = check_lock(&supply.locked, &supply.rules);
    for package in &supply.packages {
        let (name, version) = (&package.name, &package.version);
        let what = match &package.licence {
            Some(licence) if allows(licence, &supply.rules.licences) => continue,
            Some(licence) => format!(
                "`{name}` {version} is licensed {licence}, which licenses.allow does not let in"
            ),
            None => format!("`{name}` {version} names no licence"),
        };
        breaches.push(Breach::new(RULES, None, what));
    }
    for (ours, name) in &supply.wildcards {
        let what = format!("`{ours}` takes any version of `{name}`: say which");
        breaches.push(Breach::new(
            &format!("crates/{ours}/Cargo.toml"),
            None,
            what,
        ));
    }
    let here = banned::names();
    for name in supply.rules.banned.symmetric_difference(&here) {
        let what = format!(
            "`{name}` is refused by one of {RULES} and xtask/src/house/banned.rs only: they name the same crates"
        );
        breaches.push(Breach::new(RULES, None, what));
    }
    breaches
}

fn check_lock(locked: &[Locked], rules: &Rules) -> Vec<Breach> {
    let mut breaches = Vec::new();
    let mut add = |what: String| breaches.push(Breach::new(LOCK, None, what));
    let mut versions: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for one in locked {
        let (name, version) = (&one.name, &one.version);
        versions.entry(name).or_default().push(version);
        // Ours are in the workspace and have none.
        let Some(source) = &one.source else { continue };
        if source != CRATES_IO {
            add(format!(
                "`{name}` {version} comes from {source}, and everything comes from crates.io"
            ));
        }
        let is_digest =
            |text: &String| text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !one.checksum.as_ref().is_some_and(is_digest) {
            add(format!(
                "`{name}` {version} has no checksum: nobody can tell whether it was changed"
            ));
        }
    }
    for name in &rules.single {
        let found = versions.get(name.as_str()).map_or(&[][..], Vec::as_slice);
        if found.len() > 1 {
            add(format!(
                "`{name}` is there in the versions {}: there is one of it",
                found.join(" and ")
            ));
        }
    }
    breaches
}

/// Whether some choice that this SPDX expression leaves is made of allowed licences only. [SPDX 2.3, annex D]
fn allows(expression: &str, allowed: &[String]) -> bool {
    // Older manifests separate alternatives by a stroke.
    let text = expression
        .replace('/', " OR ")
        .replace('(', " ( ")
        .replace(')', " ) ");
    let mut words = text.split_whitespace().peekable();
    let allows = any_of(&mut words, allowed);
    allows == Some(true) && words.next().is_none()
}

type Words<'a> = std::iter::Peekable<std::str::SplitWhitespace<'a>>;

/// `None` for what is no expression.
fn any_of(words: &mut Words<'_>, allowed: &[String]) -> Option<bool> {
    let mut any = all_of(words, allowed)?;
    while words.next_if_eq(&"OR").is_some() {
        any |= all_of(words, allowed)?;
    }
    Some(any)
}

fn all_of(words: &mut Words<'_>, allowed: &[String]) -> Option<bool> {
    let mut all = one(words, allowed)?;
    while words.next_if_eq(&"AND").is_some() {
        all &= one(words, allowed)?;
    }
    Some(all)
}

fn one(words: &mut Words<'_>, allowed: &[String]) -> Option<bool> {
    let word = words.next()?;
    if word == "(" {
        let inside = any_of(words, allowed)?;
        return words.next_if_eq(&")").map(|_| inside);
    }
    if ["OR", "AND", "WITH", ")"].contains(&word) {
        return None;
    }
    // An exception gives more than the licence, and is allowed by its own name.
    let name = match words.next_if_eq(&"WITH") {
        Some(_) => format!("{word} WITH {}", words.next()?),
        None => word.to_owned(),
    };
    Some(allowed.contains(&name))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn rules() -> Rules {
        Rules {
            licences: ["MIT", "Apache-2.0", "ISC"].map(str::to_owned).to_vec(),
            banned: banned::names(),
            single: vec!["rustls".to_owned()],
        }
    }

    fn supply() -> Supply {
        let locked = |name: &str| Locked {
            name: name.to_owned(),
            version: "1.0.0".to_owned(),
            source: Some(CRATES_IO.to_owned()),
            checksum: Some("ab".repeat(32)),
        };
        let package = Package {
            name: "serde".to_owned(),
            version: "1.0.0".to_owned(),
            licence: Some("MIT OR Apache-2.0".to_owned()),
        };
        Supply {
            rules: rules(),
            locked: vec![locked("serde"), locked("rustls")],
            packages: vec![package],
            wildcards: Vec::new(),
        }
    }

    #[test]
    fn sec_38_a_licence_is_read_as_spdx_reads_it() {
        let allowed = rules().licences;
        for expression in [
            "MIT",
            "MIT/Apache-2.0",
            "GPL-3.0 OR MIT",
            "ISC AND (Apache-2.0 OR OpenSSL) AND MIT",
            "(GPL-3.0 AND MIT) OR ISC",
            "Apache-2.0 WITH LLVM-exception OR MIT",
        ] {
            assert!(allows(expression, &allowed), "{expression}");
        }
        for expression in [
            "GPL-3.0",
            "MIT AND GPL-3.0",
            "MIT OR GPL-3.0 AND",
            "(MIT",
            "MIT)",
            "MIT MIT",
            "Apache-2.0 WITH LLVM-exception",
            "GPL-3.0 OR (MIT AND MPL-2.0)",
            "mit",
            "",
        ] {
            assert!(!allows(expression, &allowed), "{expression}");
        }
    }

    #[test]
    fn sec_38_what_comes_from_elsewhere_or_twice_or_without_a_licence_is_reported() {
        type Change = fn(&mut Supply);
        assert_eq!(check(&supply()), []);
        let changes: [(Change, &str); 8] = [
            (
                |one| one.locked[0].source = Some("git+https://github.com/x/y#1".to_owned()),
                "everything comes from crates.io",
            ),
            (
                |one| one.locked[0].source = Some("registry+https://example.org/index".to_owned()),
                "everything comes from crates.io",
            ),
            (|one| one.locked[0].checksum = None, "no checksum"),
            (
                |one| {
                    let mut second = one.locked[1].clone();
                    second.version = "2.0.0".to_owned();
                    one.locked.push(second);
                },
                "1.0.0 and 2.0.0",
            ),
            (
                |one| one.packages[0].licence = Some("AGPL-3.0-only".to_owned()),
                "AGPL-3.0-only",
            ),
            (|one| one.packages[0].licence = None, "names no licence"),
            (
                |one| {
                    one.wildcards
                        .push(("gateway".to_owned(), "serde".to_owned()))
                },
                "any version",
            ),
            (
                |one| {
                    one.rules.banned.remove("ring");
                },
                "they name the same crates",
            ),
        ];
        for (change, says) in changes {
            let mut other = supply();
            change(&mut other);
            let [breach] = &check(&other)[..] else {
                panic!("{says}: {:?}", check(&other))
            };
            assert!(breach.to_string().contains(says), "{breach}");
        }
    }

    #[test]
    fn sec_38_the_rules_and_the_lock_file_are_read_as_they_stand() {
        let root = crate::cargo::workspace_root().unwrap();
        let supply = read(&root).unwrap();
        assert!(supply.rules.licences.contains(&"Apache-2.0".to_owned()));
        assert!(supply.rules.banned.contains("ring"));
        assert!(supply.rules.single.contains(&"aws-lc-rs".to_owned()));
        let text = std::fs::read_to_string(root.join(LOCK)).unwrap();
        assert_eq!(supply.locked.len(), text.matches("[[package]]").count());
        assert!(supply.locked.iter().all(|one| !one.version.is_empty()));
        // What is built is in the lock file, each by name and version.
        for package in &supply.packages {
            let is_locked =
                |one: &Locked| one.name == package.name && one.version == package.version;
            assert!(supply.locked.iter().any(is_locked), "{package:?}");
        }
        assert!(supply.packages.len() > 200, "{}", supply.packages.len());
    }
}
