//! Calling cargo and other programs from inside `cargo run`.

use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::Context as _;

/// The folder of the workspace.
pub(crate) fn workspace_root() -> anyhow::Result<PathBuf> {
    // `cargo run` names the folder of the crate that it runs: ours, one below the root.
    if let Some(root) = std::env::var_os("CARGO_MANIFEST_DIR")
        .map(PathBuf::from)
        .and_then(|own| Some(own.parent()?.to_path_buf()))
    {
        return Ok(root);
    }
    let here = std::env::current_dir()?;
    here.ancestors()
        .find(|folder| folder.join("xtask").is_dir() && folder.join("Cargo.toml").is_file())
        .map(Path::to_path_buf)
        .context("run this inside the workspace")
}

/// Where cargo puts what it builds.
pub(crate) fn target_folder(root: &Path) -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| root.join("target"), |folder| root.join(folder))
}

/// The profile of what is shipped, and so of what is measured.
pub(crate) const SHIPPED: &str = "dist";

/// Where cargo puts what it builds with that profile.
pub(crate) fn built(root: &Path) -> PathBuf {
    target_folder(root).join(SHIPPED)
}

/// A cargo command that sees the environment its caller had before `cargo run` added to it:
/// otherwise build scripts that watch a variable would run again for nothing.
pub(crate) fn cargo(root: &Path) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root);
    for (name, _) in std::env::vars_os() {
        if belongs_to_cargo_run(&name) {
            command.env_remove(name);
        }
    }
    command
}

fn belongs_to_cargo_run(name: &OsStr) -> bool {
    let Some(name) = name.to_str() else {
        return false;
    };
    name.starts_with("CARGO_PKG_")
        || matches!(
            name,
            "CARGO"
                | "CARGO_MANIFEST_DIR"
                | "CARGO_MANIFEST_PATH"
                | "CARGO_BIN_NAME"
                | "CARGO_CRATE_NAME"
                | "CARGO_PRIMARY_PACKAGE"
                | "LD_LIBRARY_PATH"
        )
}

/// Runs a program, its output going where ours goes; says whether it succeeded.
pub(crate) fn succeeds(command: &mut Command) -> anyhow::Result<bool> {
    let name = command.get_program().to_string_lossy().into_owned();
    let status = command
        .stdin(Stdio::null())
        .status()
        .with_context(|| format!("could not start `{name}`"))?;
    Ok(status.success())
}

/// Runs a program and returns what it prints on standard output, or nothing when it fails or is not there.
pub(crate) fn output_of(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    output
        .status
        .success()
        .then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Runs a program, shows each line of its standard output as it comes, and lets `read` see it too.
pub(crate) fn succeeds_while_reading(
    command: &mut Command,
    mut read: impl FnMut(&str),
) -> anyhow::Result<bool> {
    let name = command.get_program().to_string_lossy().into_owned();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("could not start `{name}`"))?;
    if let Some(output) = child.stdout.take() {
        for line in BufReader::new(output).lines() {
            let line = line.with_context(|| format!("could not read what `{name}` prints"))?;
            println!("{line}");
            read(&line);
        }
    }
    Ok(child.wait()?.success())
}
