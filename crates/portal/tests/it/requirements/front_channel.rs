//! What browsers and wallets get to see, and where it leads.

use url::Url;

use super::reading::RECORD;
use super::wire::{Exchange, Party};
use crate::staff::ANNAS;
use crate::world::World;

/// A first and a second credential, one of them refused in the wallet.
async fn walked() -> World {
    let world = World::start().await;
    let anna = world.anna().await;
    world.wire.forget();
    world.add(&anna, RECORD).await;
    world.add(&anna, "anna-fire").await;
    world
}

/// Everything that goes through a browser: its requests, and the addresses that it is led to.
fn addresses(world: &World) -> Vec<String> {
    let is_of_server = |one: &Exchange| {
        one.party == Party::Gateway && ["/par", "/token"].iter().any(|end| one.path.ends_with(end))
    };
    let mut exchanges = world.wire.exchanges();
    exchanges.retain(|one| !is_of_server(one));
    let both = |one: &Exchange| [one.address(), one.location().to_owned()];
    exchanges.iter().flat_map(both).collect()
}

/// Where a wallet link sends the wallet.
fn wallet_goes_to(link: &str) -> Vec<Url> {
    let link: Url = link.parse().unwrap();
    let pairs = link.query_pairs();
    pairs
        .filter(|(name, _)| name.ends_with("_uri"))
        .map(|(_, value)| value.parse().unwrap())
        .collect()
}

/// The portal's pages know of no wallet, the gateway's pages send it to the gateway, and nobody but a browser with the
/// portal's own cookie ever comes to the portal.
#[tokio::test]
async fn dw_05_the_wallet_deals_with_the_gateway_alone() {
    let world = walked().await;
    let gateway: Url = world.door.base.parse().unwrap();
    let mut links = 0;
    for one in world.wire.exchanges() {
        let parts = one.answer.split("href=\"").skip(1);
        let hrefs = parts.map(|part| part.split('"').next().unwrap());
        for href in hrefs.map(|href| href.replace("&#38;", "&").replace("&amp;", "&")) {
            if !href.starts_with("openid") && !href.starts_with("haip") {
                continue;
            }
            assert_eq!(one.party, Party::Gateway, "{}", one.path);
            let goes_to = wallet_goes_to(&href);
            assert!(!goes_to.is_empty(), "{href}");
            assert!(goes_to.iter().all(|url| url.origin() == gateway.origin()));
            links += 1;
        }
        if one.party == Party::Portal {
            let cookies = one.headers.get("cookie");
            let cookies = cookies.map_or("", |cookies| cookies.to_str().unwrap());
            assert!(cookies.contains("lanyard-portal="), "{}", one.path);
        }
    }
    assert!(links >= 3, "only {links}");
}

/// A redirect of the whole window, not a frame and not a second window.
#[tokio::test]
async fn dw_33_the_browsers_window_itself_goes_to_the_gateway() {
    let world = walked().await;
    let starts = [
        world.wire.at(Party::Portal, "/identity/start"),
        world.wire.at(Party::Portal, "/add"),
    ];
    let starts: Vec<Exchange> = starts.into_iter().flatten().collect();
    assert_eq!(starts.len(), 3);
    for start in starts {
        assert_eq!(start.status, 303, "{}", start.path);
        let url: Url = start.location().parse().unwrap();
        assert!(url.as_str().starts_with(&world.door.base), "{url}");
        assert!(url.path().ends_with("/authorize"), "{url}");
    }
    for page in world.wire.at(Party::Portal, "") {
        for other in ["<iframe", "<frame", "<object", "window.open", "_blank"] {
            assert!(!page.answer.contains(other), "{} has {other}", page.path);
        }
    }
}

/// Nothing that the credential says is in an address: neither plain nor encoded nor inside a token.
#[tokio::test]
async fn dw_52_the_credentials_content_goes_from_server_to_server_only() {
    let world = walked().await;
    let addresses = addresses(&world);
    assert!(addresses.len() > 30);
    let drafts = world.wire.pushed_drafts();
    assert_eq!(drafts.len(), 2);
    for draft in drafts {
        assert!(!draft.headers.contains_key("cookie"));
        let hint = draft.form()["id_token_hint"].clone();
        let content = hint.split('.').nth(1).unwrap().to_owned();
        let claims = draft.draft();
        let values = claims.iter().filter(|(name, _)| name.contains('-'));
        let mut secret: Vec<String> = values
            .filter_map(|(_, value)| value.as_str())
            .filter(|value| value.len() > 4)
            .map(str::to_owned)
            .collect();
        secret.extend([ANNAS.to_owned(), content]);
        secret.push(claims["SerialNumber"].as_str().unwrap().to_owned());
        for address in &addresses {
            let pairs = url::form_urlencoded::parse(address.as_bytes());
            let decoded: Vec<String> = pairs.map(|(_, value)| value.into_owned()).collect();
            for value in &secret {
                assert!(!address.contains(value), "{address}");
                assert!(!decoded.iter().any(|one| one.contains(value)), "{address}");
            }
        }
    }
}
