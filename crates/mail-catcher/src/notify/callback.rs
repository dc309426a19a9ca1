//! [Notify: callbacks] Telling what became of a message: with the owner's bearer token, and again until it is taken.

use serde_json::json;

use super::api::instant;
use super::{CallbackOptions, Notification, NotifyService};

/// After the first time, so many times more.
const TIMES_MORE: u32 = 5;

/// Tells once; if that is not taken, goes on in the background.
pub(super) async fn tell(service: &NotifyService, notification: &Notification) {
    let Some(options) = service.options().callback else {
        return;
    };
    let body = json!({
        "id": notification.id,
        "reference": notification.reference,
        "to": notification.to,
        "status": notification.status.name(),
        "created_at": instant(notification.created_at),
        "completed_at": notification.completed_at.map(instant),
        "sent_at": instant(notification.created_at),
        "notification_type": "email",
        "template_id": notification.template.id,
        "template_version": notification.template.version,
    });
    let http = service.0.http.clone();
    if told(&http, &options, &body).await {
        return;
    }
    tokio::spawn(async move {
        for _ in 0..TIMES_MORE {
            tokio::time::sleep(options.again_after).await;
            if told(&http, &options, &body).await {
                return;
            }
        }
        tracing::warn!("a callback was not taken, and is not sent again");
    });
}

async fn told(http: &reqwest::Client, options: &CallbackOptions, body: &serde_json::Value) -> bool {
    let request = http
        .post(&options.url)
        .bearer_auth(&options.bearer)
        .json(body);
    let answer = request
        .timeout(std::time::Duration::from_secs(5))
        .send()
        .await;
    answer.is_ok_and(|answer| answer.status().is_success())
}
