//! Production and development, kept apart by name (DW-83).

use gateway::config::Environment::{self, Development, Production};
use gateway::config::Secret;
use gateway::{Gateway, Surroundings};

use crate::world::World;

/// DW-83: what belongs to development stops a production gateway, and the other way round: ids, client ids, trusted
/// issuers, and the folder of keys.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dw_83_production_and_development_have_nothing_in_common() {
    let world = World::start().await;
    let folder = world.config.keys.parent().unwrap().join("real");
    std::fs::create_dir(&folder).unwrap();
    let held = |secret: &str| Secret::Held(zeroize::Zeroizing::new(secret.to_owned()));
    let declared = |id: &str, issuer: &str, environment: Environment| {
        let mut config = world.config.clone();
        config.public_url = "https://credentials.example".parse().unwrap();
        // One database knows the keys of one environment only.
        let database = folder.join(format!("{}.db", environment.name()));
        config.database = format!("sqlite:{}", database.display());
        config.keys = folder.join("keys");
        config.key_passphrase = held("a passphrase for keys of both environments");
        config.storage_secret = held("Zm9yIHRlc3RzIG9ubHksIGEgc3RvcmFnZSBzZWNyZXQu");
        config.environment = environment;
        config.organisations.truncate(1);
        let organisation = &mut config.organisations[0];
        id.clone_into(&mut organisation.id);
        organisation.trust.truncate(1);
        organisation.trust[0].issuers = vec![issuer.to_owned()];
        organisation.relying_parties.truncate(1);
        let party = &mut organisation.relying_parties[0];
        party.client_id = format!("staff.{id}");
        party.redirect_uris = vec!["https://staff.example/callback".to_owned()];
        config
    };
    let (own, theirs) = (
        "did:web:credentials.example:issuers:anytown",
        "did:web:credentials.example:issuers:anytown-development",
    );
    let start = async |config: &gateway::Config| {
        let gateway = Gateway::compose(config, Surroundings::production()).await;
        gateway.map(drop).map_err(|error| error.to_string())
    };
    let refused = async |config: &gateway::Config, reason: &str| {
        let told = start(config).await.expect_err(reason);
        assert!(told.contains(reason), "{told}");
    };
    let good = declared("anytown", own, Production);
    gateway::create_keys(&good, false).unwrap();
    start(&good).await.unwrap();
    let reason = "anytown-development: belongs to a development environment";
    refused(&declared("anytown-development", own, Production), reason).await;
    refused(&declared("anytown", theirs, Production), reason).await;
    // The very keys of production, for a gateway that says that it is another.
    let reason = "are for production, and this gateway's environment is development";
    refused(
        &declared("anytown-development", theirs, Development),
        reason,
    )
    .await;

    std::fs::remove_dir_all(folder.join("keys")).unwrap();
    let good = declared("anytown-development", theirs, Development);
    gateway::create_keys(&good, false).unwrap();
    start(&good).await.unwrap();
    refused(&declared("anytown", own, Production), "are for development").await;
    let reason = "must end with -development";
    refused(&declared("anytown", theirs, Development), reason).await;
    refused(&declared("anytown-development", own, Development), reason).await;
}
