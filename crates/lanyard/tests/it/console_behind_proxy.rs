//! The console on a loopback listener, with a proxy before it that ends TLS: what the browser's address says decides on its
//! cookies (rulings 17).

use reqwest::header::{COOKIE, HOST, SET_COOKIE};
use reqwest::{RequestBuilder, Response};

use crate::admin_command::{Scene, lanyard};

/// Every cookie that an answer sets, whole.
fn cookies(answer: &Response) -> Vec<String> {
    let set = answer.headers().get_all(SET_COOKIE).iter();
    set.map(|cookie| cookie.to_str().unwrap().to_owned())
        .collect()
}

/// As the proxy passes it on: over http, with the host that the browser asked for.
async fn passed_on(request: RequestBuilder) -> Response {
    let request = request.header(HOST, "console.example.org");
    request.send().await.unwrap()
}

/// Logs in as the account for emergencies; gives the cookies of the form and of the session.
async fn log_in(scene: &Scene) -> [String; 2] {
    let (content, token) = lanyard(&[
        "operator",
        "add",
        "glass",
        "--role",
        "administrator",
        "--break-glass",
        "--config",
        &scene.config,
    ]);
    assert!(content, "{token}");
    let client = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap();
    let address = format!("{}/console/emergency", scene.url);
    let form = passed_on(client.get(&address)).await;
    let [own] = cookies(&form).try_into().unwrap();
    let html = form.text().await.unwrap();
    let (_, rest) = html.split_once("name=\"csrf\" value=\"").unwrap();
    let csrf = rest.split('"').next().unwrap();
    let fields = [("csrf", csrf), ("token", token.trim())];
    let pair = own.split(';').next().unwrap();
    let sent = client.post(&address).header(COOKIE, pair).form(&fields);
    let entered = passed_on(sent).await;
    assert_eq!(entered.status().as_u16(), 303, "{entered:?}");
    let session = cookies(&entered)
        .into_iter()
        .find(|cookie| !cookie.contains("console-form="));
    [own, session.unwrap()]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn behind_a_proxy_that_ends_tls_the_consoles_cookies_are_bound_to_https_and_to_the_host() {
    let scene = Scene::start_with("admin.public_url = \"https://console.example.org\"\n");
    for cookie in log_in(&scene).await {
        assert!(cookie.starts_with("__Host-lanyard-console"), "{cookie}");
        assert!(
            cookie.contains("; Secure") && cookie.contains("; Path=/;"),
            "{cookie}"
        );
        assert!(!cookie.contains("Domain"), "{cookie}");
    }
    drop(scene);
    // Without a proxy, on this machine over http: a browser would keep no such cookie.
    let scene = Scene::start();
    for cookie in log_in(&scene).await {
        assert!(cookie.starts_with("lanyard-console"), "{cookie}");
        assert!(!cookie.contains("Secure"), "{cookie}");
    }
}
