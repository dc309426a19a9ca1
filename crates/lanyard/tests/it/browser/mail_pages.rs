//! The mail catcher's own pages.

use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;
use mail_catcher::http::PageOptions;
use mail_catcher::{Catcher, Fault};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use url::Url;

use super::driver::{self, Browser, JavaScript};
use super::keyboard::tab_through;
use super::look::{Place, look};

/// [WebDriver 17.4.2] The key's code point.
const ENTER: &str = "\u{e007}";

/// A word as mail systems write them, which must not make a page wider: nothing in it allows a new line.
const LONG: &str =
    "0123456789abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxyz0123456789";

/// A mail catcher of its own.
struct Mailbox {
    catcher: Catcher,
    origin: Url,
    smtp_port: u16,
    folder: PathBuf,
    serving: [JoinHandle<()>; 2],
}

impl Mailbox {
    async fn open() -> Option<Self> {
        if !driver::is_there() {
            return None;
        }
        let name = format!("lanyard-mail-pages-{}", uuid::Uuid::new_v4());
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir(&folder).unwrap();
        let catcher = Catcher::open(&folder.join("mail"), Arc::new(Timestamp::now)).unwrap();
        let smtp = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let smtp_port = smtp.local_addr().unwrap().port();
        let taking = catcher.serve_smtp(vec![smtp]);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let router = mail_catcher::http::router(catcher.clone(), PageOptions::default());
        let serving = [
            tokio::spawn(async { panic!("{}", taking.await) }),
            tokio::spawn(async { axum::serve(listener, router).await.unwrap() }),
        ];
        Some(Self {
            catcher,
            origin: origin.parse().unwrap(),
            smtp_port,
            folder,
            serving,
        })
    }

    async fn browser(&self) -> Browser {
        // Every name leads here: the pages need no other.
        let to = format!("127.0.0.1:{}", self.origin.port().unwrap());
        Browser::start(&self.folder, JavaScript::On, "*", &to).await
    }

    fn address(&self, path: &str) -> String {
        self.origin.join(path).unwrap().into()
    }

    /// Sends a message of these lines to somebody.
    async fn send(&self, to: &str, lines: &[&str]) {
        let stream = TcpStream::connect(("127.0.0.1", self.smtp_port)).await;
        let mut stream = BufReader::new(stream.unwrap());
        hear(&mut stream, "220").await;
        let recipient = format!("RCPT TO:<{to}>");
        let content = format!("{}\r\n.", lines.join("\r\n"));
        for (line, code) in [
            ("EHLO tester.example", "250"),
            ("MAIL FROM:<portal@anytown.example>", "250"),
            (recipient.as_str(), "250"),
            ("DATA", "354"),
            (content.as_str(), "250"),
        ] {
            let line = format!("{line}\r\n");
            stream.write_all(line.as_bytes()).await.unwrap();
            hear(&mut stream, code).await;
        }
    }
}

/// One reply, which must have this code.
async fn hear(stream: &mut BufReader<TcpStream>, code: &str) {
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await.unwrap();
        assert!(line.starts_with(code), "{line}");
        if line.as_bytes()[code.len()] != b'-' {
            return;
        }
    }
}

impl Place for Mailbox {
    fn is_ours(&self, address: &Url) -> bool {
        address.origin() == self.origin.origin()
    }
}

impl Drop for Mailbox {
    fn drop(&mut self) {
        self.serving.iter().for_each(JoinHandle::abort);
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_mail_catchers_pages_are_sound() {
    let Some(mailbox) = Mailbox::open().await else {
        return;
    };
    let browser = mailbox.browser().await;
    browser.open(&mailbox.address("/")).await;
    browser.wait_for_text("No messages yet.").await;
    look(&mailbox, &browser, "mail-list-empty").await;

    let subject = "Subject: Delete a credential from your digital wallet";
    let text = "You do not need to reply.";
    let trace = format!("X-Trace: {LONG}");
    mailbox
        .send("anna@anytown.example", &[subject, &trace, "", text])
        .await;
    let long_subject = format!("Subject: {LONG}");
    let long_address = format!("{}@anytown.example", "a".repeat(60));
    mailbox.send(&long_address, &[&long_subject]).await;
    mailbox.catcher.misbehave(Some(Fault::RefuseTemporarily));
    browser.open(&mailbox.address("/")).await;
    browser.wait_for_text("Until you change it").await;
    look(&mailbox, &browser, "mail-list").await;

    for (path, says, name) in [
        ("/messages/00000001", text, "mail-message"),
        (
            "/messages/00000002",
            "This message has no text.",
            "mail-message-long-words",
        ),
        (
            "/messages/00000003",
            "It may have been deleted.",
            "mail-message-not-found",
        ),
        ("/nowhere", "Check the address", "mail-nothing-here"),
    ] {
        browser.open(&mailbox.address(path)).await;
        browser.wait_for_text(says).await;
        look(&mailbox, &browser, name).await;
    }
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_keyboard_reads_and_deletes_the_mail_catchers_messages() {
    let Some(mailbox) = Mailbox::open().await else {
        return;
    };
    mailbox
        .send("anna@anytown.example", &["Subject: First", "", "Hello"])
        .await;
    let browser = mailbox.browser().await;
    for path in ["/", "/messages/00000001", "/nowhere"] {
        browser.open(&mailbox.address(path)).await;
        let names = tab_through(&browser).await;
        assert_eq!(names[0], "Skip to main content", "{path}");
        assert_eq!(names.last().unwrap(), "Accessibility statement", "{path}");
    }

    browser.open(&mailbox.address("/")).await;
    for (element, says) in [
        ("main td a", "Hello"),
        (".nhsuk-back-link", "First"),
        ("form[action='/delete'] button", "No messages yet."),
    ] {
        let focus = format!("document.querySelector(\"{element}\").focus()");
        browser.script(&focus).await;
        browser.press(ENTER).await;
        browser.wait_for_text(says).await;
    }
    assert!(mailbox.catcher.messages().is_empty());
    browser.close().await;
}
