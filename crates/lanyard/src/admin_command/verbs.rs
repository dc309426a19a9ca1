//! The verbs of `lanyard admin`. A new one is a variant of [`Verb`] (or of a group below it) and its line in `call`.

use clap::Subcommand;
use reqwest::Method;
use serde_json::{Value, json};

use super::custody::{Bulk, Credential, Holds, Interaction, Keys};
use super::party_verbs::RelyingParty;
use super::registry_verbs::{Organisation, Registry, Type};
use super::show::Show;

/// One request.
pub struct Call {
    pub method: Method,
    /// Below the address of the API.
    pub path: String,
    pub query: Vec<(&'static str, String)>,
    pub body: Option<Value>,
    /// How a person sees the answer.
    pub show: Show,
}

/// What can be said.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Who you are, and what you may do.
    Whoami,
    /// Make a token of your own and its SHA-256, for whoever adds you. Nothing is sent.
    Token,
    /// Who the operators are.
    #[command(subcommand)]
    Operator(Operator),
    /// Your own tokens.
    #[command(subcommand)]
    Tokens(Tokens),
    /// What is proposed, and needs a second person.
    #[command(subcommand)]
    Proposals(Proposals),
    /// What was done, by whom.
    #[command(subcommand)]
    Audit(Audit),
    /// Tenants: their issuer identities and trust lists.
    #[command(subcommand)]
    Organisation(Organisation),
    /// The systems that use the gateway, their secrets and checklists.
    #[command(subcommand)]
    RelyingParty(Box<RelyingParty>),
    /// Credential types.
    #[command(subcommand)]
    Type(Type),
    /// A whole declaration at once: first the plan.
    #[command(subcommand)]
    Registry(Registry),
    /// Signing keys.
    #[command(subcommand)]
    Keys(Keys),
    /// One credential.
    #[command(subcommand)]
    Credential(Credential),
    /// Revocations of many.
    #[command(subcommand)]
    Bulk(Bulk),
    /// Legal holds, and what retention would remove.
    #[command(subcommand)]
    Holds(Holds),
    /// Interactions, and why something failed.
    #[command(subcommand)]
    Interaction(Interaction),
    /// Figures, as JSON.
    Figures,
    /// Whether the process that answers is well: each check, and what to do where one fails.
    Checks,
    /// What is set up, what is missing and what to do about it: of the whole gateway and of each organisation.
    Checklist,
}

#[derive(Debug, Subcommand)]
pub enum Operator {
    /// All that you may see.
    List,
    /// One, with its tokens.
    Show { id: String },
    /// Propose one.
    Add {
        name: String,
        /// viewer, desk, operator, key-custodian, administrator or auditor.
        #[arg(long)]
        role: String,
        /// Confine it to this organisation.
        #[arg(long, value_name = "ID")]
        organisation: Option<String>,
        /// Whose it is: `self` for somebody who is no operator yet; the id of another operator who is the same person, or who
        /// answers for the program.
        #[arg(long, value_name = "ID")]
        person: String,
        /// It is a program.
        #[arg(long)]
        program: bool,
        /// Of a token that its holder made (`lanyard admin token`).
        #[arg(long, value_name = "HEX")]
        token_sha256: Option<String>,
        #[command(flatten)]
        why: Why,
    },
    /// Propose another role.
    Role {
        id: String,
        role: String,
        #[command(flatten)]
        why: Why,
    },
    /// Propose one more token for somebody else, who approves it.
    Token {
        id: String,
        /// Of a token that its holder made (`lanyard admin token`).
        #[arg(long, value_name = "HEX")]
        token_sha256: String,
        #[command(flatten)]
        why: Why,
    },
    /// Propose that somebody who lost what they sign in with sets it up anew. Neither you nor the second person is the one it is about.
    ResetSignIn {
        id: String,
        /// Of a token that they made for that (`lanyard admin token`), where they have none.
        #[arg(long, value_name = "HEX")]
        token_sha256: Option<String>,
        #[command(flatten)]
        why: Why,
    },
    /// Remove one, at once.
    Remove {
        id: String,
        #[command(flatten)]
        why: Why,
    },
}

#[derive(Debug, Subcommand)]
pub enum Tokens {
    /// All of them.
    List,
    /// One more, to take the place of an old one.
    New {
        /// 1 to 400; 90 if left out.
        #[arg(long)]
        days: Option<u32>,
    },
    /// Revoke one; an administrator, anybody's.
    Revoke {
        id: String,
        #[command(flatten)]
        why: Why,
    },
}

#[derive(Debug, Subcommand)]
pub enum Proposals {
    /// The newest.
    List {
        /// open, approved, declined or expired.
        #[arg(long)]
        state: Option<String>,
    },
    /// One of them.
    Show { id: String },
    /// Propose any act, by its code.
    Make {
        act: String,
        /// A JSON object; the API's description says which.
        detail: String,
        #[command(flatten)]
        why: Why,
    },
    /// Approve: it is done.
    Approve { id: String },
    /// Decline: nothing is done.
    Decline { id: String },
}

#[derive(Debug, Subcommand)]
pub enum Audit {
    /// The newest entries.
    List {
        /// Such as operator:op-k7q2-9mfd.
        #[arg(long)]
        actor: Option<String>,
        /// Such as proposal-approved.
        #[arg(long)]
        act: Option<String>,
        /// Such as proposal:pr-4x7m-0qkz.
        #[arg(long)]
        object: Option<String>,
        /// Go on from where the last list ended.
        #[arg(long)]
        before: Option<i64>,
        /// 1 to 500.
        #[arg(long, default_value_t = 50)]
        limit: u32,
    },
    /// How the chain stands at its end: its last checkpoint, and whether entries wait. Quick, however long it is.
    Standing,
    /// Check the chain.
    Verify,
    /// Export what happened.
    Export {
        #[arg(long)]
        from: String,
        #[arg(long)]
        to: String,
        /// jsonl, csv or cef.
        #[arg(long, default_value = "jsonl")]
        format: String,
    },
}

/// Why something is done. No employee's name belongs here: it stands in the audit for years.
#[derive(Debug, clap::Args)]
pub struct Why {
    #[arg(long)]
    reason: Option<String>,
    #[arg(long)]
    ticket: Option<String>,
}

const OPERATORS: Show = Show::Table(
    "operators",
    &["id", "name", "role", "organisation", "removed_at"],
);
const TOKENS: Show = Show::Table(
    "tokens",
    &["id", "made_at", "expires_at", "last_used_at", "revoked_at"],
);
const PROPOSALS: Show = Show::Table(
    "proposals",
    &[
        "id",
        "state",
        "act",
        "object",
        "proposed_by",
        "proposed_at",
        "ticket",
    ],
);
const ENTRIES: Show = Show::Table(
    "entries",
    &[
        "position",
        "at",
        "actor",
        "act",
        "organisation",
        "object",
        "ticket",
    ],
);

const FINDINGS: Show = Show::Table(
    "findings",
    &["state", "code", "organisation", "says", "remedy"],
);

impl Verb {
    /// The request that says it.
    pub fn call(&self) -> anyhow::Result<Call> {
        Ok(match self {
            Self::Whoami | Self::Token => got("whoami", Show::Record),
            Self::Operator(verb) => verb.call(),
            Self::Tokens(Tokens::List) => got("tokens", TOKENS),
            Self::Tokens(Tokens::New { days }) => posted("tokens", json!({ "days": days })),
            Self::Tokens(Tokens::Revoke { id, why }) => {
                posted(&below("tokens", id, "/revoke"), why.told())
            }
            Self::Proposals(Proposals::List { state }) => {
                got("proposals", PROPOSALS).asking([("state", state.clone())])
            }
            Self::Proposals(Proposals::Show { id }) => {
                got(&below("proposals", id, ""), Show::Record)
            }
            Self::Proposals(Proposals::Make { act, detail, why }) => {
                let detail = serde_json::from_str(detail).map_err(|_| {
                    anyhow::anyhow!(
                        "the detail is a JSON object, such as '{{\"operator\": \"op-…\"}}'"
                    )
                })?;
                why.proposes(act, detail)
            }
            Self::Proposals(Proposals::Approve { id }) => {
                posted(&below("proposals", id, "/approve"), json!({}))
            }
            Self::Proposals(Proposals::Decline { id }) => {
                posted(&below("proposals", id, "/decline"), json!({}))
            }
            Self::Audit(verb) => verb.call(),
            Self::Organisation(verb) => verb.call()?,
            Self::RelyingParty(verb) => verb.call()?,
            Self::Type(verb) => verb.call()?,
            Self::Registry(verb) => verb.call()?,
            Self::Keys(verb) => verb.call(),
            Self::Credential(verb) => verb.call(),
            Self::Bulk(verb) => verb.call()?,
            Self::Holds(verb) => verb.call(),
            Self::Interaction(verb) => verb.call(),
            Self::Figures => got("figures", Show::Record),
            Self::Checklist => got("checklist", FINDINGS),
            Self::Checks => got("checks", Show::Table("checks", &["code", "ok", "sentence"])),
        })
    }
}

impl Operator {
    fn call(&self) -> Call {
        match self {
            Self::List => got("operators", OPERATORS),
            Self::Show { id } => got(&below("operators", id, ""), Show::Record),
            Self::Add {
                name,
                role,
                organisation,
                person,
                program,
                token_sha256,
                why,
            } => {
                let detail = json!({
                    "name": name, "role": role, "organisation": organisation, "person": person,
                    "program": program, "token_sha256": token_sha256,
                });
                why.proposes("operator-add", detail)
            }
            Self::Role { id, role, why } => why.proposes(
                "operator-role-change",
                json!({ "operator": id, "role": role }),
            ),
            Self::Token {
                id,
                token_sha256,
                why,
            } => why.proposes(
                "operator-token-add",
                json!({ "operator": id, "token_sha256": token_sha256 }),
            ),
            Self::ResetSignIn {
                id,
                token_sha256,
                why,
            } => why.proposes(
                "operator-sign-in-reset",
                json!({ "operator": id, "token_sha256": token_sha256 }),
            ),
            Self::Remove { id, why } => posted(&below("operators", id, "/remove"), why.told()),
        }
    }
}

impl Audit {
    fn call(&self) -> Call {
        match self {
            Self::List {
                actor,
                act,
                object,
                before,
                limit,
            } => got("audit", ENTRIES).asking([
                ("actor", actor.clone()),
                ("act", act.clone()),
                ("object", object.clone()),
                ("before", before.map(|before| before.to_string())),
                ("limit", Some(limit.to_string())),
            ]),
            Self::Standing => got("audit/standing", Show::Record),
            Self::Verify => got("audit/verification", Show::Record),
            Self::Export { from, to, format } => got("audit/export", Show::Record).asking([
                ("from", Some(from.clone())),
                ("to", Some(to.clone())),
                ("format", Some(format.clone())),
            ]),
        }
    }
}

impl Why {
    pub fn told(&self) -> Value {
        json!({ "reason": self.reason, "ticket": self.ticket })
    }

    /// A body with these members, and why.
    pub fn with<const N: usize>(&self, members: [(&str, Value); N]) -> Value {
        let mut body = self.told();
        for (name, value) in members {
            body[name] = value;
        }
        body
    }

    pub fn proposes(&self, act: &str, detail: Value) -> Call {
        let mut body = self.told();
        body["act"] = json!(act);
        body["detail"] = detail;
        posted("proposals", body)
    }
}

impl Call {
    /// With these parameters, as far as there are any.
    pub fn asking<const N: usize>(
        mut self,
        parameters: [(&'static str, Option<String>); N],
    ) -> Self {
        let there = parameters
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)));
        self.query.extend(there);
        self
    }

    /// The answer, shown in that way.
    pub(super) fn showing(self, show: Show) -> Self {
        Self { show, ..self }
    }
}

pub fn got(path: &str, show: Show) -> Call {
    Call {
        method: Method::GET,
        path: format!("/admin/v1/{path}"),
        query: Vec::new(),
        body: None,
        show,
    }
}

pub fn posted(path: &str, body: Value) -> Call {
    sent(Method::POST, path, body)
}

pub fn sent(method: Method, path: &str, body: Value) -> Call {
    Call {
        method,
        body: Some(body),
        ..got(path, Show::Record)
    }
}

/// An id as one step of an address, whatever stands in it.
pub fn below(group: &str, id: &str, rest: &str) -> String {
    let id: String = url::form_urlencoded::byte_serialize(id.as_bytes()).collect();
    format!("{group}/{id}{rest}")
}
