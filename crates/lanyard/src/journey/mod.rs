//! `lanyard journey`: plays the standard's verify, issue and revoke sequences and prints every
//! exchange of them, numbered, with secrets masked.
//!
//! It plays in a private sandbox of its own, in a running one, or at any gateway with the contract.
//! The relying party is the connector, the browser is [`crate::browser`], the wallet is asked
//! through its HTTP API: nothing here knows how the gateway is made.

mod issue;
mod mask;
mod place;
mod player;
mod present;
mod refused;
mod revoke;
mod script;
mod verify;
mod wallet;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use connector::Dialect;
use serde::Serialize;

use crate::say::{ReaderGone, say};

use place::{Cast, Place};
use player::Player;
use script::Script;

/// How to play.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// Which parts to play. What a part needs is played before it; without a name, all are.
    #[arg(value_enum, value_name = "PART")]
    parts: Vec<Part>,
    /// Print one JSON document with the result instead of the script.
    #[arg(long)]
    json: bool,
    /// Play in the sandbox that runs in this folder, instead of one made for the purpose.
    #[arg(long, value_name = "DIR", conflicts_with = "gateway")]
    data: Option<PathBuf>,
    /// The database of the sandbox made for the purpose (postgres://…), instead of SQLite.
    #[arg(long, value_name = "URL", conflicts_with_all = ["data", "gateway"])]
    database: Option<String>,
    /// The contract that the relying party speaks: plain, v2, v1-a or v1-b.
    #[arg(long, default_value = "plain", value_parser = dialect)]
    dialect: Dialect,
    /// A certificate authority to trust besides the machine's own (PEM).
    #[arg(long, value_name = "FILE")]
    certificate_authority: Option<PathBuf>,
    #[command(flatten)]
    gateway: place::GatewayOptions,
}

/// A part of the journey.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
enum Part {
    /// An employee proves their identity.
    Verify,
    /// A new credential goes into the employee's wallet.
    Issue,
    /// The employee shows the new credential.
    Present,
    /// The new credential is revoked, and showing it fails from then on.
    Revoke,
    /// What must not work: bad identities, used codes, used requests.
    Refused,
}

impl Part {
    const ALL: [Self; 5] = [
        Self::Verify,
        Self::Issue,
        Self::Present,
        Self::Revoke,
        Self::Refused,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Verify => "verify",
            Self::Issue => "issue",
            Self::Present => "present",
            Self::Revoke => "revoke",
            Self::Refused => "refused",
        }
    }

    /// Whether playing `self` means playing `other` first.
    fn needs(self, other: Self) -> bool {
        match self {
            Self::Verify | Self::Refused => false,
            Self::Issue => other == Self::Verify,
            Self::Present | Self::Revoke => other <= Self::Issue,
        }
    }
}

/// The outcome of one part, as `--json` tells it.
#[derive(Debug, Serialize)]
struct Step {
    name: &'static str,
    ok: bool,
    ms: u64,
    /// Whether it was begun at all; for people, who would look for a fault in it.
    #[serde(skip)]
    played: bool,
}

impl Step {
    fn not_played(part: Part) -> Self {
        Self {
            name: part.name(),
            ok: false,
            ms: 0,
            played: false,
        }
    }
}

/// The one document of `--json`.
#[derive(Debug, Serialize)]
struct Report {
    ok: bool,
    steps: Vec<Step>,
}

/// Play. The exit code is 0 only if every part held.
pub async fn run(options: &Options) -> anyhow::Result<ExitCode> {
    let script = Script::new((!options.json).then(|| Box::new(std::io::stdout()) as _));
    let parts = played(&options.parts);
    let steps = tokio::select! {
        steps = in_its_place(options, &parts, &script) => steps,
        _ = tokio::signal::ctrl_c() => return Ok(ExitCode::from(130)),
    };
    let (steps, nowhere) = match steps {
        Ok(steps) => (steps, None),
        Err(error) => {
            let steps = parts.iter().copied().map(Step::not_played).collect();
            (steps, Some(error.context("nowhere to play")))
        }
    };
    let report = Report {
        ok: nowhere.is_none() && steps.iter().all(|step| step.ok),
        steps,
    };
    if options.json {
        // What was played is told by the exit code, too, whoever reads on.
        match say(serde_json::to_string(&report)?) {
            Err(error) if !error.is::<ReaderGone>() => return Err(error),
            _ => {}
        }
    } else if nowhere.is_none() {
        script.heading("Result");
        for step in &report.steps {
            script.line(&match (step.played, step.ok) {
                (true, true) => format!("{:<8} held ({} ms)", step.name, step.ms),
                (true, false) => format!("{:<8} FAILED ({} ms)", step.name, step.ms),
                (false, _) => format!("{:<8} not played", step.name),
            });
        }
    }
    if let Some(error) = nowhere {
        return Err(error);
    }
    Ok(if report.ok {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// The named parts and what they need, in order.
fn played(named: &[Part]) -> Vec<Part> {
    let wanted = |part: &Part| {
        named.is_empty()
            || named
                .iter()
                .any(|other| other == part || other.needs(*part))
    };
    Part::ALL.into_iter().filter(wanted).collect()
}

async fn in_its_place(
    options: &Options,
    parts: &[Part],
    script: &Arc<Script>,
) -> anyhow::Result<Vec<Step>> {
    let place = Place::open(options).await?;
    let steps = play(&place, parts, script).await;
    place.close().await;
    Ok(steps)
}

async fn play(place: &Place, parts: &[Part], script: &Arc<Script>) -> Vec<Step> {
    let mut stage = Stage::new(place, script);
    let mut steps: Vec<Step> = Vec::new();
    for (number, part) in parts.iter().enumerate() {
        let failed = |needed: &Part| {
            steps
                .iter()
                .any(|step| !step.ok && step.name == needed.name())
        };
        let nobody_plays = number > 0 && stage.player.is_none();
        if nobody_plays
            || Part::ALL
                .iter()
                .any(|needed| part.needs(*needed) && failed(needed))
        {
            steps.push(Step::not_played(*part));
            continue;
        }
        script.heading(&format!(
            "Part {} of {}: {}",
            number + 1,
            parts.len(),
            part.name()
        ));
        let began = Instant::now();
        let result = stage.play(*part).await;
        let ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        match &result {
            Ok(()) => script.say(&format!("{} held.", part.name())),
            Err(error) => {
                script.say(&format!("{} FAILED: {error:#}", part.name()));
                eprintln!("lanyard journey: {} failed: {error:#}", part.name());
            }
        }
        steps.push(Step {
            name: part.name(),
            ok: result.is_ok(),
            ms,
            played: true,
        });
    }
    steps
}

/// What the parts hand on to each other.
struct Stage<'a> {
    place: &'a Place,
    script: &'a Arc<Script>,
    player: Option<Player>,
    verified: Option<connector::Identity>,
    issued: Option<issue::NewCredential>,
}

impl<'a> Stage<'a> {
    fn new(place: &'a Place, script: &'a Arc<Script>) -> Self {
        Self {
            place,
            script,
            player: None,
            verified: None,
            issued: None,
        }
    }

    async fn play(&mut self, part: Part) -> anyhow::Result<()> {
        // Discovery belongs to the first part that is played, and shows in its script. Where it fails, no part
        // can be played.
        let player = match self.player.take() {
            Some(player) => player,
            None => Player::new(self.place, Arc::clone(self.script)).await?,
        };
        let result = self.play_with(&player, &self.place.cast, part).await;
        self.player = Some(player);
        result
    }

    async fn play_with(&mut self, player: &Player, cast: &Cast, part: Part) -> anyhow::Result<()> {
        match (part, &self.verified, &self.issued) {
            (Part::Verify, _, _) => self.verified = Some(verify::play(player, cast).await?),
            (Part::Issue, Some(identity), _) => {
                self.issued = Some(issue::play(player, cast, identity).await?);
            }
            (Part::Present, _, Some(issued)) => present::play(player, cast, issued).await?,
            (Part::Revoke, _, Some(issued)) => revoke::play(player, cast, issued).await?,
            (Part::Refused, _, _) => refused::play(player, cast).await?,
            (Part::Issue | Part::Present | Part::Revoke, _, _) => {
                anyhow::bail!("what this part needs was not played")
            }
        }
        Ok(())
    }
}

fn dialect(name: &str) -> Result<Dialect, String> {
    serde_json::from_value(name.into()).map_err(|_| "one of plain, v2, v1-a, v1-b".to_owned())
}

#[cfg(test)]
mod journey_tests;
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_played_after_what_it_needs() {
        assert_eq!(played(&[]), Part::ALL);
        assert_eq!(played(&[Part::Verify]), [Part::Verify]);
        assert_eq!(played(&[Part::Refused]), [Part::Refused]);
        assert_eq!(
            played(&[Part::Refused, Part::Issue]),
            [Part::Verify, Part::Issue, Part::Refused]
        );
        assert_eq!(
            played(&[Part::Revoke]),
            [Part::Verify, Part::Issue, Part::Revoke]
        );
        assert_eq!(
            played(&[Part::Present]),
            [Part::Verify, Part::Issue, Part::Present]
        );
    }

    #[test]
    fn the_report_has_the_fixed_names() {
        let report = Report {
            ok: true,
            steps: vec![Step {
                name: Part::Verify.name(),
                ok: true,
                ms: 12,
                played: true,
            }],
        };
        let text = serde_json::to_string(&report).unwrap_or_default();
        assert_eq!(
            text,
            r#"{"ok":true,"steps":[{"name":"verify","ok":true,"ms":12}]}"#
        );
    }

    #[test]
    fn dialects_are_named_as_in_sandbox_json() {
        assert_eq!(dialect("v1-a"), Ok(Dialect::V1A));
        assert_eq!(dialect("v1-b"), Ok(Dialect::V1B));
        assert_eq!(dialect("v2"), Ok(Dialect::V2));
        assert_eq!(dialect("plain"), Ok(Dialect::Plain));
        assert!(dialect("V2").is_err());
    }
}
