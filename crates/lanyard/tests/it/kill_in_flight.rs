//! SIGKILL while a request is on its way, at moments spread over the time that its answer takes. Whoever hears
//! nothing does what parties do: asks again. Either the first one counted or the second does, never both.
//!
//! `LANYARD_LONG` asks for many more moments.

use std::time::{Duration, Instant};

use reqwest::{Request, StatusCode};

use crate::by_hand::{Answer, ISSUE, Journey, Step, VERIFY, revoke, send};
use crate::database::{Database, on_both_engines};
use crate::events;
use crate::holder::{Format, Holder};
use crate::kill::{in_force, is_refused_as_revoked};
use crate::operated::Operated;

on_both_engines!(
    killed_while_it_issues_the_gateway_leaves_one_credential_or_none,
    killed_while_it_verifies_the_gateway_gives_one_token_or_none,
);

async fn killed_while_it_issues_the_gateway_leaves_one_credential_or_none(database: Database) {
    let mut rounds = Rounds::start(database).await;
    for step in ISSUE {
        for moment in moments() {
            let (mut journey, end) = rounds.play(Journey::to_issue, step, moment).await;
            rounds.check_issued(&mut journey, end, step).await;
        }
    }
    assert!(rounds.is_revoked, "no journey came to its end");
    is_refused_as_revoked(&rounds.gateway, &mut rounds.holder).await;
    let told = events::add_up(&rounds.gateway).await;
    assert!(told.contains("credential.issued") && told.contains("credential.revoked"));
    rounds.tell();
}

async fn killed_while_it_verifies_the_gateway_gives_one_token_or_none(database: Database) {
    let mut rounds = Rounds::start(database).await;
    for step in VERIFY {
        for moment in moments() {
            let (mut journey, end) = rounds.play(Journey::to_verify, step, moment).await;
            rounds.check_verified(&mut journey, end, step).await;
        }
    }
    rounds.tell();
}

/// When to kill, as parts of the time that the answer usually takes.
fn moments() -> Vec<f64> {
    if std::env::var_os("LANYARD_LONG").is_some() {
        (0..40).map(|n| f64::from(n) * 0.03).collect()
    } else {
        vec![0.35, 0.8]
    }
}

/// How a journey came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// The relying party has its token.
    Told,
    /// The token went with the process.
    TokenLost,
    /// The employee has to begin at the relying party again.
    BeginAgain,
}

struct Rounds {
    gateway: Operated,
    holder: Holder,
    usual: Vec<(bool, Step, Duration)>,
    /// Whether the holder's credential was revoked by its number.
    is_revoked: bool,
    /// Answers that were heard in spite of the kill; answers that were not, to what had been done and what not.
    heard: usize,
    lost_before: usize,
    lost_after: usize,
}

impl Rounds {
    /// A gateway, and a holder with a credential; measures what takes how long when nobody disturbs it.
    async fn start(database: Database) -> Self {
        let gateway = Operated::started(database);
        let mut holder = Holder::new(Format::SdJwt);
        let mut usual = Vec::new();
        // The first of each kind warms up.
        for issues in [true, false, true, false] {
            let mut journey = if issues {
                Journey::to_issue()
            } else {
                Journey::to_verify()
            };
            for step in journey.steps() {
                let request = journey.request(*step, &gateway, &holder).await;
                let client = connected(&gateway, &journey).await;
                let began = Instant::now();
                let answer = send(&client, request).await;
                usual
                    .retain(|known: &(bool, Step, Duration)| (known.0, known.1) != (issues, *step));
                usual.push((issues, *step, began.elapsed()));
                journey.hear(*step, &gateway, &mut holder, &answer);
            }
        }
        Self {
            gateway,
            holder,
            usual,
            is_revoked: false,
            heard: 0,
            lost_before: 0,
            lost_after: 0,
        }
    }

    /// One journey with one kill while the request of `at` is on its way.
    async fn play(&mut self, begin: fn() -> Journey, at: Step, moment: f64) -> (Journey, End) {
        let mut journey = begin();
        journey
            .take_until(at, &self.gateway, &mut self.holder)
            .await;
        let request = journey.request(at, &self.gateway, &self.holder).await;
        let again = request.try_clone().unwrap();
        let usual = self
            .usual
            .iter()
            .find(|known| (known.0, known.1) == (journey.issues, at))
            .unwrap()
            .2;

        let client = connected(&self.gateway, &journey).await;
        let sending =
            tokio::spawn(async move { Answer::read(client.execute(request).await?).await });
        // Not the runtime's sleep: it counts whole milliseconds, and some answers take one.
        std::thread::sleep(usual.mul_f64(moment));
        self.gateway.kill();
        let heard = sending.await.unwrap().ok();
        self.gateway.start();

        if let Some(answer) = heard {
            self.heard += 1;
            journey.hear(at, &self.gateway, &mut self.holder, &answer);
        } else if let Some(end) = self.ask_again(&mut journey, at, again).await {
            return (journey, end);
        }
        let next = journey
            .steps()
            .iter()
            .copied()
            .skip_while(|step| *step != at)
            .nth(1);
        if let Some(next) = next {
            journey
                .take_from(next, &self.gateway, &mut self.holder)
                .await;
        }
        (journey, End::Told)
    }

    /// What a party does that got no answer; an end if the journey cannot go on from here.
    async fn ask_again(
        &mut self,
        journey: &mut Journey,
        at: Step,
        request: Request,
    ) -> Option<End> {
        let client = self.gateway.client(&journey.cookies);
        let answer = send(&client, request).await;
        assert!(
            !answer.status.is_server_error(),
            "{at:?}: {} {}",
            answer.status,
            answer.body
        );
        let refused = answer.status.is_client_error();
        if refused {
            self.lost_after += 1;
        } else {
            self.lost_before += 1;
        }
        match at {
            // The first one counted, and its cookie went with the answer: this is another browser to the gateway.
            Step::Authorize if refused => return Some(End::BeginAgain),
            // The first one counted; the token that nobody heard of is known to nobody. The employee starts again.
            Step::AccessToken if refused => {
                assert_eq!(answer.error(), "invalid_grant");
                journey.start_again(&self.gateway).await;
                for step in [Step::Page, Step::Retrieve, Step::AccessToken] {
                    journey.take(step, &self.gateway, &mut self.holder).await;
                }
            }
            // The first one counted, and the browser will see it.
            Step::Present if refused => assert_eq!(answer.code(), "already-used"),
            Step::Token if refused => {
                assert_eq!(answer.error(), "invalid_grant");
                return Some(End::TokenLost);
            }
            _ => journey.hear(at, &self.gateway, &mut self.holder, &answer),
        }
        None
    }

    /// Whatever happened, there is one credential of that number or none, and the number is all it takes to revoke
    /// the one.
    async fn check_issued(&mut self, journey: &mut Journey, end: End, at: Step) {
        let (gateway, serial_number) = (&self.gateway, journey.serial_number);
        let standing = in_force(gateway, serial_number).await;
        match end {
            End::BeginAgain => assert_eq!(
                standing, [false; 0],
                "{at:?}: issued behind the employee's back"
            ),
            // Whoever asks twice with one code has it taken back, be it a thief or one whose answer was lost.
            End::TokenLost => assert_eq!(standing, [false], "{at:?}"),
            End::Told => {
                assert_eq!(standing, [true], "{at:?}");
                assert_eq!(journey.id_token["SerialNumber"], serial_number.to_string());
                let revoked = revoke(gateway, serial_number).await;
                assert_eq!(revoked, StatusCode::NO_CONTENT, "{at:?}");
                assert_eq!(in_force(gateway, serial_number).await, [false], "{at:?}");
                self.is_revoked = true;
            }
        }
        self.check_spent(journey, end).await;
    }

    async fn check_verified(&mut self, journey: &mut Journey, end: End, at: Step) {
        self.check_spent(journey, end).await;
        if end == End::Told {
            assert_eq!(
                journey.id_token["TrainingProgramme.TPR-Name"], "Cardiology",
                "{at:?}"
            );
        }
    }

    /// The code and the page of a journey that is over give nothing more.
    async fn check_spent(&mut self, journey: &mut Journey, end: End) {
        if end == End::BeginAgain {
            return;
        }
        let client = self.gateway.client(&journey.cookies);
        let token = send(
            &client,
            journey
                .request(Step::Token, &self.gateway, &self.holder)
                .await,
        )
        .await;
        assert_eq!(
            (token.status, token.error()),
            (StatusCode::BAD_REQUEST, "invalid_grant".into())
        );
        let page = send(
            &client,
            journey
                .request(Step::Back, &self.gateway, &self.holder)
                .await,
        )
        .await;
        assert_eq!(page.authorization_code(), None);
    }

    /// A kill that always comes too late shows nothing.
    fn tell(&self) {
        let Self {
            heard,
            lost_before,
            lost_after,
            ..
        } = self;
        println!(
            "{heard} answers heard; lost: {lost_before} that a repeat made good, {lost_after} that had counted"
        );
        assert!(lost_before + lost_after > 0, "no answer was ever lost");
    }
}

/// A client with an open connection, so that the next request is all that is on its way.
async fn connected(gateway: &Operated, journey: &Journey) -> reqwest::Client {
    let client = gateway.client(&journey.cookies);
    let health = client.get(gateway.url("/healthz")).build().unwrap();
    assert_eq!(send(&client, health).await.status, StatusCode::OK);
    client
}
