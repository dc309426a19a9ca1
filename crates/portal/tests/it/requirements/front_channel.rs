//! What browsers and wallets get to see, and where it leads.

use url::Url;

use super::reading::RECORD;
use super::wire::{Exchange, Party, stands_not_in};
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

/// The portal's pages know of no wallet, the gateway's pages send it to the gateway, and nobody but a browser with the
/// portal's own cookie ever comes to the portal.
#[tokio::test]
async fn dw_05_the_wallet_deals_with_the_gateway_alone() {
    let world = walked().await;
    let gateway: Url = world.door.base.parse().unwrap();
    let goes_to = world.wire.wallets_are_sent_to(Party::Gateway);
    assert!(goes_to.len() >= 3, "only {}", goes_to.len());
    assert!(goes_to.iter().all(|url| url.origin() == gateway.origin()));
    assert!(world.wire.wallets_are_sent_to(Party::Portal).is_empty());
    for one in world.wire.at(Party::Portal, "") {
        let cookies = one.headers.get("cookie");
        let cookies = cookies.map_or("", |cookies| cookies.to_str().unwrap());
        assert!(cookies.contains("lanyard-portal="), "{}", one.path);
    }
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
    let addresses = world.wire.addresses();
    assert!(addresses.len() > 30);
    let drafts = world.wire.pushed_drafts();
    assert_eq!(drafts.len(), 2);
    for draft in drafts {
        assert!(!draft.headers.contains_key("cookie"));
        let secret = draft.confidential();
        assert!(secret.iter().any(|value| value == ANNAS));
        for address in &addresses {
            stands_not_in(&secret, address);
        }
    }
}
