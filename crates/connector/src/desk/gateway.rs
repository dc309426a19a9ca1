//! The gateway, asked when it is first needed.

use tokio::sync::OnceCell;

use crate::{Clock, Connector, DiscoverError, GatewayFault, Http, Settings, StartError};

/// Why a browser could not be sent to the gateway. Nothing has happened there.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartFault {
    /// So many identities did not match in this session that there is no further try: show whom to ask.
    #[error(
        "no further identity may be tried in this session: the employee has to ask for support"
    )]
    NoMoreTries,
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

impl StartFault {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoMoreTries => "no-more-tries",
            Self::Store(_) => "store-failed",
            _ if self.is_temporary() => "gateway-unavailable",
            Self::Start(StartError::Gateway(GatewayFault::Refused { refusal, .. })) => {
                if refusal.is_about_the_record() {
                    "request-unusable"
                } else {
                    "gateway-refused"
                }
            }
            Self::Discover(_) | Self::Start(StartError::Gateway(_)) => "gateway-unusable",
            Self::Start(_) => "request-unusable",
        }
    }

    /// Whether trying again later can help.
    pub fn is_temporary(&self) -> bool {
        match self {
            Self::Discover(DiscoverError::Gateway(fault))
            | Self::Start(StartError::Gateway(fault)) => fault.is_temporary(),
            Self::Store(fault) => matches!(
                fault,
                store::StoreError::Unavailable(_) | store::StoreError::Uncertain(_)
            ),
            Self::NoMoreTries | Self::Discover(_) | Self::Start(_) => false,
        }
    }
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
