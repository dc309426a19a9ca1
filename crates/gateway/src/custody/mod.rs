//! What an operator looks after, as the admin API has it: signing keys, credentials, legal holds, interactions, figures.
//!
//! Nothing is decided here. Each act is the slice's own, the very one behind the command at the machine; what is added is who
//! may do it, whose it is, and who did it.

mod bulk;
mod by_one;
mod credentials;
mod failures;
mod figures;
mod holds;
mod interactions;
mod key_acts;
mod key_refusals;
mod keys;

use std::path::PathBuf;
use std::sync::Arc;

use crate::Gateway;
use crate::admin::{Acts, Routes};
use crate::config::Lengths;
use crate::keys::KeyHolder;
use crate::watching::Watch;

/// What these routes need beside the shared parts.
#[derive(Clone)]
struct Custody {
    holder: Arc<dyn KeyHolder>,
    kept_for: Lengths,
    planned_work: Option<PathBuf>,
    watch: Arc<Watch>,
    counted: figures::Counted,
}

/// The routes.
pub(crate) fn routes(gateway: &Gateway) -> Routes {
    let custody = Custody {
        holder: Arc::clone(&gateway.base.keys),
        kept_for: gateway.kept_for,
        planned_work: gateway.planned_work.clone(),
        watch: Arc::clone(&gateway.watch),
        counted: figures::counted(),
    };
    Routes::new()
        .and(keys::routes())
        .and(key_acts::routes())
        .and(credentials::routes())
        .and(bulk::routes())
        .and(holds::routes())
        .and(interactions::routes())
        .and(figures::routes())
        .knowing(custody)
}

/// Adds the acts that two persons do.
pub(crate) fn acts(acts: Acts, gateway: &Gateway) -> Acts {
    let holder = Arc::clone(&gateway.base.keys);
    acts.with(key_acts::Remove { holder })
        .with(bulk::RevokeMany)
}
