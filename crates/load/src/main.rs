//! `lanyard-load PLAN`: relying parties, browsers and wallets by the dozen, against a server of this machine.
//!
//! The plan ([`plan::Plan`]) is a JSON file that `cargo xtask bench` writes; what was measured goes to standard
//! output as one JSON object. Every answer is checked as its receiver would check it, and the first that is not as it
//! should be ends the run with an error: there is no such thing as a fast wrong answer.

mod browser;
mod caller;
mod flood;
mod floor;
mod http;
mod party;
mod plan;
mod process;
mod record;
mod run;
mod status;
mod wallet;

use std::time::Duration;

use anyhow::Context as _;
use tokio::runtime::Builder;

use plan::{Plan, Scenario};

fn main() -> anyhow::Result<()> {
    let file = std::env::args_os()
        .nth(1)
        .context("name the file with the plan")?;
    let text = std::fs::read(&file).context("the plan cannot be read")?;
    let plan: Plan = serde_json::from_slice(&text).context("the plan is not as it should be")?;
    let told = if plan.scenario == Scenario::Floor {
        floor::measure(
            &plan.party.algorithm,
            2,
            Duration::from_secs_f64(plan.seconds),
        )?
    } else {
        runtime(&plan.scenario)
            .enable_all()
            .build()?
            .block_on(run::run(&plan))?
    };
    #[allow(clippy::print_stdout)]
    {
        println!("{told}");
    }
    Ok(())
}

/// One thread: it has far less to do than the server, and wakes nobody on the other core. Only lists are sent so fast
/// that one thread could not ask for them.
fn runtime(scenario: &Scenario) -> Builder {
    match scenario {
        Scenario::Status(_) => Builder::new_multi_thread(),
        _ => Builder::new_current_thread(),
    }
}
