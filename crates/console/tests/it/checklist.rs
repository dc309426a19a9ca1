//! The page of the set-up checklist: what needs somebody comes first with what to do, and each sees what their role may know.

use gateway::admin::Role;

use crate::database::Database;
use crate::desk::Desk;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_needs_somebody_stands_before_what_is_in_order_with_what_to_do_and_where() {
    let desk = Desk::start(Database::sqlite()).await;
    let mut ann = desk.person("ann", Role::Administrator, None).await;
    let page = ann.browser.get("/console/checklist").await.expect(200);
    let html = &page.html;
    let place = |text: &str| {
        html.find(text)
            .unwrap_or_else(|| panic!("{text} is not in {html}"))
    };
    // Nobody but Ann can come in; the link leads to where that is mended.
    let approvers = place("Two people for what takes two");
    assert!(place("id=\"to-do\"") < approvers && approvers < place("id=\"in-order\""));
    page.says("Fewer than two people can come in for new operators and roles (1)");
    page.says("What to do:").says("href=\"/console/operators\"");
    let cards = html.matches("data-finding").count();
    page.says(&format!("{cards} things need somebody."));
    assert_eq!(html.matches("What to do:").count(), cards);
    // What is in order of an organisation is one line, and not one for each check.
    let in_order = &html[place("id=\"organisations\"")..];
    assert!(in_order.contains("Signing keys, "), "{in_order}");
    assert!(!in_order.contains("keys in use"), "{in_order}");

    // Somebody of one organisation, and of a role that may not see keys.
    let mut sue = desk.person("sue", Role::Desk, Some("anytown")).await;
    let page = sue.browser.get("/console/checklist").await.expect(200);
    page.says("anytown: Trust list");
    for text in ["elsewhere", "Two people", "Database", "Signing keys"] {
        assert!(!page.html.contains(text), "{text}: {}", page.html);
    }
}
