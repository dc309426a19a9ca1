//! Crates that must not be linked, whoever asks for them. (`deny.toml` says the same to cargo-deny; this check
//! needs nothing installed, and reads what is really built: a lock file also lists what no feature turns on.)

use std::path::Path;

use super::Breach;
use crate::cargo::cargo;

/// A crate, and what we use in its place.
const BANNED: &[(&str, &str)] = &[
    // Two crypto providers in one binary: rustls cannot choose, and nobody can say which one signed.
    ("ring", "aws-lc-rs"),
    // A system library to patch, or to miss.
    ("openssl", "rustls"),
    ("openssl-sys", "rustls"),
    ("native-tls", "rustls"),
    // RUSTSEC-2023-0071: its private key operations leak through timing.
    ("rsa", "aws-lc-rs"),
    ("chrono", "jiff"),
];

/// The names of all crates that the workspace builds, tests included.
pub(super) fn read(root: &Path) -> anyhow::Result<Vec<String>> {
    let arguments = ["tree", "--workspace", "--prefix=none", "--format={p}"];
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

pub(super) fn check(linked: &[String]) -> Vec<Breach> {
    let found = BANNED
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
        let breaches = check(&linked);
        assert_eq!(breaches.len(), 1);
        assert!(breaches[0].to_string().contains("--invert ring"));
        assert_eq!(check(&parse("spring v1.0.0\nstring v1.0.0")), []);
    }
}
