//! Whoever sends more than a server wants to read hears why.
//!
//! A server that answers before it has read the request's body, and then closes the connection, cuts off whoever is
//! still sending: the client finds its connection broken and never sees the answer (RFC 9112, section 9.6). So the rest
//! of a body that was refused is read and thrown away, up to [`MOST`] bytes and for [`LONGEST`]. It is for faces where a
//! person uploads a file or a program sends a feed; one that stands open to everybody need not be that polite.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::BoxError;
use axum::body::{Body, Bytes, HttpBody};
use axum::extract::Request;
use axum::http::header::EXPECT;
use axum::middleware::Next;
use axum::response::Response;
use http_body_util::BodyExt;
use hyper::body::{Frame, SizeHint};
use tokio::runtime::Handle;

/// How much of a refused body is thrown away, in bytes: a few times what any of our addresses reads at once.
pub const MOST: u64 = 16 << 20;

/// How long a refused body is waited for.
pub const LONGEST: Duration = Duration::from_secs(5);

/// A layer (`axum::middleware::from_fn`): what the layers below leave of a body is read to its end.
pub async fn thrown_away(request: Request, next: Next) -> Response {
    // Whoever asks first (`Expect: 100-continue`) has not begun, and reading would invite it to.
    if request.body().is_end_stream() || request.headers().contains_key(EXPECT) {
        return next.run(request).await;
    }
    next.run(request.map(|body| Body::new(Unread(body)))).await
}

/// A body of which nothing stays unread.
struct Unread(Body);

impl HttpBody for Unread {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        Pin::new(&mut self.0)
            .poll_frame(context)
            .map_err(BoxError::from)
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.0.size_hint()
    }
}

impl Drop for Unread {
    fn drop(&mut self) {
        if self.0.is_end_stream() {
            return;
        }
        // Without a runtime the process is going down, and so are its connections.
        if let Ok(runtime) = Handle::try_current() {
            let rest = std::mem::take(&mut self.0);
            runtime.spawn(tokio::time::timeout(LONGEST, throw_away(rest)));
        }
    }
}

async fn throw_away(mut rest: Body) {
    let mut read = 0;
    while let Some(Ok(frame)) = rest.frame().await {
        read += frame.data_ref().map_or(0, |data| data.len() as u64);
        if read > MOST {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::cast_possible_truncation)]

    use std::io::ErrorKind;

    use axum::Router;
    use axum::http::StatusCode;
    use axum::middleware::from_fn;
    use axum::routing::post;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};

    use super::*;

    /// A server that refuses every body without reading it, and a connection to it.
    async fn refusing() -> TcpStream {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let refuse = |body: Body| async {
            drop(body);
            // What the drop has set going is before the answer.
            tokio::time::sleep(Duration::from_millis(20)).await;
            StatusCode::PAYLOAD_TOO_LARGE
        };
        let router = Router::new()
            .route("/", post(refuse))
            .layer(from_fn(thrown_away));
        tokio::spawn(async move { axum::serve(listener, router).await });
        TcpStream::connect(address).await.unwrap()
    }

    fn head(length: u64, more: &str) -> String {
        format!("POST / HTTP/1.1\r\nhost: here\r\ncontent-length: {length}\r\n{more}\r\n")
    }

    async fn answer(stream: &mut TcpStream) -> String {
        let mut buffer = [0; 4096];
        let length = stream.read(&mut buffer).await.unwrap();
        String::from_utf8_lossy(&buffer[..length]).into_owned()
    }

    /// More than what the two kernels hold for each other, so that the server has to read it.
    const LARGE: u64 = MOST - 1;

    #[tokio::test]
    async fn whoever_sends_to_the_end_hears_the_refusal_and_may_go_on() {
        let mut stream = refusing().await;
        for _ in 0..2 {
            stream.write_all(head(LARGE, "").as_bytes()).await.unwrap();
            stream.write_all(&vec![b'a'; LARGE as usize]).await.unwrap();
            assert!(answer(&mut stream).await.starts_with("HTTP/1.1 413"));
        }
    }

    #[tokio::test]
    async fn nobody_sends_without_end() {
        let mut stream = refusing().await;
        stream
            .write_all(head(u64::MAX >> 1, "").as_bytes())
            .await
            .unwrap();
        let part = vec![b'a'; 1 << 20];
        let error = loop {
            if let Err(error) = stream.write_all(&part).await {
                break error;
            }
        };
        assert!(
            [ErrorKind::BrokenPipe, ErrorKind::ConnectionReset].contains(&error.kind()),
            "{error}"
        );
    }

    #[tokio::test]
    async fn whoever_asks_first_is_not_invited_to_send() {
        let mut stream = refusing().await;
        let asking = head(LARGE, "expect: 100-continue\r\n");
        stream.write_all(asking.as_bytes()).await.unwrap();
        assert!(answer(&mut stream).await.starts_with("HTTP/1.1 413"));
    }
}
