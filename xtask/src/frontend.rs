//! `cargo xtask vendor-frontend`: rebuilds the committed front-end files from their pinned sources.

use std::path::Path;
use std::process::Command;

use crate::cargo::succeeds;

/// The crate `ui` keeps the recipe; the Rust build never runs it.
const RECIPE: &str = "crates/ui/vendor/build.mjs";

pub(crate) fn vendor(root: &Path) -> anyhow::Result<bool> {
    anyhow::ensure!(
        root.join(RECIPE).is_file(),
        "there is no {RECIPE} in this workspace"
    );
    succeeds(Command::new("node").arg(RECIPE).current_dir(root))
}
