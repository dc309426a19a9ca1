//! Crates that must not be linked, whoever asks for them. (`deny.toml` says the same to cargo-deny; this check
//! needs nothing installed, and reads what is really built: a lock file also lists what no feature turns on.)

use std::path::Path;

use super::Breach;
use crate::cargo::cargo;

/// A crate that nothing may link, tests included, and what we use in its place.
const BANNED: &[(&str, &str)] = &[
    // Two crypto providers in one binary: rustls cannot choose, and nobody can say which one signed.
    ("ring", "aws-lc-rs"),
    // A system library to patch, or to miss.
    ("openssl", "rustls"),
    ("openssl-sys", "rustls"),
    ("native-tls", "rustls"),
];

/// The same for what is shipped. An independent make that only tests link brings its own choices along: that is what
/// makes it independent.
const BANNED_OUTSIDE_TESTS: &[(&str, &str)] = &[
    // RUSTSEC-2023-0071: its private key operations leak through timing.
    ("rsa", "aws-lc-rs"),
    ("chrono", "jiff"),
];

/// The names of both.
pub(super) fn names() -> std::collections::BTreeSet<String> {
    let all = BANNED.iter().chain(BANNED_OUTSIDE_TESTS);
    all.map(|(name, _)| (*name).to_owned()).collect()
}

/// The names of all crates that the workspace builds.
pub(super) struct Linked {
    anywhere: Vec<String>,
    outside_tests: Vec<String>,
}

pub(super) fn read(root: &Path) -> anyhow::Result<Linked> {
    Ok(Linked {
        anywhere: read_edges(root, "normal,build,dev")?,
        outside_tests: read_edges(root, "normal,build")?,
    })
}

fn read_edges(root: &Path, edges: &str) -> anyhow::Result<Vec<String>> {
    let arguments = [
        "tree",
        "--workspace",
        "--prefix=none",
        "--format={p}",
        "--edges",
        edges,
    ];
    let output = cargo(root).args(arguments).output()?;
    anyhow::ensure!(
        output.status.success(),
        "cargo tree: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let lines = String::from_utf8_lossy(&output.stdout).into_owned();
    Ok(parse(&lines))
}

fn parse(lines: &str) -> Vec<String> {
    let mut names: Vec<String> = lines
        .lines()
        .filter_map(|line| line.split(' ').next())
        .map(str::to_owned)
        .collect();
    names.sort();
    names.dedup();
    names
}

pub(super) fn check(linked: &Linked) -> Vec<Breach> {
    let mut found = breaches(BANNED, &linked.anywhere);
    found.extend(breaches(BANNED_OUTSIDE_TESTS, &linked.outside_tests));
    found
}

fn breaches(banned: &[(&str, &str)], linked: &[String]) -> Vec<Breach> {
    let found = banned
        .iter()
        .filter(|(name, _)| linked.iter().any(|linked| linked == name));
    found
        .map(|(name, instead)| {
            let what = format!(
                "`{name}` is linked, we use {instead}; `cargo tree --workspace --invert {name}` says who asks for it"
            );
            Breach::new("Cargo.lock", None, what)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_banned_crate_is_reported_by_its_whole_name() {
        let linked =
            parse("gateway v0.1.0 (/x)\nring v0.17.14\nring v0.17.14 (*)\nspring v1.0.0\n");
        let found = breaches(BANNED, &linked);
        assert_eq!(found.len(), 1);
        assert!(found[0].to_string().contains("--invert ring"));
        assert_eq!(breaches(BANNED, &parse("spring v1.0.0\nstring v1.0.0")), []);
    }

    #[test]
    fn what_only_tests_link_may_have_its_own_clock_but_no_second_crypto_provider() {
        let linked = |anywhere: &str, outside_tests: &str| Linked {
            anywhere: parse(anywhere),
            outside_tests: parse(outside_tests),
        };
        assert_eq!(check(&linked("chrono v0.4.45", "")), []);
        assert_eq!(check(&linked("chrono v0.4.45", "chrono v0.4.45")).len(), 1);
        assert_eq!(check(&linked("ring v0.17.14", "")).len(), 1);
    }
}
