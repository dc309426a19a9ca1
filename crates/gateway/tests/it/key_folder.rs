//! Keys that take long to make: an RSA key takes a tenth of a second, of the third that most tests compute. Each is made once for
//! all tests of a run and lies beside what they are built into.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;

use gateway::Config;

const RSA: &str = "id-token-rs256.pem";

/// Makes every key that the configuration needs, for a gateway of the sandbox's kind. Its RSA key is the same in each test: one
/// that needs a key which no other gateway has calls [`gateway::create_keys`].
pub(crate) fn create_keys(config: &Config) {
    let own = config.keys.join(RSA);
    let key = made_once(RSA, || {
        gateway::create_keys(config, true).unwrap();
        fs::read(&own).unwrap()
    });
    if own.exists() {
        return;
    }
    let mut folder = fs::DirBuilder::new();
    folder.recursive(true).mode(0o700);
    folder.create(&config.keys).unwrap();
    let mut file = fs::OpenOptions::new();
    file.write(true).create_new(true).mode(0o600);
    file.open(&own).unwrap().write_all(&key).unwrap();
    gateway::create_keys(config, true).unwrap();
}

/// What was made under this name by whichever test was first.
pub(crate) fn made_once(name: &str, make: impl FnOnce() -> Vec<u8>) -> Vec<u8> {
    // Of another run it may be sealed or written otherwise.
    let run = std::env::var("NEXTEST_RUN_ID").unwrap_or_else(|_| std::process::id().to_string());
    let ready = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{run}-{name}"));
    if let Ok(made) = fs::read(&ready) {
        return made;
    }
    let made = make();
    // Whole or not at all: others look for it now.
    let whole = ready.with_extension(uuid::Uuid::new_v4().to_string());
    let mut file = fs::OpenOptions::new();
    file.write(true).create_new(true).mode(0o600);
    file.open(&whole).unwrap().write_all(&made).unwrap();
    fs::rename(whole, ready).unwrap();
    made
}
