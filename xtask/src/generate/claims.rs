//! Which tests say which rules they prove.
//!
//! A Rust test names a rule in its own name (`sec_15_…`, `vci_01_to_04_…`), in the comments above it, or in what stands
//! in it (`SEC-15`, `VCI-01 to VCI-04`); a test of an npm folder in its title and the comments above it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use super::report::Report;
use super::{node, tokens};

/// A rule's id, and the whole names of its tests.
pub(super) type Claims = BTreeMap<String, BTreeSet<String>>;

/// How ids begin.
const PREFIXES: [&str; 12] = [
    "SEC", "DW", "VCI", "VP", "SD", "SV", "TS", "BS", "VC", "JC", "HA", "DP",
];

pub(super) fn read(root: &Path, report: &Report) -> anyhow::Result<Claims> {
    let mut claims = Claims::new();
    for package in packages(root)? {
        let name = package.file_name().unwrap_or_default().to_string_lossy();
        for (file, binary) in [
            ("src/lib.rs", name.to_string()),
            ("src/main.rs", format!("{name}::bin/{name}")),
            ("tests/it/main.rs", format!("{name}::it")),
        ] {
            let file = package.join(file);
            if file.is_file() {
                let folder = file.parent().unwrap_or(root).to_path_buf();
                read_file(&file, &folder, &binary, &mut claims)?;
            }
        }
    }
    for (id, test) in read_own(root)? {
        claims.entry(id).or_default().insert(test);
    }
    for (folder, test) in node::read(root)? {
        let ids = ids_in_text(&test.text);
        let below = format!("{folder}::");
        let mut ran = report
            .foreign()
            .filter(|name| name.starts_with(&below) && test.is(name))
            .peekable();
        if ran.peek().is_none() {
            add(&mut claims, ids, &format!("{below}{}", test.title()));
        } else {
            ran.for_each(|name| add(&mut claims, ids.clone(), name));
        }
    }
    Ok(claims)
}

fn packages(root: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut packages = vec![root.join("fuzz")];
    for entry in std::fs::read_dir(root.join("crates"))? {
        packages.push(entry?.path());
    }
    Ok(packages)
}

/// What the names of xtask's own tests say, and nothing else: the rules in their texts are examples.
fn read_own(root: &Path) -> anyhow::Result<Vec<(String, String)>> {
    let source = root.join("xtask/src");
    let (main, mut claims) = (source.join("main.rs"), Claims::new());
    read_file(&main, &source, "xtask::bin/xtask", &mut claims)?;
    let all = claims.into_iter();
    let all = all.flat_map(|(id, tests)| tests.into_iter().map(move |test| (id.clone(), test)));
    let is_named = |(id, test): &(String, String)| {
        ids_in_name(test.rsplit("::").next().unwrap_or(test)).contains(id)
    };
    Ok(all.filter(is_named).collect())
}

/// Reads one file and those of its modules, which lie below `folder` unless they say otherwise.
fn read_file(file: &Path, folder: &Path, module: &str, claims: &mut Claims) -> anyhow::Result<()> {
    let text = std::fs::read_to_string(file)
        .with_context(|| format!("could not read {}", file.display()))?;
    let found = tokens::parse(&text)
        .map_err(|error| anyhow::anyhow!("{} is no Rust: {error}", file.display()))?;
    for test in found.tests {
        for name in &test.names {
            let mut ids = ids_in_text(&test.text);
            ids.extend(ids_in_name(name.rsplit("::").next().unwrap_or(name)));
            add(claims, ids, &format!("{module}::{name}"));
        }
    }
    for child in found.modules {
        let inner: Vec<&str> = child.inside.iter().map(String::as_str).collect();
        let below = folder.join(inner.join("/"));
        let beside = file.parent().unwrap_or(folder);
        // [Rust reference, modules] A path of its own starts at the file's folder.
        let (place, folder) = if let Some(path) = &child.path {
            let place = beside.join(path);
            let folder = place.parent().unwrap_or(beside).to_path_buf();
            (place, folder)
        } else {
            let (own, nested) = (
                below.join(format!("{}.rs", child.name)),
                below.join(&child.name),
            );
            let in_folder = nested.join("mod.rs");
            (if own.is_file() { own } else { in_folder }, nested)
        };
        let path: Vec<&str> = [module]
            .into_iter()
            .chain(inner)
            .chain([child.name.as_str()])
            .collect();
        read_file(&place, &folder, &path.join("::"), claims)?;
    }
    Ok(())
}

fn add(claims: &mut Claims, ids: BTreeSet<String>, test: &str) {
    for id in ids {
        claims.entry(id).or_default().insert(test.to_owned());
    }
}

/// Ids in prose: `SEC-15`, `VCI-01 to VCI-04`.
fn ids_in_text(text: &str) -> BTreeSet<String> {
    let words: Vec<&str> = text
        .split(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '-' || letter == '_'))
        .filter(|word| !word.is_empty())
        .collect();
    let mut ids = BTreeSet::new();
    for (at, word) in words.iter().enumerate() {
        let Some((prefix, number)) = parse(word, '-') else {
            continue;
        };
        let last = match words.get(at + 1..at + 3) {
            Some(["to", end]) => parse(end, '-').filter(|(other, _)| *other == prefix),
            _ => None,
        };
        let last = last.map_or(number, |(_, last)| last);
        ids.extend((number..=last).map(|number| format!("{prefix}-{number:02}")));
    }
    ids
}

/// Ids at the beginning of a test's name: `sec_15_…`, `sec_14_vp_13_…`, `vci_01_to_04_…`.
fn ids_in_name(name: &str) -> BTreeSet<String> {
    let words: Vec<&str> = name.split('_').collect();
    let mut ids = BTreeSet::new();
    let mut at = 0;
    while let Some([prefix, number]) = words.get(at..at + 2) {
        let Some((prefix, number)) = parse(&format!("{}-{number}", prefix.to_uppercase()), '-')
        else {
            break;
        };
        at += 2;
        let last = match words.get(at..at + 2) {
            Some(["to", last]) => two_digits(last),
            _ => None,
        };
        at += last.map_or(0, |_| 2);
        ids.extend((number..=last.unwrap_or(number)).map(|n| format!("{prefix}-{n:02}")));
    }
    ids
}

fn parse(word: &str, between: char) -> Option<(&'static str, u8)> {
    let (prefix, number) = word.split_once(between)?;
    let prefix = PREFIXES.into_iter().find(|known| *known == prefix)?;
    Some((prefix, two_digits(number)?))
}

fn two_digits(text: &str) -> Option<u8> {
    (text.len() == 2 && text.bytes().all(|letter| letter.is_ascii_digit()))
        .then(|| text.parse().ok())
        .flatten()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn list(ids: &BTreeSet<String>) -> Vec<&str> {
        ids.iter().map(String::as_str).collect()
    }

    #[test]
    fn ids_are_read_from_comments_and_names() {
        let ids = ids_in_text(
            "/// SEC-02, DW-84. [VP 8.6, VCI-01 to VCI-03] SEC-1 SEC-123 XSEC-04 sec-05",
        );
        assert_eq!(
            list(&ids),
            ["DW-84", "SEC-02", "VCI-01", "VCI-02", "VCI-03"]
        );
        assert_eq!(
            list(&ids_in_name("sec_14_vp_13_a_token")),
            ["SEC-14", "VP-13"]
        );
        assert_eq!(
            list(&ids_in_name("vci_01_to_03_the_metadata")),
            ["VCI-01", "VCI-02", "VCI-03"]
        );
        assert!(ids_in_name("rfc_75_a_1_hs256").is_empty());
        assert!(ids_in_name("a_sec_15_name").is_empty());
    }

    #[test]
    fn every_test_of_this_crate_is_named_as_its_runner_names_it() {
        let root = crate::cargo::workspace_root().unwrap();
        let mut claims = Claims::new();
        let source = root.join("xtask/src");
        read_file(
            &source.join("main.rs"),
            &source,
            "xtask::bin/xtask",
            &mut claims,
        )
        .unwrap();
        // The text of the test above names some.
        let own = "xtask::bin/xtask::generate::claims::tests::ids_are_read_from_comments_and_names";
        assert!(claims["DW-84"].contains(own));
        let counted = read_own(&root).unwrap();
        assert!(counted.iter().all(|(_, test)| test != own));
        let supply =
            "xtask::bin/xtask::house::supply::tests::sec_38_a_licence_is_read_as_spdx_reads_it";
        assert!(counted.contains(&("SEC-38".to_owned(), supply.to_owned())));
    }
}
