//! A stand-in for GOV.UK Notify's e-mail API, for tests on one machine: a second implementation of its contract, which
//! shares no code with any sender. What a live key sends appears among the catcher's messages.
//!
//! It refuses what Notify refuses: tokens that are not HS256, not of this service or not of these 30 seconds, members it
//! does not know, templates and values that are missing, more requests than a minute or a day may have.

mod api;
mod callback;
mod template;
mod token;

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

pub use template::Template;

use crate::Catcher;
use crate::catcher::{Clock, NotKept};
use crate::kept::Envelope;

/// For so long Notify remembers a message.
const REMEMBERED: SignedDuration = SignedDuration::from_hours(7 * 24);

/// What a key may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyKind {
    /// Sends nothing; every answer is as if it did.
    Test,
    /// Sends to the guests only.
    Team,
    /// Sends to everybody.
    Live,
}

/// How the stand-in is set up.
#[derive(Clone, Debug)]
pub struct NotifyOptions {
    /// The service's id.
    pub service: Uuid,
    /// The keys' secrets, and what each may do.
    pub keys: Vec<(KeyKind, Uuid)>,
    /// To whom a key of the team may send.
    pub guests: Vec<String>,
    /// The templates.
    pub templates: Vec<Template>,
    /// Requests within a minute for each kind of key.
    pub a_minute: usize,
    /// Messages on one day for each kind of key.
    pub a_day: usize,
    /// Where to tell what became of a message.
    pub callback: Option<CallbackOptions>,
}

/// Where to tell what became of a message.
#[derive(Clone)]
pub struct CallbackOptions {
    /// The address.
    pub url: String,
    /// The bearer token that its owner entered.
    pub bearer: String,
    /// How long to wait before telling again; Notify waits five minutes. It tells five times more at most.
    pub again_after: Duration,
}

// The token is a secret.
impl std::fmt::Debug for CallbackOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CallbackOptions(…)")
    }
}

impl NotifyOptions {
    /// A service with Notify's own limits, and nothing in it.
    pub fn new(service: Uuid) -> Self {
        Self {
            service,
            keys: Vec::new(),
            guests: Vec::new(),
            templates: Vec::new(),
            a_minute: 3_000,
            a_day: 250_000,
            callback: None,
        }
    }

    /// A key as Notify gives it out.
    pub fn key(&self, name: &str, secret: Uuid) -> String {
        format!("{name}-{}-{secret}", self.service)
    }
}

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// In the queue.
    Created,
    /// With the provider.
    Sending,
    /// In the mailbox.
    Delivered,
    /// The mailbox did not take it.
    TemporaryFailure,
    /// There is no such mailbox.
    PermanentFailure,
    /// Between Notify and its provider.
    TechnicalFailure,
}

impl Status {
    /// Every status of an e-mail.
    pub const ALL: [Self; 6] = [
        Self::Created,
        Self::Sending,
        Self::Delivered,
        Self::TemporaryFailure,
        Self::PermanentFailure,
        Self::TechnicalFailure,
    ];

    /// The name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Sending => "sending",
            Self::Delivered => "delivered",
            Self::TemporaryFailure => "temporary-failure",
            Self::PermanentFailure => "permanent-failure",
            Self::TechnicalFailure => "technical-failure",
        }
    }
}

/// How it can be told to fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotifyFault {
    /// 500 to each message; nothing is taken.
    Fail,
    /// Takes each message and answers 500: the sender cannot know.
    TakeAndFail,
}

/// A message that was taken.
#[derive(Clone)]
struct Notification {
    id: Uuid,
    kind: KeyKind,
    reference: Option<String>,
    to: String,
    template: Template,
    subject: String,
    body: String,
    status: Status,
    created_at: Timestamp,
    completed_at: Option<Timestamp>,
}

/// The stand-in. Clones share it.
#[derive(Clone)]
pub struct NotifyService(Arc<Inner>);

struct Inner {
    catcher: Catcher,
    options: Mutex<NotifyOptions>,
    clock: Clock,
    taken: Mutex<Vec<Notification>>,
    asked: Mutex<HashMap<KeyKind, VecDeque<Timestamp>>>,
    fault: Mutex<Option<NotifyFault>>,
    ends_as: Mutex<Option<Status>>,
    http: reqwest::Client,
}

fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

impl NotifyService {
    /// A service whose messages go into this mailbox.
    pub fn new(catcher: Catcher, options: NotifyOptions, clock: Clock) -> Self {
        Self(Arc::new(Inner {
            catcher,
            options: Mutex::new(options),
            clock,
            taken: Mutex::default(),
            asked: Mutex::default(),
            fault: Mutex::default(),
            ends_as: Mutex::default(),
            http: reqwest::Client::new(),
        }))
    }

    /// The API, to be served on a loopback address.
    pub fn router(&self) -> Router {
        api::router(self.clone()).layer(axum::middleware::from_fn(ui::local::loopback_only))
    }

    /// Changes how it is set up: a template is edited, a limit reached.
    pub fn change(&self, change: impl FnOnce(&mut NotifyOptions)) {
        change(&mut lock(&self.0.options));
    }

    /// From now on fails in this way, or behaves.
    pub fn misbehave(&self, fault: Option<NotifyFault>) {
        *lock(&self.0.fault) = fault;
    }

    /// From now on every message ends so; `None`: as its address says.
    pub fn end_as(&self, status: Option<Status>) {
        *lock(&self.0.ends_as) = status;
    }

    /// The messages that are under way come to their end, and whoever is to be told is told once; what is not taken is
    /// told again later. Returns how many.
    pub async fn deliver(&self) -> usize {
        let ended = self.end_all();
        for notification in &ended {
            callback::tell(self, notification).await;
        }
        ended.len()
    }

    /// How many messages were taken, by whatever key.
    pub fn taken(&self) -> usize {
        lock(&self.0.taken).len()
    }

    fn end_all(&self) -> Vec<Notification> {
        let (now, told) = (self.now(), *lock(&self.0.ends_as));
        let mut ended = Vec::new();
        for one in lock(&self.0.taken).iter_mut() {
            if matches!(one.status, Status::Created | Status::Sending) {
                one.status = told.unwrap_or_else(|| end_of(&one.to));
                one.completed_at = Some(now);
                ended.push(one.clone());
            }
        }
        ended
    }

    fn now(&self) -> Timestamp {
        (self.0.clock)()
    }

    fn options(&self) -> NotifyOptions {
        lock(&self.0.options).clone()
    }

    /// What Notify still remembers, the newest first.
    fn remembered(&self) -> Vec<Notification> {
        let since = self.now() - REMEMBERED;
        let taken = lock(&self.0.taken);
        let remembered = taken.iter().rev().filter(|one| one.created_at >= since);
        remembered.cloned().collect()
    }

    /// Counts a request of a key; false when it is one too many for this minute.
    fn count(&self, kind: KeyKind, most: usize) -> bool {
        let now = self.now();
        let mut asked = lock(&self.0.asked);
        let of_kind = asked.entry(kind).or_default();
        let a_minute_ago = now - SignedDuration::from_mins(1);
        while of_kind.front().is_some_and(|at| *at <= a_minute_ago) {
            of_kind.pop_front();
        }
        if of_kind.len() >= most {
            return false;
        }
        of_kind.push_back(now);
        true
    }

    /// Whether the key's messages of this day (UTC) are as many as it may send.
    fn has_sent_enough(&self, kind: KeyKind, most: usize) -> bool {
        let today = |at: Timestamp| at.as_second().div_euclid(24 * 60 * 60);
        let now = today(self.now());
        let taken = lock(&self.0.taken);
        let sent = taken
            .iter()
            .filter(|one| one.kind == kind && today(one.created_at) == now);
        sent.count() >= most
    }

    /// Keeps the message; one of a key that sends goes into the mailbox.
    async fn take(&self, notification: Notification) -> Result<(), NotKept> {
        if notification.kind != KeyKind::Test {
            let envelope = Envelope {
                from: "service@notifications.service.gov.uk".to_owned(),
                to: vec![notification.to.clone()],
            };
            let content = message(&notification);
            self.0.catcher.insert(envelope, content).await?;
        }
        lock(&self.0.taken).push(notification);
        Ok(())
    }
}

/// [Notify: testing] How a message to this address ends.
fn end_of(address: &str) -> Status {
    match address {
        "temp-fail@simulator.notify" => Status::TemporaryFailure,
        "perm-fail@simulator.notify" => Status::PermanentFailure,
        _ => Status::Delivered,
    }
}

/// [RFC 5322] As a mail program would have it. What is beyond ASCII in the subject is written as [RFC 2047] has it.
fn message(notification: &Notification) -> Vec<u8> {
    use base64::Engine as _;
    let words = base64::engine::general_purpose::STANDARD;
    // A word holds 75 characters: 42 bytes at most, and no character in two words.
    let mut subject = Vec::new();
    let mut word = String::new();
    for letter in notification.subject.chars() {
        if word.len() + letter.len_utf8() > 42 {
            subject.push(words.encode(std::mem::take(&mut word)));
        }
        word.push(letter);
    }
    subject.push(words.encode(word));
    let subject: Vec<String> = subject
        .iter()
        .map(|word| format!("=?utf-8?b?{word}?="))
        .collect();
    let body = notification
        .body
        .replace("\r\n", "\n")
        .replace('\n', "\r\n");
    format!(
        "From: <service@notifications.service.gov.uk>\r\nTo: <{}>\r\nSubject: {}\r\n\
         Message-ID: <{}@notifications.service.gov.uk>\r\nMIME-Version: 1.0\r\n\
         Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n{body}\r\n",
        notification.to,
        subject.join("\r\n "),
        notification.id,
    )
    .into_bytes()
}
