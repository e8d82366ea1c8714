//! The report of `rasid train`: learning curve, figures, calibration, confusion, the terms of each label.

use super::chart::Chart;
use super::evaluation::{by_label, confusion, figures, reliability};
use super::{page, percent};
use crate::model::{Info, Label, Learning, Task};
use crate::text::Language;
use maud::{Markup, html};

/// The page.
pub fn training(info: &Info, learnings: &[Learning]) -> String {
    let title = format!("{} {}: how it learnt", info.name, info.version);
    let body = html! {
        p {
            (info.examples) " examples, keyword lists included. Each text is judged by a model that has not seen its
            fold; whole sub-fields and events are held out, so figures are lower than on more of the same."
        }
        @for learning in learnings { (one(learning)) }
        @for task in Task::ALL { (terms(task, info.labels(task), learnings)) }
    };
    page(&title, &body)
}

fn one(learning: &Learning) -> Markup {
    let language = match learning.language {
        Language::Arabic => "Arabic",
        Language::English => "English",
    };
    html! {
        section {
            h2 { (language) ", " (learning.task.name()) }
            (figures(&learning.report))
            div class="charts" { (curve(learning)) (reliability(&learning.report)) }
            h2 { "By label" }
            (by_label(&learning.report))
            h2 { "Who is taken for whom" }
            p { "Rows: the right label. Columns: the label given." }
            (confusion(&learning.report))
        }
    }
}

fn curve(learning: &Learning) -> Markup {
    let chart = Chart {
        title: "Learning curve: share right by share of the examples that teach",
        x: "share of the examples",
        y: "share right",
        top: 1.0,
        curve: learning.curve.iter().map(|point| (point.share, point.accuracy)).collect(),
        dots: true,
        ..Chart::default()
    };
    html! {
        figure {
            h2 { "Learning curve" }
            (chart.draw())
            figcaption {
                @for point in &learning.curve {
                    (format!("{:.0} texts: {} %. ", point.texts, percent(point.accuracy)))
                }
                "Where it still climbs at the right, more examples help. Keyword lists are in all of them."
            }
        }
    }
}

fn terms(task: Task, labels: &[Label], learnings: &[Learning]) -> Markup {
    let mine: Vec<&Learning> = learnings.iter().filter(|learning| learning.task == task).collect();
    html! {
        @if !mine.is_empty() {
            section {
                h2 { "Terms that carry a " (task.name()) }
                p { "Stems, by weight and by how well it is known." }
                div class="scroll" {
                    table class="terms" {
                        thead { tr { th { "label" } @for learning in &mine { th { (learning.language.code()) } } } }
                        tbody {
                            @for (column, label) in labels.iter().enumerate() {
                                tr {
                                    td {
                                        bdi { (label.name) }
                                        @if label.name_ar != label.name { br; bdi lang="ar" { (label.name_ar) } }
                                    }
                                    @for learning in &mine {
                                        @let direction = if learning.language == Language::Arabic { "rtl" } else { "ltr" };
                                        td lang=(learning.language.code()) dir=(direction) {
                                            @for term in learning.terms.get(column).into_iter().flatten() {
                                                bdi title=(format!("{:.2}", term.weight)) { (term.term) } " "
                                            }
                                        }
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}
