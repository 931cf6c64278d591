//! HTTP listeners: plain on loopback, with TLS anywhere.

use std::{net::SocketAddr, path::Path, time::Duration};

use axum::{Extension, Router};
use axum_server::{Handle, tls_rustls::RustlsConfig};
use tokio::task::JoinHandle;

use crate::{
    config::TlsListener,
    tls::{self, TlsError},
};

/// Whether a request came over TLS; then the cookie is marked `Secure`.
#[derive(Debug, Clone, Copy)]
pub struct Secure(pub bool);

/// How long open requests may take when the hub ends.
const GRACE: Duration = Duration::from_secs(2);

/// An address that cannot be listened on.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// Taken, or not this machine's.
    #[error("cannot listen on {0}")]
    Bind(SocketAddr, #[source] std::io::Error),
    /// No certificate.
    #[error("HTTP with TLS on {0}")]
    Tls(SocketAddr, #[source] TlsError),
    /// The certificate does not read.
    #[error("certificate for {0} does not read as PEM")]
    Certificate(SocketAddr, #[source] std::io::Error),
}

/// A running listener.
pub(super) struct Listener {
    pub(super) addr: SocketAddr,
    handle: Handle<SocketAddr>,
    task: JoinHandle<()>,
}

impl Listener {
    pub(super) async fn plain(addr: SocketAddr, router: Router) -> Result<Self, ListenError> {
        let (listener, addr) = bind(addr)?;
        let handle = Handle::new();
        let service = router.layer(Extension(Secure(false))).into_make_service_with_connect_info::<SocketAddr>();
        let server = axum_server::from_tcp(listener).map_err(|error| ListenError::Bind(addr, error))?.handle(handle.clone());
        let task = tokio::spawn(async move {
            if let Err(error) = server.serve(service).await {
                tracing::error!(%addr, %error, "an HTTP listener ended");
            }
        });
        Ok(Self { addr, handle, task })
    }

    pub(super) async fn tls(tls: &TlsListener, state_dir: &Path, router: Router) -> Result<Self, ListenError> {
        let (cert, key) = tls::files(&tls.certificate, state_dir).map_err(|error| ListenError::Tls(tls.listen, error))?;
        let config = RustlsConfig::from_pem_file(cert, key).await.map_err(|error| ListenError::Certificate(tls.listen, error))?;
        let (listener, addr) = bind(tls.listen)?;
        let handle = Handle::new();
        let service = router.layer(Extension(Secure(true))).into_make_service_with_connect_info::<SocketAddr>();
        let server = axum_server::from_tcp_rustls(listener, config).map_err(|error| ListenError::Bind(addr, error))?.handle(handle.clone());
        let task = tokio::spawn(async move {
            if let Err(error) = server.serve(service).await {
                tracing::error!(%addr, %error, "an HTTPS listener ended");
            }
        });
        Ok(Self { addr, handle, task })
    }

    pub(super) async fn stop(self) {
        self.handle.graceful_shutdown(Some(GRACE));
        let _ = self.task.await;
    }
}

fn bind(addr: SocketAddr) -> Result<(std::net::TcpListener, SocketAddr), ListenError> {
    let fail = |error| ListenError::Bind(addr, error);
    let listener = std::net::TcpListener::bind(addr).map_err(fail)?;
    listener.set_nonblocking(true).map_err(fail)?;
    let addr = listener.local_addr().map_err(fail)?;
    Ok((listener, addr))
}
