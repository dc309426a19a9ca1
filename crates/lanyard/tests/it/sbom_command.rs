//! `lanyard sbom`: what the program says it is made of, held against the program itself and against the lock file.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::operated::LANYARD;

fn told() -> String {
    let output = Command::new(LANYARD).arg("sbom").output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// The crates of crates.io whose source the program names, as `name-version`: a panic says where it was, also in what others
/// wrote. Found by grep, since the program is large.
fn named_in_the_program() -> BTreeSet<String> {
    let found = Command::new("grep")
        .args(["--text", "--only-matching", "--extended-regexp"])
        .args([
            "registry/src/[^/]+/[A-Za-z0-9_-]+-[0-9][0-9A-Za-z.+-]*/",
            LANYARD,
        ])
        .env("LC_ALL", "C")
        .output()
        .unwrap();
    let text = String::from_utf8(found.stdout).unwrap();
    let names = text
        .lines()
        .filter_map(|line| line.trim_end_matches('/').rsplit('/').next());
    names.map(str::to_owned).collect()
}

/// Each crate of the lock file that has one, with its checksum.
fn locked() -> BTreeMap<String, String> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../Cargo.lock");
    let lock: toml::Table = std::fs::read_to_string(file).unwrap().parse().unwrap();
    let packages = lock["package"].as_array().unwrap().iter();
    let text = |package: &toml::Value, key: &str| Some(package.get(key)?.as_str()?.to_owned());
    let locked = packages.filter_map(|one| {
        let name = format!("{}@{}", text(one, "name")?, text(one, "version")?);
        Some((name, text(one, "checksum")?))
    });
    locked.collect()
}

/// SEC-38: whoever hears of a fault in a crate can ask the program that runs whether it is in it.
#[test]
fn sec_38_the_bill_of_materials_names_each_crate_that_is_linked_with_version_licence_and_checksum()
{
    let text = told();
    assert_eq!(text, told(), "the same program says the same");
    let bill: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        (&bill["bomFormat"], &bill["specVersion"]),
        (&"CycloneDX".into(), &"1.5".into())
    );
    let program = &bill["metadata"]["component"];
    assert_eq!(
        (&program["name"], &program["type"]),
        (&"lanyard".into(), &"application".into())
    );
    assert_eq!(program["version"], env!("CARGO_PKG_VERSION"));

    let locked = locked();
    let (mut linked, mut references) = (BTreeSet::new(), BTreeSet::new());
    for component in bill["components"].as_array().unwrap() {
        let text = |key: &str| {
            component[key]
                .as_str()
                .unwrap_or_else(|| panic!("{key}: {component}"))
        };
        let (name, version) = (text("name"), text("version"));
        assert!(references.insert(text("bom-ref")), "twice: {component}");
        let licence = component["licenses"][0]["expression"].as_str().unwrap();
        assert!(!licence.is_empty() && !licence.contains('/'), "{component}");
        let hash = &component["hashes"][0];
        if let Some(checksum) = locked.get(&format!("{name}@{version}")) {
            assert_eq!(hash["content"], *checksum.as_str(), "{component}");
            assert_eq!(component["purl"], format!("pkg:cargo/{name}@{version}"));
        } else if name == "nhsuk-frontend" {
            assert_eq!(hash["content"].as_str().unwrap().len(), 128);
        } else {
            // What is ours is in no registry.
            assert!(
                hash.is_null() && version == env!("CARGO_PKG_VERSION"),
                "{component}"
            );
        }
        if component["scope"] == "required" {
            linked.insert(format!("{name}-{version}"));
        }
    }
    // The program itself names those of its crates that can panic: no few, and none that is not in the bill.
    let named = named_in_the_program();
    assert!(named.len() > 80, "{named:?}");
    let missing: Vec<_> = named.difference(&linked).collect();
    assert!(
        missing.is_empty(),
        "in the program and not in its bill: {missing:?}"
    );
    for own in ["gateway", "store", "ui"] {
        assert!(
            linked.contains(&format!("{own}-{}", env!("CARGO_PKG_VERSION"))),
            "{own}"
        );
    }

    // Each is needed by something, up to the program.
    references.insert(program["bom-ref"].as_str().unwrap());
    let mut needs = BTreeMap::new();
    for one in bill["dependencies"].as_array().unwrap() {
        let needed = one["dependsOn"].as_array().unwrap().iter();
        let needed: Vec<&str> = needed.map(|one| one.as_str().unwrap()).collect();
        assert!(needed.iter().all(|one| references.contains(one)), "{one}");
        needs.insert(one["ref"].as_str().unwrap(), needed);
    }
    let mut reached = BTreeSet::new();
    let mut waiting = vec![program["bom-ref"].as_str().unwrap()];
    while let Some(one) = waiting.pop() {
        if reached.insert(one) {
            waiting.extend(needs[one].iter().copied());
        }
    }
    for component in bill["components"].as_array().unwrap() {
        let is_reached = reached.contains(component["bom-ref"].as_str().unwrap());
        assert_eq!(is_reached, component["scope"] == "required", "{component}");
    }
}
