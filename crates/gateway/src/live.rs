//! What may change while the gateway runs: who may use it, and the keys that sign.
//!
//! A request sees one [`Parts`] from its beginning to its end, since the handler is given the one that is current when
//! it begins; whoever changes something puts a whole new one in its place. Nothing is half changed, and nothing on the
//! way of a request waits for a change.

use std::sync::{Arc, PoisonError, RwLock};

use axum::extract::FromRef;

use crate::app::{App, Parts};

/// The current parts; cheap to clone, and every clone sees the same.
#[derive(Clone)]
pub struct Live(Arc<RwLock<App>>);

impl Live {
    /// These parts, until something changes.
    pub(crate) fn new(parts: Parts) -> Self {
        Self(Arc::new(RwLock::new(Arc::new(parts))))
    }

    /// What is current now. Work that goes on for long asks again.
    pub fn now(&self) -> App {
        // Nothing is done while the lock is held but to copy or replace a pointer.
        let current = self.0.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&current)
    }

    /// Puts changed parts in the place of the current ones. Of two changes at once, each is made to what the other left.
    pub(crate) fn change(&self, change: impl FnOnce(&mut Parts)) {
        let mut current = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let mut parts = Parts::clone(&current);
        change(&mut parts);
        *current = Arc::new(parts);
    }
}

impl FromRef<Live> for App {
    fn from_ref(live: &Live) -> Self {
        live.now()
    }
}
