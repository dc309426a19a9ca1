//! What this program is made of, as cargo knows it when it is built: `lanyard sbom` tells it (decision 0045). Read from cargo and
//! from the lock file, with nothing to be compiled for it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

/// A name and a version.
type Package = (String, String);

/// A crate as `cargo tree` tells it.
#[derive(Default)]
struct Found {
    licence: String,
    needs: BTreeSet<Package>,
}

fn main() {
    let root = PathBuf::from(variable("CARGO_MANIFEST_DIR")).join("../..");
    watch(&root);
    let target = variable("TARGET");
    // Macros and build scripts run where it is built, and are no part of the program.
    let all = tree(&root, &target, "normal,build");
    let linked = tree(&root, &target, "normal,no-proc-macro");
    let locked = fs::read_to_string(root.join("Cargo.lock")).expect("Cargo.lock is there");
    let locked = locked_packages(&locked);
    let mut text = format!("rustc\t{}\n", compiler());
    let (version, integrity) = front_end(&root);
    let _ = writeln!(text, "nhsuk-frontend\t{version}\t{integrity}");
    for (package, found) in &all {
        let (name, version) = package;
        let is_linked = linked.contains_key(package);
        let (source, checksum) = locked
            .get(package)
            .unwrap_or_else(|| panic!("{name} {version} is not in Cargo.lock"));
        let needs = linked.get(package).unwrap_or(found).needs.iter();
        let needs: Vec<String> = needs
            .map(|(name, version)| format!("{name}@{version}"))
            .collect();
        let word = if is_linked { "linked" } else { "build" };
        let _ = writeln!(
            text,
            "{name}\t{version}\t{word}\t{}\t{source}\t{checksum}\t{}",
            found.licence,
            needs.join(" ")
        );
    }
    fs::write(Path::new(&variable("OUT_DIR")).join("materials.tsv"), text)
        .expect("the folder for what is built can be written");
}

fn variable(name: &str) -> String {
    env::var(name).unwrap_or_else(|_| panic!("cargo sets {name}"))
}

/// What the answer depends on: the lock file, and who asks for what with which features.
fn watch(root: &Path) {
    let crates = fs::read_dir(root.join("crates")).expect("the crates are there");
    let manifests = crates.map(|entry| entry.expect("a folder can be read").path());
    let files = [
        root.join("Cargo.lock"),
        root.join("Cargo.toml"),
        root.join("crates/ui/vendor/package-lock.json"),
    ];
    for file in files
        .into_iter()
        .chain(manifests.map(|folder| folder.join("Cargo.toml")))
    {
        println!("cargo:rerun-if-changed={}", file.display());
    }
}

/// Every crate below this one, by these edges.
fn tree(root: &Path, target: &str, edges: &str) -> BTreeMap<Package, Found> {
    let mut command = Command::new(variable("CARGO"));
    command.current_dir(root);
    command.args([
        "tree",
        "--frozen",
        "--package",
        "lanyard",
        "--target",
        target,
    ]);
    command.args([
        "--edges", edges, "--prefix", "depth", "--format", "{p}\t{l}",
    ]);
    let output = command.output().expect("cargo can be started");
    assert!(
        output.status.success(),
        "what the program is made of cannot be found out: cargo tree: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let text = String::from_utf8(output.stdout).expect("cargo writes UTF-8");
    let mut found: BTreeMap<Package, Found> = BTreeMap::new();
    // The crates above the line, by depth.
    let mut above: Vec<Package> = Vec::new();
    for line in text.lines() {
        let (depth, package, licence) =
            parse(line).unwrap_or_else(|| panic!("cargo tree says `{line}`"));
        above.truncate(depth);
        if let Some(parent) = above.last() {
            let parent = found.entry(parent.clone()).or_default();
            parent.needs.insert(package.clone());
        }
        let known = found.entry(package.clone()).or_default();
        known.licence = licence;
        above.push(package);
    }
    found
}

/// `3serde v1.0.228 (/where/it/is)`, a tab, its licence, and perhaps ` (*)` where it was told before.
fn parse(line: &str) -> Option<(usize, Package, String)> {
    let (package, licence) = line.split_once('\t')?;
    let name = package.trim_start_matches(|letter: char| letter.is_ascii_digit());
    let depth = package[..package.len() - name.len()].parse().ok()?;
    let mut words = name.split(' ');
    let (name, version) = (words.next()?, words.next()?.strip_prefix('v')?);
    // Older manifests separate alternatives by a stroke, which is no SPDX.
    let licence = licence.trim_end_matches(" (*)").replace('/', " OR ");
    Some((depth, (name.to_owned(), version.to_owned()), licence))
}

/// Where each package comes from, and its checksum; `-` for what is ours.
fn locked_packages(text: &str) -> BTreeMap<Package, (String, String)> {
    let value = |block: &str, key: &str| {
        let begins = format!("{key} = \"");
        let line = block
            .lines()
            .find_map(|line| line.strip_prefix(begins.as_str()));
        line.map(|rest| rest.trim_end_matches('"').to_owned())
    };
    let blocks = text.split("[[package]]").skip(1);
    blocks
        .filter_map(|block| {
            let package = (value(block, "name")?, value(block, "version")?);
            let or_none = |key| value(block, key).unwrap_or_else(|| "-".to_owned());
            Some((package, (or_none("source"), or_none("checksum"))))
        })
        .collect()
}

/// The version of the style sheet's and script's package, and what npm says its archive is.
fn front_end(root: &Path) -> (String, String) {
    let lock = root.join("crates/ui/vendor/package-lock.json");
    let text = fs::read_to_string(lock).expect("the front end's lock file is there");
    let (_, rest) = text
        .split_once("\"node_modules/nhsuk-frontend\": {")
        .expect("the front end is locked");
    let value = |key: &str| {
        let (_, rest) = rest
            .split_once(&format!("\"{key}\": \""))
            .expect("npm wrote it");
        rest.split('"').next().unwrap_or_default().to_owned()
    };
    (value("version"), value("integrity"))
}

fn compiler() -> String {
    let output = Command::new(variable("RUSTC")).arg("--version").output();
    let output = output.expect("rustc can be started");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}
