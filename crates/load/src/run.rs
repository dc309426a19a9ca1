//! One run: callers start, warm up, are counted for a while, and stop.

use std::future::Future;
use std::sync::Arc;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::browser::Browser;
use crate::caller::{Caller, Coded, Drafts};
use crate::flood;
use crate::party::RelyingParty;
use crate::plan::{Plan, Scenario};
use crate::process::{self, Look};
use crate::record::{Endpoint, Record, Window};
use crate::status;
use crate::wallet::Known;

/// How soon a page asks again, and how late at the latest; each time a little later (the script of the page).
const SOONEST: Duration = Duration::from_secs(2);
const LATEST: Duration = Duration::from_secs(5);
const LATER: Duration = Duration::from_millis(250);

/// Does what the plan says; the first error of any caller ends the run.
pub async fn run(plan: &Plan) -> anyhow::Result<Value> {
    if let Scenario::Flood { pushes_a_second } = plan.scenario {
        return flood::run(plan, pushes_a_second).await;
    }
    if let Scenario::Status(lists) = plan.scenario {
        return status::run(plan, lists).await;
    }
    let world = World::new(plan).await?;
    let before = world.look()?;
    match plan.scenario {
        Scenario::Token { codes } => world.redeem(codes).await,
        Scenario::Pages {
            open,
            journeys_a_second,
        } => world.wait(open, journeys_a_second).await,
        _ => {
            let callers = world.callers(plan.in_flight).await?;
            world.rounds(callers).await
        }
    }
    .map(|mut told| {
        told["resident_before"] = json!(before.server.resident);
        told
    })
}

/// What all callers share.
struct World<'a> {
    plan: &'a Plan,
    party: Arc<RelyingParty>,
    known: Arc<Known>,
    drafts: Arc<Drafts>,
}

/// The server and this process at one moment.
struct Looks {
    at: Instant,
    server: Look,
    load: Look,
}

impl<'a> World<'a> {
    async fn new(plan: &'a Plan) -> anyhow::Result<Self> {
        Ok(Self {
            plan,
            party: Arc::new(RelyingParty::discover(&plan.party, &plan.server).await?),
            known: Arc::default(),
            drafts: Arc::new(Drafts::new()),
        })
    }

    fn look(&self) -> anyhow::Result<Looks> {
        Ok(Looks {
            at: Instant::now(),
            server: process::look_at_all(&self.plan.server.processes)?,
            load: process::look("self")?,
        })
    }

    /// The window that begins after the warm-up.
    fn window(&self) -> Window {
        let from = Instant::now() + Duration::from_secs_f64(self.plan.warm_up_seconds);
        Window {
            from,
            until: from + Duration::from_secs_f64(self.plan.seconds),
        }
    }

    fn caller(&self, record: Record) -> anyhow::Result<Caller> {
        Caller::new(
            &self.plan.server,
            self.party.clone(),
            self.known.clone(),
            self.drafts.clone(),
            record,
        )
    }

    /// Callers whose wallets hold what they need. What they do before the window counts nowhere.
    async fn callers(&self, number: usize) -> anyhow::Result<Vec<Caller>> {
        let needs_identity = !matches!(
            self.plan.scenario,
            Scenario::Login | Scenario::Par | Scenario::Issue
        );
        let mut tasks = JoinSet::new();
        for _ in 0..number {
            let mut caller = self.caller(Record::new(self.window()))?;
            tasks.spawn(async move {
                if needs_identity {
                    caller.enrol().await?;
                }
                anyhow::Ok(caller)
            });
        }
        all(tasks).await
    }

    /// Every caller does one round after the other until the window closes.
    async fn rounds(&self, callers: Vec<Caller>) -> anyhow::Result<Value> {
        let scenario = self.plan.scenario;
        let window = self.window();
        let mut tasks = JoinSet::new();
        for mut caller in callers {
            caller.record = Record::new(window);
            tasks.spawn(async move {
                while window.is_open() {
                    let began = Instant::now();
                    match scenario {
                        Scenario::Verify => caller.verify().await?,
                        Scenario::Issue => caller.issue().await?,
                        Scenario::Par => caller.push().await?,
                        Scenario::Login => caller.login().await?,
                        _ => {
                            caller.verify().await?;
                            caller.issue().await?;
                        }
                    }
                    caller.record.round(began);
                }
                anyhow::Ok(caller.record)
            });
        }
        self.measured(window, all(tasks)).await
    }

    /// Makes the codes, then redeems them as fast as it goes.
    async fn redeem(&self, number: usize) -> anyhow::Result<Value> {
        let callers = self.callers(self.plan.in_flight).await?;
        let mut tasks = JoinSet::new();
        for mut caller in callers {
            let share = number.div_ceil(self.plan.in_flight);
            tasks.spawn(async move {
                let mut codes: Vec<Coded> = Vec::with_capacity(share);
                for _ in 0..share {
                    codes.push(caller.verified().await?);
                }
                anyhow::Ok((caller, codes))
            });
        }
        let ready = all(tasks).await?;
        let before = self.look()?;
        let window = Window {
            from: before.at,
            until: before.at + Duration::from_mins(1),
        };
        let mut tasks = JoinSet::new();
        for (mut caller, codes) in ready {
            caller.record = Record::new(window);
            tasks.spawn(async move {
                for coded in codes {
                    let began = Instant::now();
                    caller.collect(coded).await?;
                    caller.record.round(began);
                }
                anyhow::Ok(caller.record)
            });
        }
        let records = all(tasks).await?;
        Ok(told(&before, &self.look()?, window, records))
    }

    /// Opens the pages, and lets them ask while journeys begin at that rate.
    async fn wait(&self, open: usize, journeys_a_second: f64) -> anyhow::Result<Value> {
        let callers = self.callers(self.plan.in_flight).await?;
        let share = open.div_ceil(callers.len());
        let mut opening = JoinSet::new();
        for mut caller in callers {
            let server = self.plan.server.clone();
            opening.spawn(async move {
                let mut pages = Vec::with_capacity(share);
                for _ in 0..share {
                    let mut browser = Browser::new(&server)?;
                    let place = caller.page_in(&mut browser).await?;
                    browser.settle();
                    pages.push((browser, format!("{place}/status")));
                }
                anyhow::Ok((caller, pages))
            });
        }
        let ready = all(opening).await?;
        let opened: usize = ready.iter().map(|(_, pages)| pages.len()).sum();

        let window = self.window();
        let asking = Arc::new(Mutex::new(Record::new(window)));
        let mut waiting = JoinSet::new();
        let mut tasks = JoinSet::new();
        let callers = ready.len();
        for (number, (mut caller, pages)) in ready.into_iter().enumerate() {
            for (at, (browser, status)) in pages.into_iter().enumerate() {
                // They were opened one after the other, so they do not all ask at once.
                let first = SOONEST.mul_f64(fraction(at * callers + number, opened));
                waiting.spawn(ask(browser, status, first, window, asking.clone()));
            }
            caller.record = Record::new(window);
            if journeys_a_second > 0.0 {
                let pause = Duration::from_secs_f64(f64::from(count(callers)) / journeys_a_second);
                let first = pause.mul_f64(fraction(number, callers));
                tasks.spawn(begin_now_and_then(caller, window, first, pause));
            }
        }
        let measured = self.measured(window, async {
            tokio::time::sleep_until(window.until.into()).await;
            all(tasks).await
        });
        let mut told = measured.await?;
        all(waiting).await?;
        let asked = std::mem::replace(
            &mut *asking.lock().map_err(|_| anyhow::anyhow!("a page broke"))?,
            Record::new(window),
        );
        told["open"] = json!(opened);
        told["status_of_pages"] = asked.to_value().1.pop().unwrap_or_default();
        Ok(told)
    }

    /// Looks at both processes at the beginning of the window and at its end.
    async fn measured(
        &self,
        window: Window,
        work: impl Future<Output = anyhow::Result<Vec<Record>>>,
    ) -> anyhow::Result<Value> {
        let looks = async {
            tokio::time::sleep_until(window.from.into()).await;
            let before = self.look()?;
            tokio::time::sleep_until(window.until.into()).await;
            anyhow::Ok((before, self.look()?))
        };
        let ((before, after), records) = tokio::try_join!(looks, work)?;
        Ok(told(&before, &after, window, records))
    }
}

/// A page that asks how things stand, as its script does: soon at first, then later each time. Ends with the window.
async fn ask(
    mut browser: Browser,
    status: String,
    first: Duration,
    window: Window,
    asking: Arc<Mutex<Record>>,
) -> anyhow::Result<()> {
    let mut record = Record::new(window);
    let mut delay = first;
    let mut next = SOONEST;
    while Instant::now() + delay < window.until {
        tokio::time::sleep(delay).await;
        let answer = browser.open(&mut record, Endpoint::Status, &status).await?;
        let state = answer.with(200, "the status")?.json()?;
        anyhow::ensure!(state["state"] == "waiting", "a page says {state}");
        delay = next;
        next = LATEST.min(next + LATER);
    }
    // Whoever has nothing left to ask keeps the page open until the end.
    tokio::time::sleep_until(window.until.into()).await;
    if let Ok(mut all) = asking.lock() {
        all.merge(record);
    }
    Ok(())
}

/// A journey at every beat. One that is late begins at once, so that the rate holds.
async fn begin_now_and_then(
    mut caller: Caller,
    window: Window,
    first: Duration,
    pause: Duration,
) -> anyhow::Result<Record> {
    let mut beat = Instant::now() + first;
    while beat < window.until {
        tokio::time::sleep_until(beat.into()).await;
        let began = Instant::now();
        caller.verify().await?;
        caller.issue().await?;
        caller.record.round(began);
        beat += pause;
    }
    Ok(caller.record)
}

async fn all<T: 'static>(mut tasks: JoinSet<anyhow::Result<T>>) -> anyhow::Result<Vec<T>> {
    let mut results = Vec::with_capacity(tasks.len());
    while let Some(result) = tasks.join_next().await {
        results.push(result??);
    }
    Ok(results)
}

fn told(before: &Looks, after: &Looks, window: Window, records: Vec<Record>) -> Value {
    let mut record = Record::new(window);
    for one in records {
        record.merge(one);
    }
    let seconds = after.at.duration_since(before.at).as_secs_f64();
    let rounds = count(record.rounds());
    let cpu = |before: Look, after: Look| {
        let spent = after.cpu.saturating_sub(before.cpu).as_secs_f64();
        json!({
            "cpu_seconds": spent,
            "cpu_us_a_round": spent * 1e6 / f64::from(rounds),
            "resident": after.resident,
            "peak": after.peak,
            "largest_peak": after.largest_peak,
        })
    };
    let (whole, endpoints) = record.to_value();
    json!({
        "seconds": seconds,
        "rounds": rounds,
        "rounds_a_second": f64::from(rounds) / seconds,
        "requests_a_second": f64::from(count(record.requests())) / seconds,
        "round": whole,
        "endpoints": endpoints,
        "server": cpu(before.server, after.server),
        "load": cpu(before.load, after.load),
    })
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

fn fraction(part: usize, of: usize) -> f64 {
    f64::from(count(part)) / f64::from(count(of).max(1))
}
