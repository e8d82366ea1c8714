//! The files of the live page, out of the binary, and the headers that keep it to itself.

use super::Site;
use axum::Router;
use axum::http::{HeaderName, header};
use axum::response::IntoResponse;
use axum::routing::get;

/// Nothing from elsewhere, no markup out of texts, no frames, no sniffing.
pub const SECURITY: [(HeaderName, &str); 4] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
         require-trusted-types-for 'script'; trusted-types 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

/// Path, media type and content.
const FILES: [(&str, &str, &str); 6] = [
    ("/", "text/html; charset=utf-8", include_str!("page/page.html")),
    ("/page.css", "text/css; charset=utf-8", include_str!("page/page.css")),
    ("/page.js", "text/javascript; charset=utf-8", include_str!("page/page.js")),
    ("/view.js", "text/javascript; charset=utf-8", include_str!("page/view.js")),
    ("/words.js", "text/javascript; charset=utf-8", include_str!("page/words.js")),
    ("/icon.svg", "image/svg+xml", include_str!("page/icon.svg")),
];

/// A route for each file.
pub fn routes() -> Router<Site> {
    FILES.into_iter().fold(Router::new(), |router, (path, media, content)| {
        let headers = [(header::CONTENT_TYPE, media), (header::CACHE_CONTROL, "no-cache")];
        router.route(path, get(move || async move { (SECURITY, headers, content).into_response() }))
    })
}
