//! A relying party's receiver of events: a real server on loopback that keeps what it got and answers as it is told.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_lc_rs::hmac;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use gateway::Config;
use gateway::config::{Secret, WebhookConfig};
use serde_json::Value;
use url::Url;
use zeroize::Zeroizing;

/// The secrets of every receiver: the one in use, and the one that comes after it.
pub(crate) const SECRETS: [&str; 2] = [
    "whsec_Zm9yIHRlc3RzIG9ubHksIHRoZSBvbGRlciBvbmU=",
    "whsec_Zm9yIHRlc3RzIG9ubHksIHRoZSBuZXdlciBvbmU=",
];

/// One request as it came.
#[derive(Clone)]
pub(crate) struct Received {
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
    pub(crate) event: Value,
}

/// What the receiver does with the next request; after the last one, 204.
pub(crate) enum Reply {
    Status(u16),
    Redirect(String),
    Silence,
}

#[derive(Clone, Default)]
struct Memory {
    received: Arc<Mutex<Vec<Received>>>,
    replies: Arc<Mutex<VecDeque<Reply>>>,
}

pub(crate) struct Receiver {
    pub(crate) url: Url,
    memory: Memory,
    server: Option<tokio::task::JoinHandle<()>>,
}

impl Receiver {
    /// An address where nobody listens yet.
    pub(crate) fn down() -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        Self {
            url: format!("http://127.0.0.1:{port}/events").parse().unwrap(),
            memory: Memory::default(),
            server: None,
        }
    }

    pub(crate) async fn up() -> Self {
        let mut receiver = Self::down();
        receiver.start().await;
        receiver
    }

    pub(crate) async fn start(&mut self) {
        let address = (std::net::Ipv4Addr::LOCALHOST, self.url.port().unwrap());
        let listener = tokio::net::TcpListener::bind(address).await.unwrap();
        let router = Router::new()
            .route("/events", post(receive))
            .with_state(self.memory.clone());
        self.server = Some(tokio::spawn(async move {
            axum::serve(listener, router).await.unwrap();
        }));
    }

    pub(crate) fn will(&self, reply: Reply) {
        self.memory.replies.lock().unwrap().push_back(reply);
    }

    /// Everything that came, each with a signature that holds.
    pub(crate) fn received(&self) -> Vec<Received> {
        let received = self.memory.received.lock().unwrap().clone();
        for one in &received {
            one.verify();
        }
        received
    }

    /// Number and type of everything that came.
    pub(crate) fn story(&self) -> Vec<(i64, String)> {
        let told = |one: Received| {
            let kind = one.event["type"].as_str().unwrap().to_owned();
            (one.event["sequence"].as_i64().unwrap(), kind)
        };
        self.received().into_iter().map(told).collect()
    }

    /// Registers the receiver for a relying party.
    pub(crate) fn register(&self, config: &mut Config, client_id: &str) {
        register(config, client_id, self.url.clone());
    }
}

/// Registers any address.
pub(crate) fn register(config: &mut Config, client_id: &str, url: Url) {
    let held = |text: &str| Secret::Held(Zeroizing::new(text.to_owned()));
    let secrets = SECRETS.into_iter().map(held).collect();
    let mut parties = config
        .organisations
        .iter_mut()
        .flat_map(|organisation| &mut organisation.relying_parties);
    let party = parties.find(|party| party.client_id == client_id).unwrap();
    party.webhook = Some(WebhookConfig { url, secrets });
}

impl Received {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().unwrap()
    }

    /// As a receiver does that knows either secret. [Standard Webhooks]
    fn verify(&self) {
        let signed = format!(
            "{}.{}.{}",
            self.header("webhook-id"),
            self.header("webhook-timestamp"),
            self.body
        );
        let signatures: Vec<&str> = self.header("webhook-signature").split(' ').collect();
        assert_eq!(signatures.len(), SECRETS.len());
        for secret in SECRETS {
            let key = STANDARD
                .decode(secret.strip_prefix("whsec_").unwrap())
                .unwrap();
            let key = hmac::Key::new(hmac::HMAC_SHA256, &key);
            let holds = |signature: &&str| {
                let tag = STANDARD.decode(signature.strip_prefix("v1,").unwrap());
                hmac::verify(&key, signed.as_bytes(), &tag.unwrap()).is_ok()
            };
            assert!(signatures.iter().any(holds), "no signature holds");
        }
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        if let Some(server) = &self.server {
            server.abort();
        }
    }
}

async fn receive(State(memory): State<Memory>, headers: HeaderMap, body: Bytes) -> Response {
    let body = String::from_utf8(body.to_vec()).unwrap();
    memory.received.lock().unwrap().push(Received {
        headers,
        event: serde_json::from_str(&body).unwrap(),
        body,
    });
    let reply = memory.replies.lock().unwrap().pop_front();
    match reply {
        None => StatusCode::NO_CONTENT.into_response(),
        Some(Reply::Status(status)) => StatusCode::from_u16(status).unwrap().into_response(),
        Some(Reply::Redirect(to)) => {
            (StatusCode::TEMPORARY_REDIRECT, [("location", to)]).into_response()
        }
        Some(Reply::Silence) => {
            tokio::time::sleep(Duration::from_mins(1)).await;
            StatusCode::NO_CONTENT.into_response()
        }
    }
}
