//! The gateway, asked when it is first needed.

use tokio::sync::OnceCell;

use crate::{Clock, Connector, DiscoverError, Http, Settings, StartError};

/// Why a browser could not be sent to the gateway. Nothing has happened there.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartFault {
    /// The gateway could not be found, or is not the one that the settings mean.
    #[error(transparent)]
    Discover(#[from] DiscoverError),
    /// The gateway did not take the request.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] store::StoreError),
}

/// A connector that is made when the gateway first answers, and then kept.
pub(super) struct Gateway {
    settings: Settings,
    http: Http,
    clock: Clock,
    connector: OnceCell<Connector>,
}

impl Gateway {
    pub(super) fn new(settings: Settings, http: Http, clock: Clock) -> Self {
        Self {
            settings,
            http,
            clock,
            connector: OnceCell::new(),
        }
    }

    /// The connector; a failure is not kept.
    pub(super) async fn connector(&self) -> Result<&Connector, DiscoverError> {
        let discover = || {
            let (settings, http) = (self.settings.clone(), self.http.clone());
            Connector::discover_with_clock(settings, http, self.clock.clone())
        };
        self.connector.get_or_try_init(discover).await
    }
}
