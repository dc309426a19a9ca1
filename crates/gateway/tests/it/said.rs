//! SEC-40: what any test of any suite makes our programs write is looked through when its world ends, for the test
//! employees, their credentials and everybody's secrets. The tests of the suites do what nobody has thought of for a
//! test of privacy.
//!
//! The one search for all of them: the suites of gateway, console, portal, sidecar, connector and program have this file.
//! What runs in the test's own process is heard by [`listen`]; what runs as a process writes a file, which
//! [`Unsaid::is_nowhere_in`] reads.
//!
//! Traces are searched with the log: a program that tells them writes each of its spans there at the level `trace`, letter
//! by letter as a collector gets it, and in the tests every program that can tell traces does ([`traced`]). The metrics
//! page of a gateway is read when its world ends ([`Unsaid::is_in_no_figure`], [`Unsaid::is_nowhere_at`]).
//!
//! Not heard in the test's process: whatever is written before a world begins or after it has ended, what another
//! subscriber than the global one gets, and what third parties write by `log` instead of `tracing` (rustls, the drivers
//! of the databases): the programs do not write that either, whatever `RUST_LOG` says.
#![allow(dead_code)] // no suite needs all of it

use std::io::{Read as _, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::Request;
use standards::jose::jws;
use tower::ServiceExt as _;
use traces::TracesConfig;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

/// For `RUST_LOG`: everything that we and those below us can be made to say.
pub(crate) const EVERYTHING: &str = "trace";

/// The test employees of all suites: what each is, and how it reads.
const EVERYBODY: [(&str, &str); 15] = [
    ("a name", "Anna"),
    ("a name", "Taylor"),
    ("a name", "Ben"),
    ("a name", "Osei"),
    ("a name", "Patel"),
    ("a birth date", "1990-04-12"),
    ("a birth date", "1985-11-02"),
    ("a birth date", "1979-01-30"),
    (
        "a unique identifier",
        "3f0c1c1e-52f4-4b6f-9b2f-6f3a0a9f8d10",
    ),
    (
        "a unique identifier",
        "a7c6e1b2-9d3f-4c5a-8e7b-1f2d3c4b5a69",
    ),
    ("an address", "anna@anytown.example"),
    ("an address", "ben@anytown.example"),
    ("a claim", "Cardiology"),
    ("a claim", "Paediatrics"),
    ("a password", "correct horse battery staple"),
];

/// How every token of JSON begins, whatever it says: `{"alg":`, `{"typ":`, `{"kid":`, `{"iss":`.
const TOKENS: [&str; 4] = ["eyJhbGciOi", "eyJ0eXAiOi", "eyJraWQiOi", "eyJpc3MiOi"];

/// Shorter ones may be a part of something else, such as a random one.
const LONG_ENOUGH: usize = 6;

/// Everything that was written in this process.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

static LOG: OnceLock<Option<Log>> = OnceLock::new();

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// From now on, everything that is said in this process, at every level, in the form in which services write it. Unless
/// the test listens for itself.
pub(crate) fn listen() {
    LOG.get_or_init(|| {
        let log = Log::default();
        let lines = tracing_subscriber::fmt()
            .json()
            .with_env_filter(EnvFilter::new(EVERYTHING))
            .with_writer(log.clone());
        lines.try_init().is_ok().then_some(log)
    });
}

/// A collector at an address where nobody is: whoever has this makes spans, and writes them into the log.
pub(crate) const NOBODY: &str = "http://127.0.0.1:9/v1/traces";

/// For every program of a world, so that its spans are looked through as well.
pub(crate) fn traced() -> TracesConfig {
    TracesConfig {
        otlp_endpoint: Some(NOBODY.parse().unwrap()),
        ..TracesConfig::default()
    }
}

/// What was said in this process since [`listen`].
pub(crate) fn text() -> String {
    let log = LOG.get().and_then(Option::as_ref);
    log.map_or_else(String::new, |log| {
        String::from_utf8_lossy(&log.0.lock().unwrap()).into_owned()
    })
}

/// What must not be found, each with a word for what it is.
pub(crate) struct Unsaid(Vec<(&'static str, String)>);

impl Unsaid {
    /// Everybody whom the suites know, and any token.
    pub(crate) fn of_everybody() -> Self {
        let tokens = TOKENS.iter().map(|begins| ("a token", *begins));
        let all = EVERYBODY.into_iter().chain(tokens);
        Self(all.map(|(what, value)| (what, value.to_owned())).collect())
    }

    /// And this. What is empty is nowhere.
    pub(crate) fn add(&mut self, what: &'static str, value: impl Into<String>) {
        let value = value.into();
        if value.is_empty() {
            return;
        }
        assert!(value.len() > 2, "{what} is too short to look for");
        self.0.push((what, value));
    }

    /// And the serial numbers of what these wallets hold, and the keys and tokens that they have for it. The folder of a
    /// wallet has one JSON file for each holder.
    pub(crate) fn add_wallet(&mut self, folder: &Path) {
        let Ok(entries) = std::fs::read_dir(folder) else {
            return;
        };
        let paths = entries.map(|entry| entry.unwrap().path());
        for path in paths.filter(|path| path.extension().is_some_and(|kind| kind == "json")) {
            let text = std::fs::read_to_string(path).unwrap();
            let holder: serde_json::Value = serde_json::from_str(&text).unwrap();
            for held in holder["credentials"].as_array().into_iter().flatten() {
                let serial = serial_number(held["credential"].as_str().unwrap());
                self.add("a serial number", serial);
                let token = held["notification"]["access_token"].as_str();
                self.add("an access token", token.unwrap_or_default());
            }
        }
    }

    /// The first of them that is in these lines, and in which.
    fn find<'a>(&'a self, text: &'a str) -> Option<(&'static str, &'a str, &'a str)> {
        let mut found = text.lines().flat_map(|line| {
            let all = self.0.iter().filter(|(_, value)| is_in(line, value));
            all.map(move |(what, value)| (*what, value.as_str(), line))
        });
        found.next()
    }

    /// # Panics
    /// If one of them is there.
    pub(crate) fn is_nowhere_in(&self, text: &str) {
        if let Some((what, value, line)) = self.find(text) {
            panic!("the log has {what}, {value}:\n{line}");
        }
    }

    /// None of it is on the metrics page of a gateway in this process. On a thread of its own, since a world that is dropped
    /// cannot wait for anything.
    pub(crate) fn is_in_no_figure(&self, metrics: Router) {
        if std::thread::panicking() {
            return;
        }
        let asking = std::thread::spawn(move || {
            let mut runtime = tokio::runtime::Builder::new_current_thread();
            let runtime = runtime.enable_all();
            let asked = async {
                let request = Request::get("/metrics").body(Body::empty()).unwrap();
                let answer = metrics.oneshot(request).await.unwrap();
                to_bytes(answer.into_body(), usize::MAX).await.unwrap()
            };
            String::from_utf8(runtime.build().unwrap().block_on(asked).to_vec()).unwrap()
        });
        self.is_nowhere_among(Some(&asking.join().unwrap()));
    }

    /// None of it is on the metrics page of a gateway that listens there.
    pub(crate) fn is_nowhere_at(&self, port: u16) {
        self.is_nowhere_among(figures_at(port).as_deref());
    }

    /// None of it is among what [`figures_at`] gave. A gateway that is dead has none.
    pub(crate) fn is_nowhere_among(&self, figures: Option<&str>) {
        let Some(figures) = figures else { return };
        assert!(figures.contains("lanyard_build_info"), "{figures}");
        if let Some((what, value, line)) = self.find(figures) {
            panic!("the figures have {what}, {value}:\n{line}");
        }
    }

    /// The end of a world in this process: none of it was said since [`listen`]. A test that fails anyway is left alone.
    pub(crate) fn was_not_said(&self) {
        if !std::thread::panicking() {
            self.is_nowhere_in(&text());
        }
    }
}

/// The metrics page of a gateway that listens there, so that the gateway may be gone when it is read; nothing where nobody
/// listens. What is not a page fails whoever reads it.
pub(crate) fn figures_at(port: u16) -> Option<String> {
    let mut metrics = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).ok()?;
    let request = b"GET /metrics HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    let patience = std::time::Duration::from_secs(20);
    let mut figures = String::new();
    let read = metrics
        .set_read_timeout(Some(patience))
        .and_then(|()| metrics.write_all(request))
        .and_then(|()| metrics.read_to_string(&mut figures));
    Some(read.map_or_else(|error| error.to_string(), |_| figures))
}

/// What is short counts as a word only.
fn is_in(line: &str, value: &str) -> bool {
    if value.len() >= LONG_ENOUGH {
        return line.contains(value);
    }
    let is_apart = |c: Option<char>| c.is_none_or(|c| !c.is_alphanumeric() && c != '_');
    line.match_indices(value).any(|(at, _)| {
        is_apart(line[..at].chars().next_back())
            && is_apart(line[at + value.len()..].chars().next())
    })
}

/// That of a credential in either form; empty where it has none.
fn serial_number(credential: &str) -> String {
    let signed = credential.split('~').next().unwrap_or_default();
    let Ok(signed) = jws::parse(signed) else {
        return String::new();
    };
    let id = signed
        .unverified_claims()
        .get("jti")
        .and_then(|id| id.as_str());
    id.unwrap_or_default()
        .trim_start_matches("urn:uuid:")
        .to_owned()
}

/// It can fail: whatever level a line has, who said it, and where in it the thing stands.
#[test]
fn sec_40_a_name_that_somebody_plants_in_the_log_is_found_at_every_level_and_in_every_field() {
    listen();
    tracing::trace!("before anything: nobody");
    let mut unsaid = Unsaid::of_everybody();
    unsaid.add("a secret", "planted-secret-4711");
    unsaid.was_not_said();

    let plants: [(&str, &dyn Fn()); 9] = [
        ("an address", &|| {
            tracing::error!(to = "anna@anytown.example", "planted")
        }),
        ("a secret", &|| tracing::warn!("planted-secret-4711")),
        ("a name", &|| tracing::info!(error = ?("Ben", 1), "planted")),
        (
            "a birth date",
            &|| tracing::debug!(born = %"1990-04-12", "planted"),
        ),
        ("a claim", &|| tracing::trace!("{:?}", Some("Cardiology"))),
        (
            "a unique identifier",
            &|| tracing::trace!(target: "hyper", "/x?id=3f0c1c1e-52f4-4b6f-9b2f-6f3a0a9f8d10"),
        ),
        ("a token", &|| tracing::debug!("eyJhbGciOiJub25lIn0.e30.")),
        ("a password", &|| {
            let span = tracing::debug_span!("planted", word = "correct horse battery staple");
            span.in_scope(|| tracing::info!("inside"));
        }),
        ("a name", &|| tracing::info!(who = "Anna-Mai", "planted")),
    ];
    for (what, plant) in plants {
        let before = text().len();
        plant();
        let told = text()[before..].to_owned();
        let found = unsaid.find(&told).map(|(found, ..)| found);
        assert_eq!(found, Some(what), "{told}");
    }
    let ended = std::panic::catch_unwind(|| unsaid.was_not_said());
    assert!(ended.is_err(), "a world with all of that ends well");
    // What is a part of another word is nobody's name.
    let harmless = "{\"holder\":\"anna\",\"id\":\"xBen0\",\"word\":\"Bend\"}";
    assert!(unsaid.find(harmless).is_none());
}

/// It can fail: a span that says what it must not is found in what is written of it, and a figure on its page.
#[tokio::test]
async fn sec_40_what_a_span_or_a_figure_says_is_looked_through_as_well() {
    listen();
    let before = text().len();
    let clock = Arc::new(jiff::Timestamp::now);
    let tracer = traces::Tracer::new("test", &traced(), clock, traces::system_random());
    let tracer = tracer.unwrap().unwrap();
    let unsaid = Unsaid::of_everybody();
    let span = tracer.asked(&axum::http::HeaderMap::new(), &axum::http::Method::GET);
    let found = async {
        let statement = "SELECT id FROM Cardiology WHERE id = $1";
        traces::queries("sqlite", [statement]).unwrap().done(None);
        text()[before..].to_owned()
    };
    let told = span.around(found).await;
    assert_eq!(unsaid.find(&told).map(|found| found.0), Some("a claim"));
    assert!(told.contains("db.collection.name"), "{told}");

    let page = |text: &'static str| {
        Router::new().route("/metrics", axum::routing::get(move || async move { text }))
    };
    unsaid.is_in_no_figure(page("lanyard_build_info 1\n"));
    let planted = page("lanyard_build_info 1\nlanyard_requests_total{route=\"/Anna\"} 1\n");
    let looked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        unsaid.is_in_no_figure(planted)
    }));
    assert!(looked.is_err(), "a page with a name on it is found good");
}
