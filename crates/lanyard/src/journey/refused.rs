//! What must not work: identities that are missing, expired, revoked or from an untrusted issuer;
//! codes and requests that were used.

use anyhow::{Context as _, bail, ensure};
use connector::{Callback, FinishError, GatewayFault, Pending, Started};

use super::place::{Because, Cast};
use super::player::{Player, reason};
use crate::browser::Arrived;

pub(super) async fn play(player: &Player, cast: &Cast) -> anyhow::Result<()> {
    for refused in &cast.refused {
        let name = &refused.case;
        player.script.say(&format!(
            "An employee of the case {name} tries to prove an identity."
        ));
        let started = player.connector.verify(&["Identity"]).await?;
        without_a_code(player, started, &refused.holder, None, refused.because)
            .await
            .with_context(|| format!("the case {name}"))?;
    }
    used_twice(player, cast).await
}

/// Play a journey that must end without a code: the browser comes back with `access_denied`, or, where
/// the wallet never showed anything, stays.
pub(super) async fn without_a_code(
    player: &Player,
    started: Started,
    holder: &str,
    choose: Option<&str>,
    because: Because,
) -> anyhow::Result<()> {
    let browser = player.browser()?;
    let travelled = player
        .travel(&browser, &started.url, holder, choose)
        .await?;
    let scanned = &travelled.scanned;
    ensure!(
        scanned.outcome != "presented",
        "the gateway took what the wallet showed"
    );
    if let Some(reason) = because.reason {
        let told = scanned.reason.as_deref().unwrap_or_default();
        ensure!(
            told.contains(reason),
            "the wallet was refused, but not as {reason}: {scanned}"
        );
    }
    let Some(query) = travelled.back else {
        ensure!(
            !because.by_gateway,
            "the gateway left the employee on {}; wallet: {scanned}",
            travelled.last_page
        );
        player
            .script
            .say(&format!("No code. The wallet says: {scanned}"));
        return Ok(());
    };
    match player.finish(started.pending, &query).await? {
        Err(FinishError::NotAccepted(error) | FinishError::Declined(error)) => {
            player
                .script
                .say(&format!("No code, but {error}. The wallet says: {scanned}"));
            Ok(())
        }
        Err(other) => {
            Err(anyhow::Error::new(other).context("it was refused, but not as the contract says"))
        }
        Ok(_) => bail!("it was accepted"),
    }
}

/// A code and a request are good for once.
async fn used_twice(player: &Player, cast: &Cast) -> anyhow::Result<()> {
    player
        .script
        .say("A good journey first, to have a code and a request that were used.");
    let started = player.connector.verify(&["Identity"]).await?;
    let stored = serde_json::to_string(&started.pending)?;
    let browser = player.browser()?;
    let travelled = player
        .travel(&browser, &started.url, &cast.holder, None)
        .await?;
    let query = travelled
        .back
        .with_context(|| format!("no way back from {}", travelled.last_page))?;
    player.finish(started.pending, &query).await??;

    player.script.say("The same code, a second time.");
    let again: Pending = serde_json::from_str(&stored)?;
    match player
        .connector
        .finish(again, Callback::parse(&query)?)
        .await
    {
        Err(FinishError::Gateway(GatewayFault::Refused { refusal, .. }))
            if refusal.code == "invalid_grant" => {}
        Err(other) => {
            return Err(anyhow::Error::new(other)
                .context("the used code was refused in another way than invalid_grant"));
        }
        Ok(_) => bail!("a code was taken twice"),
    }

    for (who, browser) in [
        ("another browser", player.browser()?),
        ("the same browser", browser),
    ] {
        player
            .script
            .say(&format!("The same request, a second time, from {who}."));
        match browser.open(&started.url).await? {
            Arrived::Back(query) => {
                ensure!(!has_code(&query), "a used request gave a code to {who}");
                player
                    .script
                    .say(&format!("Sent back without a code: {}", reason(&query)));
            }
            Arrived::Page(page) => {
                ensure!(
                    page.href("open-wallet").is_none(),
                    "a used request began anew for {who}: {}",
                    page.name()
                );
                player
                    .script
                    .say(&format!("No code for {who}: {}", page.name()));
            }
        }
    }
    Ok(())
}

fn has_code(query: &str) -> bool {
    url::form_urlencoded::parse(query.as_bytes()).any(|(name, _)| name == "code")
}
