//! The door of the library: holders, scanning, credentials, faults.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use jiff::Timestamp;

use standards::openid4vci::NotificationEvent;

use crate::fault::Fault;
use crate::network::{Network, NetworkError};
use crate::open::{Opened, Question, read_link};
use crate::report::{CredentialStatus, CredentialSummary, HolderSummary, Outcome, Scanned};
use crate::storage::{HeldCredential, HolderRecord, Storage, StorageError, check_id};
use crate::{credential, notify, present, receive, status};

/// What the wallet takes for now. The sandbox passes its own, so that a test can move it.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// How a wallet is set up.
#[derive(Clone)]
pub struct Options {
    /// The wallet's clock.
    pub clock: Clock,
    /// PEM certificates trusted besides the system's.
    pub extra_roots: Vec<Vec<u8>>,
    /// How long [`Wallet::scan`] waits for an outcome before it reports `pending`.
    pub patience: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            clock: Arc::new(Timestamp::now),
            extra_roots: Vec::new(),
            patience: Duration::from_millis(9_500),
        }
    }
}

/// One scan: the link, and what the holder says to it.
#[derive(Clone, Debug)]
pub struct Scan {
    /// A wallet link or a short web address, as pasted.
    pub link: String,
    /// Whether the holder agrees.
    pub consent: bool,
    /// What to use where there is a choice: ids of held credentials when presenting; credential configuration ids
    /// or formats, best first, when receiving.
    pub choose: Vec<String>,
    /// What the holder types where an offer asks for a transaction code, such as the PIN on the issuer's page.
    pub transaction_code: Option<String>,
}

/// What the holder says to what was asked.
#[derive(Clone, Debug, Default)]
pub struct Reply {
    /// Whether the holder agrees.
    pub consent: bool,
    /// As [`Scan::choose`].
    pub choose: Vec<String>,
    /// As [`Scan::transaction_code`].
    pub transaction_code: Option<String>,
}

/// Why the wallet cannot do what was asked of it. (What goes wrong with the other side is an outcome of the scan.)
#[derive(Debug, thiserror::Error)]
pub enum WalletError {
    /// There is no such holder.
    #[error("this wallet has no holder {0:?}")]
    UnknownHolder(String),
    /// The holder has no such credential.
    #[error("the holder has no credential {0:?}")]
    UnknownCredential(String),
    /// The folder refused.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The way out could not be set up.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// The work ended without a result; the log says more.
    #[error("the wallet stopped in the middle of a scan")]
    Stopped,
}

/// A test wallet: several holders in one folder.
#[derive(Clone)]
pub struct Wallet {
    inner: Arc<Inner>,
}

struct Inner {
    clock: Clock,
    patience: Duration,
    network: Network,
    storage: Storage,
    holders: RwLock<BTreeMap<String, Arc<Holder>>>,
}

/// A holder in memory. Scans of one holder take turns.
pub(crate) struct Holder {
    pub(crate) id: String,
    record: Mutex<HolderRecord>,
    fault: Mutex<Option<Fault>>,
    late: Mutex<Option<Scanned>>,
    turn: Arc<tokio::sync::Mutex<()>>,
}

impl Wallet {
    /// Opens the wallet in `dir`, which is made if it is not there, and takes its lock.
    ///
    /// # Errors
    /// When another process has the wallet open, or the folder cannot be read.
    pub fn open(dir: &Path, options: Options) -> Result<Self, WalletError> {
        let network = Network::new(&options.extra_roots)?;
        let (storage, records) = Storage::open(dir)?;
        let holders = records
            .into_iter()
            .map(|(id, record)| (id, Arc::new(Holder::new(record))))
            .collect();
        let Options {
            clock, patience, ..
        } = options;
        Ok(Self {
            inner: Arc::new(Inner {
                clock,
                patience,
                network,
                storage,
                holders: RwLock::new(holders),
            }),
        })
    }

    /// Adds a holder; one who is there already keeps everything and takes the new name.
    pub fn add_holder(&self, id: &str, name: &str) -> Result<(), WalletError> {
        check_id(id)?;
        let mut holders = self
            .inner
            .holders
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        let holder = holders
            .entry(id.to_owned())
            .or_insert_with(|| Arc::new(Holder::new(HolderRecord::new(id, name))));
        let mut record = lock(&holder.record);
        name.clone_into(&mut record.name);
        Ok(self.inner.storage.save(&record)?)
    }

    /// Every holder, by id.
    pub fn holders(&self) -> Vec<HolderSummary> {
        let holders = self
            .inner
            .holders
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        holders.values().map(|holder| holder.summary()).collect()
    }

    /// One holder.
    pub fn find_holder(&self, id: &str) -> Result<HolderSummary, WalletError> {
        Ok(self.holder(id)?.summary())
    }

    /// Follows a link to its end with the holder's answer, in at most [`Options::patience`]. What takes longer goes
    /// on in the background and is reported `pending`.
    pub async fn scan(&self, holder: &str, scan: Scan) -> Result<Scanned, WalletError> {
        let wallet = self.clone();
        let holder = self.holder(holder)?;
        self.patiently(async move {
            let turn = holder.turn.clone().lock_owned().await;
            let fault = holder.take_fault();
            match read_link(&wallet, &scan.link).await {
                Ok(opened) => {
                    let reply = Reply {
                        consent: scan.consent,
                        choose: scan.choose,
                        transaction_code: scan.transaction_code,
                    };
                    wallet.answer(&holder, turn, opened, fault, reply).await
                }
                Err(error) => Scanned::failed(error),
            }
        })
        .await
    }

    /// First half of a scan: reads what the link asks, so that the holder can be asked.
    pub async fn read(
        &self,
        holder: &str,
        link: &str,
    ) -> Result<Result<Opened, String>, WalletError> {
        self.holder(holder)?;
        Ok(read_link(self, link)
            .await
            .map_err(|error| error.to_string()))
    }

    /// What to ask the holder about what was read.
    pub fn question(&self, holder: &str, opened: &Opened) -> Result<Question, WalletError> {
        Ok(opened.question(self, &*self.holder(holder)?))
    }

    /// Second half of a scan: gives the holder's answer to what was read.
    pub async fn finish(
        &self,
        holder: &str,
        opened: Opened,
        reply: Reply,
    ) -> Result<Scanned, WalletError> {
        let wallet = self.clone();
        let holder = self.holder(holder)?;
        self.patiently(async move {
            let turn = holder.turn.clone().lock_owned().await;
            let fault = holder.take_fault();
            wallet.answer(&holder, turn, opened, fault, reply).await
        })
        .await
    }

    /// Every credential of a holder, newest first, each with its status as its status list says now.
    pub async fn credentials(&self, holder: &str) -> Result<Vec<CredentialSummary>, WalletError> {
        let held = self.holder(holder)?.held();
        let mut summaries = Vec::with_capacity(held.len());
        for one in held.iter().rev() {
            let mut summary = credential::summary(one, self.now());
            if summary.status == CredentialStatus::NotChecked {
                summary.status = status::fetch(self, one).await;
            }
            summaries.push(summary);
        }
        Ok(summaries)
    }

    /// Deletes a credential, and tells its issuer if the issuer asked to be told and still listens.
    pub async fn delete(&self, holder: &str, id: &str) -> Result<(), WalletError> {
        let holder = self.holder(holder)?;
        let turn = holder.turn.clone().lock_owned().await;
        let gone = self.change(&holder, |record| {
            let at = record.credentials.iter().position(|held| held.id == id)?;
            Some(record.credentials.remove(at))
        })?;
        drop(turn);
        let gone = gone.ok_or_else(|| WalletError::UnknownCredential(id.to_owned()))?;
        if let Some(notification) = gone
            .notification
            .filter(|n| self.now() < n.token_expires_at)
        {
            // The credential is gone whether or not the issuer can be reached.
            let _ = notify::tell(self, &notification, NotificationEvent::CredentialDeleted).await;
        }
        Ok(())
    }

    /// Arms a fault for the holder's next scan; `None` disarms.
    pub fn misbehave(
        &self,
        holder: &str,
        fault: impl Into<Option<Fault>>,
    ) -> Result<(), WalletError> {
        *lock(&self.holder(holder)?.fault) = fault.into();
        Ok(())
    }

    /// The fault armed for the holder's next scan.
    pub fn armed_fault(&self, holder: &str) -> Result<Option<Fault>, WalletError> {
        Ok(*lock(&self.holder(holder)?.fault))
    }

    /// How the holder's last late answer (fault `late-answer`) ended, once it has.
    pub fn late_answer(&self, holder: &str) -> Result<Option<Scanned>, WalletError> {
        Ok(lock(&self.holder(holder)?.late).clone())
    }

    /// The wallet's now.
    pub fn now(&self) -> Timestamp {
        (self.inner.clock)()
    }

    pub(crate) fn network(&self) -> &Network {
        &self.inner.network
    }

    pub(crate) fn holder(&self, id: &str) -> Result<Arc<Holder>, WalletError> {
        let holders = self
            .inner
            .holders
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        holders
            .get(id)
            .cloned()
            .ok_or_else(|| WalletError::UnknownHolder(id.to_owned()))
    }

    /// The credentials of every holder but this one.
    pub(crate) fn held_by_others(&self, holder: &Holder) -> Vec<HeldCredential> {
        let holders = self
            .inner
            .holders
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        holders
            .values()
            .filter(|other| other.id != holder.id)
            .flat_map(|other| other.held())
            .collect()
    }

    /// Changes a holder's record on disk and then in memory, or neither.
    pub(crate) fn change<T>(
        &self,
        holder: &Holder,
        change: impl FnOnce(&mut HolderRecord) -> T,
    ) -> Result<T, StorageError> {
        let mut record = lock(&holder.record);
        let mut changed = record.clone();
        let value = change(&mut changed);
        self.inner.storage.save(&changed)?;
        *record = changed;
        Ok(value)
    }

    async fn patiently(
        &self,
        work: impl Future<Output = Scanned> + Send + 'static,
    ) -> Result<Scanned, WalletError> {
        // A task of its own: an answer that comes after our patience ended is still taken in.
        let work = tokio::spawn(work);
        match tokio::time::timeout(self.inner.patience, work).await {
            Ok(Ok(scanned)) => Ok(scanned),
            Ok(Err(_)) => Err(WalletError::Stopped),
            Err(_) => Ok(Scanned::pending(
                "no answer in time; the wallet goes on waiting in the background",
            )),
        }
    }

    async fn answer(
        &self,
        holder: &Arc<Holder>,
        turn: tokio::sync::OwnedMutexGuard<()>,
        opened: Opened,
        fault: Option<Fault>,
        mut reply: Reply,
    ) -> Scanned {
        reply.consent &= fault != Some(Fault::Decline);
        match fault {
            Some(Fault::Silence) => {
                Scanned::pending("fault silence: the wallet read what was asked and says nothing")
            }
            Some(Fault::LateAnswer) => {
                let (wallet, holder) = (self.clone(), holder.clone());
                *lock(&holder.late) = None;
                drop(turn);
                tokio::spawn(async move {
                    while wallet.now() <= opened.late_from() {
                        tokio::time::sleep(Duration::from_millis(100)).await;
                    }
                    let _turn = holder.turn.clone().lock_owned().await;
                    let scanned = wallet.send(&holder, opened, None, &reply).await;
                    *lock(&holder.late) = Some(scanned);
                });
                Scanned::pending(
                    "fault late-answer: the answer follows when the request has expired",
                )
            }
            _ => self.send(holder, opened, fault, &reply).await,
        }
    }

    async fn send(
        &self,
        holder: &Holder,
        opened: Opened,
        fault: Option<Fault>,
        reply: &Reply,
    ) -> Scanned {
        match opened {
            Opened::Offer(offered) => receive::receive(self, holder, *offered, fault, reply).await,
            Opened::Request(requested) => {
                let Reply {
                    consent, choose, ..
                } = reply;
                present::present(self, holder, *requested, fault, *consent, choose).await
            }
        }
    }
}

impl Holder {
    fn new(record: HolderRecord) -> Self {
        Self {
            id: record.id.clone(),
            record: Mutex::new(record),
            fault: Mutex::new(None),
            late: Mutex::new(None),
            turn: Arc::default(),
        }
    }

    fn summary(&self) -> HolderSummary {
        let record = lock(&self.record);
        HolderSummary {
            id: record.id.clone(),
            name: record.name.clone(),
        }
    }

    /// The held credentials, oldest first.
    pub(crate) fn held(&self) -> Vec<HeldCredential> {
        lock(&self.record).credentials.clone()
    }

    pub(crate) fn last_vp_token(&self) -> Option<serde_json::Map<String, serde_json::Value>> {
        lock(&self.record).last_vp_token.clone()
    }

    fn take_fault(&self) -> Option<Fault> {
        lock(&self.fault).take()
    }
}

impl std::fmt::Debug for Wallet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Wallet").finish_non_exhaustive()
    }
}

/// What a lock guards here is replaced whole, so that a panic elsewhere cannot leave it half changed.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Scanned {
    /// Whether the scan came to what the other side wanted.
    pub fn is_good(&self) -> bool {
        matches!(self.outcome, Outcome::Presented | Outcome::Received)
    }
}
