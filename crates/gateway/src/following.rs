//! How this process hears of what another one changed: it looks at the numbers of [`crate::revision`] once a second, and reads
//! anew what has another number than the one that it read last.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;

use crate::keys::{KeyHolder, Ring, RingError};
use crate::live::Live;
use crate::revision::{Read, Subject};
use store::StoreError;

/// Between two looks. Together with the look itself it is how late this process may be.
const PAUSE: Duration = Duration::from_secs(1);
/// After a look that failed: what fails is tried again, and the log stays readable.
const PAUSE_AFTER_FAULT: Duration = Duration::from_secs(10);

/// What is read anew, and what it was when it was read last.
pub(crate) struct Following {
    live: Live,
    holder: Arc<dyn KeyHolder>,
    read: Mutex<Read>,
}

/// Why something could not be read anew. What was current stays so.
#[derive(Debug, thiserror::Error)]
pub enum FollowError {
    /// The numbers.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The keys.
    #[error("the signing keys could not be read anew, and the ones before stay in use: {0}")]
    Keys(#[from] RingError),
}

impl Following {
    /// Follows from what was read when these numbers stood.
    pub(crate) fn new(live: Live, holder: Arc<dyn KeyHolder>, read: Read) -> Self {
        Self {
            live,
            holder,
            read: Mutex::new(read),
        }
    }

    /// Looks once a second, until the future is dropped.
    pub(crate) async fn run(&self) {
        loop {
            let pause = match self.look().await {
                Ok(()) => PAUSE,
                Err(error) => {
                    tracing::error!(%error, "what other processes changed could not be read");
                    PAUSE_AFTER_FAULT
                }
            };
            tokio::time::sleep(pause).await;
        }
    }

    /// One look. A subject that cannot be read keeps nobody from reading the others.
    pub(crate) async fn look(&self) -> Result<(), FollowError> {
        let mut read = self.read.lock().await;
        let mut outcome = Ok(());
        for (subject, number) in read.changed(&self.live.now().store).await? {
            match self.read_anew(subject).await {
                Ok(()) => read.set(subject, number),
                Err(error) => outcome = Err(error),
            }
        }
        outcome
    }

    async fn read_anew(&self, subject: Subject) -> Result<(), FollowError> {
        match subject {
            Subject::Keys => {
                let app = self.live.now();
                let ring = Ring::load(&app.store, &self.holder, &app.keys).await?;
                self.live.change(|parts| parts.keys = Arc::new(ring));
                tracing::info!("the signing keys were read anew");
            }
            // Nothing of the registry is in the database yet.
            Subject::Registry => {}
        }
        Ok(())
    }
}
