//! Step 6.8: an ID token is believed when everything about it holds, and the identity in it when it is whole.

use super::cheat::{IDENTIFIERS, Wrong, with_identifier};
use crate::world::World;

const VERIFIED: &str = "Your identity has been verified";

/// What the person sees whose identity arrives in such an answer of the token endpoint.
async fn told(world: &World, make: impl Fn(&str) -> String + Send + Sync + 'static) -> String {
    let anna = world.logged_in("anna").await;
    world.wire.change("/token", make);
    let page = world.verify(&anna, "anna").await;
    world.wire.leave();
    let heading = page.heading();
    let is_verified = anna.open("/identity").await.path() == "/identity/done";
    assert_eq!(is_verified, heading == VERIFIED, "{heading}");
    heading
}

#[tokio::test]
async fn dw_40_a_token_of_which_anything_is_wrong_verifies_nobody() {
    let world = World::start().await;
    world.anna().await;
    for (wrong, expected) in [(Wrong::Nothing, VERIFIED)]
        .into_iter()
        .chain(Wrong::ALL.map(|wrong| (wrong, "There is a problem with the service")))
    {
        let key = world.id_token_key();
        let heading = told(&world, move |answer| wrong.put_into(answer, &key)).await;
        assert_eq!(heading, expected, "{wrong:?}");
    }
}

/// The journey ends as with a mismatch.
#[tokio::test]
async fn dw_46_an_identity_without_its_unique_identifier_verifies_nobody() {
    let world = World::start().await;
    world.anna().await;
    for identifier in IDENTIFIERS {
        let key = world.id_token_key();
        let heading = told(&world, move |answer| {
            with_identifier(answer, &key, identifier)
        })
        .await;
        assert_eq!(heading, "We could not match your identity");
    }
}
