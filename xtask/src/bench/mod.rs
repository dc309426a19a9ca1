//! `cargo xtask bench`: how fast it is, measured against the release binary in a process of its own.
//!
//! The load comes from `lanyard-load` (crates/load), another process on the same cores. This program starts both,
//! reads what they tell, holds it against the aims, and with `--write` puts it into `docs/reference/performance.md`.

mod connector;
mod figures;
mod flood;
mod gateway;
mod journey;
mod load;
mod machine;
mod matching;
mod peer;
mod report;
mod server;
mod status;

use std::path::Path;

use anyhow::Context as _;

use report::Report;
use server::{Programs, Setting};

/// What to measure, and for how long.
#[derive(Debug, PartialEq)]
pub(crate) struct Plan {
    which: Vec<Which>,
    setting: Setting,
    seconds: f64,
    /// How many credentials `status` puts into its database.
    credentials: u64,
    json: bool,
    write: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Which {
    Journey,
    Peer,
    Gateway,
    Flood,
    Connector,
    Matching,
    Status,
}

/// Long enough for a few thousand journeys, short enough to be run again.
const SECONDS: f64 = 10.0;

impl Which {
    const ALL: [Self; 7] = [
        Self::Journey,
        Self::Peer,
        Self::Gateway,
        Self::Flood,
        Self::Connector,
        Self::Matching,
        Self::Status,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Journey => "journey",
            Self::Peer => "peer",
            Self::Gateway => "gateway",
            Self::Flood => "flood",
            Self::Connector => "connector",
            Self::Matching => "matching",
            Self::Status => "status",
        }
    }
}

impl Plan {
    /// Reads `journey|peer|gateway|flood|connector|matching|status|all [--seconds N] [--credentials N] [--json] [--write]`; behind `journey` and
    /// `gateway` also `--database postgres [--processes N]`.
    pub(crate) fn parse(arguments: &[&str]) -> anyhow::Result<Self> {
        let [name, options @ ..] = arguments else {
            anyhow::bail!(
                "say what to measure: journey, peer, gateway, flood, connector, matching, status or all"
            );
        };
        let which = match *name {
            "all" => Which::ALL.to_vec(),
            name => {
                let known = Which::ALL.into_iter().find(|which| which.name() == name);
                vec![known.with_context(|| format!("there is no benchmark `{name}`"))?]
            }
        };
        let mut plan = Self {
            which,
            setting: Setting::Sqlite,
            seconds: SECONDS,
            credentials: status::CREDENTIALS,
            json: false,
            write: false,
        };
        let (mut postgres, mut processes) = (false, None);
        let mut options = options.iter();
        while let Some(option) = options.next() {
            match *option {
                "--json" => plan.json = true,
                "--write" => plan.write = true,
                "--credentials" => {
                    let credentials = options.next().and_then(|text| text.parse().ok());
                    let credentials = credentials.filter(|number| *number >= 100_000);
                    plan.credentials =
                        credentials.context("--credentials takes a number from 100000")?;
                }
                "--seconds" => {
                    let seconds = options.next().and_then(|text| text.parse().ok());
                    let seconds = seconds.filter(|seconds| (1.0..=3600.0).contains(seconds));
                    plan.seconds = seconds.context("--seconds takes a number from 1 to 3600")?;
                }
                "--database" => match options.next() {
                    Some(&"postgres") => postgres = true,
                    Some(&"sqlite") => postgres = false,
                    _ => anyhow::bail!("--database takes sqlite or postgres"),
                },
                "--processes" => {
                    let number = options.next().and_then(|text| text.parse().ok());
                    let number = number.filter(|number| (1..=16).contains(number));
                    processes = Some(number.context("--processes takes a number from 1 to 16")?);
                }
                other => anyhow::bail!("unknown option `{other}`"),
            }
        }
        if postgres {
            let processes = processes.unwrap_or(1);
            plan.setting = Setting::Postgres { processes };
            let has_setting = |which| matches!(which, &Which::Journey | &Which::Gateway);
            anyhow::ensure!(
                plan.which.iter().all(has_setting),
                "--database is for journey and gateway"
            );
        } else {
            anyhow::ensure!(
                processes.is_none(),
                "several processes need --database postgres"
            );
        }
        Ok(plan)
    }

    /// The name under which the figures stand, and the command that yields them.
    fn names_of(&self, which: Which) -> (String, String) {
        let (name, seconds) = (which.name(), self.seconds);
        match self.setting {
            Setting::Sqlite => (name.to_owned(), format!("{name} --seconds {seconds}")),
            Setting::Postgres { processes } => (
                format!("{name}-postgres-{processes}"),
                format!("{name} --database postgres --processes {processes} --seconds {seconds}"),
            ),
        }
    }
}

/// Measures. An aim that is missed is said, not failed: what fails is an answer that was not as it should be.
pub(crate) fn run(root: &Path, plan: &Plan) -> anyhow::Result<bool> {
    // Names are compared by a program of their own.
    let needs_programs = plan.which.iter().any(|which| *which != Which::Matching);
    let programs = needs_programs.then(|| Programs::build(root)).transpose()?;
    let machine = machine::describe(root)?;
    let mut all = Vec::new();
    for which in &plan.which {
        eprintln!("Measuring: {}.", which.name());
        let (name, command) = plan.names_of(*which);
        let mut report = Report::new(name, &command);
        match (which, &programs) {
            (Which::Matching, _) => matching::measure(root, &mut report)?,
            (_, None) => anyhow::bail!("the programs to measure are not built"),
            (Which::Journey, Some(of)) => {
                journey::measure(of, plan.setting, plan.seconds, &mut report)?
            }
            (Which::Peer, Some(of)) => peer::measure(root, of, plan.seconds, &mut report)?,
            (Which::Gateway, Some(of)) => {
                gateway::measure(of, plan.setting, plan.seconds, &mut report)?
            }
            (Which::Connector, Some(of)) => connector::measure(root, of, &mut report)?,
            (Which::Status, Some(of)) => {
                status::measure(root, of, plan.seconds, plan.credentials, &mut report)?;
            }
            (Which::Flood, Some(of)) => flood::measure(of, plan.seconds, &mut report)?,
        }
        if !plan.json {
            println!("\n{}", report.text(&machine));
        }
        if plan.write {
            figures::write(root, &report, &machine)?;
        }
        all.push(report.into_value(&machine));
    }
    if plan.json {
        println!("{}", serde_json::Value::from(all));
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_command_line_says_what_and_for_how_long() {
        let plan = Plan::parse(&["all", "--seconds", "2.5", "--write"]).unwrap();
        assert_eq!(plan.which, Which::ALL);
        assert!((plan.seconds - 2.5).abs() < f64::EPSILON && plan.write && !plan.json);
        assert_eq!(Plan::parse(&["peer"]).unwrap().which, [Which::Peer]);
        let plan = ["gateway", "--database", "postgres", "--processes", "4"];
        let plan = Plan::parse(&plan).unwrap();
        assert_eq!(plan.setting, Setting::Postgres { processes: 4 });
        let (name, command) = plan.names_of(Which::Gateway);
        let wanted = "gateway --database postgres --processes 4 --seconds 10";
        assert_eq!(
            (name.as_str(), command.as_str()),
            ("gateway-postgres-4", wanted)
        );
        for wrong in [
            &[][..],
            &["nothing"],
            &["peer", "--seconds"],
            &["peer", "--seconds", "0"],
            &["peer", "--fast"],
            &["peer", "--database", "postgres"],
            &["journey", "--processes", "2"],
            &["journey", "--database", "oracle"],
        ] {
            assert!(Plan::parse(wrong).is_err(), "{wrong:?}");
        }
    }
}
