//! Whoever has no token at the admin API's door.

use gateway::admin::Role;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::database::{Database, on_both_engines};
use crate::world::Admin;

on_both_engines!(sec_34_bodies_that_never_end_take_no_place_from_operators_nor_from_who_signs_in);

async fn sec_34_bodies_that_never_end_take_no_place_from_operators_nor_from_who_signs_in(
    database: Database,
) {
    let admin = Admin::start(database).await;
    let ann = admin.operator("ann", Role::Viewer, None).await;
    let host = admin.url.strip_prefix("http://").unwrap();
    let mut open = Vec::new();
    for path in ["/admin/v1/sessions", "/admin/v1/sign-in/confirm"].repeat(40) {
        let mut stream = TcpStream::connect(host).await.unwrap();
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: {host}\r\ncontent-type: application/json\r\ncontent-length: 60\r\n\r\n{{"
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        open.push(stream);
    }
    // The last of them is known to be under way when one that came after it is answered.
    let wrong = json!({ "name": "ann", "password": "wrong horse battery", "code": "" });
    for _ in 0..3 {
        let reply = admin
            .send(None, "POST", "/admin/v1/sessions", Some(&wrong))
            .await;
        reply.refused("sign-in-refused");
        admin.get(&ann, "/admin/v1/whoami").await.expect(200);
    }
    // And they are not waited for: each hears so within seconds.
    let mut said = vec![0; 12];
    open[0].read_exact(&mut said).await.unwrap();
    assert_eq!(said, b"HTTP/1.1 503");
}
