//! Traces: what one request was made of and how long each part took, told to an OpenTelemetry collector
//! (decision 0034). Off unless the configuration names one.
//!
//! A span has a name that this program wrote, times, and attributes of a closed list ([`Attribute`]): methods, templates of
//! routes, statuses, codes of errors. No value that anybody sent can become one: no address, no identifier of a person, of
//! a credential or of an interaction (SEC-40).
//!
//! `traceparent` [W3C Trace Context 3.2] is taken from who asks and passed on to whom the gateway asks. `tracestate` is not:
//! it may hold anything.

mod config;
mod context;
mod otlp;
mod send;

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use axum::http::{HeaderMap, Method, StatusCode};
use jiff::Timestamp;
use tokio::sync::Notify;

use crate::clock::Clock;
use crate::random::Random;

pub use config::{InvalidTraces, TracesConfig};
pub use context::{Parent, TRACEPARENT};
pub(crate) use send::run;

/// Spans that wait for the collector; what comes when so many wait is dropped and counted.
const MOST_WAITING: usize = 8192;

/// What a span may say of what it stands for. A new one is a decision about privacy: it must not take what somebody sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attribute {
    /// `http.request.method`: one of the methods that HTTP knows, or `_OTHER`.
    Method(&'static str),
    /// `http.response.status_code`.
    Status(u16),
    /// `error.type`: a code of this program's, or the status of who answered.
    Error(&'static str),
    /// `lanyard.asks`: who asks, by the face of the gateway: `client`, `wallet`, `person`, `anybody`.
    Asker(&'static str),
}

/// Which side of a request it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Server = 2,
    Client = 3,
}

/// A span that has ended.
#[derive(Debug, Clone)]
struct Ended {
    trace: [u8; 16],
    id: [u8; 8],
    parent: Option<[u8; 8]>,
    name: &'static str,
    /// The template of the route that matched: `http.route`.
    route: Option<String>,
    kind: Kind,
    began: Timestamp,
    took: std::time::Duration,
    attributes: Vec<Attribute>,
    failed: bool,
}

/// Makes spans and keeps those that ended until they are sent.
pub struct Tracer {
    clock: Clock,
    random: Random,
    config: TracesConfig,
    waiting: Mutex<VecDeque<Ended>>,
    many: Notify,
    sent: AtomicU64,
    dropped: AtomicU64,
}

tokio::task_local! {
    /// The span within which a task is at work.
    static WITHIN: Parent;
}

impl Tracer {
    /// A tracer, where the configuration names a collector.
    pub(crate) fn new(
        config: &TracesConfig,
        clock: &Clock,
        random: &Random,
    ) -> Result<Option<Arc<Self>>, InvalidTraces> {
        let Some(endpoint) = &config.otlp_endpoint else {
            return Ok(None);
        };
        config::check(endpoint, config)?;
        Ok(Some(Arc::new(Self {
            clock: clock.clone(),
            random: random.clone(),
            config: config.clone(),
            waiting: Mutex::default(),
            many: Notify::new(),
            sent: AtomicU64::new(0),
            dropped: AtomicU64::new(0),
        })))
    }

    /// The span of a request that somebody sent. None where its trace is not among those that are kept.
    pub(crate) fn asked(self: &Arc<Self>, headers: &HeaderMap, method: &Method) -> Span {
        let parent = Parent::read(headers);
        self.begin("request", Kind::Server, parent)
            .with(Attribute::Method(name_of(method)))
    }

    /// The span of a request that the gateway sends, within the one at work, or with a trace of its own.
    pub(crate) fn asks(self: &Arc<Self>, name: &'static str, method: &Method) -> Span {
        let parent = WITHIN.try_with(|parent| *parent).ok();
        self.begin(name, Kind::Client, parent)
            .with(Attribute::Method(name_of(method)))
    }

    fn begin(self: &Arc<Self>, name: &'static str, kind: Kind, parent: Option<Parent>) -> Span {
        let (trace, is_kept) = match parent {
            Some(parent) => (parent.trace, parent.is_kept),
            None => (self.random.bytes(), self.is_chosen()),
        };
        Span {
            tracer: Arc::clone(self),
            own: Parent {
                trace,
                span: self.random.bytes(),
                is_kept,
            },
            parent: parent.map(|parent| parent.span),
            name,
            kind,
            began: self.clock.now(),
            watch: Instant::now(),
            attributes: Vec::new(),
            route: None,
        }
    }

    fn is_chosen(&self) -> bool {
        self.random.below(i64::from(self.config.one_in)) == 0
    }

    fn keep(&self, span: Ended) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.len() >= MOST_WAITING {
            self.dropped.fetch_add(1, Ordering::Relaxed);
            return;
        }
        waiting.push_back(span);
        if waiting.len() >= send::AT_ONCE {
            self.many.notify_one();
        }
    }

    /// Spans that the collector took, and spans that it never will, since this process began.
    pub(crate) fn counts(&self) -> [(&'static str, u64); 2] {
        [
            ("sent", self.sent.load(Ordering::Relaxed)),
            ("dropped", self.dropped.load(Ordering::Relaxed)),
        ]
    }
}

/// Says where they go, not what waits.
impl std::fmt::Debug for Tracer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tracer")
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}

/// A span that has begun. One that is dropped without [`Span::end`] — its request was given up — is kept as failed.
pub(crate) struct Span {
    tracer: Arc<Tracer>,
    own: Parent,
    parent: Option<[u8; 8]>,
    name: &'static str,
    kind: Kind,
    began: Timestamp,
    watch: Instant,
    attributes: Vec<Attribute>,
    route: Option<String>,
}

impl Span {
    pub(crate) fn with(mut self, attribute: Attribute) -> Self {
        self.attributes.push(attribute);
        self
    }

    /// The template of the route that matched, never the address itself.
    pub(crate) fn at(mut self, route: Option<&str>) -> Self {
        self.route = route.map(str::to_owned);
        self
    }

    /// What whoever is asked is to know of it.
    pub(crate) fn context(&self) -> Parent {
        self.own
    }

    /// Does something within this span: what is asked meanwhile belongs to it.
    pub(crate) async fn around<T>(&self, work: impl Future<Output = T>) -> T {
        WITHIN.scope(self.own, work).await
    }

    /// It ended with that answer.
    pub(crate) fn answered(mut self, status: StatusCode, code: Option<&'static str>) {
        self.attributes.push(Attribute::Status(status.as_u16()));
        self.attributes.extend(code.map(Attribute::Error));
        // [semantic conventions, HTTP: status] For who answers, a caller's fault is none of theirs.
        let failed =
            status.is_server_error() || self.kind == Kind::Client && status.is_client_error();
        self.end(failed);
    }

    /// It ended without an answer.
    pub(crate) fn failed(mut self, code: &'static str) {
        self.attributes.push(Attribute::Error(code));
        self.end(true);
    }

    fn end(&mut self, failed: bool) {
        if !self.own.is_kept {
            return;
        }
        self.own.is_kept = false;
        self.tracer.keep(Ended {
            trace: self.own.trace,
            id: self.own.span,
            parent: self.parent,
            name: self.name,
            route: self.route.take(),
            kind: self.kind,
            began: self.began,
            took: self.watch.elapsed(),
            attributes: std::mem::take(&mut self.attributes),
            failed,
        });
    }
}

impl Drop for Span {
    fn drop(&mut self) {
        if self.own.is_kept {
            self.attributes.push(Attribute::Error("given-up"));
            self.end(true);
        }
    }
}

/// [semantic conventions, HTTP: http.request.method] What a caller made up is no method.
fn name_of(method: &Method) -> &'static str {
    let known = [
        "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH",
    ];
    let name = method.as_str();
    let found = known.into_iter().find(|one| *one == name);
    found.unwrap_or("_OTHER")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn tracer(one_in: u32) -> Arc<Tracer> {
        let config = TracesConfig {
            otlp_endpoint: Some("http://127.0.0.1:9/v1/traces".parse().unwrap()),
            one_in,
        };
        let tracer = Tracer::new(&config, &Clock::system(), &Random::seeded(7));
        tracer.unwrap().unwrap()
    }

    fn ended(tracer: &Tracer) -> Vec<Ended> {
        tracer.waiting.lock().unwrap().drain(..).collect()
    }

    #[test]
    fn what_finds_no_room_is_dropped_and_counted() {
        let tracer = tracer(1);
        for _ in 0..MOST_WAITING + 5 {
            let span = tracer.asked(&HeaderMap::new(), &Method::GET);
            span.answered(StatusCode::OK, None);
        }
        assert_eq!(tracer.counts(), [("sent", 0), ("dropped", 5)]);
        assert_eq!(ended(&tracer).len(), MOST_WAITING);
    }

    #[tokio::test]
    async fn what_is_asked_within_a_span_belongs_to_it_and_what_is_given_up_has_failed() {
        let tracer = tracer(1);
        let outer = tracer.asked(&HeaderMap::new(), &Method::POST);
        let context = outer.context();
        outer
            .around(async {
                drop(tracer.asks("fetch a document", &Method::GET));
            })
            .await;
        outer.answered(StatusCode::BAD_REQUEST, Some("invalid_request"));
        let ended = ended(&tracer);
        assert_eq!(ended[0].parent, Some(context.span));
        assert_eq!(ended[0].trace, ended[1].trace);
        assert!(ended[0].failed && !ended[1].failed);
        assert_eq!(ended[1].id, context.span);
    }

    #[test]
    fn a_trace_that_others_do_not_keep_is_not_kept_here_and_few_of_many_are() {
        let tracer = tracer(10);
        let mut headers = HeaderMap::new();
        let not_kept = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00";
        headers.insert(TRACEPARENT, not_kept.parse().unwrap());
        let span = tracer.asked(&headers, &Method::GET);
        assert!(span.context().to_text().ends_with("-00"));
        span.answered(StatusCode::OK, None);
        assert!(ended(&tracer).is_empty());
        for _ in 0..1000 {
            drop(tracer.asked(&HeaderMap::new(), &Method::GET));
        }
        let kept = ended(&tracer).len();
        assert!((50..200).contains(&kept), "{kept}");
    }

    #[test]
    fn a_method_that_somebody_made_up_is_not_told() {
        assert_eq!(name_of(&"MARGUERITE".parse().unwrap()), "_OTHER");
        assert_eq!(name_of(&Method::PATCH), "PATCH");
    }
}
