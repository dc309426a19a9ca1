//! Runs the load generator and reads what it tells.

use std::process::Stdio;

use anyhow::Context as _;
use serde_json::{Value, json};

use super::server::{
    CLIENT_SECRET, Folder, Programs, REDIRECT_URI, SIGNING_KEY, Server, client_id,
    with_every_file_descriptor,
};

/// Wallets in flight.
pub(super) const IN_FLIGHT: u32 = 32;
/// Done before anything counts: caches fill, connections open.
const WARM_UP: f64 = 2.0;

/// One run of a scenario against a server, for the relying party of that algorithm.
pub(super) fn run(
    programs: &Programs,
    server: &Server,
    algorithm: &str,
    scenario: impl Into<Value>,
    seconds: f64,
) -> anyhow::Result<Value> {
    let folder = Folder::new()?;
    let plan = folder.join("plan.json");
    let text = json!({
        "server": {
            "addresses": server.addresses,
            "origin": server.origin,
            "processes": server.processes(),
        },
        "party": {
            "client_id": client_id(algorithm),
            "client_secret": CLIENT_SECRET,
            "signing_key": SIGNING_KEY,
            "redirect_uri": REDIRECT_URI,
            "algorithm": algorithm,
        },
        "scenario": scenario.into(),
        "in_flight": IN_FLIGHT,
        "warm_up_seconds": WARM_UP,
        "seconds": seconds,
    });
    std::fs::write(&plan, text.to_string())?;
    let output = with_every_file_descriptor(&programs.load)
        .arg(&plan)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .context("the load could not be started")?;
    anyhow::ensure!(
        output.status.success(),
        "the load met an answer that was not as it should be"
    );
    serde_json::from_slice(&output.stdout).context("the load told something else than JSON")
}
