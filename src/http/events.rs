//! The numbers of the live page to whoever looks: an event stream, and the same as JSON for scripts.

use super::board::Frame;
use super::files::SECURITY;
use axum::extract::State;
use axum::http::{HeaderName, StatusCode, header};
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream::{self, Stream, StreamExt};
use std::convert::Infallible;
use std::sync::Arc;
use tokio::sync::{Semaphore, watch};

/// Event streams at a time; each costs a frame a second.
const VIEWERS: usize = 64;
/// Never from a cache; nginx hands events on only when told not to gather them.
const UNKEPT: [(HeaderName, &str); 2] =
    [(header::CACHE_CONTROL, "no-store"), (HeaderName::from_static("x-accel-buffering"), "no")];

/// The frames, and the seats of those who follow them.
#[derive(Clone)]
pub struct Viewers {
    frames: watch::Receiver<Frame>,
    seats: Arc<Semaphore>,
}

impl Viewers {
    /// Nobody yet.
    pub fn new(frames: watch::Receiver<Frame>) -> Self {
        Self { frames, seats: Arc::new(Semaphore::new(VIEWERS)) }
    }
}

/// `GET /events`: `model` at first and when the model changes, `live` at first and with every frame.
pub async fn events(State(viewers): State<Viewers>) -> Response {
    let Ok(seat) = viewers.seats.try_acquire_owned() else {
        let why = format!("{VIEWERS} event streams are open already; /live.json has the same numbers\n");
        return (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, "10")], why).into_response();
    };
    let events = follow(viewers.frames).map(move |event| {
        // the seat is free again when the stream is dropped
        let _taken = &seat;
        Ok::<_, Infallible>(event)
    });
    (SECURITY, UNKEPT, Sse::new(events)).into_response()
}

/// The events of one viewer, until the frames end. Who is slow misses frames, none are kept back.
fn follow(mut frames: watch::Receiver<Frame>) -> impl Stream<Item = Event> {
    frames.mark_changed();
    let model: Option<Arc<str>> = None;
    let steps = stream::unfold((frames, model), |(mut frames, known)| async move {
        frames.changed().await.ok()?;
        let frame = frames.borrow_and_update().clone();
        let model = known.as_ref() != Some(&frame.model);
        let model = model.then(|| Event::default().event("model").data(&*frame.model));
        let live = Event::default().event("live").data(&*frame.live);
        Some((stream::iter(model.into_iter().chain([live])), (frames, Some(frame.model))))
    });
    steps.flatten()
}

/// `GET /live.json`: what the two events hold, under their names.
pub async fn live(State(viewers): State<Viewers>) -> Response {
    let frame = viewers.frames.borrow().clone();
    let body = format!("{{\"model\":{},\"live\":{}}}\n", frame.model, frame.live);
    (SECURITY, UNKEPT, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}
