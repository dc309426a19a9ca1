//! `bench peer`: our whole verification beside another provider's bare login, turn by turn.

use std::path::Path;

use serde_json::json;

use super::load::{self, IN_FLIGHT};
use super::report::{Report, median, megabytes, number, verdict};
use super::server::{ALGORITHMS, Programs, Server, Setting};
use crate::machine::install_npm_packages;

/// At least so many times the peer's rate.
const AIM: f64 = 2.0;
/// Turns of each.
const TURNS: usize = 2;

pub(super) fn measure(
    root: &Path,
    programs: &Programs,
    seconds: f64,
    report: &mut Report,
) -> anyhow::Result<()> {
    let folder = root.join("bench/peer");
    install_npm_packages(&folder)?;
    let mut rows = vec![
        [
            "ID tokens",
            "turn",
            "who",
            "a second",
            "p50",
            "p99",
            "server CPU",
            "server's peak memory",
        ]
        .map(str::to_owned)
        .to_vec(),
    ];
    let mut ratios = Vec::new();
    for algorithm in ALGORITHMS {
        let ours = Server::gateway(programs, Setting::Sqlite)?;
        let theirs = Server::peer(&folder.join("server.mjs"))?;
        let (mut our_rates, mut their_rates, mut runs) = (Vec::new(), Vec::new(), Vec::new());
        for turn in 1..=TURNS {
            for (who, server, scenario, rates) in [
                ("Lanyard, verification", &ours, "verify", &mut our_rates),
                ("oidc-provider, login", &theirs, "login", &mut their_rates),
            ] {
                let told = load::run(programs, server, algorithm, scenario, seconds)?;
                rates.push(number(&told, "/rounds_a_second"));
                rows.push(vec![
                    algorithm.to_owned(),
                    turn.to_string(),
                    who.to_owned(),
                    format!("{:.0}", number(&told, "/rounds_a_second")),
                    format!("{:.0} ms", number(&told, "/round/p50_us") / 1e3),
                    format!("{:.0} ms", number(&told, "/round/p99_us") / 1e3),
                    format!("{:.0} µs", number(&told, "/server/cpu_us_a_round")),
                    megabytes(&told, "/server/peak"),
                ]);
                runs.push(told);
            }
        }
        let ratio = median(&our_rates) / median(&their_rates);
        ratios.push(format!(
            "{ratio:.2} with {algorithm} ({})",
            verdict(ratio >= AIM)
        ));
        report.keep(
            algorithm,
            json!({ "turns": runs, "ratio": ratio, "aim": verdict(ratio >= AIM) }),
        );
    }
    report.say(format!(
        "{IN_FLIGHT} in flight, turn by turn, {seconds} s each after a warm-up. Our rate divided by theirs: {}; the \
         aim is {AIM} at least.",
        ratios.join(", ")
    ));
    report.table(&rows);
    Ok(())
}
