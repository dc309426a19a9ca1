//! A world with its admin listener and operators.

use gateway::keys::{GATEWAY, KeyPurpose};
use std::net::SocketAddr;

use gateway::admin::Role;
use gateway::operator::NewOperator;
use gateway::operator::desk::Desk;
use gateway::random::Random;
use jiff::SignedDuration;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::{World, client};
use crate::database::Database;

pub(crate) struct Admin {
    pub(crate) world: World,
    pub(crate) url: String,
    /// One for all requests: making one costs more than most of them.
    client: reqwest::Client,
    server: tokio::task::JoinHandle<()>,
}

/// An operator and one of its tokens.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    pub(crate) id: String,
    pub(crate) token: String,
}

/// What the admin API answered.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) json: Value,
    pub(crate) text: String,
    pub(crate) retry_after: Option<String>,
}

impl Reply {
    /// The code of a refusal; empty where it is none.
    pub(crate) fn code(&self) -> &str {
        self.json["code"].as_str().unwrap_or_default()
    }

    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{}", self.text);
        self
    }

    #[track_caller]
    pub(crate) fn refused(self, code: &str) -> Self {
        assert_eq!(self.code(), code, "{} {}", self.status, self.text);
        self
    }
}

impl Admin {
    pub(crate) async fn start(database: Database) -> Self {
        Self::of(World::start_on(database).await).await
    }

    pub(crate) async fn of(world: World) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let service = world
            .gateway
            .admin_router()
            .into_make_service_with_connect_info::<SocketAddr>();
        let server = tokio::spawn(async move { axum::serve(listener, service).await.unwrap() });
        Self {
            world,
            url,
            client: client(),
            server,
        }
    }

    pub(crate) async fn operator(
        &self,
        name: &str,
        role: Role,
        organisation: Option<&str>,
    ) -> Caller {
        self.new_operator(NewOperator {
            name,
            role,
            organisation,
            person: None,
            break_glass: false,
        })
        .await
    }

    pub(crate) async fn new_operator(&self, new: NewOperator<'_>) -> Caller {
        let app = self.world.gateway.app();
        let random = Random::system();
        let desk = Desk {
            store: &app.store,
            random: &random,
            account: "test",
            now: app.now(),
        };
        let token = desk.add(&new, None).await.unwrap();
        let id = desk.id_of(new.name, new.organisation).await.unwrap();
        Caller { id, token }
    }

    /// One more token of an operator, made so long ago and for one day.
    pub(crate) async fn token_of(&self, name: &str, ago: SignedDuration) -> String {
        let app = self.world.gateway.app();
        let random = Random::system();
        let desk = Desk {
            store: &app.store,
            random: &random,
            account: "test",
            now: app.now() - ago,
        };
        desk.new_token(name, None, Some(1)).await.unwrap()
    }

    pub(crate) async fn send(
        &self,
        token: Option<&str>,
        method: &str,
        path: &str,
        body: Option<&Value>,
    ) -> Reply {
        let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
        let mut request = self.client.request(method, format!("{}{path}", self.url));
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = request.send().await.unwrap();
        let status = response.status();
        let retry_after = response.headers().get("retry-after");
        let retry_after = retry_after.map(|value| value.to_str().unwrap().to_owned());
        let text = response.text().await.unwrap();
        let json = serde_json::from_str(&text).unwrap_or(Value::Null);
        Reply {
            status,
            json,
            text,
            retry_after,
        }
    }

    /// As a proxy hands it on that says from where it comes.
    pub(crate) async fn send_from(&self, from: &str, path: &str, body: &Value) -> (u16, String) {
        let request = self.client.post(format!("{}{path}", self.url)).json(body);
        let response = request
            .header("x-forwarded-for", from)
            .send()
            .await
            .unwrap();
        let status = response.status().as_u16();
        let wait = response.headers().get("retry-after");
        let wait = wait.map_or("", |value| value.to_str().unwrap()).to_owned();
        (status, wait)
    }

    pub(crate) async fn get(&self, caller: &Caller, path: &str) -> Reply {
        self.send(Some(&caller.token), "GET", path, None).await
    }

    pub(crate) async fn post(&self, caller: &Caller, path: &str, body: &Value) -> Reply {
        self.send(Some(&caller.token), "POST", path, Some(body))
            .await
    }

    /// Proposes and gives the id.
    pub(crate) async fn propose(&self, caller: &Caller, act: &str, detail: Value) -> String {
        let body = json!({ "act": act, "detail": detail, "reason": "she moved to another team", "ticket": "INC-7" });
        let reply = self
            .post(caller, "/admin/v1/proposals", &body)
            .await
            .expect(201);
        reply.json["id"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn decide(&self, caller: &Caller, proposal: &str, how: &str) -> Reply {
        self.post(
            caller,
            &format!("/admin/v1/proposals/{proposal}/{how}"),
            &json!({}),
        )
        .await
    }

    /// How often that act stands in the audit, all of which is as it was written.
    pub(crate) async fn entries(&self, act: &str) -> usize {
        self.kept(act).await.len()
    }

    /// Why that act was done the last time, as the audit has it: reason and ticket.
    pub(crate) async fn why(&self, act: &str) -> (String, String) {
        let last = self.kept(act).await.into_iter().next().unwrap();
        (
            last.reason.unwrap_or_default(),
            last.ticket.unwrap_or_default(),
        )
    }

    /// A detail of that act as it was done the last time.
    pub(crate) async fn told(&self, act: &str, detail: &str) -> String {
        let last = self.kept(act).await.into_iter().next().unwrap();
        last.detail[detail].as_str().unwrap_or_default().to_owned()
    }

    async fn kept(&self, act: &str) -> Vec<gateway::audit::chain::Kept> {
        let app = self.world.gateway.app();
        gateway::audit::chain::round(&app.store).await.unwrap();
        let keys: Vec<_> = app
            .keys
            .published(KeyPurpose::Audit, GATEWAY)
            .cloned()
            .collect();
        let report = gateway::audit::verify::verify(&app.store, &app.base, &keys)
            .await
            .unwrap();
        assert_eq!(report.faults, []);
        let question = gateway::audit::Question {
            act: Some(act),
            limit: 500,
            ..Default::default()
        };
        gateway::audit::list(&app.store, &question).await.unwrap().0
    }
}

impl Drop for Admin {
    fn drop(&mut self) {
        self.server.abort();
    }
}
