//! The arrows between the gateway's slices. They meet in `interaction` and `status`; only the composition root
//! knows them all.

use super::Breach;
use super::source::{RootedPath, Source, Start};

/// Where the slices are.
const FOLDER: &str = "crates/gateway/src/";

/// A slice, and the slices that it may name.
struct Slice {
    name: &'static str,
    may_name: &'static [&'static str],
}

const SLICES: &[Slice] = &[
    // The door for relying parties.
    Slice {
        name: "oidc",
        may_name: &["verify", "issue", "entra", "interaction"],
    },
    // What a wallet does.
    Slice {
        name: "verify",
        may_name: &["interaction"],
    },
    Slice {
        name: "issue",
        may_name: &["interaction", "status"],
    },
    Slice {
        name: "entra",
        may_name: &["interaction"],
    },
    Slice {
        name: "revoke",
        may_name: &["status"],
    },
    // Where they meet: ids and plain values only.
    Slice {
        name: "interaction",
        may_name: &[],
    },
    Slice {
        name: "status",
        may_name: &[],
    },
    Slice {
        name: "organisation",
        may_name: &[],
    },
    // The shape of the one configuration file.
    Slice {
        name: "config",
        may_name: &[],
    },
    // The operator's pages stand on the same admin API that everybody else uses.
    Slice {
        name: "console",
        may_name: &[],
    },
];

/// Slices that every other may name.
const COMMON_SLICES: &[&str] = &["config", "organisation"];

/// What stands under all slices, and names none of them.
const GROUND: &[&str] = &[
    "audit", "clock", "keys", "outbound", "random", "seal", "store",
];

/// The composition root: knows all slices. (`lib.rs` too.)
const ROOT: &[&str] = &["app"];

pub(super) fn check(path: &str, source: &Source) -> Vec<Breach> {
    let Some(inside) = path.strip_prefix(FOLDER) else {
        return Vec::new();
    };
    let module = module_of(inside);
    let Some(own) = module.first().copied().filter(|name| *name != "lib") else {
        return Vec::new();
    };
    if ROOT.contains(&own) {
        return Vec::new();
    }
    if !GROUND.contains(&own) && !SLICES.iter().any(|slice| slice.name == own) {
        return vec![Breach::new(
            path,
            None,
            format!(
                "`{own}` is neither a slice, nor ground, nor the root: give it its place in xtask/src/house/slices.rs"
            ),
        )];
    }
    let named = source
        .paths
        .iter()
        .filter(|found| starts_at_root(found, module.len()));
    named
        .filter(|found| !may_name(own, &found.first))
        .map(|found| {
            Breach::new(
                path,
                found.line,
                format!("`{own}` may not name `{}`", found.first),
            )
        })
        .collect()
}

/// The module path of a file: `oidc/par.rs` and `oidc/par/mod.rs` are both `oidc`, `par`.
fn module_of(inside: &str) -> Vec<&str> {
    let mut parts: Vec<&str> = inside.trim_end_matches(".rs").split('/').collect();
    if parts.len() > 1 && parts.last() == Some(&"mod") {
        parts.pop();
    }
    parts
}

fn starts_at_root(path: &RootedPath, depth_of_file: usize) -> bool {
    match path.start {
        Start::Root => true,
        Start::Above(above) => above >= depth_of_file,
    }
}

fn may_name(own: &str, other: &str) -> bool {
    let Some(slice) = SLICES.iter().find(|slice| slice.name == other) else {
        // Ground, the root's shared state, and items of `lib.rs` are for everybody.
        return true;
    };
    own == slice.name
        || COMMON_SLICES.contains(&other) && !GROUND.contains(&own)
        || SLICES
            .iter()
            .any(|slice| slice.name == own && slice.may_name.contains(&other))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::super::source::parse;
    use super::*;

    fn breaches(path: &str, text: &str) -> Vec<String> {
        check(path, &parse(text).unwrap())
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    #[test]
    fn a_slice_that_names_another_is_reported() {
        assert_eq!(
            breaches(
                "crates/gateway/src/verify/check.rs",
                "use crate::interaction::Stage;"
            ),
            [""; 0]
        );
        assert_eq!(
            breaches(
                "crates/gateway/src/verify/check.rs",
                "\nuse crate::issue::Offer;"
            ),
            ["crates/gateway/src/verify/check.rs:2: `verify` may not name `issue`"]
        );
        assert_eq!(
            breaches(
                "crates/gateway/src/interaction/mod.rs",
                "use crate::{store, oidc};"
            )
            .len(),
            1
        );
    }

    #[test]
    fn going_up_to_the_root_is_no_way_round() {
        assert_eq!(
            breaches(
                "crates/gateway/src/verify/check.rs",
                "use super::super::issue::Offer;"
            )
            .len(),
            1
        );
        assert_eq!(
            breaches(
                "crates/gateway/src/verify/mod.rs",
                "use super::issue::Offer;"
            )
            .len(),
            1
        );
        // Its own child of that name is nobody else's business.
        assert_eq!(
            breaches(
                "crates/gateway/src/verify/check.rs",
                "use super::issue::Offer;"
            ),
            [""; 0]
        );
    }

    #[test]
    fn the_ground_knows_no_slice() {
        assert_eq!(
            breaches(
                "crates/gateway/src/store/mod.rs",
                "use crate::organisation::Id;"
            )
            .len(),
            1
        );
        assert_eq!(
            breaches(
                "crates/gateway/src/store/mod.rs",
                "use crate::clock::Clock;"
            ),
            [""; 0]
        );
    }

    #[test]
    fn the_composition_root_knows_all() {
        assert_eq!(
            breaches("crates/gateway/src/lib.rs", "use crate::{oidc, verify};"),
            [""; 0]
        );
        assert_eq!(
            breaches("crates/gateway/src/app.rs", "use crate::{oidc, verify};"),
            [""; 0]
        );
    }

    #[test]
    fn a_new_module_needs_its_place() {
        assert_eq!(breaches("crates/gateway/src/misc.rs", "").len(), 1);
    }
}
