//! What a declaration would change, before anything is changed.

use serde::Serialize;

use super::diff::{self, Difference};
use super::{Declaration, Entry, Key, Kind, Registered};
use crate::config::ConfigError;

/// What happens to one declared thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Act {
    /// It is new.
    Add,
    /// It is there, and otherwise.
    Change,
    /// It is in the registry and no more in the declaration.
    Remove,
}

impl Act {
    /// Its word in plans and in the history.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Change => "change",
            Self::Remove => "remove",
        }
    }
}

/// One change, with what a person needs to see of it.
#[derive(Clone)]
pub struct Change {
    /// What happens.
    pub act: Act,
    /// To what.
    pub key: Key,
    /// Whose it is.
    pub organisation: Option<String>,
    /// What differs, a line each. A secret is named and never shown.
    pub lines: Vec<String>,
    /// The same with what goes and what comes apart. What differs in secrets, and that it moves to another organisation, stands
    /// in the lines alone.
    pub differences: Vec<Difference>,
    /// Whether browsers would be sent to other addresses than before: on a relying party that is live, the two-person
    /// rule asks for a second operator.
    pub moves_browsers: bool,
    pub(crate) moves: bool,
    pub(crate) to: Option<Entry>,
    pub(crate) version: i64,
}

impl Change {
    /// Whether what proved who a relying party is must prove it no more: it is gone, or another organisation's. Under the
    /// same client id somebody else may come.
    pub(crate) fn ends_secrets(&self) -> bool {
        self.key.0 == Kind::RelyingParty && (self.act == Act::Remove || self.moves)
    }
}

/// What a declaration would change. Empty where the registry is as declared already.
#[derive(Clone, Default)]
pub struct Plan {
    /// In the order in which one thing needs another; what is removed comes last, the other way round.
    pub changes: Vec<Change>,
    /// Relying parties, by client id, that must have no secret yet when it is carried out: it was one person's as long as nobody
    /// relied on them.
    pub unless_live: Vec<String>,
    /// The registry's number when the plan was made: it is carried out while that is the same.
    pub(crate) revision: i64,
}

impl Plan {
    /// The way from what is registered to what is declared. What is registered and not declared stays, unless `prune`.
    pub fn make(
        registered: &Registered,
        declaration: &Declaration,
        prune: bool,
    ) -> Result<Self, ConfigError> {
        let declared = declaration.entries()?;
        let steps = declared
            .iter()
            .filter_map(|(key, to)| step(registered, key, Some(to)));
        let mut changes: Vec<Change> = steps.collect();
        if prune {
            let gone = registered.entries.keys().rev();
            let gone = gone.filter(|key| !declared.contains_key(*key));
            changes.extend(gone.filter_map(|key| step(registered, key, None)));
        }
        Ok(Self {
            changes,
            unless_live: Vec::new(),
            revision: registered.revision,
        })
    }

    /// The way to one thing as it is to be, or to be without it.
    pub(crate) fn of_one(registered: &Registered, key: &Key, to: Option<&Entry>) -> Self {
        Self {
            changes: step(registered, key, to).into_iter().collect(),
            unless_live: Vec::new(),
            revision: registered.revision,
        }
    }

    /// Names exactly these changes to exactly what is registered now, in hexadecimal: whoever carries a plan out says which
    /// one they have seen.
    pub fn digest(&self) -> String {
        let mut context = aws_lc_rs::digest::Context::new(&aws_lc_rs::digest::SHA256);
        for change in &self.changes {
            let body = change.to.as_ref().map(|to| &to.body);
            let said = serde_json::json!([
                change.act,
                change.key,
                change.organisation,
                change.version,
                body,
                change.lines
            ]);
            context.update(said.to_string().as_bytes());
        }
        hex::encode(context.finish())
    }

    /// The same for whoever may look and not change: without what differs in secrets, and without changes of nothing else.
    /// Otherwise somebody who has a secret, or its digest, hears from a plan whether it is the registered one.
    pub(crate) fn without_secrets(mut self) -> Self {
        self.changes.retain_mut(|change| {
            let before = change.lines.len();
            change.lines.retain(|line| !is_of_a_secret(line));
            change
                .differences
                .retain(|one| !is_of_a_secret(&one.member));
            change.lines.len() == before || !change.lines.is_empty()
        });
        self
    }

    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// The organisations that it would remove: who is confined to one ends with it.
    pub(crate) fn gone_organisations(&self) -> impl Iterator<Item = &str> {
        self.organisations_that(Act::Remove)
    }

    /// The organisations that it would add: they need keys.
    pub fn new_organisations(&self) -> impl Iterator<Item = &str> {
        self.organisations_that(Act::Add)
    }

    fn organisations_that(&self, act: Act) -> impl Iterator<Item = &str> {
        self.changes
            .iter()
            .filter(move |change| change.act == act && change.key.0 == Kind::Organisation)
            .map(|change| change.key.1.as_str())
    }
}

/// From what is registered to what is to be; none where that is the same.
fn step(registered: &Registered, key: &Key, to: Option<&Entry>) -> Option<Change> {
    match (registered.entries.get(key), to) {
        (None, None) => None,
        (None, Some(to)) => Some(change(key, to, true)),
        (Some((from, _)), Some(to)) if from == to => None,
        (Some((from, version)), Some(to)) => Some(Change {
            act: Act::Change,
            lines: lines(from, to),
            differences: diff::differences(&from.body, &to.body),
            moves_browsers: from.body.get("redirect_uris") != to.body.get("redirect_uris"),
            moves: from.organisation != to.organisation,
            version: *version,
            ..change(key, to, true)
        }),
        (Some((from, version)), None) => Some(Change {
            act: Act::Remove,
            version: *version,
            ..change(key, from, false)
        }),
    }
}

fn change(key: &Key, entry: &Entry, stays: bool) -> Change {
    Change {
        act: Act::Add,
        key: key.clone(),
        organisation: entry.organisation.clone(),
        lines: Vec::new(),
        differences: Vec::new(),
        moves_browsers: false,
        moves: false,
        to: stays.then(|| entry.clone()),
        version: 0,
    }
}

/// What proves who a relying party is, what signs for it, and what signs to it. Lines begin with the member's name.
fn is_of_a_secret(line: &str) -> bool {
    ["client_secret_sha256", "signing_key", "webhook.secrets"]
        .iter()
        .any(|member| line.starts_with(member))
}

fn lines(from: &Entry, to: &Entry) -> Vec<String> {
    let mut lines = diff::lines(&from.body, &to.body);
    if from.organisation != to.organisation {
        lines.insert(0, "it moves to another organisation".to_owned());
    }
    if from.secrets.signing_key != to.secrets.signing_key {
        let word = match to.secrets.signing_key {
            Some(_) => "signing_key: another one",
            None => "signing_key: it is taken out",
        };
        lines.push(word.to_owned());
    }
    if from.secrets.webhook != to.secrets.webhook {
        lines.push("webhook.secrets: others".to_owned());
    }
    lines
}

/// As the terminal and the console show it.
impl std::fmt::Display for Plan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.is_empty() {
            return f.write_str("Nothing to change: the registry is as declared.\n");
        }
        for change in &self.changes {
            let sign = match change.act {
                Act::Add => '+',
                Act::Change => '~',
                Act::Remove => '-',
            };
            write!(f, "{sign} {} {}", change.key.0.name(), change.key.1)?;
            match &change.organisation {
                Some(owner) if change.key.0 == Kind::RelyingParty => writeln!(f, " of {owner}")?,
                _ => writeln!(f)?,
            }
            for line in &change.lines {
                writeln!(f, "    {line}")?;
            }
        }
        Ok(())
    }
}
