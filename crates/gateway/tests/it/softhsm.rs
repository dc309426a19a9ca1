//! A `SoftHSM` with an empty token: a module that never lets keys out, for whoever tests with one.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The token's label.
pub(crate) const LABEL: &str = "lanyard";
/// What opens it.
pub(crate) const PIN: &str = "pin-of-the-tests-4711";
/// The environment variable by which the module finds its settings.
pub(crate) const SETTINGS: &str = "SOFTHSM2_CONF";

/// Where distributions put it.
const LIBRARIES: [&str; 3] = [
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so",
];

/// The module, with a word about it if there is none.
pub(crate) fn library() -> Option<PathBuf> {
    let found = LIBRARIES.map(PathBuf::from);
    let found = found.into_iter().find(|library| library.exists());
    if found.is_none() {
        println!("skipped: SoftHSM is not there (Debian: softhsm2)");
    }
    found
}

/// Makes the token in a folder of the test's; gives the settings by which a module finds it.
pub(crate) fn make_token(folder: &Path) -> PathBuf {
    let tokens = folder.join("tokens");
    std::fs::create_dir_all(&tokens).unwrap();
    let settings = folder.join("softhsm2.conf");
    let text = format!("directories.tokendir = {}\n", tokens.display());
    std::fs::write(&settings, text).unwrap();
    let made = Command::new("softhsm2-util")
        .args(["--init-token", "--free", "--label", LABEL])
        .args(["--pin", PIN, "--so-pin", PIN])
        .env(SETTINGS, &settings)
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
    settings
}
