//! A portal of docs/integrate/examples in a real browser: its pages, and a form that is redirected to the gateway, which
//! a policy of its page could forbid. Both portals send the same pages.

use url::Url;
use wallet::client::Client;
use wallet::{Outcome, Scan};

use super::driver::{self, Browser, JavaScript};
use super::look::{Place, look};
use crate::example_stage::{Language, Portal, are_there, sandbox};
use crate::ports::Ports;

struct Example {
    portal: Url,
    gateway: Url,
}

impl Place for Example {
    fn is_ours(&self, address: &Url) -> bool {
        [&self.portal, &self.gateway]
            .iter()
            .any(|ours| ours.origin() == address.origin())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_pages_of_an_example_portal_are_accessible_and_its_forms_reach_the_gateway() {
    if !driver::is_there() || !are_there(&["python3"]) {
        return;
    }
    let ports = Ports::claim();
    let (sandbox, _folder) = sandbox(&ports).await;
    let portal = Portal::start(Language::Python, &sandbox);
    let wallet = Client::new(sandbox.file.urls.wallet.clone());
    let example = Example {
        portal: portal.base.clone(),
        gateway: sandbox.file.urls.gateway.clone(),
    };
    let anna = sandbox.file.employee("match").unwrap();
    let nowhere = ("localhost:8499", "localhost:8499");
    let browser = Browser::start(&sandbox.data, JavaScript::On, nowhere.0, nowhere.1).await;
    let scan = async |wanted| {
        browser.wait_for_address(example.gateway.as_str()).await;
        let link = browser.attribute("#open-wallet", "href").await;
        let scan = Scan {
            link,
            consent: true,
            choose: Vec::new(),
            transaction_code: None,
        };
        let scanned = wallet.scan(&anna.holder, &scan).await.unwrap();
        assert_eq!(scanned.outcome, wanted);
        browser.go_on_to(example.portal.as_str()).await;
    };
    let open = async |path: &str| {
        let address = example.portal.join(path).unwrap();
        browser.open(address.as_str()).await;
    };

    open("/").await;
    look(&example, &browser, "example-log-in").await;
    browser
        .fill("Employee, for example anna", &anna.username)
        .await;
    browser.fill("Password", &anna.password).await;
    browser.follow("#log-in").await;
    look(&example, &browser, "example-list").await;

    open("/confirm/anna-fire-safety").await;
    look(&example, &browser, "example-confirm").await;
    browser.follow("#confirm").await;
    look(&example, &browser, "example-identity").await;
    browser.follow("#verify-identity").await;
    scan(Outcome::Presented).await;
    look(&example, &browser, "example-verified").await;
    browser.follow("#add-to-wallet").await;
    scan(Outcome::Received).await;
    browser.wait_for_text("Added to your wallet").await;
    look(&example, &browser, "example-result").await;

    open("/answer-about-old-copy/anna-fire-safety").await;
    look(&example, &browser, "example-old-copy").await;
    open("/callback?code=made-up&state=made-up").await;
    look(&example, &browser, "example-trouble").await;
    open("/").await;
    browser.follow("#log-out").await;
    browser.wait_for_text("Employee").await;

    browser.close().await;
    drop(portal);
    sandbox.stop().await;
}
