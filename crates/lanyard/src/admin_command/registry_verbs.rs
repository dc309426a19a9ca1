//! The verbs of `lanyard admin` about who may use the gateway: organisations, credential types, and whole declarations.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Subcommand;
use gateway::registry::{Declaration, to_wire};
use reqwest::Method;
use serde_json::{Value, json};

use super::show::Show;
use super::verbs::{Call, Why, below, got, posted, sent};

const ORGANISATIONS: Show = Show::Table(
    "organisations",
    &[
        "id",
        "name",
        "declared_in",
        "version",
        "issues",
        "relying_parties",
    ],
);
const TYPES: Show = Show::Table(
    "credential_types",
    &[
        "name",
        "label",
        "declared_in",
        "version",
        "formats",
        "valid_for_days",
    ],
);
pub const VERSIONS: Show = Show::Table(
    "versions",
    &["version", "act", "changed_at", "actor", "lines"],
);
#[derive(Debug, Subcommand)]
pub enum Organisation {
    /// All that you may see.
    List,
    /// One: its issuer identity, what it may issue, whom it trusts.
    Show { id: String },
    /// Declare one; it gets its keys.
    Create {
        id: String,
        /// What wallets and pages call it.
        #[arg(long)]
        name: String,
        /// A credential type that it may issue; any number of them.
        #[arg(long, value_name = "TYPE")]
        issues: Vec<String>,
        /// A domain of its own as its DID.
        #[arg(long, value_name = "DID")]
        did: Option<String>,
        #[command(flatten)]
        why: Why,
    },
    /// Change members of it, as a JSON object: '{"name": "Newtown Hospitals"}'.
    Change {
        id: String,
        change: String,
        #[command(flatten)]
        seen: Seen,
        #[command(flatten)]
        why: Why,
    },
    /// Whose credentials of a type count for it from now on.
    Trust {
        id: String,
        credential_type: String,
        /// The issuer's DID, or its credential issuer address.
        issuer: String,
        /// They count no more.
        #[arg(long)]
        no_more: bool,
        #[command(flatten)]
        why: Why,
    },
    /// Give its keys these certificate chains, in the place of all that it has.
    Certify {
        id: String,
        /// PEM: the certificate of a key that issues, then whoever signed it, without the root. One file for each key; none
        /// takes all of them away.
        files: Vec<PathBuf>,
        #[command(flatten)]
        seen: Seen,
        #[command(flatten)]
        why: Why,
    },
    /// The versions that it had.
    Versions { id: String },
    /// Remove one that has no relying party and no credential in force. Its operators end with it.
    Remove {
        id: String,
        #[command(flatten)]
        why: Why,
    },
}

#[derive(Debug, Subcommand)]
pub enum Type {
    /// All that you may see.
    List,
    /// One, with its JSON Schema.
    Show { name: String },
    /// Declare one, in the place of what has its name.
    Upload {
        /// A credential type's file: TOML, or JSON.
        file: PathBuf,
        #[command(flatten)]
        seen: Seen,
        #[command(flatten)]
        why: Why,
    },
    /// The versions that it had.
    Versions { name: String },
    /// Remove one of which nothing is in force.
    Remove {
        name: String,
        #[command(flatten)]
        why: Why,
    },
}

#[derive(Debug, Subcommand)]
pub enum Registry {
    /// What a declaration would change, and the name of that plan.
    Plan {
        #[command(flatten)]
        declared: Declared,
    },
    /// Carry a plan out: all of it or nothing.
    Apply {
        #[command(flatten)]
        declared: Declared,
        /// The plan that you have seen, by its name.
        #[arg(long)]
        plan: String,
        #[command(flatten)]
        why: Why,
    },
}

/// A declaration.
#[derive(Debug, clap::Args)]
pub struct Declared {
    /// `[[credential_types]]` and `[[organisations]]`, as for `lanyard apply`. Secrets are read from where the file says, on
    /// this machine.
    #[arg(short, long, value_name = "FILE")]
    file: PathBuf,
    /// Also remove what is registered and not declared.
    #[arg(long)]
    prune: bool,
}

/// The version that a change is made to.
#[derive(Debug, clap::Args)]
pub struct Seen {
    /// Only if it still has this version.
    #[arg(long)]
    version: Option<i64>,
}

impl Organisation {
    pub fn call(&self) -> anyhow::Result<Call> {
        let one = |id: &str, rest: &str| below("organisations", id, rest);
        Ok(match self {
            Self::List => got("organisations", ORGANISATIONS),
            Self::Show { id } => got(&one(id, ""), Show::Record),
            Self::Create {
                id,
                name,
                issues,
                did,
                why,
            } => {
                let declared = json!({ "id": id, "name": name, "issues": issues, "did": did });
                posted("organisations", why.with([("declared", declared)]))
            }
            Self::Change {
                id,
                change,
                seen,
                why,
            } => patched(&one(id, ""), change, seen, why)?,
            Self::Trust {
                id,
                credential_type,
                issuer,
                no_more,
                why,
            } => posted(
                &one(id, "/trust"),
                why.with([
                    ("credential_type", json!(credential_type)),
                    ("issuer", json!(issuer)),
                    ("trusted", json!(!no_more)),
                ]),
            ),
            Self::Certify {
                id,
                files,
                seen,
                why,
            } => {
                let chains = files.iter().map(|file| text_of(file));
                let chains = chains.collect::<anyhow::Result<Vec<_>>>()?;
                // They go nowhere from here, not even to a gateway that refuses them.
                let leaks = chains.iter().position(|text| text.contains("PRIVATE KEY"));
                if let Some(file) = leaks.and_then(|at| files.get(at)) {
                    anyhow::bail!("there is a private key in {}: take it out", file.display());
                }
                let said = [
                    ("change", json!({ "certificate_chains": chains })),
                    ("version", json!(seen.version)),
                ];
                sent(Method::PATCH, &one(id, ""), why.with(said))
            }
            Self::Versions { id } => got(&one(id, "/versions"), VERSIONS),
            Self::Remove { id, why } => posted(&one(id, "/remove"), why.told()),
        })
    }
}

impl Type {
    pub fn call(&self) -> anyhow::Result<Call> {
        let one = |name: &str, rest: &str| below("credential-types", name, rest);
        Ok(match self {
            Self::List => got("credential-types", TYPES),
            Self::Show { name } => got(&one(name, ""), Show::Record),
            Self::Upload { file, seen, why } => {
                let declared = value_of(file)?;
                let name = declared["name"]
                    .as_str()
                    .context("the file names no type")?;
                let path = one(name, "");
                let said = [("declared", declared), ("version", json!(seen.version))];
                sent(Method::PUT, &path, why.with(said))
            }
            Self::Versions { name } => got(&one(name, "/versions"), VERSIONS),
            Self::Remove { name, why } => posted(&one(name, "/remove"), why.told()),
        })
    }
}

impl Registry {
    pub fn call(&self) -> anyhow::Result<Call> {
        Ok(match self {
            Self::Plan { declared } => Call {
                show: Show::Text("text", "plan"),
                ..posted("registry/plan", declared.said()?)
            },
            Self::Apply {
                declared,
                plan,
                why,
            } => {
                let mut body = declared.said()?;
                body["plan"] = json!(plan);
                if let (Some(body), Value::Object(why)) = (body.as_object_mut(), why.told()) {
                    body.extend(why);
                }
                posted("registry/apply", body)
            }
        })
    }
}

impl Declared {
    fn said(&self) -> anyhow::Result<Value> {
        let text = text_of(&self.file)?;
        let file = self.file.display().to_string();
        let declaration = if is_json(&self.file) {
            serde_json::from_str(&text).with_context(|| file)?
        } else {
            to_wire(&Declaration::parse(&file, &text)?)?
        };
        Ok(json!({ "declaration": declaration, "prune": self.prune }))
    }
}

pub fn patched(path: &str, change: &str, seen: &Seen, why: &Why) -> anyhow::Result<Call> {
    let change: Value = serde_json::from_str(change)
        .ok()
        .filter(Value::is_object)
        .context("the change is a JSON object, such as '{\"name\": \"…\"}'")?;
    let said = [("change", change), ("version", json!(seen.version))];
    Ok(sent(Method::PATCH, path, why.with(said)))
}

fn is_json(file: &Path) -> bool {
    file.extension()
        .is_some_and(|extension| extension == "json")
}

pub fn text_of(file: &Path) -> anyhow::Result<String> {
    std::fs::read_to_string(file).with_context(|| format!("{} cannot be read", file.display()))
}

fn value_of(file: &Path) -> anyhow::Result<Value> {
    let text = text_of(file)?;
    let unreadable = || format!("{} cannot be read", file.display());
    if is_json(file) {
        serde_json::from_str(&text).with_context(unreadable)
    } else {
        toml::from_str(&text).with_context(unreadable)
    }
}
