//! What a hostile wallet answers when several credentials are asked for. One that fails refuses the whole (SEC-20).

use gateway::config::TrustConfig;
use gateway::{Gateway, Surroundings};
use reqwest::StatusCode;
use standards::openid4vp::VpToken;

use crate::raw_wallet::{RawWallet, Requested, Waiting, post_to, refusal, request};
use crate::world::{World, identity, programme, serve};

const IDENTITY: &str = "identity-jwt-vc";
const IDENTITY_AGAIN: &str = "identity-sd-jwt";
const PROGRAMME: &str = "trainingprogramme-jwt-vc";

/// A holder of an identity and a training programme, asked for both.
struct Both {
    world: World,
    wallet: RawWallet,
    identity: String,
    identity_again: String,
    programme: String,
}

impl Both {
    async fn set() -> Self {
        let (world, wallet) = (World::start().await, RawWallet::new());
        let receive = async |credential_type, claims, suffix| {
            let address = world.pushed_to_issue(credential_type, claims).await;
            let waiting = Waiting::at(&address).await;
            wallet.receive(&world, &waiting.link(), suffix).await
        };
        let identity_again = receive("Identity", identity(), "sd-jwt").await;
        let identity = receive("Identity", identity(), "jwt-vc").await;
        let programme = receive("TrainingProgramme", programme(), "jwt-vc").await;
        Self {
            world,
            wallet,
            identity,
            identity_again,
            programme,
        }
    }

    async fn asked(&self) -> (Waiting, Requested) {
        let waiting = Waiting::to_verify(&self.world, "Identity TrainingProgramme").await;
        let requested = request(&waiting.link()).await;
        (waiting, requested)
    }

    async fn present(&self, credential: &str, requested: &Requested) -> String {
        let now = self.world.now();
        let token = self.wallet.present_w3c(credential, requested, now).await;
        token.iter().next().unwrap().1[0].clone()
    }

    /// Answers with these presentations by query id; the relying party must get no code.
    async fn refused(
        &self,
        waiting: Waiting,
        requested: &Requested,
        answer: &[(&str, &str)],
    ) -> String {
        let mut token = VpToken::default();
        for (id, presentation) in answer {
            token.insert(id, (*presentation).to_owned());
        }
        let heard = requested.post(requested.answer(token)).await;
        assert!(heard.status.is_client_error(), "{}", heard.body);
        let back = waiting.again().await.link("go-back");
        assert!(back.contains("error=") && !back.contains("code="), "{back}");
        refusal(&heard).2.to_owned()
    }
}

/// SEC-20.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sec_20_an_answer_that_lacks_one_of_the_credentials_is_refused() {
    let both = Both::set().await;
    for (id, credential) in [(IDENTITY, &both.identity), (PROGRAMME, &both.programme)] {
        let (waiting, requested) = both.asked().await;
        let presentation = both.present(credential, &requested).await;
        let code = both
            .refused(waiting, &requested, &[(id, &presentation)])
            .await;
        assert_eq!(code, "credential-missing", "{id}");
    }
}

/// SEC-20: one good credential in the place of the other, or twice, or beside what nobody asked for.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sec_20_one_credential_does_not_stand_for_two() {
    let both = Both::set().await;
    let (waiting, requested) = both.asked().await;
    let identity = both.present(&both.identity, &requested).await;
    let twice = [(IDENTITY, identity.as_str()), (PROGRAMME, &identity)];
    let code = both.refused(waiting, &requested, &twice).await;
    assert_eq!(code, "credential-type-wrong");

    let (waiting, requested) = both.asked().await;
    let identity = both.present(&both.identity, &requested).await;
    let programme = both.present(&both.programme, &requested).await;
    let three = [
        (IDENTITY, identity.as_str()),
        (IDENTITY, &identity),
        (PROGRAMME, &programme),
    ];
    let code = both.refused(waiting, &requested, &three).await;
    assert_eq!(code, "presentation-malformed");

    for extra in [IDENTITY_AGAIN, "firesafety-jwt-vc", "not-asked-for"] {
        let (waiting, requested) = both.asked().await;
        let identity = both.present(&both.identity, &requested).await;
        let programme = both.present(&both.programme, &requested).await;
        let token = both
            .wallet
            .present_sd_jwt(&both.identity_again, &requested, both.world.now());
        let again = token.await.iter().next().unwrap().1[0].clone();
        let three = [
            (IDENTITY, identity.as_str()),
            (PROGRAMME, &programme),
            (extra, &again),
        ];
        let code = both.refused(waiting, &requested, &three).await;
        assert_eq!(code, "presentation-malformed", "{extra}");
    }
}

/// SEC-17, SEC-18: all are bound to this request, not only the first.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sec_17_each_presentation_is_bound_to_this_request_by_its_holder() {
    let both = Both::set().await;
    let (_, earlier) = both.asked().await;
    for stale in [IDENTITY, PROGRAMME] {
        let (waiting, requested) = both.asked().await;
        let bound = |id| if id == stale { &earlier } else { &requested };
        let identity = both.present(&both.identity, bound(IDENTITY)).await;
        let programme = both.present(&both.programme, bound(PROGRAMME)).await;
        let answer = [(IDENTITY, identity.as_str()), (PROGRAMME, &programme)];
        let code = both.refused(waiting, &requested, &answer).await;
        assert_eq!(code, "presentation-replayed", "{stale}");
    }

    // Somebody who has only copied the second credential cannot sign for its holder.
    let (waiting, requested) = both.asked().await;
    let identity = both.present(&both.identity, &requested).await;
    let thief = RawWallet::new();
    let token = thief
        .present_w3c(&both.programme, &requested, both.world.now())
        .await;
    let copied = token.iter().next().unwrap().1[0].clone();
    let answer = [(IDENTITY, identity.as_str()), (PROGRAMME, &copied)];
    let code = both.refused(waiting, &requested, &answer).await;
    assert_eq!(code, "holder-binding-invalid");
}

/// SEC-16: who is trusted for one type is not for the other that stands beside it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sec_16_each_issuer_must_be_trusted_for_its_own_type() {
    let both = Both::set().await;
    let mut config = both.world.config.clone();
    config.organisations[0]
        .trust
        .retain(|row: &TrustConfig| row.credential_type == "Identity");
    let surroundings = Surroundings {
        clock: both.world.clock.clone(),
        sandbox: true,
        ..Surroundings::production()
    };
    let narrower = Gateway::compose(&config, surroundings).await.unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let server = serve(listener, &narrower);

    let (waiting, requested) = both.asked().await;
    let mut token = VpToken::default();
    token.insert(IDENTITY, both.present(&both.identity, &requested).await);
    token.insert(PROGRAMME, both.present(&both.programme, &requested).await);
    let address = requested
        .text_of("response_uri")
        .replace(&both.world.base, &base);
    let heard = post_to(&address, requested.answer(token)).await;
    assert_eq!(heard.status, StatusCode::BAD_REQUEST, "{}", heard.body);
    assert_eq!(refusal(&heard).2, "issuer-not-trusted");
    let back = waiting.again().await.link("go-back");
    assert!(!back.contains("code="), "{back}");
    server.abort();
}
