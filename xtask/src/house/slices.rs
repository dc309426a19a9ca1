//! The arrows between the gateway's slices. They meet in `interaction` and `status`; only the composition root
//! knows them all.

use super::Breach;
use super::source::{RootedPath, Source, Start};

/// Where the slices are.
const FOLDER: &str = "crates/gateway/src/";

/// Each slice, and the slices that it may name.
const SLICES: &[(&str, &[&str])] = &[
    // The door for relying parties.
    (
        "oidc",
        &["verify", "issue", "entra", "interaction", "client"],
    ),
    // What a wallet does.
    ("verify", &["interaction", "status"]),
    ("issue", &["interaction", "status"]),
    ("entra", &["interaction"]),
    ("revoke", &["status", "client"]),
    // What became of it, for the relying party that asks.
    ("outcome", &["interaction", "client"]),
    // And for the one that is told.
    ("webhook", &["interaction", "client"]),
    // Where they meet: ids and plain values only.
    ("interaction", &[]),
    ("status", &[]),
    // What must not stay.
    ("retention", &["interaction", "status"]),
    // What a restore must not bring back.
    ("restored", &["status"]),
    // What became of it, for the operator who is asked.
    ("timeline", &["interaction"]),
    // Whether this process can work now, and whether the service was there.
    ("health", &["interaction", "status"]),
    ("availability", &[]),
    // Who is calling: for the door and for revocation.
    ("client", &[]),
    // Tenants and what is registered for them; the shape of the one configuration file.
    ("organisation", &[]),
    // What of it is declared while the gateway runs.
    ("registry", &[]),
    ("config", &[]),
    // Who may administer.
    ("operator", &[]),
    // The operator's pages stand on the same admin API that everybody else uses.
    ("console", &[]),
];

/// Slices that every other may name.
const COMMON_SLICES: &[&str] = &["config", "organisation"];

/// What stands under all slices, and names none of them.
const GROUND: &[&str] = &[
    "admin", "audit", "clock", "copies", "event", "flight", "keys", "limits", "live", "metrics",
    "openapi", "outbound", "paced", "random", "revision", "seal",
];

/// The composition root: knows all slices. (`lib.rs` too.)
const ROOT: &[&str] = &[
    "administration",
    "admission",
    "app",
    "base",
    "checklist",
    "custody",
    "evidence",
    "following",
    "key_desk",
    "operate",
    "storage_secret",
    "surroundings",
    "tables",
    "watching",
];

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
    if !GROUND.contains(&own) && !SLICES.iter().any(|(slice, _)| *slice == own) {
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
    // Ground, the root's shared state, and items of `lib.rs` are for everybody.
    let is_slice = SLICES.iter().any(|(slice, _)| *slice == other);
    if own == other || !is_slice {
        return true;
    }
    let is_common = COMMON_SLICES.contains(&other) && !GROUND.contains(&own);
    is_common
        || SLICES
            .iter()
            .any(|(slice, names)| *slice == own && names.contains(&other))
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
                "use crate::{clock, oidc};"
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
                "crates/gateway/src/keys/mod.rs",
                "use crate::organisation::Id;"
            )
            .len(),
            1
        );
        assert_eq!(
            breaches("crates/gateway/src/keys/mod.rs", "use crate::clock::Clock;"),
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
