//! Traces: what one request was made of and how long each part took, told to an OpenTelemetry collector
//! (decisions 0034 and 0041). Off unless the configuration names one. Gateway, portal and sidecar tell them alike.
//!
//! A span has a name that this program wrote, times, and attributes of a closed list ([`Attribute`]): methods, templates of
//! routes, statuses, codes of errors, operations and tables of statements. No value that anybody sent can become one: no
//! address, no identifier of a person, of a credential or of an interaction (SEC-40).
//!
//! `traceparent` [W3C Trace Context 3.2] is taken from who asks and passed on to whom is asked. `tracestate` is not: it may
//! hold anything.
//!
//! Whoever is at work within a span need not be told of it: [`asks`] and [`queries`] find it by themselves, and where
//! nothing is traced they cost a look at the task.
//!
//! Each span that is kept is written to the log at the level `trace`, as the collector gets it: whoever searches the log
//! for what must not be told searches all spans with it.

#[cfg(feature = "around")]
mod around;
mod config;
mod context;
mod otlp;
mod query;
mod send;
mod span;

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use reqwest::Method;
use reqwest::header::HeaderMap;
use tokio::sync::Notify;

#[cfg(feature = "around")]
pub use around::{Refused, around};
pub use config::{InvalidTraces, TracesConfig};
pub use context::{Parent, TRACEPARENT};
pub use query::Query;
pub use send::run;
pub use span::{Attribute, Span};

use span::{Ended, Kind, name_of};

/// Spans that wait for the collector; what comes when so many wait is dropped and counted.
const MOST_WAITING: usize = 8192;

/// Links of one span; a request is about one interaction, seldom about two.
const MOST_LINKS: usize = 8;

/// Where the time is read: the system's clock, or one that a test moves.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// Fills a slice with random bytes.
pub type Random = Arc<dyn Fn(&mut [u8]) + Send + Sync>;

/// The operating system's random bytes.
///
/// # Panics
/// When the operating system gives none: two traces of one number would be one.
#[must_use]
pub fn system_random() -> Random {
    Arc::new(|bytes| {
        aws_lc_rs::rand::fill(bytes).expect("the operating system gives random bytes");
    })
}

/// Makes spans and keeps those that ended until they are sent.
pub struct Tracer {
    /// `service.name`: which program tells this.
    service: &'static str,
    clock: Clock,
    random: Random,
    config: TracesConfig,
    waiting: Mutex<VecDeque<Ended>>,
    many: Notify,
    sent: AtomicU64,
    dropped: AtomicU64,
}

/// What a task is at work within.
#[derive(Clone)]
struct Within {
    tracer: Arc<Tracer>,
    /// The span. None where nobody asked for the work: what is asked meanwhile begins a trace of its own.
    parent: Option<Parent>,
    /// The spans of other traces that this one goes on from.
    links: Links,
}

/// Filled while a span is at work, told when it ends.
type Links = Arc<Mutex<Vec<Parent>>>;

tokio::task_local! {
    static WITHIN: Within;
}

/// The span of a request that this task sends, within the one at work. None where nothing is traced.
#[must_use]
pub fn asks(name: &'static str, method: &Method) -> Option<Box<Span>> {
    let within = WITHIN.try_with(Within::clone).ok()?;
    let span = within.tracer.begin(name, Kind::Client, within.parent);
    // Boxed: it is held while others are waited for, by tasks that are seldom traced.
    Some(Box::new(span.with(Attribute::Method(name_of(method)))))
}

/// The span of these statements, which one database is asked together. None where nothing is traced, where the trace is
/// not kept, and for what nobody asked for: a look at what is due, twice a second, is no trace.
#[must_use]
pub fn queries<'a>(
    system: &'static str,
    statements: impl IntoIterator<Item = &'a str>,
) -> Option<Box<Span>> {
    let kept = |within: &Within| {
        let is_kept = within.parent.is_some_and(|parent| parent.is_kept);
        is_kept.then(|| within.clone())
    };
    let within = WITHIN.try_with(kept).ok()??;
    let span = within.tracer.begin("query", Kind::Client, within.parent);
    let query = Attribute::Query(Query::of(system, statements));
    Some(Box::new(span.with(query)))
}

/// The span at work, to be kept with what a later request goes on from. None where nothing is traced, or the trace is not kept.
#[must_use]
pub fn at_work() -> Option<Parent> {
    let parent = WITHIN.try_with(|within| within.parent).ok().flatten();
    parent.filter(|parent| parent.is_kept)
}

/// The span at work goes on from that one of an earlier request, and says so by a link: with whom a browser or a wallet comes
/// no trace does. Nothing where nothing is traced, or where both are of one trace already.
pub fn goes_on_from(earlier: Parent) {
    let _ = WITHIN.try_with(|within| {
        if within.parent.is_none_or(|own| own.trace == earlier.trace) {
            return;
        }
        let mut links = within.links.lock().unwrap_or_else(PoisonError::into_inner);
        if !links.contains(&earlier) && links.len() < MOST_LINKS {
            links.push(earlier);
        }
    });
}

/// Work for a task of its own, which is within what this one is at work within.
pub fn carried<T>(work: impl Future<Output = T>) -> impl Future<Output = T> {
    let within = WITHIN.try_with(Within::clone).ok();
    async move {
        match within {
            Some(within) => WITHIN.scope(within, work).await,
            None => work.await,
        }
    }
}

/// Does work that nobody asked for: each request that it sends is a trace.
pub async fn beside<T>(tracer: Option<&Arc<Tracer>>, work: impl Future<Output = T>) -> T {
    let Some(tracer) = tracer else {
        return work.await;
    };
    let within = Within {
        tracer: Arc::clone(tracer),
        parent: None,
        links: Links::default(),
    };
    WITHIN.scope(within, work).await
}

impl Tracer {
    /// A tracer for the service of that name, where the configuration names a collector.
    pub fn new(
        service: &'static str,
        config: &TracesConfig,
        clock: Clock,
        random: Random,
    ) -> Result<Option<Arc<Self>>, InvalidTraces> {
        let Some(endpoint) = &config.otlp_endpoint else {
            return Ok(None);
        };
        config::check(endpoint, config)?;
        Ok(Some(Arc::new(Self {
            service,
            clock,
            random,
            config: config.clone(),
            waiting: Mutex::default(),
            many: Notify::new(),
            sent: AtomicU64::new(0),
            dropped: AtomicU64::new(0),
        })))
    }

    /// The span of a request that somebody sent.
    pub fn asked(self: &Arc<Self>, headers: &HeaderMap, method: &Method) -> Span {
        let parent = Parent::read(headers);
        self.begin("request", Kind::Server, parent)
            .with(Attribute::Method(name_of(method)))
    }

    /// The span of a request that this program sends, within the one at work, or with a trace of its own.
    pub fn asks(self: &Arc<Self>, name: &'static str, method: &Method) -> Span {
        let parent = WITHIN.try_with(|within| within.parent).ok().flatten();
        self.begin(name, Kind::Client, parent)
            .with(Attribute::Method(name_of(method)))
    }

    fn begin(self: &Arc<Self>, name: &'static str, kind: Kind, parent: Option<Parent>) -> Span {
        let (trace, is_kept) = match parent {
            Some(parent) => (parent.trace, parent.is_kept),
            None => (self.bytes(), self.is_chosen()),
        };
        let own = Parent {
            trace,
            span: self.bytes(),
            is_kept,
        };
        let parent = parent.map(|parent| parent.span);
        Span::begun(self, (name, kind), own, parent, (self.clock)())
    }

    fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        (self.random)(&mut bytes);
        bytes
    }

    fn is_chosen(&self) -> bool {
        u64::from_be_bytes(self.bytes()).is_multiple_of(u64::from(self.config.one_in))
    }

    fn keep(&self, span: Ended) {
        // For whoever searches the log: see above.
        tracing::trace!(span = %otlp::span(&span), "a span has ended");
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
    pub fn counts(&self) -> [(&'static str, u64); 2] {
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use reqwest::StatusCode;

    use super::*;

    fn tracer(one_in: u32) -> Arc<Tracer> {
        let config = TracesConfig {
            otlp_endpoint: Some("http://127.0.0.1:9/v1/traces".parse().unwrap()),
            one_in,
        };
        let tracer = Tracer::new("test", &config, Arc::new(Timestamp::now), system_random());
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

    #[tokio::test]
    async fn a_database_is_asked_within_a_kept_span_only() {
        let tracer = tracer(1);
        let query = || queries("sqlite", ["SELECT id FROM people WHERE id = $1"]);
        assert!(query().is_none());
        assert!(asks("ask", &Method::GET).is_none());
        // What nobody asked for is no trace; what it asks of others is.
        beside(Some(&tracer), async {
            assert!(query().is_none());
            drop(asks("ask", &Method::GET));
        })
        .await;
        let outer = tracer.asked(&HeaderMap::new(), &Method::GET);
        let context = outer.context();
        outer
            .around(async { query().unwrap().done(Some("unmet")) })
            .await;
        outer.answered(StatusCode::OK, None);
        let not_kept = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00";
        let mut headers = HeaderMap::new();
        headers.insert(TRACEPARENT, not_kept.parse().unwrap());
        let outer = tracer.asked(&headers, &Method::GET);
        outer.around(async { assert!(query().is_none()) }).await;
        let ended = ended(&tracer);
        assert_eq!(ended.len(), 3);
        assert_eq!(ended[0].parent, None);
        assert_eq!(ended[1].parent, Some(context.span));
        assert_eq!(otlp::span(&ended[1])["name"], "SELECT people");
        assert!(!ended[1].failed);
    }

    #[tokio::test]
    async fn a_request_that_goes_on_from_another_trace_links_to_it_once_and_to_its_own_never() {
        assert_eq!(at_work(), None);
        let (tracer, silent) = (tracer(1), tracer(u32::MAX));
        let first = tracer.asked(&HeaderMap::new(), &Method::POST);
        let earlier = first.around(async { at_work().unwrap() }).await;
        assert_eq!(earlier, first.context());
        // Outside of every request nothing is at work.
        goes_on_from(earlier);
        first.around(async { goes_on_from(earlier) }).await;
        first.answered(StatusCode::OK, None);
        let later = tracer.asked(&HeaderMap::new(), &Method::GET);
        let goes_on = async {
            for _ in 0..2 {
                goes_on_from(earlier);
            }
            drop(asks("ask", &Method::GET));
        };
        later.around(carried(goes_on)).await;
        later.answered(StatusCode::OK, None);
        let ended = ended(&tracer);
        let links = |at: usize| otlp::span(&ended[at])["links"].clone();
        assert_eq!(links(0), serde_json::Value::Null);
        assert_eq!(
            links(1),
            serde_json::Value::Null,
            "what it asks is within it"
        );
        let link = serde_json::json!([{
            "traceId": hex::encode(earlier.trace),
            "spanId": hex::encode(earlier.span),
        }]);
        assert_eq!(links(2), link);
        // One that is not kept is nothing to link to.
        let unkept = silent.asked(&HeaderMap::new(), &Method::GET);
        unkept.around(async { assert_eq!(at_work(), None) }).await;
    }

    #[test]
    fn a_method_that_somebody_made_up_is_not_told() {
        assert_eq!(name_of(&"MARGUERITE".parse().unwrap()), "_OTHER");
        assert_eq!(name_of(&Method::PATCH), "PATCH");
    }
}
