//! A catcher on loopback ports with a folder of its own, and ways to reach it.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use lettre::message::{Mailbox as Address, Message};
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Tokio1Executor};
use mail_catcher::http::PageOptions;
use mail_catcher::{Catcher, Clock};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

pub type Transport = AsyncSmtpTransport<Tokio1Executor>;

/// A folder that goes when the test does.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let next = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("lanyard-mail-{}-{next}", std::process::id());
        Self(std::env::temp_dir().join(name))
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// What the clock of every test says, a fraction past the second.
pub fn noon() -> Clock {
    Arc::new(|| "2026-11-22T12:00:00.5Z".parse().unwrap())
}

pub struct Mailbox {
    pub catcher: Catcher,
    pub smtp_port: u16,
    base: String,
    http: reqwest::Client,
    servers: [JoinHandle<()>; 2],
}

impl Drop for Mailbox {
    fn drop(&mut self) {
        self.servers.iter().for_each(JoinHandle::abort);
    }
}

impl Mailbox {
    pub async fn open(folder: &Folder) -> Self {
        let catcher = Catcher::open(folder.path(), noon()).unwrap();
        let smtp = TcpListener::bind("127.0.0.1:0").unwrap();
        let smtp_port = smtp.local_addr().unwrap().port();
        let serving = catcher.serve_smtp(vec![smtp]);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://localhost:{}", listener.local_addr().unwrap().port());
        let router = mail_catcher::http::router(catcher.clone(), PageOptions::default());
        let servers = [
            tokio::spawn(async move { panic!("{}", serving.await) }),
            tokio::spawn(async move { axum::serve(listener, router).await.unwrap() }),
        ];
        Self {
            catcher,
            smtp_port,
            base,
            http: reqwest::Client::new(),
            servers,
        }
    }

    /// A real mail client.
    pub fn transport(&self) -> Transport {
        transport(self.smtp_port)
    }

    pub async fn send(&self, message: Message) -> Result<(), lettre::transport::smtp::Error> {
        self.transport().send(message).await.map(drop)
    }

    pub async fn speak(&self) -> Speaker {
        Speaker::connect(self.smtp_port).await
    }

    pub fn request(&self, method: reqwest::Method, path: &str) -> reqwest::RequestBuilder {
        self.http.request(method, format!("{}{path}", self.base))
    }

    pub async fn page(&self, path: &str) -> (u16, String) {
        let answer = self
            .request(reqwest::Method::GET, path)
            .send()
            .await
            .unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    pub async fn json(&self, path: &str) -> Value {
        serde_json::from_str(&self.page(path).await.1).unwrap()
    }

    pub async fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        let request = self.request(reqwest::Method::POST, path).json(body);
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }
}

pub fn transport(port: u16) -> Transport {
    Transport::builder_dangerous("127.0.0.1")
        .port(port)
        .timeout(Some(Duration::from_secs(5)))
        .build()
}

pub fn address(text: &str) -> Address {
    text.parse().unwrap()
}

pub fn message(subject: &str, text: &str) -> Message {
    Message::builder()
        .from(address("Anytown <portal@anytown.example>"))
        .to(address("sam@ward.example"))
        .message_id(Some("<7@anytown.example>".to_owned()))
        .subject(subject)
        .body(text.to_owned())
        .unwrap()
}

/// A sender that says what a test wants it to say.
pub struct Speaker(BufReader<TcpStream>);

impl Speaker {
    /// Connected, nothing heard yet.
    pub async fn connect(port: u16) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        Self(BufReader::new(stream))
    }

    pub async fn say(&mut self, bytes: impl AsRef<[u8]>) {
        self.0.write_all(bytes.as_ref()).await.unwrap();
    }

    /// One reply, all its lines; empty when the connection has closed.
    pub async fn hear(&mut self) -> String {
        let mut reply = String::new();
        loop {
            let before = reply.len();
            // A reset is an end, too.
            let read = self.0.read_line(&mut reply).await.unwrap_or(0);
            if read == 0 || reply.as_bytes().get(before + 3) != Some(&b'-') {
                return reply;
            }
        }
    }

    /// Says one line and hears the code of the reply.
    pub async fn ask(&mut self, line: impl AsRef<[u8]>) -> u16 {
        self.say([line.as_ref(), b"\r\n"].concat()).await;
        self.code().await
    }

    /// The code of the next reply; 0 when the connection has closed.
    pub async fn code(&mut self) -> u16 {
        self.hear()
            .await
            .get(..3)
            .map_or(0, |code| code.parse().unwrap())
    }

    /// Greeted, with a sender and a recipient.
    pub async fn begin(&mut self) {
        assert_eq!(self.code().await, 220);
        assert_eq!(self.ask("EHLO tester.example").await, 250);
        assert_eq!(self.ask("MAIL FROM:<portal@anytown.example>").await, 250);
        assert_eq!(self.ask("RCPT TO:<sam@ward.example>").await, 250);
    }

    /// Whether the other side says nothing for a while and stays.
    pub async fn hears_nothing(&mut self) -> bool {
        let mut byte = [0];
        let heard = self.0.read(&mut byte);
        tokio::time::timeout(Duration::from_millis(300), heard)
            .await
            .is_err()
    }
}
