//! Every address and method of the gateway's own face, relying parties', wallets' and browsers', with the credentials of one
//! tenant and the things of another: nothing of the other's comes back, nothing of it changes, and what is there is answered
//! like what is not. The addresses are the router's, what they read is the description's; only what a name means stands in
//! [`inputs`]. The admin API has the same in `admin_isolation.rs`.

mod inputs;
mod request;
mod tenant;

use std::collections::BTreeSet;
use std::num::NonZeroU32;
use std::sync::{Arc, OnceLock};

use gateway::clock::Clock;
use gateway::config::TrustConfig;
use gateway::organisation::did_of;
use jiff::Timestamp;
use verified_id::VerifiedId;

use crate::database::{Database, on_both_engines};
use crate::entra_world::{connect, tenant as first_entra};
use crate::receiver::{Receiver, register};
use crate::rows::{Rows, by_whose, changed};
use crate::world::World;
use inputs::{Meaning, Operation, operations};
use request::{As, Caller, Parts};
use tenant::{Tenant, second_entra};

on_both_engines!(
    sec_33_no_address_gives_or_changes_what_is_another_tenants_or_tells_that_it_is_there,
);

/// Where a thing that is there is answered otherwise than one that is not, and why that tells nobody anything.
fn tells(operation: &Operation, parts: &Parts<'_>) -> bool {
    match operation.path.as_str() {
        // A state has 256 bits and is told to Microsoft alone: whoever has it knows that there is one.
        "/entra/callback" => true,
        // An id is sealed and given to one wallet, and opens at its own issuer only: there, whoever has it is asked for that
        // wallet's token.
        "/issuers/{organisation}/notification" => std::ptr::eq(parts.place, parts.things),
        _ => false,
    }
}

struct Walk {
    world: World,
    caller: Caller,
    own: Tenant,
    theirs: Tenant,
    nobody: Tenant,
    _service: VerifiedId,
}

impl Walk {
    async fn begin(database: Database) -> Self {
        let second = verified_id::Tenant {
            id: "7c2d9f6f-1a5e-4c1b-8b68-2e3a4d5c6b70".parse().unwrap(),
            client_id: "1a9fbe6c-eac0-47a0-b276-81978839a61f".parse().unwrap(),
            ..first_entra()
        };
        let clock: Arc<OnceLock<Clock>> = Arc::default();
        let told = Arc::clone(&clock);
        let now = move || told.get().map_or_else(Timestamp::now, Clock::now);
        let service = VerifiedId::start(vec![first_entra(), second.clone()], Arc::new(now));
        let service = service.await.unwrap();
        let (one, other) = (Receiver::down(), Receiver::down());
        let origins = [service.base(), &one.url, &other.url].map(Clone::clone);
        let world = World::start_with(database, origins.to_vec(), |config| {
            // Each trusts itself, both ask in both wallet worlds, and both are told of what happens.
            let did = did_of(&config.public_url, "elsewhere").unwrap();
            let trust = config.organisations[0].trust.iter().map(|row| TrustConfig {
                issuers: vec![did.clone()],
                ..row.clone()
            });
            config.organisations[1].trust = trust.collect();
            connect(config, &service);
            let identity = config.organisations[0].trust.iter();
            let identity = identity.filter(|row| row.credential_type == "Identity");
            let identity: Vec<_> = identity.cloned().collect();
            let kept = &mut config.organisations[1].trust;
            kept.retain(|row| row.credential_type != "Identity");
            kept.extend(identity);
            config.entra.push(second_entra(&service, &second));
            register(config, "v2", one.url.clone());
            register(config, "stranger", other.url.clone());
            // The walk is longer than an address may ask in a minute.
            let most = NonZeroU32::MAX;
            let address = &mut config.limits.address;
            address.back_channel = most;
            address.failures = most;
            address.authorize = most;
            address.pages = most;
            address.wallets = most;
            address.documents = most;
        })
        .await;
        clock.set(world.clock.clone()).unwrap();
        let theirs = Tenant::begin(&world, &service, "v2", "Cardiology").await;
        let own = Tenant::begin(&world, &service, "stranger", "Paediatrics").await;
        let nobody = Tenant::nobody(&world, &theirs).await;
        Self {
            caller: Caller::new(&world.base),
            world,
            own,
            theirs,
            nobody,
            _service: service,
        }
    }

    /// Every row of the database that is not the caller's, by its table.
    async fn rows_of_others(&self) -> Rows {
        let whose = by_whose(&self.world, "elsewhere", &["stranger"]);
        whose.await.others
    }

    /// Of whom the place is, and of whom the things are, for everything that crosses from one tenant to the other.
    fn crossings<'a>(&'a self, operation: &Operation, asked: &[Meaning]) -> Vec<Parts<'a>> {
        let (own, theirs) = (&self.own, &self.theirs);
        let parts = |place, things| Parts {
            who: own,
            other: theirs,
            place,
            things,
        };
        if !operation.reads(Meaning::Place) {
            return vec![parts(own, theirs)];
        }
        let mut crossings = vec![parts(own, theirs), parts(theirs, own)];
        // Theirs at their own place: only where the caller shows who it is; else it is whoever brings the thing.
        if asked.is_empty() || operation.knows_who() {
            crossings.push(parts(theirs, theirs));
        }
        crossings
    }

    /// What is wrong with it. `before` is what there was of others, and then what there is.
    async fn walk(&self, operation: &Operation, before: &mut Rows) -> Vec<String> {
        let mut faults = Vec::new();
        let what = format!("{} {}", operation.method, operation.path);
        for asked in operation.questions() {
            for parts in self.crossings(operation, &asked) {
                for how in As::all_for(operation) {
                    let name = format!(
                        "{what} about {asked:?} at {} as {how:?}",
                        parts.place.of("organisation")
                    );
                    let answer = self.caller.ask(operation, &asked, &parts, how).await;
                    let given = answer.secret_of(&self.theirs, "The v2 portal");
                    if given.is_some() || answer.status >= 500 {
                        faults.push(format!("{name} gives {given:?}, {}", answer.status));
                    }
                    let about_things = asked.iter().any(|one| matches!(one, Meaning::Thing(_)));
                    if about_things && !tells(operation, &parts) {
                        let things = &self.nobody;
                        let unknown = Parts { things, ..parts };
                        let nothing = self.caller.ask(operation, &asked, &unknown, how).await;
                        if let Some(difference) = answer.difference(&nothing) {
                            faults.push(format!("{name} tells that it is there: {difference}"));
                        }
                    }
                }
            }
        }
        let after = self.rows_of_others().await;
        let changed = changed(before, &after).into_iter();
        faults.extend(changed.map(|table| format!("{what} changes what is another's in {table}")));
        *before = after;
        faults
    }

    /// What the other tenant gets by asking for its own: each of its things is there to its end, or the walk would have
    /// found nothing for that reason.
    async fn check_that_all_is_there(&self, operations: &[Operation]) {
        let (mut wanted, mut found) = (BTreeSet::new(), BTreeSet::new());
        let mut telling = BTreeSet::new();
        for operation in operations {
            for asked in operation.questions() {
                let own = Parts {
                    who: &self.theirs,
                    other: &self.theirs,
                    place: &self.theirs,
                    things: &self.theirs,
                };
                let things = asked.iter().filter_map(|one| match one {
                    Meaning::Thing(name) => Some(*name),
                    _ => None,
                });
                let things: Vec<_> = things.collect();
                wanted.extend(things.iter().copied());
                for how in As::all_for(operation) {
                    let answer = self.caller.ask(operation, &asked, &own, how).await;
                    if answer.secret_of(&self.theirs, "The v2 portal").is_some() {
                        telling.insert(operation.path.as_str());
                    }
                    let things_unknown = Parts {
                        things: &self.nobody,
                        ..own
                    };
                    let nothing = self
                        .caller
                        .ask(operation, &asked, &things_unknown, how)
                        .await;
                    if answer.difference(&nothing).is_some() {
                        found.extend(things.iter().copied());
                    }
                }
            }
        }
        assert_eq!(found, wanted, "each of these was there to be found");
        // The walk knows what is secret when it sees it.
        for path in [
            "/events",
            "/outcomes",
            "/interaction/{id}",
            "/interaction/{id}/cancel",
            "/o/{link}",
            "/c/{code}",
        ] {
            assert!(telling.contains(path), "{path} tells nothing: {telling:?}");
        }
    }
}

async fn sec_33_no_address_gives_or_changes_what_is_another_tenants_or_tells_that_it_is_there(
    database: Database,
) {
    let walk = Walk::begin(database).await;
    let operations = operations(&walk.world).await;
    assert!(operations.len() >= 110, "{}", operations.len());
    let (mut faults, mut rows) = (Vec::new(), walk.rows_of_others().await);
    for operation in &operations {
        faults.extend(walk.walk(operation, &mut rows).await);
    }
    assert!(faults.is_empty(), "{}", faults.join("\n\n"));
    walk.check_that_all_is_there(&operations).await;
}
