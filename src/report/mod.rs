//! Reports as one self-contained HTML page: nothing is loaded from elsewhere, and texts are escaped.

mod chart;
mod evaluation;
mod training;

pub use evaluation::{Evaluation, Mistake, evaluation};
pub use training::training;

use maud::{DOCTYPE, Markup, PreEscaped, html};

/// A whole page.
pub(crate) fn page(title: &str, body: &Markup) -> String {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'";
                title { (title) }
                style { (PreEscaped(include_str!("report.css"))) }
            }
            body {
                main {
                    h1 { (title) }
                    (body)
                }
            }
        }
    }
    .into_string()
}

/// A share as percent with one decimal.
pub(crate) fn percent(share: f64) -> String {
    format!("{:.1}", 100.0 * share)
}
