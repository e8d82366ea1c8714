//! Files out of the binary, and the headers that keep a page to itself.

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
pub type File = (&'static str, &'static str, &'static str);

/// The colours of every page.
pub const COLOURS: File = ("/colours.css", "text/css; charset=utf-8", include_str!("colours.css"));

/// A route for each of `files`.
pub fn routes<S: Clone + Send + Sync + 'static>(files: impl IntoIterator<Item = File>) -> Router<S> {
    files.into_iter().fold(Router::new(), |router, (path, media, content)| {
        let headers = [(header::CONTENT_TYPE, media), (header::CACHE_CONTROL, "no-cache")];
        router.route(path, get(move || async move { (SECURITY, headers, content).into_response() }))
    })
}
