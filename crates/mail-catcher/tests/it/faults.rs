//! Each way of misbehaving, as a real mail client meets it.

use std::time::Duration;

use serde_json::json;

use crate::mailbox::{Folder, Mailbox, message};

#[tokio::test]
async fn a_fault_holds_until_it_is_changed() {
    let folder = Folder::new();
    let mailbox = Mailbox::open(&folder).await;
    assert_eq!(mailbox.json("/api/misbehave").await, json!({"fault": null}));
    let armed = json!({"fault": "refuse-temporarily"});
    assert_eq!(
        mailbox.post("/api/misbehave", &armed).await,
        (200, armed.clone())
    );
    for _ in 0..2 {
        let refused = mailbox.send(message("Now?", "Hello")).await.unwrap_err();
        assert!(refused.is_transient(), "{refused}");
        assert_eq!(refused.status().map(u16::from), Some(451));
    }
    assert_eq!(mailbox.json("/api/misbehave").await, armed);
    assert!(mailbox.catcher.messages().is_empty());

    assert_eq!(
        mailbox
            .post("/api/misbehave", &json!({"fault": null}))
            .await
            .0,
        200
    );
    mailbox.send(message("Now", "Hello")).await.unwrap();
    assert_eq!(mailbox.catcher.messages().len(), 1);
}

#[tokio::test]
async fn a_recipient_is_refused_for_good() {
    let folder = Folder::new();
    let mailbox = Mailbox::open(&folder).await;
    mailbox
        .post("/api/misbehave", &json!({"fault": "refuse-for-good"}))
        .await;
    let refused = mailbox.send(message("Never", "Hello")).await.unwrap_err();
    assert!(refused.is_permanent(), "{refused}");
    assert_eq!(refused.status().map(u16::from), Some(550));
    assert!(mailbox.catcher.messages().is_empty());
}

#[tokio::test]
async fn a_sender_that_hears_no_answer_sends_again_and_both_are_kept_under_one_message_id() {
    let folder = Folder::new();
    let mailbox = Mailbox::open(&folder).await;
    mailbox
        .post("/api/misbehave", &json!({"fault": "drop-before-answer"}))
        .await;
    let lost = mailbox.send(message("Twice", "Hello")).await.unwrap_err();
    assert_eq!(lost.status(), None, "{lost}");
    mailbox
        .post("/api/misbehave", &json!({"fault": null}))
        .await;
    mailbox.send(message("Twice", "Hello")).await.unwrap();
    let messages = mailbox.json("/api/messages").await;
    assert_eq!(messages.as_array().unwrap().len(), 2);
    assert_eq!(messages[0], messages[1]);
}

#[tokio::test]
async fn a_silent_catcher_leaves_a_sender_to_its_own_patience() {
    let folder = Folder::new();
    let mailbox = Mailbox::open(&folder).await;
    mailbox
        .post("/api/misbehave", &json!({"fault": "silent"}))
        .await;
    let mut speaker = mailbox.speak().await;
    assert!(speaker.hears_nothing().await);
    speaker.say("EHLO tester.example\r\n").await;
    assert!(speaker.hears_nothing().await);
    // The client's own time limit ends with the connection attempt: whoever sends needs one around the whole.
    let message = message("Hello?", "Hello");
    let sending = tokio::time::timeout(Duration::from_millis(300), mailbox.send(message));
    assert!(sending.await.is_err());
    assert!(mailbox.catcher.messages().is_empty());
}
