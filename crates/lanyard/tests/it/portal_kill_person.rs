//! Somebody who walks to a credential and loses it again, whatever dies on the way: they reload, press again, and if
//! that does not help begin again where the portal's list says that they are.

use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};

use crate::portal_files::OTHER_PROGRAMME;
use crate::portal_processes::{Party, Processes};
use crate::portal_walk::Walk;

/// One step of the walk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    LogIn,
    List,
    Confirm,
    BeginToVerify,
    Show,
    BackVerified,
    BeginToAdd,
    Receive,
    BackAdded,
    ListAdded,
    HrSaves,
    Mail,
    ListCancelled,
}

/// The whole walk.
pub(crate) const STEPS: [Step; 13] = [
    Step::LogIn,
    Step::List,
    Step::Confirm,
    Step::BeginToVerify,
    Step::Show,
    Step::BackVerified,
    Step::BeginToAdd,
    Step::Receive,
    Step::BackAdded,
    Step::ListAdded,
    Step::HrSaves,
    Step::Mail,
    Step::ListCancelled,
];

/// Who dies, and how long after which step began.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Death {
    pub(crate) step: Step,
    pub(crate) party: Party,
    pub(crate) moment: Duration,
}

/// How long somebody looks at what their browser says before they try again.
const PAUSE: Duration = Duration::from_millis(50);
/// How often somebody begins again until they call support.
const MOST_BEGINNINGS: usize = 5;
/// How long somebody looks at "Checking" until they call support: longer than a journey lasts for the portal.
const PATIENCE: Duration = Duration::from_secs(40);

/// An employee with one record.
pub(crate) struct Person {
    pub(crate) walk: Walk,
    /// Something died on this walk: what the wallet says of a scan is not all that happened.
    pub(crate) disturbed: bool,
    /// What went otherwise than on a quiet day.
    pub(crate) stumbles: Vec<String>,
    /// How long each step took as long as nothing had died.
    pub(crate) times: Vec<(Step, Duration)>,
}

impl Person {
    pub(crate) fn new(walk: Walk) -> Self {
        Self {
            walk,
            disturbed: false,
            stumbles: Vec::new(),
            times: Vec::new(),
        }
    }

    /// The whole walk; after each of its steps, that process dies and is started again. For a mail whose server died
    /// nobody waits here: it comes later.
    pub(crate) async fn walk_with_a_death_after_each_step(
        &mut self,
        world: &mut Processes,
        party: Party,
    ) -> anyhow::Result<()> {
        for step in STEPS {
            if (party, step) != (Party::Mail, Step::Mail) {
                self.go(step).await?;
            }
            world.kill(party);
            world.revive(party);
            self.disturbed = true;
        }
        Ok(())
    }

    /// The whole walk on a quiet day.
    pub(crate) async fn walk_quietly(&mut self) -> anyhow::Result<()> {
        for step in STEPS {
            self.go(step).await?;
        }
        Ok(())
    }

    /// A part of the walk, whatever dies meanwhile.
    pub(crate) async fn walk_on(&mut self, first: Step, last: Step) -> anyhow::Result<()> {
        for step in STEPS {
            if (first as usize..=last as usize).contains(&(step as usize)) {
                self.go(step).await?;
            }
        }
        Ok(())
    }

    /// The walk up to `last`, with one death while a step is under way. What follows by itself is looked at when all
    /// has settled.
    pub(crate) async fn walk_with_one_death(
        &mut self,
        world: &mut Processes,
        death: Death,
        last: Step,
    ) -> anyhow::Result<()> {
        for step in STEPS {
            if step != death.step {
                self.go(step).await?;
            } else if let Err(error) = self.take_until_death(world, death).await {
                self.stumbles.push(format!("{step:?}: {error}"));
                self.go(step).await?;
            }
            if step == last {
                break;
            }
        }
        Ok(())
    }

    async fn take_until_death(
        &mut self,
        world: &mut Processes,
        death: Death,
    ) -> anyhow::Result<()> {
        // The clock of the runtime counts whole milliseconds, and some steps take few.
        let sleeping = tokio::task::spawn_blocking(move || std::thread::sleep(death.moment));
        let dying = async {
            let _ = sleeping.await;
            world.kill(death.party);
        };
        let (taken, ()) = tokio::join!(self.take(death.step), dying);
        world.revive(death.party);
        self.disturbed = true;
        taken
    }

    /// The step, and if it does not work out all before it that is needed.
    async fn go(&mut self, step: Step) -> anyhow::Result<()> {
        let began = Instant::now();
        let Err(first) = self.take(step).await else {
            if !self.disturbed {
                self.times.push((step, began.elapsed()));
            }
            return Ok(());
        };
        ensure!(self.disturbed, "{step:?} on a quiet day: {first:#}");
        self.stumbles.push(format!("{step:?}: {first}"));
        tokio::time::sleep(PAUSE).await;
        if self.take(step).await.is_ok() {
            return Ok(());
        }
        let mut last = first;
        for _ in 0..MOST_BEGINNINGS {
            match self.begin_again(step).await {
                Ok(()) => return Ok(()),
                Err(error) => last = error,
            }
            self.stumbles.push(format!("again to {step:?}: {last}"));
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        Err(last).with_context(|| format!("{step:?} never worked out: {:?}", self.stumbles))
    }

    /// From the list on, up to and including this step. Somebody whose credential turns out to be there is done
    /// with all that leads to it.
    async fn begin_again(&mut self, goal: Step) -> anyhow::Result<()> {
        let mut added = false;
        for step in STEPS {
            let leads_to_it =
                (Step::Confirm as usize..=Step::BackAdded as usize).contains(&(step as usize));
            if !(added && leads_to_it) {
                self.take(step).await.with_context(|| format!("{step:?}"))?;
            }
            if step == Step::List {
                added = self.walk.state().await? == "added";
            }
            if step == goal {
                return Ok(());
            }
        }
        Ok(())
    }

    async fn take(&mut self, step: Step) -> anyhow::Result<()> {
        let walk = &mut self.walk;
        match step {
            Step::LogIn => log_in(walk).await,
            Step::List => until_it_is_known(walk).await,
            Step::Confirm => confirm(walk).await,
            Step::BeginToVerify => begin_to_verify(walk).await,
            Step::Show | Step::Receive if stands_in_the_portal(walk) => Ok(()),
            Step::Show => scan(walk, "presented", self.disturbed).await,
            Step::BackVerified => back_verified(walk).await,
            Step::BeginToAdd => begin_to_add(walk).await,
            Step::Receive => scan(walk, "received", self.disturbed).await,
            Step::BackAdded => back_added(walk).await,
            Step::ListAdded => {
                let state = walk.state().await?;
                ensure!(state == "added", "the list says {state}");
                Ok(())
            }
            Step::HrSaves => walk.hr_saves("TPR-Name", OTHER_PROGRAMME).await,
            Step::ListCancelled => {
                log_in(walk).await?;
                walk.wait_for_state(&["cancelled"]).await.map(|_| ())
            }
            Step::Mail => wait_for_own_mail(walk).await,
        }
    }
}

fn stands_in_the_portal(walk: &Walk) -> bool {
    walk.page()
        .is_ok_and(|page| page.url.origin() == walk.scene.portal.origin())
}

fn stands_at(walk: &Walk, path: &str) -> bool {
    stands_in_the_portal(walk) && walk.page().is_ok_and(|page| page.url.path() == path)
}

/// Whoever is logged in already need not do it again.
async fn log_in(walk: &mut Walk) -> anyhow::Result<()> {
    walk.open("/credentials").await?;
    if stands_at(walk, "/login") {
        walk.log_in().await?;
    }
    Ok(())
}

/// "Checking" is a state to wait in, and no other is.
async fn until_it_is_known(walk: &mut Walk) -> anyhow::Result<()> {
    let began = Instant::now();
    while walk.state().await? == "checking" {
        ensure!(began.elapsed() < PATIENCE, "it stays 'Checking'");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    Ok(())
}

/// With the answer about the old copy where the portal asks for it.
async fn confirm(walk: &mut Walk) -> anyhow::Result<()> {
    let path = format!("/credentials/{}/confirm", walk.record);
    walk.open(&path).await?;
    if !stands_at(walk, &path) {
        walk.say_that_the_old_copy_is_gone().await?;
    }
    walk.confirm().await
}

/// Not for a second time in the same session.
async fn begin_to_verify(walk: &mut Walk) -> anyhow::Result<()> {
    walk.open("/identity").await?;
    if stands_at(walk, "/identity/done") && walk.has("add-to-wallet") {
        return Ok(());
    }
    walk.begin_to_verify().await
}

async fn begin_to_add(walk: &mut Walk) -> anyhow::Result<()> {
    if !walk.has("add-to-wallet") {
        walk.open("/identity/done").await?;
    }
    walk.begin_to_add().await
}

/// A wallet that died may have done it all the same, and then the link is used: the gateway's page tells.
async fn scan(walk: &Walk, wanted: &str, disturbed: bool) -> anyhow::Result<()> {
    let scanned = walk.scan().await?;
    ensure!(
        disturbed || scanned.outcome == wanted,
        "the scan: {scanned:?}"
    );
    Ok(())
}

async fn back_verified(walk: &mut Walk) -> anyhow::Result<()> {
    if !stands_at(walk, "/identity/done") {
        walk.come_back().await?;
    }
    ensure!(
        walk.has("add-to-wallet"),
        "verified, the portal shows {}",
        walk.whereabouts()
    );
    Ok(())
}

async fn back_added(walk: &mut Walk) -> anyhow::Result<()> {
    walk.come_back().await?;
    ensure!(
        walk.has("added-when"),
        "added, the portal shows {}",
        walk.whereabouts()
    );
    Ok(())
}

/// The catcher may be the one that dies.
pub(crate) async fn wait_for_own_mail(walk: &Walk) -> anyhow::Result<()> {
    let (began, to) = (
        Instant::now(),
        format!("{}@anytown.example", walk.who.username),
    );
    while began.elapsed() < PATIENCE {
        if walk.mails().await?.iter().any(|mail| mail.to == to) {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    bail!("no mail came to {to}")
}
