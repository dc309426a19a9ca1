//! `reconcile` of an external system, be it `lanyard connector` or `lanyard portal`: whether registry, gateway and published
//! status lists say the same.

use std::process::ExitCode;

use connector::desk::Desk;
use serde_json::json;

use crate::say::say;

/// Prints a line of JSON for each difference and one with the sums; with `repair` one more. Content if there is no
/// difference, or none that is left for somebody to look at.
pub(crate) async fn compare(desk: &Desk, repair: bool) -> anyhow::Result<ExitCode> {
    let found = desk.reconcile().await?;
    say(found.to_json_lines().trim_end())?;
    let mut repaired = 0;
    if repair {
        for difference in &found.differences {
            repaired += usize::from(desk.repair(difference).await?);
        }
        // Stored; whoever serves this database carries it out.
        say(json!({ "repaired": repaired }))?;
    }
    Ok(if repaired == found.differences.len() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
