//! How a process follows what others change while it runs: once a second, what has another number is read anew.
//!
//! One thing that cannot be read keeps nobody from the rest. A row of the registry that does not open here, or that this
//! version does not understand, counts as it was read last, or not at all; everything else — other rows, client secrets,
//! keys — is followed all the same. What could not be taken over is tried again each second, and readiness says so.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::base::Known;
use crate::interaction::rows::Interactions;
use crate::keys::{self, Ring};
use crate::operate::told;
use crate::registry::{self, Registered, RegistryError};
use crate::revision::{self, Followed, Subject};
use crate::{Gateway, event};

/// Between two looks at what other processes changed.
const FOLLOWING: std::time::Duration = std::time::Duration::from_secs(1);

/// What a process knows of what it follows.
pub(crate) struct Following {
    numbers: Followed,
    /// The registry as it was in force last: what a row counts as that cannot be read any more.
    registered: Mutex<Registered>,
}

impl Following {
    pub(crate) fn new(numbers: Followed, registered: Registered) -> Self {
        Self {
            numbers,
            registered: Mutex::new(registered),
        }
    }

    fn last(&self) -> Registered {
        let last = self.registered.lock();
        last.unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn keep(&self, registered: Registered) {
        let mut last = self
            .registered
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *last = registered;
    }
}

/// What this process could not take over of what others changed, for who watches it.
#[derive(Debug, Default)]
pub struct Behind(Mutex<BTreeMap<&'static str, String>>);

impl Behind {
    /// The faults that stand, a sentence each.
    pub fn faults(&self) -> Vec<String> {
        let faults = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        faults.values().cloned().collect()
    }

    /// Notes what came of reading a subject; one line of the log where that is news.
    fn note(&self, subject: Subject, fault: Option<&RegistryError>) {
        let mut faults = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(error) = fault else {
            if faults.remove(subject.name()).is_some() {
                tracing::info!(
                    subject = subject.name(),
                    "a change that could not be followed is taken over now"
                );
            }
            return;
        };
        let sentence = error.to_string();
        if faults.get(subject.name()) != Some(&sentence) {
            tracing::error!(
                subject = subject.name(),
                code = error.code(),
                %error,
                "a change could not be followed; of this the gateway goes on with what it knows, and tries again each second"
            );
            faults.insert(subject.name(), sentence);
        }
    }
}

impl Gateway {
    /// Reads anew which keys there are.
    pub async fn reload_keys(&self) -> Result<(), RegistryError> {
        let app = self.live.now();
        let read = Ring::read(&app.store, &self.base.keys, &app.keys).await;
        let outcome = match read {
            Ok((ring, fault)) => {
                self.live.change(|parts| parts.keys = Arc::new(ring));
                // What does not open now may do so when somebody has put it right: it is tried again.
                fault.map_or(Ok(()), |fault| {
                    Err(crate::config::ConfigError::from(fault).into())
                })
            }
            Err(error) => Err(RegistryError::Store(error)),
        };
        // Whoever took a key out of use may have crashed before it was destroyed, or have had no hand on the key store.
        let outcome = match outcome {
            Ok(()) => Ok(keys::destroy_ended(&app.store, &self.base.keys).await?),
            fault => fault,
        };
        app.behind.note(Subject::Keys, outcome.as_ref().err());
        if outcome.is_ok() {
            tracing::info!("the signing keys were read anew");
        }
        outcome
    }

    /// Takes over at once what this process has just written. It is kept in any case: what cannot be taken over yet is for the
    /// log and for readiness, is tried again each second, and is no refusal of what was asked.
    pub(crate) async fn follow_own(&self) {
        if let Err(error) = self.follow_once().await {
            tracing::error!(
                code = error.code(),
                %error,
                "a change is kept, and this process could not take all of it over yet"
            );
        }
    }

    /// Takes over what can be; tells what cannot.
    async fn take_over_registry(&self) -> Result<Option<RegistryError>, RegistryError> {
        let app = self.live.now();
        let secrets = registry::secrets::read(&app.store).await?;
        let (found, faults) = registry::read_each(&app.store, &app.seal).await?;
        let last = self.following.last();
        let mut fault = faults.first().map(|(key, reason)| reason.of(key));
        let mut known = Known {
            registered: found.completed(&faults, &last),
            secrets,
        };
        let organisations = match self.base.organisations(&known) {
            Ok(organisations) => organisations,
            Err(error) => {
                // Each row may be read, and together they do not hold: none of them counts, but for what is gone.
                known.registered = last.without_what_is_gone(&known.registered);
                fault.get_or_insert(error);
                self.base.organisations(&known)?
            }
        };
        let listeners = event::listeners(&app.store, told(&organisations)).await?;
        self.live.change(move |parts| {
            parts.interactions = Interactions::new(
                parts.store.clone(),
                parts.seal.clone(),
                Arc::new(listeners),
                Arc::clone(&parts.metrics),
                Arc::clone(&parts.limits),
            );
            parts.organisations = Arc::new(organisations);
        });
        self.following.keep(known.registered);
        Ok(fault)
    }

    /// Reads anew what another process changed, a second later at most, until the future is dropped.
    pub(crate) async fn follow(&self) {
        loop {
            tokio::time::sleep(FOLLOWING).await;
            // What a subject says of itself is noted where it is read; here it is the database that does not answer.
            if let Err(error @ RegistryError::Store(_)) = self.follow_once().await {
                tracing::error!(%error, "what other processes changed could not be looked at; it is tried again");
            }
        }
    }

    /// One look at what another process changed. What could not be taken over is read again the next time.
    pub async fn follow_once(&self) -> Result<(), RegistryError> {
        let app = self.live.now();
        let found = revision::find(&app.store).await?;
        let mut outcome = Ok(());
        // Keys come first: an organisation that is new has some. What cannot be read keeps nobody from the rest.
        for (subject, number) in self.following.numbers.changed(&found) {
            let read = match subject {
                Subject::Keys => self.reload_keys().await,
                Subject::Registry => {
                    let taken = self.take_over_registry().await;
                    let taken = taken.and_then(|fault| fault.map_or(Ok(()), Err));
                    app.behind.note(Subject::Registry, taken.as_ref().err());
                    taken
                }
            };
            match read {
                Ok(()) => self.following.numbers.keep(subject, number),
                Err(error) => outcome = Err(error),
            }
        }
        outcome
    }
}
