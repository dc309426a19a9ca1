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
    /// Each benchmark with what the gateway is measured on.
    runs: Vec<(Which, Setting)>,
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
/// How many processes on one PostgreSQL `all` measures, one after the other: each has its figures on the page.
const PROCESSES: [u32; 3] = [1, 2, 4];

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

    /// Those that are measured on PostgreSQL, too.
    const ON_POSTGRES: [Self; 2] = [Self::Journey, Self::Gateway];

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
        let is_all = which == Which::ALL;
        let on_sqlite = which.into_iter().map(|which| (which, Setting::Sqlite));
        let mut plan = Self {
            runs: on_sqlite.collect(),
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
            for (which, setting) in &mut plan.runs {
                anyhow::ensure!(
                    Which::ON_POSTGRES.contains(which),
                    "--database is for journey and gateway"
                );
                *setting = Setting::Postgres { processes };
            }
        } else {
            anyhow::ensure!(
                processes.is_none(),
                "several processes need --database postgres"
            );
        }
        if is_all {
            for processes in PROCESSES {
                let setting = Setting::Postgres { processes };
                let more = Which::ON_POSTGRES.map(|which| (which, setting));
                plan.runs.extend(more);
            }
        }
        Ok(plan)
    }

    /// The name under which the figures stand, and the command that yields them.
    fn names_of(&self, (which, setting): (Which, Setting)) -> (String, String) {
        let (name, seconds) = (which.name(), self.seconds);
        match setting {
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
    let needs_programs = plan.runs.iter().any(|(which, _)| *which != Which::Matching);
    let programs = needs_programs.then(|| Programs::build(root)).transpose()?;
    let machine = machine::describe(root)?;
    let mut all = Vec::new();
    for (which, setting) in &plan.runs {
        let (name, command) = plan.names_of((*which, *setting));
        eprintln!("Measuring: {name}.");
        let mut report = Report::new(name, &command);
        match (which, &programs) {
            (Which::Matching, _) => matching::measure(root, &mut report)?,
            (_, None) => anyhow::bail!("the programs to measure are not built"),
            (Which::Journey, Some(of)) => {
                journey::measure(of, *setting, plan.seconds, &mut report)?
            }
            (Which::Peer, Some(of)) => peer::measure(root, of, plan.seconds, &mut report)?,
            (Which::Gateway, Some(of)) => {
                gateway::measure(of, *setting, plan.seconds, &mut report)?
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
        let first: Vec<_> = plan.runs.iter().take(Which::ALL.len()).collect();
        assert!(first.iter().all(|(_, setting)| *setting == Setting::Sqlite));
        assert_eq!(
            first.iter().map(|run| run.0).collect::<Vec<_>>(),
            Which::ALL
        );
        assert!((plan.seconds - 2.5).abs() < f64::EPSILON && plan.write && !plan.json);
        let peer = Plan::parse(&["peer"]).unwrap();
        assert_eq!(peer.runs, [(Which::Peer, Setting::Sqlite)]);
        let plan = ["gateway", "--database", "postgres", "--processes", "4"];
        let plan = Plan::parse(&plan).unwrap();
        let on_four = (Which::Gateway, Setting::Postgres { processes: 4 });
        assert_eq!(plan.runs, [on_four]);
        let (name, command) = plan.names_of(on_four);
        let wanted = "gateway --database postgres --processes 4 --seconds 10";
        assert_eq!(
            (name.as_str(), command.as_str()),
            ("gateway-postgres-4", wanted)
        );
        // Whatever has figures on the page, and nothing else.
        let page = include_str!("../../../docs/reference/performance.md");
        let marks = page.lines().filter_map(|line| {
            let name = line.strip_prefix("<!-- figures: ")?;
            name.strip_suffix(" -->")
        });
        let mut on_page: Vec<_> = marks.map(str::to_owned).collect();
        let all = Plan::parse(&["all"]).unwrap();
        let names = all.runs.iter().map(|run| all.names_of(*run).0);
        // Names are compared on a page of their own.
        let mut measured: Vec<_> = names.filter(|name| name != "matching").collect();
        on_page.sort();
        measured.sort();
        assert_eq!(measured, on_page);
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
