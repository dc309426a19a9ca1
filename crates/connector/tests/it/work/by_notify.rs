//! A world whose mails go by GOV.UK Notify, that is by a stand-in which checks what Notify checks.

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use connector::ClientSecret;
use connector::desk::{
    Cause, Channel, Desk, NotTold, Notify, NotifyCallbackError, NotifyKey, Stage,
};
use mail_catcher::notify::{CallbackOptions, KeyKind, NotifyOptions, NotifyService, Template};
use store::{Row, Statement};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use uuid::Uuid;

use super::world::{Working, corrected};
use crate::database::Database;

pub(super) const SERVICE: Uuid = Uuid::from_u128(0x2678_5a09_ab16_4eb0_8407_a374_97a5_7506);
pub(super) const SECRET: Uuid = Uuid::from_u128(0x3d84_4edf_8d35_48ac_975b_e847_b4f1_22b0);
pub(super) const TEMPLATE: Uuid = Uuid::from_u128(0x9d75_1e0e_f929_4891_82a1_a3e1_c3c1_8ee3);
pub(super) const WELSH: Uuid = Uuid::from_u128(0x9d75_1e0e_f929_4891_82a1_a3e1_c3c1_8ee4);
pub(super) const TOKEN: &str = "the-callbacks-token-0123456789";

/// The text to paste at Notify, as the handbook has it.
pub(super) const HANDBOOK: &str = include_str!("../../../../../docs/operate/notify-template.txt");

pub(super) struct ByNotify {
    pub(super) it: Working,
    pub(super) service: NotifyService,
    servers: [JoinHandle<()>; 2],
}

impl Deref for ByNotify {
    type Target = Working;

    fn deref(&self) -> &Working {
        &self.it
    }
}

impl Drop for ByNotify {
    fn drop(&mut self) {
        self.servers.iter().for_each(JoinHandle::abort);
    }
}

pub(super) fn template(id: Uuid, text: &str) -> Template {
    let (subject, body) = text.split_once("\n\n").unwrap();
    Template {
        id,
        name: "Delete a credential".to_owned(),
        subject: subject.to_owned(),
        body: body.to_owned(),
        version: 3,
    }
}

impl ByNotify {
    pub(super) async fn start(database: Database) -> Self {
        Self::start_with(database, |_| (), |_| ()).await
    }

    pub(super) async fn start_with(
        database: Database,
        change: impl FnOnce(&mut Notify),
        change_service: impl FnOnce(&mut NotifyOptions),
    ) -> Self {
        let api = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://localhost:{}/", api.local_addr().unwrap().port());
        let mut options = NotifyOptions::new(SERVICE);
        options.keys = vec![(KeyKind::Live, SECRET)];
        options.templates = vec![template(TEMPLATE, HANDBOOK)];
        let mut notify = Notify {
            base: base.parse().unwrap(),
            key: NotifyKey::parse(&options.key("our-live-key", SECRET)).unwrap(),
            template: TEMPLATE,
            welsh_template: None,
            callback_token: None,
        };
        change(&mut notify);
        let it = Working::start_with(database, |options| {
            options.mail.as_mut().unwrap().channel = Channel::Notify(notify);
        })
        .await;
        let callbacks = TcpListener::bind("127.0.0.1:0").await.unwrap();
        options.callback = Some(CallbackOptions {
            url: format!("http://{}/notify/callback", callbacks.local_addr().unwrap()),
            bearer: TOKEN.to_owned(),
            again_after: Duration::from_millis(50),
        });
        change_service(&mut options);
        let (_, _, clock) = it.process();
        let service =
            NotifyService::new(it.catcher.clone(), options, Arc::new(move || clock.now()));
        let router = service.router();
        let host = axum::Router::new()
            .route("/notify/callback", axum::routing::post(callback))
            .with_state(it.desk.clone());
        let servers = [
            tokio::spawn(async move { axum::serve(api, router).await.unwrap() }),
            tokio::spawn(async move { axum::serve(callbacks, host).await.unwrap() }),
        ];
        Self {
            it,
            service,
            servers,
        }
    }

    pub(super) async fn with_callbacks(database: Database) -> Self {
        let with = |notify: &mut Notify| notify.callback_token = Some(ClientSecret::new(TOKEN));
        Self::start_with(database, with, |_| ()).await
    }

    /// Anna's credential is revoked, and the mail is on its way.
    pub(super) async fn revoked(&self) {
        self.issued().await;
        self.change(Some(&corrected()), Cause::Corrected).await;
        self.work().await;
        assert_eq!(self.credential().await.stage, Stage::Revoked);
    }

    /// State, id at Notify, and whether it is given up.
    pub(super) async fn row(&self) -> (String, Option<String>, bool) {
        let select =
            Statement::new("SELECT state, notification_id, failed_at FROM connector_mails");
        let rows: Vec<Row> = self.store.read(select).await.unwrap();
        assert_eq!(rows.len(), 1);
        (
            rows[0].text("state").unwrap().to_owned(),
            rows[0]
                .optional_text("notification_id")
                .unwrap()
                .map(str::to_owned),
            rows[0].optional_integer("failed_at").unwrap().is_some(),
        )
    }

    pub(super) async fn state(&self) -> String {
        self.row().await.0
    }

    pub(super) async fn waiting(&self) -> connector::desk::WaitingMail {
        self.desk.backlog().await.unwrap().mails.remove(0)
    }

    pub(super) async fn why(&self) -> Vec<NotTold> {
        let list = self.desk.may_still_hold().await.unwrap();
        list.into_iter().map(|one| one.why).collect()
    }
}

async fn callback(
    State(desk): State<Desk>,
    headers: HeaderMap,
    body: axum::body::Bytes,
) -> StatusCode {
    let authorization = headers["authorization"].to_str().unwrap();
    let bearer = authorization.strip_prefix("Bearer ").unwrap_or_default();
    match desk.notify_callback(bearer, &body).await {
        Ok(()) => StatusCode::OK,
        Err(NotifyCallbackError::WrongToken) => StatusCode::UNAUTHORIZED,
        Err(_) => StatusCode::NOT_FOUND,
    }
}
