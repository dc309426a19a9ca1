//! Who looks: every page begins with one of these. A [`Visit`] is somebody who is logged in, a [`Guest`] is not.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::{ConnectInfo, FromRequestParts, Request};
use axum::http::HeaderName;
use axum::http::request::Parts as RequestParts;
use jiff::Timestamp;
use serde::Deserialize;

use crate::api::{Address, Api};
use crate::cookie::{Cookie, csrf_of};
use crate::frame::Frame;
use crate::look::Look;
use crate::problem::Problem;

/// What every request works with.
pub(crate) type App = Arc<Parts>;

/// See [`App`].
pub(crate) struct Parts {
    pub(crate) api: Router,
    pub(crate) look: Look,
    /// Whether browsers reach the console over https.
    pub(crate) secure: bool,
    pub(crate) address_header: Option<HeaderName>,
    pub(crate) clock: Clock,
}

/// Tells the time.
pub(crate) type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

impl Parts {
    /// The time of this request.
    pub(crate) fn now(&self) -> Timestamp {
        (self.clock)()
    }

    /// The admin API for whoever sent that.
    fn api(&self, request: &Request) -> Api {
        let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
        let header = self.address_header.as_ref();
        Api::new(&self.api, peer.copied(), header, request.headers())
    }
}

/// The operator, as the API knows them.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Operator {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) role: String,
    rights: Vec<String>,
    #[serde(default)]
    pub(crate) organisation: Option<String>,
    pub(crate) break_glass: bool,
    /// The session, by its id.
    pub(crate) token: String,
    /// When it ends at the latest.
    pub(crate) expires_at: Timestamp,
}

/// Somebody who is logged in.
#[derive(Clone)]
pub(crate) struct Visit {
    pub(crate) app: App,
    /// The admin API with their session.
    pub(crate) api: Api,
    pub(crate) operator: Operator,
    /// The token that every form of this session carries.
    pub(crate) csrf: String,
}

impl Visit {
    /// The session of this browser's cookie, and the API as it reaches it; nothing where there is none.
    pub(crate) fn asks(app: &App, request: &Request) -> Option<(String, Api)> {
        let token = Cookie::Session.read(app.secure, request.headers())?;
        let api = app.api(request).with(&token);
        Some((token, api))
    }

    /// Whoever that session belongs to; nobody, where the API does not take it.
    pub(crate) async fn find(
        app: &App,
        session: Option<(String, Api)>,
    ) -> Result<Option<Self>, Problem> {
        let Some((token, api)) = session else {
            return Ok(None);
        };
        match api.get(Address::new(&["whoami"])).await {
            Ok(operator) => Ok(Some(Self {
                app: App::clone(app),
                api,
                operator,
                csrf: csrf_of(&token),
            })),
            Err(problem) if problem.status.as_u16() == 401 => Ok(None),
            Err(problem) => Err(problem),
        }
    }

    /// Whether the role has that right. It decides what is shown; what is done the API decides.
    pub(crate) fn may(&self, right: &str) -> bool {
        self.operator.rights.iter().any(|known| known == right)
    }

    /// A text of the catalogue.
    pub(crate) fn say(&self, key: &str) -> String {
        self.app.look.say(key)
    }

    /// A text of the catalogue, with what stands in its places.
    pub(crate) fn say_with(&self, key: &str, with: &[(&str, &str)]) -> String {
        self.app.look.say_with(key, with)
    }

    /// The frame of a page under the heading with that key, in the section that begins at that path.
    pub(crate) fn frame(&self, section: &'static str, title: &str) -> Frame {
        Frame::of_visit(self, section, self.say(title))
    }
}

/// Somebody who is not logged in.
#[derive(Clone)]
pub(crate) struct Guest {
    pub(crate) app: App,
    /// The admin API without a token.
    pub(crate) api: Api,
    /// The token that the forms of this browser carry.
    pub(crate) csrf: String,
    /// The admin API with the session that this browser has all the same.
    before: Option<Api>,
}

impl Guest {
    /// With the secret of this browser's cookie.
    pub(crate) fn new(app: &App, request: &Request, secret: &str) -> Self {
        Self {
            app: App::clone(app),
            api: app.api(request),
            csrf: csrf_of(secret),
            before: Visit::asks(app, request).map(|(_, api)| api),
        }
    }

    /// Ends the session that this browser has, once another one takes its place: nobody would know of it any more, and whoever
    /// copied it would have it. Where the API does not take it, it is over already.
    pub(crate) async fn ends_the_one_before(&self) {
        if let Some(api) = &self.before {
            let (address, nothing) = (Address::new(&["sessions", "end"]), serde_json::json!({}));
            if let Err(problem) = api.post::<()>(address, &nothing).await {
                tracing::debug!(code = problem.code, "there was no session to end");
            }
        }
    }

    /// A text of the catalogue.
    pub(crate) fn say(&self, key: &str) -> String {
        self.app.look.say(key)
    }

    /// The frame of a page under the heading with that key.
    pub(crate) fn frame(&self, title: &str) -> Frame {
        Frame::of_guest(&self.app.look, &self.csrf, self.say(title))
    }
}

macro_rules! found_by_the_door {
    ($($kind:ty),*) => {$(
        impl<S: Send + Sync> FromRequestParts<S> for $kind {
            type Rejection = Problem;

            async fn from_request_parts(parts: &mut RequestParts, _: &S) -> Result<Self, Problem> {
                let known = parts.extensions.get::<Self>().cloned();
                known.ok_or_else(Problem::unauthorized)
            }
        }
    )*};
}

found_by_the_door!(Visit, Guest);
