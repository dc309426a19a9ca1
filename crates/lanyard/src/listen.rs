//! Listeners on both loopback addresses, or on all, with and without TLS.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use axum::Router;
use axum_server::Handle;
use axum_server::tls_rustls::RustlsConfig;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use hyper_util::server::conn::auto;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::task::JoinSet;

/// How long a caller may take over its headers, or over the answer to an HTTP/2 ping.
const HEADERS: Duration = Duration::from_secs(10);
/// How long requests in flight may take once the program is told to stop.
const GRACE: Duration = Duration::from_secs(3);

/// Everything that listens.
#[derive(Default)]
pub struct Listeners {
    handle: Handle<SocketAddr>,
    tasks: JoinSet<anyhow::Error>,
}

impl Listeners {
    /// Serves a router on a port of 127.0.0.1 and, where the machine has it, `::1`; `everywhere` means all
    /// addresses instead.
    pub fn serve(
        &mut self,
        name: &'static str,
        port: u16,
        everywhere: bool,
        tls: Option<&RustlsConfig>,
        router: &Router,
    ) -> anyhow::Result<()> {
        for listener in bind_port(name, port, everywhere)? {
            self.spawn(name, listener, tls.cloned(), router.clone());
        }
        Ok(())
    }

    /// Serves a router at one address.
    pub fn serve_at(
        &mut self,
        name: &'static str,
        address: SocketAddr,
        tls: Option<RustlsConfig>,
        router: Router,
    ) -> anyhow::Result<()> {
        let listener =
            bind(address).with_context(|| format!("{address} is taken or not allowed"))?;
        self.spawn(name, listener, tls, router);
        Ok(())
    }

    fn spawn(
        &mut self,
        name: &'static str,
        listener: TcpListener,
        tls: Option<RustlsConfig>,
        router: Router,
    ) {
        // Who calls is known to what is served: the portal counts attempts to log in by it.
        let service = router.into_make_service_with_connect_info::<SocketAddr>();
        let handle = self.handle.clone();
        self.tasks.spawn(async move {
            let served = match tls {
                Some(tls) => match axum_server::from_tcp_rustls(listener, tls) {
                    Ok(mut server) => {
                        bound_headers(server.http_builder());
                        server.handle(handle).serve(service).await
                    }
                    Err(error) => Err(error),
                },
                None => match axum_server::from_tcp(listener) {
                    Ok(mut server) => {
                        bound_headers(server.http_builder());
                        server.handle(handle).serve(service).await
                    }
                    Err(error) => Err(error),
                },
            };
            match served {
                Ok(()) => anyhow::anyhow!("the {name} stopped listening"),
                Err(error) => {
                    anyhow::anyhow!(error).context(format!("the {name} stopped listening"))
                }
            }
        });
    }

    /// Serves until the program is told to stop, a listener fails, or `work`, which belongs to what is served, ends.
    pub async fn until_stopped(
        mut self,
        work: impl Future<Output = anyhow::Error>,
    ) -> anyhow::Result<()> {
        let outcome = tokio::select! {
            () = stop_signal() => Ok(()),
            error = work => Err(error),
            error = self.failed() => Err(error),
        };
        self.stop().await;
        outcome
    }

    /// Stops accepting, gives requests in flight their time.
    pub async fn stop(mut self) {
        self.handle.graceful_shutdown(Some(GRACE));
        while self.tasks.join_next().await.is_some() {}
    }

    /// Waits until one listener fails.
    pub async fn failed(&mut self) -> anyhow::Error {
        match self.tasks.join_next().await {
            Some(Ok(error)) => error,
            Some(Err(error)) => error.into(),
            None => anyhow::anyhow!("nothing is listening"),
        }
    }
}

/// A caller that never finishes its headers does not keep its connection (SEC-34).
fn bound_headers(builder: &mut auto::Builder<TokioExecutor>) {
    let mut http1 = builder.http1();
    http1.timer(TokioTimer::new()).header_read_timeout(HEADERS);
    let mut http2 = builder.http2();
    http2
        .timer(TokioTimer::new())
        .keep_alive_interval(Some(HEADERS))
        .keep_alive_timeout(HEADERS);
}

/// A port of 127.0.0.1 and, where the machine has it, `::1`; `everywhere` means all addresses instead.
pub fn bind_port(name: &str, port: u16, everywhere: bool) -> anyhow::Result<Vec<TcpListener>> {
    let (v4, v6) = if everywhere {
        (Ipv4Addr::UNSPECIFIED, Ipv6Addr::UNSPECIFIED)
    } else {
        (Ipv4Addr::LOCALHOST, Ipv6Addr::LOCALHOST)
    };
    let first = bind((v4, port).into())
        .with_context(|| format!("port {port} is taken or not allowed ({name})"))?;
    // A machine without IPv6, or with dual-stack sockets, does without the second.
    let second = bind((v6, port).into()).ok();
    Ok(std::iter::once(first).chain(second).collect())
}

fn bind(address: SocketAddr) -> std::io::Result<TcpListener> {
    let listener = TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// TLS from a certificate chain and a key; the crates' safe defaults (TLS 1.2 with AEAD suites, and 1.3).
pub fn tls(certificate: &Path, key: &Path) -> anyhow::Result<RustlsConfig> {
    let chain = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .with_context(|| format!("{} is not a PEM certificate chain", certificate.display()))?;
    let key = PrivateKeyDer::from_pem_file(key)
        .with_context(|| format!("{} is not a PEM private key", key.display()))?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .context("the certificate and the key do not fit each other")?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(RustlsConfig::from_config(Arc::new(config)))
}

/// Ctrl-C, or the signal with which service managers stop programs.
pub async fn stop_signal() {
    #[cfg(unix)]
    if let Ok(mut terminate) =
        tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())
    {
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminate.recv() => {}
        }
        return;
    }
    let _ = tokio::signal::ctrl_c().await;
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use axum::extract::ConnectInfo;
    use axum::routing::get;

    use super::*;

    #[tokio::test]
    async fn what_is_served_knows_who_calls() {
        let whoever = async |ConnectInfo(caller): ConnectInfo<SocketAddr>| caller.ip().to_string();
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = free.local_addr().unwrap();
        drop(free);
        let mut listeners = Listeners::default();
        let router = Router::new().route("/", get(whoever));
        listeners.serve_at("test", address, None, router).unwrap();
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let answer = client.get(format!("http://{address}/")).send().await;
        let text = answer.unwrap().text().await.unwrap();
        assert_eq!(text, "127.0.0.1");
    }
}
