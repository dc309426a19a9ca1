//! Where mails leave: what is kept between two rounds of sending, so that a server is not connected to anew each second
//! and hears no more mails a minute than it takes.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::{Mutex, MutexGuard};

use super::notify::{Api, not_before};
use super::post::Post;
use super::xoauth2::Tokens;
use super::{
    Channel, Delivery, MailFault, MailOptions, MailOptionsError, Notify, NotifyTemplateError,
    Outgoing, Texts,
};
use crate::Clock;
use crate::http::Http;

/// A connection that nothing was sent over for so long is closed: servers count open ones, and close them themselves.
const IDLE: SignedDuration = SignedDuration::from_secs(30);

/// What the other side gave for a mail.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::desk) enum Accepted {
    /// The mail server took responsibility for it; what becomes of it comes by mail, if at all.
    BySmtp,
    /// GOV.UK Notify has it under this id, by which it says what became of it.
    ByNotify(String),
}

/// The way out.
pub(in crate::desk) struct Mailroom {
    pub(in crate::desk) options: MailOptions,
    pub(in crate::desk) texts: Texts,
    http: Http,
    clock: Clock,
    state: Mutex<State>,
}

/// What one round leaves to the next. Whoever holds it is the only one in this process who sends.
#[derive(Default)]
pub(in crate::desk) struct State {
    open: Option<Open>,
    tokens: Tokens,
    /// When mails were handed over within the last minute, the oldest first.
    handed_over: VecDeque<Timestamp>,
    not_before: Option<Timestamp>,
    templates_fit: bool,
}

struct Open {
    post: Post,
    used_at: Timestamp,
    used_in_this_round: bool,
}

impl Mailroom {
    pub(in crate::desk) fn open(
        options: MailOptions,
        http: &Http,
        clock: &Clock,
    ) -> Result<Self, MailOptionsError> {
        options.check()?;
        let texts = Texts::load(options.texts.as_deref())?;
        Ok(Self {
            options,
            texts,
            // Whoever watches the gateway's exchanges is not shown whom mails go to.
            http: http.unobserved(),
            clock: Arc::clone(clock),
            state: Mutex::default(),
        })
    }

    pub(in crate::desk) fn notify(&self) -> Option<&Notify> {
        match &self.options.channel {
            Channel::Notify(notify) => Some(notify),
            Channel::Smtp(_) => None,
        }
    }

    pub(in crate::desk) async fn enter(&self) -> MutexGuard<'_, State> {
        let mut state = self.state.lock().await;
        if let Some(open) = &mut state.open {
            open.used_in_this_round = false;
        }
        state
    }

    /// Whether another mail may be handed over within this minute.
    pub(in crate::desk) fn may_hand_over(&self, state: &mut State) -> bool {
        let now = (self.clock)();
        if state.not_before.is_some_and(|until| now < until) {
            return false;
        }
        let a_minute_ago = now - SignedDuration::from_mins(1);
        while state
            .handed_over
            .front()
            .is_some_and(|at| *at <= a_minute_ago)
        {
            state.handed_over.pop_front();
        }
        let most = self.options.a_minute();
        state.handed_over.len() < usize::try_from(most).unwrap_or(usize::MAX)
    }

    /// Hands one mail over. `known` is a notification of an earlier try of which is known that it did not arrive.
    pub(in crate::desk) async fn hand_over(
        &self,
        state: &mut State,
        mail: &Outgoing,
        tried_before: bool,
        known: Option<&str>,
    ) -> Result<Accepted, MailFault> {
        let now = (self.clock)();
        state.handed_over.push_back(now);
        let answer = match &self.options.channel {
            Channel::Smtp(smtp) => {
                let sender = self.options.sender().map_err(|_| MailFault::Options)?;
                let kept = state.open.take();
                let post = match self.still_open(kept).await {
                    Some(post) => Ok(post),
                    None => Post::open(smtp, sender, &mut state.tokens, &self.http, now).await,
                };
                match post {
                    Ok(mut post) => {
                        let sent = post.send(mail).await;
                        if sent.is_ok() {
                            state.open = Some(Open {
                                post,
                                used_at: now,
                                used_in_this_round: true,
                            });
                        }
                        // After a refusal, what the server still wants to say belongs to no other mail.
                        sent.map(|()| Accepted::BySmtp)
                    }
                    Err(fault) => Err(fault),
                }
            }
            Channel::Notify(notify) => {
                let api = self.api(notify);
                let answer = self.by_notify(&api, state, mail, tried_before, known);
                answer.await.map(Accepted::ByNotify)
            }
        };
        if let Err(fault) = answer {
            state.not_before = not_before(fault, now).or(state.not_before);
        }
        answer
    }

    async fn by_notify(
        &self,
        api: &Api<'_>,
        state: &mut State,
        mail: &Outgoing,
        tried_before: bool,
        known: Option<&str>,
    ) -> Result<String, MailFault> {
        // Notify refuses a mail for good where a value is missing: look first, so that no mail is lost by it.
        if !state.templates_fit {
            match api.check_templates().await? {
                Ok(()) => state.templates_fit = true,
                Err(error) => {
                    tracing::error!(code = "notify-template", %error, "no mail can be sent");
                    return Err(MailFault::NotifyTemplate);
                }
            }
        }
        // Whoever was interrupted after Notify took the mail finds it here, and sends no second one.
        if tried_before && let Some(id) = api.taken_before(mail, known).await? {
            tracing::info!(
                message_id = mail.message_id,
                "an earlier try had been taken"
            );
            return Ok(id);
        }
        api.send(mail).await
    }

    /// What became of a notification; `None` once Notify has forgotten it.
    pub(in crate::desk) async fn delivery(&self, id: &str) -> Result<Option<Delivery>, MailFault> {
        match self.notify() {
            Some(notify) => self.api(notify).delivery(id).await,
            None => Ok(None),
        }
    }

    pub(in crate::desk) async fn check_templates(&self) -> Result<(), NotifyTemplateError> {
        match self.notify() {
            Some(notify) => match self.api(notify).check_templates().await {
                Ok(checked) => checked,
                Err(fault) => Err(NotifyTemplateError::Unread(fault.to_string())),
            },
            None => Ok(()),
        }
    }

    /// Opens a connection to the mail server as for a mail, and closes it. GOV.UK Notify has none.
    pub(super) async fn try_server(&self) -> Result<(), MailFault> {
        let Channel::Smtp(smtp) = &self.options.channel else {
            return Ok(());
        };
        let sender = self.options.sender().map_err(|_| MailFault::Options)?;
        let (mut tokens, now) = (Tokens::default(), (self.clock)());
        let post = Post::open(smtp, sender, &mut tokens, &self.http, now).await?;
        post.close().await;
        Ok(())
    }

    fn api<'a>(&'a self, notify: &'a Notify) -> Api<'a> {
        Api {
            http: &self.http,
            notify,
            now: (self.clock)(),
        }
    }

    async fn still_open(&self, kept: Option<Open>) -> Option<Post> {
        let mut open = kept?;
        if open.used_in_this_round || open.post.is_alive().await {
            return Some(open.post);
        }
        None
    }

    /// Closes a connection that nothing was sent over for a while.
    pub(in crate::desk) async fn leave(&self, state: &mut State) {
        let now = (self.clock)();
        if let Some(open) = state.open.take_if(|open| now - IDLE >= open.used_at) {
            let _ = tokio::time::timeout(Duration::from_secs(1), open.post.close()).await;
        }
    }
}
