//! Signing keys, as the database knows them: which sign, since when, and which wait. A file says less: it is as old as its copy.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use store::StoreError;

use super::{Findings, OLD, counted, listed};
use crate::Gateway;
use crate::app::Parts;
use crate::keys::rows::{self, KeyRow};
use crate::keys::{GATEWAY, KeyError, Place, State};
use crate::operate;

/// A next key that has waited for longer was forgotten: seven days are what it waits for.
const FORGOTTEN: i64 = 30;

/// The keys of the gateway and of each organisation.
pub(super) async fn look_at_keys(
    gateway: &Gateway,
    findings: &mut Findings,
) -> Result<(), StoreError> {
    let app = gateway.app();
    // What is made or destroyed in this very moment may be told wrongly, and is not at the next look.
    let held = held(gateway).await;
    let rows = rows::find_all(&app.store).await?;
    let mut of_owner: BTreeMap<String, Vec<Place>> = BTreeMap::new();
    for place in operate::places(&app.organisations) {
        of_owner.entry(place.owner.clone()).or_default().push(place);
    }
    let held = match held {
        Ok(held) => {
            judge_orphans(&held.files, &rows, of_owner.values().flatten(), findings);
            Some(held)
        }
        Err(error) => {
            findings.bad(
                "keys",
                format!("which keys there are could not be found out: {error}"),
                "see that the key folder, or the token, is there and the gateway may read it",
            );
            None
        }
    };
    let names = held.as_ref().map(|held| held.names.as_slice());
    for (owner, places) in of_owner {
        judge(&app, &owner, &places, &rows, names, findings);
    }
    Ok(())
}

/// The names of the private keys that there are, and of those that are files.
struct Held {
    names: Vec<String>,
    files: Vec<String>,
}

async fn held(gateway: &Gateway) -> Result<Held, KeyError> {
    let holder = Arc::clone(&gateway.base.keys);
    // A module may take its time.
    let looked = tokio::task::spawn_blocking(move || {
        let (names, files) = (holder.names()?, holder.files()?);
        Ok(Held { names, files })
    });
    let looked = looked.await;
    looked.map_err(|error| KeyError::Unmade(error.to_string()))?
}

/// Files that no row names and no place takes into use at the next start. A token may hold others' keys, too; the folder does not.
fn judge_orphans<'a>(
    files: &[String],
    rows: &[KeyRow],
    places: impl Iterator<Item = &'a Place>,
    findings: &mut Findings,
) {
    let places: Vec<String> = places.map(Place::to_string).collect();
    let mut orphans = files.to_vec();
    orphans.retain(|name| !rows.iter().any(|row| row.name == *name) && !places.contains(name));
    if !orphans.is_empty() {
        findings.look(
            "keys",
            format!("key files that the database does not know: {}", listed(&orphans)),
            "nothing uses them: take them out of the key folder, or declare whom they are for (docs/operate/keys.md)",
        );
    }
}

/// What became of one owner's places.
#[derive(Default)]
struct Stand {
    /// How long each has signed, in days.
    signing: Vec<i64>,
    /// How many wait to sign.
    next: i64,
    /// How many the first start takes into use.
    fresh: i64,
    none_signs: Vec<String>,
    closed: Vec<String>,
    missing: Vec<String>,
    old: Vec<String>,
    forgotten: Vec<String>,
}

fn judge(
    app: &Parts,
    owner: &str,
    places: &[Place],
    rows: &[KeyRow],
    held: Option<&[String]>,
    findings: &mut Findings,
) {
    let now = app.now();
    let days = |since: Timestamp| now.duration_since(since).as_hours() / 24;
    let mut stand = Stand::default();
    for place in places {
        let here: Vec<&KeyRow> = rows.iter().filter(|row| row.place == *place).collect();
        let of_state = |state: State| here.iter().find(|row| row.state == state);
        for row in here.iter().filter(|row| row.state.is_published()) {
            let is_gone = held.is_some_and(|names| !names.contains(&row.name));
            if is_gone {
                stand.missing.push(row.name.clone());
            } else if app.keys.find(place.purpose, owner, &row.kid).is_none() {
                stand.closed.push(row.name.clone());
            }
        }
        match of_state(State::Active) {
            Some(row) => {
                let age = days(row.signs_since().unwrap_or(row.created_at));
                stand.signing.push(age);
                if age > OLD {
                    stand.old.push(format!("{place} ({age} days)"));
                }
            }
            None if here.is_empty() => stand.fresh += 1,
            None => stand.none_signs.push(place.to_string()),
        }
        if let Some(row) = of_state(State::Next) {
            stand.next += 1;
            let age = days(row.created_at);
            if age > FORGOTTEN {
                stand.forgotten.push(format!("{place} ({age} days)"));
            }
        }
    }
    let mut one = Findings::default();
    stand.tell(&mut one);
    for mut finding in one.0 {
        if owner != GATEWAY {
            finding.of(owner);
        }
        findings.0.push(finding);
    }
}

impl Stand {
    fn tell(&self, findings: &mut Findings) {
        let code = "keys";
        if !self.none_signs.is_empty() {
            findings.bad(
                code,
                format!("no key signs as {}", listed(&self.none_signs)),
                "make one: lanyard admin keys create PLACE, or Keys in the console",
            );
        }
        if !self.missing.is_empty() {
            findings.bad(
                code,
                format!("the private key is gone: {}", listed(&self.missing)),
                "a gateway that has it open goes on, and none starts without it: put its file back from a backup, or, if it is lost, \
                 lanyard key compromised KEY has another take its place (docs/operate/keys.md)",
            );
        }
        if !self.closed.is_empty() {
            findings.bad(
                code,
                format!("not open here: {}", listed(&self.closed)),
                "see that the key's file or token is there and the passphrase is the one that it was made with, and start the gateway anew",
            );
        }
        if !self.old.is_empty() {
            findings.look(
                code,
                format!("signing for longer than a year: {}", listed(&self.old)),
                "change them: lanyard admin keys rotate PLACE, or Keys in the console (docs/operate/keys.md)",
            );
        }
        if !self.forgotten.is_empty() {
            findings.look(
                code,
                format!(
                    "published and waiting to sign for longer than a month: {}",
                    listed(&self.forgotten)
                ),
                "activate them, or take them out: Keys in the console, lanyard admin keys activate KEY",
            );
        }
        if findings.worst().is_some() {
            return;
        }
        let mut says = Vec::new();
        if let Some(oldest) = self.signing.iter().max() {
            let count = i64::try_from(self.signing.len()).unwrap_or(i64::MAX);
            let (keys, days) = (counted(count, "key"), counted(*oldest, "day"));
            says.push(format!("{keys} in use, the oldest for {days}"));
        }
        if self.fresh > 0 {
            let keys = counted(self.fresh, "key");
            says.push(format!("{keys} to be taken into use by the first start"));
        }
        if self.next > 0 {
            let keys = counted(self.next, "next key");
            says.push(format!("{keys} published"));
        }
        findings.good(code, says.join("; "));
    }
}
