//! `bench connector`: a nightly feed of every record there is, against everything that is out, and what follows from it.

use std::path::Path;
use std::process::Command;

use anyhow::Context as _;
use serde_json::Value;

use super::report::{Report, megabytes, milliseconds, number, verdict};
use super::server::{Folder, Programs};
use crate::cargo::{SHIPPED, built, cargo, succeeds};

/// Records in the feed, credentials that are out, and how many of them no longer say what their record says.
const RECORDS: usize = 1_000_000;
const OUT: usize = 100_000;
const AFFECTED: usize = 10_000;

/// Seconds for the feed; bytes of memory; microseconds for a state while it runs.
const AIM_FEED: f64 = 60.0;
const AIM_MEMORY: f64 = 200e6;
const AIM_STATE: f64 = 20e3;

pub(super) fn measure(root: &Path, programs: &Programs, report: &mut Report) -> anyhow::Result<()> {
    let mut build = cargo(root);
    build.args([
        "build",
        "--profile",
        SHIPPED,
        "--package",
        "sidecar",
        "--example",
        "bench_world",
    ]);
    anyhow::ensure!(succeeds(&mut build)?, "the benchmark's world was not built");
    let folder = Folder::new()?;
    let world = built(root).join("examples/bench_world");
    let output = Command::new(world)
        .arg(&programs.lanyard)
        .arg(folder.join(""))
        .args([RECORDS, OUT, AFFECTED].map(|count| count.to_string()))
        .stderr(std::process::Stdio::inherit())
        .output()?;
    anyhow::ensure!(output.status.success(), "the run broke off");
    let told: Value = serde_json::from_slice(&output.stdout).context("the run told no figures")?;
    let (feed, revoked) = (
        number(&told, "/feed_seconds"),
        number(&told, "/revoked_seconds"),
    );
    #[allow(clippy::cast_precision_loss)] // counts far below 2^52
    let (records, affected) = (RECORDS as f64, AFFECTED as f64);
    report.say(format!(
        "One feed of {RECORDS} records as JSON lines to `POST /v1/changes`, each line a `changed` one, with {OUT} credentials \
         out. {AFFECTED} of these no longer say what their record says: they were really issued, by a gateway into wallets; \
         exactly they were revoked, by their serial numbers and each at the gateway, and a mail was written for each. Of the \
         other {} the connector has its own rows only: no gateway issued them. Gateway, wallets, mail server and caller are \
         another process on the same cores. The database is SQLite, written through to the disk.",
        OUT - AFFECTED
    ));
    report.table(&[
        ["", "figure", "aim", ""].map(str::to_owned).to_vec(),
        vec![
            "the feed".to_owned(),
            format!("{feed:.1} s, {:.0} records/s", records / feed),
            format!("{AIM_FEED:.0} s"),
            verdict(feed <= AIM_FEED).to_owned(),
        ],
        vec![
            "peak memory of the connector".to_owned(),
            megabytes(&told, "/peak"),
            format!("{:.0} MB", AIM_MEMORY / 1e6),
            verdict(number(&told, "/peak") <= AIM_MEMORY).to_owned(),
        ],
        states(&told, "/states", "during the feed"),
        states(&told, "/states_revoking", "during the revocations"),
        vec![
            format!("{AFFECTED} revocations at the gateway, each with its mail queued"),
            format!(
                "done {revoked:.1} s after the feed began, {:.0}/s",
                affected / revoked
            ),
            String::new(),
            String::new(),
        ],
    ]);
    report.keep("connector", told);
    Ok(())
}

/// How long answers about states took in one phase.
fn states(told: &Value, phase: &str, when: &str) -> Vec<String> {
    let figure = |name: &str| format!("{phase}/{name}");
    let spread = ["p50_us", "p99_us", "worst_us"];
    vec![
        format!(
            "{:.0} states asked {when}, p50 / p99 / worst",
            number(told, &figure("count"))
        ),
        spread
            .map(|name| milliseconds(told, &figure(name)))
            .join(" / "),
        format!("p99 {:.0} ms", AIM_STATE / 1e3),
        verdict(number(told, &figure("p99_us")) <= AIM_STATE).to_owned(),
    ]
}
