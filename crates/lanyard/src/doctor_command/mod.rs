//! `lanyard doctor`: whether a gateway's set-up is sound, looked at from where it will run. It changes nothing, not even
//! the version of the database's tables, and each finding says what to do.

mod machine;
mod persons;
mod reach;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use gateway::{Config, OtherTables};
use serde::Serialize;

use crate::say::say;
use crate::trial;

/// What to look at.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// The gateway's configuration file.
    #[arg(long, value_name = "FILE", env = "LANYARD_CONFIG")]
    config: PathBuf,
    /// A certificate authority to trust besides the machine's own, as PEM.
    #[arg(long, value_name = "FILE")]
    certificate_authority: Option<PathBuf>,
    /// Leave out what asks the network: DNS, TLS, published documents.
    #[arg(long)]
    offline: bool,
    /// As JSON, one finding a line.
    #[arg(long)]
    json: bool,
}

impl Options {
    /// What an assurance file has the doctor look at.
    pub(crate) fn of(config: &Path, authority: Option<&Path>, offline: bool) -> Self {
        Self {
            config: config.to_owned(),
            certificate_authority: authority.map(Path::to_owned),
            offline,
            json: true,
        }
    }
}

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
enum State {
    /// As it should be.
    Good,
    /// It works, and somebody should look at it.
    Look,
    /// It does not work, or it is not safe.
    Bad,
}

/// One thing that was looked at.
#[derive(Debug, Serialize)]
struct Finding {
    /// Stable; for scripts.
    code: &'static str,
    state: State,
    /// What was found; where it is not good, what to do.
    says: String,
}

/// What was found so far.
#[derive(Default)]
struct Findings(Vec<Finding>);

impl Findings {
    fn add(&mut self, code: &'static str, state: State, says: impl Into<String>) {
        let says = says.into();
        self.0.push(Finding { code, state, says });
    }

    fn good(&mut self, code: &'static str, says: impl Into<String>) {
        self.add(code, State::Good, says);
    }

    fn look(&mut self, code: &'static str, says: impl Into<String>) {
        self.add(code, State::Look, says);
    }

    fn bad(&mut self, code: &'static str, says: impl Into<String>) {
        self.add(code, State::Bad, says);
    }
}

/// Looks at everything; content unless something is bad.
pub async fn run(options: &Options) -> anyhow::Result<ExitCode> {
    let mut findings = Findings::default();
    examine(options, &mut findings).await;
    for finding in &findings.0 {
        if options.json {
            say(serde_json::to_string(finding)?)?;
        } else {
            let word = match finding.state {
                State::Good => "good",
                State::Look => "LOOK",
                State::Bad => "BAD ",
            };
            say(format_args!("{word}  {:22} {}", finding.code, finding.says))?;
        }
    }
    let worst = findings.0.iter().map(|one| one.state).max();
    Ok(match worst {
        Some(State::Bad) | None => ExitCode::FAILURE,
        Some(State::Good | State::Look) => ExitCode::SUCCESS,
    })
}

/// Every finding, for programs.
pub(crate) async fn findings(options: &Options) -> impl Serialize + use<> {
    let mut findings = Findings::default();
    examine(options, &mut findings).await;
    findings.0
}

async fn examine(options: &Options, findings: &mut Findings) {
    let config = match Config::read(&options.config) {
        Ok(config) => config,
        Err(error) => return findings.bad("configuration", error.to_string()),
    };
    machine::look_at_files(&options.config, &config, findings);
    machine::look_at_disk(&config, findings);
    machine::look_at_clock(findings);
    reach::look_at_proxy(&config, findings);
    let began = std::time::Instant::now();
    let mut stops = false;
    let tried = trial::of(&config, |tables| {
        stops = !tell_tables(tables, findings);
        !stops
    });
    let trial = match tried.await {
        Ok(trial) => trial,
        // It is told.
        Err(_) if stops => return,
        Err(error) => return findings.bad("configuration", format!("{error:#}")),
    };
    let gateway = &trial.gateway;
    findings.good(
        "configuration",
        format!(
            "this gateway can start; it takes {:.1} s",
            began.elapsed().as_secs_f64()
        ),
    );
    if trial.is_on_its_database() {
        machine::look_at_database(gateway, findings).await;
        persons::look_at_names(gateway, findings).await;
    }
    machine::look_at_secrets(gateway, findings).await;
    machine::look_at_chains(gateway, findings);
    if !options.offline {
        let authority = options.certificate_authority.as_deref();
        reach::look_from_outside(gateway, &config, authority, findings).await;
    }
    trial.close().await;
}

/// Tells of tables that are not this version's; whether there is more to look at without them.
fn tell_tables(tables: OtherTables, findings: &mut Findings) -> bool {
    let says = tables.to_string();
    match tables.found {
        Some(found) if found > tables.known => findings.bad("tables", says),
        Some(_) => {
            let more = "what is registered, and whether this gateway can start, is looked at once they are up";
            findings.look("tables", format!("{says}; {more}"));
        }
        None => findings.look("tables", says),
    }
    tables.found.is_none()
}
