//! The files of the live page.

use super::Site;
use super::files::{self, COLOURS, File};
use axum::Router;

const FILES: [File; 7] = [
    COLOURS,
    ("/", "text/html; charset=utf-8", include_str!("page/page.html")),
    ("/page.css", "text/css; charset=utf-8", include_str!("page/page.css")),
    ("/page.js", "text/javascript; charset=utf-8", include_str!("page/page.js")),
    ("/view.js", "text/javascript; charset=utf-8", include_str!("page/view.js")),
    ("/words.js", "text/javascript; charset=utf-8", include_str!("page/words.js")),
    ("/icon.svg", "image/svg+xml", include_str!("page/icon.svg")),
];

/// A route for each file.
pub fn routes() -> Router<Site> {
    files::routes(FILES)
}
