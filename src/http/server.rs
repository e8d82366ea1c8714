//! The HTTP server: limits on what a client may cost, and headers on every answer.

use axum::Router;
use axum::body::HttpBody;
use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

/// Connections at once; more wait until one ends.
const CONNECTIONS: usize = 256;
/// How long a client may take over the head of a request, and stay without one.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// How large the head may be.
const HEAD_BYTES: usize = 16 << 10;
/// How large a body may be; only answers of `rasid label` have one, of some bytes.
const BODY_BYTES: u64 = 1 << 10;

/// Serves `routes` until `stop` resolves and what was asked until then is answered.
pub(super) async fn serve(listener: TcpListener, routes: Router, stop: impl Future<Output = ()>) {
    let service = TowerToHyperService::new(routes.layer(from_fn(guard)));
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    let connections = GracefulShutdown::new();
    let mut stop = pin!(stop);
    loop {
        let next = async {
            let place = places.clone().acquire_owned().await;
            (place, listener.accept().await)
        };
        let (place, stream) = tokio::select! {
            () = &mut stop => break,
            (place, accepted) = next => match accepted {
                Ok((stream, _)) => (place, stream),
                Err(error) => {
                    // out of file descriptors, or a client that has gone again
                    tracing::debug!(%error, "http: accept");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
            },
        };
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_TIMEOUT)
            .max_buf_size(HEAD_BYTES)
            .serve_connection(TokioIo::new(stream), service.clone());
        let connection = connections.watch(connection);
        tokio::spawn(async move {
            // what a client does wrong is its own affair
            let _ = connection.await;
            drop(place);
        });
    }
    connections.shutdown().await;
}

/// On every answer that does not say otherwise: nothing from elsewhere, no frames, no sniffing, no copy kept.
const HEADERS: [(HeaderName, HeaderValue); 6] = [
    (
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'none'; base-uri 'none'; frame-ancestors 'none'"),
    ),
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin")),
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
];

async fn guard(request: Request, next: Next) -> Response {
    let large = request.body().size_hint().upper().is_none_or(|bytes| bytes > BODY_BYTES);
    let mut response = if large {
        let limit = format!("a body may have {BODY_BYTES} bytes\n");
        (StatusCode::PAYLOAD_TOO_LARGE, [(header::CONNECTION, "close")], limit).into_response()
    } else if is_cross_site(&request) {
        (StatusCode::FORBIDDEN, "not from the page of another site\n").into_response()
    } else {
        next.run(request).await
    };
    for (name, value) in HEADERS {
        response.headers_mut().entry(name).or_insert(value);
    }
    response
}

/// Whether a page of another site makes the browser of somebody who may do it ask for a change.
fn is_cross_site(request: &Request) -> bool {
    let site = request.headers().get("sec-fetch-site").map(HeaderValue::as_bytes);
    !request.method().is_safe() && site.is_some_and(|site| site != b"same-origin" && site != b"none")
}
