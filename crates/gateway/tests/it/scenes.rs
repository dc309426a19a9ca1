//! Where a hostile test begins: a wallet half-way to a credential, and a holder about to show one.

use reqwest::StatusCode;
use serde_json::Value;
use standards::jose::Signer;
use standards::jose::jws::{ProtectedHeader, sign};
use store::{Row, Statement};

use crate::raw_wallet::{
    Offered, RawWallet, Requested, Waiting, credential, offer, refusal, request, token,
};
use crate::world::{Answer, World};

/// What the walk is towards.
pub(crate) const CONFIGURATION: &str = "TrainingProgramme-jwt-vc";

/// An offer whose code has been exchanged for a token.
pub(crate) struct Walk {
    pub(crate) world: World,
    pub(crate) waiting: Waiting,
    pub(crate) wallet: RawWallet,
    pub(crate) offered: Offered,
    pub(crate) token: String,
}

impl Walk {
    pub(crate) async fn start() -> Self {
        Self::in_world(World::start().await).await
    }

    pub(crate) async fn in_world(world: World) -> Self {
        let waiting = Waiting::to_issue(&world, "v2").await;
        let offered = offer(&waiting.link()).await;
        let token = token(&offered.issuer, &offered.code).await;
        assert_eq!(token.status, StatusCode::OK, "{}", token.body);
        assert_eq!(
            (
                token.json["token_type"].as_str(),
                token.json["expires_in"].as_u64()
            ),
            (Some("Bearer"), Some(300))
        );
        let token = token.json["access_token"].as_str().unwrap().to_owned();
        Self {
            world,
            waiting,
            wallet: RawWallet::new(),
            offered,
            token,
        }
    }

    pub(crate) async fn ask(&self, body: &Value) -> Answer {
        credential(&self.offered.issuer, &self.token, body).await
    }

    pub(crate) async fn good(&self) -> Value {
        self.wallet
            .request(&self.offered.issuer, CONFIGURATION, self.world.now())
            .await
    }

    pub(crate) async fn issued(&self) -> Answer {
        let answer = self.ask(&self.good().await).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        answer
    }

    pub(crate) async fn rows(&self) -> Vec<Row> {
        self.world
            .gateway
            .app()
            .store
            .read(Statement::new(
                "SELECT serial_number, revoked_at FROM credentials",
            ))
            .await
            .unwrap()
    }

    pub(crate) async fn is_revoked(&self) -> bool {
        let rows = self.rows().await;
        assert_eq!(rows.len(), 1);
        rows[0].optional_integer("revoked_at").unwrap().is_some()
    }
}

/// The type of the credential that is shown.
pub(crate) const TYPE: &str = "TrainingProgramme";

/// A holder with a credential of ours in both formats, and a world to show it in.
pub(crate) struct Stage {
    pub(crate) world: World,
    pub(crate) wallet: RawWallet,
    pub(crate) w3c: String,
    pub(crate) sd_jwt: String,
}

impl Stage {
    pub(crate) async fn set() -> Self {
        let (world, wallet) = (World::start().await, RawWallet::new());
        let w3c = wallet
            .receive(
                &world,
                &Waiting::to_issue(&world, "v2").await.link(),
                "jwt-vc",
            )
            .await;
        let sd_jwt = wallet
            .receive(
                &world,
                &Waiting::to_issue(&world, "v2").await.link(),
                "sd-jwt",
            )
            .await;
        Self {
            world,
            wallet,
            w3c,
            sd_jwt,
        }
    }

    pub(crate) async fn asked(&self) -> (Waiting, Requested) {
        let waiting = Waiting::to_verify(&self.world, TYPE).await;
        let requested = request(&waiting.link()).await;
        (waiting, requested)
    }

    pub(crate) async fn good(&self, requested: &Requested) -> String {
        requested.answer(
            self.wallet
                .present_w3c(&self.w3c, requested, self.world.now())
                .await,
        )
    }

    /// Presents a W3C credential of any making; says how that was refused and what the page then offers.
    pub(crate) async fn refused(&self, credential: &str) -> (u16, String, String) {
        let (waiting, requested) = self.asked().await;
        let token = self
            .wallet
            .present_w3c(credential, &requested, self.world.now())
            .await;
        let answer = requested.post(requested.answer(token)).await;
        // A refusal is final for this request, and the relying party hears of it and gets no code.
        let again = requested.post(self.good(&requested).await).await;
        assert_eq!(refusal(&again), (400, "invalid_request", "already-used"));
        let back = waiting.again().await.link("go-back");
        assert!(back.contains("error=") && !back.contains("code="), "{back}");
        let (status, error, code) = refusal(&answer);
        (status, error.to_owned(), code.to_owned())
    }

    /// A credential like ours with one thing changed, signed by any key.
    pub(crate) async fn forged(
        &self,
        signer: &dyn Signer,
        kid: &str,
        change: impl FnOnce(&mut Value),
    ) -> String {
        let mut claims = Value::Object(
            standards::jose::jws::parse(&self.w3c)
                .unwrap()
                .unverified_claims()
                .clone(),
        );
        change(&mut claims);
        sign(signer, ProtectedHeader::typ("JWT").kid(kid), &claims)
            .await
            .unwrap()
    }
}
