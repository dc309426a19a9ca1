//! The Python libraries that the tests let loose on the gateway, in an environment of their own beside our build.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context as _;

use crate::cargo::succeeds;

/// Tells the npm tests which Python has the libraries.
pub(crate) const VARIABLE: &str = "LANYARD_PYTHON";

/// What they are, with exact versions.
const REQUIREMENTS: &str = "tests/interop/python/requirements.txt";

/// Makes the environment, once for each state of the requirements; gives its interpreter.
pub(crate) fn prepare(root: &Path, target: &Path) -> anyhow::Result<PathBuf> {
    let requirements = root.join(REQUIREMENTS);
    let wanted = std::fs::read(&requirements)
        .with_context(|| format!("{REQUIREMENTS} could not be read"))?;
    let folder = target.join("python");
    let python = folder.join("bin/python");
    let mark = folder.join("installed-from");
    if python.is_file() && std::fs::read(&mark).is_ok_and(|installed| installed == wanted) {
        return Ok(python);
    }
    println!(
        "Installing the Python packages of {REQUIREMENTS} into {}.",
        folder.display()
    );
    let advice =
        "the Python packages could not be installed; python3 3.10 or newer with venv is needed";
    let made = succeeds(
        Command::new("python3")
            .args(["-m", "venv", "--clear"])
            .arg(&folder),
    )?;
    anyhow::ensure!(made, advice);
    let installed = succeeds(
        Command::new(&python)
            .args([
                "-m",
                "pip",
                "install",
                "--quiet",
                "--disable-pip-version-check",
            ])
            .arg("--requirement")
            .arg(&requirements),
    )?;
    anyhow::ensure!(installed, advice);
    std::fs::write(mark, wanted)?;
    Ok(python)
}
