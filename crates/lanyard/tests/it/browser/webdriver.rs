//! As much of the WebDriver protocol as these tests speak [W3C WebDriver], with a chromedriver of their own.
//!
//! The clients that there are bring a second HTTP stack, or a licence that this workspace does not take in.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};

/// The member that names an element [WebDriver 12.2].
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// A chromedriver of our own. It takes its browsers with it when it goes.
struct Driver {
    process: Child,
    port: u16,
}

impl Driver {
    /// The port that it finds free on one address may be taken on the other by then, and it ends: another one has
    /// another port.
    fn start() -> Self {
        (0..3)
            .find_map(|_| Self::try_start())
            .expect("chromedriver did not start")
    }

    /// Nothing if it ended before it listened.
    fn try_start() -> Option<Self> {
        let mut process = Command::new("chromedriver")
            .arg("--port=0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let output = BufReader::new(process.stdout.take().unwrap());
        let mut lines = output.lines().map_while(Result::ok);
        let Some(line) = lines.find(|line| line.contains("started successfully on port")) else {
            let _ = process.kill();
            let _ = process.wait();
            return None;
        };
        let port = line.rsplit(' ').next().unwrap();
        let port = port.trim_end_matches('.').parse().unwrap();
        Some(Self { process, port })
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        // Asked to, it closes the browsers of a failed test, too.
        if let Ok(mut stream) = TcpStream::connect(("127.0.0.1", self.port)) {
            let _ = stream.set_read_timeout(Some(Duration::from_secs(5)));
            let _ = stream.write_all(
                b"GET /shutdown HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
            );
            let _ = stream.read_to_end(&mut Vec::new());
        }
        let began = Instant::now();
        while began.elapsed() < Duration::from_secs(5) {
            if matches!(self.process.try_wait(), Ok(Some(_))) {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// One browser with one tab.
pub(super) struct Session {
    http: reqwest::Client,
    base: String,
    _driver: Driver,
}

/// An element of the page that was open when it was found.
pub(super) struct Element(String);

/// What the driver answers instead of a value, such as `no such element`.
#[derive(Debug)]
pub(super) struct Refused(String);

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl Session {
    pub(super) async fn start(capabilities: Value) -> Self {
        let driver = Driver::start();
        let http = reqwest::Client::builder()
            .no_proxy()
            .timeout(Duration::from_mins(1));
        let mut session = Self {
            http: http.build().unwrap(),
            base: format!("http://127.0.0.1:{}/session", driver.port),
            _driver: driver,
        };
        let body = json!({ "capabilities": { "alwaysMatch": capabilities } });
        let begun = session.post("", body).await.unwrap();
        session.base = format!("{}/{}", session.base, begun["sessionId"].as_str().unwrap());
        session
    }

    /// Ends it, and waits for that.
    pub(super) async fn end(&self) {
        self.call(Method::DELETE, "", None).await.unwrap();
    }

    pub(super) async fn get(&self, path: &str) -> Result<Value, Refused> {
        self.call(Method::GET, path, None).await
    }

    pub(super) async fn post(&self, path: &str, body: Value) -> Result<Value, Refused> {
        self.call(Method::POST, path, Some(body)).await
    }

    /// The first element at that CSS selector, now.
    pub(super) async fn find(&self, selector: &str) -> Result<Element, Refused> {
        let by = json!({ "using": "css selector", "value": selector });
        Ok(Element::named(&self.post("/element", by).await?))
    }

    /// Every element at that CSS selector, now, in the document's order.
    pub(super) async fn find_all(&self, selector: &str) -> Vec<Element> {
        let by = json!({ "using": "css selector", "value": selector });
        let found = self.post("/elements", by).await.unwrap_or_default();
        let found = found.as_array().map_or(&[][..], Vec::as_slice);
        found.iter().map(Element::named).collect()
    }

    /// The elements that a function's body gives back; none where it cannot run, as between two pages.
    pub(super) async fn find_by_script(
        &self,
        body: &str,
        arguments: impl Into<Value>,
    ) -> Vec<Element> {
        let script = json!({ "script": body, "args": arguments.into() });
        let found = self.post("/execute/sync", script).await.unwrap_or_default();
        let found = found.as_array().map_or(&[][..], Vec::as_slice);
        found.iter().map(Element::named).collect()
    }

    /// The element that has the focus.
    pub(super) async fn focused(&self) -> Result<Element, Refused> {
        Ok(Element::named(&self.get("/element/active").await?))
    }

    async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> Result<Value, Refused> {
        let mut request = self.http.request(method, format!("{}{path}", self.base));
        if let Some(body) = &body {
            request = request.json(body);
        }
        let answer = request.send().await.expect("chromedriver answers");
        let good = answer.status().is_success();
        let mut answer: Value = answer.json().await.unwrap();
        let value = answer["value"].take();
        if good {
            return Ok(value);
        }
        let text = value["message"].as_str().unwrap_or_default();
        let text = text.lines().next().unwrap_or_default();
        Err(Refused(format!("{}: {text}", value["error"])))
    }
}

impl Element {
    fn named(value: &Value) -> Self {
        Self(value[ELEMENT].as_str().unwrap().to_owned())
    }

    /// The address of a command about this element.
    pub(super) fn path(&self, command: &str) -> String {
        format!("/element/{}/{command}", self.0)
    }
}
