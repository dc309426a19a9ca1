//! The gateway's front door: everything goes through it, is written down, and can be jammed.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use tokio::sync::Notify;

/// What the door does with requests to a path.
#[derive(Clone)]
pub(crate) enum Jam {
    /// Answers with this status; the gateway hears nothing.
    Refuse(u16),
    /// Answers with this in the gateway's place.
    Answer(String),
    /// The gateway answers, and its answer is lost.
    LoseAnswer,
    /// The request waits until the test says so. (Notified as soon as it is there; then goes on.)
    Hold {
        arrived: Arc<Notify>,
        go_on: Arc<Notify>,
    },
}

pub(crate) struct Door {
    /// The gateway's public address.
    pub(crate) base: String,
    shared: Arc<Shared>,
    server: tokio::task::JoinHandle<()>,
}

struct Shared {
    inside: String,
    client: reqwest::Client,
    calls: Mutex<Vec<(String, String)>>,
    jams: Mutex<Vec<(&'static str, Jam)>>,
}

impl Door {
    pub(crate) async fn open(inside: u16) -> Self {
        Self::open_behind(inside, |door| door).await
    }

    /// With something before it that sees, and may change, what goes in and out.
    pub(crate) async fn open_behind(inside: u16, before: impl FnOnce(Router) -> Router) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://localhost:{}", listener.local_addr().unwrap().port());
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy();
        let shared = Arc::new(Shared {
            inside: format!("http://127.0.0.1:{inside}"),
            client: client.build().unwrap(),
            calls: Mutex::default(),
            jams: Mutex::default(),
        });
        let router = Router::new()
            .fallback(forward)
            .with_state(Arc::clone(&shared));
        let router = before(router);
        let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self {
            base,
            shared,
            server,
        }
    }

    /// From now on, requests to a path that ends so.
    pub(crate) fn jam(&self, path: &'static str, jam: Jam) {
        self.shared.jams.lock().unwrap().push((path, jam));
    }

    /// Requests to a path that ends so wait: told when one is there, and lets it go on.
    pub(crate) fn hold(&self, path: &'static str) -> (Arc<Notify>, Arc<Notify>) {
        let (arrived, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let jam = Jam::Hold {
            arrived: Arc::clone(&arrived),
            go_on: Arc::clone(&go_on),
        };
        self.jam(path, jam);
        (arrived, go_on)
    }

    /// Everything goes through again.
    pub(crate) fn free(&self) {
        self.shared.jams.lock().unwrap().clear();
    }

    /// Sends the last form to a path that ends so once more.
    pub(crate) async fn repeat(&self, path: &str) {
        let last = {
            let calls = self.shared.calls.lock().unwrap();
            let last = calls.iter().rfind(|(called, _)| called.ends_with(path));
            last.unwrap().clone()
        };
        let sent = self.shared.client.post(format!("{}{}", self.base, last.0));
        let form = "application/x-www-form-urlencoded";
        let sent = sent.header("content-type", form).body(last.1);
        sent.send().await.unwrap();
    }

    /// The bodies of the requests to a path that ends so.
    pub(crate) fn calls(&self, path: &str) -> Vec<String> {
        let calls = self.shared.calls.lock().unwrap();
        let matching = calls.iter().filter(|(called, _)| called.ends_with(path));
        matching.map(|(_, body)| body.clone()).collect()
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn forward(
    State(shared): State<Arc<Shared>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let path = uri.path().to_owned();
    let text = String::from_utf8_lossy(&body).into_owned();
    shared.calls.lock().unwrap().push((path.clone(), text));
    let jams = shared.jams.lock().unwrap().clone();
    let jam = jams.into_iter().find(|(end, _)| path.ends_with(end));
    match &jam {
        Some((_, Jam::Refuse(status))) => {
            return StatusCode::from_u16(*status).unwrap().into_response();
        }
        Some((_, Jam::Answer(body))) => return body.clone().into_response(),
        Some((_, Jam::Hold { arrived, go_on })) => {
            arrived.notify_one();
            go_on.notified().await;
        }
        _ => {}
    }
    let address = format!("{}{uri}", shared.inside);
    let sent = shared.client.request(method, address).headers(headers);
    let answer = sent.body(body).send().await.unwrap();
    if let Some((_, Jam::LoseAnswer)) = jam {
        return StatusCode::BAD_GATEWAY.into_response();
    }
    let (status, headers) = (answer.status(), answer.headers().clone());
    let mut response = Response::new(Body::from(answer.bytes().await.unwrap()));
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response.headers_mut().remove("transfer-encoding");
    response
}
