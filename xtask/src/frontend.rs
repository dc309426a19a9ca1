//! `cargo xtask vendor-frontend`: rebuilds the committed front-end files from their pinned sources.

use std::path::Path;
use std::process::Command;

use crate::cargo::succeeds;
use crate::machine::install_npm_packages;

/// The crate `ui` keeps the recipe; a Rust build never runs it.
const FOLDER: &str = "crates/ui/vendor";

pub(crate) fn vendor(root: &Path) -> anyhow::Result<bool> {
    let folder = root.join(FOLDER);
    install_npm_packages(&folder)?;
    succeeds(Command::new("node").arg("build.mjs").current_dir(&folder))
}
