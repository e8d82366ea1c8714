//! The page of `rasid label`: one article, one key an answer. For the person at this machine alone.

use super::files::{self, COLOURS, File};
use super::server;
use crate::label::{Progress, Session, key};
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::net::TcpListener;
use tokio::sync::watch;

const FILES: [File; 4] = [
    COLOURS,
    ("/", "text/html; charset=utf-8", include_str!("label/page.html")),
    ("/page.css", "text/css; charset=utf-8", include_str!("label/page.css")),
    ("/page.js", "text/javascript; charset=utf-8", include_str!("label/page.js")),
];

#[derive(Clone)]
struct Desk {
    session: Arc<Mutex<Session>>,
    quit: watch::Sender<bool>,
}

/// What the page shows.
#[derive(Serialize)]
struct Shown {
    #[serde(flatten)]
    progress: Progress,
    article: Option<Text>,
    labels: Vec<Key>,
    quit: bool,
}

#[derive(Serialize)]
struct Text {
    title: String,
    text: String,
    language: &'static str,
}

#[derive(Serialize)]
struct Key {
    key: String,
    name: String,
    name_ar: String,
}

/// An answer to question `at`.
#[derive(Deserialize)]
struct Answer {
    at: usize,
    /// Index of the label; none to skip.
    label: Option<usize>,
}

/// Serves `session` until `shutdown` turns true or the person quits; gives it back.
pub async fn serve(
    listener: TcpListener,
    session: Session,
    mut shutdown: watch::Receiver<bool>,
) -> Arc<Mutex<Session>> {
    let (quit, mut quitting) = watch::channel(false);
    let desk = Desk { session: Arc::new(Mutex::new(session)), quit };
    let stop = async move {
        tokio::select! {
            _ = shutdown.wait_for(|stop| *stop) => {}
            _ = quitting.wait_for(|quit| *quit) => {}
        }
    };
    let session = desk.session.clone();
    server::serve(listener, routes(desk), stop).await;
    session
}

fn routes(desk: Desk) -> Router {
    files::routes(FILES)
        .route("/question", get(question))
        .route("/answer", post(answer))
        .route("/undo", post(undo))
        .route("/quit", post(quit))
        .layer(from_fn(local))
        .with_state(desk)
}

/// Only for pages of this machine: a name that somebody made point here (DNS rebinding) is another site.
async fn local(request: Request, next: Next) -> Response {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let name =
        host.rsplit_once(':').filter(|(_, port)| port.parse::<u16>().is_ok()).map_or(host, |(name, _)| name);
    let ip = name.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    if name == "localhost" || ip.is_ok_and(|ip| ip.is_loopback()) {
        return next.run(request).await;
    }
    (StatusCode::FORBIDDEN, "ask by the address that rasid label printed\n").into_response()
}

fn show(session: &Session, quit: bool) -> Response {
    let text = |article: &crate::label::Article| Text {
        title: article.title.clone(),
        text: article.text.clone(),
        language: article.language.code(),
    };
    let labels = session.labels().iter().enumerate().map(|(index, label)| Key {
        key: key(index).map(String::from).unwrap_or_default(),
        name: label.name.clone(),
        name_ar: label.name_ar.clone(),
    });
    let article = session.current().map(text);
    Json(Shown { progress: session.progress(), article, labels: labels.collect(), quit }).into_response()
}

fn failed(error: &std::io::Error) -> Response {
    (StatusCode::INTERNAL_SERVER_ERROR, format!("the answer was not written: {error}\n")).into_response()
}

async fn question(State(desk): State<Desk>) -> Response {
    show(&desk.session.lock().unwrap_or_else(PoisonError::into_inner), false)
}

async fn answer(State(desk): State<Desk>, Json(answer): Json<Answer>) -> Response {
    let mut session = desk.session.lock().unwrap_or_else(PoisonError::into_inner);
    // a second window, or a key that was pressed twice: the question is another one by now
    if answer.at == session.progress().at {
        match answer.label {
            None => session.skip(),
            Some(label) => {
                if let Err(error) = session.answer(label) {
                    return failed(&error);
                }
            }
        }
    }
    show(&session, false)
}

async fn undo(State(desk): State<Desk>) -> Response {
    let mut session = desk.session.lock().unwrap_or_else(PoisonError::into_inner);
    match session.undo() {
        Ok(_) => show(&session, false),
        Err(error) => failed(&error),
    }
}

async fn quit(State(desk): State<Desk>) -> Response {
    desk.quit.send_replace(true);
    show(&desk.session.lock().unwrap_or_else(PoisonError::into_inner), true)
}
