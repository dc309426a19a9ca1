//! Production and development, kept apart by name (DW-83).

use std::path::PathBuf;

use gateway::config::Environment::{self, Development, Production};
use gateway::config::{Config, Secret};
use gateway::{Gateway, Surroundings};

use crate::raw_wallet::{RawWallet, Requested, Waiting, refusal, request};
use crate::registry::declaration;
use crate::scenes::TYPE;
use crate::world::{Answer, Party, World};

/// The path below which every gateway of these tests has its organisations.
const ISSUERS: &str = "did:web:credentials.example:issuers:";

/// Where gateways of both environments are declared, each with a database and a folder of keys of its own.
struct Ground {
    world: World,
    folder: PathBuf,
}

impl Ground {
    async fn lay() -> Self {
        let world = World::start().await;
        let folder = world.config.keys.parent().unwrap().join("real");
        std::fs::create_dir(&folder).unwrap();
        Self { world, folder }
    }

    /// A gateway for real use, with one organisation that has one relying party and trusts that issuer.
    fn declared(&self, id: &str, issuer: &str, environment: Environment) -> Config {
        let held = |secret: &str| Secret::Held(zeroize::Zeroizing::new(secret.to_owned()));
        let mut config = self.world.config.clone();
        config.public_url = "https://credentials.example".parse().unwrap();
        let folder = self.folder.join(environment.name());
        std::fs::create_dir_all(&folder).unwrap();
        config.database = format!("sqlite:{}", folder.join("gateway.db").display());
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
    }

    /// One that is sound, with its own names only.
    fn sound(&self, environment: Environment) -> Config {
        let id = match environment {
            Production => "anytown",
            Development => "anytown-development",
        };
        self.declared(id, &format!("{ISSUERS}{id}"), environment)
    }
}

async fn start(config: &Config) -> Result<Gateway, String> {
    let gateway = Gateway::compose(config, Surroundings::production()).await;
    gateway.map_err(|error| error.to_string())
}

async fn refused(config: &Config, reason: &str) {
    let told = start(config).await.map(drop).expect_err(reason);
    assert!(told.contains(reason), "{told}");
}

/// DW-83: two gateways, each sound by itself, and neither starts with the other's folder of keys.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dw_83_production_and_development_have_nothing_in_common() {
    let ground = Ground::lay().await;
    let one_folder = |environment: Environment| {
        let mut config = ground.sound(environment);
        config.keys = ground.folder.join("keys");
        config
    };
    let good = one_folder(Production);
    gateway::create_keys(&good, false).unwrap();
    start(&good).await.unwrap();
    // The very keys of production, for a gateway that says that it is another.
    let reason = "are for production, and this gateway's environment is development";
    refused(&one_folder(Development), reason).await;

    std::fs::remove_dir_all(ground.folder.join("keys")).unwrap();
    let good = one_folder(Development);
    gateway::create_keys(&good, false).unwrap();
    start(&good).await.unwrap();
    refused(&one_folder(Production), "are for development").await;
}

/// DW-83: each name that others know is looked at by itself, so that one of the other environment is refused also where
/// everything else is right.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dw_83_one_name_of_the_other_environment_is_refused_wherever_it_stands() {
    let ground = Ground::lay().await;
    type Change = fn(&mut Config);
    let cases: [(Environment, &str, Change); 14] = [
        (Production, "organisation anytown-development: ", |config| {
            config.organisations[0].id = "anytown-development".into();
        }),
        (
            Production,
            "client_id staff.anytown-development: ",
            |config| {
                config.organisations[0].relying_parties[0].client_id =
                    "staff.anytown-development".into();
            },
        ),
        (Production, "organisations.anytown.did: ", |config| {
            config.organisations[0].did = Some("did:web:staff-development.trust.example".into());
        }),
        (Production, "trusted issuer did:web:", |config| {
            trust(config, "did:web:other.example:issuers:newtown-development");
        }),
        (Production, "trusted issuer https:", |config| {
            trust(config, "https://other.example/issuers/newtown-development");
        }),
        (Production, "trusted issuer did:web:", |config| {
            trust(config, "did:web:newtown-development.passports.example");
        }),
        (Production, "trusted issuer did:web:", |config| {
            let did = "did:web:newtown-development.passports.example%3A8443";
            trust(config, did);
        }),
        (Production, "trusted issuer https:", |config| {
            trust(config, "https://newtown-development.passports.example");
        }),
        (Development, "organisation anytown: ", |config| {
            config.organisations[0].id = "anytown".into();
        }),
        (Development, "client_id staff.anytown: ", |config| {
            config.organisations[0].relying_parties[0].client_id = "staff.anytown".into();
        }),
        (
            Development,
            "organisations.anytown-development.did: ",
            |config| config.organisations[0].did = Some("did:web:staff.trust.example".into()),
        ),
        (Development, "trusted issuer did:web:", |config| {
            trust(config, "did:web:other.example:issuers:newtown");
        }),
        (Development, "trusted issuer https:", |config| {
            trust(config, "https://other.example/issuers/newtown");
        }),
        // Below the domain of which each organisation has a part every name is an id.
        (Development, "trusted issuer did:web:", |config| {
            config.did_domain = Some("passports.example:8443".into());
            trust(config, "did:web:newtown.passports.example%3A8443");
        }),
    ];
    let mut let_through = Vec::new();
    for (case, (environment, named, change)) in cases.into_iter().enumerate() {
        let mut config = ground.sound(environment);
        change(&mut config);
        let told = start(&config).await.map(drop);
        let reason = match environment {
            Production => "-development belongs to a development environment",
            Development => " must end with -development",
        };
        let is_refused = |told: &String| told.contains(named) && told.contains(reason);
        if !told.as_ref().is_err_and(is_refused) {
            let_through.push((case, named, told));
        }
    }
    assert!(let_through.is_empty(), "{let_through:#?}");

    // An issuer elsewhere has a domain of its own and calls its host what it likes; an organisation of ours says it there.
    for (environment, did) in [
        (Production, "did:web:staff.trust.example"),
        (Development, "did:web:staff-development.trust.example"),
    ] {
        let mut config = ground.sound(environment);
        config.organisations[0].did = Some(did.into());
        config.did_domain = Some("passports.example".into());
        let issuers = &mut config.organisations[0].trust[0].issuers;
        issuers.push("did:web:cards.supplier.example".into());
        issuers.push("did:web:supplier.example:cards".into());
        issuers.push(match environment {
            Production => "did:web:newtown.passports.example".into(),
            Development => "did:web:newtown-development.passports.example".into(),
        });
        gateway::create_keys(&config, false).unwrap();
        start(&config).await.unwrap();
    }
}

fn trust(config: &mut Config, issuer: &str) {
    config.organisations[0].trust[0].issuers = vec![issuer.to_owned()];
}

/// DW-83: what is declared while a gateway runs is looked at like what stands in its file.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dw_83_what_is_declared_of_development_is_no_plan_for_production() {
    let ground = Ground::lay().await;
    let config = ground.sound(Production);
    gateway::create_keys(&config, false).unwrap();
    let gateway = start(&config).await.unwrap();
    let plan = async |id: &str, client_id: &str, issuer: &str| {
        let text = format!(
            r#"
[[organisations]]
id = "{id}"
name = "Newtown NHS Trust"
issues = ["FireSafety"]
[[organisations.trust]]
credential_type = "Identity"
issuers = ["{issuer}"]
[[organisations.relying_parties]]
name = "Newtown staff services"
client_id = "{client_id}"
redirect_uris = ["https://staff.newtown.example/callback"]
dialect = "plain"
"#
        );
        let planned = gateway.plan(&declaration(&text), false).await;
        planned.map(drop).map_err(|error| error.to_string())
    };
    let (client_id, issuer) = ("newtown-staff", "did:web:newtown.passports.example");
    plan("newtown", client_id, issuer).await.unwrap();
    let theirs = "did:web:newtown-development.passports.example";
    let mut let_through = Vec::new();
    for (planned, named) in [
        (
            plan("newtown-development", client_id, issuer).await,
            "organisation newtown-development: ",
        ),
        (
            plan("newtown", "newtown-staff-development", issuer).await,
            "client_id newtown-staff-development: ",
        ),
        (
            plan("newtown", client_id, theirs).await,
            "trusted issuer did:web:newtown-development.passports.example: ",
        ),
    ] {
        let reason = "belongs to a development environment";
        let is_refused = |told: &String| told.contains(named) && told.contains(reason);
        if !planned.as_ref().is_err_and(is_refused) {
            let_through.push((named, planned));
        }
    }
    assert!(let_through.is_empty(), "{let_through:#?}");
}

/// What asks the wallet for the credential, on behalf of that relying party.
async fn asked(world: &World, party: &Party) -> Requested {
    let scope = format!("openid {TYPE}");
    let address = world.pushed(party, |form| form.set("scope", &scope)).await;
    request(&Waiting::at(&address).await.link()).await
}

/// A credential of a programme, put into that wallet by that relying party.
async fn issued(world: &World, party: &Party, wallet: &RawWallet) -> String {
    let hint = world.hint(party, |_| ());
    let address = world.pushed(party, |form| form.issue(TYPE, &hint)).await;
    let link = Waiting::at(&address).await.link();
    wallet.receive(world, &link, "jwt-vc").await
}

/// Two gateways with the same relying parties, each with those of its environment.
async fn both() -> [World; 2] {
    let production = World::start().await;
    let development = World::start_changed(|config| {
        config.environment = Development;
        let id = "anytown-development";
        let did = gateway::organisation::did_of(&config.public_url, id).unwrap();
        let anytown = &mut config.organisations[0];
        id.clone_into(&mut anytown.id);
        for row in &mut anytown.trust {
            row.issuers = vec![did.clone()];
        }
        for party in &mut anytown.relying_parties {
            party.client_id += "-development";
        }
    })
    .await;
    [production, development]
}

/// What that relying party was given by that gateway.
fn given(world: &World, name: &str) -> Party {
    let mut party = world.party(name);
    if world.config.environment == Development {
        party.client_id += "-development";
    }
    party
}

/// DW-83: an employee shows a credential of development to a gateway of production, and the other way round.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dw_83_a_credential_of_one_environment_is_of_no_trusted_issuer_in_the_other() {
    let [production, development] = &both().await;
    let wallet = RawWallet::new();
    let real = issued(production, &given(production, "v2"), &wallet).await;
    let tried = issued(development, &given(development, "v2"), &wallet).await;
    for (world, own, other) in [(production, &real, &tried), (development, &tried, &real)] {
        let present = async |credential: &str| -> Answer {
            let requested = asked(world, &given(world, "plain")).await;
            let now = world.now();
            let token = wallet.present_w3c(credential, &requested, now).await;
            requested.post(requested.answer(token)).await
        };
        let answer = present(other).await;
        let stranger = (400, "access_denied", "issuer-not-trusted");
        assert_eq!(refusal(&answer), stranger, "{}", answer.body);
        let answer = present(own).await;
        assert_eq!(answer.status.as_u16(), 200, "{}", answer.body);
    }
}

/// DW-83: a system calls a gateway of production with what it was given for development, and the other way round.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dw_83_a_client_of_one_environment_is_an_invalid_client_in_the_other() {
    let [production, development] = &both().await;
    for (world, other) in [(production, development), (development, production)] {
        for name in ["v2", "plain"] {
            let answer = world.push(&given(other, name), |_| ()).await;
            let heard = (answer.status.as_u16(), answer.error());
            assert_eq!(heard, (401, "invalid_client"), "{}", answer.body);
            let answer = world.push(&given(world, name), |_| ()).await;
            assert_eq!(answer.status.as_u16(), 201, "{}", answer.body);
        }
    }
}
