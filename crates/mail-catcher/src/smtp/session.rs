//! [RFC 5321 4.1.4] The order of commands: what a sender hears to each, and where it stands afterwards.

use super::command::{Command, Refusal, in_ascii_unless};
use super::demand::Mechanism;
use crate::Fault;
use crate::kept::Envelope;

/// [RFC 5321 4.5.3.1.8] As many recipients as every server must take.
const MOST_RECIPIENTS: usize = 100;

const GREETING_LINES: &str =
    "250-localhost\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 SIZE 1048576";

const GREETING_BEFORE_TLS: &str = "250-localhost\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250-STARTTLS\r\n250 SIZE 1048576";
const GREETING_WITH_TLS: &str = "250-localhost\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250-AUTH PLAIN XOAUTH2\r\n250 SIZE 1048576";

/// Where a sender stands.
pub(super) struct Session {
    stage: Stage,
    trust: Trust,
}

/// What has come of what is demanded of a sender.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Trust {
    /// Nothing is demanded.
    NotNeeded,
    /// TLS comes first.
    Plain,
    /// It does not say yet who it is.
    Encrypted,
    /// It may send.
    LoggedIn,
}

enum Stage {
    Fresh,
    Greeted,
    Mail { envelope: Envelope, smtputf8: bool },
}

/// What follows a line.
#[derive(PartialEq, Eq)]
pub(super) enum Next {
    Reply(&'static str),
    /// The content follows, for this envelope.
    Content(Envelope),
    Close(&'static str),
    /// TLS begins.
    StartTls,
    /// The sender says who it is, or is going to.
    Auth {
        mechanism: Mechanism,
        answer: Option<String>,
    },
}

impl Session {
    pub(super) fn new(trust: Trust) -> Self {
        Self {
            stage: Stage::Fresh,
            trust,
        }
    }

    /// The sender is one of those who may send.
    pub(super) fn logged_in(&mut self) {
        self.trust = Trust::LoggedIn;
    }

    pub(super) fn answer(
        &mut self,
        command: Result<Command, Refusal>,
        fault: Option<Fault>,
    ) -> Next {
        match command.and_then(|command| self.follow(command, fault)) {
            Ok(next) => next,
            Err(refusal) => Next::Reply(refusal),
        }
    }

    fn follow(&mut self, command: Command, fault: Option<Fault>) -> Result<Next, Refusal> {
        Ok(Next::Reply(match command {
            Command::Ehlo => {
                self.stage = Stage::Greeted;
                match self.trust {
                    Trust::NotNeeded => GREETING_LINES,
                    Trust::Plain => GREETING_BEFORE_TLS,
                    Trust::Encrypted | Trust::LoggedIn => GREETING_WITH_TLS,
                }
            }
            Command::Helo => {
                self.stage = Stage::Greeted;
                "250 localhost"
            }
            Command::StartTls | Command::Auth { .. } if self.trust == Trust::NotNeeded => {
                return Err(
                    "502 There is no TLS and no log-in here: this catcher is for one machine",
                );
            }
            Command::StartTls if self.trust == Trust::Plain => return Ok(Next::StartTls),
            Command::StartTls => return Err("503 TLS is there already"),
            Command::Auth { mechanism, answer } => match (&self.stage, self.trust) {
                (_, Trust::Plain) => return Err("538 5.7.11 Say STARTTLS first"),
                (Stage::Greeted, Trust::Encrypted) => {
                    return Ok(Next::Auth { mechanism, answer });
                }
                _ => return Err("503 AUTH comes once, after EHLO and before MAIL"),
            },
            Command::Mail { .. } if self.trust == Trust::Plain => {
                return Err("530 5.7.0 Say STARTTLS first");
            }
            Command::Mail { .. } if self.trust == Trust::Encrypted => {
                return Err("530 5.7.57 Say who you are first: AUTH");
            }
            Command::Mail { from, smtputf8 } => match self.stage {
                Stage::Fresh => return Err("503 Say EHLO first"),
                Stage::Mail { .. } => return Err("503 There is a sender already; RSET forgets it"),
                Stage::Greeted => {
                    let envelope = Envelope {
                        from,
                        to: Vec::new(),
                    };
                    self.stage = Stage::Mail { envelope, smtputf8 };
                    "250 Sender taken"
                }
            },
            Command::Rcpt { to } => {
                let Stage::Mail { envelope, smtputf8 } = &mut self.stage else {
                    return Err("503 Say MAIL FROM first");
                };
                in_ascii_unless(*smtputf8, &to)?;
                if fault == Some(Fault::RefuseForGood) {
                    return Err("550 Refused for good, as this mail catcher was told to");
                }
                if envelope.to.len() == MOST_RECIPIENTS {
                    return Err("452 Too many recipients; send the rest in a second message");
                }
                envelope.to.push(to);
                "250 Recipient taken"
            }
            Command::Data => match std::mem::replace(&mut self.stage, Stage::Greeted) {
                Stage::Mail { envelope, .. } if !envelope.to.is_empty() => {
                    return Ok(Next::Content(envelope));
                }
                before => {
                    self.stage = before;
                    return Err("503 Say MAIL FROM and RCPT TO first");
                }
            },
            Command::Rset => {
                if matches!(self.stage, Stage::Mail { .. }) {
                    self.stage = Stage::Greeted;
                }
                "250 Forgotten"
            }
            Command::Noop => "250 Nothing done",
            Command::Vrfy => "252 Not looked up; every address is taken",
            Command::Quit => return Ok(Next::Close("221 Goodbye")),
        }))
    }
}
