//! What the worker says of itself over HTTP: metrics, probes and the live page.

mod board;
mod events;
mod files;
mod label;
mod page;
mod server;
mod shadow;

pub use label::serve as label;

use crate::metrics::Metrics;
use crate::pipeline::{Health, Live, Reload, Running, stopped};
use axum::Router;
use axum::extract::{FromRef, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use events::Viewers;
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
    /// The latest records.
    pub live: Arc<Live>,
    /// The model in use.
    pub model: Running,
    /// The shadow model, where there is one.
    pub shadow: Option<Running>,
    /// Loads the model again; `None` where that is not allowed over HTTP.
    pub reload: Option<Reload>,
}

/// The state of the routes.
#[derive(Clone)]
struct Site {
    shared: Shared,
    viewers: Viewers,
}

impl FromRef<Site> for Shared {
    fn from_ref(site: &Site) -> Self {
        site.shared.clone()
    }
}

impl FromRef<Site> for Viewers {
    fn from_ref(site: &Site) -> Self {
        site.viewers.clone()
    }
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
    let (beat, frames) = board::start(shared.clone());
    let stop = async move {
        stopped(&mut shutdown).await;
        // with the beat the event streams end, which would keep their connections open
        beat.abort();
    };
    let site = Site { shared, viewers: Viewers::new(frames) };
    server::serve(listener, routes(site), stop).await;
}

fn routes(site: Site) -> Router {
    page::routes()
        .route("/events", get(events::events))
        .route("/live.json", get(events::live))
        .route("/metrics", get(metrics))
        .route("/livez", get(livez))
        .route("/readyz", get(readyz))
        .route("/-/reload", post(reload))
        .with_state(site)
}

async fn metrics(State(shared): State<Shared>) -> Response {
    // the breaker closes a way that the group has opened: ask who knows both
    shared.metrics.ready.set(i64::from(shared.health.waiting_for().is_none()));
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

async fn reload(State(shared): State<Shared>) -> (StatusCode, String) {
    let Some(reload) = shared.reload else {
        let off = "reloading over HTTP is off: start the worker with --http-reload, or send it SIGHUP\n";
        return (StatusCode::FORBIDDEN, off.to_owned());
    };
    match reload.ask().await {
        Ok(done) => (StatusCode::OK, format!("{done}\n")),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n")),
    }
}

fn answer(problem: Option<String>) -> (StatusCode, String) {
    match problem {
        None => (StatusCode::OK, "ok\n".to_owned()),
        Some(problem) => (StatusCode::SERVICE_UNAVAILABLE, format!("{problem}\n")),
    }
}
