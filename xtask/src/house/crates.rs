//! The arrows between the crates: a party knows another only where this table says so.

use std::path::Path;

use anyhow::Context as _;
use serde_json::Value;

use super::Breach;
use crate::cargo::cargo;

/// A crate, the crates of ours that it links, and those that only its tests may use on top.
struct Party {
    name: &'static str,
    links: &'static [&'static str],
    tests_with: &'static [&'static str],
}

const PARTIES: &[Party] = &[
    // The specifications as code: know nobody.
    Party {
        name: "standards",
        links: &[],
        tests_with: &[],
    },
    Party {
        name: "ui",
        links: &[],
        tests_with: &[],
    },
    // How long the parts of a request took, whoever was asked.
    Party {
        name: "traces",
        links: &[],
        tests_with: &[],
    },
    // Whoever keeps something: knows nobody's tables.
    Party {
        name: "store",
        links: &["traces"],
        tests_with: &[],
    },
    Party {
        name: "passwords",
        links: &[],
        tests_with: &[],
    },
    Party {
        name: "unread",
        links: &[],
        tests_with: &[],
    },
    // Nobody but `lanyard` and tests depends on the gateway.
    Party {
        name: "gateway",
        links: &["passwords", "standards", "store", "traces", "ui", "unread"],
        tests_with: &["connector", "verified-id", "wallet"],
    },
    // The operators' pages: by the admin API's router, and with no right and no database of its own.
    Party {
        name: "console",
        links: &["ui", "unread"],
        tests_with: &["gateway", "standards", "store", "traces"],
    },
    Party {
        name: "connector",
        links: &["standards", "store", "traces"],
        tests_with: &["gateway", "mail-catcher", "wallet"],
    },
    Party {
        name: "wallet",
        links: &["standards", "ui"],
        tests_with: &["gateway"],
    },
    Party {
        name: "portal",
        links: &["connector", "passwords", "store", "traces", "ui", "unread"],
        tests_with: &["gateway", "mail-catcher", "standards", "wallet"],
    },
    // Beside an external system of any language: a door to the connector's desk.
    Party {
        name: "sidecar",
        links: &["connector", "standards", "store", "traces", "unread"],
        tests_with: &["gateway", "mail-catcher", "wallet"],
    },
    Party {
        name: "passport",
        links: &["connector", "store", "ui"],
        tests_with: &["gateway", "wallet"],
    },
    // Mail reaches it by SMTP and leaves it by HTTP: it knows no sender.
    Party {
        name: "mail-catcher",
        links: &["ui"],
        tests_with: &[],
    },
    // A second implementation on purpose: shares no codec with the gateway, not even in a test.
    Party {
        name: "verified-id",
        links: &["ui"],
        tests_with: &[],
    },
    // A black box: by URL only.
    Party {
        name: "conformance",
        links: &["standards", "wallet"],
        tests_with: &[],
    },
    // Callers by the dozen: by URL only, so that what it measures is a process of its own.
    Party {
        name: "load",
        links: &["standards", "ui"],
        tests_with: &[],
    },
    // The one binary composes the rest.
    Party {
        name: "lanyard",
        links: &[
            "conformance",
            "connector",
            "console",
            "gateway",
            "mail-catcher",
            "passport",
            "portal",
            "sidecar",
            "standards",
            "store",
            "traces",
            "ui",
            "verified-id",
            "wallet",
        ],
        tests_with: &[],
    },
    // A test of its own kind: hostile input for whoever reads any. Links what it feeds.
    Party {
        name: "fuzz",
        links: &["gateway", "standards", "ui", "verified-id"],
        tests_with: &[],
    },
    Party {
        name: "xtask",
        links: &[],
        tests_with: &[],
    },
];

/// That one crate depends on another.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Arrow {
    from: String,
    /// `None` for a crate that depends on none of ours: it needs its row all the same.
    to: Option<String>,
    only_in_tests: bool,
}

/// Reads the arrows of the workspace from cargo itself.
pub(super) fn read(root: &Path) -> anyhow::Result<Vec<Arrow>> {
    let output = cargo(root)
        .args(["metadata", "--format-version=1", "--no-deps", "--offline"])
        .output()?;
    anyhow::ensure!(
        output.status.success(),
        "cargo metadata: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    parse(&serde_json::from_slice(&output.stdout)?)
        .context("cargo metadata has an unexpected shape")
}

fn parse(metadata: &Value) -> Option<Vec<Arrow>> {
    let mut arrows = Vec::new();
    for package in metadata["packages"].as_array()? {
        let from = package["name"].as_str()?;
        arrows.push(Arrow {
            from: from.into(),
            to: None,
            only_in_tests: false,
        });
        for dependency in package["dependencies"].as_array()? {
            // Ours are the ones that come from a path.
            if dependency["path"].is_string() {
                let to = Some(dependency["name"].as_str()?.into());
                arrows.push(Arrow {
                    from: from.into(),
                    to,
                    only_in_tests: dependency["kind"] == "dev",
                });
            }
        }
    }
    Some(arrows)
}

pub(super) fn check(arrows: &[Arrow]) -> Vec<Breach> {
    arrows.iter().filter_map(check_arrow).collect()
}

fn check_arrow(arrow: &Arrow) -> Option<Breach> {
    let manifest = if arrow.from == "xtask" {
        "xtask/Cargo.toml".to_owned()
    } else {
        format!("crates/{}/Cargo.toml", arrow.from)
    };
    let Some(party) = PARTIES.iter().find(|party| party.name == arrow.from) else {
        return Some(Breach::new(
            &manifest,
            None,
            format!(
                "the crate `{}` has no row in the table of parties (xtask/src/house/crates.rs)",
                arrow.from
            ),
        ));
    };
    let to = arrow.to.as_deref()?;
    let allowed = party.links.contains(&to)
        || (arrow.only_in_tests && (party.tests_with.contains(&to) || to == party.name));
    (!allowed).then(|| {
        let where_ = if arrow.only_in_tests {
            ", not even in tests"
        } else {
            ""
        };
        Breach::new(
            &manifest,
            None,
            format!("`{}` may not depend on `{to}`{where_}", arrow.from),
        )
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::json;

    use super::*;

    fn arrow(from: &str, to: &str, only_in_tests: bool) -> Arrow {
        Arrow {
            from: from.into(),
            to: Some(to.into()),
            only_in_tests,
        }
    }

    #[test]
    fn an_arrow_that_turns_round_is_reported() {
        assert_eq!(check(&[arrow("gateway", "standards", false)]), []);
        let breaches = check(&[
            arrow("standards", "gateway", false),
            arrow("portal", "gateway", false),
        ]);
        assert_eq!(breaches.len(), 2);
        assert_eq!(
            breaches[0].to_string(),
            "crates/standards/Cargo.toml: `standards` may not depend on `gateway`"
        );
    }

    #[test]
    fn tests_may_know_more_but_not_everything() {
        assert_eq!(check(&[arrow("portal", "gateway", true)]), []);
        assert_eq!(check(&[arrow("conformance", "gateway", true)]).len(), 1);
    }

    #[test]
    fn a_new_crate_needs_a_row() {
        let breaches = check(&[Arrow {
            from: "helpers".into(),
            to: None,
            only_in_tests: false,
        }]);
        assert!(
            breaches[0].to_string().contains("no row"),
            "{}",
            breaches[0]
        );
    }

    /// What an external system links brings no web framework with it, by nobody's way.
    #[test]
    fn whoever_links_the_connector_gets_no_web_framework() {
        let root = crate::cargo::workspace_root().unwrap();
        let mut tree = cargo(&root);
        tree.args(["tree", "--locked", "--package", "connector"]);
        tree.args(["--edges", "normal", "--prefix", "none"]);
        let tree = tree.output().unwrap();
        let told = String::from_utf8(tree.stdout).unwrap();
        assert!(told.starts_with("connector "), "{told}");
        for framework in ["axum", "actix-web", "warp", "rocket"] {
            let begins = format!("{framework} ");
            let is_there = told.lines().any(|line| line.starts_with(&begins));
            assert!(!is_there, "the connector brings {framework}");
        }
    }

    #[test]
    fn arrows_are_read_from_what_cargo_says() {
        let metadata = json!({"packages": [{"name": "wallet", "dependencies": [
            {"name": "serde", "kind": null},
            {"name": "ui", "kind": null, "path": "/x/ui"},
            {"name": "gateway", "kind": "dev", "path": "/x/gateway"},
        ]}]});
        let arrows = parse(&metadata).unwrap();
        assert_eq!(
            arrows[1..],
            [
                arrow("wallet", "ui", false),
                arrow("wallet", "gateway", true)
            ]
        );
    }
}
