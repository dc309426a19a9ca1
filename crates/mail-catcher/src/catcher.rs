//! The messages and how the catcher behaves, shared by everything that takes and shows mail.

use std::collections::BTreeMap;
use std::io;
use std::net::TcpListener;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;

use crate::folder::{self, Folder};
use crate::kept::{Envelope, Kept};
use crate::{Demand, Fault, Mail, OpenError, smtp};

/// What time it is.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// All messages together hold no more than this: a sender in a loop is told to stop, nothing is lost.
const MOST_BYTES: usize = 64 * 1024 * 1024;

/// A mailbox for everybody. Clones share it.
#[derive(Clone)]
pub struct Catcher {
    inner: Arc<Inner>,
}

struct Inner {
    folder: Folder,
    clock: Clock,
    next: AtomicU64,
    connections: AtomicU64,
    messages: Mutex<BTreeMap<u64, Arc<Kept>>>,
    fault: Mutex<Option<Fault>>,
}

/// Why a message could not be kept.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotKept {
    #[error("the mailbox is full")]
    Full,
    #[error("the message could not be written: {0}")]
    Io(#[from] io::Error),
}

impl Catcher {
    /// Opens the mailbox in a folder, which is made if need be: everything that was ever acknowledged is there.
    pub fn open(folder: &Path, clock: Clock) -> Result<Self, OpenError> {
        let (folder, messages) = Folder::open(folder)?;
        let next = messages.keys().next_back().map_or(1, |last| last + 1);
        Ok(Self {
            inner: Arc::new(Inner {
                folder,
                clock,
                next: AtomicU64::new(next),
                connections: AtomicU64::new(0),
                messages: Mutex::new(messages),
                fault: Mutex::new(None),
            }),
        })
    }

    /// Takes mail on listeners that the caller has bound, `127.0.0.1` and `::1` say. Ends only with the reason why
    /// a listener cannot be used; dropped, it closes every connection.
    pub fn serve_smtp(
        &self,
        listeners: Vec<TcpListener>,
    ) -> impl Future<Output = io::Error> + Send + use<> {
        smtp::serve(self.clone(), listeners, None)
    }

    /// As [`Catcher::serve_smtp`], for senders that say STARTTLS and log in first.
    pub fn serve_smtp_by_login(
        &self,
        listeners: Vec<TcpListener>,
        demand: Demand,
    ) -> impl Future<Output = io::Error> + Send + use<> {
        smtp::serve(self.clone(), listeners, Some(demand))
    }

    /// How many connections senders have opened so far.
    pub fn connections(&self) -> u64 {
        self.inner.connections.load(Ordering::Relaxed)
    }

    pub(crate) fn count_connection(&self) {
        self.inner.connections.fetch_add(1, Ordering::Relaxed);
    }

    /// Every message, oldest first.
    pub fn messages(&self) -> Vec<Mail> {
        let kept: Vec<_> = self.lock().values().cloned().collect();
        kept.iter().map(|kept| Mail::read(kept)).collect()
    }

    /// Deletes every message.
    pub fn empty(&self) -> io::Result<()> {
        let mut messages = self.lock();
        while let Some((number, _)) = messages.first_key_value() {
            self.inner.folder.delete(*number)?;
            messages.pop_first();
        }
        self.inner.folder.sync()
    }

    /// From now on fails in this way, or behaves.
    pub fn misbehave(&self, fault: Option<Fault>) {
        *self
            .inner
            .fault
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = fault;
    }

    /// The way in which it fails at present.
    pub fn fault(&self) -> Option<Fault> {
        *self
            .inner
            .fault
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// How many messages there are, and the last of them with their ids, newest first.
    pub(crate) fn newest(&self, most: usize) -> (usize, Vec<(String, Arc<Kept>)>) {
        let messages = self.lock();
        let newest = messages.iter().rev().take(most);
        let named = newest.map(|(number, kept)| (folder::id(*number), Arc::clone(kept)));
        (messages.len(), named.collect())
    }

    pub(crate) fn find(&self, id: &str) -> Option<Arc<Kept>> {
        let number = id.parse().ok()?;
        self.lock().get(&number).cloned()
    }

    /// Returns the message's id once it is on disk.
    pub(crate) async fn insert(
        &self,
        envelope: Envelope,
        content: Vec<u8>,
    ) -> Result<String, NotKept> {
        let catcher = self.clone();
        let task = tokio::task::spawn_blocking(move || catcher.insert_blocking(envelope, &content));
        task.await
            .unwrap_or_else(|error| Err(NotKept::Io(io::Error::other(error))))
    }

    fn insert_blocking(&self, envelope: Envelope, content: &[u8]) -> Result<String, NotKept> {
        let held: usize = self.lock().values().map(|kept| kept.file().len()).sum();
        if held + content.len() > MOST_BYTES {
            return Err(NotKept::Full);
        }
        let number = self.inner.next.fetch_add(1, Ordering::Relaxed);
        let id = folder::id(number);
        let kept = Kept::new(&id, envelope, (self.inner.clock)(), content);
        self.inner.folder.insert(number, &kept)?;
        self.lock().insert(number, Arc::new(kept));
        Ok(id)
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<u64, Arc<Kept>>> {
        self.inner
            .messages
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
