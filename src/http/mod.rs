//! What the worker says of itself over HTTP: metrics, probes and the live page.

use crate::metrics::Metrics;
use crate::model::Classifier;
use crate::pipeline::{Health, stopped};
use axum::extract::State;
use axum::http::{HeaderName, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::json;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::sync::watch;

/// What the routes answer from.
#[derive(Clone, Debug)]
pub struct Shared {
    /// Counted by the worker.
    pub metrics: Metrics,
    /// Known to the worker.
    pub health: Arc<Health>,
    /// The model in use.
    pub classifier: Arc<Classifier>,
}

/// Listens on `address`.
///
/// # Errors
/// When the address is taken or not ours.
pub async fn bind(address: SocketAddr) -> std::io::Result<TcpListener> {
    TcpListener::bind(address).await
}

/// Serves until `shutdown` turns true.
pub async fn serve(listener: TcpListener, shared: Shared, mut shutdown: watch::Receiver<bool>) {
    let stop = async move { stopped(&mut shutdown).await };
    if let Err(error) = axum::serve(listener, routes(shared)).with_graceful_shutdown(stop).await {
        tracing::error!(%error, "http");
    }
}

fn routes(shared: Shared) -> Router {
    Router::new()
        .route("/", get(page))
        .route("/live.json", get(live))
        .route("/metrics", get(metrics))
        .route("/livez", get(livez))
        .route("/readyz", get(readyz))
        .with_state(shared)
}

/// Nothing from elsewhere, no frames, no sniffing.
const SECURITY: [(HeaderName, &str); 3] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'unsafe-inline'; connect-src 'self'; base-uri 'none'; frame-ancestors 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
];

async fn page() -> Response {
    (SECURITY, Html(include_str!("page.html"))).into_response()
}

async fn live(State(shared): State<Shared>) -> Response {
    let topics: serde_json::Map<_, _> = shared
        .classifier
        .info()
        .topics
        .iter()
        .map(|label| (label.code.clone(), json!({"en": label.name, "ar": label.name_ar})))
        .collect();
    let body = json!({
        "counts": shared.metrics.snapshot(),
        "recent": shared.health.recent(),
        "waiting_for": shared.health.waiting_for(),
        "model": shared.classifier.tag(),
        "topics": topics,
    });
    (SECURITY, [(header::CACHE_CONTROL, "no-store")], Json(body)).into_response()
}

async fn metrics(State(shared): State<Shared>) -> Response {
    match shared.metrics.text() {
        Ok(text) => ([(header::CONTENT_TYPE, prometheus::TEXT_FORMAT)], text).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

async fn livez(State(shared): State<Shared>) -> (StatusCode, String) {
    answer(shared.health.stalled())
}

async fn readyz(State(shared): State<Shared>) -> (StatusCode, String) {
    answer(shared.health.waiting_for())
}

fn answer(problem: Option<String>) -> (StatusCode, String) {
    match problem {
        None => (StatusCode::OK, "ok\n".to_owned()),
        Some(problem) => (StatusCode::SERVICE_UNAVAILABLE, format!("{problem}\n")),
    }
}
